"""permessage-deflate: the compressor, the decompressor and their negotiation.

Floor 2: imports errors and headers. RFC 7692. "Local" is what this side compresses, "remote"
what the peer compresses.

Compression contexts are made at the first message that needs one: a connection that only
negotiates compression pays nothing for it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import (
    DuplicateParameter,
    InvalidParameterName,
    InvalidParameterValue,
    NegotiationError,
    ProtocolError,
)
from .headers import ExtensionParameter

__all__ = [
    "ClientPerMessageDeflateFactory",
    "PerMessageDeflate",
    "ServerPerMessageDeflateFactory",
]

# §7.1.2.1: decimal without leading zeros.
_WINDOW_BITS = re.compile("[89]|1[0-5]")
# Decompressed pieces at most this long, when no limit is shorter: a bomb is met early.
_PIECE = 1 << 18
# Compressed bytes given to zlib at once. What follows a final block is copied; in a large piece
# full of final blocks the copies would take time by the square of its length.
_SLICE = 1 << 13


class PerMessageDeflate:
    """The extension as negotiated for one connection (§7).

    Args:
        remote_no_context_takeover: whether the peer starts each message afresh.
        local_no_context_takeover: whether this side does.
        remote_max_window_bits: the peer's LZ77 window, 8 to 15.
        local_max_window_bits: this side's, 8 to 15.
        compress_settings: more arguments for :func:`zlib.compressobj`.
    """

    name = "permessage-deflate"
    # §7.2.1: what a message's compressed form ends with, and does not carry.
    TAIL = b"\x00\x00\xff\xff"

    __slots__ = (
        "_compressor",
        "_inflater",
        "_shared_key",
        "compress_settings",
        "local_max_window_bits",
        "local_no_context_takeover",
        "remote_max_window_bits",
        "remote_no_context_takeover",
    )

    def __init__(
        self,
        remote_no_context_takeover: bool,
        local_no_context_takeover: bool,
        remote_max_window_bits: int,
        local_max_window_bits: int,
        compress_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.remote_no_context_takeover = remote_no_context_takeover
        self.local_no_context_takeover = local_no_context_takeover
        self.remote_max_window_bits = remote_max_window_bits
        self.local_max_window_bits = local_max_window_bits
        self.compress_settings = dict(compress_settings or {})
        self._compressor: Any = None
        self._inflater: Any = None
        self._shared_key: tuple[Any, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"PerMessageDeflate({self.remote_no_context_takeover}, "
            f"{self.local_no_context_takeover}, {self.remote_max_window_bits}, "
            f"{self.local_max_window_bits}, {self.compress_settings})"
        )

    def compress(self, data: bytes, fin: bool = True) -> bytes:
        """Compress a message, or the next fragment of one (§7.2.1).

        Args:
            data: the payload.
            fin: whether the message ends with it.
        """
        if fin and not data:
            compressed = b"\x00"  # §7.2.3.6; zlib gives nothing for two flushes in a row
        else:
            if self._compressor is None:
                self._compressor = self._new_compressor()
            compressed = self._compressor.compress(data)
            compressed += self._compressor.flush(zlib.Z_SYNC_FLUSH)
            if fin:
                compressed = compressed[:-4]
        if fin and self.local_no_context_takeover:
            self._compressor = None
        return compressed

    def _new_compressor(self) -> Any:
        # zlib has no 8-bit window to deflate with. Its 9-bit window reaches back
        # 512 - 262 = 250 bytes at most, which an 8-bit window holds.
        bits = max(self.local_max_window_bits, 9)
        return zlib.compressobj(wbits=-bits, **self.compress_settings)

    def compress_alone(self, data: bytes) -> bytes:
        """Compress a whole message without reference to any before it."""
        if not data:
            return b"\x00"
        compressor = self._new_compressor()
        compressed: bytes = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return compressed[:-4]

    @property
    def shared_key(self) -> object:
        """Equal for connections that :meth:`compress_alone` gives the same."""
        if self._shared_key is None:
            self._shared_key = self.local_max_window_bits, *sorted(self.compress_settings.items())
        return self._shared_key

    def inflate(self, data: bytes, room: Callable[[], int]) -> Iterator[bytes]:
        """Decompress a piece of a message, in pieces (§7.2.2).

        Args:
            data: the next bytes of the message's compressed form.
            room: asked before each piece: at most how many bytes it may have; 0: any number.

        Raises:
            ProtocolError: if the data is not in DEFLATE format.
        """
        for start in range(0, len(data), _SLICE):
            yield from self._inflate_slice(data[start : start + _SLICE], room)

    def _inflate_slice(self, data: bytes, room: Callable[[], int]) -> Iterator[bytes]:
        while data:
            if self._inflater is None:
                self._inflater = zlib.decompressobj(wbits=-max(self.remote_max_window_bits, 9))
            size = min(room() or _PIECE, _PIECE)
            try:
                inflated = self._inflater.decompress(data, size)
                # All input may be taken while output waits for room: ask until there is none.
                while inflated:
                    yield inflated
                    data = self._inflater.unconsumed_tail
                    if not data and len(inflated) < size:
                        break
                    size = min(room() or _PIECE, _PIECE)
                    inflated = self._inflater.decompress(data, size)
            except zlib.error as exc:
                raise ProtocolError(f"decompression failed: {exc}") from exc
            data = b""
            if self._inflater.eof:
                # §7.2.3.4: a block with BFINAL ends the stream, not the message. Whoever makes
                # one starts afresh after it.
                data = self._inflater.unused_data
                self._inflater = None

    @property
    def inflating(self) -> bool:
        """Whether the message's tail is missing: not where a block with BFINAL ended it."""
        return self._inflater is not None

    def end_inflated_message(self) -> None:
        """Forget what the message taught the decompressor, if so negotiated (§7.1.1)."""
        if self.remote_no_context_takeover:
            self._inflater = None

    def forget_sent(self) -> None:
        """Start the next message that this side compresses afresh, which is always allowed."""
        self._compressor = None


