"""The bases of extensions, for annotations: ws6455 has permessage-deflate and no other.

RFC 6455 §9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from ..typing import ExtensionParameter
from .frames import Frame

__all__ = ["ClientExtensionFactory", "Extension", "ServerExtensionFactory", "check_factories"]


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
    known = (ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory)
    for factory in extensions or ():
        if not isinstance(factory, known):
            raise NotImplementedError(
                f"ws6455 has no extension but permessage-deflate, not {factory.name}"
            )
