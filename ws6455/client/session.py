"""Client's side of a connection, shared by `aio` and `sync`; no I/O.

RFC 6455 §4.1.
"""

from __future__ import annotations

from ..http1.headers import HeadersLike
from ..protocol.client import ClientProtocol
from ..protocol.states import CONNECTING
from ..session.connection import BaseConnection
from ..settings import setting
from .redirects import location_of
from .request_headers import check_headers, merge_headers

__all__ = ["BODY_TIMEOUT", "ClientSession"]

#: Seconds for the body of a refusal, after its head.
BODY_TIMEOUT = setting("BODY_TIMEOUT", 1.0)


class ClientSession(BaseConnection):
    """A client's connection, except for the waiting."""

    protocol: ClientProtocol
    _open_by: float | None = None  # during the opening handshake
    _opened_at = 0.0
    _settled_at: float | None = None

    def limit_opening(self, seconds: float | None) -> None:
        """Note the time left for the opening handshake; the caller ends it then.

        It limits the time for the body of a refusal here.

        Args:
            seconds: seconds from now; None for no limit.
        """
        self._open_by = None if seconds is None else self._clock() + seconds

    def _send_request(
        self, additional_headers: HeadersLike | None, user_agent_header: str | None
    ) -> None:
        """Send the request.

        Args:
            additional_headers: added to it, see :func:`.merge_headers`.
            user_agent_header: the value of User-Agent, unless `additional_headers` has one; None
                for none.

        Raises:
            TypeError, ValueError, InvalidHeaderValue: see :func:`.check_headers`.
        """
        request = self.protocol.connect()
        if user_agent_header is not None:
            request.headers["User-Agent"] = user_agent_header
        if additional_headers:
            request.headers = merge_headers(request.headers, check_headers(additional_headers))
        self.protocol.send_request(request)
        self._io.flush()

    def _process_events(self) -> None:
        if self.protocol.is_reading_body:
            self._limit_body()
        super()._process_events()

    def _limit_body(self) -> None:
        """Limit the time for the body of a refusal, which has been received without it.

        The status is enough: nothing waits for the body of a redirect, and for others only the
        part that arrives in time is kept. Half of the time that is left is for other steps.
        """
        response = self.protocol.response
        if response is None or location_of(response) is not None:
            self.protocol.end_body()
        elif self._close_by is None:
            now = self._clock()
            left = BODY_TIMEOUT if self._open_by is None else (self._open_by - now) / 2
            self._close_by = now + min(left, BODY_TIMEOUT)
            self._reschedule()

    @property
    def lifetime(self) -> float:
        """Seconds that the connection has been open, until it was closed, failed or was lost."""
        until = self._clock() if self._settled_at is None else self._settled_at
        return until - self._opened_at

    def _start(self) -> None:
        self._opened_at = self._clock()
        super()._start()

    def _settle(self) -> None:
        if self._settled_at is None:
            self._settled_at = self._clock()
        super()._settle()

    def _is_answered(self) -> bool:
        """Return True if the opening handshake has succeeded or failed."""
        protocol = self.protocol
        return protocol.state is not CONNECTING or protocol.handshake_exc is not None

    def _check_accepted(self) -> None:
        """Check that the server has accepted the connection.

        Raises:
            InvalidHandshake: if it refused, or answered wrongly.
        """
        if self.protocol.handshake_exc is not None:
            raise self.protocol.handshake_exc
