"""Connection of an ASGI application.

An ASGI server ends a connection in the background: the application learns of the end, and goes
on, before the client has answered.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..aio.sending import SENDS_WITHOUT_YIELDING
from ..aio.server_connection import ServerConnection
from ..aio.streams import StreamProtocol
from ..exceptions import ConnectionClosedError
from ..framing.frames import Close, CloseCode
from ..http1.head import Response
from ..protocol.receiver import VIOLATIONS
from ..protocol.states import OPEN

__all__ = ["ASGIConnection"]

# Seconds that the client has to answer the Close frame of a shutdown, and those for the end of TLS
# to be written after it. Together they are less than the 0.1 s that uvicorn waits in any case, so
# that no client delays the shutdown.
SHUTDOWN_LINGER = 0.08
TLS_LINGER = 0.01
# Writes to a TLS transport in one turn of the loop. If the client has gone, the transport does not
# show it before the next turn, and asyncio logs a warning for the fifth write and all others.
TLS_SENDS_WITHOUT_YIELDING = 4


class ASGIConnection(ServerConnection):
    """A connection on a transport that has served HTTP before."""

    _uses_tls = False
    # Interval in seconds at which a client that takes what it was sent gets more time.
    _linger: float | None = None
    # Bytes that the client had taken at the latest check, and the end of its time to take more.
    _taken = 0
    _stalled_by = 0.0
    # True if the client had not taken everything when the connection began to close.
    _is_behind = False

    @property
    def first_close(self) -> Close | None:
        """The Close frame that came first, of both sides; None if there is none.

        A violation whose Close frame could not be sent counts as one.
        """
        protocol = self.protocol
        if protocol.close_rcvd_then_sent:
            return protocol.close_rcvd
        violation = protocol.violation
        if protocol.close_sent is None and isinstance(violation, VIOLATIONS):
            return Close(violation.close_code, str(violation))
        return protocol.close_sent

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Take the writer of the transport; see :meth:`.Connection.attach`."""
        super().attach(writer, stream)
        self._uses_tls = writer.get_extra_info("sslcontext") is not None

    # The response -----------------------------------------------------------------------

    def answer(self, response: Response) -> None:
        """Send the response to the request, whole.

        Raises:
            InvalidMessage: see :meth:`.ServerProtocol.send_response`.
        """
        accepted = self._send_response(response, None, False)
        self._resume_reading()
        if accepted:
            self._start()

    def begin_refusal(self, response: Response) -> None:
        """Begin a refusal; the call of :meth:`send_body` or :meth:`end_refusal` after it sends it.

        Raises:
            InvalidMessage: see :meth:`.ServerProtocol.send_response`.
        """
        self.protocol.send_response(response, more_body=True)
        self._resume_reading()  # the client may leave before the end of the body

    def send_body(self, data: bytes, more_body: bool) -> None:
        """Send a piece of the body of a refusal.

        Raises:
            InvalidMessage: see :meth:`.ServerProtocol.send_body`.
        """
        self.protocol.send_body(data, more_body)
        self._sends += 1
        self._process_events()
        if not more_body:
            self._log_refusal()

    def end_refusal(self) -> None:
        """End a refusal whose body may be incomplete."""
        self.protocol.end_response()
        self._process_events()
        self._log_refusal()

    async def send(self, message: Any, **options: Any) -> None:
        """Send a message, see :meth:`.Connection.send`."""
        await super().send(message, **options)
        if self._uses_tls:
            await self.wait_for_room()

    async def wait_for_room(self) -> None:
        """Wait until the client has taken enough of what was sent.

        Raises:
            ConnectionClosed: if it has gone.
        """
        if self._uses_tls and self._sends >= TLS_SENDS_WITHOUT_YIELDING:
            self._sends = SENDS_WITHOUT_YIELDING + 1
        await self._yield()

    # Closing ----------------------------------------------------------------------------

    def start_closing(self, code: int, reason: str = "") -> None:
        """Start to close, unless the connection is closing or closed; do not wait.

        Messages that arrive from now on are dropped.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        if self.state is OPEN:
            self._start_closing(code, reason)
            self.protocol.drop_messages()

    def shut_down(self) -> None:
        """Close with 1012, and leave the client only as much time as uvicorn takes anyway.

        A client that has not taken everything before gets more, while it takes some.
        """
        self.start_closing(CloseCode.SERVICE_RESTART)
        self._linger = SHUTDOWN_LINGER
        self._note_progress()
        self._close_by = self._clock() + SHUTDOWN_LINGER
        self._reschedule()

    def _expect_close(self) -> None:
        if self._close_by is None:
            self._note_progress()
        super()._expect_close()
        self._recv_waiter.wake_soon()  # see _prepare_to_wait()

    def _note_progress(self) -> None:
        """Give the client `close_timeout` from now to take more of what was sent."""
        self._taken = self._io.sent_bytes()
        self._stalled_by = self._clock() + (self.close_timeout or 0)
        self._is_behind = self._is_behind or self._io.unsent_bytes() > 0

    def _stop_waiting(self) -> None:
        if self._io.sent_bytes() > self._taken:
            self._note_progress()
        now, transport = self._clock(), self.transport
        if self._io.unsent_bytes() and now < self._stalled_by:
            self._close_by = now + (self._linger or self._stalled_by - now)
        elif self._uses_tls and transport is not None and not transport.is_closing():
            # The transport below may hold the rest, which a TLS transport does not count.
            transport.close()
            self._close_by = self._stalled_by if self._is_behind else now + TLS_LINGER
        else:
            super()._stop_waiting()

    def _prepare_to_wait(self) -> None:
        super()._prepare_to_wait()
        # No message comes any more. The code and reason are those of `first_close`.
        if self.protocol.close_expected() and not self._queue.messages:
            raise ConnectionClosedError(None, None)
