"""A hostile peer, which sends any bytes, reads any bytes, and closes in any way.

It plays either role, over a real stream or a stream in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

from ..framing.frames import Close, Frame, Opcode, parse_header
from ..protocol.states import Side
from .memory import MemoryTransport
from .wire import LengthBits, RawFrame, opening_request, opening_response

__all__ = ["RawAcceptor", "RawPeer", "RawServer", "reset_stream"]

_CHUNK = 1 << 16
_LONGEST_HEADER = 14  # bytes


class RawPeer:
    """One end of a stream, which can send and receive any bytes.

    Every read, and :meth:`close`, has a timeout, so that a test fails rather than hangs.

    Example::

        async with await RawPeer.connect("127.0.0.1", port) as peer:
            await peer.open()
            peer.send_frame(Opcode.TEXT, b"not masked", masked=False)
            assert (await peer.frames_to_close())[-1].opcode == Opcode.CLOSE

    Args:
        reader: the stream to read from.
        writer: the stream to write to.
        side: the role of the peer, which determines whether its frames are masked.
        timeout: seconds that a read, and closing, may take.

    Attributes:
        was_reset: whether a read found that the stream was reset.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        side: Side,
        *,
        timeout: float = 5,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.side = side
        self.timeout = timeout
        self.was_reset: bool = False
        self._buffer = bytearray()  # bytes read, but not consumed yet

    @classmethod
    async def connect(cls, host: str, port: int, **options: Any) -> Self:
        """Connect to a server without sending anything.

        Args:
            host: name or address of the server.
            port: its TCP port.
            options: passed to :func:`asyncio.open_connection`, such as ``ssl``.

        Raises:
            OSError: if TCP or TLS fails.
        """
        return cls(*await asyncio.open_connection(host, port, **options), Side.CLIENT)

    # Sending ----------------------------------------------------------------------------

    def send(self, *items: bytes | RawFrame | Frame) -> None:
        """Write all items together.

        Bytes and raw frames are sent unchanged. A :class:`~ws6455.Frame` is masked if the role
        requires it.
        """
        self.writer.write(b"".join(map(self._serialize, items)))

    def _serialize(self, item: bytes | RawFrame | Frame) -> bytes:
        if isinstance(item, Frame):
            return item.serialize(mask=self.side is Side.CLIENT)
        return item.serialize() if isinstance(item, RawFrame) else item

    def send_frame(
        self,
        opcode: int,
        data: bytes = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
        masked: bool | None = None,
        length: int | None = None,
        length_bits: LengthBits | None = None,
    ) -> None:
        """Write a frame with any bits.

        Args:
            opcode: the opcode, 0 to 15; see :class:`~ws6455.testing.RawFrame` for all arguments.
            data: the payload, not masked.
            fin: the FIN bit.
            rsv: the reserved bits.
            masked: whether to mask the frame; None for what the role requires.
            length: the length in the header, if it is not that of the payload.
            length_bits: the form of the length.

        Raises:
            OverflowError: if a number does not fit into its bits.
        """
        masked = self.side is Side.CLIENT if masked is None else masked
        key = os.urandom(4) if masked else None
        self.send(RawFrame(opcode, data, fin, rsv, key, length, length_bits))

    async def send_in_pieces(self, data: bytes, size: int = 1, pause: float = 0) -> None:
        """Write bytes in separate pieces.

        Args:
            data: the bytes to send.
            size: the size of a piece in bytes.
            pause: seconds to wait after each piece. Without a pause, a peer in the same event
                loop still receives the pieces separately; another process may not.
        """
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await self.writer.drain()
            await asyncio.sleep(pause)

    # The opening handshake --------------------------------------------------------------

    async def open(self, headers: Mapping[str, str | None] | None = None, path: str = "/") -> str:
        """Perform this side of the opening handshake, with any headers.

        A client sends its request and reads the response; a server reads the request and sends
        its response. To send a different response, use :meth:`head` and :meth:`send`.

        Args:
            headers: see :func:`~ws6455.testing.opening_request`.
            path: the request target, for a client.

        Returns:
            The head sent by the other side.

        Raises:
            EOFError, ConnectionResetError, TimeoutError: see :meth:`head`.
        """
        if self.side is Side.CLIENT:
            self.send(opening_request(path, headers))
            return await self.head()
        request = await self.head()
        self.send(opening_response(request, headers))
        return request

    async def head(self) -> str:
        """Read the head of a request or a response, including the empty line.

        Raises:
            EOFError: if the stream ends first.
            ConnectionResetError: if the stream was reset.
            TimeoutError: if nothing more arrives within `timeout`.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            await self._read_more()
        head = self._buffer[: end + 4].decode("latin-1")
        del self._buffer[: end + 4]
        return head

    # Reading ----------------------------------------------------------------------------

    async def frame(self) -> RawFrame:
        """Read one frame with any bits.

        Raises:
            EOFError: if the stream ends first.
            ConnectionResetError: if the stream was reset.
            TimeoutError: if nothing more arrives within `timeout`.
        """
        while (parsed := RawFrame.parse(self._buffer)) is None:
            await self._read_more()
        frame, size = parsed
        del self._buffer[:size]
        return frame

    async def valid_frame(self) -> Frame:
        """Read one frame, which must be valid (RFC 6455 §5.2 to §5.5).

        RSV1 may be set, except in a control frame. A compressed payload is not decompressed.

        Raises:
            ProtocolError: if the frame is invalid, or not masked as the other side's role
                requires. :meth:`frame` still reads it.
            EOFError: if the stream ends first.
            ConnectionResetError: if the stream was reset.
            TimeoutError: if nothing more arrives within `timeout`.
        """
        masked = self.side is Side.SERVER
        while (header := parse_header(bytes(self._buffer[:_LONGEST_HEADER]), masked)) is None:
            await self._read_more()
        raw = await self.frame()
        return Frame(header.opcode, raw.data, header.fin, header.rsv1)

    async def frames_to_close(self) -> list[RawFrame]:
        """Read frames up to and including a Close frame, or to the end of the stream.

        `was_reset` is True if the stream ended with a reset. :meth:`bytes_to_end` reads the bytes
        after a Close frame.

        Raises:
            TimeoutError: if neither more bytes nor the end arrive within `timeout`.
        """
        frames: list[RawFrame] = []
        with contextlib.suppress(EOFError, ConnectionResetError):
            while not frames or frames[-1].opcode != Opcode.CLOSE:
                frames.append(await self.frame())
        return frames

    async def exact_bytes(self, size: int) -> bytes:
        """Read `size` bytes, such as the body of a response.

        Raises:
            EOFError: if the stream ends first.
            ConnectionResetError: if the stream was reset.
            TimeoutError: if nothing more arrives within `timeout`.
        """
        while len(self._buffer) < size:
            await self._read_more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def bytes_to_end(self) -> bytes:
        """Read until the stream ends; `was_reset` is True if it ended with a reset.

        Raises:
            TimeoutError: if neither more bytes nor the end arrive within `timeout`.
        """
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                await self._read_more()
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    async def _read_more(self) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                data = await self.reader.read(_CHUNK)
        except ConnectionResetError:
            self.was_reset = True
            raise
        if not data:
            raise EOFError(f"the stream has ended; {len(self._buffer)} bytes are incomplete")
        self._buffer += data

    def stop_reading(self) -> None:
        """Stop reading from the stream until :meth:`go_on_reading`, so that buffers fill up."""
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    def go_on_reading(self) -> None:
        """Resume reading from the stream."""
        cast(asyncio.Transport, self.writer.transport).resume_reading()

    # The end ----------------------------------------------------------------------------

    async def answer_close(self) -> Close:
        """Read frames up to a Close frame, and send it back (§5.5.1).

        The other frames are dropped. The stream is not closed; see :meth:`close`.

        Returns:
            The code and the reason of the Close frame.

        Raises:
            ProtocolError: if a frame is invalid; see :meth:`valid_frame`.
            EOFError: if the stream ends first.
            ConnectionResetError: if the stream was reset.
            TimeoutError: if nothing more arrives within `timeout`.
        """
        while (frame := await self.valid_frame()).opcode is not Opcode.CLOSE:
            pass
        self.send(frame)
        return Close.parse(frame.data)

    def end_sending(self) -> None:
        """Close the sending side of the stream."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Reset the stream."""
        reset_stream(self.writer)

    async def close(self) -> None:
        """Close the stream, and wait until it is closed.

        The other side may have stopped reading. Bytes that it does not read within `timeout` are
        lost.
        """
        loop, transport = asyncio.get_running_loop(), self.writer.transport
        abort_timer = loop.call_later(self.timeout, transport.abort)
        self.writer.close()
        try:
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()
        finally:
            abort_timer.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class RawAcceptor:
    """Base class of raw servers, with a queue of peers, one for each client.

    Args:
        timeout: seconds that :meth:`accept`, and a peer's read, may take.
    """

    def __init__(self, *, timeout: float = 5) -> None:
        self._timeout = timeout
        self._peers: list[RawPeer] = []
        self._not_accepted: asyncio.Queue[RawPeer] = asyncio.Queue()
        self._closed = False

    async def accept(self) -> RawPeer:
        """Return the peer of the next client; nothing has been read or sent yet.

        Raises:
            TimeoutError: if no client connects within `timeout`.
        """
        async with asyncio.timeout(self._timeout):
            return await self._not_accepted.get()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Create the peer for a client's stream."""
        if self._closed:
            writer.transport.abort()  # the client connected while the server was closing
            return
        peer = RawPeer(reader, writer, Side.SERVER, timeout=self._timeout)
        self._peers.append(peer)
        self._not_accepted.put_nowait(peer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        for peer in self._peers:
            await peer.close()


class RawServer(RawAcceptor):
    """A TCP server on 127.0.0.1, with a :class:`RawPeer` for each client.

    Example::

        async with RawServer() as server:
            connecting = asyncio.create_task(client_under_test(server.uri))
            peer = await server.accept()
            await peer.open({"Sec-WebSocket-Accept": "wrong"})

    Args:
        timeout: seconds that :meth:`accept`, and a peer's read, may take.

    Attributes:
        port: the TCP port, once the context is entered.
    """

    port: int = 0

    @property
    def uri(self) -> str:
        """The URI for clients."""
        return f"ws://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        await super().__aexit__(exc_type, exc_value, traceback)


def reset_stream(writer: asyncio.StreamWriter) -> None:
    """Close a stream immediately, so that its peer receives a reset."""
    transport = writer.transport
    if isinstance(transport, MemoryTransport):
        transport.reset()
        return
    if not transport.is_closing():
        # Without lingering, the system sends a reset in place of the end of the stream.
        no_lingering = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_lingering
        )
    transport.abort()
