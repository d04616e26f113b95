"""One connection of a threaded client, and its side of the opening handshake.

RFC 6455 §4.1.
"""

from __future__ import annotations

from ..client.session import ClientSession
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from .connection import Connection

__all__ = ["ClientConnection"]


class ClientConnection(Connection, ClientSession):
    """A client's connection; see :func:`~ws6455.sync.client.connect`."""

    def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        timeout: float | None = None,
    ) -> None:
        """Send the request and wait for the answer, `timeout` seconds at most.

        See :meth:`ws6455.aio.client_connection.ClientConnection.handshake`.
        """
        with self._lock:
            deadline = None if timeout is None else self._clock() + timeout
            self.limit_opening(timeout)
            self._send_request(additional_headers, user_agent_header)
            while not self._is_answered():
                left = None if deadline is None else deadline - self._clock()
                if left is not None and left <= 0:
                    raise TimeoutError("timed out during opening handshake")
                self._wait_readable(left)
            self._check_accepted()
            self._start()
