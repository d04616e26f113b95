"""The publisher, which sends messages to Redis on one connection and checks every reply.

It uses redis-py only through `redis_connection`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from .broker import BrokerUnavailable

if TYPE_CHECKING:
    from .redis_connection import RedisAddress, RedisConnection

__all__ = ["RedisPublisher"]


class RedisPublisher:
    """Publishes messages in order, without waiting for the replies to earlier ones.

    The connection is opened for the first message, and for the first message after a loss. A task
    reads from it continuously, so that a loss is noticed when it occurs, before the next message.

    Args:
        address: the address of Redis.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._connecting = asyncio.Lock()
        self._connection: RedisConnection | None = None
        self._reader: asyncio.Task[NoReturn] | None = None
        # One for each message sent: None once Redis has accepted it, or the reason of a failure.
        self._replies: deque[asyncio.Future[str | None]] = deque()
        self._closed = False

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Send a message and wait until Redis has accepted it.

        Raises:
            BrokerUnavailable: if it has not, or does not reply within the address's timeout.
        """
        reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._address.timeout):
                connection = await self._ensure_connected()
                self._replies.append(reply)
                await connection.send("PUBLISH", channel, payload)
                failure = await reply
        except TimeoutError:
            # The messages behind this one would time out as well.
            self._abort()
            raise self._address.unavailable(
                f"did not accept a message within {self._address.timeout} seconds"
            ) from None
        if failure is not None:
            raise BrokerUnavailable(failure)

    async def close(self) -> None:
        """Close the connection. Messages without a reply fail."""
        self._closed = True
        self._abort()
        await self._disconnect()

    async def _ensure_connected(self) -> RedisConnection:
        """Return the connection; open it if there is none."""
        async with self._connecting:
            if self._connection is not None:
                if self._reader is not None and not self._reader.done():
                    return self._connection
                await self._disconnect()
            connection = await self._address.connect()
            if self._closed:
                await connection.close()
                raise BrokerUnavailable("the broker is closed")
            self._connection = connection
            self._reader = asyncio.create_task(self._read(connection))
            self._reader.add_done_callback(self._fail_pending)
            return connection

    async def _read(self, connection: RedisConnection) -> NoReturn:
        """Match replies to messages until the connection is lost or aborted."""
        while True:
            await connection.receive()
            reply = self._replies.popleft()
            if not reply.done():
                reply.set_result(None)

    def _fail_pending(self, reader: asyncio.Task[NoReturn]) -> None:
        """Fail the messages that will not get a reply."""
        loss = None if reader.cancelled() else reader.exception()
        if not isinstance(loss, BrokerUnavailable):
            name = type(loss).__name__ if loss is not None else "no answer"
            loss = self._address.unavailable(f"the connection was aborted: {name}")
        for reply in self._replies:
            if not reply.done():
                reply.set_result(str(loss))
        self._replies.clear()

    def _abort(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def _disconnect(self) -> None:
        """Wait until the reader has ended, then close its connection."""
        if self._reader is not None and self._connection is not None:
            await asyncio.wait([self._reader])
            await self._connection.close()
