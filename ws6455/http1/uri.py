"""WebSocket URIs.

RFC 6455 §3, RFC 3986, RFC 3987 (IRIs), RFC 6874 (zone identifiers).
"""

import dataclasses
import re
import urllib.parse

from ..exceptions import InvalidURI

__all__ = ["URI_CHARACTERS", "WebSocketURI", "parse_uri", "uri_text"]

#: Characters that a URI may contain, including "%", so that nothing is escaped twice.
URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%-._~"
_SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)  # RFC 3986 §3.1
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")
# An address in brackets with a zone, which urllib.parse accepts in some forms only.
_ZONE = re.compile(r"[^/?#]*+//[^/?#\[]*+\[[^\]/?#%]++(%[^\]/?#]*+)\]")
# Characters that a host cannot contain, percent-encoded or not.
_FORBIDDEN_IN_HOST = re.compile(r"[\x00-\x20\x7f\"#%/:<>?@\[\\\]^`{|}]")


@dataclasses.dataclass
class WebSocketURI:
    """A parsed WebSocket URI.

    Attributes:
        secure: whether the scheme is wss.
        host: name or address, lower case, without brackets; an IPv6 address may have a zone, as in
            ``fe80::1%eth0``.
        port: TCP port; the scheme's default if the URI has none.
        path: the path; it starts with a slash.
        query: the query, without the question mark.
        username: percent-decoded, or None.
        password: percent-decoded; None if and only if username is None.
    """

    secure: bool
    host: str
    port: int
    path: str
    query: str
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        """Return the URI without credentials, safe to log."""
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host
        return f"{'wss' if self.secure else 'ws'}://{host}:{self.port}{self.resource_name}"

    @property
    def resource_name(self) -> str:
        """The resource name: path and query, as in the request line (§3)."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def server_name(self) -> str:
        """The host without a zone, which has a meaning on this machine only (RFC 6874 §4)."""
        return self.host.partition("%")[0]

    @property
    def user_info(self) -> tuple[str, str] | None:
        """The username and password, or None."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def uri_text(uri: object) -> str:
    """Return a URI as a string.

    Args:
        uri: a string; or an object whose ``str()`` is a URI, such as a ``yarl.URL``.

    Raises:
        TypeError: if it is anything else, such as bytes.
    """
    if isinstance(uri, str):
        return uri
    text = str(uri)
    if isinstance(uri, WebSocketURI) and uri.user_info is not None:
        user, password = (urllib.parse.quote(part, safe="") for part in uri.user_info)
        return text.replace("//", f"//{user}:{password}@", 1)
    if _SCHEME.match(text) is None:
        kind = type(uri).__name__
        raise TypeError(f"uri must be a str, or an object whose str() is a URI, not {kind}")
    return text


def parse_uri(uri: object) -> WebSocketURI:
    """Parse a ``ws://`` or ``wss://`` URI.

    Non-ASCII characters (RFC 3987) are percent-encoded, or encoded with IDNA in the host. The zone
    of an IPv6 address follows ``%25``, or ``%`` alone (RFC 6874 §3).

    Args:
        uri: the URI, a string; or an object whose ``str()`` is a URI, such as a ``yarl.URL``.

    Raises:
        InvalidURI: if it is not a valid WebSocket URI; the message says why.
        TypeError: if it is not a URI at all, such as bytes.
    """
    uri = uri_text(uri)
    if _FORBIDDEN.search(uri):
        # A raw line break or space would otherwise end up in the request line.
        raise InvalidURI(ascii(uri), "spaces and control characters must be percent-encoded")
    zone = _ZONE.match(uri)
    try:
        parts = urllib.parse.urlsplit(
            uri if zone is None else uri[: zone.start(1)] + uri[zone.end(1) :]
        )
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidURI(uri, str(exc)) from exc
    if parts.scheme not in ("ws", "wss"):
        raise InvalidURI(uri, "scheme isn't ws or wss")
    if not host:
        raise InvalidURI(uri, "hostname isn't provided")
    if "#" in uri:
        raise InvalidURI(uri, "fragment identifier is meaningless")
    if port == 0:
        raise InvalidURI(uri, "port 0 cannot be connected to")
    username, password = parts.username, parts.password
    if username is not None and password is None:
        raise InvalidURI(uri, "username provided without password")
    if "%" in host:
        host = _decode(uri, host, "hostname")  # RFC 3986 §3.2.2
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as exc:
            raise InvalidURI(uri, "hostname isn't a valid domain name") from exc
    if zone is not None:
        host += "%" + _decode(uri, zone[1][1:].removeprefix("25"), "zone identifier")
    secure = parts.scheme == "wss"
    return WebSocketURI(
        secure,
        host,
        port or (443 if secure else 80),
        urllib.parse.quote(parts.path, safe=URI_CHARACTERS) or "/",
        urllib.parse.quote(parts.query, safe=URI_CHARACTERS),
        None if username is None else urllib.parse.unquote(username),
        None if password is None else urllib.parse.unquote(password),
    )


def _decode(uri: str, encoded: str, what: str) -> str:
    """Decode a percent-encoded part of the host.

    Args:
        uri: the URI.
        encoded: the part.
        what: name of the part, for the error.

    Raises:
        InvalidURI: if the result cannot be part of a host.
    """
    try:
        decoded = urllib.parse.unquote(encoded, errors="strict")
    except UnicodeDecodeError as exc:
        raise InvalidURI(uri, f"{what} isn't UTF-8") from exc
    if not decoded or _FORBIDDEN_IN_HOST.search(decoded) is not None:
        raise InvalidURI(uri, f"{what} isn't valid")
    return decoded
