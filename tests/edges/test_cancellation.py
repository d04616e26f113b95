"""Cancellation at every step: nothing is lost, sent in half or left behind.

Each call is cancelled after 0 to 60 turns of the event loop, with the garbage collector off.
"""

import asyncio
import contextlib
import os
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop

import ws6455
from tests.aio.conftest import contexts, no_collector, until
from ws6455 import ConcurrencyError, ConnectionClosed, State
from ws6455.aio.connection import Connection

__all__ = ["contexts", "no_collector"]

STEPS = range(61)
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
LARGE = b"l" * 3_000_000

pytestmark = pytest.mark.usefixtures("no_collector")


# What must not outlive a test.
references: list[weakref.ref[Any]] = []


@pytest.fixture(params=[None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Give a function that runs a coroutine on either loop, and checks what is left of it."""

    def run(coroutine: Coroutine[Any, Any, None]) -> None:
        references.clear()
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(coroutine)
            del coroutine
            runner.run(asyncio.sleep(0.01))
            assert references
            assert [reference() for reference in references] == [None] * len(references)

    return run


async def cancel_after(steps: int, call: Coroutine[Any, Any, Any]) -> Any:
    """Cancel a call after so many turns; return its result, or None if it was cancelled."""
    task = asyncio.ensure_future(call)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return None


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextlib.asynccontextmanager
async def connected(
    handler: Callable[[Any], Awaitable[None]], **options: Any
) -> AsyncIterator[Connection]:
    """Give a client's connection; nothing may refer to it afterwards, nor to the server's."""

    async def handle(connection: ws6455.ServerConnection) -> None:
        references.append(weakref.ref(connection))
        with contextlib.suppress(ConnectionClosed):
            await handler(connection)

    async with ws6455.serve(handle, "127.0.0.1", 0, max_size=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await ws6455.connect(f"ws://127.0.0.1:{port}", proxy=None, max_size=None)
        references.append(weakref.ref(connection.protocol))
        try:
            yield connection
        finally:
            await connection.close()
            del connection


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_connect(run: Callable[..., None], contexts: Contexts, tls: bool) -> None:
    async def main() -> None:
        def create(*arguments: Any, **options: Any) -> ws6455.ClientConnection:
            connection = ws6455.ClientConnection(*arguments, **options)
            references.append(weakref.ref(connection.protocol))
            return connection

        async def handler(connection: ws6455.ServerConnection) -> None:
            await connection.wait_closed()

        server_context, client_context = contexts if tls else (None, None)
        async with ws6455.serve(handler, "127.0.0.1", 0, ssl=server_context) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            uri = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"
            options: dict[str, Any] = {"proxy": None, "create_connection": create}
            if tls:
                options["ssl"] = client_context

            async def connect() -> Any:
                return await ws6455.connect(uri, **options)

            await (await connect()).close()
            await until(lambda: not server._all)
            before = descriptors()
            for steps in STEPS:
                connection = await cancel_after(steps, connect())
                if connection is not None:
                    await connection.close()
                    del connection
            await until(lambda: not server._all and descriptors() == before)

    run(main())


def test_recv(run: Callable[..., None]) -> None:
    async def send_numbers(connection: Connection) -> None:
        for number in range(100):
            await connection.send(str(number))
            await asyncio.sleep(0)
        await connection.wait_closed()

    async def main() -> None:
        for steps in STEPS:
            async with connected(send_numbers) as connection:
                received: list[Any] = []
                while len(received) < 100:
                    message = await cancel_after(steps, connection.recv())
                    if message is None:
                        message = await connection.recv()
                    received.append(message)
                assert received == [str(number) for number in range(100)]

    run(main())


def test_recv_streaming(run: Callable[..., None]) -> None:
    async def send_fragments(connection: Connection) -> None:
        async def fragments() -> AsyncIterator[str]:
            for number in range(20):
                yield f"{number} "
                await asyncio.sleep(0)

        await connection.send(fragments())
        await connection.send("next")
        await connection.wait_closed()

    whole = "".join(f"{number} " for number in range(20))

    async def main() -> None:
        for steps in STEPS:
            async with connected(send_fragments) as connection:
                taken: list[str | bytes] = []

                async def receive(
                    connection: Connection = connection, taken: list[str | bytes] = taken
                ) -> None:
                    async with contextlib.aclosing(connection.recv_streaming()) as pieces:
                        async for piece in pieces:
                            taken.append(piece)
                    taken.append("")  # the message has ended

                await cancel_after(steps, receive())
                assert whole.startswith("".join(map(str, taken)))
                if not taken:
                    assert await connection.recv() == whole
                elif taken[-1]:
                    # The rest is never taken for a message of its own.
                    with pytest.raises(ConcurrencyError):
                        await connection.recv()
                    continue
                assert await connection.recv() == "next"

    run(main())


@pytest.mark.parametrize("message", [b"small", LARGE], ids=["small", "large"])
def test_send(run: Callable[..., None], message: bytes) -> None:
    async def main() -> None:
        for steps in STEPS:
            received: list[str | bytes] = []

            async def receive(
                connection: Connection, received: list[str | bytes] = received
            ) -> None:
                await asyncio.sleep(0.001)  # so that the sender has to wait
                async for item in connection:
                    received.append(item)

            async with connected(receive, compression=None) as connection:
                sent = []
                for number in range(3):
                    await cancel_after(steps, connection.send(message))
                    await connection.send(f"after {number}")
                    sent.append(f"after {number}")
            assert [item for item in received if item != message] == sent
            assert len(received) <= 6

    run(main())


def test_send_fragments(run: Callable[..., None]) -> None:
    async def fragments() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10
            await asyncio.sleep(0)

    async def main() -> None:
        for steps in STEPS:
            received: list[str | bytes] = []

            async def receive(
                connection: Connection, received: list[str | bytes] = received
            ) -> None:
                async for item in connection:
                    received.append(item)

            async with connected(receive) as connection:
                await cancel_after(steps, connection.send(fragments()))
                if connection.state is State.OPEN:
                    await connection.send("after")
                else:  # a message that was begun cannot be taken back
                    assert steps > 0
                    with pytest.raises(ConnectionClosed, match="sent 1011"):
                        await connection.send("after")
                    continue
            assert received in (["after"], [b"x" * 200, "after"])

    run(main())


def test_ping(run: Callable[..., None]) -> None:
    async def receive(connection: Connection) -> None:
        async for item in connection:
            await connection.send(item)

    async def main() -> None:
        for steps in STEPS:
            async with connected(receive) as connection:

                async def ping(connection: Connection = connection) -> float:
                    return await (await connection.ping(b"same"))

                for _ in range(3):
                    await cancel_after(steps, ping())
                    await connection.send("x")
                    assert await connection.recv() == "x"  # the pong has come as well
                    assert await (await connection.ping(b"same")) > 0
                del ping

    run(main())


def test_close(run: Callable[..., None]) -> None:
    async def receive(connection: Connection) -> None:
        await connection.wait_closed()

    async def main() -> None:
        for steps in STEPS:
            async with connected(receive) as connection:
                await cancel_after(steps, connection.close(4000, "enough"))
                await connection.close(4001)
                # A task that is cancelled before its first turn has done nothing.
                assert connection.close_code == (4000 if steps else 4001)

    run(main())
