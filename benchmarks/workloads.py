"""Work for `benchmarks.places`: small pieces of the library, and connections over TCP.

Each function takes a copy of the library (see `variants`) and an exit stack, and returns a function
without arguments: the work to time. Its result is the same for every copy.
"""

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from . import message
from .message import Message, payload
from .variants import Library

__all__ = [
    "EXCHANGES",
    "IN_A_READ",
    "RECEIVERS",
    "WRITES",
    "Work",
    "Workload",
    "broadcast",
    "connection_size",
    "echo",
    "head",
    "mask",
    "masked_frame",
    "receive",
    "receive_large",
    "send",
    "write",
]

Work = Callable[[], object]
Workload = Callable[[Library, ExitStack], Work]

EXCHANGES = 100  # of one call of `echo`'s work
IN_A_READ = 16
RECEIVERS = 100
WRITES = 50
_CONNECTIONS = 200
_TEXT, _BINARY = Message(64, text=True), Message(64)
_KEY = b"\x37\xfa\x21\x3d"


def receive(library: Library, stack: ExitStack) -> Work:
    """Receive a Text message of 64 bytes as a server, and take it."""
    open_state = library("protocol.states").OPEN
    protocol = library("protocol.server").ServerProtocol(state=open_state)
    receive_data, take = protocol.receive_data, protocol.queue.take
    frame = message.frame(_TEXT)

    def work() -> object:
        receive_data(frame)
        return take()

    return work


def receive_large(size: int, memory: bool = False) -> Workload:
    """Receive a Binary message as a server, in the pieces that a transport reads.

    Args:
        size: bytes of the message.
        memory: True returns the bytes that receiving takes at most, instead of the message.
    """

    def make(library: Library, stack: ExitStack) -> Work:
        open_state = library("protocol.states").OPEN
        protocol = library("protocol.server").ServerProtocol(state=open_state, max_size=None)
        shared_buffer = memoryview(bytearray(library("aio.streams").BUFFER_SIZE))
        stream = memoryview(message.frame(Message(size)))

        def work() -> object:
            position = 0
            while position < len(stream):
                own_buffer = protocol.receive_buffer()
                buffer = shared_buffer if own_buffer is None else own_buffer
                piece = stream[position : position + len(buffer)]
                buffer[: len(piece)] = piece  # as the system does
                position += len(piece)
                if own_buffer is None:
                    protocol.receive_data(buffer[: len(piece)])
                else:
                    own_buffer.release()
                    protocol.receive_in_place(len(piece))
            return protocol.queue.take()

        def peak() -> float:
            tracemalloc.start()
            work()
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return float(most)

        return peak if memory else work

    return make


def send(library: Library, stack: ExitStack) -> Work:
    """Send a Text message of 64 bytes as a server, without I/O."""
    open_state = library("protocol.states").OPEN
    protocol = library("protocol.server").ServerProtocol(state=open_state)
    send_message, take_writes = protocol.send_message, protocol.take_writes
    opcode = library("framing.frames").Opcode.TEXT
    data = payload(64)

    def work() -> object:
        send_message(opcode, data)
        return take_writes()

    return work


def masked_frame(library: Library, stack: ExitStack) -> Work:
    """Build a frame of 64 bytes with a random masking key, as a client."""
    frame_parts = library("framing.frames").frame_parts
    data = payload(64)
    return lambda: frame_parts(0x82, data, True)


def mask(size: int) -> Workload:
    """Mask a payload."""

    def make(library: Library, stack: ExitStack) -> Work:
        masking = library("framing.masking")
        data = payload(size)
        return lambda: masking.apply_mask(data, _KEY)

    return make


def head(library: Library, stack: ExitStack) -> Work:
    """Parse the head of a request that came in one piece."""
    parse_request = library("http1.head").parse_request
    reader_class = library("http1.head").HeadReader
    too_long = library("exceptions").SecurityError
    data = message.request(8765)

    def work() -> object:
        reader = reader_class(too_long)
        reader.feed(data)
        return parse_request(reader.lines)

    return work


