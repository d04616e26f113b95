"""One connection of the asyncio client, and its side of the opening handshake.

RFC 6455 section 4.1.
"""

from __future__ import annotations

from ..client.session import ClientSession
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from ..protocol.client import ClientProtocol
from .connection import Connection

__all__ = ["ClientConnection"]


class ClientConnection(Connection, ClientSession):
    """A client's connection; see :class:`connect`."""

    protocol: ClientProtocol

    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """Send the request and wait until the connection is open.

        Args:
            additional_headers: added to the request.
            user_agent_header: the value of User-Agent, unless `additional_headers` has one;
                None for none.

        Raises:
            InvalidHandshake: if the server refuses, or answers wrongly.
        """
        self._opened_waiter = self.loop.create_future()
        self._send_request(additional_headers, user_agent_header)
        await self._opened_waiter
        self._opened_waiter = None
        self._check_accepted()
        self._begin()

    def _attend(self) -> None:
        super()._attend()
        waiter = self._opened_waiter
        if waiter is not None and not waiter.done() and self._is_answered():
            waiter.set_result(None)
