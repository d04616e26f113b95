"""The Sans-I/O protocol with the members of `websockets`, and a reader for its generators.

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
from ..http1.headers import Headers
from ..protocol import client, protocol, server
from ..server.registry import http_date
from ..session.signature import with_options_of
from .exceptions import compatible
from .frames import Frame
from .http1 import Request, Response

__all__ = ["ClientProtocol", "Event", "Protocol", "ServerProtocol", "StreamReader"]

Event = Request | Response | Frame

_EVENTS: dict[type, Any] = {frames.Frame: Frame, head.Request: Request, head.Response: Response}


def _converted(event: Any) -> Any:
    """Convert an object of the core to the subclass that programs use.

    Objects of other classes, which a program has made, are returned unchanged.
    """
    if type(event) not in _EVENTS:
        return event
    values = [getattr(event, field.name) for field in dataclasses.fields(event)]
    return _EVENTS[type(event)](*values)


def _converting(name: str) -> Any:
    """Return a property that converts what is assigned to an attribute of the core's class."""
    attribute = getattr(protocol.Protocol, name)

    def get(self: Protocol) -> Any:
        return attribute.__get__(self)

    def set_converted(self: Protocol, value: Any) -> None:
        attribute.__set__(self, _converted(value))

    return property(get, set_converted)


class Protocol(protocol.Protocol):
    """One end of a connection; see :class:`ws6455.Protocol`."""

    origin: str | None = None  # without an opening handshake
    request: head.Request | None = _converting("request")
    response: head.Response | None = _converting("response")

    @property
    def parser_exc(self) -> Exception | None:
        """The peer's violation, after which nothing more is parsed; or None."""
        return None if self.violation is None else compatible(self.violation)

    @property
    def close_exc(self) -> exceptions.ConnectionClosed:
        """The exception raised when the connection is closed; see :class:`ws6455.Protocol`.

        Raises:
            AssertionError: if the connection is not closed.
        """
        return compatible(super().close_exc)

    def events_received(self) -> list[protocol.Event]:
        """Return the events received since the last call; see :class:`ws6455.Protocol`."""
        events: list[protocol.Event] = []
        for event in super().events_received():
            # The body of a response arrives after its head: no copy would get it.
            if type(event) is head.Request and self.request is not None:
                events.append(self.request)
            elif type(event) is head.Response and self.response is not None:
                events.append(self.response)
            else:
                events.append(_converted(event))
        return events

    def send_frame(self, frame: frames.Frame) -> None:
        """Send a frame.

        A data frame is compressed if compression is negotiated. A control frame, or a frame with
        reserved bits, is sent unchanged. A Close frame does not change the state, unlike
        :meth:`send_close`.

        Raises:
            InvalidState: for a data frame, unless the state is OPEN.
            ProtocolError: if a control frame is fragmented or too long, or if a data frame is
                out of order in a fragmented message.
        """
        if frame.opcode < Opcode.CLOSE and not (frame.rsv1 or frame.rsv2 or frame.rsv3):
            self.send_data(frame.opcode, frame.data, frame.fin)
            return
        self._write_frame(frame)

    def send_eof(self) -> None:
        """Close the sending side after the queued bytes."""
        self._end_sending()


class ClientProtocol(Protocol, client.ClientProtocol):
    """The client's end of a connection; see :class:`ws6455.ClientProtocol`."""

    def connect(self) -> head.Request:
        """Make the request of the opening handshake."""
        request: Request = _converted(super().connect())
        return request


class ServerProtocol(Protocol, server.ServerProtocol):
    """The server's end of a connection; see :class:`ws6455.ServerProtocol`.

    Its responses have a Date as soon as they are made, as in `websockets`.
    """

    @with_options_of(server.ServerProtocol)
    def __init__(self, **options: Any) -> None:
        super().__init__(**{"date": http_date} | options)

    def accept(self, request: head.Request) -> head.Response:
        """Make the response to a request."""
        return self._dated(super().accept(request))

    def reject(self, status: int, text: str) -> head.Response:
        """Make a plain-text response that refuses the connection."""
        return self._dated(super().reject(status, text))

    def _dated(self, response: head.Response) -> head.Response:
        """Convert a response; put a Date before its other headers, unless it has one."""
        if self._date is not None and "Date" not in response.headers:
            response.headers = Headers([("Date", self._date()), *response.headers.raw_items()])
        converted: Response = _converted(response)
        return converted


class StreamReader:
    """A buffer whose read methods are generators, which yield while they wait for bytes."""

    def __init__(self) -> None:
        self.buffer: bytearray = bytearray()
        self.eof: bool = False

    def _wait_for(self, size: Callable[[], int | None], missing: str) -> Generator[None, None, int]:
        """Wait until `size` returns a number of bytes.

        Raises:
            EOFError: if the stream ends before; its text ends with `missing`.
        """
        while (found := size()) is None:
            if self.eof:
                raise EOFError(f"stream ends after {len(self.buffer)} bytes, {missing}")
            yield
        return found

    def _take(self, size: int) -> bytearray:
        taken = self.buffer[:size]
        del self.buffer[:size]
        return taken

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read a line, including its line feed.

        Args:
            m: the limit of the line in bytes.
            too_long_exc_type: the exception raised if the line is longer.

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

        return self._take((yield from self._wait_for(size, "before end of line")))

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read `n` bytes.

        Raises:
            EOFError: if the stream ends before.
        """
        assert n >= 0

        def size() -> int | None:
            return n if len(self.buffer) >= n else None

        return self._take((yield from self._wait_for(size, f"expected {n} bytes")))

    def read_to_eof(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read all bytes until the end of the stream.

        Args:
            m: the limit in bytes.
            too_long_exc_type: the exception raised if there are more bytes.
        """
        while not self.eof:
            if len(self.buffer) > m:
                break
            yield
        if len(self.buffer) > m:
            raise too_long_exc_type(f"read {len(self.buffer)} bytes, expected at most {m}")
        return self._take(len(self.buffer))

    def at_eof(self) -> Generator[None, None, bool]:
        """Wait for bytes or the end; return True if the stream has ended and all bytes are read."""
        while not self.buffer and not self.eof:
            yield
        return not self.buffer

    def feed_data(self, data: bytes | bytearray) -> None:
        """Add bytes to the buffer.

        Raises:
            EOFError: if the stream has ended.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.buffer += data

    def feed_eof(self) -> None:
        """End the stream.

        Raises:
            EOFError: if the stream has ended already.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.eof = True

    def discard(self) -> None:
        """Discard the bytes that were not read."""
        self.buffer.clear()
