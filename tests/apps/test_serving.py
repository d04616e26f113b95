"""apps.serving in the test's process: addresses, printed lines, and closing."""

import argparse
import asyncio
import contextlib
import errno
import ipaddress
import socket
import urllib.request
from collections.abc import AsyncIterator, Sequence

import pytest
import websockets

import ws6455
from apps.options import parser
from apps.serving import Handler, Job, WrongMessages, serve_app

PAGE = b"<!doctype html><title>test</title>"


async def echo(connection: ws6455.ServerConnection) -> None:
    """Echo every message except ``wrong``, which counts as a wrong message."""
    wrong_messages = WrongMessages(connection)
    async for message in connection:
        if message == "wrong":
            await wrong_messages.reject("no")
        else:
            wrong_messages.reset()
            await connection.send(message)


@contextlib.asynccontextmanager
async def serving(
    handler: Handler = echo,
    *argv: str,
    extra: Sequence[Job] = (),
    page: bytes | None = None,
    web_port: int | None = None,
) -> AsyncIterator[str]:
    """Run `serve_app` in this process, yield its address, and cancel it at the end."""
    options = options_of(*argv)
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve_app(
            handler,
            options,
            name="test",
            page=page,
            extra=extra,
            web_port=web_port,
            ready=listening.set_result,
        )
    )
    await asyncio.wait((server, listening), return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        server.result()
    try:
        yield await listening
    finally:
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await server


def options_of(*argv: str) -> argparse.Namespace:
    options = parser("test", "A test.", port=0).parse_args(["server", *argv])
    options.port = options.port or 0
    return options


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


async def test_localhost_is_both_loopback_addresses_on_one_port() -> None:
    async with serving() as url:
        for address in ["127.0.0.1"] + ["::1"] * has_ipv6():
            async with websockets.connect(url, host=address, proxy=None) as client:
                await client.send(address)
                assert await client.recv() == address


@pytest.mark.parametrize(
    ("failures", "sockets"),
    [([errno.EADDRNOTAVAIL], 1), ([errno.EAFNOSUPPORT], 1), ([errno.EADDRINUSE, None], 2)],
)
async def test_localhost_where_ipv6_fails(
    monkeypatch: pytest.MonkeyPatch, failures: list[int | None], sockets: int
) -> None:
    """Listen on IPv4 alone if IPv6 fails; with port 0 retry if the port is in use on ::1."""
    create_server = socket.create_server
    outcomes = iter(failures)
    opened = []

    def create(address: tuple[str, int], *, family: int, dualstack_ipv6: bool) -> socket.socket:
        assert not dualstack_ipv6
        if family == socket.AF_INET6:
            failure = next(outcomes)
            if failure is not None:
                raise OSError(failure, "simulated failure")
            address = ("127.0.0.1", 0)  # instead of ::1, since this machine may lack IPv6
        opened.append(create_server(address))
        return opened[-1]

    monkeypatch.setattr(socket, "create_server", create)
    async with serving() as url, websockets.connect(url, host="127.0.0.1", proxy=None) as client:
        assert sum(one.fileno() >= 0 for one in opened) == sockets
        await client.send("on")
        assert await client.recv() == "on"
    assert next(outcomes, None) is None
    assert all(one.fileno() < 0 for one in opened)


async def test_addresses_are_printed_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(echo, "--token", "secret", page=PAGE) as url:
        port = port_of(url)
        assert capsys.readouterr().out.splitlines() == [
            f"Server started on ws://localhost:{port}",
            f"Page: http://localhost:{port}/?token=...",
        ]
    async with serving() as url:
        assert capsys.readouterr().out == f"Server started on {url}\n"


async def test_addresses_for_other_machines(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(echo, "--host", "0.0.0.0", page=PAGE) as url:
        port = port_of(url)
        first, page, *others = capsys.readouterr().out.splitlines()
    assert (first, page) == (f"Server started on {url}", f"Page: http://localhost:{port}/")
    for line in others:  # none without a network
        start, end = "From other machines: http://", f":{port}/"
        assert line.startswith(start)
        assert line.endswith(end)
        address = ipaddress.ip_address(line.removeprefix(start).removesuffix(end))
        assert not address.is_loopback
        assert not address.is_unspecified


async def test_page_and_websocket_on_the_web_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        web_port = free.getsockname()[1]
    async with serving(echo, page=PAGE, web_port=web_port):
        assert f"Page: http://localhost:{web_port}/" in capsys.readouterr().out.splitlines()
        body = await asyncio.to_thread(fetch, f"http://127.0.0.1:{web_port}/")
        assert body == PAGE
        async with websockets.connect(f"ws://127.0.0.1:{web_port}", proxy=None) as client:
            await client.send("here too")
            assert await client.recv() == "here too"


async def test_a_web_port_that_is_the_port_is_no_second_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with serving(echo, "--port", str(port), page=PAGE, web_port=port) as url:
        assert capsys.readouterr().out.splitlines() == [
            f"Server started on {url}",
            f"Page: http://localhost:{port}/",
        ]


async def test_a_web_port_in_use_is_said_and_survived(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web_port = taken.getsockname()[1]
        async with serving(echo, page=PAGE, web_port=web_port) as url:
            lines = capsys.readouterr().out.splitlines()
            async with websockets.connect(url, proxy=None) as client:
                await client.send("on")
                assert await client.recv() == "on"
    assert lines[0] == f"Server started on {url}"
    assert f"The page of the test is not on port {web_port}: Address already in use" in lines
    assert not any(line == f"Page: http://localhost:{web_port}/" for line in lines)


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:
        body = response.read()
    assert isinstance(body, bytes)
    return body


async def test_status_counts_clients() -> None:
    async with serving(page=PAGE) as url:
        status = f"http://127.0.0.1:{port_of(url)}/status"
        async with (
            websockets.connect(url, proxy=None) as one,
            websockets.connect(url, proxy=None) as two,
        ):
            for client in (one, two):
                await client.send("")
                await client.recv()
            assert await asyncio.to_thread(fetch, status) == b'{"clients": 2}\n'
        assert await asyncio.to_thread(fetch, status) == b'{"clients": 0}\n'


async def test_4096_bytes_pass_and_one_more_closes_1009() -> None:
    async with serving() as url, websockets.connect(url, proxy=None) as client:
        await client.send("x" * 4096)
        assert await client.recv() == "x" * 4096
        await client.send("x" * 4097)
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1009


async def test_five_wrong_messages_in_a_row_close_1008() -> None:
    async with serving() as url, websockets.connect(url, proxy=None) as client:
        for message in ["wrong"] * 4 + ["right"] + ["wrong"] * 5:
            await client.send(message)
            assert await client.recv() == ("right" if message == "right" else "no")
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1008


async def test_cancelling_closes_1001_and_stops_what_runs_beside() -> None:
    stopped = asyncio.Event()

    async def beside() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with contextlib.AsyncExitStack() as stack:
        async with serving(extra=[beside]) as url:
            client = await stack.enter_async_context(websockets.connect(url, proxy=None))
        assert stopped.is_set()
        with pytest.raises(websockets.ConnectionClosedOK):
            await client.recv()
        assert client.close_code == 1001


async def test_a_faulty_handler_harms_only_its_own_connection() -> None:
    async def faulty(connection: ws6455.ServerConnection) -> None:
        if await connection.recv() == "fault":
            raise ZeroDivisionError
        await connection.send("fine")

    async with (
        serving(faulty) as url,
        websockets.connect(url, proxy=None) as one,
        websockets.connect(url, proxy=None) as two,
    ):
        await one.send("fault")
        with pytest.raises(websockets.ConnectionClosedError):
            await one.recv()
        assert one.close_code == 1011
        await two.send("no fault")
        assert await two.recv() == "fine"
