"""Extensions: their bases and permessage-deflate as an extension of frames.

RFC 6455 §9, RFC 7692. Connections compress messages by :mod:`ws6455.framing.deflate`. These
classes are for annotations, and for programs that negotiate or compress frames by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..exceptions import NegotiationError, ProtocolError
from ..framing import deflate
from ..framing.frames import Opcode
from ..protocol import deflate_negotiation
from ..typing import ExtensionParameter
from .exceptions import PayloadTooBig
from .frames import Frame

__all__ = [
    "ClientExtensionFactory",
    "ClientPerMessageDeflateFactory",
    "Extension",
    "PerMessageDeflate",
    "ServerExtensionFactory",
    "ServerPerMessageDeflateFactory",
    "check_factories",
    "enable_client_permessage_deflate",
    "enable_server_permessage_deflate",
]


class Extension:
    """An extension in use on a connection."""

    name: str

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Return a received frame without what the extension did to it.

        Raises:
            PayloadTooBig: if it is above the limit.
        """
        raise NotImplementedError

    def encode(self, frame: Frame) -> Frame:
        """Return a frame to send with what the extension does to it."""
        raise NotImplementedError


class ClientExtensionFactory:
    """A client's offer of an extension."""

    name: str

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        """Return the parameters to offer."""
        raise NotImplementedError

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any]
    ) -> Extension:
        """Make the extension that the server's answer describes.

        Raises:
            NegotiationError: if the answer does not fit the offer.
        """
        raise NotImplementedError


class ServerExtensionFactory:
    """A server's answer to offers of an extension."""

    name: str

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any]
    ) -> tuple[list[ExtensionParameter], Extension]:
        """Answer one offer with parameters and the extension.

        Raises:
            NegotiationError: if the offer is to be declined.
        """
        raise NotImplementedError


def check_factories(extensions: Sequence[Any] | None) -> None:
    """Check that a program asks for no extension that ws6455 does not have.

    Raises:
        NotImplementedError: if it does.
    """
    known = (
        deflate_negotiation.ClientPerMessageDeflateFactory,
        deflate_negotiation.ServerPerMessageDeflateFactory,
    )
    for factory in extensions or ():
        if not isinstance(factory, known):
            raise NotImplementedError(
                f"ws6455 has no extension but permessage-deflate, not {factory.name}"
            )


class PerMessageDeflate(deflate.PerMessageDeflate, Extension):
    """The extension as negotiated; see :class:`ws6455.framing.deflate.PerMessageDeflate`."""

    _decoding = False  # whether the message under way is compressed

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Decompress a received frame (§6.2).

        Args:
            frame: the next one; a control frame is returned as it is.
            max_size: bytes that it may have decompressed; None for no limit.

        Raises:
            PayloadTooBig: if it has more.
            ProtocolError: if it is not in DEFLATE format, or RSV1 is set within a message.
        """
        if frame.opcode >= Opcode.CLOSE:
            return frame
        if frame.opcode is not Opcode.CONT:
            self._decoding = frame.rsv1
        elif frame.rsv1:
            raise ProtocolError("reserved bits must be 0")
        if not self._decoding:
            return frame
        data = bytearray()
        room = 0 if max_size is None else max_size + 1
        for piece in self._inflate_frame(frame, lambda: room and room - len(data)):
            data.extend(piece)
            if max_size is not None and len(data) > max_size:
                raise PayloadTooBig(None, max_size)
        if frame.fin:
            self.end_inflated_message()
        return Frame(frame.opcode, bytes(data), frame.fin)

    def _inflate_frame(self, frame: Frame, room: Callable[[], int]) -> Iterator[bytes]:
        """Decompress a frame's payload; after the last one's, the tail that the peer cut off."""
        yield from self.inflate(frame.data, room)
        if frame.fin and self.inflating:
            yield from self.inflate(self.TAIL, room)

    def encode(self, frame: Frame) -> Frame:
        """Compress a frame to send (§6.1); a control frame is returned as it is."""
        if frame.opcode >= Opcode.CLOSE:
            return frame
        data = self.compress(frame.data, frame.fin)
        return Frame(frame.opcode, data, frame.fin, rsv1=frame.opcode is not Opcode.CONT)


def _for_frames(extension: deflate.PerMessageDeflate) -> PerMessageDeflate:
    return PerMessageDeflate(
        extension.remote_no_context_takeover,
        extension.local_no_context_takeover,
        extension.remote_max_window_bits,
        extension.local_max_window_bits,
        extension.compress_settings,
        extension.threshold,
    )


def _check_first(name: str, accepted_extensions: Sequence[Any]) -> None:
    if any(extension.name == name for extension in accepted_extensions):
        raise NegotiationError(f"received duplicate {name}")


class ClientPerMessageDeflateFactory(
    deflate_negotiation.ClientPerMessageDeflateFactory, ClientExtensionFactory
):
    """A client's offer; see :class:`ws6455.ClientPerMessageDeflateFactory`."""

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any] = ()
    ) -> PerMessageDeflate:
        """Make the extension that the server's answer describes.

        Args:
            params: of the answer.
            accepted_extensions: those accepted before.

        Raises:
            NegotiationError: if the answer does not fit the offer, or is the second.
        """
        _check_first(self.name, accepted_extensions)
        return _for_frames(super().process_response_params(list(params)))


class ServerPerMessageDeflateFactory(
    deflate_negotiation.ServerPerMessageDeflateFactory, ServerExtensionFactory
):
    """A server's answer to offers; see :class:`ws6455.ServerPerMessageDeflateFactory`."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any] = ()
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Answer one offer with parameters and the extension.

        Args:
            params: of the offer.
            accepted_extensions: those accepted before.

        Raises:
            NegotiationError: if the offer is to be declined.
        """
        _check_first(self.name, accepted_extensions)
        answer, extension = super().process_request_params(list(params))
        return answer, _for_frames(extension)


def enable_client_permessage_deflate(extensions: Sequence[Any] | None) -> Sequence[Any]:
    """Return a client's extensions with permessage-deflate, unless it is among them."""
    default = ClientPerMessageDeflateFactory(**deflate_negotiation.CLIENT_DEFAULTS)
    return _with_default(extensions, default)


def enable_server_permessage_deflate(extensions: Sequence[Any] | None) -> Sequence[Any]:
    """Return a server's extensions with permessage-deflate, unless it is among them."""
    default = ServerPerMessageDeflateFactory(**deflate_negotiation.SERVER_DEFAULTS)
    return _with_default(extensions, default)


def _with_default(extensions: Sequence[Any] | None, default: Any) -> Sequence[Any]:
    extensions = list(extensions or ())
    if any(factory.name == default.name for factory in extensions):
        return extensions
    return [*extensions, default]
