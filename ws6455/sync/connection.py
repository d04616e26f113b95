"""One WebSocket connection for a program with threads: receive, send, ping, close.

Floor 5, threads. The base of :class:`~ws6455.sync.client.ClientConnection` and
:class:`~ws6455.sync.server_connection.ServerConnection`. Every method may be called from any
thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Self, overload

from ..errors import ConcurrencyError, ConnectionClosed, ConnectionClosedOK, InvalidState
from ..fragments import FragmentReader, FragmentWriter, as_bytes, as_text, check_fragments
from ..frames import CloseCode, Frame, Opcode
from ..opening import ClientProtocol, ServerProtocol
from ..protocol import State
from ..session import control_payload
from ..shared import SharedMessage
from ..typing import Data, DataLike
from .transport import SocketSession

__all__ = ["Connection"]

_BYTES_LIKE = (bytes, bytearray, memoryview)


class Connection(SocketSession):
    """A connection; make one with `connect` or `serve`.

    Args:
        sock: a connected socket.
        protocol: the connection without I/O.
        ping_interval, ping_timeout, close_timeout, max_queue: see
            :class:`~ws6455.session.Session`.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: ClientProtocol | ServerProtocol,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
    ) -> None:
        self._receiving = ""  # the name of the call that is receiving
        self._sending_fragments = False
        super().__init__(
            sock,
            protocol,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
        )
        if protocol.state is State.OPEN:
            self._start()

    def _start(self) -> None:
        """Begin the life of an open connection."""
        with self._lock:
            self._check_high_water_mark()
            self._start_keepalive()
            self._attended = False
            self._watcher.look_now(self)

    # Receiving --------------------------------------------------------------------------

    @overload
    def recv(self, timeout: float | None = None, *, decode: Literal[True]) -> str: ...
    @overload
    def recv(self, timeout: float | None, decode: Literal[True]) -> str: ...
    @overload
    def recv(self, timeout: float | None = None, *, decode: Literal[False]) -> bytes: ...
    @overload
    def recv(self, timeout: float | None, decode: Literal[False]) -> bytes: ...
    @overload
    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Data: ...

    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Data:
        """Receive a message; see :meth:`ws6455.aio.connection.Connection.recv`.

        TimeoutError, if there is none within `timeout` seconds, loses nothing. A timeout of 0 or
        less only looks; None waits for any time.
        """
        with self._lock:
            if self._receiving:
                raise self._overlap("recv")
            if not self._has_message():
                self._receiving = "recv"
                try:
                    self._wait_for(self._has_message, timeout)
                finally:
                    self._receiving = ""
            message = self._take_message()
        if decode is None:
            return message
        return as_text(message) if decode else as_bytes(message)

    def _overlap(self, caller: str) -> ConcurrencyError:
        return ConcurrencyError(
            f"cannot call {caller} while another thread is already running {self._receiving}"
        )

    def _wait_for(self, there: Callable[[], object], timeout: float | None) -> None:
        """Read until something is there; call with the lock, which is free while it waits.

        Raises:
            TimeoutError: if it takes longer than `timeout` seconds.
            ConnectionClosed: if the connection is closed without it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        protocol = self.protocol
        self._message_in_hand = False
        try:
            while True:
                if protocol.violation is not None:
                    self._fail_in_turn()
                if self._transport_lost:
                    raise protocol.close_exc
                if protocol.open_fragments >= self._many_fragments:
                    self._join_small_fragments()
                self._attended = True
                # What a message still needs may be more than the queue's bound.
                if self._reading_paused:
                    self._go_on_reading()
                left = None if deadline is None else deadline - time.monotonic()
                self._wait_readable(left)
                if there():
                    return
                if left is not None and left <= 0 and not self._transport_lost:
                    raise TimeoutError(f"timed out in {timeout:g} s")
        finally:
            self._leave_alone()

    def __iter__(self) -> Iterator[Data]:
        """Yield messages until the connection closes as it should."""
        try:
            while True:
                yield self.recv()
        except ConnectionClosedOK:
            return

    def recv_streaming(self, decode: bool | None = None) -> Iterator[Data]:
        """Receive a message in pieces, as :class:`ws6455.aio.connection.Connection` does."""
        with self._lock:
            if self._receiving:
                raise self._overlap("recv_streaming")
            self._receiving = "recv_streaming"
        reader = FragmentReader(decode)
        between_messages = True
        try:
            while True:
                with self._lock:
                    if not self._messages:
                        self._wait_for(lambda: self._messages, None)
                    fragment = self._take_fragment()
                between_messages = not isinstance(fragment, Frame) or fragment.fin
                if between_messages:
                    break
                yield reader.data(fragment)
        except ConnectionClosed:
            between_messages = True  # the rest of the message will not come
            raise
        finally:
            # Given up within a message, nothing else can be received: it would get the rest.
            if between_messages:
                self._receiving = ""
        # The last piece comes when nothing is held any more: the caller may leave it at that.
        yield reader.data(fragment)

    # Sending ----------------------------------------------------------------------------

    def send(
        self,
        message: DataLike | Iterable[DataLike],
        text: bool | None = None,
        *,
        compress: bool | None = None,
    ) -> None:
        """Send a message; see :meth:`ws6455.aio.sending.SendingSession.send`.

        It returns when the socket has taken all of it. While a fragmented message is being sent,
        another thread gets a ConcurrencyError.
        """
        if isinstance(message, str):
            opcode, data = Opcode.TEXT, message.encode()
        elif isinstance(message, _BYTES_LIKE):
            opcode, data = Opcode.BINARY, bytes(message)
        else:
            check_fragments(message, Iterable)
            self._send_fragments(message, text, compress)
            return
        if text is not None:
            opcode = Opcode.TEXT if text else Opcode.BINARY
        self._check_no_fragments()
        self._send_frame(opcode, data, compress=compress)

    def _check_no_fragments(self) -> None:
        """Check that no thread is sending a fragmented message.

        Raises:
            ConcurrencyError: if one is.
        """
        if self._sending_fragments:
            raise ConcurrencyError("cannot send while another thread sends a fragmented message")

    def _send_frame(
        self, opcode: Opcode, data: bytes, fin: bool = True, compress: bool | None = None
    ) -> None:
        """Send a data frame; wait until the socket has taken it.

        Raises:
            ConnectionClosed: if the connection is closed.
        """
        with self._lock:
            try:
                self.protocol.send_data(opcode, data, fin, compress)
            except InvalidState:
                sent = False
            else:
                self._flush()
                sent = self._wait_sent() if self._unsent else not self._sending_ended
        if not sent:
            self._raise_closed()

    def send_shared(self, message: SharedMessage) -> None:
        """Do :func:`~ws6455.sync.broadcast.broadcast`'s part for this connection, or raise."""
        with self._lock:
            self.protocol.send_shared(message)
            self._flush()

    def _raise_closed(self) -> None:
        """Wait for the end, so that the exception tells the whole of it, and raise it."""
        self.wait_closed()
        raise self.protocol.close_exc

    def _send_fragments(
        self, fragments: Iterable[DataLike], text: bool | None, compress: bool | None
    ) -> None:
        """Send a fragmented message (§5.4): each item, and an empty last fragment."""
        with self._lock:
            self._check_no_fragments()
            self._sending_fragments = True
        writer = FragmentWriter(text)
        try:
            for fragment in fragments:
                self._send_frame(*writer.frame(fragment), False, compress)
            if writer.begun:
                self._send_frame(Opcode.CONT, b"")
        except BaseException as exc:
            with self._lock:
                # Half a message is out, and nothing can take it back.
                if self.protocol.sending_fragments and self.protocol.state is State.OPEN:
                    self._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message", exc)
            raise
        finally:
            self._sending_fragments = False

    def ping(self, data: DataLike | None = None, *, ack_on_close: bool = False) -> threading.Event:
        """Send a ping; see :meth:`ws6455.aio.connection.Connection.ping`.

        Returns:
            An event that is set when the pong comes; `latency` then has the seconds it took. With
            `ack_on_close` the end of the connection sets it as well.
        """
        pong_received = threading.Event()
        with self._lock:
            if can_send := self._can_send_control():
                self._send_ping(data, (pong_received, ack_on_close))
                if not self._attended:
                    self._watcher.look_now(self)
        if not can_send:
            self._raise_closed()
        return pong_received

    def pong(self, data: DataLike = b"") -> None:
        """Send a pong unasked; see :meth:`ws6455.aio.connection.Connection.pong`."""
        payload = control_payload(data)
        with self._lock:
            if can_send := self._can_send_control():
                self.protocol.send_pong(payload)
                self._flush()
        if not can_send:
            self._raise_closed()

    def _can_send_control(self) -> bool:
        return not self._sending_ended and self.state in (State.OPEN, State.CLOSING)

    # Closing ----------------------------------------------------------------------------

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close and wait for the end; see :meth:`ws6455.aio.connection.Connection.close`."""
        self.start_closing(code, reason)
        self.wait_closed()

    def start_closing(self, code: int = 1000, reason: str = "") -> None:
        """Do as :meth:`close`, but do not wait."""
        with self._lock:
            if self.protocol.state is State.CONNECTING:
                self._abort()
            elif self.protocol.state is State.OPEN:
                if self.protocol.sending_fragments:
                    self._fail(CloseCode.INTERNAL_ERROR, "close during fragmented message")
                else:
                    self._start_closing(code, reason)
                # A thread that was reading may be this very one, in a signal's handler.
                self._attended = False
                self._watcher.look_now(self)

    def abort(self) -> None:
        """Close TCP at once."""
        with self._lock:
            self._abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        self.close(1000 if exc_type is None else 1011)