def broadcast(compressed: bool) -> Workload:
    """Send one message of 64 bytes, or of 1 KiB compressed, on many connections, without I/O."""

    def make(library: Library, stack: ExitStack) -> Work:
        open_state = library("protocol.states").OPEN
        server = library("protocol.server").ServerProtocol
        shared_message = library("framing.shared_message").SharedMessage
        deflate = library("framing.deflate").PerMessageDeflate
        protocols = [server(state=open_state) for _ in range(RECEIVERS)]
        if compressed:
            for protocol in protocols:
                # The receivers' contexts end with each message, so that all frames are equal.
                protocol.deflate = deflate(True, True, 12, 12, {"memLevel": 5})
        data = payload(1024 if compressed else 64)

        def work() -> object:
            shared = shared_message(data, True)
            written = []
            for protocol in protocols:
                protocol.send_shared(shared)
                written.append(protocol.take_writes())
            return written

        return work

    return make


def connection_size(library: Library, stack: ExitStack) -> Work:
    """Return the bytes that a server's connection takes, without its transport and its task."""
    loop = asyncio.SelectorEventLoop()
    stack.callback(loop.close)

    async def measure() -> float:
        protocol = library("protocol.server").ServerProtocol
        connection = library("aio.server_connection").ServerConnection
        kept = [connection(protocol(), None)]
        gc.collect()  # also empties the free lists, whose memory would not be seen
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        kept += [connection(protocol(), None) for _ in range(_CONNECTIONS)]
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return (after - before) / _CONNECTIONS

    return lambda: loop.run_until_complete(measure())


# Over TCP -------------------------------------------------------------------------------


async def _echo(websocket: Any) -> None:
    async for received in websocket:
        await websocket.send(received)


class _Peer:
    """A server of a copy of the library, and a plain socket connected to it, on one event loop."""

    def __init__(self, library: Library, stack: ExitStack, handler: Callable[[Any], Any]) -> None:
        self.loop = asyncio.SelectorEventLoop()
        stack.callback(self.loop.close)
        self.socket = socket.socket()
        self._received = b""
        self._server: Any = None
        self.loop.run_until_complete(self._open(library, handler))
        stack.callback(lambda: self.loop.run_until_complete(self._close()))

    async def _open(self, library: Library, handler: Callable[[Any], Any]) -> None:
        self._server = await library("aio.server").serve(handler, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.socket.setblocking(False)
        await self.loop.sock_connect(self.socket, ("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        await self.loop.sock_sendall(self.socket, message.request(port))
        response = b""
        while not response.endswith(b"\r\n\r\n"):
            response += await self.loop.sock_recv(self.socket, 4096)

    async def _close(self) -> None:
        self.socket.close()
        self._server.close()
        await self._server.wait_closed()

    async def exchange(self, data: bytes, answer_size: int, count: int) -> bytes:
        """Write data and read an answer, many times; return the last answer."""
        loop, sock = self.loop, self.socket
        done: asyncio.Future[bytes] = loop.create_future()
        received = bytearray()

        def read() -> None:
            nonlocal count
            piece = sock.recv(1 << 16)
            received.extend(piece)
            if piece and len(received) < answer_size:
                return
            count -= 1
            if piece and count:
                received.clear()
                sock.send(data)
            else:
                done.set_result(bytes(received))

        loop.add_reader(sock, read)
        try:
            sock.send(data)
            return await done
        finally:
            loop.remove_reader(sock)


def echo(in_a_read: int = 1) -> Workload:
    """Echo Binary messages of 64 bytes, one or several in each read."""

    def make(library: Library, stack: ExitStack) -> Work:
        peer = _Peer(library, stack, _echo)
        data = message.frame(_BINARY) * in_a_read
        answer_size = (2 + 64) * in_a_read
        run = peer.loop.run_until_complete
        return lambda: run(peer.exchange(data, answer_size, EXCHANGES))

    return make


def write(library: Library, stack: ExitStack) -> Work:
    """Write frames of 64 bytes to the network, one by one, from the coroutine of a handler."""
    websockets: list[Any] = []

    async def handler(websocket: Any) -> None:
        websockets.append(websocket)
        await websocket.wait_closed()

    peer = _Peer(library, stack, handler)
    frame = library("framing.shared_message").SharedMessage(payload(64), False)
    size = WRITES * (2 + 64)

    async def exchange() -> bytes:
        send_shared = websockets[0].send_shared
        for _ in range(WRITES):
            send_shared(frame)
        received = b""
        while len(received) < size:
            received += await peer.loop.sock_recv(peer.socket, size)
        return received

    return lambda: peer.loop.run_until_complete(exchange())
