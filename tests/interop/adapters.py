"""The interface through which the interoperability tests use other implementations."""

import abc
import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

Message = str | bytes

# The peers' limit of a received message, in bytes; above the messages of the tests.
MAX_SIZE = 1 << 25


class Peer(abc.ABC):
    """The other implementation's end of one connection.

    A subclass reads all the time; it fills `messages` and `pongs`, and sets `closed`.
    """

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        #: Code and reason of the received Close frame.
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def note_close(self, code: int, reason: str) -> None:
        """Record code and reason of the received Close frame; later calls have no effect."""
        if not self.closed.done():
            self.closed.set_result((code, reason))

    @abc.abstractmethod
    async def send(self, message: Message) -> None:
        """Send a message."""

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        """Send a message in fragments."""
        raise NotImplementedError

    async def ping(self, data: bytes) -> None:
        """Send a ping; the pong will be put in `pongs`."""
        raise NotImplementedError

    async def recv(self) -> Message:
        """Wait for the next complete message."""
        return await self.messages.get()

    @abc.abstractmethod
    async def close(self, code: int, reason: str) -> None:
        """Start the closing handshake."""

    async def wait_closed(self) -> tuple[int, str]:
        """Wait for the other side's Close frame; return its code and reason."""
        return await self.closed


Connecting = AbstractAsyncContextManager[Peer]
# Yields the address and a future of the first connection's peer.
Serving = AbstractAsyncContextManager[tuple[str, asyncio.Future[Peer]]]


class Adapter(abc.ABC):
    """Another implementation.

    Attributes:
        name: name in the test ids.
        lacks: missing abilities with their reasons: ``"serve"``, ``"compression"``,
            ``"send fragments"``, ``"ping"``.
        close_codes: close codes that it can send.
    """

    name: ClassVar[str]
    lacks: ClassVar[Mapping[str, str]] = {}
    close_codes: ClassVar[frozenset[int]] = frozenset({1000, 1001, 1011, 3000, 4999})

    @abc.abstractmethod
    def connect(self, uri: str, compression: bool) -> Connecting:
        """Connect the client of the implementation."""

    def serve(self, compression: bool) -> Serving:
        """Run the server of the implementation."""
        raise NotImplementedError
