"""The other end of a connection, byte by byte: what no proper peer would do, tests do with it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from ws6455 import Close, Frame, Opcode, Server
from ws6455.aio.server_connection import BaseServer
from ws6455.framing.frames import parse_header
from ws6455.framing.masking import apply_mask
from ws6455.protocol.handshake import accept_key

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()


def text(message: str, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, message.encode(), fin)


def close(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())


class RawPeer:
    """A stream pair on which frames are written and read one at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_client: bool
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.is_client = is_client

    def serialize(self, *frames: Frame | bytes) -> bytes:
        return b"".join(
            frame if isinstance(frame, bytes) else frame.serialize(mask=self.is_client)
            for frame in frames
        )

    def send(self, *frames: Frame | bytes) -> None:
        """Write frames, or bytes as they are, in one go."""
        self.writer.write(self.serialize(*frames))

    async def head(self) -> str:
        """Read a request or a response up to the empty line."""
        return (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")

    async def frame(self) -> Frame:
        """Read one frame."""
        data = b""
        while (header := parse_header(data, not self.is_client)) is None:
            data += await self.reader.readexactly(1)
        payload = await self.reader.readexactly(header.length)
        if header.key is not None:
            payload = apply_mask(payload, header.key)
        return Frame(header.opcode, payload, header.fin, header.rsv1)

    async def frames_to_end(self) -> list[Frame]:
        """Read frames until the other side closes TCP for sending."""
        frames: list[Frame] = []
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                frames.append(await self.frame())
        return frames

    async def answer_close(self) -> Frame:
        """Read frames up to a Close frame and echo it."""
        while (frame := await self.frame()).opcode is not Opcode.CLOSE:
            pass
        self.send(frame)
        return frame

    async def send_last(self, *frames: Frame | bytes) -> list[Frame]:
        """Send the last frames, a Close; read up to the answer to it and close TCP."""
        self.send(*frames)
        answers = [await self.frame()]
        while answers[-1].opcode is not Opcode.CLOSE:
            answers.append(await self.frame())
        await self.disconnect()
        return answers

    def reset(self) -> None:
        """Cut TCP with a reset."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    async def disconnect(self) -> None:
        """Close TCP."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def connect_raw(port: int) -> RawPeer:
    """Connect to a port, and send nothing."""
    return RawPeer(*await asyncio.open_connection("127.0.0.1", port), is_client=True)


def port_of(server: BaseServer) -> int:
    port = next(iter(server.sockets)).getsockname()[1]
    assert isinstance(port, int)
    return port


def uri_of(server: BaseServer, scheme: str = "ws") -> str:
    return f"{scheme}://localhost:{port_of(server)}/"


@contextlib.asynccontextmanager
async def raw_client(server: Server, request: bytes = REQUEST) -> AsyncIterator[RawPeer]:
    """Connect to a server and, unless `request` is empty, get through the opening handshake."""
    peer = await connect_raw(port_of(server))
    try:
        if request:
            peer.send(request)
            assert (await peer.head()).startswith("HTTP/1.1 101 ")
        yield peer
    finally:
        await peer.disconnect()


class RawServer:
    """A TCP server; it takes each client's request and leaves the rest to the test."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.clients: asyncio.Queue[tuple[RawPeer, str]] = asyncio.Queue()

    async def accept(self) -> RawPeer:
        """Take the next client through the opening handshake."""
        peer, request = await self.clients.get()
        peer.writer.write(switching_protocols(request))
        return peer


def switching_protocols(request: str, *headers: str) -> bytes:
    """Make the response that accepts a request, with more headers."""
    key = request.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *headers,
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


@contextlib.asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    """Serve raw peers; those that are left at the end are disconnected."""
    peers: list[RawPeer] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = RawPeer(reader, writer, is_client=False)
        peers.append(peer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            server.clients.put_nowait((peer, await peer.head()))

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 17)
    server = RawServer(f"ws://localhost:{listener.sockets[0].getsockname()[1]}/")
    try:
        yield server
    finally:
        listener.close()
        for peer in peers:
            await peer.disconnect()
        await listener.wait_closed()
