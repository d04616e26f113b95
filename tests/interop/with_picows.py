"""Adapter for the `picows` package, which leaves fragments and Close frames to its user."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from tests.interop.adapters import MAX_SIZE, Adapter, Message, Peer


class PicowsPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.transport: WSTransport
        self.fragments: list[bytes] = []
        self.is_text = False

    def receive(self, frame: WSFrame) -> None:
        # Copy the payload: picows reuses the frame's memory after this call.
        data = frame.get_payload_as_bytes()
        if frame.msg_type == WSMsgType.PONG:
            self.pongs.put_nowait(data)
        elif frame.msg_type == WSMsgType.CLOSE:
            self.note_close(frame.get_close_code().value, frame.get_close_reason() or "")
            if not self.transport.is_close_frame_sent:
                self.transport.send_close(frame.get_close_code(), frame.get_close_message())
            self.transport.disconnect()
        elif frame.msg_type != WSMsgType.PING:
            if frame.msg_type != WSMsgType.CONTINUATION:
                self.is_text = frame.msg_type == WSMsgType.TEXT
            self.fragments.append(data)
            if frame.fin:
                whole = b"".join(self.fragments)
                self.fragments.clear()
                self.messages.put_nowait(whole.decode() if self.is_text else whole)

    async def send(self, message: Message) -> None:
        await self.send_fragments([message])

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        opcode = WSMsgType.TEXT if isinstance(fragments[0], str) else WSMsgType.BINARY
        for number, fragment in enumerate(fragments, 1):
            data = fragment.encode() if isinstance(fragment, str) else fragment
            self.transport.send(opcode, data, fin=number == len(fragments))
            opcode = WSMsgType.CONTINUATION

    async def ping(self, data: bytes) -> None:
        self.transport.send_ping(data)

    async def close(self, code: int, reason: str) -> None:
        self.transport.send_close(WSCloseCode(code), reason.encode())


class Listener(WSListener):
    def __init__(self, connected: asyncio.Future[Peer]) -> None:
        super().__init__()
        self.peer = PicowsPeer()
        self.connected = connected

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.peer.transport = transport
        self.connected.set_result(self.peer)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.peer.receive(frame)


class Picows(Adapter):
    name = "picows"
    lacks: ClassVar = {"compression": "it has none"}

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        connected: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        transport, _ = await picows.ws_connect(
            lambda: Listener(connected), uri, max_frame_size=MAX_SIZE
        )
        try:
            yield await connected
        finally:
            transport.disconnect()
            await transport.wait_disconnected()

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        first: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        server = await picows.ws_create_server(
            lambda _: Listener(first), "127.0.0.1", 0, max_frame_size=MAX_SIZE
        )
        try:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", first
        finally:
            server.close()
            await server.wait_closed()
