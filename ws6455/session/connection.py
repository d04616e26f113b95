"""Connection logic shared by `aio` and `sync`; no I/O.

RFC 6455 §5.4 (fragmentation), §5.5.3 (pongs), §7.1 (closing), §7.1.7 (failing). Calls of the
application and of the transport are expressed in terms of the protocol, and deadlines of a clock
that is passed in. A front end waits, locks and moves the bytes.
"""

from __future__ import annotations

import abc
import logging
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from ..exceptions import ConcurrencyError, ConnectionClosed, InvalidState, ProtocolError
from ..framing.fragments import FragmentReader, decoded
from ..framing.frames import CloseCode, Opcode
from ..framing.shared_message import SharedMessage
from ..http1.head import Request, Response
from ..protocol.roles import AnyProtocol
from ..protocol.states import CLOSED, CLOSING, CONNECTING, OPEN, State
from ..typing import BytesLike, Data, DataLike
from .io import ConnectionIO
from .keepalive import Keepalive, control_payload

__all__ = ["BaseConnection", "Slow"]

# Treatment of a connection that does not keep up with a broadcast.
Slow = Literal["buffer", "drop", "coalesce", "disconnect"]


class BaseConnection(abc.ABC):
    """A connection, except for the waiting.

    Args:
        protocol: the connection without I/O.
        io: its I/O.
        clock: returns the time in seconds, as ``time.monotonic``.
        ping_interval: seconds between keepalive pings; None for no pings.
        ping_timeout: seconds without a byte after a ping until the peer counts as dead; None
            for no limit.
        close_timeout: seconds for the closing handshake and TCP; None for no limit.
        max_queue: messages received and not yet taken, see
            :func:`~ws6455.protocol.receive_queue.water_marks`.
    """

    # Slots: see docs/architecture.md. A subclass may have a __dict__.
    __slots__ = (
        "_clock",
        "_close_by",
        "_coalesced",
        "_io",
        "_keepalive",
        "_message_in_hand",
        "_queue",
        "_reading_paused",
        "_receiving",
        "close_timeout",
        "protocol",
    )

    #: What the application's calls run in, for error texts.
    runs_in: ClassVar[str]

    def __init__(
        self,
        protocol: AnyProtocol,
        io: ConnectionIO,
        clock: Callable[[], float],
        ping_interval: float | None,
        ping_timeout: float | None,
        close_timeout: float | None,
        max_queue: int | tuple[int | None, int | None] | None,
    ) -> None:
        self.protocol: AnyProtocol = protocol
        self.close_timeout: float | None = close_timeout
        self._io: Any = io  # of the front end's own type
        self._clock = clock
        self._keepalive = Keepalive(clock, io, ping_interval, ping_timeout)
        self._queue = protocol.queue
        self._queue.set_limits(max_queue)
        self._reading_paused = False
        # True from the time the application takes a message until it waits for the next: the
        # reply goes out before a violation fails the connection.
        self._message_in_hand = False
        self._receiving = ""  # name of the call that is receiving
        self._coalesced: SharedMessage | None = None  # sent when there is room
        self._close_by: float | None = None

    # Provided by a front end ------------------------------------------------------------

    @abc.abstractmethod
    def _abort(self) -> None:
        """Close the transport at once."""

    @abc.abstractmethod
    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        """Give the waiter of a ping its latency in seconds, or the exception instead of it."""

    @abc.abstractmethod
    def _reschedule(self) -> None:
        """Have :meth:`_tick` called at :meth:`_next_deadline`, which has changed."""

    # Attributes -------------------------------------------------------------------------

    @property
    def id(self) -> uuid.UUID:
        """Random identifier for logs."""
        return self.protocol.id

    @property
    def logger(self) -> logging.LoggerAdapter[Any]:
        """Logger that adds the connection to its records as `websocket`."""
        return logging.LoggerAdapter(self.protocol.logger, {"websocket": self})

    @property
    def state(self) -> State:
        """State of the connection; CLOSED as soon as it is known how it closed.

        TCP may still be open then, for `close_timeout` at most.
        """
        return CLOSED if self.protocol.settled else self.protocol.state

    @property
    def request(self) -> Request | None:
        """Request of the opening handshake; None before it."""
        return self.protocol.request

    @property
    def response(self) -> Response | None:
        """Response of the opening handshake; None before it."""
        return self.protocol.response

    @property
    def subprotocol(self) -> str | None:
        """Subprotocol agreed on, or None."""
        return self.protocol.subprotocol

    @property
    def local_address(self) -> Any:
        """Address of this side, as the socket gives it; (host, port) for IPv4."""
        return self._io.local_address

    @property
    def remote_address(self) -> Any:
        """Address of the peer, as the socket gives it; (host, port) for IPv4."""
        return self._io.remote_address

    @property
    def ping_interval(self) -> float | None:
        """Seconds between keepalive pings; None for no pings."""
        return self._keepalive.interval

    @ping_interval.setter
    def ping_interval(self, seconds: float | None) -> None:
        self._keepalive.interval = seconds

    @property
    def ping_timeout(self) -> float | None:
        """Seconds without a byte, after a ping, until the peer counts as dead."""
        return self._keepalive.timeout

    @ping_timeout.setter
    def ping_timeout(self, seconds: float | None) -> None:
        self._keepalive.timeout = seconds

    @property
    def latency(self) -> float:
        """Seconds between the latest answered ping and its pong; 0 before the first."""
        return self._keepalive.latency

    @property
    def close_code(self) -> int | None:
        """Close code received, 1006 if none was; None while the connection is open (§7.1.5)."""
        return self.protocol.close_exc.code if self.protocol.settled else None

    @property
    def close_reason(self) -> str | None:
        """Close reason received, empty if none was; None while it is open (§7.1.6)."""
        return self.protocol.close_exc.reason if self.protocol.settled else None

    @property
    def close_exc(self) -> ConnectionClosed:
        """Exception that describes how the connection closed.

        Raises:
            AssertionError: if no Close frame was received, and it has not failed or been lost.
        """
        return self.protocol.close_exc

    @property
    def buffered_amount(self) -> int:
        """Bytes to send that the network has not taken yet."""
        unsent: int = self._io.unsent_bytes()
        return unsent + sum(map(len, self.protocol.writes))

    def _log_info(self, message: str) -> None:
        """Log at INFO; checking the level costs less than the adapter."""
        if self.protocol.logger.isEnabledFor(logging.INFO):
            self.logger.info(message)

    def _start(self) -> None:
        """Start keepalive and flow control, now that the connection is open."""
        if self._queue.messages or self._queue.fragments:  # they arrived with the handshake
            self._check_high_water_mark()
        self._keepalive.start()
        self._reschedule()

    # Receiving --------------------------------------------------------------------------

    def _overlap(self, caller: str) -> ConcurrencyError:
        """Make the error for a call that overlaps one that is receiving."""
        return ConcurrencyError(
            f"cannot call {caller} while another {self.runs_in} is already running "
            f"{self._receiving}"
        )

    def _prepare_to_wait(self) -> None:
        """Prepare to wait for a message: send replies, fail for a violation, read again.

        Raises:
            ConnectionClosed: if the connection is closed and no message is left.
        """
        protocol = self.protocol
        if protocol.writes:
            self._io.flush()
        self._message_in_hand = False
        if protocol.violation is not None and not self._queue.messages:
            protocol.fail_violation()
            self._io.flush()
        if protocol.settled:
            raise protocol.close_exc
        if self._queue.fragments:
            self._queue.join_fragments()
        # The rest of a message may be more than the queue's bound.
        if self._reading_paused:
            self._resume_reading()

    def _take_message(self, decode: bool | None) -> Data:
        """Take the next message, which must be there.

        Args:
            decode: True returns a string, False bytes, None the type that was sent.

        Raises:
            UnicodeDecodeError: if it is to be decoded and is not UTF-8.
        """
        message = self._queue.take()
        self._message_in_hand = True
        if self._reading_paused:
            self._check_low_water_mark()
        return message if decode is None else decoded(message, decode)

    def _begin_fragments(self, decode: bool | None) -> FragmentReader:
        """Start to receive a message in fragments; other calls may not receive meanwhile.

        Raises:
            ConcurrencyError: if another call is receiving.
        """
        if self._receiving:
            raise self._overlap("recv_streaming")
        self._receiving = "recv_streaming"
        return FragmentReader(decode)

    def _has_fragment(self) -> bool:
        """Return True if :meth:`_take_fragment` can be called."""
        return bool(self._queue.messages or self._queue.fragments)

    def _take_fragment(self, reader: FragmentReader) -> Data:
        """Take the next fragment, which must be there, and return its data."""
        fragment = self._queue.take_fragment()
        self._message_in_hand = True
        if self._reading_paused:
            self._check_low_water_mark()
        try:
            return reader.data(fragment)
        finally:
            if reader.has_ended:
                # Before the caller gets the last fragment: it may stop iterating there.
                self._receiving = ""

    def _end_fragments(self, reader: FragmentReader) -> None:
        """Let other calls receive, unless they would get the rest of an abandoned message."""
        rest_will_come = reader.has_begun and (self._has_fragment() or not self.protocol.settled)
        if not reader.has_ended and not rest_will_come:
            self._receiving = ""

    def _check_high_water_mark(self) -> None:
        """Pause reading if the queue is full."""
        if self._reading_paused or not self._queue.is_full():
            return
        if self.protocol.state is OPEN:
            self._reading_paused = True
            self._io.pause_reading()
        else:
            # This side is closing: the peer's Close frame follows the data that it had sent
            # before. Reading goes on, and the queue does not grow.
            self.protocol.drop_messages()

    def _check_low_water_mark(self) -> None:
        """Resume reading if the application has caught up."""
        if self._queue.is_low():
            self._resume_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._io.resume_reading()

    def _process_events(self) -> None:
        """Process what was received besides messages, and write the replies."""
        protocol = self.protocol
        for frame in protocol.take_control_frames():
            if frame.opcode is Opcode.PONG:
                for waiter, latency in self._keepalive.receive_pong(frame.data):
                    self._settle_ping(waiter, latency)
        if (
            protocol.violation is not None
            and not self._message_in_hand
            and not self._has_fragment()
        ):
            protocol.fail_violation()
        self._io.flush()
        if protocol.close_expected():
            self._expect_close()

    # Sending ----------------------------------------------------------------------------

    def _send_ping(self, data: str | BytesLike | None, waiter: Any) -> None:
        """Send a ping and note it.

        Args:
            data: the payload, or None for a random one.
            waiter: settled by the pong, see :meth:`_settle_ping`; None for none.

        Raises:
            ConcurrencyError: if a ping with this payload waits for its pong.
            TypeError: if the payload is neither a string nor bytes-like.
            InvalidState, ProtocolError: see :meth:`ws6455.protocol.protocol.Protocol.send_ping`.
        """
        payload = self._keepalive.choose_payload(data)
        self.protocol.send_ping(payload)
        self._keepalive.add_ping(payload, waiter)
        self._io.flush()

    def _send_pong(self, data: DataLike) -> None:
        """Send a pong that answers no ping.

        Raises:
            ProtocolError: if the payload is too long.
            TypeError: if it is neither a string nor bytes-like.
        """
        self.protocol.send_pong(control_payload(data))
        self._io.flush()

    def _can_send_control(self) -> bool:
        protocol = self.protocol
        sends = protocol.state in (OPEN, CLOSING) and not protocol.settled
        return sends and not self._io.sending_ended

    def send_shared(self, message: SharedMessage, slow: Slow = "buffer") -> None:
        """Send a message of a broadcast, without waiting.

        Args:
            message: the message.
            slow: treatment of a peer that does not keep up; see
                :func:`~ws6455.aio.broadcast.broadcast`.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: within a fragmented message.
        """
        io = self._io
        if io.writing_paused and slow != "buffer":
            if slow == "coalesce":
                self._coalesced = message
                self._await_room()
            elif slow == "disconnect":
                self._fail(CloseCode.TRY_AGAIN_LATER, "too slow")
            return
        self.protocol.send_shared(message)
        io.flush()

    def _await_room(self) -> None:  # noqa: B027 - only `accept` has to do something
        """Have :meth:`resume_writing` called when there is room, if nothing else would."""

    def pause_writing(self) -> None:
        """Pause writing: the transport has no room."""
        self._keepalive.note_backlog()

    def resume_writing(self) -> None:
        """Send what waited for room: the transport has some again."""
        self._keepalive.heard = True  # the peer takes what it is sent
        self._io.flush()
        message, self._coalesced = self._coalesced, None
        if message is not None:
            try:
                self.send_shared(message)
            except (InvalidState, ProtocolError) as exc:
                self.logger.debug("skipped broadcast: %s", exc)

    def _fail_fragments(self, exc: BaseException) -> None:
        """Fail the connection if a fragmented message was started: it cannot be taken back.

        Args:
            exc: why the rest will not be sent.
        """
        if self.protocol.sending_fragments and self.protocol.state is OPEN:
            self._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message", exc)

    # Closing ----------------------------------------------------------------------------

    def _close(self, code: int, reason: str) -> None:
        """Start to close (§7.1.2), unless the connection is closing or closed.

        Raises:
            ProtocolError: see :meth:`ws6455.protocol.protocol.Protocol.send_close`.
        """
        state = self.protocol.state
        if state is CONNECTING:
            self._abort()
        elif state is OPEN:
            if self.protocol.sending_fragments:
                self._fail(CloseCode.INTERNAL_ERROR, "close during fragmented message")
            else:
                self._start_closing(code, reason)

    def _start_closing(self, code: int, reason: str) -> None:
        """Send a Close frame; if a violation waits for its turn, fail for it instead.

        Raises:
            ProtocolError: see :meth:`ws6455.protocol.protocol.Protocol.send_close`.
        """
        protocol = self.protocol
        if protocol.violation is not None:
            protocol.fail_violation()
        elif protocol.state is OPEN:
            protocol.send_close(code, reason)
        self._io.flush()
        self._expect_close()

    def _fail(self, code: int, reason: str, cause: BaseException | None = None) -> None:
        """*Fail the WebSocket Connection* now (§7.1.7)."""
        self.protocol.fail(code, reason, cause)
        self._io.flush()
        self._expect_close()

    def _expect_close(self) -> None:
        """Give the closing handshake, and TCP, `close_timeout` from now.

        Calls that wait for the peer end as soon as the outcome is settled: TCP may take longer.
        """
        if self.protocol.settled:
            self._settle()
        if self._close_by is None and self.close_timeout is not None:
            self._close_by = self._clock() + self.close_timeout
            self._reschedule()
        # The peer's Close frame, or end of file, may follow messages that nobody takes.
        self._resume_reading()

    # The clock --------------------------------------------------------------------------

    def _next_deadline(self) -> float | None:
        """Return the time when :meth:`_tick` is due, or None."""
        if self._close_by is not None:
            return self._close_by
        if self.protocol.state is not OPEN:
            return None
        return self._keepalive.next_deadline()

    def _tick(self) -> None:
        """Do what is due."""
        now = self._clock()
        if self._close_by is not None:
            if now >= self._close_by:
                self._close_by = None
                self._stop_waiting()
        elif self.protocol.state is OPEN:
            cause = self._keepalive.find_timeout(now, self._reading_paused)
            if cause is not None:
                self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout", cause)
            elif self._keepalive.is_ping_due(now):
                self._send_ping(None, None)
        self._reschedule()

    def _stop_waiting(self) -> None:
        """Stop waiting for the peer to close: `close_timeout` is over."""
        if self.protocol.state is OPEN and self.protocol.violation is not None:
            # The application has not taken the messages before the violation.
            self.protocol.fail_violation()
            self._io.flush()
            self._expect_close()
        else:
            self._abort()

    # The end ----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Settle the pings that wait: their pongs will not come."""
        for waiter in self._keepalive.stop():
            self._settle_ping(waiter, self.protocol.close_exc)

    def _lose_transport(self, exc: BaseException | None) -> None:
        """Process the end of the transport.

        Args:
            exc: the error that ended it, or None.
        """
        protocol = self.protocol
        if exc is not None:
            protocol.note_cause(exc)
        protocol.receive_eof()
        if protocol.state is not CLOSED:
            protocol.fail(CloseCode.ABNORMAL_CLOSURE)
        protocol.clear_writes()
        self._coalesced = None
        self._close_by = None
        self._settle()
