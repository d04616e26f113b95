"""One WebSocket connection for a program with threads: receive, send, ping, close.

The base of :class:`~ws6455.sync.client.ClientConnection` and
:class:`~ws6455.sync.server_connection.ServerConnection`. Every method may be called from any
thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Self, cast, overload

from ..exceptions import ConcurrencyError, ConnectionClosedOK, InvalidState
from ..framing.fragments import FragmentWriter, check_fragments, whole_message
from ..framing.frames import Close, Opcode
from ..protocol.client import ClientProtocol
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..typing import Data, DataLike
from .transport import SocketSession

__all__ = ["Connection"]


class Connection(SocketSession):
    """A connection; make one with `connect` or `serve`.

    Args:
        sock: a connected socket; the others are as in :class:`ws6455.aio.connection.Connection`.
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
        self._sending_fragments = False
        super().__init__(sock, protocol, ping_interval, ping_timeout, close_timeout, max_queue)
        if protocol.state is OPEN:
            self._start()

    def _start(self) -> None:
        """Begin the life of an open connection."""
        with self._lock:
            self._begin()
            self._attended = False
            self._ask_watcher()

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
            return self._take_message(decode)

    def _wait_for(self, there: Callable[[], object], timeout: float | None) -> None:
        """Read until something is there; call with the lock, which is free while it waits.

        Raises:
            TimeoutError: if it takes longer than `timeout` seconds.
            ConnectionClosed: if the connection is closed without it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                self._attended = True
                self._prepare_to_wait()
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
            reader = self._begin_fragments(decode)
        try:
            while not reader.has_ended:
                with self._lock:
                    if not self._messages:
                        self._wait_for(lambda: self._messages, None)
                    piece = self._next_piece(reader)
                yield piece
        finally:
            self._end_fragments(reader)

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
        frame = whole_message(message, text)
        if frame is None:
            check_fragments(message, Iterable)
            self._send_fragments(cast(Iterable[DataLike], message), text, compress)
            return
        with self._lock:
            self._check_no_fragments()
            sent = self._send_frame(*frame, True, compress)
        if not sent:
            self._raise_closed()

    def _check_no_fragments(self) -> None:
        """Check that no thread is sending a fragmented message.

        Raises:
            ConcurrencyError: if one is.
        """
        if self._sending_fragments:
            raise ConcurrencyError("cannot send while another thread sends a fragmented message")

    def _send_frame(self, opcode: Opcode, data: bytes, fin: bool, compress: bool | None) -> bool:
        """Send a data frame; call with the lock, which is free while the socket has no room.

        Returns:
            Whether the socket has taken it; False if the connection cannot send any more.
        """
        try:
            self.protocol.send_data(opcode, data, fin, compress)
        except InvalidState:
            return False
        self._flush()
        return self._wait_sent() if self._unsent else not self._sending_ended

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
                self._send_fragment(*writer.frame(fragment), False, compress)
            if writer.begun:
                self._send_fragment(Opcode.CONT, b"", True, compress)
        except BaseException as exc:
            with self._lock:
                self._fail_fragments(exc)
            raise
        finally:
            self._sending_fragments = False

    def _send_fragment(self, *frame: Any) -> None:
        with self._lock:
            sent = self._send_frame(*frame)
        if not sent:
            self._raise_closed()

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
                    self._ask_watcher()
        if not can_send:
            self._raise_closed()
        return pong_received

    def pong(self, data: DataLike = b"") -> None:
        """Send a pong unasked; see :meth:`ws6455.aio.connection.Connection.pong`."""
        with self._lock:
            if can_send := self._can_send_control():
                self._send_pong(data)
        if not can_send:
            self._raise_closed()

    # Closing ----------------------------------------------------------------------------

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close and wait for the end; see :meth:`ws6455.aio.connection.Connection.close`.

        A signal's handler may call it too; it waits as :meth:`wait_closed` does.
        """
        self.start_closing(code, reason)
        self.wait_closed()

    def start_closing(self, code: int = 1000, reason: str = "") -> None:
        """Do as :meth:`close`, but do not wait."""
        if self._is_within_step():
            Close(code, reason).serialize()  # raises
            self._close_asked = (code, reason)  # the watcher does it when the step is done
        else:
            with self._lock:
                self._close(code, reason)
                # A thread that was reading may be this very one, in a signal's handler.
                self._attended = False
        self._ask_watcher()

    def abort(self) -> None:
        """Close TCP at once."""
        with self._lock:
            self._abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        self.close(1000 if exc_type is None else 1011)
