"""One connection of a threaded client, and its side of the opening handshake.

RFC 6455 §4.1.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from typing import Any, Self

from ..client.session import ClientSession
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from .connection import Connection

__all__ = ["ClientConnection"]

_USES = ("close", "ping", "pong", "recv", "recv_streaming", "send")


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
            self._send_request(additional_headers, user_agent_header)
            while not self._is_answered():
                left = None if deadline is None else deadline - self._clock()
                if left is not None and left <= 0:
                    raise TimeoutError("timed out during opening handshake")
                self._wait_readable(left)
            self._check_accepted()
            self._start()

    def warn_at_first_use(self) -> None:
        """Warn when it is used without being entered: :func:`connect` will be `reconnect`."""
        reference = weakref.ref(self)
        for name in _USES:
            # In the way of the method of this name; so no method has to look each time.
            self.__dict__[name] = functools.partial(_warn_and_call, reference, name)

    def _stop_warning(self) -> None:
        for name in _USES:
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        self._stop_warning()
        return super().__enter__()


def _warn_and_call(
    reference: weakref.ref[ClientConnection], name: str, *args: Any, **kwargs: Any
) -> Any:
    connection = reference()
    assert connection is not None  # it is who calls
    connection._stop_warning()
    warnings.warn(
        "use `with connect(...) as websocket`, or connect(..., legacy=True)",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(connection, name)(*args, **kwargs)
