"""The raw peer of `ws6455.testing` for a test that blocks: its event loop runs in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from ws6455 import Close, Frame, Side
from ws6455.testing import RawFrame, RawPeer, RawServer, opening_request

Result = TypeVar("Result")


class LoopThread:
    """An event loop that runs in a thread while the context lasts."""

    def __init__(self, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
        self._loop_factory = loop_factory

    def __enter__(self) -> "LoopThread":
        self._runner = asyncio.Runner(loop_factory=self._loop_factory)
        self.loop = self._runner.get_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._runner.run, args=(self._stop.wait(),))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._runner.close()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()


class Peer:
    """A raw peer; its methods block."""

    def __init__(self, raw: RawPeer, thread: LoopThread) -> None:
        self._raw = raw
        self._run = thread.run
        self.side: Side = raw.side

    def send(self, *items: bytes | RawFrame | Frame) -> None:
        async def send() -> None:
            self._raw.send(*items)

        self._run(send())

    def open(self) -> str:
        return self._run(self._raw.open())

    def head(self) -> str:
        return self._run(self._raw.head())

    def frame(self) -> Frame:
        return self._run(self._raw.valid_frame())

    def frames_to_close(self) -> list[RawFrame]:
        return self._run(self._raw.frames_to_close())

    def bytes_to_end(self) -> bytes:
        return self._run(self._raw.bytes_to_end())

    def answer_close(self) -> Close:
        """Echo the next Close frame, and close TCP."""
        close = self._run(self._raw.answer_close())
        self.close()
        return close

    def reset(self) -> None:
        async def reset() -> None:
            self._raw.reset()

        self._run(reset())

    def close(self) -> None:
        self._run(self._raw.close())


@contextlib.contextmanager
def connect_raw(port: int, request: bytes | None = None) -> Iterator[Peer]:
    """Connect to a server, and send a request: a valid one if none is given."""
    with LoopThread() as thread:
        peer = Peer(thread.run(RawPeer.connect("127.0.0.1", port)), thread)
        try:
            peer.send(opening_request() if request is None else request)
            yield peer
        finally:
            peer.close()


class Listener:
    """A raw server; its methods block."""

    def __init__(self, raw: RawServer, thread: LoopThread) -> None:
        self._raw = raw
        self._thread = thread
        self.uri = raw.uri

    def accept(self) -> Peer:
        """Return the peer of the next client, which has not read its request yet."""
        return Peer(self._thread.run(self._raw.accept()), self._thread)


@contextlib.contextmanager
def listen_raw() -> Iterator[Listener]:
    """Listen on a free port; the clients that are left at the end are disconnected."""
    with LoopThread() as thread:
        raw = thread.run(RawServer().__aenter__())
        try:
            yield Listener(raw, thread)
        finally:
            thread.run(raw.__aexit__(None, None, None))
