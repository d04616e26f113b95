"""What an open connection does by the clock, the same for every front end.

RFC 6455 §5.5.2 (pings), §7.1 (closing), §7.1.7 (failing).

A front end derives its connection class from :class:`Session` and gives it five things: how to
write what the protocol has to send, to abort the transport, to stop and go on reading, to settle
the waiter of a ping, and to call when a deadline is due. Policy is here: the map of pings,
keepalive, the close deadline, and when a violation fails the connection.
"""

from __future__ import annotations

import abc
import logging
import os
import uuid
from collections.abc import Callable
from typing import Any

from ..exceptions import ConcurrencyError, ConnectionClosed
from ..framing.frames import CloseCode, Opcode
from ..http1.head import Request, Response
from ..protocol.client import ClientProtocol
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN, State
from ..typing import BytesLike
from .receive_queue import ReceiveQueue

__all__ = ["Session"]


class Session(ReceiveQueue):
    """The part of a connection that its front ends share.

    Args:
        protocol: the connection without I/O.
        clock: gives the time in seconds, as ``time.monotonic``.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds without a byte after a ping until the peer counts as dead; None
            for never.
        close_timeout: seconds for the closing handshake and TCP; None for any.
        max_queue: messages received and not yet taken, see
            :func:`~ws6455.session.receive_queue.water_marks`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_clock",
        "_close_by",
        "_heard",
        "_keepalive_payload",
        "_ping_at",
        "_pings",
        "_sent_then",
        "_silent_since",
        "_written",
        "close_timeout",
        "latency",
        "ping_interval",
        "ping_timeout",
    )

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        clock: Callable[[], float],
        ping_interval: float | None,
        ping_timeout: float | None,
        close_timeout: float | None,
        max_queue: int | tuple[int | None, int | None] | None,
    ) -> None:
        super().__init__(protocol, max_queue)
        self.ping_interval = ping_interval
        self.ping_timeout = ping_timeout
        self.close_timeout = close_timeout
        #: Seconds from the latest answered ping to its pong; 0 before the first.
        self.latency: float = 0.0
        self._clock = clock
        # Pings without their pong, oldest first: when sent, and who waits.
        self._pings: dict[bytes, tuple[float, Any]] = {}
        self._keepalive_payload: bytes | None = None
        self._ping_at: float | None = None
        # Set by every read, so that reading costs no look at the clock.
        self._heard = True
        self._silent_since: float | None = None
        # Bytes given to the transport so far; and how many of them it had sent at the ping, or at
        # the time since when there has been a backlog. None: there was none.
        self._written = 0
        self._sent_then: int | None = None
        self._close_by: float | None = None

    # What a front end gives -------------------------------------------------------------

    @abc.abstractmethod
    def _flush(self) -> None:
        """Write what the protocol has to send."""

    @abc.abstractmethod
    def _abort(self) -> None:
        """Close the transport at once."""

    @abc.abstractmethod
    def _unsent_bytes(self) -> int:
        """Return how much the transport has taken and not yet sent."""

    @abc.abstractmethod
    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        """Tell who waits for a pong the latency, or why it will not come."""

    @abc.abstractmethod
    def _deadline_changed(self) -> None:
        """Call :meth:`_tick` at :meth:`_next_deadline`, which is another now."""

    # What a connection shows ------------------------------------------------------------

    @property
    def id(self) -> uuid.UUID:
        """A random identity for logs."""
        return self.protocol.id

    @property
    def logger(self) -> logging.LoggerAdapter[Any]:
        """The connection's logger; its records have the connection as `websocket`."""
        return logging.LoggerAdapter(self.protocol.logger, {"websocket": self})

    @property
    def state(self) -> State:
        """The state of the connection."""
        return self.protocol.state

    @property
    def request(self) -> Request | None:
        """The request of the opening handshake; None before it."""
        return self.protocol.request

    @property
    def response(self) -> Response | None:
        """The response of the opening handshake; None before it."""
        return self.protocol.response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol agreed on, or None."""
        return self.protocol.subprotocol

    @property
    def close_code(self) -> int | None:
        """The close code received; 1006 when none was; None before the end (§7.1.5)."""
        return self.protocol.close_code

    @property
    def close_exc(self) -> ConnectionClosed:
        """The exception that tells how the connection closed.

        Raises:
            AssertionError: if it is not closed.
        """
        return self.protocol.close_exc

    @property
    def buffered_amount(self) -> int:
        """How many bytes of what was sent the network has not taken yet."""
        return self._unsent_bytes() + sum(map(len, self.protocol.writes))

    @property
    def close_reason(self) -> str | None:
        """The close reason received; empty when none was; None before the end (§7.1.6)."""
        return self.protocol.close_reason

    def _log_info(self, message: str) -> None:
        """Log, if anybody wants to know: to ask costs less than the adapter."""
        if self.protocol.logger.isEnabledFor(logging.INFO):
            self.logger.info(message)

    # Receiving --------------------------------------------------------------------------

    def _attend(self) -> None:
        """Do what the bytes received call for, besides delivering messages."""
        protocol = self.protocol
        protocol.attention = False
        for frame in protocol.control_frames:
            if frame.opcode is Opcode.PONG:
                self._receive_pong(frame.data)
        protocol.control_frames.clear()
        if protocol.violation is not None and not self._messages and not self._message_in_hand:
            protocol.fail_violation()
        self._flush()
        if protocol.close_expected():
            self._expect_close()

    def _receive_pong(self, data: bytes) -> None:
        """Settle the ping and every earlier one (§5.5.3); an unsolicited pong is ignored."""
        if data not in self._pings:
            return
        now = self._clock()
        for payload in list(self._pings):
            sent_at, waiter = self._pings.pop(payload)
            latency = now - sent_at
            if waiter is not None:
                self._settle_ping(waiter, latency)
            if payload == data:
                self.latency = latency
                return

    def _fail_in_turn(self) -> None:
        """Fail the connection for a violation, if the application has taken all before it."""
        if not self._has_message():
            self.protocol.fail_violation()
            self._flush()

    # Sending ----------------------------------------------------------------------------

    def _send_ping(self, data: str | BytesLike | None, waiter: Any) -> None:
        """Send a ping and remember it.

        Raises:
            ConcurrencyError: if a ping with this payload waits for its pong.
            TypeError: if the payload is neither a string nor bytes-like.
            InvalidState, ProtocolError: see :meth:`ws6455.protocol.protocol.Protocol.send_ping`.
        """
        payload = os.urandom(4) if data is None else control_payload(data)
        while data is None and payload in self._pings:
            payload = os.urandom(4)
        if payload in self._pings:
            raise ConcurrencyError("a ping with this payload already waits for its pong")
        self.protocol.send_ping(payload)
        if waiter is None:
            # Keepalive needs the latest of its own alone; a peer that never answers but sends
            # data must not make the map grow.
            if self._keepalive_payload is not None:
                self._pings.pop(self._keepalive_payload, None)
            self._keepalive_payload = payload
        self._pings[payload] = (self._clock(), waiter)
        self._flush()

    def _start_closing(self, code: int, reason: str) -> None:
        """Send a Close frame, or let a pending violation fail the connection instead.

        Raises:
            ProtocolError: see :meth:`ws6455.protocol.protocol.Protocol.send_close`.
        """
        protocol = self.protocol
        if protocol.violation is not None:
            protocol.fail_violation()
        elif protocol.state is OPEN:
            protocol.send_close(code, reason)
        self._flush()
        self._expect_close()
        self._go_on_reading()  # the peer's Close may stand behind messages nobody takes

    def _fail(self, code: int, reason: str, cause: BaseException | None = None) -> None:
        """*Fail the WebSocket Connection* now (§7.1.7)."""
        self.protocol.fail(code, reason, cause)
        self._flush()
        self._expect_close()
        self._go_on_reading()

    # The clock --------------------------------------------------------------------------

    def _start_keepalive(self) -> None:
        """Start the pings of an open connection."""
        if self.ping_interval is not None:
            self._ping_at = self._clock() + self.ping_interval
            self._deadline_changed()

    def _expect_close(self) -> None:
        """Give the closing handshake, and TCP, `close_timeout` from now."""
        if self._close_by is None and self.close_timeout is not None:
            self._close_by = self._clock() + self.close_timeout
            self._deadline_changed()

    def _next_deadline(self) -> float | None:
        """Return when :meth:`_tick` is due."""
        if self._close_by is not None:
            return self._close_by
        if self.protocol.state is not OPEN:
            return None
        if self._silent_since is not None and self.ping_timeout is not None:
            pong_by = self._silent_since + self.ping_timeout
            return pong_by if self._ping_at is None else min(pong_by, self._ping_at)
        return self._ping_at

    def _tick(self) -> None:
        """Do what is due by the clock."""
        now = self._clock()
        if self._close_by is not None:
            if now >= self._close_by:
                self._give_up_waiting()
        elif self.protocol.state is OPEN:
            self._keep_alive(now)
        self._deadline_changed()

    def _give_up_waiting(self) -> None:
        """The close deadline is over."""
        self._close_by = None
        if self.protocol.state is OPEN and self.protocol.violation is not None:
            # The application has not taken what came before the violation.
            self.protocol.fail_violation()
            self._flush()
            self._expect_close()
            self._go_on_reading()
        else:
            self._abort()

    def _keep_alive(self, now: float) -> None:
        """Send a ping when it is due; end the connection when the peer is dead.

        Life is any byte received, and any progress with a backlog of what is sent. While the
        application has paused reading, silence proves nothing; a backlog that stands still does.
        """
        if self._silent_since is not None:
            unsent = self._unsent_bytes()
            taking = self._sent_then is not None and self._sent_bytes() > self._sent_then
            if self._heard or taking or (self._reading_paused and not unsent):
                self._silent_since = None
            elif self.ping_timeout is not None and now >= self._silent_since + self.ping_timeout:
                silence = now - self._silent_since
                behind = f"; {unsent} bytes that the peer has not taken wait" if unsent else ""
                late = silence - self.ping_timeout
                lag = f"; the timer was {late:.1f} s late" if late > 1 else ""
                cause = TimeoutError(
                    f"no byte received in the {silence:.1f} s since a ping "
                    f"(ping_timeout={self.ping_timeout:g} s){behind}{lag}"
                )
                self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout", cause)
                return
        if self._ping_at is not None and now >= self._ping_at:
            assert self.ping_interval is not None
            self._ping_at = now + self.ping_interval
            if self._silent_since is None:
                self._silent_since = now
                self._heard = False
                self._sent_then = self._sent_bytes() if self._unsent_bytes() else None
            self._send_ping(None, None)

    def _sent_bytes(self) -> int:
        """Return how much the transport has sent of what it was given."""
        return self._written - self._unsent_bytes()

    # The end ----------------------------------------------------------------------------

    def _closed(self) -> None:
        """Settle everything that waits for what will not come: the transport is closed."""
        self._close_by = self._ping_at = self._silent_since = None
        for _, waiter in self._pings.values():
            if waiter is not None:
                self._settle_ping(waiter, self.protocol.close_exc)
        self._pings.clear()


def control_payload(data: str | BytesLike) -> bytes:
    """Return the payload of a ping or pong.

    Raises:
        TypeError: if it is neither a string nor bytes-like.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesLike):
        return bytes(data)
    raise TypeError(f"data must be str or bytes-like, not {type(data).__name__}")
