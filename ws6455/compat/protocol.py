"""The protocol without I/O, with what programs use of it that has no place in ours.

RFC 6455 §5, §7.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .. import exceptions
from ..framing import frames
from ..framing.frames import Opcode
from ..http1 import head
from ..protocol import client, protocol, server
from .exceptions import compatible
from .frames import Frame
from .http1 import Request, Response

__all__ = ["ClientProtocol", "Event", "Protocol", "ServerProtocol"]

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
