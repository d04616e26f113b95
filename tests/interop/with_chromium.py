"""Adapter for a page in headless Chromium, driven by selenium."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from selenium.webdriver import Chrome

from tests.interop.adapters import Adapter, Message, Peer

# Each script is the body of a function whose last argument is the callback for the result.
OPEN = """
const [uri, done] = arguments;
const socket = new WebSocket(uri);
socket.binaryType = "blob";
window.peer = {socket, messages: [], waiting: null};
socket.onmessage = ({data}) => {
  if (peer.waiting) { peer.waiting(data); peer.waiting = null; } else peer.messages.push(data);
};
peer.closed = new Promise((closed) => {
  socket.onclose = ({code, reason}) => { closed([code, reason]); done("closed"); };
});
socket.onopen = () => done("open");
"""
SEND_TEXT = """
const [text, done] = arguments;
peer.socket.send(text);
done();
"""
SEND_BYTES = """
const [encoded, done] = arguments;
peer.socket.send(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
done();
"""
RECEIVE = """
const [done] = arguments;
const give = (data) => {
  if (typeof data === "string") { done(["text", data]); return; }
  const reader = new FileReader();
  reader.onload = () => done(["bytes", reader.result.split(",")[1] ?? ""]);
  reader.readAsDataURL(data);
};
if (peer.messages.length) give(peer.messages.shift()); else peer.waiting = give;
"""
CLOSE = """
const [code, reason, done] = arguments;
peer.socket.close(code, reason);
done();
"""
WAIT_CLOSED = """
const [done] = arguments;
peer.closed.then(done);
"""


class ChromiumPeer(Peer):
    def __init__(self, browser: Chrome) -> None:
        super().__init__()
        self.browser = browser

    async def run(self, script: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(self.browser.execute_async_script, script, *arguments)

    async def send(self, message: Message) -> None:
        if isinstance(message, str):
            await self.run(SEND_TEXT, message)
        else:
            await self.run(SEND_BYTES, base64.b64encode(message).decode())

    async def recv(self) -> Message:
        kind, data = await self.run(RECEIVE)
        assert isinstance(data, str)
        return data if kind == "text" else base64.b64decode(data)

    async def close(self, code: int, reason: str) -> None:
        await self.run(CLOSE, code, reason)

    async def wait_closed(self) -> tuple[int, str]:
        code, reason = await self.run(WAIT_CLOSED)
        return code, reason


class Chromium(Adapter):
    name = "chromium"
    lacks: ClassVar = {
        "serve": "a browser has no server",
        "send fragments": "the WebSocket API of a page sends whole messages",
        "ping": "the WebSocket API of a page has no pings",
    }
    # The WebSocket API of a page allows no other codes.
    close_codes = frozenset({1000, 3000, 4999})

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        # Only a page of this machine may connect to it; the response to a plain request is one.
        await asyncio.to_thread(self.browser.get, uri.replace("ws:", "http:"))
        # Chromium always offers compression; the server decides whether to accept it.
        peer = ChromiumPeer(self.browser)
        assert await peer.run(OPEN, uri) == "open"
        yield peer
        await peer.close(1000, "")
