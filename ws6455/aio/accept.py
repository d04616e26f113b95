"""Turn any asyncio stream pair into a WebSocket connection.

RFC 6455 §4.2. For a stream that something else has made: a server of :func:`asyncio.start_server`,
a tunnel, a pipe. `serve` is faster, since it reads without a task of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from .server import serve
from .server_connection import ServerConnection

__all__ = ["accept"]

_CHUNK = 1 << 16


async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **options: Any
) -> ServerConnection:
    """Do the server's opening handshake on a stream pair.

    Args:
        reader: where the client's request comes from; nobody else may read from it.
        writer: where to answer; nobody else may write to it.
        options: those of :class:`~ws6455.aio.server.serve` that concern one connection.

    Returns:
        The open connection; closing it closes the pair.

    Raises:
        InvalidHandshake: if the client was refused; it has been told why.
        TypeError, ValueError: if an option is unknown or wrong.
        TimeoutError: if there is no connection after `open_timeout`.
    """
    choices = serve(_no_handler, create_connection=_StreamConnection, **options)
    unknown = [name for name, value in choices.listen_options.items() if value is not None]
    if unknown:
        raise TypeError(f"accept() takes no argument {', '.join(unknown)}")
    connection = choices.new_connection(None)
    assert isinstance(connection, _StreamConnection)
    connection.start(reader, writer)
    try:
        async with asyncio.timeout(choices.open_timeout):
            await connection.request_received
            if connection.request is not None:
                await connection.handshake(
                    choices.process_request, choices.process_response, choices.server_header
                )
    except BaseException:
        connection.go_away()
        raise
    if connection.protocol.handshake_exc is not None:
        raise connection.protocol.handshake_exc
    return connection


async def _no_handler(connection: ServerConnection) -> None:
    """Stand for the handler, which is whoever called :func:`accept`."""


class _StreamConnection(ServerConnection):
    """A connection that a task reads for, from a reader which is not the library's own."""

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the stream pair."""
        self.request_received = self.loop.create_future()
        self._may_close = asyncio.Event()
        self._room_task: asyncio.Task[None] | None = None
        self._may_read = asyncio.Event()
        self._may_read.set()
        self.attach(writer)
        self._write_high = writer.transport.get_write_buffer_limits()[1]  # low, high
        self._pump_task = self.loop.create_task(self._pump(reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read to the end, as long as there is room."""
        error: BaseException | None = None
        try:
            while data := await reader.read(_CHUNK):
                self.receive(data)
                if self.protocol.pongs_due:
                    await writer.drain()  # held back for want of room: wait for that
                    self._flush()
                await self._may_read.wait()
            if self.receive_eof():
                await self._may_close.wait()
            writer.close()
            await writer.wait_closed()
        except OSError as exc:
            error = exc
        finally:
            writer.close()
            self.connection_lost(error)
            self._wake_accept()

    def _attend(self) -> None:
        super()._attend()
        if self.request is not None or self.protocol.handshake_exc is not None:
            self._wake_accept()

    def _wake_accept(self) -> None:
        if not self.request_received.done():
            self.request_received.set_result(None)

    def _close_sending(self, writer: asyncio.StreamWriter) -> None:
        self._may_close.set()
        super()._close_sending(writer)

    def _pause_reading(self) -> None:
        self._may_read.clear()

    def _resume_reading(self) -> None:
        self._may_read.set()

    def _abort(self) -> None:
        super()._abort()
        self._may_read.set()
        self._may_close.set()

    def _flush(self) -> None:
        self._see_whether_full()
        super()._flush()
        self._see_whether_full()

    def _see_whether_full(self) -> None:
        """Look at the transport, which tells the stream's own protocol alone how it is."""
        assert self._transport is not None
        if self._transport.is_closing():
            self._may_read.set()  # so that its end is seen
        self._writing_paused = self._unsent_bytes() > self._write_high

    def _await_room(self) -> None:
        if self._room_task is None:
            self._room_task = self.loop.create_task(self._resume_when_drained())

    async def _resume_when_drained(self) -> None:
        assert self._writer is not None
        with contextlib.suppress(OSError):
            await self._writer.drain()
        self._room_task = None
        self._writing_paused = False
        self.resume_writing()

    async def _yield(self) -> None:
        await super()._yield()
        self._flush()
