"""A server of wsproto, which does no I/O, on asyncio streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)
from wsproto.extensions import Extension, PerMessageDeflate

from . import Options

_READ_SIZE = 1 << 16


class _Connection:
    """One connection; ``connections`` is the set of open connections."""

    def __init__(
        self, writer: asyncio.StreamWriter, connections: set["_Connection"], options: Options
    ) -> None:
        self.writer = writer
        self.connections = connections
        self.options = options
        self.protocol = WSConnection(ConnectionType.SERVER)
        self.text: list[str] = []
        self.binary: list[bytes | bytearray] = []

    def receive(self, data: bytes) -> None:
        """Handle received data, and send all answers in one write."""
        self.protocol.receive_data(data)
        answers = b""
        for event in self.protocol.events():
            match event:
                case TextMessage():
                    self.text.append(event.data)
                    if event.message_finished:
                        answers += self.answer(TextMessage(data="".join(self.text)))
                        self.text.clear()
                case BytesMessage():
                    self.binary.append(event.data)
                    if event.message_finished:
                        answers += self.answer(BytesMessage(data=b"".join(self.binary)))
                        self.binary.clear()
                case Request():
                    extensions: list[Extension] = []
                    if self.options.deflate:
                        extensions.append(PerMessageDeflate())
                    answers += self.protocol.send(AcceptConnection(extensions=extensions))
                    self.connections.add(self)
                case Ping() | CloseConnection():
                    answers += self.protocol.send(event.response())
        if answers:
            self.writer.write(answers)

    def answer(self, message: TextMessage | BytesMessage) -> bytes:
        """Return the data for the sender; in a fan-out, write to all connections instead."""
        if not self.options.fan_out:
            return self.protocol.send(message)
        for receiver in self.connections:
            receiver.writer.write(receiver.protocol.send(message))
        return b""


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer, connections, options)
        with suppress(ConnectionError):
            while data := await reader.read(_READ_SIZE):
                connection.receive(data)
                await writer.drain()
                if connection.protocol.state is ConnectionState.CLOSED:
                    break  # A Close frame was answered; the server closes TCP first.
        connections.discard(connection)
        writer.close()

    connections: set[_Connection] = set()
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=options.tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
