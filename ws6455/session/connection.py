"""What the connections of every front end are made of, but for the waiting.

RFC 6455 §5.4 (fragmentation), §5.5.3 (pongs), §7.1 (closing).

A session knows when things are due; here is what an application's calls, and the transport's,
come to in it. A front end waits, locks and moves the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from ..exceptions import ConcurrencyError, InvalidState, ProtocolError
from ..framing.fragments import FragmentReader
from ..framing.frames import CloseCode
from ..framing.shared_message import SharedMessage
from ..protocol.client import ClientProtocol
from ..protocol.server import ServerProtocol
from ..protocol.states import CLOSED, CLOSING, CONNECTING, OPEN
from ..typing import Data, DataLike
from .keepalive import Session, control_payload

__all__ = ["Endpoint", "Slow"]

# What a broadcast does with a connection that does not keep up.
Slow = Literal["buffer", "drop", "coalesce", "disconnect"]


class Endpoint(Session):
    """A connection without a transport to wait for.

    Args:
        protocol: the connection without I/O.
        clock: gives the time in seconds, as ``time.monotonic``.
        policy: see :class:`~ws6455.session.keepalive.Session`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_coalesced",
        "_local_address",
        "_receiving",
        "_remote_address",
        "_sending_ended",
        "_transport_lost",
        "_writing_paused",
    )

    #: What the application's calls run in.
    runs_in: ClassVar[str]

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        clock: Callable[[], float],
        *policy: Any,
    ) -> None:
        super().__init__(protocol, clock, *policy)
        self._local_address: Any = None
        self._remote_address: Any = None
        self._receiving = ""  # the name of the call that is receiving
        self._coalesced: SharedMessage | None = None  # waits for the peer to take what is before it
        self._writing_paused = False
        self._sending_ended = False
        self._transport_lost = False

    @property
    def local_address(self) -> Any:
        """This side's address, as the socket gives it; (host, port) for IPv4."""
        return self._local_address

    @property
    def remote_address(self) -> Any:
        """The peer's address, as the socket gives it; (host, port) for IPv4."""
        return self._remote_address

    def _begin(self) -> None:
        """Begin the life of an open connection."""
        self._check_high_water_mark()  # of what came with the handshake
        self._start_keepalive()

    # Receiving --------------------------------------------------------------------------

    def _overlap(self, caller: str) -> ConcurrencyError:
        """Make the error for a call that came while another one is receiving."""
        return ConcurrencyError(
            f"cannot call {caller} while another {self.runs_in} is already running "
            f"{self._receiving}"
        )

    def _prepare_to_wait(self) -> None:
        """Do what is due before the application waits to receive.

        Raises:
            ConnectionClosed: if nothing more will come, and the connection is closed.
        """
        protocol = self.protocol
        if protocol.writes:
            self._flush()
        self._message_in_hand = False
        if protocol.violation is not None:
            self._fail_in_turn()
        if self._transport_lost:
            raise protocol.close_exc
        if protocol.open_fragments >= self._many_fragments:
            self._join_small_fragments()
        # What a message still needs may be more than the queue's bound.
        if self._reading_paused:
            self._go_on_reading()

    def _begin_fragments(self, decode: bool | None) -> FragmentReader:
        """Keep others from receiving, until :meth:`_end_fragments`.

        Raises:
            ConcurrencyError: if another call is receiving.
        """
        if self._receiving:
            raise self._overlap("recv_streaming")
        self._receiving = "recv_streaming"
        return FragmentReader(decode)

    def _next_piece(self, reader: FragmentReader) -> Data:
        """Take the next fragment and return what it holds."""
        try:
            return reader.data(self._take_fragment())
        finally:
            if reader.has_ended:
                # Nothing is held when the caller gets the last one, and may leave it at that.
                self._receiving = ""

    def _end_fragments(self, reader: FragmentReader) -> None:
        """Let others receive, unless they would get the rest of a message that was given up."""
        rest_will_come = reader.has_begun and (self._messages or not self._transport_lost)
        if not reader.has_ended and not rest_will_come:
            self._receiving = ""

    # Sending ----------------------------------------------------------------------------

    def _send_pong(self, data: DataLike) -> None:
        """Send a pong unasked.

        Raises:
            ProtocolError: if the payload is too long.
            TypeError: if it is neither a string nor bytes-like.
        """
        self.protocol.send_pong(control_payload(data))
        self._flush()

    def _can_send_control(self) -> bool:
        return not self._sending_ended and self.protocol.state in (OPEN, CLOSING)

    def send_shared(self, message: SharedMessage, slow: Slow = "buffer") -> None:
        """Do a broadcast's part for this connection, without waiting.

        Args:
            message: what to send.
            slow: what to do if the peer does not keep up; see
                :func:`~ws6455.aio.broadcast.broadcast`.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: within a fragmented message.
        """
        if self._writing_paused and slow != "buffer":
            if slow == "coalesce":
                self._coalesced = message
                self._await_room()
            elif slow == "disconnect":
                self._fail(CloseCode.TRY_AGAIN_LATER, "too slow")
            return
        self.protocol.send_shared(message)
        self._flush()

    def _await_room(self) -> None:
        """Have :meth:`resume_writing` called when there is room, if it would not be by itself."""

    def pause_writing(self) -> None:
        """Note that the transport has no room."""
        self._writing_paused = True
        if self._sent_then is None:
            self._sent_then = self._sent_bytes()  # from here on, any more is progress

    def resume_writing(self) -> None:
        """Note that there is room again; send what a broadcast has kept for that."""
        self._writing_paused = False
        self._heard = True  # the peer takes what it is sent
        self._flush()
        message, self._coalesced = self._coalesced, None
        if message is not None:
            try:
                self.send_shared(message)
            except (InvalidState, ProtocolError) as exc:
                self.logger.debug("skipped broadcast: %s", exc)

    def _hold_pongs_back(self) -> bool:
        """Keep the latest pong alone, the only one needed (§5.5.3), until there is room.

        Returns:
            Whether nothing else is due.
        """
        protocol = self.protocol
        del protocol.pongs_due[:-1]
        return not protocol.writes and not protocol.eof_due

    def _fail_fragments(self, exc: BaseException) -> None:
        """Fail the connection if half a message is out: nothing can take it back.

        Args:
            exc: why the other half will not come.
        """
        if self.protocol.sending_fragments and self.protocol.state is OPEN:
            self._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message", exc)

    def _stop_sending(self) -> None:
        """Note that nothing can be sent any more; the peer has yet to end its side."""
        self._sending_ended = True
        self._expect_close()
        self._go_on_reading()  # the peer's end of file may stand behind what nobody takes

    # The end ----------------------------------------------------------------------------

    def _close(self, code: int, reason: str) -> None:
        """Begin to close (§7.1.2); a connection that is closing or closed goes on as it is.

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

    def _note_cause(self, exc: BaseException | None) -> None:
        """Remember the first error that befell the transport."""
        if exc is not None and self.protocol.cause is None:
            exc.__traceback__ = None  # its frames refer to this connection
            self.protocol.cause = exc

    def _lose_transport(self, exc: BaseException | None) -> None:
        """Take the end of the transport.

        Args:
            exc: the error that ended it.
        """
        protocol = self.protocol
        self._note_cause(exc)
        protocol.receive_eof()
        if protocol.state is not CLOSED:
            protocol.fail(CloseCode.ABNORMAL_CLOSURE)
        self._transport_lost = self._sending_ended = True
        self._coalesced = None
        protocol.writes.clear()
        self._closed()
