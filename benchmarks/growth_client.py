"""A minimal WebSocket client for the growth measurements."""

import contextlib
import socket
import struct
from types import TracebackType
from typing import NamedTuple, Self

from .message import masked_header

__all__ = ["REQUEST", "Probe", "RawClient", "fragmented_message", "masked_frame"]

REQUEST = (
    b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_MASKING_KEY = b"\x5a\x3c\xc3\xa5"
_MASKED = bytes(byte ^ 0x61 for byte in _MASKING_KEY)  # four letters "a"
_TIMEOUT = 60.0
_CHUNK = 1 << 18


def masked_frame(
    size: int, text: bool = False, opcode: int | None = None, fin: int = 0x80
) -> bytes:
    """Build a client's frame with a payload of letters.

    Args:
        size: payload size in bytes.
        text: True for a Text frame, False for a Binary frame.
        opcode: replaces the opcode of Text or Binary.
        fin: 0x80 if the frame ends a message, else 0.
    """
    first = fin | ((1 if text else 2) if opcode is None else opcode)
    head = masked_header(first, size)
    return b"".join((head, _MASKING_KEY, _MASKED * (size >> 2), _MASKED[: size & 3]))


def fragmented_message(fragments: int, size: int) -> bytes:
    """Build a binary message of `fragments` fragments with `size` bytes of payload each."""
    if fragments == 1:
        return masked_frame(size)
    between = masked_frame(size, opcode=0, fin=0) * (fragments - 2)
    return masked_frame(size, fin=0) + between + masked_frame(size, opcode=0)


class Probe(NamedTuple):
    """Resources that a process has used so far.

    Attributes:
        cpu: CPU time in user and system mode, in seconds.
        memory: resident memory in bytes.
        peak: peak resident memory in bytes.
    """

    cpu: float
    memory: int
    peak: int


class RawClient:
    """A WebSocket client on a blocking socket.

    Args:
        port: port of the server on 127.0.0.1.
        path: path of the request.
        source: local address of the connection, one of 127.0.0.0/8.

    Raises:
        OSError: the connection failed or was lost; raised by every method.
    """

    def __init__(self, port: int, path: str = "/", source: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT, (source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Reset on close, since thousands of ports must not stay in TIME_WAIT.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self._socket.sendall(REQUEST % path.encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self._read(_CHUNK)
            if not head.startswith(b"HTTP/1.1 101 "):
                raise ConnectionError(f"the server refused: {head!r}")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close TCP at once."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def send(self, frames: bytes) -> None:
        """Send frames."""
        self._socket.sendall(frames)

    def command(self, text: str) -> None:
        """Send a Text message of less than 126 bytes."""
        data = text.encode()
        pad = _MASKING_KEY * (len(data) // 4 + 1)
        masked = bytes(a ^ b for a, b in zip(data, pad, strict=False))
        self.send(bytes([0x81, 0x80 | len(data)]) + _MASKING_KEY + masked)

    def receive(self) -> bytes:
        """Receive a data frame; a payload of 64 KiB or more is discarded.

        Returns:
            The payload, or b"" for a large one.

        Raises:
            OSError: also for a control frame, such as a Close frame.
        """
        first, length = self._read_exactly(2)
        if first not in (0x81, 0x82):
            raise ConnectionError(f"the server sent a frame that begins with {first:#x}")
        if length == 126:
            length = int.from_bytes(self._read_exactly(2))
        elif length == 127:
            length = int.from_bytes(self._read_exactly(8))
        if length < 1 << 16:
            return self._read_exactly(length)
        while length:
            length -= len(self._read(length))
        return b""

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def _read(self, size: int) -> bytes:
        data = self._socket.recv(min(size, _CHUNK))
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data
