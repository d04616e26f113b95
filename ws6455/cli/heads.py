"""Notes on each line of the opening handshake: its meaning, and whether it is valid.

RFC 6455 §4. The lines are read from the wire in both directions and checked against each other,
independently of the library's own handshake.
"""

from __future__ import annotations

import base64
import binascii
import re

from ..http1.headers import SECRET_HEADERS
from ..protocol.handshake import accept_key

__all__ = ["Heads"]

_REQUEST_NOTES = {
    "host": "the URI's authority (§4.1)",
    "origin": "the origin of the page that connects (§4.1, §10.2)",
    "sec-websocket-protocol": "subprotocols offered, preferred first (§1.9)",
    "sec-websocket-extensions": "extensions offered (§9.1)",
    "authorization": "credentials, hidden here (RFC 9110 §11.6.2)",
    "proxy-authorization": "credentials, hidden here (RFC 9110 §11.7.2)",
    "cookie": "cookies, hidden here (RFC 6265 §4.2)",
}
_RESPONSE_NOTES = {
    "set-cookie": "a cookie, hidden here (RFC 6265 §4.1)",
    "location": "the URI to use instead (RFC 9110 §10.2.2)",
    "www-authenticate": "credentials are required (RFC 9110 §11.6.1)",
    "sec-websocket-version": "versions that the server supports (§4.4)",
}


class Heads:
    """The two heads of one opening handshake, line by line.

    Attributes:
        status: the status of the response; None before it.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self._key: str | None = None
        self._offered_protocols: list[str] = []
        self._offered_extensions: list[str] = []

    def start_line(self, line: str, is_request: bool) -> str:
        """Return the note on the first line of a head.

        Args:
            line: the line, without its end.
            is_request: whether it is the request's.
        """
        if is_request:
            if re.fullmatch(r"GET \S+ HTTP/1\.1", line):
                return "the resource name, by GET (§4.1)"
            return "wrong: expected GET, a resource name and HTTP/1.1 (§4.1)"
        match = re.match(r"HTTP/1\.1 (\d{3})\b", line)
        if match is None:
            return "wrong: no HTTP/1.1 status (§4.2.2)"
        self.status = int(match[1])
        if self.status == 101:
            return "the server switches to WebSocket (§4.2.2)"
        return "not 101: no WebSocket connection (§4.1)"

    def header(self, line: str, is_request: bool) -> tuple[str, str]:
        """Return a header line, with credentials and cookies hidden, and the note on it.

        Args:
            line: the line, without its end.
            is_request: whether it is the request's.
        """
        name, _, value = line.partition(":")
        folded, value = name.lower(), value.strip()
        if folded in SECRET_HEADERS:
            line = f"{name}: ***"
        if not is_request and self.status != 101:
            # A refusal is a plain HTTP response, in which "Connection: close" is valid.
            return line, _RESPONSE_NOTES.get(folded, "")
        if folded == "upgrade":
            return line, _verdict(value.lower() == "websocket", "websocket (§4.1, §4.2)")
        if folded == "connection":
            tokens = [token.strip().lower() for token in value.split(",")]
            return line, _verdict("upgrade" in tokens, "Upgrade among the tokens (§4.1, §4.2)")
        if is_request:
            return line, self._of_request(folded, value)
        return line, self._of_response(folded, value)

    def _of_request(self, name: str, value: str) -> str:
        match name:
            case "sec-websocket-key":
                self._key = value
                return _verdict(_is_nonce(value), "16 random bytes in Base64 (§4.1)")
            case "sec-websocket-version":
                return _verdict(value == "13", "13, the version of RFC 6455 (§4.1)")
            case "sec-websocket-protocol":
                self._offered_protocols += _names(value)
            case "sec-websocket-extensions":
                self._offered_extensions += _names(value)
        return _REQUEST_NOTES.get(name, "")

    def _of_response(self, name: str, value: str) -> str:
        match name:
            case "sec-websocket-accept" if self._key is not None:
                expected = accept_key(self._key)
                if value == expected:
                    return "right: checked against the key (§4.2.2)"
                return f"wrong: expected {expected} for the key (§4.1)"
            case "sec-websocket-protocol":
                return _verdict(value in self._offered_protocols, "one that was offered (§4.2.2)")
            case "sec-websocket-extensions":
                accepted = all(item in self._offered_extensions for item in _names(value))
                return _verdict(accepted, "extensions that were offered (§9.1)")
        return _RESPONSE_NOTES.get(name, "")


def _verdict(is_right: bool, rule: str) -> str:
    return f"right: {rule}" if is_right else f"wrong: expected {rule}"


def _is_nonce(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == 16
    except binascii.Error:
        return False


def _names(value: str) -> list[str]:
    """Return the items of a list without their parameters."""
    return [item.partition(";")[0].strip() for item in value.split(",")]
