"""Registry and factory of a server's connections, shared by both front ends."""

from __future__ import annotations

import email.utils
import functools
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from ..exceptions import InvalidMessage
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..session.options import check_not_string
from ..typing import LoggerLike
from .forwarded import is_trusted, parse_networks, peer_address
from .session import ServerSession

__all__ = ["ConnectionMaker", "Registry"]

Connection = TypeVar("Connection", bound=ServerSession)


class Registry(Generic[Connection]):
    """Registry of a server's connections.

    Args:
        logger: the server's logger.
    """

    def __init__(self, logger: LoggerLike) -> None:
        self.logger = logger
        # Includes those in the opening handshake, and closed ones whose handler still runs.
        self._all: set[Connection] = set()

    @property
    def connections(self) -> set[Connection]:
        """The connections that are open."""
        # Iterate over a copy: other threads may change the set meanwhile.
        return {c for c in self._all.copy() if c.protocol.state is OPEN}

    def _log_early_end(self, exc: Exception) -> None:
        """Log the error that ended a client's socket before its opening handshake."""
        if isinstance(exc, InvalidMessage):  # the header of the PROXY protocol
            self.logger.info("connection rejected: %s", exc)
        elif isinstance(exc, OSError):  # TLS's errors as well
            self.logger.debug("connection closed before the opening handshake: %s", exc)
        else:
            self.logger.error("connection failed", exc_info=exc)

    def forget(self, connection: Connection) -> None:
        """Drop a connection that has ended."""
        self._all.discard(connection)


@functools.lru_cache(maxsize=1)
def _format_date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def http_date() -> str:
    """Return the current date as a value of Date (RFC 9110 §6.6.1)."""
    return _format_date(int(time.time()))


class ConnectionMaker(Generic[Connection]):
    """Factory of a server's connections.

    Args:
        create: returns a connection; called with the arguments of :meth:`make`, the protocol,
            the server and the options.
        select_subprotocol: ``(connection, offered) -> chosen or None``, or None.
        trusted_proxies: addresses and networks of the server's own proxies.
        protocol_options: options of :class:`~ws6455.protocol.server.ServerProtocol`.
        connection_options: options of `create`.
        protocol_class: :class:`~ws6455.protocol.server.ServerProtocol` or a subclass.
        proxy_protocol: whether the proxies send a header of the PROXY protocol.

    Raises:
        ValueError: if an address or network is malformed, or `proxy_protocol` lacks them.
    """

    def __init__(
        self,
        create: Callable[..., Connection],
        select_subprotocol: Callable[[Connection, Sequence[str]], str | None] | None,
        trusted_proxies: Sequence[str],
        protocol_options: dict[str, Any],
        connection_options: dict[str, Any],
        protocol_class: type[ServerProtocol] = ServerProtocol,
        proxy_protocol: bool = False,
    ) -> None:
        if proxy_protocol and not trusted_proxies:
            raise ValueError("proxy_protocol needs the addresses of trusted_proxies")
        self.proxy_protocol = proxy_protocol
        self._create = create
        self._select_subprotocol = select_subprotocol
        check_not_string("trusted_proxies", trusted_proxies)
        self._trusted_proxies = parse_networks(trusted_proxies)
        self._protocol_options = protocol_options
        self._connection_options = connection_options
        self._protocol_class = protocol_class

    def expects_proxy_header(self, remote_address: Any) -> bool:
        """Return True if a peer must send a header, provided that `proxy_protocol` is True.

        Args:
            remote_address: address of the peer, as the socket gives it.
        """
        return is_trusted(peer_address(remote_address), self._trusted_proxies)

    def make(self, server: object, *first: Any) -> Connection:
        """Create the connection of an accepted client.

        Args:
            server: the server, or None.
            first: first arguments of `create`.
        """
        select = self._select_subprotocol
        if select is None:
            protocol = self._protocol_class(date=http_date, **self._protocol_options)
        else:

            def select_for_connection(_: ServerProtocol, offered: Sequence[str]) -> str | None:
                connection = reference()
                assert connection is not None  # only its own handshake calls this function
                return select(connection, offered)

            protocol = self._protocol_class(
                select_subprotocol=select_for_connection, date=http_date, **self._protocol_options
            )
        connection = self._create(*first, protocol, server, **self._connection_options)
        if select is not None:
            reference = weakref.ref(connection)
        if self._trusted_proxies:
            connection.trusted_proxies = self._trusted_proxies
        return connection
