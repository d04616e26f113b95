"""Protocol: one end of a connection without I/O.

RFC 6455 §4.1 (the four states), §5.5 (control frames), §7 (closing). No clock, no socket, no
event loop: feed it what the transport reads, write what it has to send.

- In: :meth:`Protocol.receive_data`, :meth:`Protocol.receive_eof`.
- Out: :meth:`Protocol.data_to_send`, where ``b""`` means "close the sending side".
- Received: :meth:`Protocol.events_received`.
- To send: ``send_text``, ``send_binary``, ``send_continuation``, ``send_ping``, ``send_pong``,
  ``send_close``, ``fail``.

These stand on four methods, which the front ends call themselves: :meth:`ReceiveQueue.take
<ws6455.protocol.receive_queue.ReceiveQueue.take>`, :meth:`Protocol.take_control_frames`,
:meth:`Protocol.take_writes` and :meth:`Protocol.fail_violation`.

A violation fails the connection *in order*: messages that arrived whole before it are delivered,
and the Close frame follows the replies to them. Nothing that follows the violation is delivered.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Sequence

from ..exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidState,
    ProtocolError,
    WebSocketException,
    without_traceback,
)
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import OK_CLOSE_CODES, Close, CloseCode, Frame, Opcode, frame_parts
from ..framing.shared_message import SharedMessage
from ..http1.head import Request, Response
from ..settings import setting
from ..typing import LoggerLike
from .receive_queue import ReceiveQueue
from .receiver import VIOLATIONS, Receiver, as_frame
from .sender import FIN, Sender
from .states import CLOSED, CLOSING, CONNECTING, OPEN, STEPS, Side, State

__all__ = ["MAX_FRAGMENTS", "MAX_SIZE", "SEND_EOF", "Event", "Protocol"]

MAX_SIZE = 1 << 20
MAX_FRAGMENTS = setting("MAX_FRAGMENTS", 4096)
SEND_EOF = b""

Event = Request | Response | Frame

# States in which the two sides exchange frames.
_FRAME_STATES = (OPEN, CLOSING)


class Protocol:
    """One end of a WebSocket connection, without I/O.

    Args:
        side: client or server.
        state: initial state; OPEN skips the opening handshake.
        max_size: bytes of a received message, after decompression; None for no limit; a pair
            limits the message and each of its fragments.
        max_fragments: fragments of a received message; None for no limit.
        logger: logs each frame at DEBUG.

    Attributes:
        queue: messages received and not taken.
        writes: bytes to write; change it by :meth:`take_writes` only.
        has_events: True if :meth:`take_control_frames` should be called: there are control
            frames, a violation, the end of a handshake or a large payload.
        pongs_due: payloads of pings not answered yet.
        eof_due: True if the sending side is to be closed, see :meth:`take_eof`.
        settled: True once `close_exc` is known: a Close frame was received, or the connection
            failed or was lost. TCP may still be open.
        violation: the peer's violation; it fails the connection when its turn comes.
        cause: reason why the connection failed or was lost, without a traceback; ``__cause__``
            of the exception that ends it.
    """

    # Slots: see docs/architecture.md. A subclass may have a __dict__.
    __slots__ = (
        "_eof_sent",
        "_masked",
        "_random",
        "_receiver",
        "_receives",
        "_sender",
        "_sends_plain",
        "_state",
        "cause",
        "close_rcvd",
        "close_rcvd_then_sent",
        "close_sent",
        "control_frames",
        "debug",
        "eof_due",
        "eof_received",
        "handshake_exc",
        "has_events",
        "logger",
        "pongs_due",
        "queue",
        "request",
        "response",
        "settled",
        "side",
        "subprotocol",
        "violation",
        "writes",
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
        self.side: Side = side
        self.logger: LoggerLike = logger or logging.getLogger(f"ws6455.{side.name.lower()}")
        self.debug: bool = self.logger.isEnabledFor(logging.DEBUG)
        self.request: Request | None = None
        self.response: Response | None = None
        self.handshake_exc: Exception | None = None
        self.subprotocol: str | None = None
        self.close_rcvd: Close | None = None
        self.close_sent: Close | None = None
        self.close_rcvd_then_sent: bool | None = None
        self.eof_received: bool = False
        self.queue: ReceiveQueue = ReceiveQueue()
        self.control_frames: Sequence[Frame] = ()
        self.writes: list[bytes] = []
        self.has_events: bool = False
        self.pongs_due: Sequence[bytes] = ()
        self.eof_due: bool = False
        self.violation: WebSocketException | None = None
        self.cause: BaseException | None = None
        self._masked = side is Side.CLIENT
        self._receiver = Receiver(
            self.queue,
            not self._masked,
            max_size,
            max_fragments,
            self.logger if self.debug else None,
        )
        self._sender = Sender(self._masked)
        self._eof_sent = False
        # Of the id: threads that asked for it first at the same time would make two.
        self._random = os.urandom(16)
        self._state = state
        self.settled: bool = state is CLOSED
        # True while bytes received are frames to read.
        self._receives = state in _FRAME_STATES
        # True while a whole message is one frame and nothing else: the fast path of sending.
        self._sends_plain = state is OPEN and not self.debug

    # State ------------------------------------------------------------------------------

    @property
    def id(self) -> uuid.UUID:
        """Random identifier for logs."""
        return uuid.UUID(bytes=self._random, version=4)

    @property
    def state(self) -> State:
        """State of the connection."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state not in STEPS[self._state]:
            raise InvalidState(f"a connection cannot go from {self._state.name} to {state.name}")
        if self.debug:
            self.logger.debug("= connection is %s", state.name)
        self._state = state
        if state is OPEN:
            self._receives = True
        elif state is CLOSED:
            self.settled = True
        self._choose_sending_path()

    def _choose_sending_path(self) -> None:
        """Decide whether a whole message takes the fast path; see :meth:`send_message`."""
        self._sends_plain = (
            self._state is OPEN
            and not self.debug
            and self._sender.deflate is None
            and not self._sender.sending_fragments
        )

    @property
    def deflate(self) -> PerMessageDeflate | None:
        """Compression in use, or None."""
        return self._sender.deflate

    @deflate.setter
    def deflate(self, deflate: PerMessageDeflate | None) -> None:
        self._receiver.reader.deflate = self._sender.deflate = deflate
        self._choose_sending_path()

    @property
    def extensions(self) -> Sequence[PerMessageDeflate]:
        """Extensions in use."""
        return [] if self.deflate is None else [self.deflate]

    @property
    def max_message_size(self) -> int | None:
        """Limit of a received message in bytes."""
        return self._receiver.reader.max_message_size

    @property
    def sending_fragments(self) -> bool:
        """True while a fragmented message to send is unfinished."""
        return self._sender.sending_fragments

    @property
    def close_code(self) -> int | None:
        """Close code received; 1006 if none was; None before CLOSED (§7.1.5)."""
        if self._state is not CLOSED:
            return None
        return CloseCode.ABNORMAL_CLOSURE if self.close_rcvd is None else self.close_rcvd.code

    @property
    def close_reason(self) -> str | None:
        """Close reason received; empty if none was; None before CLOSED (§7.1.6)."""
        if self._state is not CLOSED:
            return None
        return "" if self.close_rcvd is None else self.close_rcvd.reason

    @property
    def close_exc(self) -> ConnectionClosed:
        """Exception that describes how the connection closed.

        Raises:
            AssertionError: unless `settled`.
        """
        if not self.settled:
            raise AssertionError("connection isn't closed yet")
        ok = (
            self.close_rcvd is not None
            and self.close_sent is not None
            and self.close_rcvd.code in OK_CLOSE_CODES
            and self.close_sent.code in OK_CLOSE_CODES
        )
        kind = ConnectionClosedOK if ok else ConnectionClosedError
        exc = kind(self.close_rcvd, self.close_sent, self.close_rcvd_then_sent)
        exc.__cause__ = self.cause
        return exc

    def note_cause(self, exc: BaseException) -> None:
        """Keep the first error of the transport as the cause of the end."""
        if self.cause is None:
            self.cause = without_traceback(exc)

    # Receiving --------------------------------------------------------------------------

    def receive_data(self, data: bytes | memoryview) -> None:
        """Receive bytes from the transport, split anywhere.

        Args:
            data: the bytes; no reference to a view's memory is kept.

        Raises:
            EOFError: after :meth:`receive_eof`.
        """
        if self._receives:
            if self._receiver.receive_data(data):
                self._process_received()
        elif self.eof_received:
            raise EOFError("stream ended")
        elif self._state is CONNECTING:
            self._receive_opening(bytes(data))

    def receive_buffer(self) -> memoryview | None:
        """Return memory for the next read, or None; see :meth:`.Receiver.receive_buffer`."""
        if self._receives and self._receiver.wants_buffer:
            return self._receiver.receive_buffer()
        return None

    def receive_in_place(self, size: int) -> None:
        """Receive bytes that the transport has written to :meth:`receive_buffer`.

        Args:
            size: number of bytes.
        """
        if self._receives and self._receiver.receive_in_place(size):
            self._process_received()

    def _receive_opening(self, data: bytes) -> None:
        """Receive bytes of the opening handshake."""
        raise InvalidState("the opening handshake needs a ClientProtocol or a ServerProtocol")

    def _process_received(self) -> None:
        """Process control frames and the end of receiving (§5.5)."""
        self.has_events = True
        receiver = self._receiver
        frames = receiver.take_control_frames()
        if frames:
            pings = [frame.data for frame in frames if frame.opcode is Opcode.PING]
            self.pongs_due = [*self.pongs_due, *pings]
            self.control_frames = [*self.control_frames, *frames]
        if receiver.has_ended:
            self._receives = False
            if receiver.violation is not None:
                self.violation = self.cause = receiver.violation
            else:
                assert receiver.close is not None
                self._receive_close(receiver.close)

    def _receive_close(self, close: Close) -> None:
        """Answer the peer's Close frame with its own code, unless ours came first (§5.5.1)."""
        self.close_rcvd = close
        self.settled = True
        if self.close_sent is None:
            self.close_rcvd_then_sent = True
            self._write_close(close)
        else:
            self.close_rcvd_then_sent = False
        if self.side is Side.SERVER:
            self._end_sending()  # §7.1.1: the server closes TCP first

    def receive_eof(self) -> None:
        """Receive the end of the stream."""
        if self.eof_received:
            return
        self.eof_received = True
        self._receives = False
        if self.debug:
            self.logger.debug("< EOF")
        if self._state is CONNECTING:
            self._receive_opening_eof()
        if self._state is OPEN and self.violation is not None:
            return  # the peer may still read: replies and the Close frame go out first
        if self._state is not CLOSED:
            self.state = CLOSED
        self._end_sending()

    def _receive_opening_eof(self) -> None:
        """Receive the end of the stream within the opening handshake."""

    def drop_messages(self) -> None:
        """Drop the messages that arrive from now on, and the fragments of an unfinished one."""
        self.queue.drop_new()
        self._receiver.stop_fast_path()

    def take_control_frames(self) -> Sequence[Frame]:
        """Return, once, the control frames received; `has_events` is False until there is more.

        Pings are answered already, and Close frames echoed.
        """
        self.has_events = False
        frames, self.control_frames = self.control_frames, ()
        return frames

    def events_received(self) -> list[Event]:
        """Return, once, the frames received: data frames in order, then control frames.

        Pings are answered already, and Close frames echoed. Data is decompressed.
        """
        return [*map(as_frame, self.queue.take_all()), *self.take_control_frames()]

    def close_expected(self) -> bool:
        """Return True if the transport should close soon, so that a deadline is due (§7.1.1)."""
        if self._state is CONNECTING:
            return self.handshake_exc is not None
        return self._state is not OPEN or self.violation is not None

    # Sending messages -------------------------------------------------------------------

    def send_text(self, data: bytes, fin: bool = True) -> None:
        """Send a text message in UTF-8, or its first fragment; see :meth:`send_data`."""
        self.send_data(Opcode.TEXT, data, fin)

    def send_binary(self, data: bytes, fin: bool = True) -> None:
        """Send a binary message, or its first fragment; see :meth:`send_data`."""
        self.send_data(Opcode.BINARY, data, fin)

    def send_continuation(self, data: bytes, fin: bool) -> None:
        """Send the next fragment of a message; see :meth:`send_data`."""
        self.send_data(Opcode.CONT, data, fin)

    def send_message(self, opcode: Opcode, data: bytes, compress: bool | None = None) -> None:
        """Send a whole message; see :meth:`send_data`."""
        if self._sends_plain:
            self.writes += frame_parts(opcode | FIN, data, self._masked)
        else:
            self.send_data(opcode, data, True, compress)

    def send_data(
        self, opcode: Opcode, data: bytes, fin: bool = True, compress: bool | None = None
    ) -> None:
        """Send a data frame.

        Args:
            opcode: TEXT or BINARY for a message or its first fragment, CONT for the others.
            data: the payload; UTF-8 for TEXT.
            fin: True for the last frame of the message.
            compress: True to compress the message, if compression was negotiated; None to
                compress it unless it is shorter than the extension's threshold. The first
                frame decides for the message.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: if the frame is out of order in a fragmented message.
        """
        if self._state is not OPEN:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        parts = self._sender.data_frame(opcode, data, fin, compress)
        if self.debug:
            self.logger.debug("> %s", Frame(opcode, data, fin))
        self.writes += parts
        if not fin or opcode is Opcode.CONT:
            self._choose_sending_path()

    def send_shared(self, message: SharedMessage) -> None:
        """Send a whole message that other connections send as well; see :meth:`send_data`."""
        if self._sends_plain and not self._masked:
            self.writes.append(message.plain)
            return
        if self._masked or self._state is not OPEN or self.sending_fragments or self.debug:
            # A masking key serves one frame of one connection.
            self.send_data(message.opcode, message.data)
            return
        deflate = self._sender.deflate
        if deflate is None or len(message.data) < deflate.threshold:
            self.writes.append(message.plain)
        else:
            self.writes.append(message.compressed(deflate))

    # Sending control frames -------------------------------------------------------------

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
        if self._state not in _FRAME_STATES:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        self._write_frame(frame)

    def _write_frame(self, frame: Frame) -> None:
        self.writes.append(frame.serialize(mask=self._masked))
        if self.debug:
            self.logger.debug("> %s", frame)

    def send_close(self, code: int | None = None, reason: str = "") -> None:
        """Start the closing handshake (§7.1.2).

        Args:
            code: the close code; None sends an empty payload.
            reason: at most 123 bytes of UTF-8.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: if the code must not be sent, or the reason is too long or has no code.
        """
        if self._state is not OPEN:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        if code is None:
            if reason:
                raise ProtocolError("cannot send a reason without a code")
            self._write_close(Close(CloseCode.NO_STATUS_RCVD, ""))
        else:
            close = Close(code, reason)
            close.check()  # 1005 stands for the empty payload, which None asks for
            self._write_close(close)

    def _write_close(self, close: Close) -> None:
        payload = b"" if close.code == CloseCode.NO_STATUS_RCVD else close.serialize()
        self._write_frame(Frame(Opcode.CLOSE, payload))
        self.close_sent = close
        self.state = CLOSING

    # Failing ----------------------------------------------------------------------------

    def fail(self, code: int, reason: str = "", cause: BaseException | None = None) -> None:
        """*Fail the WebSocket Connection* (§7.1.7): send a Close frame and stop reading.

        Args:
            code: the close code; 1006 sends no Close frame.
            reason: cut to 123 bytes.
            cause: ``__cause__`` of the exception that ends the connection.
        """
        self._receives = False
        self.settled = self._state is not CONNECTING
        if cause is not None:
            self.cause = without_traceback(cause)
        if self._state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            # Cut between characters: a reason cut within one would not be UTF-8.
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

    # Writing ----------------------------------------------------------------------------

    def data_to_send(self) -> list[bytes]:
        """Return, once, what to write, in order; ``b""`` closes the sending side.

        Fails the connection for a violation once every message before it has been taken.
        """
        if self.violation is not None and not self.queue.messages and not self.queue.fragments:
            self.fail_violation()
        writes = self.take_writes()
        if self.take_eof():
            writes.append(SEND_EOF)
        return writes

    def take_writes(self) -> list[bytes]:
        """Return, once, the bytes to write, in order; :meth:`take_eof` tells what follows them.

        Pongs go out before frames that were queued before the ping arrived.
        """
        if self.pongs_due:
            self._write_pongs()
        writes = self.writes
        self.writes = []
        return writes

    def take_eof(self) -> bool:
        """Return True, once, if the sending side is to be closed after what was written."""
        if not self.eof_due:
            return False
        self.eof_due = False
        self._eof_sent = True
        if self.debug:
            self.logger.debug("> EOF")
        return True

    def clear_writes(self) -> None:
        """Drop what was to be written: the transport is lost."""
        self.writes.clear()

    def _end_sending(self) -> None:
        """Close the sending side after what is queued."""
        self.eof_due = not self._eof_sent

    def hold_pongs(self) -> bool:
        """Answer only the latest ping (§5.5.3), since the peer does not read the pongs.

        Returns:
            True if there is nothing to write besides this pong, so that it can wait.
        """
        self.pongs_due = self.pongs_due[-1:]
        return not self.writes and not self.eof_due

    def _write_pongs(self) -> None:
        """Answer the pings received, before queued frames, a Close frame included."""
        pongs, self.pongs_due = self.pongs_due, ()
        if self._state is CLOSED:
            return
        queued, self.writes = self.writes, []
        # Pongs do not overtake the response. No frame starts like it: that would be half a Close.
        if queued and queued[0].startswith(b"HTTP/"):
            self.writes.append(queued.pop(0))
        for data in pongs:
            self._write_frame(Frame(Opcode.PONG, data))
        self.writes += queued
