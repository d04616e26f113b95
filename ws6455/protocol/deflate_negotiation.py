"""Negotiation of permessage-deflate: offers and answers.

RFC 7692 §5, §7.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..exceptions import (
    DuplicateParameter,
    InvalidParameterName,
    InvalidParameterValue,
    NegotiationError,
)
from ..framing.deflate import PerMessageDeflate
from ..typing import ExtensionParameter

__all__ = [
    "CLIENT_DEFAULTS",
    "SERVER_DEFAULTS",
    "ClientPerMessageDeflateFactory",
    "ServerPerMessageDeflateFactory",
    "client_extensions",
    "server_extensions",
]

# Arguments of the factories that `compression="deflate"` stands for. The server's windows of
# 4 KiB bound the memory that a connection costs.
CLIENT_DEFAULTS: dict[str, Any] = {"compress_settings": {"memLevel": 5}}
SERVER_DEFAULTS: dict[str, Any] = {
    "server_max_window_bits": 12,
    "client_max_window_bits": 12,
    "compress_settings": {"memLevel": 5},
}

# §7.1.2.1: decimal without leading zeros.
_WINDOW_BITS = re.compile("[89]|1[0-5]")


def _parse_parameters(
    params: list[ExtensionParameter], client_bits_may_be_bare: bool
) -> dict[str, int | bool]:
    """Check the parameters of one offer or answer (§7.1).

    Returns:
        A dict of parameter names; the value is a number of window bits, or True.

    Raises:
        NegotiationError: if a parameter is unknown or repeated, or has a wrong value.
    """
    parsed: dict[str, int | bool] = {}
    for name, value in params:
        if name in parsed:
            raise DuplicateParameter(name)
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if value is not None:
                raise InvalidParameterValue(name, value)
            parsed[name] = True
        elif name in ("server_max_window_bits", "client_max_window_bits"):
            if value is None and name == "client_max_window_bits" and client_bits_may_be_bare:
                parsed[name] = True
            elif value is None or _WINDOW_BITS.fullmatch(value) is None:
                raise InvalidParameterValue(name, value)
            else:
                parsed[name] = int(value)
        else:
            raise InvalidParameterName(name)
    return parsed


def _build_parameters(
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: int | None,
    client_max_window_bits: int | bool | None,
) -> list[ExtensionParameter]:
    """Build the parameters of an offer or answer; inverse of :func:`_parse_parameters`."""
    params: list[ExtensionParameter] = []
    if server_no_context_takeover:
        params.append(("server_no_context_takeover", None))
    if client_no_context_takeover:
        params.append(("client_no_context_takeover", None))
    if server_max_window_bits:
        params.append(("server_max_window_bits", str(server_max_window_bits)))
    if client_max_window_bits is True:
        params.append(("client_max_window_bits", None))
    elif client_max_window_bits:
        params.append(("client_max_window_bits", str(client_max_window_bits)))
    return params


class _Factory:
    """Configuration of permessage-deflate, common to both sides.

    Args:
        server_no_context_takeover: True if the server resets its context for each message.
        client_no_context_takeover: True if the client does.
        server_max_window_bits: size of the server's window, 8 to 15; None for 15.
        client_max_window_bits: size of the client's window; on a client, True lets the server
            choose.
        compress_settings: further arguments for :func:`zlib.compressobj`.
        threshold: size in bytes; a shorter message is compressed only on request.

    Raises:
        ValueError: if a size is not from 8 to 15, or `compress_settings` has wbits.
    """

    name: ClassVar[str] = PerMessageDeflate.name

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | bool | None = None,
        compress_settings: Mapping[str, Any] | None = None,
        threshold: int = 0,
    ) -> None:
        client_bits = None if client_max_window_bits is True else client_max_window_bits
        for bits in (server_max_window_bits, client_bits):
            if bits is not None and not 8 <= bits <= 15:
                raise ValueError("window bits must be between 8 and 15")
        if compress_settings is not None and "wbits" in compress_settings:
            raise ValueError("compress_settings must not have wbits: set the window bits")
        self.server_no_context_takeover = server_no_context_takeover
        self.client_no_context_takeover = client_no_context_takeover
        self.server_max_window_bits = server_max_window_bits
        self.client_max_window_bits = client_max_window_bits
        self.compress_settings = compress_settings
        self.threshold = threshold


class ClientPerMessageDeflateFactory(_Factory):
    """A client's offer of permessage-deflate (§7.1); checks the server's answer."""

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | bool | None = True,
        compress_settings: Mapping[str, Any] | None = None,
        threshold: int = 0,
    ) -> None:
        super().__init__(
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
            compress_settings,
            threshold,
        )

    def get_request_params(self) -> list[ExtensionParameter]:
        """Return the parameters to offer."""
        return _build_parameters(
            self.server_no_context_takeover,
            self.client_no_context_takeover,
            self.server_max_window_bits,
            self.client_max_window_bits,
        )

    def process_response_params(self, params: list[ExtensionParameter]) -> PerMessageDeflate:
        """Create the extension that the server's answer describes.

        Raises:
            NegotiationError: if the answer does not fit the offer.
        """
        answer = _parse_parameters(params, client_bits_may_be_bare=False)
        if self.server_no_context_takeover and "server_no_context_takeover" not in answer:
            raise NegotiationError("expected server_no_context_takeover")  # §7.1.1.1
        server_bits = int(answer.get("server_max_window_bits", 15))
        # §7.1.2.1: the window must not be larger than requested.
        if self.server_max_window_bits is not None and server_bits > self.server_max_window_bits:
            raise NegotiationError("unsupported server_max_window_bits")
        offered = self.client_max_window_bits
        client_bits = 15 if offered is None or offered is True else int(offered)
        if "client_max_window_bits" in answer:
            if not offered:
                raise NegotiationError("unexpected client_max_window_bits")  # §7.1.2.2
            client_bits = min(client_bits, int(answer["client_max_window_bits"]))
        return PerMessageDeflate(
            "server_no_context_takeover" in answer,
            # §7.1.1.2: the client may reset its context without a request of the server.
            self.client_no_context_takeover or "client_no_context_takeover" in answer,
            server_bits,
            client_bits,
            self.compress_settings,
            self.threshold,
        )


class ServerPerMessageDeflateFactory(_Factory):
    """A server's answer to offers of permessage-deflate (§7.1).

    Args:
        require_client_max_window_bits: True declines an offer that does not let the server
            limit the client's window; the other arguments are those of :class:`_Factory`.
    """

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | None = None,
        compress_settings: Mapping[str, Any] | None = None,
        require_client_max_window_bits: bool = False,
        threshold: int = 0,
    ) -> None:
        if client_max_window_bits is True:
            raise ValueError("window bits must be between 8 and 15")
        if require_client_max_window_bits and client_max_window_bits is None:
            raise ValueError("require_client_max_window_bits needs client_max_window_bits")
        super().__init__(
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
            compress_settings,
            threshold,
        )
        self.require_client_max_window_bits = require_client_max_window_bits

    def process_request_params(
        self, params: list[ExtensionParameter]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Answer one offer.

        Returns:
            The parameters of the answer, and the extension.

        Raises:
            NegotiationError: if the offer is declined.
        """
        offer = _parse_parameters(params, client_bits_may_be_bare=True)
        server_no_context = self.server_no_context_takeover or "server_no_context_takeover" in offer
        client_no_context = self.client_no_context_takeover or "client_no_context_takeover" in offer
        # §7.1.2.1: the window must not be larger than requested; the answer has the parameter.
        asked = offer.get("server_max_window_bits")
        server_bits = self.server_max_window_bits
        if asked is not None:
            server_bits = min(int(asked), server_bits or 15)
        # §7.1.2.2: the answer may limit the client's window only if the offer has the parameter.
        client_bits: int | None = None
        if "client_max_window_bits" in offer:
            hint = offer["client_max_window_bits"]
            client_bits = self.client_max_window_bits
            if hint is not True:
                client_bits = min(int(hint), client_bits or 15)
        elif self.require_client_max_window_bits:
            raise NegotiationError("required client_max_window_bits")
        answer = _build_parameters(server_no_context, client_no_context, server_bits, client_bits)
        return answer, PerMessageDeflate(
            client_no_context,
            server_no_context,
            client_bits or 15,
            server_bits or 15,
            self.compress_settings,
            self.threshold,
        )


def client_extensions(
    extensions: Sequence[ClientPerMessageDeflateFactory] | None, compression: str | None
) -> Sequence[ClientPerMessageDeflateFactory]:
    """Return the extensions to offer.

    Raises:
        ValueError: if `compression` is neither ``"deflate"`` nor None.
    """
    offered = list(extensions or ())
    if compression == "deflate":
        if not offered:
            offered.append(ClientPerMessageDeflateFactory(**CLIENT_DEFAULTS))
    elif compression is not None:
        raise ValueError(f"unsupported compression: {compression}")
    return offered


def server_extensions(
    extensions: Sequence[ServerPerMessageDeflateFactory] | None, compression: str | None
) -> Sequence[ServerPerMessageDeflateFactory]:
    """Return the extensions to accept; by default with windows of 4 KiB, which saves memory.

    Raises:
        ValueError: if `compression` is neither ``"deflate"`` nor None.
    """
    accepted = list(extensions or ())
    if compression == "deflate":
        if not accepted:
            accepted.append(ServerPerMessageDeflateFactory(**SERVER_DEFAULTS))
    elif compression is not None:
        raise ValueError(f"unsupported compression: {compression}")
    return accepted