def _parse_parameters(
    params: list[ExtensionParameter], client_bits_may_be_bare: bool
) -> dict[str, int | bool]:
    """Check the parameters of one offer or answer (§7.1).

    Returns:
        For each parameter its number of bits, or True.

    Raises:
        NegotiationError: if a parameter is unknown, doubled, or has a wrong value.
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
    """Build the parameters of an offer or answer, the reverse of :func:`_parse_parameters`."""
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
    """What the two roles' configurations share.

    Args:
        server_no_context_takeover: whether the server starts each message afresh.
        client_no_context_takeover: whether the client does.
        server_max_window_bits: the server's window, 8 to 15, or None for 15.
        client_max_window_bits: the client's; True, for a client: whatever the server asks.
        compress_settings: more arguments for :func:`zlib.compressobj`.

    Raises:
        ValueError: if a number of bits is not from 8 to 15, or `compress_settings` has wbits.
    """

    name = PerMessageDeflate.name

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | bool | None = None,
        compress_settings: Mapping[str, Any] | None = None,
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


class ClientPerMessageDeflateFactory(_Factory):
    """A client's offer of permessage-deflate, and its check of the answer (§7.1)."""

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | bool | None = True,
        compress_settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
            compress_settings,
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
        """Make the extension that the server's answer describes.

        Raises:
            NegotiationError: if the answer does not fit the offer.
        """
        answer = _parse_parameters(params, client_bits_may_be_bare=False)
        if self.server_no_context_takeover and "server_no_context_takeover" not in answer:
            raise NegotiationError("expected server_no_context_takeover")  # §7.1.1.1
        server_bits = int(answer.get("server_max_window_bits", 15))
        # §7.1.2.1: the same or a smaller window than asked for.
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
            # §7.1.1.2: the client may give up its context even unasked.
            self.client_no_context_takeover or "client_no_context_takeover" in answer,
            server_bits,
            client_bits,
            self.compress_settings,
        )


class ServerPerMessageDeflateFactory(_Factory):
    """A server's answer to offers of permessage-deflate (§7.1).

    Args:
        require_client_max_window_bits: whether to decline a client whose window cannot be
            limited; the other arguments are those of :class:`_Factory`.
    """

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | None = None,
        compress_settings: Mapping[str, Any] | None = None,
        require_client_max_window_bits: bool = False,
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
        )
        self.require_client_max_window_bits = require_client_max_window_bits

    def process_request_params(
        self, params: list[ExtensionParameter]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Answer one offer.

        Returns:
            The parameters of the answer, and the extension.

        Raises:
            NegotiationError: if the offer is to be declined.
        """
        offer = _parse_parameters(params, client_bits_may_be_bare=True)
        server_no_context = self.server_no_context_takeover or "server_no_context_takeover" in offer
        client_no_context = self.client_no_context_takeover or "client_no_context_takeover" in offer
        # §7.1.2.1: the same or a smaller window than asked for; the parameter goes back.
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
        )
