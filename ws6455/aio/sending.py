"""Sending half of an asyncio connection: messages and fragmented messages.

RFC 6455 §5.4 (fragmentation), §6.1 (sending).
"""

from __future__ import annotations

import abc
import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from ..exceptions import InvalidState
from ..framing.fragments import FragmentWriter, check_fragments, whole_message
from ..framing.frames import Opcode
from ..session.connection import BaseConnection
from ..typing import DataLike
from .transport import TransportIO

__all__ = ["SendingConnection", "wrong_loop"]

# Frames up to this size in bytes are collected while received messages wait to be handled, and
# written together; at most this number of them.
CORKED_FRAME_SIZE = 1 << 14
CORKED_FRAMES = 64
# Sends after which a coroutine lets others run, even if it never has to wait.
SENDS_WITHOUT_YIELDING = 64


class SendingConnection(BaseConnection):
    """A connection that an asyncio application sends with.

    A base class of :class:`~ws6455.aio.connection.Connection` rather than a part of it: one call
    more for each message would be 4% of the calls with 16 messages in a read.

    Args:
        loop: the event loop.
        arguments: see :class:`~ws6455.session.connection.BaseConnection`.
    """

    # Slots: see docs/architecture.md.
    __slots__ = ("_flush_scheduled", "_fragments_sent", "_sends", "loop")

    _io: TransportIO

    def __init__(self, loop: asyncio.AbstractEventLoop, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.loop: asyncio.AbstractEventLoop = loop
        self._flush_scheduled = False
        self._fragments_sent: asyncio.Future[None] | None = None
        self._sends = 0  # since other tasks last had a chance to run

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        *,
        text: bool | None = None,
        compress: bool | None = None,
    ) -> None:
        """Send a message.

        A string is sent as Text, a bytes-like object as Binary. An iterable or asynchronous
        iterable of either is sent as a fragmented message, each item as soon as it is produced;
        other messages wait until it is complete. Waits while the peer reads too slowly.
        Cancellation never sends half a message: a fragmented one that cannot be finished fails
        the connection with 1011.

        Args:
            message: the message.
            text: True sends bytes as Text (they must be UTF-8), False a string as Binary.
            compress: False sends the message uncompressed, True compresses it if compression
                was negotiated, None does unless it is below the threshold.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message has another type, or its fragments have different types.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        while self._fragments_sent is not None:
            if self.protocol.settled:
                raise self.protocol.close_exc  # even if the fragments wait for something else
            await asyncio.shield(self._fragments_sent)
        frame = whole_message(message, text)
        if frame is None:
            await self._send_fragments(message, text, compress)  # type: ignore[arg-type]  # checked there
            return
        opcode, data = frame
        try:
            self.protocol.send_message(opcode, data, compress)
        except InvalidState:
            await self._raise_closed()
        if self._queue.messages and len(data) <= CORKED_FRAME_SIZE:
            self._flush_later()
        else:
            self._io.flush()
        self._sends += 1
        if self._io.writing_paused or self._sends > SENDS_WITHOUT_YIELDING:
            await self._yield()

    def _flush_later(self) -> None:
        """Collect frames: the application has more messages to handle, and may answer them."""
        if len(self.protocol.writes) >= CORKED_FRAMES:
            self._io.flush()
        elif not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_collected)

    def _flush_collected(self) -> None:
        self._flush_scheduled = False
        self._io.flush()

    async def _yield(self) -> None:
        """Wait until the transport has room; let other tasks run after many sends."""
        if self._io.writing_paused:
            try:
                await self._io.drain()
            except OSError as exc:
                exc.__traceback__ = None  # the stream keeps `exc`; the frames refer to this object
                await self._raise_closed()
            if self._io.lost:
                raise self.protocol.close_exc
        elif self._sends > SENDS_WITHOUT_YIELDING:
            self._sends = 0
            await asyncio.sleep(0)

    @abc.abstractmethod
    async def wait_closed(self) -> None:
        """Wait until the connection is closed, TCP included."""

    async def _raise_closed(self) -> None:
        """Raise ConnectionClosed, as soon as it is complete."""
        if not self.protocol.settled:
            await self.wait_closed()
        raise self.protocol.close_exc

    async def _send_fragments(
        self,
        message: Iterable[DataLike] | AsyncIterable[DataLike],
        text: bool | None,
        compress: bool | None,
    ) -> None:
        """Send a fragmented message (§5.4): a fragment for each item, and an empty last one."""
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
        self._io.flush()
        self._sends += 1

    def _stop_fragments(self) -> None:
        """Wake the sends that wait for a fragmented message: the connection is closed."""
        if self._fragments_sent is not None and not self._fragments_sent.done():
            self._fragments_sent.set_result(None)


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
    """Make the error for a call from another thread, which could corrupt what is sent."""
    return RuntimeError(
        "a connection belongs to the event loop that opened it: from another thread, call "
        "asyncio.run_coroutine_threadsafe or loop.call_soon_threadsafe"
    )
