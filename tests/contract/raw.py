"""The other end of a connection, byte by byte, on a blocking socket."""

import contextlib
import socket
import struct
from collections.abc import Iterator

from tests.aio.raw import REQUEST, close, switching_protocols, text
from ws6455 import Close, Frame, Opcode
from ws6455.framing.frames import parse_header
from ws6455.framing.masking import apply_mask

__all__ = ["REQUEST", "RawPeer", "close", "connect_raw", "listen_raw", "ping", "pong", "text"]


def ping(data: bytes) -> Frame:
    return Frame(Opcode.PING, data)


def pong(data: bytes) -> Frame:
    return Frame(Opcode.PONG, data)


class RawPeer:
    """A socket on which frames are written and read one at a time."""

    def __init__(self, sock: socket.socket, is_client: bool) -> None:
        self.sock = sock
        self.is_client = is_client
        self._file = sock.makefile("rb")

    def send(self, *frames: Frame | bytes) -> None:
        """Write frames, or bytes as they are, in one go."""
        self.sock.sendall(
            b"".join(
                frame if isinstance(frame, bytes) else frame.serialize(mask=self.is_client)
                for frame in frames
            )
        )

    def head(self) -> str:
        """Read a request or a response up to the empty line."""
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                raise EOFError(lines)
            lines += line
        return lines.decode("latin-1")

    def frame(self) -> Frame:
        """Read one frame."""
        data = b""
        while (header := parse_header(data, not self.is_client)) is None:
            byte = self._file.read(1)
            if not byte:
                raise EOFError
            data += byte
        payload = self._file.read(header.length)
        if header.key is not None:
            payload = apply_mask(payload, header.key)
        return Frame(header.opcode, payload, header.fin, header.rsv1)

    def frames_to_end(self) -> list[Frame]:
        """Read frames until the other side closes TCP for sending."""
        frames = []
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                frames.append(self.frame())
        return frames

    def answer_close(self) -> Close:
        """Read up to a Close frame, echo it and close TCP; return what it says."""
        while (frame := self.frame()).opcode is not Opcode.CLOSE:
            pass
        with contextlib.suppress(ConnectionError):
            self.send(frame)
        self.disconnect()
        return Close.parse(frame.data)

    def reset(self) -> None:
        """Cut TCP with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.disconnect()

    def disconnect(self) -> None:
        """Close TCP."""
        self._file.close()
        self.sock.close()


@contextlib.contextmanager
def connect_raw(port: int, request: bytes = REQUEST) -> Iterator[RawPeer]:
    """Connect to a server and, unless `request` is empty, send it."""
    peer = RawPeer(socket.create_connection(("127.0.0.1", port), timeout=10), is_client=True)
    try:
        if request:
            peer.send(request)
        yield peer
    finally:
        peer.disconnect()


class RawServer:
    """A socket that listens; it accepts one client at a time."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.uri = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        self.peers: list[RawPeer] = []

    def accept(self, *headers: str) -> RawPeer:
        """Take the next client through the opening handshake."""
        peer, request = self.accept_request()
        peer.send(switching_protocols(request, *headers))
        return peer

    def accept_request(self) -> tuple[RawPeer, str]:
        """Take the next client's request."""
        sock, _ = self._listener.accept()
        sock.settimeout(10)
        peer = RawPeer(sock, is_client=False)
        self.peers.append(peer)
        return peer, peer.head()


@contextlib.contextmanager
def listen_raw() -> Iterator[RawServer]:
    """Listen on a free port; the clients that are left at the end are disconnected."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        server = RawServer(listener)
        try:
            yield server
        finally:
            for peer in server.peers:
                peer.disconnect()
