"""Base classes of extensions, and permessage-deflate as an extension that transforms frames.

RFC 6455 §9, RFC 7692. Connections compress messages by :mod:`ws6455.framing.deflate` instead.
These classes are for annotations, and for programs that negotiate extensions or compress frames
themselves.
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
        """Decode a received frame.

        Raises:
            PayloadTooBig: if the payload is above the limit.
        """
        raise NotImplementedError

    def encode(self, frame: Frame) -> Frame:
        """Encode a frame to send."""
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
        """Return the extension that the server's response describes.

        Raises:
            NegotiationError: if the response does not match the offer.
        """
        raise NotImplementedError


class ServerExtensionFactory:
    """A server's response to offers of an extension."""

    name: str

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any]
    ) -> tuple[list[ExtensionParameter], Extension]:
        """Return the parameters of the response to one offer, and the extension.

        Raises:
            NegotiationError: if the offer is declined.
        """
        raise NotImplementedError


def check_factories(extensions: Sequence[Any] | None) -> None:
    """Check that every extension is one that ws6455 supports.

    Raises:
        NotImplementedError: if one is not.
    """
    known = (
        deflate_negotiation.ClientPerMessageDeflateFactory,
        deflate_negotiation.ServerPerMessageDeflateFactory,
    )
    for factory in extensions or ():
        if not isinstance(factory, known):
            raise NotImplementedError(
                f"ws6455 supports the extension permessage-deflate, not {factory.name}"
            )


class PerMessageDeflate(deflate.PerMessageDeflate, Extension):
    """The extension as negotiated; see :class:`ws6455.framing.deflate.PerMessageDeflate`."""

    _decoding = False  # whether the message being received is compressed

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Decompress a received frame (§6.2).

        Args:
            frame: the next frame; a control frame is returned unchanged.
            max_size: the limit of the decompressed payload in bytes; None for no limit.

        Raises:
            PayloadTooBig: if the payload is above the limit.
            ProtocolError: if the payload is not in DEFLATE format, or if RSV1 is set on a
                continuation frame.
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
        """Decompress a frame's payload, and after a final frame the tail that the peer removed."""
        yield from self.inflate(frame.data, room)
        if frame.fin and self.inflating:
            yield from self.inflate(self.TAIL, room)

    def encode(self, frame: Frame) -> Frame:
        """Compress a frame to send (§6.1); a control frame is returned unchanged."""
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
        """Return the extension that the server's response describes.

        Args:
            params: the parameters in the response.
            accepted_extensions: the extensions accepted before.

        Raises:
            NegotiationError: if the response does not match the offer, or if permessage-deflate
                was accepted before.
        """
        _check_first(self.name, accepted_extensions)
        return _for_frames(super().process_response_params(list(params)))


class ServerPerMessageDeflateFactory(
    deflate_negotiation.ServerPerMessageDeflateFactory, ServerExtensionFactory
):
    """A server's response to offers; see :class:`ws6455.ServerPerMessageDeflateFactory`."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any] = ()
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Return the parameters of the response to one offer, and the extension.

        Args:
            params: the parameters of the offer.
            accepted_extensions: the extensions accepted before.

        Raises:
            NegotiationError: if the offer is declined.
        """
        _check_first(self.name, accepted_extensions)
        answer, extension = super().process_request_params(list(params))
        return answer, _for_frames(extension)


def enable_client_permessage_deflate(extensions: Sequence[Any] | None) -> Sequence[Any]:
    """Return a client's extensions, with permessage-deflate added if it is not among them."""
    default = ClientPerMessageDeflateFactory(**deflate_negotiation.CLIENT_DEFAULTS)
    return _with_default(extensions, default)


def enable_server_permessage_deflate(extensions: Sequence[Any] | None) -> Sequence[Any]:
    """Return a server's extensions, with permessage-deflate added if it is not among them."""
    default = ServerPerMessageDeflateFactory(**deflate_negotiation.SERVER_DEFAULTS)
    return _with_default(extensions, default)


def _with_default(extensions: Sequence[Any] | None, default: Any) -> Sequence[Any]:
    extensions = list(extensions or ())
    if any(factory.name == default.name for factory in extensions):
        return extensions
    return [*extensions, default]
