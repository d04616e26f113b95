"""Parsers and builders for header values: token lists, extension lists, Host.

RFC 9110 §5.6 (lists, tokens, quoted strings), RFC 6455 §9.1 (extensions), RFC 6454 (origins).
Scanning takes linear time: every pattern is anchored and possessive, so nothing is scanned twice.
"""

import ipaddress
import re

from ..exceptions import InvalidHeaderFormat
from ..typing import ExtensionHeader, ExtensionParameter

__all__ = [
    "HOST",
    "TOKEN",
    "build_extension_list",
    "build_host",
    "parse_extension_list",
    "parse_token_list",
]

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_SPACE = re.compile(r"[ \t]*+")
_QUOTED = re.compile(r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")


def _ipv6_pattern() -> str:
    """Return the pattern of an IPv6 address (RFC 3986 §3.2.2)."""
    byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    piece = "[0-9A-Fa-f]{1,4}"
    end = rf"(?:{piece}:{piece}|{byte}(?:\.{byte}){{3}})"  # the last 32 bits
    pieces = f"(?:{piece}:)"
    forms = [f"{pieces}{{6}}{end}", f"::{pieces}{{5}}{end}"]
    # Up to seven pieces before the "::".
    forms += [f"(?:{pieces}{{0,{n}}}{piece})?::{pieces}{{{4 - n}}}{end}" for n in range(5)]
    forms += [f"(?:{pieces}{{0,5}}{piece})?::{piece}", f"(?:{pieces}{{0,6}}{piece})?::"]
    return "|".join(forms)


# A valid Host: uri-host [":" port] (RFC 9112 §3.2). The name is not empty, since the URI has a
# host. RFC 3986 allows a comma in it, but here it shows two Host headers that a proxy has joined.
HOST = re.compile(
    rf"""
    (?: \[ (?: {_ipv6_pattern()} ) \]
      | (?: [A-Za-z0-9\-._~!$&'()*+;=] | %[0-9A-Fa-f]{{2}} )++ )
    (?: : 0*+ (?: [1-5]?[0-9]{{0,4}}
                | 6[0-4][0-9]{{3}} | 65[0-4][0-9]{{2}} | 655[0-2][0-9] | 6553[0-5] ) )?
    """,
    re.VERBOSE,
)


class _Scanner:
    """A cursor over the value of one header."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.position = 0

    def error(self, expected: str) -> InvalidHeaderFormat:
        return InvalidHeaderFormat(self.name, expected, self.text, self.position)

    def space(self) -> None:
        match = _SPACE.match(self.text, self.position)
        assert match is not None  # it matches the empty string
        self.position = match.end()

    def take(self, character: str) -> bool:
        """Consume a character and the optional white space around it.

        Returns:
            False if another character, or the end, comes next.
        """
        self.space()
        if self.text.startswith(character, self.position):
            self.position += 1
            self.space()
            return True
        return False

    def token(self) -> str:
        match = TOKEN.match(self.text, self.position)
        if match is None:
            raise self.error("expected token")
        self.position = match.end()
        return match.group()

    def next_item(self) -> bool:
        """Advance to the next list item; empty items are ignored (RFC 9110 §5.6.1.2).

        Returns:
            False at the end of the list.
        """
        while self.take(","):
            pass
        return self.position < len(self.text)

    def end_item(self) -> None:
        """Check that the item is followed by a comma or the end of the list."""
        self.space()
        if self.position < len(self.text) and self.text[self.position] != ",":
            raise self.error("expected comma")


def parse_token_list(name: str, value: str) -> list[str]:
    """Parse a list of tokens, such as Connection, Upgrade or Sec-WebSocket-Protocol.

    Args:
        name: the header's name, for the error.
        value: the header's value.

    Raises:
        InvalidHeaderFormat: if the value is malformed or the list is empty.
    """
    scanner = _Scanner(name, value)
    tokens: list[str] = []
    while scanner.next_item():
        tokens.append(scanner.token())
        scanner.end_item()
    if not tokens:
        raise scanner.error("expected token")
    return tokens


def parse_extension_list(value: str) -> list[ExtensionHeader]:
    """Parse Sec-WebSocket-Extensions (RFC 6455 §9.1).

    Args:
        value: the header's value.

    Raises:
        InvalidHeaderFormat: if the value is malformed or the list is empty.
    """
    scanner = _Scanner("Sec-WebSocket-Extensions", value)
    extensions: list[ExtensionHeader] = []
    while scanner.next_item():
        name = scanner.token()
        parameters: list[ExtensionParameter] = []
        while scanner.take(";"):
            parameters.append(_parse_parameter(scanner))
        scanner.end_item()
        extensions.append((name, parameters))
    if not extensions:
        raise scanner.error("expected extension")
    return extensions


def _parse_parameter(scanner: _Scanner) -> ExtensionParameter:
    """Parse ``name``, ``name=token`` or ``name="token"``."""
    name = scanner.token()
    if not scanner.take("="):
        return name, None
    quoted = _QUOTED.match(scanner.text, scanner.position)
    if quoted is None:
        return name, scanner.token()
    value = _QUOTED_PAIR.sub(r"\1", quoted.group(1))
    # §9.1: when quoted, the value after unescaping must still be a token.
    if TOKEN.fullmatch(value) is None:
        raise scanner.error("expected token in quotes")
    scanner.position = quoted.end()
    return name, value


def build_extension_list(extensions: list[ExtensionHeader]) -> str:
    """Build Sec-WebSocket-Extensions; the inverse of :func:`parse_extension_list`."""
    return ", ".join(
        "; ".join([name, *(p if v is None else f"{p}={v}" for p, v in parameters)])
        for name, parameters in extensions
    )


def build_host(host: str, port: int, secure: bool, *, always_include_port: bool = False) -> str:
    """Build a Host header (RFC 9110 §7.2); an IPv6 address is put in brackets.

    Args:
        host: name or address; a zone is left out (RFC 6874 §4).
        port: TCP port.
        secure: whether the default port is 443 rather than 80.
        always_include_port: whether to include the port even if it is the default.
    """
    address = host.partition("%")[0]
    try:
        if ipaddress.ip_address(address).version == 6:
            host = f"[{address}]"
    except ValueError:
        pass  # a name
    if always_include_port or port != (443 if secure else 80):
        return f"{host}:{port}"
    return host
