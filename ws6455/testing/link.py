"""A bad network: a TCP proxy with latency, jitter, little bandwidth, and ways to break.

It knows nothing of WebSocket: any client connects through it to any server.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from .pace import Pace, chunk_size
from .raw import reset_stream

__all__ = ["Direction", "Link"]

#: ``"up"`` is from the client to the server, ``"down"`` from the server to the client.
Direction = Literal["up", "down"]

# Bytes on their way at most, in each direction of a connection: like TCP's window, it makes
# whoever sends wait for whoever does not read.
WINDOW = 1 << 20


class Link:
    """A TCP proxy on 127.0.0.1 that delays, slows down and breaks connections.

    Example::

        async with Link("127.0.0.1", port, latency=0.05, bandwidth=100_000, seed=1) as link:
            async with connect(link.uri) as client:
                link.cut()

    Args:
        host: where the server is.
        port: its TCP port.
        latency: seconds that every byte takes, in each direction.
        jitter: seconds that it may take more; bytes are never reordered.
        bandwidth: bytes per second, for each direction of each connection.
        seed: for the jitter; the same one gives the same delays again.

    Attributes:
        port: the TCP port to connect to, once the link is entered.
        latency, jitter, bandwidth: what was set last; see :meth:`change`.

    Raises:
        ValueError: if a number is negative, or the bandwidth 0.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        latency: float = 0.0,
        jitter: float = 0.0,
        bandwidth: float = math.inf,
        seed: int | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.latency = self.jitter = 0.0
        self.bandwidth = math.inf
        self.change(latency=latency, jitter=jitter, bandwidth=bandwidth)
        self._target = (host, port)
        self._seed = random.getrandbits(64) if seed is None else seed
        self._flows = asyncio.Event()
        self._flows.set()
        self._bytes: dict[Direction, int] = {"up": 0, "down": 0}
        self._alarms: dict[Direction, list[tuple[int, Callable[[], object]]]] = {
            "up": [],
            "down": [],
        }
        self._made = self._resets = 0
        self._ways: set[_Way] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server

    @property
    def uri(self) -> str:
        """Where a WebSocket client connects to."""
        return f"ws://{self.host}:{self.port}/"

    @property
    def bytes_up(self) -> int:
        """Bytes passed from clients to the server so far."""
        return self._bytes["up"]

    @property
    def bytes_down(self) -> int:
        """Bytes passed from the server to clients so far."""
        return self._bytes["down"]

    def change(
        self,
        *,
        latency: float | None = None,
        jitter: float | None = None,
        bandwidth: float | None = None,
    ) -> None:
        """Change the network, for bytes that leave from now on.

        Args:
            latency: see :class:`Link`; None leaves it as it is.
            jitter: see :class:`Link`; None leaves it as it is.
            bandwidth: see :class:`Link`; None leaves it as it is, `math.inf` sets no bound.

        Raises:
            ValueError: if a number is negative, or the bandwidth 0.
        """
        latency = self.latency if latency is None else latency
        jitter = self.jitter if jitter is None else jitter
        bandwidth = self.bandwidth if bandwidth is None else bandwidth
        if not (latency >= 0 and jitter >= 0 and bandwidth > 0):
            raise ValueError(
                f"latency ({latency}) and jitter ({jitter}) must not be negative, "
                f"bandwidth ({bandwidth}) must be above 0"
            )
        self.latency, self.jitter, self.bandwidth = latency, jitter, bandwidth

    # Breaking ---------------------------------------------------------------------------

    def cut(self) -> None:
        """Let nothing through, in either direction: neither side is told, as by a dead router.

        What is on its way is kept, as TCP would send it again.
        """
        self._flows.clear()

    def mend(self) -> None:
        """Undo :meth:`cut`."""
        self._flows.set()

    def reset(self) -> None:
        """Reset every connection at both ends; what is on its way is lost."""
        self._resets += 1
        for way in self._ways:
            reset_stream(way.writer)

    def half_close(self, direction: Direction) -> None:
        """Let the receivers of a direction see the end of their stream; the other goes on.

        It concerns the connections through which the link has reached the server.

        Args:
            direction: ``"up"``: servers see it; ``"down"``: clients do.
        """
        for way in self._ways:
            if way.direction == direction:
                way.end()

    def after(self, count: int, direction: Direction, action: Callable[[], object]) -> None:
        """Do something once so many more bytes have passed, and not one more.

        Where several connections pass bytes at once, it may come a few bytes late.

        Example::

            link.after(1000, "down", link.reset)

        Args:
            count: bytes from now, of all connections together.
            direction: which way they pass.
            action: such as :meth:`cut` or :meth:`reset`; called once.

        Raises:
            ValueError: if `count` is less than 1.
        """
        if count < 1:
            raise ValueError(f"an action needs a byte to come after, not {count}")
        self._alarms[direction].append((self._bytes[direction] + count, action))
        self._alarms[direction].sort(key=lambda alarm: alarm[0])

    # Carrying ---------------------------------------------------------------------------

    async def pause(self) -> None:
        """Wait while the link is cut."""
        await self._flows.wait()

    def until_action(self, direction: Direction, count: int) -> int:
        """Return how many of `count` bytes pass before the next action."""
        alarms = self._alarms[direction]
        return min(count, alarms[0][0] - self._bytes[direction]) if alarms else count

    def passed(self, direction: Direction, count: int) -> None:
        """Count bytes that have passed, and do what is due."""
        self._bytes[direction] += count
        alarms = self._alarms[direction]
        while alarms and alarms[0][0] <= self._bytes[direction]:
            alarms.pop(0)[1]()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._listener.is_serving():
            writer.transport.abort()  # asyncio had accepted it already when the link was left
            return
        self._made += 1
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer, self._made))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        """Carry one connection to its end."""
        ways: list[_Way] = []
        resets = self._resets
        try:
            await self.pause()
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            seed = f"{self._seed} {number}"
            ways += [
                _Way(self, "up", reader, server_writer, Pace(f"{seed} up")),
                _Way(self, "down", server_reader, writer, Pace(f"{seed} down")),
            ]
            self._ways.update(ways)
            if self._resets != resets:
                raise ConnectionResetError("reset while the server was connected to")
            async with asyncio.TaskGroup() as group:
                for way in ways:
                    group.create_task(way.take())
                    group.create_task(way.deliver())
        except* OSError:
            # The server is not there, or one side is reset: so is the other.
            for stream in [writer, *(way.writer for way in ways)]:
                reset_stream(stream)
        finally:
            self._ways.difference_update(ways)
            for stream in [writer, *(way.writer for way in ways)]:
                stream.transport.abort()
                with contextlib.suppress(OSError):
                    await stream.wait_closed()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accepted, self.host, 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        # Nothing waits for the listener: from Python 3.12 on that may last forever if a client has
        # come just now. What it has accepted ends with the tasks.
        await asyncio.gather(*tasks, return_exceptions=True)


