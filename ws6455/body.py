"""The body of a refusal, as far as a client reads it.

Floor 1: imports errors and http11. RFC 9112 §6 (length), §7.1 (chunks).
"""

import re

from .errors import InvalidMessage
from .http11 import MAX_LINE_SIZE, Headers
from .settings import setting

__all__ = ["BodyReader"]

MAX_BODY_SIZE = setting("MAX_BODY_SIZE", 1 << 20)


class BodyReader:
    """Collects the body of a response, at most 1 MiB of it (RFC 9112 §6).

    The body only explains a refused handshake: one that is too long is cut, not an error.

    Args:
        headers: the response's headers.

    Raises:
        InvalidMessage: if the headers, or later the chunks, give no clear length.
    """

    def __init__(self, headers: Headers) -> None:
        self.body = bytearray()
        self._chunk = bytearray()
        self._chunked = "Transfer-Encoding" in headers
        self._remaining: int | None = None
        if self._chunked:
            if [value.lower() for value in headers.get_all("Transfer-Encoding")] != ["chunked"]:
                raise InvalidMessage("response with an unknown Transfer-Encoding")
        elif "Content-Length" in headers:
            lengths = headers.get_all("Content-Length")
            if len(lengths) > 1 or re.fullmatch("[0-9]{1,18}", lengths[0]) is None:
                raise InvalidMessage("response with an invalid Content-Length")
            self._remaining = int(lengths[0])

    def feed(self, data: bytes) -> bool:
        """Take more bytes; return whether the body is whole, or as long as it may get."""
        if self._chunked:
            done = self._feed_chunks(data)
        else:
            self.body += data if self._remaining is None else data[: self._remaining]
            if self._remaining is not None:
                self._remaining = max(self._remaining - len(data), 0)
            done = self._remaining == 0
        if len(self.body) >= MAX_BODY_SIZE:
            del self.body[MAX_BODY_SIZE:]
            return True
        return done

    def _feed_chunks(self, data: bytes) -> bool:
        """Decode chunks (RFC 9112 §7.1); extensions and trailers are ignored."""
        buffer = self._chunk
        buffer += data
        position = 0
        while len(self.body) < MAX_BODY_SIZE:
            if self._remaining:
                piece = buffer[position : position + self._remaining]
                self.body += piece
                position += len(piece)
                self._remaining -= len(piece)
                if self._remaining:
                    break
            end = buffer.find(b"\r\n", position)
            if end < 0:
                if len(buffer) - position > MAX_LINE_SIZE:
                    raise InvalidMessage("chunk size line too long")
                break
            line = buffer[position:end]
            position = end + 2
            if self._remaining == 0:
                if line:
                    raise InvalidMessage("chunk longer than its size")
                self._remaining = None
                continue
            size = line.split(b";")[0].strip()
            if len(size) > 16 or re.fullmatch(b"[0-9A-Fa-f]+", size) is None:
                raise InvalidMessage("malformed chunk size")
            self._remaining = int(size, 16)
            if self._remaining == 0:
                return True
        del buffer[:position]
        return False
