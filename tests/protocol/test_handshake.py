"""ws6455.protocol.handshake: its pure functions; whole handshakes are in tests.protocol."""

import base64
import re
from collections.abc import Sequence
from typing import Any

import pytest

from ws6455.exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderValue,
    InvalidOrigin,
    InvalidUpgrade,
    NegotiationError,
    UnsupportedVersion,
)
from ws6455.http1.headers import Headers
from ws6455.http1.uri import WebSocketURI, parse_uri
from ws6455.protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from ws6455.protocol.handshake import (
    accept_key,
    answer_extensions,
    answer_subprotocol,
    build_refusal,
    build_request,
    build_response,
    check_extensions,
    check_origin,
    check_request,
    check_response,
    check_subprotocol,
    generate_key,
    validate_subprotocols,
)
from ws6455.typing import ExtensionHeader

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
EXTENSIONS = "Sec-WebSocket-Extensions"
PROTOCOL = "Sec-WebSocket-Protocol"


def test_the_rfc_s_key() -> None:
    assert accept_key(KEY) == ACCEPT  # §1.3


def test_keys_are_16_bytes_and_fresh() -> None:
    keys = {generate_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(base64.b64decode(key)) for key in keys} == {16}


@pytest.mark.parametrize("subprotocols", [[], ["a"], ("a", "b.c")])
def test_subprotocols_of_a_caller(subprotocols: Sequence[str]) -> None:
    validate_subprotocols(subprotocols)


@pytest.mark.parametrize("subprotocols", ["chat", {"a"}, 5, None, [1], ["a", None], [b"a"]])
def test_subprotocols_of_a_wrong_type(subprotocols: Any) -> None:
    with pytest.raises(TypeError, match="sequence of strings"):
        validate_subprotocols(subprotocols)


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a\r\nX: y", "\x00", "\xe9", "a/b"])
def test_b18_a_subprotocol_that_is_no_token(name: str) -> None:
    with pytest.raises(ValueError, match="invalid subprotocol"):
        validate_subprotocols(["a", name])


# The request ------------------------------------------------------------------------------------


def test_the_least_request() -> None:
    request = build_request(parse_uri("ws://example.com/chat"), KEY)
    assert request.serialize() == (
        b"GET /chat HTTP/1.1\r\n"
        b"Host: example.com\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n"
        b"\r\n"
    )
    assert check_request(request) == KEY


def test_the_largest_request() -> None:
    request = build_request(
        parse_uri("wss://us%65r:p%C3%A9:w@[::1]:8443/a?b"),
        KEY,
        origin="https://example.com",
        extensions=[ClientPerMessageDeflateFactory(server_max_window_bits=10)],
        subprotocols=["chat", "superchat"],
    )
    assert request.path == "/a?b"
    headers = request.headers
    assert headers["Host"] == "[::1]:8443"
    credentials = headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials).decode() == "user:p\xe9:w"
    assert headers["Origin"] == "https://example.com"
    assert headers[EXTENSIONS] == (
        "permessage-deflate; server_max_window_bits=10; client_max_window_bits"
    )
    assert headers[PROTOCOL] == "chat, superchat"
    assert check_request(request) == KEY


def test_b18_an_address_that_would_split_the_head_is_refused() -> None:
    split = "h\r\nX: y"
    with pytest.raises(InvalidHandshake):
        build_request(WebSocketURI(False, split, 80, "/", ""), KEY)
    with pytest.raises(InvalidHandshake):
        build_request(WebSocketURI(False, "h", 80, "/", ""), KEY, origin=split)
    with pytest.raises(InvalidHandshake):
        build_request(WebSocketURI(False, "h", 80, f"/{split}", ""), KEY).serialize()


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        (None, None),
        (None, "anything"),
        ([None], None),
        (["https://good.example"], "https://good.example"),
        (["https://other", None, "https://good.example"], "https://good.example"),
        ([re.compile(r"https://[a-z]+\.example")], "https://good.example"),
    ],
)
def test_allowed_origins(origins: Any, origin: str | None) -> None:
    headers = Headers() if origin is None else Headers({"Origin": origin})
    assert check_origin(headers, origins) == origin


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ([], None),
        ([], "https://good.example"),
        (["https://good.example"], None),
        ([re.compile(".*")], None),
        ([None], "https://good.example"),
        ([None], "null"),
        (["https://good.example"], "null"),
        (["https://good.example"], ""),
        # B16: matched in full
        (["https://good.example"], "https://good.example.evil"),
        (["https://good.example"], "https://evil/https://good.example"),
        (["https://good.example"], "https://good.example:443"),
        (["https://good.example"], "http://good.example"),
        ([re.compile(r"https://good\.example")], "https://good.example.evil"),
        ([re.compile(r"https://good\.example$")], "https://good.example\t"),
    ],
)
def test_b16_refused_origins(origins: Any, origin: str | None) -> None:
    headers = Headers() if origin is None else Headers({"Origin": origin})
    with pytest.raises(InvalidOrigin) as raised:
        check_origin(headers, origins)
    assert raised.value.status == 403
    assert raised.value.value == origin


# Negotiation ------------------------------------------------------------------------------------

