"""A single connection to Redis. This is the only module that uses redis-py.

The retries, timeouts and hidden reconnection of redis-py are disabled, so that a loss is reported
where it occurs. The protocol is RESP2, which every version of Redis supports.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from redis.asyncio import Connection, UnixDomainSocketConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .broker import BrokerUnavailable

__all__ = ["RedisAddress", "RedisConnection"]


class RedisAddress:
    """The address of a Redis server, with its credentials.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, in the format of redis-py.
        timeout: seconds to connect, and to write a command.

    Attributes:
        name: host and port, or path; without credentials.

    Raises:
        ValueError: if the URL is not a Redis URL. The message does not quote it.
    """

    def __init__(self, url: str, timeout: float) -> None:
        options = read_url(url)
        self.timeout = timeout
        self._secrets = [
            value for name, value in options.items() if name.endswith("password") and value
        ]
        self._connection_class = options.pop("connection_class", Connection)
        # These are options of a connection pool, which is not used here.
        for name in ("max_connections", "timeout"):
            options.pop(name, None)
        self._options = options | {
            "decode_responses": False,
            "encoding": "utf-8",
            "health_check_interval": 0,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "retry_on_error": [],
            "retry_on_timeout": False,
            # A listener may have nothing to read for days.
            "socket_timeout": None,
            "socket_connect_timeout": timeout,
        }
        if not issubclass(self._connection_class, UnixDomainSocketConnection):
            self._options["socket_keepalive"] = True
        self.name: str = name_of(options)
        try:
            self._connection_class(**self._options)
        except (TypeError, ValueError, RedisError):
            raise ValueError("the Redis URL has an unknown or invalid option") from None

    async def connect(self) -> RedisConnection:
        """Connect, authenticate, and check that Redis answers.

        Raises:
            BrokerUnavailable: if that fails, or takes longer than `timeout`.
        """
        connection = RedisConnection(self, self._connection_class(**self._options))
        try:
            async with asyncio.timeout(self.timeout):
                await connection.open()
        except TimeoutError:
            await connection.close()
            raise self.unavailable(f"no answer within {self.timeout} seconds") from None
        except BaseException:
            await connection.close()
            raise
        return connection

    def unavailable(self, reason: str) -> BrokerUnavailable:
        """Build the exception for a reason, without secrets."""
        return BrokerUnavailable(f"Redis at {self.name}: {self.redact(reason)}")

    def redact(self, text: str) -> str:
        """Remove secrets from an error message or a traceback."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        # Redis quotes an unknown command with some of its arguments. AUTH is unknown if renamed.
        return re.sub(r"(with args beginning with).*", r"\1 ...", text)


def read_url(url: str) -> dict[str, Any]:
    """Parse a URL into the options of redis-py.

    Raises:
        ValueError: if it is not a Redis URL, or its password is not percent-encoded.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        # A "/", "?" or "#" in the password ends the authority. The part of the password before it
        # would be read as host and port, and shown in error messages.
        if "@" in parts.path + parts.query + parts.fragment and parts.scheme != "unix":
            raise ValueError
        return dict(parse_url(url))
    except ValueError:
        # Python's message quotes an invalid port, which may be a part of the password.
        raise ValueError(
            "not a Redis URL; expected redis://[[user]:password@]host[:port][/database], with "
            "special characters in the password percent-encoded"
        ) from None


def name_of(options: Mapping[str, Any]) -> str:
    """Return host and port, or the path, from the options of redis-py."""
    if "path" in options:
        return str(options["path"])
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class RedisConnection:
    """A connection to Redis, which never reconnects by itself.

    Args:
        address: the address of the server.
        connection: the connection of redis-py.
    """

    def __init__(self, address: RedisAddress, connection: Any) -> None:
        self._address = address
        self._connection = connection

    async def open(self) -> None:
        """Connect, and wait until Redis answers a ping, since it may be frozen."""
        with self._translate_errors():
            await self._connection.connect()
        await self.send("PING")
        await self.receive()

    async def send(self, *command: str | bytes) -> None:
        """Send a command. Commands are sent in the order of the calls.

        Raises:
            BrokerUnavailable: if the connection is lost, or the command cannot be written in time.
        """
        with self._translate_errors():
            # redis-py would reconnect silently.
            if not self._connection.is_connected:
                raise ConnectionError("the connection is lost")
            async with asyncio.timeout(self._address.timeout):
                await self._connection.send_command(*command)

    async def receive(self) -> Any:
        """Wait for a reply or a message, without a timeout.

        Raises:
            BrokerUnavailable: if the connection is lost, or Redis replies with an error.
        """
        with self._translate_errors():
            return await self._connection.read_response()

    async def close(self) -> None:
        """Close the connection, in any state."""
        # Nothing can be done about an error here.
        with contextlib.suppress(Exception):
            await self._connection.disconnect()

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise errors of the network and of redis-py as BrokerUnavailable."""
        try:
            yield
        except (RedisError, OSError) as exc:
            # Without the cause, whose text may contain a secret.
            raise self._address.unavailable(str(exc) or "no answer in time") from None