class _Way:
    """One direction of one connection.

    Args:
        link: what the network is like.
        direction: which one it is.
        reader: where bytes come from.
        writer: where they go.
        pace: when.
    """

    def __init__(
        self,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pace: Pace,
    ) -> None:
        self.direction: Direction = direction
        self.writer = writer
        self._link = link
        self._reader = reader
        self._pace = pace
        self._clock = asyncio.get_running_loop().time
        # When it arrives, and what: bytes, none for the end of the stream, None for a reset.
        self._on_way: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        self._on_way_bytes = 0
        self._room = asyncio.Event()
        self._ended = False
        # So that draining means that the system has taken everything.
        writer.transport.set_write_buffer_limits(0)

    async def take(self) -> None:
        """Take what is sent, as fast as the bandwidth allows."""
        link = self._link
        try:
            while data := await self._reader.read(chunk_size(link.bandwidth)):
                await link.pause()
                left = self._pace.leaves_at(self._clock(), len(data), link.bandwidth)
                await self._sleep_until(left)
                self._send_off(left, data)
                while self._on_way_bytes > WINDOW:
                    self._room.clear()
                    await self._room.wait()
            self._send_off(self._clock(), b"")
        except OSError:
            self._send_off(self._clock(), None)

    def _send_off(self, left: float, data: bytes | None) -> None:
        arrival = self._pace.arrives_at(left, self._link.latency, self._link.jitter)
        self._on_way.put_nowait((arrival, data))
        self._on_way_bytes += len(data or b"")

    async def deliver(self) -> None:
        """Pass on what has arrived.

        Raises:
            OSError: if either side was reset.
        """
        while True:
            arrival, data = await self._on_way.get()
            await self._sleep_until(arrival)
            await self._link.pause()
            if data is None:
                raise ConnectionResetError("the other side was reset")
            if not data:
                self.end()
                return
            await self._write(data)
            self._on_way_bytes -= len(data)
            self._room.set()

    async def _write(self, data: bytes) -> None:
        link = self._link
        while data and not self._ended and not self.writer.is_closing():
            size = link.until_action(self.direction, len(data))
            self.writer.write(data[:size])
            await self.writer.drain()
            data = data[size:]
            link.passed(self.direction, size)
            await link.pause()

    def end(self) -> None:
        """End the stream for whoever receives; what comes after is dropped."""
        if not self._ended:
            self._ended = True
            self.writer.write_eof()

    async def _sleep_until(self, time: float) -> None:
        delay = time - self._clock()
        if delay > 0:
            await asyncio.sleep(delay)
