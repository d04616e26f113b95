"""permessage-deflate: the compressor and the decompressor.

RFC 7692. "Local" is what this side compresses, "remote" what the peer compresses.

Compression contexts are made at the first message that needs one: a connection that only
negotiates compression pays nothing for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..exceptions import ProtocolError

__all__ = ["PerMessageDeflate"]

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
        threshold: bytes; a shorter message is not compressed unless asked for.
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
        "threshold",
    )

    def __init__(
        self,
        remote_no_context_takeover: bool,
        local_no_context_takeover: bool,
        remote_max_window_bits: int,
        local_max_window_bits: int,
        compress_settings: Mapping[str, Any] | None = None,
        threshold: int = 0,
    ) -> None:
        self.remote_no_context_takeover = remote_no_context_takeover
        self.local_no_context_takeover = local_no_context_takeover
        self.remote_max_window_bits = remote_max_window_bits
        self.local_max_window_bits = local_max_window_bits
        self.compress_settings = dict(compress_settings or {})
        self.threshold = threshold
        self._compressor: Any = None
        self._inflater: Any = None
        self._shared_key: tuple[Any, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"PerMessageDeflate({self.remote_no_context_takeover}, "
            f"{self.local_no_context_takeover}, {self.remote_max_window_bits}, "
            f"{self.local_max_window_bits}, {self.compress_settings}, {self.threshold})"
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