BITS_10 = ServerPerMessageDeflateFactory(server_max_window_bits=10)
PLAIN = ServerPerMessageDeflateFactory()


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        ([], None),
        (["permessage-deflate"], ("permessage-deflate", [])),
        (["unknown, permessage-deflate"], ("permessage-deflate", [])),
        (["unknown", "permessage-deflate"], ("permessage-deflate", [])),
        (["unknown; a=1"], None),
        (["PerMessage-Deflate"], None),
        (["x-webkit-deflate-frame"], None),
        (["permessage-deflate; bad, permessage-deflate"], ("permessage-deflate", [])),
        (
            ["permessage-deflate; server_no_context_takeover, permessage-deflate"],
            ("permessage-deflate", [("server_no_context_takeover", None)]),
        ),
    ],
)
def test_the_first_offer_that_can_be_accepted_is(
    offers: list[str], answer: ExtensionHeader | None
) -> None:
    headers = Headers((EXTENSIONS, offer) for offer in offers)
    chosen = answer_extensions(headers, [PLAIN])
    assert (chosen and chosen[0]) == answer


def test_the_client_s_order_counts_before_the_server_s() -> None:
    headers = Headers({EXTENSIONS: "permessage-deflate; server_max_window_bits=9"})
    chosen = answer_extensions(headers, [BITS_10, PLAIN])
    assert chosen is not None
    assert chosen[0] == ("permessage-deflate", [("server_max_window_bits", "9")])


@pytest.mark.parametrize(
    "name", ["__proto__", "constructor", "hasOwnProperty", "toString", "__class__", "__init__"]
)
def test_b08_names_with_a_meaning_elsewhere_are_declined(name: str) -> None:
    assert answer_extensions(Headers({EXTENSIONS: name}), [PLAIN]) is None
    headers = Headers({EXTENSIONS: f"permessage-deflate; {name}"})
    assert answer_extensions(headers, [PLAIN]) is None
    with pytest.raises(NegotiationError):
        check_extensions(Headers({EXTENSIONS: name}), [ClientPerMessageDeflateFactory()])


def test_the_subprotocols_offered_are_one_list_in_the_client_s_order() -> None:
    seen: list[str] = []

    def select(offered: Sequence[str]) -> str | None:
        seen.extend(offered)
        return offered[-1]

    headers = Headers([(PROTOCOL, "c, a"), (PROTOCOL, "b")])
    assert answer_subprotocol(headers, select) == "b"
    assert seen == ["c", "a", "b"]
    assert answer_subprotocol(Headers(), lambda offered: None) is None


def test_an_accepted_extension_is_one_that_was_offered() -> None:
    offers = [
        ClientPerMessageDeflateFactory(server_no_context_takeover=True),
        ClientPerMessageDeflateFactory(),
    ]
    accepted = check_extensions(Headers({EXTENSIONS: "permessage-deflate"}), offers)
    assert accepted is not None
    assert accepted.remote_no_context_takeover is False
    assert check_extensions(Headers(), offers) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("unknown", "unsupported extension: unknown"),
        ("unknown; a=1", "unsupported extension: unknown; a=1"),
        ("permessage-deflate, permessage-deflate", "more than one extension"),
        ("permessage-deflate, unknown", "more than one extension"),
        ("permessage-deflate; bad", "unsupported extension: permessage-deflate; bad"),
    ],
)
def test_c17_an_extension_that_does_not_fit_the_offer(value: str, text: str) -> None:
    with pytest.raises(NegotiationError, match=text):
        check_extensions(Headers({EXTENSIONS: value}), [ClientPerMessageDeflateFactory()])


def test_the_subprotocol_of_a_response() -> None:
    assert check_subprotocol(Headers(), ["a"]) is None
    assert check_subprotocol(Headers({PROTOCOL: "b"}), ["a", "b"]) == "b"
    for value in ("", "c", "a, b", "A"):
        with pytest.raises(NegotiationError, match="unsupported subprotocol"):
            check_subprotocol(Headers({PROTOCOL: value}), ["a", "b"])
    with pytest.raises(InvalidHeader, match="more than one"):
        check_subprotocol(Headers([(PROTOCOL, "a"), (PROTOCOL, "a")]), ["a"])


# The response -----------------------------------------------------------------------------------


def test_an_accepting_response() -> None:
    response = build_response(
        KEY, ("permessage-deflate", [("server_max_window_bits", "9")]), "chat"
    )
    assert list(response.headers.raw_items()) == [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", ACCEPT),
        (EXTENSIONS, "permessage-deflate; server_max_window_bits=9"),
        (PROTOCOL, "chat"),
    ]
    check_response(response, "HTTP/1.1", KEY)


def test_a_response_without_agreements() -> None:
    headers = build_response(KEY).headers
    assert EXTENSIONS not in headers
    assert PROTOCOL not in headers


@pytest.mark.parametrize(
    ("exc", "status", "header"),
    [
        (InvalidHeaderValue("Host", "a b"), 400, None),
        (InvalidOrigin("x"), 403, None),
        (InvalidUpgrade("Upgrade", None), 426, ("Upgrade", "websocket")),
        (UnsupportedVersion("Sec-WebSocket-Version", "8"), 426, ("Sec-WebSocket-Version", "13")),
    ],
)
def test_a_refusal_says_why(
    exc: InvalidHandshake, status: int, header: tuple[str, str] | None
) -> None:
    response = build_refusal(exc)
    assert response.status_code == status
    assert str(exc) in response.body.decode()
    assert response.headers["Content-Length"] == str(len(response.body))
    assert response.headers["Connection"] == "close"
    if header is not None:
        assert response.headers[header[0]] == header[1]
