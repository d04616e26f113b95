"""One connection to Redis, as the hub needs it: the only module that knows redis-py.

Redis-py's own retries, timeouts and hidden reconnecting are off: a loss is seen where it happens.
RESP2 is spoken, which every version of Redis does.
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
    """Where Redis is and how to come in.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py reads it.
        timeout: seconds for connecting, and for the network to take a command.

    Attributes:
        name: host and port, or path: what may be told of the URL.

    Raises:
        ValueError: if the URL is none of Redis. The message does not quote it.
    """

    def __init__(self, url: str, timeout: float) -> None:
        options = read_url(url)
        self.timeout = timeout
        self._secrets = [
            value for name, value in options.items() if name.endswith("password") and value
        ]
        self._connection_class = options.pop("connection_class", Connection)
        # These are a pool's, and there is none.
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
        self.name = name_of(options)
        try:
            self._connection_class(**self._options)
        except (TypeError, ValueError, RedisError):
            raise ValueError("the URL of Redis has an option that is unknown or wrong") from None

    async def connect(self) -> RedisConnection:
        """Connect, log in, and see that Redis answers.

        Raises:
            BrokerUnavailable: if that fails, or takes longer than `timeout`.
        """
        connection = RedisConnection(self, self._connection_class(**self._options))
        try:
            async with asyncio.timeout(self.timeout):
                await connection.greet()
        except TimeoutError:
            await connection.close()
            raise self.unavailable(f"no answer within {self.timeout} seconds") from None
        except BaseException:
            await connection.close()
            raise
        return connection

    def unavailable(self, reason: str) -> BrokerUnavailable:
        """Make the exception for a reason."""
        return BrokerUnavailable(f"Redis at {self.name}: {self.redact(reason)}")

    def redact(self, text: str) -> str:
        """Take secrets out of what Redis, redis-py or a traceback says."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        # An unknown command is quoted with its arguments, in part. AUTH may be unknown, renamed.
        return re.sub(r"(with args beginning with).*", r"\1 ...", text)


def read_url(url: str) -> dict[str, Any]:
    """Return redis-py's options for a URL.

    Raises:
        ValueError: if it is none of Redis, or its password has cut it short.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        # A "/", "?" or "#" in the password ends the part that it belongs to. What is before it
        # would be taken for host and port, and told.
        if "@" in parts.path + parts.query + parts.fragment and parts.scheme != "unix":
            raise ValueError
        return dict(parse_url(url))
    except ValueError:
        # Python's message quotes what it takes for a port: it may be of the password too.
        raise ValueError(
            "not a URL of Redis: redis://[[user]:password@]host[:port][/database], with the "
            "special characters of the password percent-encoded"
        ) from None


def name_of(options: Mapping[str, Any]) -> str:
    """Return what to call the Redis of these options."""
    if "path" in options:
        return str(options["path"])
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class RedisConnection:
    """A connection that is open until it fails or is closed; it never connects again by itself.

    Args:
        address: that it leads to.
        connection: redis-py's.
    """

    def __init__(self, address: RedisAddress, connection: Any) -> None:
        self._address = address
        self._connection = connection

    async def greet(self) -> None:
        """Connect, and wait until Redis answers a ping: it may be frozen."""
        with self._failures():
            await self._connection.connect()
        await self.send("PING")
        await self.receive()

    async def send(self, *command: str | bytes) -> None:
        """Send a command; it is in its place before the first await.

        Raises:
            BrokerUnavailable: if the connection is lost, or the network takes nothing any more.
        """
        with self._failures():
            # redis-py would connect again, and not say so.
            if not self._connection.is_connected:
                raise ConnectionError("the connection is lost")
            async with asyncio.timeout(self._address.timeout):
                await self._connection.send_command(*command)

    async def receive(self) -> Any:
        """Wait for an answer or a message, for as long as it takes.

        Raises:
            BrokerUnavailable: if the connection is lost, or Redis answers with an error.
        """
        with self._failures():
            return await self._connection.read_response()

    async def close(self) -> None:
        """Close the connection, whatever state it is in."""
        # It is closed as far as it can be, and nobody can do more about it.
        with contextlib.suppress(Exception):
            await self._connection.disconnect()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Raise what is expected of a network, and of redis-py, as ours."""
        try:
            yield
        except (RedisError, OSError) as exc:
            # Without its cause, whose text may hold a secret.
            raise self._address.unavailable(str(exc) or "no answer in time") from None
