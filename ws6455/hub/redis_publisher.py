"""The publisher: sends messages to Redis on one connection and sees that each is taken.

Redis-py is behind `redis_connection`.
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
    """Publishes in order. Nobody waits for another's answer: Redis gives them in turn.

    A connection is made for the first message, and for the first one after a loss. A task reads
    from it all the time, so that a loss is noticed when it happens rather than by a message.

    Args:
        address: of Redis.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._connecting = asyncio.Lock()
        self._connection: RedisConnection | None = None
        self._reader: asyncio.Task[NoReturn] | None = None
        # One for each message sent: None when it is taken, or the reason why it may not be.
        self._answers: deque[asyncio.Future[str | None]] = deque()
        self._closed = False

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Send a message and wait until Redis has taken it.

        Raises:
            BrokerUnavailable: if it has not, or does not say so within the address's timeout.
        """
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._address.timeout):
                connection = await self._connected()
                self._answers.append(answer)
                await connection.send("PUBLISH", channel, payload)
                failure = await answer
        except TimeoutError:
            # Those behind would wait in vain as well.
            self._give_up()
            raise self._address.unavailable(
                f"did not take a message within {self._address.timeout} seconds"
            ) from None
        if failure is not None:
            raise BrokerUnavailable(failure)

    async def close(self) -> None:
        """Close the connection. Messages that are not answered yet fail."""
        self._closed = True
        self._give_up()
        await self._disconnect()

    async def _connected(self) -> RedisConnection:
        """Return the connection; make it if there is none."""
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
            self._reader.add_done_callback(self._fail_unanswered)
            return connection

    async def _read(self, connection: RedisConnection) -> NoReturn:
        """Hand out the answers until the connection is lost or given up."""
        while True:
            await connection.receive()
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_result(None)

    def _fail_unanswered(self, reader: asyncio.Task[NoReturn]) -> None:
        """Tell those who wait that there will be no answer."""
        loss = None if reader.cancelled() else reader.exception()
        if not isinstance(loss, BrokerUnavailable):
            name = type(loss).__name__ if loss is not None else "no answer"
            loss = self._address.unavailable(f"the connection was given up: {name}")
        for answer in self._answers:
            if not answer.done():
                answer.set_result(str(loss))
        self._answers.clear()

    def _give_up(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def _disconnect(self) -> None:
        """Wait for the reader's end and close what it has read from."""
        if self._reader is not None and self._connection is not None:
            await asyncio.wait([self._reader])
            await self._connection.close()
