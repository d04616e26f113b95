"""One WebSocket connection for an asyncio program: receive, send, ping, close.

The base of :class:`~ws6455.aio.client_connection.ClientConnection` and
:class:`~ws6455.aio.server_connection.ServerConnection`. What the bytes mean, and what is due by
the clock, is decided below, in the protocol and the session; here is only the waiting.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Coroutine
from types import TracebackType
from typing import Any, Literal, Self, overload

from ..exceptions import ConnectionClosedOK
from ..protocol.client import ClientProtocol
from ..protocol.server import ServerProtocol
from ..typing import Data, DataLike
from .sending import SendingSession, wrong_loop

__all__ = ["Connection"]


class Connection(SendingSession):
    """A connection; make one with `connect`, `serve` or `accept`.

    Args:
        protocol: the connection without I/O.
        ping_interval, ping_timeout, close_timeout, max_queue: see
            :class:`~ws6455.session.keepalive.Session`.
        write_limit: bytes in the transport's buffer above which :meth:`send` waits; or that
            and the number below which it goes on.
    """

    __slots__ = ()

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
    ) -> None:
        super().__init__(
            protocol, write_limit, ping_interval, ping_timeout, close_timeout, max_queue
        )

    # Receiving --------------------------------------------------------------------------

    @overload
    def recv(self, decode: Literal[True]) -> Coroutine[Any, Any, str]: ...
    @overload
    def recv(self, decode: Literal[False]) -> Coroutine[Any, Any, bytes]: ...
    @overload
    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]: ...

    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]:
        """Receive the next message.

        Cancelling it loses nothing. Messages received before the connection closed can be
        received after it.

        Args:
            decode: True gives a string, False gives bytes, whatever the frame; None gives a
                string for a Text message and bytes for a Binary one.

        Raises:
            ConnectionClosed: when the connection is closed and every message is taken.
            ConcurrencyError: if another call is receiving.
            UnicodeDecodeError: if a Binary message is to be decoded and is not UTF-8.
        """
        return self._receive_message(decode, False)

    def __aiter__(self) -> Self:
        """Iterate over the messages received, until the connection closes as it should."""
        return self

    async def _receive_message(self, decode: bool | None = None, iterating: bool = True) -> Data:
        """Receive the next message.

        Raises:
            StopAsyncIteration: if iterating, when the connection has closed as it should.
            ConnectionClosedError: when it has closed otherwise.
        """
        if self._receiving:
            raise self._overlap("recv")
        messages, protocol = self._messages, self.protocol
        if len(messages) <= protocol.open_fragments:
            self._receiving = "recv"
            try:
                while len(messages) <= protocol.open_fragments:
                    self._prepare_to_wait()
                    self._sends = 0  # whoever waits lets others run
                    await self._recv_waiter.wait()
            except ConnectionClosedOK:
                if iterating:
                    raise StopAsyncIteration from None
                raise
            finally:
                self._receiving = ""
        return self._take_message(decode)

    __anext__ = _receive_message  # itself, since it is called for every message

    async def recv_streaming(self, decode: bool | None = None) -> AsyncGenerator[Data, None]:
        """Receive the next message fragment by fragment, as the peer sent them.

        The iterator must be used to its end before anything else is received.

        Args:
            decode: see :meth:`recv`; a character cut by a fragment comes with the next.

        Raises:
            ConnectionClosed, ConcurrencyError, UnicodeDecodeError: see :meth:`recv`.
        """
        reader = self._begin_fragments(decode)
        try:
            while not reader.has_ended:
                while not self._messages:
                    self._prepare_to_wait()
                    self._sends = 0  # whoever waits lets others run
                    await self._recv_waiter.wait()
                yield self._next_piece(reader)
        finally:
            self._end_fragments(reader)

    # Pings and pongs -----------------------------------------------------------------

    async def ping(self, data: DataLike | None = None) -> asyncio.Future[float]:
        """Send a ping.

        Args:
            data: its payload, at most 125 bytes; four random bytes by default.

        Returns:
            A future: awaited, it gives the seconds until the pong, or raises ConnectionClosed.

        Raises:
            ConnectionClosed: if the connection is closed.
            ConcurrencyError: if a ping with the same payload waits for its pong.
            ProtocolError: if the payload is too long.
            TypeError: if it is neither a string nor bytes-like.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        if not self._can_send_control():
            await self._raise_closed()
        waiter: asyncio.Future[float] = self.loop.create_future()
        self._send_ping(data, waiter)
        await self._yield()
        return waiter

    async def pong(self, data: DataLike = b"") -> None:
        """Send a pong that answers no ping, as a one-way heartbeat (§5.5.3).

        Args:
            data: its payload, at most 125 bytes.

        Raises:
            ConnectionClosed: if the connection is closed.
            ProtocolError, TypeError, RuntimeError: see :meth:`ping`.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        if not self._can_send_control():
            await self._raise_closed()
        self._send_pong(data)
        await self._yield()

    # Closing ----------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection: the closing handshake, then TCP (§7.1.2).

        Takes at most twice `close_timeout`. Closing a closed connection does nothing.

        Args:
            code: the close code.
            reason: at most 123 bytes of UTF-8.

        Raises:
            ProtocolError: if the code must not travel, or the reason is too long.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        self._close(code, reason)
        await self.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(1000 if exc_type is None else 1011)
