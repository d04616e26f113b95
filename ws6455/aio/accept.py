"""Turn any asyncio stream pair into a WebSocket connection.

RFC 6455 §4.2. For streams that `serve` does not open: of :func:`asyncio.start_server`, a tunnel, a
pipe. `serve` is faster, since it needs no task for reading.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from ..protocol.roles import AnyProtocol
from .server import serve
from .server_connection import ServerConnection
from .transport import TransportIO

__all__ = ["accept"]

_CHUNK = 1 << 16


async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **options: Any
) -> ServerConnection:
    """Perform the server's opening handshake on a stream pair.

    Args:
        reader: stream of the client's bytes; other code must not read from it.
        writer: stream to the client; other code must not write to it.
        options: options of :class:`~ws6455.aio.server.serve` that apply to one connection.

    Returns:
        The open connection; closing it closes the pair.

    Raises:
        InvalidHandshake: if the client was refused; the response has been sent.
        TypeError, ValueError: if an option is unknown or wrong.
        TimeoutError: if the connection is not open after `open_timeout`.
    """
    settings = serve(_no_handler, create_connection=_StreamConnection, **options)
    if settings.proxy_protocol:
        raise TypeError("the streams of accept() must begin after the PROXY header")
    unknown = [name for name, value in settings.listen_options.items() if value is not None]
    if unknown:
        raise TypeError(f"accept() takes no argument {', '.join(unknown)}")
    connection = settings.new_connection(None)
    assert isinstance(connection, _StreamConnection)
    connection.start(reader, writer)
    try:
        async with asyncio.timeout(settings.open_timeout):
            await connection.request_received
            if connection.request is not None:
                await connection.handshake(
                    settings.process_request, settings.process_response, settings.server_header
                )
    except BaseException:
        connection.go_away()
        raise
    if connection.protocol.handshake_exc is not None:
        raise connection.protocol.handshake_exc
    return connection


async def _no_handler(connection: ServerConnection) -> None:
    """Do nothing: the caller of :func:`accept` handles the connection."""


class _StreamIO(TransportIO):
    """I/O on a stream pair with a StreamReader."""

    def __init__(
        self,
        protocol: AnyProtocol,
        loop: asyncio.AbstractEventLoop,
        write_limit: int | tuple[int, int | None],
    ) -> None:
        super().__init__(protocol, loop, write_limit)
        self.may_close = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_read.set()

    def flush(self) -> None:
        """Write what the protocol has to send."""
        self.check_buffer()
        super().flush()
        self.check_buffer()

    def check_buffer(self) -> None:
        """Check if the transport's buffer is full: it reports that to the stream's own protocol."""
        assert self._transport is not None
        if self._transport.is_closing():
            self.may_read.set()  # so that the read loop notices the end
        high = self._transport.get_write_buffer_limits()[1]  # low, high
        self.writing_paused = self.unsent_bytes() > high

    def pause_reading(self) -> None:
        """Pause the read loop."""
        self.may_read.clear()

    def resume_reading(self) -> None:
        """Resume the read loop."""
        self.may_read.set()

    def abort(self) -> None:
        """Close the transport at once."""
        super().abort()
        self.may_read.set()
        self.may_close.set()

    def read_rest(self) -> Iterator[bytes]:
        """Yield nothing: the stream pair has closed its socket."""
        yield from ()

    def _close_sending(self) -> None:
        self.may_close.set()
        super()._close_sending()


class _StreamConnection(ServerConnection):
    """A connection with a task that reads from a StreamReader."""

    io_class = _StreamIO
    _io: _StreamIO

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start to use the stream pair."""
        self.request_received = self.loop.create_future()
        self._room_task: asyncio.Task[None] | None = None
        self.attach(writer)
        self._read_task = self.loop.create_task(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read until the end of the stream, pausing while the queue is full."""
        error: BaseException | None = None
        try:
            while data := await reader.read(_CHUNK):
                self.receive(data)
                if self.protocol.pongs_due:
                    await writer.drain()  # they wait until the buffer has room
                    self._io.flush()
                await self._io.may_read.wait()
            if self.receive_eof():
                await self._io.may_close.wait()
            writer.close()
            await writer.wait_closed()
        except OSError as exc:
            error = exc
        finally:
            writer.close()
            self.connection_lost(error)
            self._wake_accept()

    def _process_events(self) -> None:
        super()._process_events()
        if self.request is not None or self.protocol.handshake_exc is not None:
            self._wake_accept()

    def _wake_accept(self) -> None:
        if not self.request_received.done():
            self.request_received.set_result(None)

    def _await_room(self) -> None:
        if self._room_task is None:
            self._room_task = self.loop.create_task(self._resume_when_drained())

    async def _resume_when_drained(self) -> None:
        with contextlib.suppress(OSError):
            await self._io.drain()
        self._room_task = None
        self.resume_writing()

    async def _yield(self) -> None:
        await super()._yield()
        self._io.flush()
