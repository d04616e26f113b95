"""The protocol without I/O with the members of `websockets`, and its reader for generators.

RFC 6455 §5, §7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any

from .. import exceptions
from ..framing import frames
from ..framing.frames import Opcode
from ..http1 import head
from ..protocol import client, protocol, server
from .exceptions import compatible
from .frames import Frame
from .http1 import Request, Response

__all__ = ["ClientProtocol", "Event", "Protocol", "ServerProtocol", "StreamReader"]

Event = Request | Response | Frame

_EVENTS: dict[type, Any] = {frames.Frame: Frame, head.Request: Request, head.Response: Response}


class Protocol(protocol.Protocol):
    """One end of a connection; see :class:`ws6455.Protocol`."""

    origin: str | None = None  # a connection that has had no opening handshake has none

    @property
    def parser_exc(self) -> Exception | None:
        """Why nothing more is read: the peer's violation, or None."""
        return None if self.violation is None else compatible(self.violation)

    @property
    def close_exc(self) -> exceptions.ConnectionClosed:
        """The exception that tells how the connection closed; see :class:`ws6455.Protocol`.

        Raises:
            AssertionError: if it is not closed.
        """
        return compatible(super().close_exc)

    def events_received(self) -> list[protocol.Event]:
        """Return, once, the events received; see :meth:`ws6455.Protocol.events_received`."""
        return [_event(event) for event in super().events_received()]

    def send_frame(self, frame: frames.Frame) -> None:
        """Send a frame; data is compressed as any other.

        A frame with reserved bits is sent as it is, and so is a control frame: a Close frame does
        not change the state, as :meth:`send_close` does.

        Raises:
            InvalidState: for data, unless OPEN.
            ProtocolError: if a control frame is fragmented or too long, or if data is out of
                order in a fragmented message.
        """
        if frame.opcode < Opcode.CLOSE and not (frame.rsv1 or frame.rsv2 or frame.rsv3):
            self.send_data(frame.opcode, frame.data, frame.fin)
            return
        self._write_frame(frame)

    def send_eof(self) -> None:
        """Close the sending side, behind what is queued."""
        self._end_sending()


class ClientProtocol(Protocol, client.ClientProtocol):
    """The client's end of a connection; see :class:`ws6455.ClientProtocol`."""


class ServerProtocol(Protocol, server.ServerProtocol):
    """The server's end of a connection; see :class:`ws6455.ServerProtocol`."""


def _event(event: protocol.Event) -> Event:
    """Return an event of the core as the subclass that programs know."""
    values = [getattr(event, field.name) for field in dataclasses.fields(event)]
    converted: Event = _EVENTS[type(event)](*values)
    return converted


class StreamReader:
    """A buffer, fed from one side and read from the other."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.eof = False

    def _wait_for(
        self, size: Callable[[], int | None], what: Callable[[], str]
    ) -> Generator[None, None, int]:
        """Wait until `size` gives a number of bytes.

        Raises:
            EOFError: if the stream ends before; `what` says within what.
        """
        while (found := size()) is None:
            if self.eof:
                raise EOFError(f"stream ends after {len(self.buffer)} bytes, before {what()}")
            yield
        return found

    def _take(self, size: int) -> bytearray:
        taken = self.buffer[:size]
        del self.buffer[:size]
        return taken

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read up to a line feed, which is included.

        Args:
            m: bytes a line may have.
            too_long_exc_type: raised if it has more.

        Raises:
            EOFError: if the stream ends without a line feed.
        """
        searched = 0

        def size() -> int | None:
            nonlocal searched
            end = self.buffer.find(b"\n", searched) + 1
            searched = len(self.buffer)
            if (end or searched) > m:
                raise too_long_exc_type(f"read {end or searched} bytes, expected at most {m}")
            return end or None

        return self._take((yield from self._wait_for(size, lambda: "end of line")))

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read so many bytes.

        Raises:
            EOFError: if the stream ends before.
        """
        assert n >= 0
        enough = self._wait_for(
            lambda: n if len(self.buffer) >= n else None, lambda: f"{n} bytes have come"
        )
        return self._take((yield from enough))

    def read_to_eof(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read all there is.

        Args:
            m: bytes there may be.
            too_long_exc_type: raised if there are more.
        """
        while not self.eof:
            if len(self.buffer) > m:
                break
            yield
        if len(self.buffer) > m:
            raise too_long_exc_type(f"read {len(self.buffer)} bytes, expected at most {m}")
        return self._take(len(self.buffer))

    def at_eof(self) -> Generator[None, None, bool]:
        """Tell, once it is known, whether the stream has ended and everything is read."""
        while not self.buffer and not self.eof:
            yield
        return not self.buffer

    def feed_data(self, data: bytes | bytearray) -> None:
        """Take bytes.

        Raises:
            EOFError: if the stream has ended.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.buffer += data

    def feed_eof(self) -> None:
        """Take the end of the stream.

        Raises:
            EOFError: if it has ended already.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.eof = True

    def discard(self) -> None:
        """Throw away what was not read."""
        self.buffer.clear()
