"""The scenarios of the hot path: real connections and a minimal peer.

Both ends are Unix sockets on one event loop. The system delivers their bytes during the call that
writes them, so nothing depends on time. The code path is still that of a TCP connection, including
asyncio's transport and the library's direct writes to the socket.

Each scenario consists of equal rounds. A round ends when the peer has read everything that the
connection under test should have written; then the peer writes again. The code executed between the
ends of two rounds is therefore the whole cost of their messages, including the wait, the wake-up
and the turns of the event loop.
"""

import asyncio
import base64
import contextlib
import hashlib
import select
import socket
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import ws6455

__all__ = ["SCENARIOS", "Scenario", "run"]

WARM_UP = 5
ROUNDS = 20

_TEXT, _BINARY, _PING, _PONG, _FIN, _RSV1 = 0x1, 0x2, 0x9, 0xA, 0x80, 0x40
_MASKING_KEY = b"\x5a\x3c\xc3\xa5"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_REQUEST_DEFLATE = (
    _REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
_RECEIVERS = 100  # of a broadcast

_Handler = Callable[[ws6455.ServerConnection], Awaitable[None]]


def _frame(first: int, payload: bytes, masked: bool = True) -> bytes:
    """Build a frame of less than 64 KiB; `first` is its first byte."""
    size = len(payload)
    bit = 0x80 if masked else 0
    length = bytes([bit | size]) if size < 126 else bytes([bit | 126]) + size.to_bytes(2)
    head = bytes([first]) + length
    if not masked:
        return head + payload
    key = _MASKING_KEY * (size // 4 + 1)
    return head + _MASKING_KEY + bytes(a ^ b for a, b in zip(payload, key, strict=False))


def _text(size: int) -> bytes:
    """Return ASCII text."""
    words = b'{"id": 4711, "user": "alice", "text": "Hello, world!", "tags": ["a", "b"]} '
    return (words * (size // len(words) + 1))[:size]


class _Peer:
    """The other end of the connections under test: reads frames, counts rounds, and writes.

    Args:
        end: called at the end of a round.
        start_round: called to start the next round.
        answers: number of frames in a round.
    """

    def __init__(
        self, end: Callable[[], object], start_round: Callable[[], object], answers: int = 1
    ) -> None:
        self._end = end
        self._start_round = start_round
        self._answers = self._missing = answers
        self._rounds = 0
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, tuple[socket.socket, _Reader]] = {}
        # One epoll object for all sockets, so that reading from many takes one callback.
        self._epoll = select.epoll()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def __enter__(self) -> Self:
        self._loop.add_reader(self._epoll.fileno(), self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        for sock, _reader in self._sockets.values():
            sock.close()

    def add(self, sock: socket.socket, opened: Callable[[bytes], object]) -> None:
        """Read from a socket and close it at the end; `opened` is called with the head."""
        sock.setblocking(False)
        self._sockets[sock.fileno()] = (sock, _Reader(opened, self.frame_received))
        self._epoll.register(sock, select.EPOLLIN)

    def connect(
        self, path: str, request: bytes, opened: Callable[[bytes], object]
    ) -> socket.socket:
        """Connect to a server and send the request."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        self.add(sock, opened)
        sock.sendall(request)
        return sock

    def frame_received(self, first: int) -> None:
        """Count a frame, given by its first byte; a response can count as a frame too."""
        if first & 0x0F not in (_TEXT, _BINARY, _PONG):
            self._fail(f"the connection under test sent a frame that begins with {first:#x}")
        self._missing -= 1
        if self._missing:
            return
        self._missing = self._answers
        self._end()
        self._rounds += 1
        if self._rounds <= WARM_UP + ROUNDS:
            self._start_round()
        elif not self.done.done():
            self.done.set_result(None)

    def _read(self) -> None:
        for fd, _ in self._epoll.poll(0):
            sock, reader = self._sockets[fd]
            try:
                data = sock.recv(1 << 16)
            except ConnectionError:
                data = b""
            if data:
                reader.read(data)
            else:
                self._epoll.unregister(fd)
                self._fail("the connection under test ended")

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


class _Reader:
    """Parser of one connection's data: the head of its handshake, then frames.

    Args:
        opened: called with the head.
        frame: called with the first byte of each frame.
    """

    def __init__(self, opened: Callable[[bytes], object], frame: Callable[[int], object]) -> None:
        self._opened: Callable[[bytes], object] | None = opened
        self._frame = frame
        self._unread = b""

    def read(self, data: bytes) -> None:
        """Parse received data."""
        self._unread += data
        if self._opened is not None:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            opened, self._opened = self._opened, None
            self._unread = rest
            opened(head)
        while len(self._unread) >= 2:
            size = 2 + (4 if self._unread[1] & 0x80 else 0) + (self._unread[1] & 0x7F)
            if self._unread[1] & 0x7F == 126:
                size += 2 - 126 + int.from_bytes(self._unread[2:4])
            if len(self._unread) < size:
                return
            first, self._unread = self._unread[0], self._unread[size:]
            self._frame(first)


async def _echo(connection: ws6455.ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def _server(handler: _Handler) -> AsyncIterator[str]:
    """Run a server; yield the path of its socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "socket")
        async with ws6455.unix_serve(handler, path):
            yield path


async def _server_scenario(
    end: Callable[[], object],
    reads: Sequence[bytes],
    answers: int = 1,
    request: bytes = _REQUEST,
) -> None:
    """Send data to an echo server in every round, such that one read receives it.

    Args:
        end: called at the end of a round.
        reads: data of the rounds in order; the last item is repeated.
        answers: number of frames that the server writes in a round.
        request: request of the opening handshake.
    """
    coming = list(reads)

    def start_round() -> None:
        sock.sendall(coming.pop(0) if len(coming) > 1 else coming[0])

    def opened(head: bytes) -> None:
        if (b"permessage-deflate" in head) is (request == _REQUEST):
            raise RuntimeError(f"compression was negotiated wrongly: {head!r}")
        start_round()

    async with _server(_echo) as path:
        with _Peer(end, start_round, answers) as peer:
            sock = peer.connect(path, request, opened)
            await peer.done


async def _deflate(end: Callable[[], object]) -> None:
    """Echo a compressed message, with context takeover as by default."""
    compressor = zlib.compressobj(wbits=-12)
    reads = []
    for _ in range(WARM_UP + ROUNDS + 1):
        data = compressor.compress(_text(1024)) + compressor.flush(zlib.Z_SYNC_FLUSH)
        reads.append(_frame(_FIN | _RSV1 | _TEXT, data[:-4]))
    await _server_scenario(end, reads, request=_REQUEST_DEFLATE)


async def _broadcast(end: Callable[[], object]) -> None:
    """Broadcast each message to all connections."""
    connections: list[ws6455.ServerConnection] = []
    all_open = asyncio.Event()

    async def handler(connection: ws6455.ServerConnection) -> None:
        connections.append(connection)
        if len(connections) == _RECEIVERS:
            all_open.set()
        async for message in connection:
            ws6455.broadcast(connections, message)

    def start_round() -> None:
        sock.sendall(read)

    read = _frame(_FIN | _BINARY, bytes(64))
    async with _server(handler) as path:
        with _Peer(end, start_round, _RECEIVERS) as peer:
            for _ in range(_RECEIVERS):
                sock = peer.connect(path, _REQUEST, lambda head: None)
            await all_open.wait()
            start_round()
            await peer.done


async def _handshake(end: Callable[[], object]) -> None:
    """Do an opening handshake in every round, from the accepted socket to the response."""

    def start_round() -> None:
        # The response counts as the round's only frame.
        peer.connect(path, _REQUEST, lambda head: peer.frame_received(_BINARY))

    async with _server(_echo) as path:
        with _Peer(end, start_round) as peer:
            start_round()
            await peer.done


async def _client(end: Callable[[], object]) -> None:
    """Send a message and receive its echo in every round."""

    def start_round() -> None:
        theirs.sendall(echo)

    def accept(head: bytes) -> None:
        key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        digest = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        theirs.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + digest + b"\r\n\r\n"
        )

    async def talk() -> None:
        async with ws6455.connect("ws://127.0.0.1/", sock=ours) as websocket:
            with contextlib.suppress(ws6455.ConnectionClosed):  # the peer closes at the end
                while True:
                    await websocket.send(message)
                    await websocket.recv()

    message = bytes(64)
    echo = _frame(_FIN | _BINARY, message, masked=False)
    ours, theirs = socket.socketpair()
    talking = asyncio.create_task(talk())
    with _Peer(end, start_round) as peer:
        peer.add(theirs, accept)
        await asyncio.wait([talking, peer.done], return_when=asyncio.FIRST_COMPLETED)
        if peer.done.done():
            peer.done.result()  # raises the peer's exception
    await talking


@dataclass(frozen=True)
class Scenario:
    """A repeated operation of the library.

    Attributes:
        name: name in the table and the baseline.
        play: coroutine function that runs all rounds and calls its argument at the end of each.
        messages: number of messages, receivers or handshakes in a round.
    """

    name: str
    play: Callable[[Callable[[], object]], Awaitable[None]]
    messages: int = 1


def _echoing(*reads: bytes, answers: int = 1) -> Callable[[Callable[[], object]], Awaitable[None]]:
    return lambda end: _server_scenario(end, reads, answers)


_FRAGMENTED = _frame(_BINARY, bytes(64)) + _frame(0, bytes(64)) * 2 + _frame(_FIN, bytes(64))
SCENARIOS = (
    Scenario("server: echo 64 B binary", _echoing(_frame(_FIN | _BINARY, bytes(64)))),
    Scenario("server: echo 64 B text", _echoing(_frame(_FIN | _TEXT, _text(64)))),
    Scenario("server: echo 8 KiB binary", _echoing(_frame(_FIN | _BINARY, bytes(8192)))),
    Scenario(
        "server: echo 64 B, 16 in a read",
        _echoing(_frame(_FIN | _BINARY, bytes(64)) * 16, answers=16),
        messages=16,
    ),
    Scenario("server: echo 1 KiB deflated", _deflate),
    Scenario("server: echo of 4 fragments", _echoing(_FRAGMENTED)),
    Scenario("server: ping answered", _echoing(_frame(_FIN | _PING, b"ping"))),
    Scenario("server: opening handshake", _handshake),
    Scenario("broadcast 64 B, per receiver", _broadcast, messages=_RECEIVERS),
    Scenario("client: send and recv 64 B", _client),
)


def run(scenario: Scenario, end: Callable[[], object]) -> None:
    """Run a scenario on a new event loop; the first `WARM_UP` rounds should not be counted.

    Args:
        scenario: the scenario.
        end: called at the end of every round.

    Raises:
        RuntimeError: the connection under test answers wrongly.
        TimeoutError: the connection under test does not answer.
    """
    with asyncio.Runner(debug=False, loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_within_a_minute(scenario.play(end)))


async def _within_a_minute(playing: Awaitable[None]) -> None:
    async with asyncio.timeout(60):
        await playing
