"""Head of a final response, read within limits; interim responses before it are skipped.

RFC 9112 §4 (status line), RFC 9110 §15.2 (interim responses).
"""

from __future__ import annotations

import re

from ..exceptions import NotHTTP, SecurityError, StatusLineTooLong
from .head import HeadReader, Response, parse_response

__all__ = ["MAX_INTERIM_RESPONSES", "ResponseReader"]

#: Interim responses that are skipped; one more is an error.
MAX_INTERIM_RESPONSES = 16

_START = re.compile(rb"HTTP/[0-9]\.[0-9] [1-9][0-9]{2}[ \r]")
_EXAMPLE = b"HTTP/1.1 101 "
# First bytes of a TLS alert or handshake message (RFC 8446 §5.1).
_TLS_RECORD = re.compile(rb"[\x15\x16](?:\x03|\Z)")


class ResponseReader(HeadReader):
    """Reads the head of the final response.

    The limits of :class:`.HeadReader` apply to each head; all heads together may have 64 KiB.

    Args:
        tls_hint: message for a peer that answers with a TLS record; None if TLS is used already.
    """

    __slots__ = ("_interim_responses", "_start", "_tls_hint")

    def __init__(self, tls_hint: str | None) -> None:
        super().__init__(StatusLineTooLong)
        self._tls_hint = tls_hint
        self._start = b""  # first bytes of the status line
        self._interim_responses = 0

    def read(self, data: bytes) -> tuple[str, Response, bytes] | None:
        """Add bytes.

        Returns:
            Once the head of the final response is complete: the HTTP version, the response with
            an empty body, and the bytes after the head. None until then.

        Raises:
            NotHTTP: at the first byte that cannot begin an HTTP response.
            InvalidMessage: if a head is malformed.
            SecurityError: if a limit is exceeded.
        """
        while True:
            self._check_start(data)
            rest = self.feed(data)
            if rest is None:
                return None
            protocol, response = parse_response(self.lines)
            # 101 is final: it ends the use of HTTP (RFC 9110 §15.2.2).
            if response.status_code == 101 or response.status_code >= 200:
                return protocol, response, rest
            self._interim_responses += 1
            if self._interim_responses > MAX_INTERIM_RESPONSES:
                raise SecurityError(f"more than {MAX_INTERIM_RESPONSES} interim responses")
            self.lines: list[bytes] = []
            self._start = b""
            data = rest

    def _check_start(self, data: bytes) -> None:
        """Check the first bytes of a status line: a peer may wait for an answer before the rest.

        Raises:
            NotHTTP: if they cannot begin a response.
        """
        missing = len(_EXAMPLE) - len(self._start)
        if not missing:
            return
        self._start = start = self._start + data[:missing]
        if _START.fullmatch(start + _EXAMPLE[len(start) :]) is None:
            if self._tls_hint is not None and _TLS_RECORD.match(start) is not None:
                raise NotHTTP(self._tls_hint)
            raise NotHTTP(f"not an HTTP response: it begins with {start!r}")
