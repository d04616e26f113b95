"""A server made of wsproto, which has no I/O of its own, and asyncio's streams."""

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
    """One connection; ``everyone`` is all that are open."""

    def __init__(
        self, writer: asyncio.StreamWriter, everyone: set["_Connection"], options: Options
    ) -> None:
        self.writer = writer
        self.everyone = everyone
        self.options = options
        self.protocol = WSConnection(ConnectionType.SERVER)
        self.text: list[str] = []
        self.binary: list[bytes | bytearray] = []

    def receive(self, data: bytes) -> None:
        """Handle what has come, and answer all of it in one write."""
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
                    self.everyone.add(self)
                case Ping() | CloseConnection():
                    answers += self.protocol.send(event.response())
        if answers:
            self.writer.write(answers)

    def answer(self, message: TextMessage | BytesMessage) -> bytes:
        """Give what goes back to the sender; in a fan-out each gets its own at once."""
        if not self.options.fan_out:
            return self.protocol.send(message)
        for receiver in self.everyone:
            receiver.writer.write(receiver.protocol.send(message))
        return b""


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve for the length of the block; give the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer, everyone, options)
        with suppress(ConnectionError):
            while data := await reader.read(_READ_SIZE):
                connection.receive(data)
                await writer.drain()
                if connection.protocol.state is ConnectionState.CLOSED:
                    break  # It has answered a Close frame, and closes TCP first.
        everyone.discard(connection)
        writer.close()

    everyone: set[_Connection] = set()
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=options.tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
