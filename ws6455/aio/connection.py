"""WebSocket connection for asyncio: receive, send, ping, close.

The base of :class:`~ws6455.aio.client_connection.ClientConnection` and
:class:`~ws6455.aio.server_connection.ServerConnection`.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Coroutine
from types import TracebackType
from typing import Any, Literal, Self, overload

from ..exceptions import ConnectionClosed, ConnectionClosedOK
from ..framing.fragments import decoded
from ..framing.frames import CloseCode, truncate_reason
from ..protocol.roles import AnyProtocol
from ..protocol.states import OPEN
from ..typing import Data, DataLike
from .sending import SendingConnection, wrong_loop
from .streams import StreamProtocol
from .transport import TransportIO
from .waiter import Waiter

__all__ = ["Connection"]


class Connection(SendingConnection):
    """A connection; make one with `connect`, `serve` or `accept`.

    Args:
        protocol: the connection without I/O.
        ping_interval, ping_timeout, close_timeout, max_queue: see
            :class:`~ws6455.session.connection.BaseConnection`.
        write_limit: bytes in the transport's buffer above which :meth:`send` waits; or that
            number and the one below which it continues.
    """

    # Slots: see docs/architecture.md.
    __slots__ = ("_closed_waiter", "_recv_waiter", "_timer", "_timer_at")

    runs_in = "coroutine"
    io_class = TransportIO  # a subclass may use another

    def __init__(
        self,
        protocol: AnyProtocol,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            protocol,
            self.io_class(protocol, loop, write_limit),
            # Not the loop's clock: it may stand still for a whole turn, or tick in milliseconds.
            time.monotonic,
            ping_interval,
            ping_timeout,
            close_timeout,
            max_queue,
        )
        self._recv_waiter = Waiter(loop)
        self._closed_waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # while there is a timer

    @property
    def transport(self) -> asyncio.Transport | None:
        """The asyncio transport; None before there is one.

        From the first access on, everything is written through it.
        """
        return self._io.hand_out()

    # Receiving --------------------------------------------------------------------------

    @overload
    def recv(self, decode: Literal[True]) -> Coroutine[Any, Any, str]: ...
    @overload
    def recv(self, decode: Literal[False]) -> Coroutine[Any, Any, bytes]: ...
    @overload
    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]: ...

    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]:
        """Receive the next message.

        Cancelling it loses nothing. Messages received before the connection closed can be
        received after it.

        Args:
            decode: True returns a string and False bytes for every message; None returns a
                string for a Text message and bytes for a Binary one.

        Raises:
            ConnectionClosed: when the connection is closed and every message is taken.
            ConcurrencyError: if another call is receiving.
            UnicodeDecodeError: if a Binary message is to be decoded and is not UTF-8.
        """
        return self._receive_message(decode, False)

    def __aiter__(self) -> Self:
        """Iterate over the messages received, until the connection is closed without an error."""
        return self

    async def _receive_message(self, decode: bool | None = None, iterating: bool = True) -> Data:
        """Receive the next message.

        Raises:
            StopAsyncIteration: if iterating, when the connection was closed without an error.
            ConnectionClosedError: when it was closed with an error.
        """
        if self._receiving:
            raise self._overlap("recv")
        messages = self._queue.messages
        if not messages:
            self._receiving = "recv"
            try:
                while not messages:
                    self._prepare_to_wait()
                    self._sends = 0  # waiting lets other tasks run
                    await self._recv_waiter.wait()
            except ConnectionClosedOK:
                if iterating:
                    raise StopAsyncIteration from None
                raise
            finally:
                self._receiving = ""
        # _take_message() without the call: 2% of an echo with 16 messages in a read.
        message = self._queue.take()
        self._message_in_hand = True
        if self._reading_paused:
            self._check_low_water_mark()
        return message if decode is None else decoded(message, decode)

    __anext__ = _receive_message  # itself, since it is called for every message

    async def recv_streaming(self, decode: bool | None = None) -> AsyncGenerator[Data, None]:
        """Receive the next message fragment by fragment, as the peer sent them.

        The iterator must be used to its end before anything else is received.

        Args:
            decode: see :meth:`recv`; a character that is split is in the later fragment.

        Raises:
            ConnectionClosed, ConcurrencyError, UnicodeDecodeError: see :meth:`recv`.
        """
        reader = self._begin_fragments(decode)
        try:
            while not reader.has_ended:
                while not self._has_fragment():
                    self._prepare_to_wait()
                    self._sends = 0  # waiting lets other tasks run
                    await self._recv_waiter.wait()
                yield self._take_fragment(reader)
        finally:
            self._end_fragments(reader)

    # Pings and pongs -----------------------------------------------------------------

    async def ping(self, data: DataLike | None = None) -> asyncio.Future[float]:
        """Send a ping.

        Args:
            data: its payload, at most 125 bytes; four random bytes by default.

        Returns:
            A future of the latency in seconds; awaiting it may raise ConnectionClosed.

        Raises:
            ConnectionClosed: if the connection is closed.
            ConcurrencyError: if a ping with the same payload waits for its pong.
            ProtocolError: if the payload is too long.
            TypeError: if it is neither a string nor bytes-like.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        if not self._can_send_control():
            await self._raise_closed()
        waiter: asyncio.Future[float] = self.loop.create_future()
        self._send_ping(data, waiter)
        await self._yield()
        return waiter

    async def pong(self, data: DataLike = b"") -> None:
        """Send a pong that answers no ping, as a one-way heartbeat (§5.5.3).

        Args:
            data: its payload, at most 125 bytes.

        Raises:
            ConnectionClosed: if the connection is closed.
            ProtocolError, TypeError, RuntimeError: see :meth:`ping`.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        if not self._can_send_control():
            await self._raise_closed()
        self._send_pong(data)
        await self._yield()

    # Closing ----------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "", *, truncate: bool = False) -> None:
        """Close the connection: the closing handshake, then TCP (§7.1.2).

        Takes at most twice `close_timeout`. Closing a closed connection does nothing.

        Args:
            code: the close code.
            reason: at most 123 bytes of UTF-8.
            truncate: True cuts a longer reason between characters and adds ``…``.

        Raises:
            ProtocolError: if the code must not travel, or the reason is too long.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        self._close(code, truncate_reason(reason) if truncate else reason)
        await self.wait_closed()

    def go_away(self) -> None:
        """Close with 1001 without waiting: the task or the event loop ends."""
        if self.protocol.state is OPEN:
            self._start_closing(CloseCode.GOING_AWAY, "")
        self._abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed, TCP included."""
        if self._io.lost:
            return
        if self._closed_waiter is None:
            self._closed_waiter = self.loop.create_future()
        await asyncio.shield(self._closed_waiter)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(1000 if exc_type is None else 1011)

    # Called by the stream ---------------------------------------------------------------

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Take the writer of a stream pair; from now on the reader calls :meth:`receive`.

        Args:
            writer: the writer.
            stream: the stream protocol that reads, if it can receive payloads in place.
        """
        self._io.attach(writer, stream)

    def receive(self, data: bytes | memoryview) -> None:
        """Receive bytes from the transport."""
        protocol = self.protocol
        protocol.receive_data(data)
        self._keepalive.heard = True
        if protocol.has_events:
            self._process_events()
        queue = self._queue
        if (
            (queue.messages or queue.fragments)
            and not self._recv_waiter.wake()
            and len(queue.messages) + len(queue.fragments) > 1
        ):
            self._check_high_water_mark()

    def receive_in_place(self, size: int) -> None:
        """Receive bytes that the transport has written to the protocol's receive buffer."""
        self.protocol.receive_in_place(size)
        self.receive(b"")

    def receive_eof(self) -> bool:
        """Receive the end of the stream; return True if there is still something to write."""
        self.protocol.receive_eof()
        if self.protocol.state is OPEN:
            self._process_events()
            return self._io.can_write_eof()
        self._expect_close()
        return self._io.flush_backlog_at_eof()

    def pause_writing(self) -> None:
        """Pause writing: the transport has no room."""
        self._io.writing_paused = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """Resume writing: the transport has room again."""
        if self._io.resume_writing():
            super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Process the end of the transport, with the error that ended it."""
        self._io.stream = None  # the stream receives nothing in place any more
        if exc is not None and not self.protocol.eof_received:
            for data in self._io.read_rest():
                self.receive(data)
        self._io.detach()
        self._lose_transport(exc)
        self._reschedule()
        if self._closed_waiter is not None and not self._closed_waiter.done():
            self._closed_waiter.set_result(None)

    # Called by the base -----------------------------------------------------------------

    def _process_events(self) -> None:
        super()._process_events()
        stream = self._io.stream
        if stream is not None:
            buffer = self.protocol.receive_buffer()
            if buffer is not None:
                stream.receive_into(buffer)

    def _settle(self) -> None:
        super()._settle()
        # In a later turn: a program may end with the task that receives, and leave one that
        # closes behind.
        self._recv_waiter.wake_soon()
        self._stop_fragments()

    def _abort(self) -> None:
        self._io.abort()

    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        if waiter.done():
            return  # cancelled
        if isinstance(outcome, float):
            waiter.set_result(outcome)
        else:
            waiter.set_exception(outcome)
            waiter.exception()  # an application need not wait for the pong

    def _reschedule(self) -> None:
        deadline = self._next_deadline()
        if self._timer is not None:
            if deadline is not None and deadline >= self._timer_at:
                return  # the timer fires early, and starts another
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer_at = deadline
            self._timer = self.loop.call_later(deadline - self._clock(), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._tick()
