"""Adapter for the `wsproto` package, which does no I/O, on asyncio streams."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection, events
from wsproto.connection import ConnectionState
from wsproto.extensions import PerMessageDeflate

from tests.interop.adapters import Adapter, Message, Peer


class WsprotoPeer(Peer):
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        role: ConnectionType,
        compression: bool,
    ) -> None:
        super().__init__()
        self.reader = reader
        self.writer = writer
        self.protocol = WSConnection(role)
        self.extensions = [PerMessageDeflate()] if compression else []
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parts: list[Message] = []

    def put(self, event: events.Event) -> None:
        self.writer.write(self.protocol.send(event))

    async def read(self) -> None:
        while data := await self.reader.read(1 << 16):
            self.protocol.receive_data(data)
            for event in self.protocol.events():
                self.receive(event)
        self.writer.close()

    def receive(self, event: events.Event) -> None:
        match event:
            case events.Request():
                self.put(events.AcceptConnection(extensions=[*self.extensions]))
                self.opened.set_result(None)
            case events.AcceptConnection():
                self.opened.set_result(None)
            case events.Ping():
                self.put(event.response())
            case events.Pong():
                self.pongs.put_nowait(bytes(event.payload))
            case events.CloseConnection():
                if self.protocol.state is ConnectionState.REMOTE_CLOSING:
                    self.put(event.response())
                self.note_close(event.code, event.reason or "")
                self.writer.close()
            case events.TextMessage() | events.BytesMessage():
                self.receive_part(event)

    def receive_part(self, event: events.TextMessage | events.BytesMessage) -> None:
        self.parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
        if event.message_finished:
            empty: Any = "" if isinstance(event, events.TextMessage) else b""
            self.messages.put_nowait(empty.join(self.parts))
            self.parts.clear()

    async def send(self, message: Message) -> None:
        await self.send_fragments([message])

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        for number, data in enumerate(fragments, 1):
            event: Any = events.TextMessage if isinstance(data, str) else events.BytesMessage
            self.put(event(data=data, message_finished=number == len(fragments)))
            await self.writer.drain()

    async def ping(self, data: bytes) -> None:
        self.put(events.Ping(payload=data))

    async def close(self, code: int, reason: str) -> None:
        self.put(events.CloseConnection(code=code, reason=reason))


class Wsproto(Adapter):
    name = "wsproto"

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        netloc = urlsplit(uri)
        assert netloc.hostname is not None
        streams = await asyncio.open_connection(netloc.hostname, netloc.port)
        peer = WsprotoPeer(*streams, ConnectionType.CLIENT, compression)
        request = events.Request(host=netloc.netloc, target="/", extensions=[*peer.extensions])
        peer.put(request)
        reading = asyncio.create_task(peer.read())
        try:
            await peer.opened
            yield peer
        finally:
            peer.writer.close()
            await reading

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        first: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = WsprotoPeer(reader, writer, ConnectionType.SERVER, compression)
            peer.opened.add_done_callback(lambda _: first.set_result(peer))
            with contextlib.suppress(ConnectionError):
                await peer.read()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", first
        finally:
            server.close()
            await server.wait_closed()
