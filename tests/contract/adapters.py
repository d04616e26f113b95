"""Both front ends in one form: every call blocks, whatever it is underneath.

A test that is written against these runs over asyncio and over threads.
"""

import abc
import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import uvloop

import ws6455
import ws6455.sync.client
import ws6455.sync.server
from tests.contract.peers import LoopThread

# Seconds that anything may take: it fails the test, and ends nothing else.
PATIENCE = 10


class End(abc.ABC):
    """One end of a connection."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @abc.abstractmethod
    def start(self, method: str, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin a call; the future has its result."""

    @abc.abstractmethod
    def ping(self, data: Any = None) -> Callable[[], float]:
        """Send a ping; what is returned waits for the pong and gives the latency."""

    @abc.abstractmethod
    def start_streaming(self, decode: bool | None = None) -> "Future[list[str | bytes]]":
        """Begin to receive a message fragment by fragment."""

    @abc.abstractmethod
    def start_iterating(self) -> "Future[list[str | bytes]]":
        """Begin to iterate over the messages until the connection closes."""

    @abc.abstractmethod
    def start_flood(self, message: bytes) -> Future[None]:
        """Begin to send a message again and again, without a pause, until that raises."""

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.start(method, *args, **kwargs).result(PATIENCE)

    def send(self, message: Any, text: bool | None = None) -> None:
        self.call("send", message, text=text)

    def recv(self, decode: bool | None = None) -> Any:
        return self.call("recv", decode=decode)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.call("close", code, reason)

    def wait_closed(self) -> None:
        self.call("wait_closed")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


class Server(abc.ABC):
    """A server that runs; a handler of its own, if it has none, hands out its connections."""

    def __init__(self, server: Any, port: int, accepted: "queue.Queue[End]") -> None:
        self.server = server
        self.port = port
        self.uri = f"ws://127.0.0.1:{port}/"
        self._accepted = accepted

    def accept(self) -> End:
        """Return the next connection; it stays open until its test closes it, or ends."""
        return self._accepted.get(timeout=PATIENCE)

    @abc.abstractmethod
    def start_shutdown(self, *args: Any) -> Future[Any]:
        """Begin to shut down; the future is done when every handler has ended."""


class FrontEnd(abc.ABC):
    """A front end."""

    @abc.abstractmethod
    def connect(self, uri: str, **options: Any) -> End:
        """Open a client's connection; it is closed at the end of the test."""

    @abc.abstractmethod
    @contextlib.contextmanager
    def serve(
        self, handler: Callable[[End], Any] | None = None, **options: Any
    ) -> Iterator[Server]:
        """Serve on a free port; the handler blocks."""
        yield NotImplemented


