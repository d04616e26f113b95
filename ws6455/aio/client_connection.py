"""One connection of the asyncio client, and its side of the opening handshake.

RFC 6455 §4.1.
"""

from __future__ import annotations

import asyncio

from ..client.session import ClientSession
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from ..protocol.client import ClientProtocol
from .connection import Connection

__all__ = ["ClientConnection"]


class ClientConnection(Connection, ClientSession):
    """A client's connection; see :class:`~ws6455.aio.client.connect`."""

    protocol: ClientProtocol
    _opened_waiter: asyncio.Future[None] | None = None  # during the opening handshake

    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """Send the request and wait until the connection is open.

        Args:
            additional_headers: added to the request; Authorization, Host, Origin and User-Agent
                replace those of the library.
            user_agent_header: the value of User-Agent, unless `additional_headers` has one;
                None for none.

        Raises:
            InvalidHandshake: if the server refuses, or answers wrongly.
            TypeError, ValueError: if a header must not be set.
        """
        if not self._is_answered():  # a server may refuse before the request
            self._opened_waiter = self.loop.create_future()
            self._send_request(additional_headers, user_agent_header)
            await self._opened_waiter
            self._opened_waiter = None
        self._check_accepted()
        self._start()

    def _process_events(self) -> None:
        super()._process_events()
        self._wake_handshake()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Process the end of the transport, which ends an opening handshake too."""
        super().connection_lost(exc)
        self._wake_handshake()

    def _wake_handshake(self) -> None:
        waiter = self._opened_waiter
        if waiter is not None and not waiter.done() and self._is_answered():
            waiter.set_result(None)
