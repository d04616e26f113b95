"""Client's side of a connection, shared by `aio` and `sync`; no I/O.

RFC 6455 §4.1.
"""

from __future__ import annotations

from ..http1.headers import HeadersLike
from ..protocol.client import ClientProtocol
from ..protocol.states import CONNECTING
from ..session.connection import BaseConnection

__all__ = ["ClientSession"]


class ClientSession(BaseConnection):
    """A client's connection, except for the waiting."""

    __slots__ = ()

    protocol: ClientProtocol

    def _send_request(
        self, additional_headers: HeadersLike | None, user_agent_header: str | None
    ) -> None:
        """Send the request.

        Args:
            additional_headers: added to it.
            user_agent_header: the value of User-Agent, unless `additional_headers` has one; None
                for none.
        """
        request = self.protocol.connect()
        if additional_headers is not None:
            request.headers.update(additional_headers)
        if user_agent_header is not None and "User-Agent" not in request.headers:
            request.headers["User-Agent"] = user_agent_header
        self.protocol.send_request(request)
        self._io.flush()

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
