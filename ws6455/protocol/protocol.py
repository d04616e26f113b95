"""The connection without I/O: its four states, control frames and the closing handshake.

RFC 6455 §5.5 (control frames), §7 (closing), §4.1 (the four states).

Feed it what the transport reads, send what it wants written:

- in: :meth:`Protocol.receive_data`, :meth:`Protocol.receive_eof`;
- out: :meth:`Protocol.data_to_send`, where ``b""`` means "close the sending side";
- for the application: :meth:`Protocol.events_received`;
- from the application: ``send_text``, ``send_binary``, ``send_continuation``, ``send_ping``,
  ``send_pong``, ``send_close``, ``fail``.

A violation fails the connection *in order*: what came whole before it is delivered, and the
Close frame goes out behind the replies, when :meth:`Protocol.data_to_send` is called with every
event taken. Nothing that follows the violation is delivered.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from ..exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidState,
    ProtocolError,
)
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import Close, CloseCode, Frame, Opcode
from ..http1.head import Request, Response
from ..settings import setting
from ..typing import LoggerLike
from .receiver import VIOLATIONS, as_frame
from .sender import Sender
from .states import CLOSED, CLOSING, CONNECTING, OPEN, Side, State

__all__ = ["MAX_FRAGMENTS", "MAX_SIZE", "SEND_EOF", "Event", "Protocol"]

MAX_SIZE = 1 << 20
MAX_FRAGMENTS = setting("MAX_FRAGMENTS", 4096)
SEND_EOF = b""

Event = Request | Response | Frame

# An illegal step is a missing entry.
_STEPS = {
    CONNECTING: (OPEN, CLOSED),
    OPEN: (CLOSING, CLOSED),
    CLOSING: (CLOSED,),
    CLOSED: (),
}

_OK_CODES = frozenset({CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD})


class Protocol(Sender):
    """One end of a WebSocket connection, without I/O.

    Args:
        side: which end.
        state: where to begin; OPEN skips the opening handshake.
        max_size: bytes of a received message, after decompression; None for no limit; a pair
            limits the message and each of its fragments.
        max_fragments: fragments of a received message; None for no limit.
        logger: where each frame is logged at DEBUG.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_eof_sent",
        "_id",
        "close_rcvd",
        "close_rcvd_then_sent",
        "close_sent",
        "control_frames",
        "eof_due",
        "eof_received",
        "handshake_exc",
        "pongs_due",
        "request",
        "response",
        "side",
        "subprotocol",
    )

    def __init__(
        self,
        side: Side,
        *,
        state: State = State.OPEN,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(
            side is Side.CLIENT,
            state,
            max_size,
            max_fragments,
            logger or logging.getLogger(f"ws6455.{side.name.lower()}"),
        )
        self.side = side
        self.request: Request | None = None
        self.response: Response | None = None
        self.handshake_exc: Exception | None = None
        self.subprotocol: str | None = None
        self.close_rcvd: Close | None = None
        self.close_sent: Close | None = None
        self.close_rcvd_then_sent: bool | None = None
        self.eof_received = False
        # What a shell takes besides `messages`.
        self.control_frames: list[Frame] = []
        self.pongs_due: list[bytes] = []
        self.eof_due = False  # whether `take_writes` will close the sending side
        self._eof_sent = False
        self._id: uuid.UUID | None = None
        self._between_messages = state is OPEN

    # State ------------------------------------------------------------------------------

    @property
    def id(self) -> uuid.UUID:
        """A random identity for logs; made when first asked for."""
        if self._id is None:
            self._id = uuid.uuid4()
        return self._id

    @property
    def state(self) -> State:
        """Where the connection is."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state not in _STEPS[self._state]:
            raise InvalidState(f"a connection cannot go from {self._state.name} to {state.name}")
        if self.debug:
            self.logger.debug("= connection is %s", state.name)
        self._state = state
        if state is OPEN:
            self._between_messages = True

    @property
    def deflate(self) -> PerMessageDeflate | None:
        """The compression in use, or None."""
        return self._reader.deflate

    @deflate.setter
    def deflate(self, deflate: PerMessageDeflate | None) -> None:
        self._reader.deflate = deflate

    @property
    def extensions(self) -> Sequence[PerMessageDeflate]:
        """The extensions in use."""
        return [] if self.deflate is None else [self.deflate]

    @property
    def max_message_size(self) -> int | None:
        """The limit of a received message in bytes."""
        return self._reader.max_message_size

    @property
    def close_code(self) -> int | None:
        """The close code received; 1006 when none was; None before the end (§7.1.5)."""
        if self._state is not CLOSED:
            return None
        return CloseCode.ABNORMAL_CLOSURE if self.close_rcvd is None else self.close_rcvd.code

    @property
    def close_reason(self) -> str | None:
        """The close reason received; empty when none was; None before the end (§7.1.6)."""
        if self._state is not CLOSED:
            return None
        return "" if self.close_rcvd is None else self.close_rcvd.reason

    @property
    def close_exc(self) -> ConnectionClosed:
        """The exception that tells how the connection closed.

        Raises:
            AssertionError: if it is not closed.
        """
        if self._state is not CLOSED:
            raise AssertionError("connection isn't closed yet")
        ok = (
            self.close_rcvd is not None
            and self.close_sent is not None
            and self.close_rcvd.code in _OK_CODES
            and self.close_sent.code in _OK_CODES
        )
        kind = ConnectionClosedOK if ok else ConnectionClosedError
        exc = kind(self.close_rcvd, self.close_sent, self.close_rcvd_then_sent)
        exc.__cause__ = self.cause
        return exc

    # Receiving --------------------------------------------------------------------------

    def _receive_rest(self, data: bytes | memoryview, position: int) -> None:
        if self.eof_received:
            raise EOFError("stream ended")
        if self._state is CONNECTING:
            self._receive_opening(bytes(data))
        elif not self._discarding:
            super()._receive_rest(data, position)

    def _receive_opening(self, data: bytes) -> None:
        """Take bytes of the opening handshake: the role's matter."""
        raise InvalidState("the opening handshake needs a ClientProtocol or a ServerProtocol")

    def _receive_control(self, frame: Frame) -> None:
        """Obey a control frame (§5.5)."""
        if frame.opcode is Opcode.PING:
            self.pongs_due.append(frame.data)  # §5.5.2
        elif frame.opcode is Opcode.CLOSE:
            self._receive_close(Close.parse(frame.data))
        self.control_frames.append(frame)
        self.attention = True
        if self.debug:
            self.logger.debug("< %s", frame)

    def _receive_close(self, close: Close) -> None:
        """Answer the peer's Close frame with its own code, unless ours came first (§5.5.1)."""
        self.close_rcvd = close
        self._discarding = True  # §5.5.1: nothing follows it
        if self.close_sent is None:
            self.close_rcvd_then_sent = True
            self._write_close(close)
        else:
            self.close_rcvd_then_sent = False
        if self.side is Side.SERVER:
            self._end_sending()  # §7.1.1: the server closes TCP first

    def receive_eof(self) -> None:
        """Note that the transport will give no more bytes."""
        if self.eof_received:
            return
        self.eof_received = True
        self._between_messages = False
        if self.debug:
            self.logger.debug("< EOF")
        if self._state is CONNECTING:
            self._handshake_broke_off()
        if self._state is OPEN and self.violation is not None:
            return  # the peer may still read: replies and the Close frame go out first
        if self._state is not CLOSED:
            self.state = CLOSED
        self._end_sending()

    def _handshake_broke_off(self) -> None:
        """Note what the end of the stream means within the opening handshake."""

    def events_received(self) -> list[Event]:
        """Return, once, what was received: data frames in order, then control frames.

        Pings are answered and Close frames echoed already. Data is decompressed.
        """
        events: list[Event] = [as_frame(message) for message in self.messages]
        events += self.control_frames
        self.messages.clear()
        self.open_fragments = 0
        self.control_frames.clear()
        return events

    def close_expected(self) -> bool:
        """Whether the transport should close soon, so that a deadline is due (§7.1.1)."""
        if self._state is CONNECTING:
            return self.handshake_exc is not None
        return self._state is not OPEN or self.violation is not None

    # Sending ----------------------------------------------------------------------------

    def send_ping(self, data: bytes) -> None:
        """Send a ping of at most 125 bytes (§5.5.2).

        Raises:
            InvalidState: unless OPEN or CLOSING.
            ProtocolError: if the payload is too long.
        """
        self._send_control(Frame(Opcode.PING, data))

    def send_pong(self, data: bytes) -> None:
        """Send a pong that answers no ping (§5.5.3); see :meth:`send_ping`."""
        self._send_control(Frame(Opcode.PONG, data))

    def _send_control(self, frame: Frame) -> None:
        if self._state not in (OPEN, CLOSING):
            raise InvalidState(f"connection is {self._state.name.lower()}")
        self.writes.append(frame.serialize(mask=self._masked_out))
        if self.debug:
            self.logger.debug("> %s", frame)

    def send_close(self, code: int | None = None, reason: str = "") -> None:
        """Start the closing handshake (§7.1.2).

        Args:
            code: the close code; None sends an empty payload.
            reason: at most 123 bytes of UTF-8.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: if the code must not travel, or the reason is too long or has no code.
        """
        if self._state is not OPEN:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        if code is None:
            if reason:
                raise ProtocolError("cannot send a reason without a code")
            self._write_close(Close(CloseCode.NO_STATUS_RCVD, ""))
        else:
            close = Close(code, reason)
            close.check()  # 1005 stands for the empty payload, which is asked for with None
            self._write_close(close)

    def _write_close(self, close: Close) -> None:
        payload = b"" if close.code == CloseCode.NO_STATUS_RCVD else close.serialize()
        frame = Frame(Opcode.CLOSE, payload)
        self.writes.append(frame.serialize(mask=self._masked_out))
        self.close_sent = close
        self.state = CLOSING
        if self.debug:
            self.logger.debug("> %s", frame)

    def fail(self, code: int, reason: str = "", cause: BaseException | None = None) -> None:
        """*Fail the WebSocket Connection* (§7.1.7): say why, and read no more.

        Args:
            code: the close code; 1006 sends no Close frame.
            reason: cut to 123 bytes.
            cause: what the exception that ends the connection is raised from.
        """
        self._discarding = True
        self._between_messages = False
        if cause is not None:
            self.cause = cause
        if self._state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            # Cut between characters, for a reason that is cut within one is no UTF-8.
            self._write_close(Close(code, reason.encode()[:123].decode(errors="ignore")))
        if self.eof_received and self._state is not CLOSED:
            self.state = CLOSED
        if self.side is Side.SERVER or self.eof_received:
            self._end_sending()

    def fail_violation(self) -> None:
        """Fail the connection for the violation received, now that its turn has come."""
        violation = self.violation
        if isinstance(violation, VIOLATIONS) and self._state in (OPEN, CLOSING):
            self.fail(violation.close_code, str(violation))

    def data_to_send(self) -> list[bytes]:
        """Return, once, what to write, in order; ``b""`` closes the sending side.

        Fails the connection for a violation when every event before it has been taken.
        """
        if self.violation is not None and not self.messages:
            self.fail_violation()
        return self.take_writes()

    def take_writes(self) -> list[bytes]:
        """Do as :meth:`data_to_send`, for whoever calls :meth:`fail_violation` in its own time.

        Pongs overtake what was queued before the ping came.
        """
        if self.pongs_due:
            self._write_pongs()
        writes = self.writes
        self.writes = []
        if self.eof_due:
            self.eof_due = False
            self._eof_sent = True
            writes.append(SEND_EOF)
            if self.debug:
                self.logger.debug("> EOF")
        return writes

    def _end_sending(self) -> None:
        """Have the sending side closed behind what is queued."""
        self.eof_due = not self._eof_sent

    def _write_pongs(self) -> None:
        """Answer the pings received: ahead of queued frames, a Close among them."""
        pongs = [Frame(Opcode.PONG, data) for data in self.pongs_due]
        self.pongs_due.clear()
        if self._state is CLOSED:
            return
        self.writes[:0] = [pong.serialize(mask=self._masked_out) for pong in pongs]
        if self.debug:
            for pong in pongs:
                self.logger.debug("> %s", pong)
