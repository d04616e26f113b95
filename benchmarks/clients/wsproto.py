"""A client of wsproto, which does no I/O, on asyncio streams."""

import asyncio
from collections.abc import Awaitable, Callable

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)
from wsproto.extensions import Extension, PerMessageDeflate

from . import Flight, Options

_READ_SIZE = 1 << 16


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    protocol = WSConnection(ConnectionType.CLIENT)
    reader, writer = await asyncio.open_connection("127.0.0.1", options.port)
    try:
        await _open(protocol, reader, writer, options)
        await opened()
        await _keep_in_flight(protocol, reader, writer, options, flight)
    finally:
        writer.close()


async def _open(
    protocol: WSConnection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    options: Options,
) -> None:
    extensions: list[Extension] = [PerMessageDeflate()] if options.deflate else []
    host = f"127.0.0.1:{options.port}"
    writer.write(protocol.send(Request(host=host, target="/", extensions=extensions)))
    accepted = False
    while not accepted:
        data = await reader.read(_READ_SIZE)
        if not data:
            raise ConnectionError("ended during the opening handshake")
        protocol.receive_data(data)
        for event in protocol.events():
            accepted = isinstance(event, AcceptConnection)
            if not accepted:
                raise ConnectionError(f"refused: {event}")


async def _keep_in_flight(
    protocol: WSConnection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    options: Options,
    flight: Flight,
) -> None:
    message: TextMessage | BytesMessage
    if isinstance(options.message, str):
        message = TextMessage(data=options.message)
    else:
        message = BytesMessage(data=options.message)
    writer.write(b"".join(protocol.send(message) for _ in range(options.in_flight)))
    text: list[str] = []
    binary: list[bytes | bytearray] = []
    while data := await reader.read(_READ_SIZE):
        protocol.receive_data(data)
        replies = b""
        for event in protocol.events():
            match event:
                case TextMessage():
                    text.append(event.data)
                    if event.message_finished:
                        "".join(text)
                        text.clear()
                        flight.record_answer()
                        replies += protocol.send(message)
                case BytesMessage():
                    binary.append(event.data)
                    if event.message_finished:
                        b"".join(binary)
                        binary.clear()
                        flight.record_answer()
                        replies += protocol.send(message)
                case Ping() | CloseConnection():
                    replies += protocol.send(event.response())
        writer.write(replies)
        await writer.drain()