class ThreadsEnd(End):
    def __init__(self, connection: Any, pool: ThreadPoolExecutor) -> None:
        super().__init__(connection)
        self._pool = pool

    def start(self, method: str, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._pool.submit(getattr(self.connection, method), *args, **kwargs)

    def ping(self, data: Any = None) -> Callable[[], float]:
        pong_received = self.connection.ping(data)

        def wait() -> float:
            assert pong_received.wait(PATIENCE)
            latency: float = self.connection.latency
            return latency

        return wait

    def start_streaming(self, decode: bool | None = None) -> "Future[list[str | bytes]]":
        return self._pool.submit(lambda: list(self.connection.recv_streaming(decode)))

    def start_iterating(self) -> "Future[list[str | bytes]]":
        return self._pool.submit(lambda: list(self.connection))

    def start_flood(self, message: bytes) -> Future[None]:
        def flood() -> None:
            while True:
                self.connection.send(message)

        return self._pool.submit(flood)


class ThreadsServer(Server):
    def start_shutdown(self, *args: Any) -> Future[Any]:
        # A pool of its own: the handlers that it waits for may need the other one.
        pool = ThreadPoolExecutor(1)
        done = pool.submit(self.server.shutdown, *args)
        pool.shutdown(wait=False)
        return done


class Threads(FrontEnd):
    """The front end over threads."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._pool = self._stack.enter_context(ThreadPoolExecutor(16))

    def close(self) -> None:
        self._stack.close()

    def connect(self, uri: str, **options: Any) -> End:
        connection = ws6455.sync.client.connect(uri, **{"proxy": None} | options)
        self._stack.callback(connection.abort)
        return ThreadsEnd(connection, self._pool)

    @contextlib.contextmanager
    def serve(
        self, handler: Callable[[End], Any] | None = None, **options: Any
    ) -> Iterator[Server]:
        accepted: queue.Queue[End] = queue.Queue()
        end = threading.Event()

        def handle(connection: ws6455.sync.server.ServerConnection) -> None:
            it = ThreadsEnd(connection, self._pool)
            if handler is not None:
                handler(it)
            else:
                accepted.put(it)
                end.wait()

        with ws6455.sync.server.serve(handle, "127.0.0.1", 0, **options) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield ThreadsServer(server, server.socket.getsockname()[1], accepted)
            finally:
                end.set()
                server.shutdown()
                thread.join(PATIENCE)
                assert not thread.is_alive()


class AsyncioEnd(End):
    def __init__(self, connection: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(connection)
        self._loop = loop

    def start(self, method: str, *args: Any, **kwargs: Any) -> Future[Any]:
        async def call() -> Any:
            return await getattr(self.connection, method)(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(call(), self._loop)

    def ping(self, data: Any = None) -> Callable[[], float]:
        pong = self.call("ping", data)

        async def wait() -> float:
            return float(await pong)

        return lambda: asyncio.run_coroutine_threadsafe(wait(), self._loop).result(PATIENCE)

    def start_streaming(self, decode: bool | None = None) -> "Future[list[str | bytes]]":
        async def receive() -> list[str | bytes]:
            return [fragment async for fragment in self.connection.recv_streaming(decode)]

        return asyncio.run_coroutine_threadsafe(receive(), self._loop)

    def start_iterating(self) -> "Future[list[str | bytes]]":
        async def iterate() -> list[str | bytes]:
            return [message async for message in self.connection]

        return asyncio.run_coroutine_threadsafe(iterate(), self._loop)

    def start_flood(self, message: bytes) -> Future[None]:
        async def flood() -> None:
            while True:
                await self.connection.send(message)

        return asyncio.run_coroutine_threadsafe(flood(), self._loop)


class AsyncioServer(Server):
    def __init__(self, *args: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(*args)
        self._loop = loop

    def start_shutdown(self, *args: Any) -> Future[Any]:
        async def shut_down() -> None:
            self.server.close(*args)
            await self.server.wait_closed()

        return asyncio.run_coroutine_threadsafe(shut_down(), self._loop)


class Asyncio(FrontEnd):
    """The front end over asyncio, with an event loop in a thread."""

    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None

    def __init__(self) -> None:
        self._connections: list[ws6455.ClientConnection] = []
        self._thread = LoopThread(type(self).loop_factory)
        self._thread.__enter__()
        self._loop = self._thread.loop

    def close(self) -> None:
        for connection in self._connections:
            self._loop.call_soon_threadsafe(connection.go_away)
        self._thread.__exit__()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def connect(self, uri: str, **options: Any) -> End:
        async def connect() -> ws6455.ClientConnection:
            return await ws6455.connect(uri, **{"proxy": None} | options)

        connection = self._run(connect())
        self._connections.append(connection)
        return AsyncioEnd(connection, self._loop)

    @contextlib.contextmanager
    def serve(
        self, handler: Callable[[End], Any] | None = None, **options: Any
    ) -> Iterator[Server]:
        accepted: queue.Queue[End] = queue.Queue()
        end = asyncio.Event()

        async def handle(connection: ws6455.ServerConnection) -> None:
            it = AsyncioEnd(connection, self._loop)
            if handler is not None:
                await asyncio.to_thread(handler, it)
            else:
                accepted.put(it)
                await end.wait()

        async def serve() -> ws6455.Server:
            return await ws6455.serve(handle, "127.0.0.1", 0, **options)

        server = self._run(serve())
        port = next(iter(server.sockets)).getsockname()[1]
        running = AsyncioServer(server, port, accepted, loop=self._loop)
        try:
            yield running
        finally:
            self._loop.call_soon_threadsafe(end.set)
            running.start_shutdown().result(PATIENCE)


class Uvloop(Asyncio):
    """The front end over asyncio, on uvloop."""

    loop_factory = staticmethod(uvloop.new_event_loop)
