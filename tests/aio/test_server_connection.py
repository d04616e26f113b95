"""The server before the connection is open: probes, plain HTTP, refusals, deadlines."""

import asyncio
import http
import logging
import re
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.aio.conftest import raw_client, until
from tests.conftest import port_of, uri_of
from ws6455 import (
    Headers,
    InvalidStatus,
    NegotiationError,
    Request,
    Response,
    Server,
    ServerConnection,
    connect,
    serve,
)
from ws6455.testing import RawPeer, opening_request

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(200)


async def handler(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def ask(server: Server, request: bytes) -> tuple[int, Headers, bytes]:
    """Send a request, read the whole response up to the end of TCP."""
    peer = await RawPeer.connect("127.0.0.1", port_of(server))
    peer.send(request)
    head = await peer.head()
    body = await peer.bytes_to_end()
    await peer.close()
    status_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name] = value
    return int(status_line.split()[1]), headers, body


def request_with(*changes: tuple[str, str]) -> bytes:
    """Change a proper request, header line by header line."""
    request = opening_request().decode()
    for old, new in changes:
        assert old in request
        request = request.replace(old, new)
    return request.encode()


@pytest.mark.parametrize(
    "probe",
    [b"", b"\x00\x01garbage\r\n\r\n", CLIENT_HELLO + b"\r\n", b"GET / HT", b"SSH-2.0-x\r\n"],
    ids=["nothing", "garbage", "TLS hello", "half a request", "SSH"],
)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a13_probes_make_one_line_below_info(
    probe: bytes, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(handler, "localhost", 0) as server:
        caplog.clear()
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(probe)
        await until(lambda: bool(server._all))
        if reset:
            peer.reset()
        else:
            peer.end_sending()
            assert await peer.bytes_to_end() == b""
            assert not peer.was_reset
            await peer.close()
        await until(lambda: not server._all)
        lines = [r for r in caplog.records if r.getMessage().startswith("connection ")]
        assert [line.levelno for line in lines] == [logging.DEBUG]
        assert "without a request" in lines[0].getMessage()
        assert not [r for r in caplog.records if r.exc_info or r.levelno > logging.DEBUG]


async def test_a13_plain_http_gets_426_and_one_line_at_info(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(handler, "localhost", 0) as server:
        caplog.clear()
        status, headers, body = await ask(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (status, headers["Upgrade"], headers["Connection"]) == (426, "websocket", "close")
        assert b"cannot access a WebSocket server directly with a browser" in body
        assert int(headers["Content-Length"]) == len(body)
        await until(lambda: not server._all)
        [record] = caplog.records
        assert record.levelno == logging.INFO
        assert record.getMessage().startswith("connection rejected (426 Upgrade Required): missing")
        assert record.exc_info is None


@pytest.mark.parametrize(
    ("change", "status", "header"),
    [
        (("GET", "POST"), 405, ("Allow", "GET")),
        (("HTTP/1.1", "HTTP/1.0"), 505, None),
        (("Version: 13", "Version: 8"), 426, ("Sec-WebSocket-Version", "13")),
        (("Host: localhost", "Host: a\r\nHost: b"), 400, None),
        (("Host: localhost", "Host: localhost\r\nContent-Length: 3"), 400, None),
        (("GET /", "GET /" + "a" * 8192), 414, None),
        (("Host: localhost", "Host: " + "a" * 8192), 431, None),
        (("Host: localhost", "Host: localhost\r\n" + "a: b\r\n" * 128 + "c: d"), 431, None),
    ],
)
async def test_a14_refusals(
    change: tuple[str, str], status: int, header: tuple[str, str] | None
) -> None:
    async with serve(handler, "localhost", 0) as server:
        answer, headers, _ = await ask(server, request_with(change))
        assert answer == status
        assert header is None or headers[header[0]] == header[1]


def page(connection: ServerConnection, request: Request) -> Response | None:
    if request.path == "/healthz":
        return connection.respond(http.HTTPStatus.OK, f"{request.method} ok\n")
    return None


async def page_later(connection: ServerConnection, request: Request) -> Response | None:
    await asyncio.sleep(0)
    return page(connection, request)


@pytest.mark.parametrize("process_request", [page, page_later])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_a15_a_page_on_the_same_port(process_request: Any, method: str) -> None:
    async with serve(handler, "localhost", 0, process_request=process_request) as server:
        for version in ("HTTP/1.1", "HTTP/1.0"):
            request = f"{method} /healthz {version}\r\nHost: a\r\n\r\n".encode()
            status, headers, body = await ask(server, request)
            assert (status, headers["Connection"]) == (200, "close")
            assert body == (b"" if method == "HEAD" else f"{method} ok\n".encode())
        async with connect(uri_of(server)) as client:
            await client.send("x")
            assert await client.recv() == "x"


async def test_what_follows_a_request_that_was_not_upgraded_is_dropped() -> None:
    async with serve(handler, "localhost", 0, process_request=page) as server:
        request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        _, _, body = await ask(server, request + opening_request())
        assert body == b"GET ok\n"


@pytest.mark.parametrize("later", [False, True])
async def test_a_process_request_that_raises_is_500_and_logged_once(
    later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: ServerConnection, __: Request) -> None:
        raise LookupError("secret")

    async def fail_later(connection: ServerConnection, request: Request) -> None:
        fail(connection, request)

    async with serve(
        handler, "localhost", 0, process_request=fail_later if later else fail
    ) as server:
        with pytest.raises(InvalidStatus) as caught:
            await connect(uri_of(server))
    assert caught.value.response.status_code == 500
    assert b"secret" not in caught.value.response.body
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


@pytest.mark.parametrize("hook", ["process_request", "process_response"])
@pytest.mark.parametrize(
    "result", ["a page", Response(200, "OK\r\nX: y", Headers())], ids=["no-response", "split"]
)
async def test_a_hook_that_gives_what_cannot_be_sent_is_500_and_logged_once(
    hook: str, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hooks: dict[str, Any] = {hook: lambda *_: result}
    async with serve(handler, "localhost", 0, **hooks) as server:
        with pytest.raises(InvalidStatus, match="500"):
            await connect(uri_of(server))
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_a_response_changed_in_place_into_what_cannot_be_sent_is_500() -> None:
    def change(_: ServerConnection, __: Request, response: Response) -> None:
        response.reason_phrase = "OK\r\nX: y"

    async with serve(handler, "localhost", 0, process_response=change) as server:
        with pytest.raises(InvalidStatus, match="500"):
            await connect(uri_of(server))


ORIGINS: list[str | re.Pattern[str] | None] = [
    "https://good.example",
    re.compile(r"https://[a-z]+\.ours\.example"),
    None,
]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://good.example", True),
        ("https://a.ours.example", True),
        (None, True),
        ("https://good.example.evil", False),
        ("https://a.ours.example.evil", False),
        ("http://good.example", False),
        ("null", False),
        ("", False),
    ],
)
async def test_origins(origin: str | None, allowed: bool) -> None:
    async with serve(handler, "localhost", 0, origins=ORIGINS) as server:
        opening = connect(uri_of(server), origin=origin)
        if allowed:
            async with opening:
                pass
        else:
            with pytest.raises(InvalidStatus, match="403"):
                await opening


async def test_subprotocols() -> None:
    async with serve(handler, "localhost", 0, subprotocols=["b", "a"]) as server:
        async with connect(uri_of(server), subprotocols=["a", "b"]) as client:
            assert client.subprotocol == "b"
            assert [c.subprotocol for c in server.connections] == ["b"]
        async with connect(uri_of(server), subprotocols=["c"]) as client:
            assert client.subprotocol is None
        with pytest.raises(InvalidStatus, match="400"):
            await connect(uri_of(server))


async def test_select_subprotocol(caplog: pytest.LogCaptureFixture) -> None:
    def select(connection: ServerConnection, offered: Sequence[str]) -> str | None:
        assert isinstance(connection, ServerConnection)
        if "refuse" in offered:
            raise NegotiationError("no")
        if "break" in offered:
            raise LookupError("broken")
        return offered[-1]

    async with serve(handler, "localhost", 0, select_subprotocol=select) as server:
        async with connect(uri_of(server), subprotocols=["a", "b"]) as client:
            assert client.subprotocol == "b"
        with pytest.raises(InvalidStatus, match="400"):
            await connect(uri_of(server), subprotocols=["refuse"])
        assert not [record for record in caplog.records if record.exc_info]
        with pytest.raises(InvalidStatus, match="500"):
            await connect(uri_of(server), subprotocols=["break"])
        assert len([record for record in caplog.records if record.exc_info]) == 1


async def dribble(peer: RawPeer) -> None:
    for byte in opening_request():
        peer.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def never(_: ServerConnection, __: Request) -> None:
    await asyncio.Event().wait()


async def silent(_: RawPeer) -> None:
    pass


async def whole(peer: RawPeer) -> None:
    peer.send(opening_request())


@pytest.mark.parametrize("client", [silent, dribble, whole])
async def test_the_opening_has_a_deadline(client: Callable[[RawPeer], Any]) -> None:
    async with serve(handler, "localhost", 0, open_timeout=0.2, process_request=never) as server:
        started = time.monotonic()
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        sending = asyncio.create_task(client(peer))
        with pytest.raises((EOFError, ConnectionResetError)):
            await peer.head()
        assert 0.15 < time.monotonic() - started < 1
        sending.cancel()
        await peer.close()


async def test_the_deadline_ends_with_the_opening() -> None:
    async with (
        serve(handler, "localhost", 0, open_timeout=0.05, ping_interval=None) as server,
        raw_client(server) as peer,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer.reader.read(1), 0.15)
        [connection] = server.connections
        await connection.send("open")
        assert (await peer.valid_frame()).data == b"open"


async def test_frames_before_the_response_do_not_pile_up() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_: ServerConnection, __: Request) -> None:
        asked.set()
        await answer.wait()

    async with serve(handler, "localhost", 0, process_request=slow) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(opening_request())
        await asked.wait()
        [connection] = server._all
        peer.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16
        )
        for _ in range(200):
            peer.send(bytes(1 << 16))
        await until(lambda: connection._reading_paused)
        early = connection.protocol._early
        assert len(early) <= 1 << 17
        answer.set()
        await peer.head()
        peer.reset()
