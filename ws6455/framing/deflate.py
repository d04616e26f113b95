"""permessage-deflate: the compressor and the decompressor.

RFC 7692. "Local" refers to messages that this side compresses, "remote" to messages that the peer
compresses.

A compression context is created for the first message that needs it, so that a connection that
only negotiates compression costs nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..exceptions import ProtocolError

__all__ = ["PerMessageDeflate"]

# Maximum size of a decompressed piece, so that a decompression bomb is detected early.
_MAX_OUTPUT_SIZE = 1 << 18
# Maximum size of a compressed piece passed to zlib. The input after a final block is copied, so
# a large piece full of final blocks would take quadratic time.
_MAX_INPUT_SIZE = 1 << 13


class PerMessageDeflate:
    """The extension as negotiated for one connection (§7).

    Args:
        remote_no_context_takeover: whether the peer resets its context after each message.
        local_no_context_takeover: whether this side resets its context after each message.
        remote_max_window_bits: the size of the peer's LZ77 window, 8 to 15.
        local_max_window_bits: the size of this side's LZ77 window, 8 to 15.
        compress_settings: additional arguments for :func:`zlib.compressobj`.
        threshold: size in bytes; a shorter message is compressed only on request.
    """

    name = "permessage-deflate"
    # §7.2.1: the end of every compressed message, which is not sent.
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
        self.remote_no_context_takeover: bool = remote_no_context_takeover
        self.local_no_context_takeover: bool = local_no_context_takeover
        self.remote_max_window_bits: int = remote_max_window_bits
        self.local_max_window_bits: int = local_max_window_bits
        self.compress_settings: dict[str, Any] = dict(compress_settings or {})
        self.threshold: int = threshold
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
            fin: whether the message ends here.
        """
        if fin and not data:
            compressed = b"\x00"  # §7.2.3.6; zlib returns nothing for two flushes in a row
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
        # zlib cannot compress with an 8-bit window. With 9 bits it refers back at most
        # 512 - 262 = 250 bytes, which fits into an 8-bit window.
        bits = max(self.local_max_window_bits, 9)
        return zlib.compressobj(wbits=-bits, **self.compress_settings)

    def compress_alone(self, data: bytes) -> bytes:
        """Compress a whole message without references to earlier messages."""
        if not data:
            return b"\x00"
        compressor = self._new_compressor()
        compressed: bytes = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return compressed[:-4]

    @property
    def shared_key(self) -> object:
        """A key that is equal for connections with the same :meth:`compress_alone` output."""
        if self._shared_key is None:
            self._shared_key = self.local_max_window_bits, *sorted(self.compress_settings.items())
        return self._shared_key

    def inflate(self, data: bytes, max_length: Callable[[], int]) -> Iterator[bytes]:
        """Decompress a part of a message; yield the output in pieces (§7.2.2).

        Args:
            data: the next bytes of the compressed message.
            max_length: called before each piece; returns its maximum size, or 0 for no limit.

        Raises:
            ProtocolError: if the data is not in DEFLATE format.
        """
        for start in range(0, len(data), _MAX_INPUT_SIZE):
            yield from self._inflate_slice(data[start : start + _MAX_INPUT_SIZE], max_length)

    def _inflate_slice(self, data: bytes, max_length: Callable[[], int]) -> Iterator[bytes]:
        while data:
            if self._inflater is None:
                self._inflater = zlib.decompressobj(wbits=-max(self.remote_max_window_bits, 9))
            size = min(max_length() or _MAX_OUTPUT_SIZE, _MAX_OUTPUT_SIZE)
            try:
                inflated = self._inflater.decompress(data, size)
                # zlib may hold back output after it has consumed all input: repeat until it
                # returns less than `size`.
                while inflated:
                    yield inflated
                    data = self._inflater.unconsumed_tail
                    if not data and len(inflated) < size:
                        break
                    size = min(max_length() or _MAX_OUTPUT_SIZE, _MAX_OUTPUT_SIZE)
                    inflated = self._inflater.decompress(data, size)
            except zlib.error as exc:
                raise ProtocolError(f"decompression failed: {exc}") from exc
            data = b""
            if self._inflater.eof:
                # §7.2.3.4: a block with BFINAL ends the stream, not the message. The next block
                # starts a new stream.
                data = self._inflater.unused_data
                self._inflater = None

    @property
    def inflating(self) -> bool:
        """True if the message needs the tail; False if a block with BFINAL ended it."""
        return self._inflater is not None

    def end_inflated_message(self) -> None:
        """Reset the decompression context after a message, if negotiated (§7.1.1)."""
        if self.remote_no_context_takeover:
            self._inflater = None

    def forget_sent(self) -> None:
        """Reset the compression context before the next message, which is always allowed."""
        self._compressor = None
