"""Tests of ws6455.http1.uri: valid and invalid WebSocket URIs, and their parts."""

from pathlib import Path

import pytest
import yarl

from ws6455.exceptions import InvalidURI
from ws6455.http1.uri import WebSocketURI, parse_uri, uri_text


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("ws://localhost/", WebSocketURI(False, "localhost", 80, "/", "")),
        ("wss://localhost/", WebSocketURI(True, "localhost", 443, "/", "")),
        ("ws://localhost", WebSocketURI(False, "localhost", 80, "/", "")),
        ("WSS://LocalHost:8443/A", WebSocketURI(True, "localhost", 8443, "/A", "")),
        ("ws://h:80/a/b;c?d=e&f", WebSocketURI(False, "h", 80, "/a/b;c", "d=e&f")),
        ("ws://h?q", WebSocketURI(False, "h", 80, "/", "q")),
        ("ws://h/?a?b/c", WebSocketURI(False, "h", 80, "/", "a?b/c")),
        ("ws://[::1]:9000/x", WebSocketURI(False, "::1", 9000, "/x", "")),
        ("ws://u:p@h/", WebSocketURI(False, "h", 80, "/", "", "u", "p")),
        ("ws://u%40x:p%3Aq%20@h/", WebSocketURI(False, "h", 80, "/", "", "u@x", "p:q ")),
        ("ws://u:@h/", WebSocketURI(False, "h", 80, "/", "", "u", "")),
        # RFC 3987 §3.1: an IRI becomes a URI; existing escapes are kept.
        ("ws://h/caf\xe9?n=\xfc", WebSocketURI(False, "h", 80, "/caf%C3%A9", "n=%C3%BC")),
        ("ws://h/caf%C3%A9%2F", WebSocketURI(False, "h", 80, "/caf%C3%A9%2F", "")),
        ("ws://b\xfccher.example/", WebSocketURI(False, "xn--bcher-kva.example", 80, "/", "")),
        ("ws://b%C3%BCcher.example/", WebSocketURI(False, "xn--bcher-kva.example", 80, "/", "")),
        # RFC 6874 §2; §3 suggests to accept a bare percent sign.
        ("ws://[fe80::1%25lo]/", WebSocketURI(False, "fe80::1%lo", 80, "/", "")),
        ("ws://[fe80::1%25Eth%2d0]:81/", WebSocketURI(False, "fe80::1%Eth-0", 81, "/", "")),
        ("ws://[fe80::1%lo]/", WebSocketURI(False, "fe80::1%lo", 80, "/", "")),
        ("ws://[fe80::1%252]/", WebSocketURI(False, "fe80::1%2", 80, "/", "")),
        ("ws://%C3%BC:%C3%A9@h/", WebSocketURI(False, "h", 80, "/", "", "\xfc", "\xe9")),
    ],
)
def test_parts(uri: str, expected: WebSocketURI) -> None:
    assert parse_uri(uri) == expected


@pytest.mark.parametrize(
    ("uri", "resource_name", "user_info"),
    [
        ("ws://h", "/", None),
        ("ws://h/a?b", "/a?b", None),
        ("ws://h/?", "/", None),
        ("ws://u:p@h?b", "/?b", ("u", "p")),
    ],
)
def test_what_the_request_takes(
    uri: str, resource_name: str, user_info: tuple[str, str] | None
) -> None:
    parsed = parse_uri(uri)
    assert parsed.resource_name == resource_name
    assert parsed.user_info == user_info


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "scheme isn't ws or wss"),
        ("localhost", "scheme isn't ws or wss"),
        ("http://localhost/", "scheme isn't ws or wss"),
        ("//localhost/", "scheme isn't ws or wss"),
        ("ws:///path", "hostname isn't provided"),
        ("ws://:80/", "hostname isn't provided"),
        ("ws://h/#fragment", "fragment identifier is meaningless"),
        ("ws://h/#", "fragment identifier is meaningless"),
        ("ws://h:0/", "port 0 cannot be connected to"),
        ("ws://h:65536/", "Port out of range"),
        ("ws://h:-1/", "Port could not be cast"),
        ("ws://h:x/", "Port could not be cast"),
        ("ws://[::1/", "Invalid IPv6 URL"),
        ("ws://[fe80::1%25]/", "zone identifier isn't valid"),
        ("ws://[fe80::1%]/", "zone identifier isn't valid"),
        ("ws://[fe80::1%25a%2Fb]/", "zone identifier isn't valid"),
        ("ws://[fe80::x%25lo]/", "."),
        ("ws://a%2Fb/", "hostname isn't valid"),
        ("ws://a%0d%0ab/", "hostname isn't valid"),
        ("ws://%ff/", "hostname isn't UTF-8"),
        ("ws://user@h/", "username provided without password"),
        ("ws://" + "\xfc" * 70 + "/", "hostname isn't a valid domain name"),
    ],
)
def test_refused(uri: str, reason: str) -> None:
    with pytest.raises(InvalidURI, match=reason) as raised:
        parse_uri(uri)
    assert raised.value.uri == uri


@pytest.mark.parametrize("code", [*range(0x21), 0x7F])
@pytest.mark.parametrize(
    "uri", ["ws://h/{}x", "ws://h/?{}", "ws://a{}b/", "{}ws://h/", "ws://h/{}"]
)
def test_b18_control_characters_and_spaces_are_refused(uri: str, code: int) -> None:
    # urllib.parse would strip some of them silently.
    with pytest.raises(InvalidURI, match="must be percent-encoded") as raised:
        parse_uri(uri.format(chr(code)))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("character", ["\x85", "\xa0", "\u2028", "\u202e", "\U0001f600"])
def test_other_white_space_is_escaped(character: str) -> None:
    parsed = parse_uri(f"ws://h/{character}?{character}")
    assert parsed.resource_name.isascii()
    assert parsed.resource_name.isprintable()


@pytest.mark.parametrize(
    "uri",
    [
        yarl.URL("ws://user:p%40ss@[::1]:81/path?query"),
        parse_uri("ws://user:p%40ss@[::1]:81/path?query"),  # its str() hides the credentials
    ],
)
def test_d17_an_object_whose_str_is_a_uri(uri: object) -> None:
    assert parse_uri(uri) == parse_uri("ws://user:p%40ss@[::1]:81/path?query")
    assert uri_text(uri) == "ws://user:p%40ss@[::1]:81/path?query"


@pytest.mark.parametrize("uri", [None, 80, b"ws://x/", Path("ws://x/"), ["ws://x/"], object])
def test_d17_an_object_that_is_no_uri(uri: object) -> None:
    with pytest.raises(TypeError, match=r"^uri must be a str, or an object whose str\(\) is a URI"):
        parse_uri(uri)


def test_a_zone_is_part_of_the_host_and_not_of_its_name() -> None:
    uri = parse_uri("wss://[fe80::1%25lo]:8443/path")
    assert str(uri) == "wss://[fe80::1%25lo]:8443/path"
    assert parse_uri(str(uri)) == uri
    assert uri.server_name == "fe80::1"
    assert parse_uri("ws://localhost/").server_name == "localhost"
