"""The limit: canned answers from a bare asyncio protocol that does not parse frames.

The server counts received bytes and sends the same prepared answer for every complete frame. It
needs to know the payload size, and relies on the payloads of the load.
"""

import asyncio
import base64
import hashlib
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from ..message import payload
from . import Options

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"(?i)\r\nsec-websocket-key: *(\S+)")
_RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)
_BUFFER_SIZE = 1 << 18


class _Raw(asyncio.BufferedProtocol):
    # All connections receive into one buffer, since its data is used at once.
    buffer = bytearray(_BUFFER_SIZE)

    def __init__(self, options: Options, transports: set[asyncio.Transport]) -> None:
        self.fan_out = options.fan_out
        self.transports = transports
        self.size = options.size
        self.head = b""
        self.answer = b""
        self.received = 0  # bytes of the incomplete frame
        self.frame_size = self.size + (6 if self.size < 126 else 8 if self.size < 1 << 16 else 14)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transports.discard(self.transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self.answer:
            nbytes = self.open(bytes(self.buffer[:nbytes]))
        frames, self.received = divmod(self.received + nbytes, self.frame_size)
        if not frames:
            return
        if self.fan_out:
            for transport in self.transports:
                transport.write(self.answer * frames)
        else:
            self.transport.write(self.answer * frames)

    def open(self, data: bytes) -> int:
        """Answer the request, prepare the answer, and return the number of bytes of frames."""
        if self.transport not in self.transports:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return 0
            match = _KEY.search(self.head)
            if match is None:
                self.transport.close()
                return 0
            accept = base64.b64encode(hashlib.sha1(match[1] + _GUID).digest())
            self.transport.write(_RESPONSE % accept)
            self.transports.add(self.transport)
            data = self.head.partition(b"\r\n\r\n")[2]
        if data:
            self.answer = _frame(data[0], self.size)
        return len(data)


def _frame(first: int, size: int) -> bytes:
    """Return a server's answer to a frame with this first byte."""
    if size < 126:
        header = struct.pack("!BB", first, size)
    elif size < 1 << 16:
        header = struct.pack("!BBH", first, 126, size)
    else:
        header = struct.pack("!BBQ", first, 127, size)
    return header + payload(size)


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""
    transports: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Raw(options, transports), "127.0.0.1", 0, ssl=options.tls
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
