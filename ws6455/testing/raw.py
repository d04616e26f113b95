"""A hostile peer: it sends any bytes, reads whatever comes, and ends as no proper peer would.

Of either role, over a real stream or one in memory.
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

from ..framing.frames import Frame, Opcode
from ..protocol.states import Side
from .memory import MemoryTransport
from .wire import LengthBits, RawFrame, opening_request, opening_response

__all__ = ["RawAcceptor", "RawPeer", "RawServer", "reset_stream"]

_CHUNK = 1 << 16


class RawPeer:
    """One end of a stream on which anything can be sent, and whatever comes is read.

    Every read is bounded, and so is :meth:`close`: a test fails rather than hangs.

    Example::

        async with await RawPeer.connect("127.0.0.1", port) as peer:
            await peer.open()
            peer.send_frame(Opcode.TEXT, b"not masked", masked=False)
            assert (await peer.frames_to_close())[-1].opcode == Opcode.CLOSE

    Args:
        reader: what it reads from.
        writer: what it writes to.
        side: the role it plays, which says whether its frames are masked.
        timeout: seconds that a read, and closing, may take.

    Attributes:
        was_reset: whether a read has met a reset.
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
        self.was_reset = False
        self._read = bytearray()  # and not yet a frame

    @classmethod
    async def connect(cls, host: str, port: int, **options: Any) -> Self:
        """Connect to a server, and send nothing.

        Args:
            host: where the server is.
            port: its TCP port.
            options: passed to :func:`asyncio.open_connection`, such as ``ssl``.

        Raises:
            OSError: if TCP or TLS fail.
        """
        return cls(*await asyncio.open_connection(host, port, **options), Side.CLIENT)

    # Sending ----------------------------------------------------------------------------

    def send(self, *items: bytes | RawFrame | Frame) -> None:
        """Write in one go: bytes and raw frames as they are, frames as the role sends them."""
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
            opcode: see :class:`~ws6455.testing.RawFrame`, here and below.
            data: the payload, not masked.
            fin: the FIN bit.
            rsv: the reserved bits.
            masked: whether to mask it; None as the role must.
            length: the length in the header, if it is not that of the payload.
            length_bits: the form of the length.

        Raises:
            OverflowError: if a number does not fit into its bits.
        """
        masked = self.side is Side.CLIENT if masked is None else masked
        key = os.urandom(4) if masked else None
        self.send(RawFrame(opcode, data, fin, rsv, key, length, length_bits))

    async def send_in_pieces(self, data: bytes, size: int = 1, pause: float = 0) -> None:
        """Write a few bytes at a time, each by itself.

        Args:
            data: what to send.
            size: bytes of a piece.
            pause: seconds after each. With none a peer on the same event loop still gets them
                apart; another process may not.
        """
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await self.writer.drain()
            await asyncio.sleep(pause)

    # The opening handshake --------------------------------------------------------------

    async def open(self, headers: Mapping[str, str | None] | None = None, path: str = "/") -> str:
        """Do this side of the opening handshake, with any headers in it.

        A client sends its request and reads the response; a server reads the request and sends
        its response. For another answer than that, use :meth:`head` and :meth:`send`.

        Args:
            headers: see :func:`~ws6455.testing.opening_request`.
            path: the request target, for a client.

        Returns:
            The head that the other side sent.

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
        """Read a request or a response up to its empty line, which is included.

        Raises:
            EOFError: if the stream ends before.
            ConnectionResetError: if it was reset.
            TimeoutError: if there is none within `timeout`.
        """
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            await self._read_more()
        head = self._read[: end + 4].decode("latin-1")
        del self._read[: end + 4]
        return head

    # Reading ----------------------------------------------------------------------------

    async def frame(self) -> RawFrame:
        """Read one frame, whatever its bits.

        Raises:
            EOFError: if the stream ends before.
            ConnectionResetError: if it was reset.
            TimeoutError: if there is none within `timeout`.
        """
        while (parsed := RawFrame.parse(self._read)) is None:
            await self._read_more()
        frame, size = parsed
        del self._read[:size]
        return frame

    async def frames_to_close(self) -> list[RawFrame]:
        """Read frames up to a Close frame, which is the last, or to the end of the stream.

        `was_reset` tells whether it ended by a reset. What follows a Close frame,
        :meth:`bytes_to_end` reads.

        Raises:
            TimeoutError: if nothing more comes, and no end either.
        """
        frames: list[RawFrame] = []
        with contextlib.suppress(EOFError, ConnectionResetError):
            while not frames or frames[-1].opcode != Opcode.CLOSE:
                frames.append(await self.frame())
        return frames

    async def bytes_to_end(self) -> bytes:
        """Read until the stream ends; `was_reset` tells whether by a reset.

        Raises:
            TimeoutError: if nothing more comes, and no end either.
        """
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                await self._read_more()
        data = bytes(self._read)
        self._read.clear()
        return data

    async def _read_more(self) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                data = await self.reader.read(_CHUNK)
        except ConnectionResetError:
            self.was_reset = True
            raise
        if not data:
            raise EOFError(f"the stream ends; {len(self._read)} bytes wait for more")
        self._read += data

    def stop_reading(self) -> None:
        """Take nothing more from the stream, until :meth:`go_on_reading`: buffers fill up."""
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    def go_on_reading(self) -> None:
        """Take bytes from the stream again."""
        cast(asyncio.Transport, self.writer.transport).resume_reading()

    # The end ----------------------------------------------------------------------------

    def end_sending(self) -> None:
        """Close the stream for sending alone."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Cut the stream with a reset."""
        reset_stream(self.writer)

    async def close(self) -> None:
        """Close the stream, and wait until it is closed.

        What the other side does not take within `timeout` is lost: it may be one that has stopped
        reading.
        """
        loop, transport = asyncio.get_running_loop(), self.writer.transport
        giving_up = loop.call_later(self.timeout, transport.abort)
        self.writer.close()
        try:
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()
        finally:
            giving_up.cancel()

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
    """What a raw server is over any kind of stream: a queue of peers, one for each client.

    Args:
        timeout: seconds that :meth:`accept`, and a peer's read, may take.
    """

    def __init__(self, *, timeout: float = 5) -> None:
        self._timeout = timeout
        self._peers: list[RawPeer] = []
        self._waiting: asyncio.Queue[RawPeer] = asyncio.Queue()
        self._left = False

    async def accept(self) -> RawPeer:
        """Give the peer of the next client; nothing is read yet, and nothing sent.

        Raises:
            TimeoutError: if no client comes within `timeout`.
        """
        async with asyncio.timeout(self._timeout):
            return await self._waiting.get()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a client's stream."""
        if self._left:
            writer.transport.abort()  # it had come already when this was left
            return
        peer = RawPeer(reader, writer, Side.SERVER, timeout=self._timeout)
        self._peers.append(peer)
        self._waiting.put_nowait(peer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left = True
        for peer in self._peers:
            await peer.close()


class RawServer(RawAcceptor):
    """A TCP server on 127.0.0.1 whose clients get a :class:`RawPeer` each.

    Example::

        async with RawServer() as server:
            connecting = asyncio.create_task(client_under_test(server.uri))
            peer = await server.accept()
            await peer.open({"Sec-WebSocket-Accept": "wrong"})

    Args:
        timeout: seconds that :meth:`accept`, and a peer's read, may take.

    Attributes:
        port: the TCP port, once the server is entered.
    """

    port = 0

    @property
    def uri(self) -> str:
        """Where to connect to."""
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
    """Close a stream at once, so that its peer sees a reset."""
    transport = writer.transport
    if isinstance(transport, MemoryTransport):
        transport.reset()
        return
    if not transport.is_closing():
        # No lingering: the system answers with a reset, not with the end of the stream.
        no_lingering = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_lingering
        )
    transport.abort()
