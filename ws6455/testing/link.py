"""A bad network: a TCP proxy with latency, jitter, limited bandwidth, and failures.

It is independent of WebSocket: any client can connect through it to any server.
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

# Maximum bytes in transit, in each direction of a connection. Like TCP's window, it makes a sender
# wait if the receiver does not read.
WINDOW = 1 << 20


class Link:
    """A TCP proxy on 127.0.0.1 that delays, slows down and breaks connections.

    Example::

        async with Link("127.0.0.1", port, latency=0.05, bandwidth=100_000, seed=1) as link:
            async with connect(link.uri) as client:
                link.cut()

    Args:
        host: name or address of the server.
        port: its TCP port.
        latency: delay in seconds, in each direction.
        jitter: maximum additional delay in seconds; bytes are never reordered.
        bandwidth: bytes per second, for each direction of each connection.
        seed: seed of the jitter; the same seed gives the same delays.

    Attributes:
        port: the TCP port to connect to, once the context is entered.
        latency, jitter, bandwidth: the current values; see :meth:`change`.

    Raises:
        ValueError: if a number is negative, or the bandwidth is 0.
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
        self.port: int = 0
        self.latency: float = 0.0
        self.jitter: float = 0.0
        self.bandwidth: float = math.inf
        self.change(latency=latency, jitter=jitter, bandwidth=bandwidth)
        self._target = (host, port)
        self._seed = random.getrandbits(64) if seed is None else seed
        self._not_cut = asyncio.Event()
        self._not_cut.set()
        self._bytes: dict[Direction, int] = {"up": 0, "down": 0}
        # Sorted pairs of a count of bytes and an action to call once they have passed.
        self._actions: dict[Direction, list[tuple[int, Callable[[], object]]]] = {
            "up": [],
            "down": [],
        }
        self._connection_count = self._reset_count = 0
        self._pipes: set[_Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server

    @property
    def uri(self) -> str:
        """The URI for WebSocket clients."""
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
        """Change the network for bytes that leave from now on.

        Args:
            latency: see :class:`Link`; None leaves it unchanged.
            jitter: see :class:`Link`; None leaves it unchanged.
            bandwidth: see :class:`Link`; None leaves it unchanged, `math.inf` removes the limit.

        Raises:
            ValueError: if a number is negative, or the bandwidth is 0.
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
        """Stop all traffic in both directions without notice to either side, like a dead router.

        Bytes in transit are kept, since TCP would retransmit them.
        """
        self._not_cut.clear()

    def mend(self) -> None:
        """Undo :meth:`cut`."""
        self._not_cut.set()

    def reset(self) -> None:
        """Reset every connection at both ends; bytes in transit are lost."""
        self._reset_count += 1
        for pipe in self._pipes:
            reset_stream(pipe.writer)

    def half_close(self, direction: Direction) -> None:
        """End the stream in one direction; the other direction continues.

        This affects connections for which the link has connected to the server.

        Args:
            direction: ``"up"`` ends the streams to the server, ``"down"`` those to the clients.
        """
        for pipe in self._pipes:
            if pipe.direction == direction:
                pipe.end()

    def after(self, count: int, direction: Direction, action: Callable[[], object]) -> None:
        """Call an action after exactly `count` more bytes have passed.

        If several connections pass bytes at the same time, it may be called a few bytes late.

        Example::

            link.after(1000, "down", link.reset)

        Args:
            count: number of bytes from now on, of all connections together.
            direction: the direction of the bytes.
            action: such as :meth:`cut` or :meth:`reset`; called once.

        Raises:
            ValueError: if `count` is less than 1.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        self._actions[direction].append((self._bytes[direction] + count, action))
        self._actions[direction].sort(key=lambda due: due[0])

    # Forwarding -------------------------------------------------------------------------

    async def pause(self) -> None:
        """Wait while the link is cut."""
        await self._not_cut.wait()

    def until_action(self, direction: Direction, count: int) -> int:
        """Return the number of bytes, at most `count`, that pass before the next action."""
        actions = self._actions[direction]
        return min(count, actions[0][0] - self._bytes[direction]) if actions else count

    def passed(self, direction: Direction, count: int) -> None:
        """Count bytes that have passed, and call the actions that are due."""
        self._bytes[direction] += count
        actions = self._actions[direction]
        while actions and actions[0][0] <= self._bytes[direction]:
            actions.pop(0)[1]()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._listener.is_serving():
            writer.transport.abort()  # the client connected while the link was closing
            return
        self._connection_count += 1
        number = self._connection_count
        task = asyncio.get_running_loop().create_task(self._forward(reader, writer, number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        """Forward one connection until it ends."""
        pipes: list[_Pipe] = []
        reset_count = self._reset_count
        try:
            await self.pause()
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            seed = f"{self._seed} {number}"
            pipes += [
                _Pipe(self, "up", reader, server_writer, Pace(f"{seed} up")),
                _Pipe(self, "down", server_reader, writer, Pace(f"{seed} down")),
            ]
            self._pipes.update(pipes)
            if self._reset_count != reset_count:
                raise ConnectionResetError("reset while connecting to the server")
            async with asyncio.TaskGroup() as group:
                for pipe in pipes:
                    group.create_task(pipe.receive())
                    group.create_task(pipe.deliver())
        except* OSError:
            # The server is unreachable, or one side was reset: reset the other side too.
            for stream in [writer, *(pipe.writer for pipe in pipes)]:
                reset_stream(stream)
        finally:
            self._pipes.difference_update(pipes)
            for stream in [writer, *(pipe.writer for pipe in pipes)]:
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
        # The listener's wait_closed() is not called: from Python 3.12 on, it may wait forever if a
        # client has just connected. Accepted connections end with their tasks.
        await asyncio.gather(*tasks, return_exceptions=True)


class _Pipe:
    """One direction of one connection.

    Args:
        link: the link, with the properties of the network.
        direction: the direction.
        reader: the stream to read from.
        writer: the stream to write to.
        pace: the timing.
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
        # Arrival time, and data: bytes, b"" for the end of the stream, None for a reset.
        self._in_transit: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        self._bytes_in_transit = 0
        self._window_open = asyncio.Event()
        self._ended = False
        # With this limit, drain() waits until the system has accepted everything.
        writer.transport.set_write_buffer_limits(0)

    async def receive(self) -> None:
        """Read from the sender, as fast as the bandwidth allows."""
        link = self._link
        try:
            while data := await self._reader.read(chunk_size(link.bandwidth)):
                await link.pause()
                left = self._pace.leaves_at(self._clock(), len(data), link.bandwidth)
                await self._sleep_until(left)
                self._put_in_transit(left, data)
                while self._bytes_in_transit > WINDOW:
                    self._window_open.clear()
                    await self._window_open.wait()
            self._put_in_transit(self._clock(), b"")
        except OSError:
            self._put_in_transit(self._clock(), None)

    def _put_in_transit(self, left: float, data: bytes | None) -> None:
        arrival = self._pace.arrives_at(left, self._link.latency, self._link.jitter)
        self._in_transit.put_nowait((arrival, data))
        self._bytes_in_transit += len(data or b"")

    async def deliver(self) -> None:
        """Write to the receiver at the time of arrival.

        Raises:
            OSError: if either side was reset.
        """
        while True:
            arrival, data = await self._in_transit.get()
            await self._sleep_until(arrival)
            await self._link.pause()
            if data is None:
                raise ConnectionResetError("the other side was reset")
            if not data:
                self.end()
                return
            await self._write(data)
            self._bytes_in_transit -= len(data)
            self._window_open.set()

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
        """End the stream for the receiver; later bytes are dropped."""
        if not self._ended:
            self._ended = True
            self.writer.write_eof()

    async def _sleep_until(self, time: float) -> None:
        delay = time - self._clock()
        if delay > 0:
            await asyncio.sleep(delay)
