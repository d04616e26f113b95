"""Body of a response that refuses the opening handshake: a bounded reader, and a writer.

RFC 9112 §6 (length), §7.1 (chunked transfer coding).
"""

import re

from ..exceptions import InvalidMessage
from ..settings import setting
from .headers import MAX_LINE_SIZE, Headers

__all__ = ["MAX_BODY_SIZE", "NO_CONTENT", "BodyReader", "BodyWriter", "content_length"]

MAX_BODY_SIZE = setting("MAX_BODY_SIZE", 1 << 20)
# Statuses of responses without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
NO_CONTENT = frozenset({204, 205, 304})


def content_length(headers: Headers) -> int | None:
    """Return the value of Content-Length, in bytes; None if there is none.

    Raises:
        InvalidMessage: if there are several values, or it is not a number of at most 18 digits.
    """
    lengths = headers.get_all("Content-Length")
    if not lengths:
        return None
    if len(lengths) > 1 or re.fullmatch("[0-9]{1,18}", lengths[0]) is None:
        raise InvalidMessage("response with an invalid Content-Length")
    return int(lengths[0])


class BodyReader:
    """Collects the body of a response, up to 1 MiB (RFC 9112 §6).

    The body only explains why the handshake was refused. A longer body is truncated; this is not
    an error.

    Args:
        headers: the response's headers.

    Attributes:
        body: the bytes read so far.
        chunked: whether the body has the chunked transfer coding.
        remaining: bytes still to come, of the chunk or of the whole body; None if unknown.

    Raises:
        InvalidMessage: if the headers, or later the chunks, do not give a valid length.
    """

    def __init__(self, headers: Headers) -> None:
        self.body: bytearray = bytearray()
        self._chunk = bytearray()
        self.chunked: bool = "Transfer-Encoding" in headers
        self.remaining: int | None = None
        if self.chunked:
            if [value.lower() for value in headers.get_all("Transfer-Encoding")] != ["chunked"]:
                raise InvalidMessage("response with an unknown Transfer-Encoding")
        else:
            self.remaining = content_length(headers)

    def feed(self, data: bytes) -> bool:
        """Add bytes. Return True once the body is complete or has reached the limit."""
        if self.chunked:
            done = self._feed_chunks(data)
        else:
            self.body += data if self.remaining is None else data[: self.remaining]
            if self.remaining is not None:
                self.remaining = max(self.remaining - len(data), 0)
            done = self.remaining == 0
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
            if self.remaining:
                piece = buffer[position : position + self.remaining]
                self.body += piece
                position += len(piece)
                self.remaining -= len(piece)
                if self.remaining:
                    break
            end = buffer.find(b"\r\n", position)
            if end < 0:
                if len(buffer) - position > MAX_LINE_SIZE:
                    raise InvalidMessage("chunk size line too long")
                break
            line = buffer[position:end]
            position = end + 2
            if self.remaining == 0:
                if line:
                    raise InvalidMessage("chunk longer than its size")
                self.remaining = None
                continue
            size = line.split(b";")[0].strip()
            if len(size) > 16 or re.fullmatch(b"[0-9A-Fa-f]+", size) is None:
                raise InvalidMessage("malformed chunk size")
            self.remaining = int(size, 16)
            if self.remaining == 0:
                return True
        del buffer[:position]
        return False


class BodyWriter:
    """Frames the body of a response as it comes (RFC 9112 §6).

    A body with a Content-Length is sent as it is, any other with the chunked transfer coding.

    Args:
        headers: the response's headers; Transfer-Encoding is set or removed.
        omitted: True if the response has no body, whatever is written.

    Attributes:
        has_ended: True once the last piece was framed.

    Raises:
        InvalidMessage: if Content-Length is invalid.
    """

    def __init__(self, headers: Headers, omitted: bool) -> None:
        self.has_ended: bool = False
        self._omitted = omitted
        self._remaining = content_length(headers)
        headers.pop("Transfer-Encoding", None)
        if self._remaining is None and not omitted:
            headers["Transfer-Encoding"] = "chunked"

    def frame(self, data: bytes, more_body: bool) -> list[bytes]:
        """Return what to write for a piece of the body.

        Args:
            data: the piece.
            more_body: whether more pieces follow.

        Raises:
            InvalidMessage: if the body is longer than its Content-Length, or ends before it.
        """
        parts = [data] if data else []
        if self._omitted:
            parts = []
        elif self._remaining is None:
            if data:
                parts = [b"%x\r\n" % len(data), data, b"\r\n"]
            if not more_body:
                parts.append(b"0\r\n\r\n")
        else:
            rest = self._remaining - len(data)
            if rest < 0 or (rest and not more_body):
                raise InvalidMessage(
                    f"body is {'longer' if rest < 0 else 'shorter'} than its Content-Length"
                )
            self._remaining = rest
        self.has_ended = not more_body
        return parts
