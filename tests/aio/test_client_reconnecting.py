"""async for over connect: it connects again, until something is not transient."""

import asyncio
import itertools
import logging
from collections.abc import Iterator

import pytest

from tests.aio.test_client import answering, check_echo, echo
from tests.conftest import port_of, uri_of
from ws6455 import InvalidStatus, Server, connect, serve
from ws6455.testing import RawPeer, RawServer


def soon() -> Iterator[float]:
    return itertools.repeat(0.01)


async def test_a16_iteration_connects_again_after_the_server_restarts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed = asyncio.Event()

    def note(_: Exception) -> None:
        failed.set()

    async def restart() -> Server:
        await failed.wait()
        return await serve(echo, "127.0.0.1", port)

    caplog.set_level(logging.INFO)
    server = await serve(echo, "127.0.0.1", 0)
    port = port_of(server)
    clients = aiter(connect(uri_of(server), reconnect_delays=soon, process_exception=note))
    first = await anext(clients)
    await check_echo(first)
    server.close()
    await server.wait_closed()
    restarting = asyncio.create_task(restart())
    second = await anext(clients)
    assert second is not first
    await check_echo(second)
    await clients.aclose()
    assert (first.close_code, second.close_code) == (1001, 1000)
    assert any("reconnecting in 0.0 seconds" in message for message in caplog.messages)
    server = await restarting
    server.close()
    await server.wait_closed()


async def test_the_delays_start_anew_after_a_success() -> None:
    delays: list[float] = []

    def growing() -> Iterator[float]:
        for number in itertools.count(1):
            delays.append(number / 1000)
            yield number / 1000

    async with RawServer() as server:

        async def answer() -> None:
            for status in (503, 503, 101, 503, 101):
                peer = await server.accept()
                if status == 101:
                    await peer.open()
                else:
                    await peer.head()
                    peer.send(b"HTTP/1.1 503 R\r\nContent-Length: 0\r\n\r\n")
                await peer.close()

        answered = asyncio.create_task(answer())
        clients = aiter(connect(server.uri, reconnect_delays=growing, stable_after=0))
        for _ in range(2):
            await (await anext(clients)).wait_closed()
        await clients.aclose()
        await answered
    assert delays == [0.001, 0.002, 0.001]


async def test_iteration_ends_with_what_is_not_transient() -> None:
    async with RawServer() as server:
        statuses = iter([503, 500, 404])

        def refusal(_: str) -> bytes:
            return f"HTTP/1.1 {next(statuses)} R\r\nContent-Length: 0\r\n\r\n".encode()

        async def answer() -> None:
            for _ in range(3):
                await answering(server, refusal)

        answered = asyncio.create_task(answer())
        with pytest.raises(InvalidStatus, match="404"):
            await anext(aiter(connect(server.uri, reconnect_delays=soon)))
        await answered


async def test_a16_process_exception_decides() -> None:
    seen: list[Exception] = []

    def decide(exc: Exception) -> Exception | None:
        seen.append(exc)
        return None if len(seen) < 3 else LookupError("enough")

    with pytest.raises(LookupError) as caught:
        await anext(
            aiter(connect("ws://127.0.0.1:1/", reconnect_delays=soon, process_exception=decide))
        )
    assert len(seen) == 3
    assert caught.value.__cause__ is seen[-1]


async def test_a_reset_within_the_handshake_is_transient() -> None:
    async with RawServer() as server:

        async def reset_then_accept() -> RawPeer:
            first = await server.accept()
            await first.head()
            first.reset()
            second = await server.accept()
            await second.open()
            return second

        accepting = asyncio.create_task(reset_then_accept())
        clients = aiter(connect(server.uri, reconnect_delays=soon))
        client = await anext(clients)
        await (await accepting).close()
        await client.wait_closed()
        await clients.aclose()


async def test_delays_that_end_end_the_attempts() -> None:
    def twice() -> Iterator[float]:
        return iter([0.001, 0.001])

    attempts: list[Exception] = []
    clients = aiter(
        connect("ws://127.0.0.1:1/", reconnect_delays=twice, process_exception=attempts.append)
    )
    with pytest.raises(ConnectionRefusedError):
        await anext(clients)
    assert len(attempts) == 3
