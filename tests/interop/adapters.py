"""What the interoperation tests ask of another implementation, whichever it is."""

import abc
import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

Message = str | bytes

# Above what the tests send; a limit that a peer needs to be given.
MAX_SIZE = 1 << 25


class Peer(abc.ABC):
    """The other implementation's end of one connection.

    A subclass reads all the time, and puts what it has received where the tests wait for it.
    """

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        #: The code and the reason of the Close frame received.
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def note_close(self, code: int, reason: str) -> None:
        """Take the end of the connection; the first that tells of it is right."""
        if not self.closed.done():
            self.closed.set_result((code, reason))

    @abc.abstractmethod
    async def send(self, message: Message) -> None:
        """Send a message."""

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        """Send a message in fragments."""
        raise NotImplementedError

    async def ping(self, data: bytes) -> None:
        """Send a ping; its pong will be in `pongs`."""
        raise NotImplementedError

    async def recv(self) -> Message:
        """Wait for the next message, whole."""
        return await self.messages.get()

    @abc.abstractmethod
    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    async def wait_closed(self) -> tuple[int, str]:
        """Wait for the other side's Close frame; give its code and reason."""
        return await self.closed


Connecting = AbstractAsyncContextManager[Peer]
# The address, and the end of the first connection.
Serving = AbstractAsyncContextManager[tuple[str, asyncio.Future[Peer]]]


class Adapter(abc.ABC):
    """One other implementation.

    Attributes:
        name: in the names of the tests.
        lacks: what it cannot do, and why: ``"serve"``, ``"compression"``, ``"send fragments"``,
            ``"ping"``.
        close_codes: those that it can be told to send.
    """

    name: ClassVar[str]
    lacks: ClassVar[Mapping[str, str]] = {}
    close_codes: ClassVar[frozenset[int]] = frozenset({1000, 1001, 1011, 3000, 4999})

    @abc.abstractmethod
    def connect(self, uri: str, compression: bool) -> Connecting:
        """Connect its client."""

    def serve(self, compression: bool) -> Serving:
        """Run its server."""
        raise NotImplementedError
