"""The sending half of a connection: messages, fragmented messages, broadcasts.

RFC 6455 §5.4 (fragmentation), §6.1 (sending). The base of
:class:`~ws6455.aio.connection.Connection`.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from ..exceptions import InvalidState
from ..framing.fragments import FragmentWriter, check_fragments
from ..framing.frames import Opcode
from ..typing import DataLike
from .transport import TransportSession

__all__ = ["SendingSession", "wrong_loop"]

# Frames up to this size are collected while received messages still wait to be handled, and
# written in one go; at most so many.
CORKED_FRAME_SIZE = 1 << 14
CORKED_FRAMES = 64
# A coroutine that does nothing but send must not keep every other one from running.
SENDS_WITHOUT_YIELDING = 64

# Looking up a member of an enumeration costs; these are looked up for every message.
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
# So does testing for a union of types.
_VIEWABLE = (bytearray, memoryview)


class SendingSession(TransportSession):
    """A session that an application sends with.

    Args:
        arguments: see :class:`~ws6455.aio.transport.TransportSession`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = ("_flush_scheduled", "_fragments_sent", "_sends")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._flush_scheduled = False
        self._fragments_sent: asyncio.Future[None] | None = None
        self._sends = 0  # since others were last given a chance to run

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the transport, with the error that ended it."""
        super().connection_lost(exc)
        if self._fragments_sent is not None and not self._fragments_sent.done():
            self._fragments_sent.set_result(None)

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        *,
        text: bool | None = None,
        compress: bool | None = None,
    ) -> None:
        """Send a message.

        A string is sent as Text, a bytes-like object as Binary. An iterable, plain or
        asynchronous, of either is sent as a fragmented message, each item as soon as it is
        there; other messages wait until it is through. Waits while the peer reads too slowly.
        Cancelling it never sends half a message: a fragmented one that cannot be finished
        fails the connection with 1011.

        Args:
            message: what to send.
            text: True sends bytes as Text (they must be UTF-8), False a string as Binary.
            compress: False sends the message as it is, True and None compress it if compression
                was negotiated.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message is of no such type, or its fragments are of both.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        while self._fragments_sent is not None:
            if self._transport_lost:
                raise self.protocol.close_exc  # whatever the fragments still wait for
            await asyncio.shield(self._fragments_sent)
        if isinstance(message, str):
            opcode, data = _TEXT, message.encode()
        elif isinstance(message, bytes):
            opcode, data = _BINARY, message
        elif isinstance(message, _VIEWABLE):
            opcode, data = _BINARY, bytes(message)
        else:
            await self._send_fragments(message, text, compress)
            return
        if text is not None:
            opcode = _TEXT if text else _BINARY
        try:
            self.protocol.send_data(opcode, data, True, compress)
        except InvalidState:
            await self._raise_closed()
        if self._messages and len(data) <= CORKED_FRAME_SIZE:
            self._flush_later()
        else:
            self._flush()
        self._sends += 1
        if self._writing_paused or self._sends > SENDS_WITHOUT_YIELDING:
            await self._yield()

    def _flush_later(self) -> None:
        """Collect: the application has more to handle and will most likely send more."""
        if len(self.protocol.writes) >= CORKED_FRAMES:
            self._flush()
        elif not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_collected)

    def _flush_collected(self) -> None:
        self._flush_scheduled = False
        self._flush()

    async def _yield(self) -> None:
        """Wait for the transport to have room, and let others run now and then."""
        if self._writing_paused:
            assert self._writer is not None
            try:
                await self._writer.drain()
                while self._backlog:  # it has taken the room at once
                    await self._writer.drain()
            except OSError:
                await self._raise_closed()
            if self._transport_lost:
                raise self.protocol.close_exc
        elif self._sends > SENDS_WITHOUT_YIELDING:
            self._sends = 0
            await asyncio.sleep(0)

    async def _raise_closed(self) -> None:
        """Wait for the end, so that the exception tells the whole of it."""
        await self.wait_closed()
        raise self.protocol.close_exc

    async def _send_fragments(
        self,
        message: Iterable[DataLike] | AsyncIterable[DataLike],
        text: bool | None,
        compress: bool | None,
    ) -> None:
        """Send a fragmented message (§5.4): each item, and an empty last fragment."""
        check_fragments(message, (Iterable, AsyncIterable))
        self._fragments_sent = self.loop.create_future()
        writer = FragmentWriter(text)
        try:
            async for fragment in _aiter(message):
                opcode, data = writer.frame(fragment)
                await self._send_fragment(opcode, data, False, compress)
                await self._yield()
            if writer.begun:
                await self._send_fragment(Opcode.CONT, b"", True, compress)
        except BaseException as exc:
            self._fail_fragments(exc)
            raise
        finally:
            if not self._fragments_sent.done():
                self._fragments_sent.set_result(None)
            self._fragments_sent = None

    async def _send_fragment(
        self, opcode: Opcode, data: bytes, fin: bool, compress: bool | None
    ) -> None:
        try:
            self.protocol.send_data(opcode, data, fin, compress)
        except InvalidState:
            await self._raise_closed()
        self._flush()
        self._sends += 1


async def _aiter(
    message: Iterable[DataLike] | AsyncIterable[DataLike],
) -> AsyncIterator[DataLike]:
    if isinstance(message, AsyncIterable):
        async for fragment in message:
            yield fragment
    else:
        for fragment in message:
            yield fragment


def wrong_loop() -> RuntimeError:
    """Make the error for a call from another thread, which would corrupt what is sent."""
    return RuntimeError(
        "a connection belongs to the event loop that opened it: from another thread, call "
        "asyncio.run_coroutine_threadsafe or loop.call_soon_threadsafe"
    )
