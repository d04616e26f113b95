"""ws6455.protocol.server: the server's side (RFC 6455 §4.2)."""

import logging
from collections.abc import Sequence

import pytest

from tests.protocol.heads import (
    HEADERS,
    KEY,
    answer,
    feed_server,
    refusal,
    replaced,
    request_with,
)
from ws6455.exceptions import (
    HeaderLineTooLong,
    InvalidHeader,
    InvalidHeaderFormat,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidMethod,
    InvalidOrigin,
    InvalidProtocol,
    InvalidStatus,
    InvalidUpgrade,
    NegotiationError,
    NotHTTP,
    RequestLineTooLong,
    TooManyHeaders,
    UnsupportedVersion,
)
from ws6455.framing.frames import Frame, Opcode
from ws6455.http1.head import MAX_HEADERS, Request
from ws6455.http1.headers import MAX_LINE_SIZE
from ws6455.protocol.deflate_negotiation import ServerPerMessageDeflateFactory
from ws6455.protocol.handshake import build_response
from ws6455.protocol.protocol import SEND_EOF
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State


def test_the_rfc_s_handshake() -> None:
    # §1.3
    status, response, server = answer(
        request_with(
            ("Origin", "http://example.com"), ("Sec-WebSocket-Protocol", "chat, superchat")
        ),
        subprotocols=["chat"],
    )
    assert status == 101
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in response
    assert b"\r\nSec-WebSocket-Protocol: chat\r\n" in response
    assert server.origin == "http://example.com"
    assert server.subprotocol == "chat"
    assert server.extensions == []


def test_c01_no_host_or_two() -> None:
    assert refusal(replaced("Host")) == (400, InvalidHeader)
    assert refusal(replaced("Host", "a", "a")) == (400, InvalidHeader)
    assert refusal(replaced("Host", "")) == (400, InvalidHeaderValue)
    assert refusal(replaced("Host", "a b")) == (400, InvalidHeaderValue)


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "get", "CONNECT"])
def test_c02_a_method_other_than_get(method: str) -> None:
    status, response, server = answer(request_with(line=f"{method} / HTTP/1.1"))
    assert status == 405
    assert b"\r\nAllow: GET\r\n" in response
    assert isinstance(server.handshake_exc, InvalidMethod)
    # RFC 9110 §9.3.2: the answer to HEAD has no body.
    assert response.endswith(b"\r\n\r\n") is (method == "HEAD")


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2"])
def test_c03_another_version_of_http(version: str) -> None:
    assert refusal(request_with(line=f"GET / {version}")) == (505, InvalidProtocol)


@pytest.mark.parametrize(
    "line",
    ["GET * HTTP/1.1", "GET a HTTP/1.1", "GET /#a HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1"],
)
def test_c04_a_bad_target(line: str) -> None:
    assert refusal(request_with(line=line)) == (400, InvalidMessage)


@pytest.mark.parametrize(
    "line",
    [
        b"Name : v\r\n",
        b" folded\r\n",
        b"n@me: v\r\n",
        b"Name: a\rb\r\n",
        b"Name: \x00\r\n",
        b"Name: v\n",
        b"no colon\r\n",
    ],
)
def test_c05_a_malformed_header_line(line: bytes) -> None:
    assert refusal(request_with()[:-2] + line + b"\r\n") == (400, InvalidMessage)


def test_c06_characters_beyond_ascii() -> None:
    status, _, server = answer(request_with(("X", "\xe9")))
    assert status == 101
    assert server.request is not None
    assert server.request.headers["X"] == "\xe9"
    assert refusal(request_with(line="GET /\xe9 HTTP/1.1")) == (400, InvalidMessage)


def test_c07_too_long() -> None:
    target = "/" + "a" * MAX_LINE_SIZE
    assert refusal(request_with(line=f"GET {target} HTTP/1.1")) == (414, RequestLineTooLong)
    assert refusal(request_with(("X", "a" * MAX_LINE_SIZE))) == (431, HeaderLineTooLong)
    many = [("X", "a" * 8000)] * 9
    assert refusal(request_with(*many)) == (431, TooManyHeaders)


def test_b09_too_many_headers() -> None:
    # GHSA-3h5v-q93c-6h6q
    some = [("X", "a")] * (MAX_HEADERS - len(HEADERS))
    assert answer(request_with(*some))[0] == 101
    assert refusal(request_with(*some, ("X", "a"))) == (431, TooManyHeaders)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "1")],
        [("Content-Length", "0"), ("Content-Length", "0")],
        [("Content-Length", "+0")],
        [("Content-Length", "0_0")],
        [("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "identity")],
    ],
)
def test_c08_a_body(headers: list[tuple[str, str]]) -> None:
    assert refusal(request_with(*headers)) == (400, InvalidMessage)
    assert answer(request_with(("Content-Length", "0")))[0] == 101


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "WEBSOCKET", "h2c, websocket"])
@pytest.mark.parametrize(
    "connection", [["Upgrade"], ["upgrade"], ["keep-alive, Upgrade"], ["keep-alive", "UPGRADE"]]
)
def test_c09_connection_and_upgrade_are_lists_of_any_case(
    upgrade: str, connection: list[str]
) -> None:
    headers = [("upgrade", upgrade), *(("CONNECTION", value) for value in connection)]
    assert answer(request_with(*headers, without=["Upgrade", "Connection"]))[0] == 101


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Upgrade", []),
        ("Upgrade", [""]),
        ("Upgrade", ["h2c"]),
        ("Upgrade", ["web socket"]),
        ("Connection", []),
        ("Connection", ["keep-alive"]),
        ("Connection", ["Upgrade;"]),
    ],
)
def test_plain_http_is_told_to_upgrade(name: str, values: list[str]) -> None:
    status, response, server = answer(replaced(name, *values))
    assert status == 426
    assert b"\r\nUpgrade: websocket\r\n" in response
    assert b"You cannot access a WebSocket server directly with a browser." in response
    assert isinstance(server.handshake_exc, InvalidUpgrade)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [KEY, KEY],
        [""],
        ["dGhlIHNhbXBsZSBub25j"],
        ["dGhlIHNhbXBsZSBub25jZWU="],
        ["dGhlIHNhbXBsZSBub25jZQ"],
        ["dGhlIHNhbXBsZSBub25jZQ==="],
        ["dGhlIHNhbXBs ZSBub25jZQ=="],
        ["dGhlIHNhbXBsZSBub25jZQ-="],
        ["!" * 24],
        ["\xe9" * 24],
    ],
)
def test_c10_a_bad_key(values: list[str]) -> None:
    status, kind = refusal(replaced("Sec-WebSocket-Key", *values))
    assert status == 400
    assert issubclass(kind, InvalidHeader)


@pytest.mark.parametrize("version", ["0", "8", "12", "14", "25", "255"])
def test_c11_another_version_of_the_protocol(version: str) -> None:
    status, response, server = answer(replaced("Sec-WebSocket-Version", version))
    assert status == 426
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in response
    assert isinstance(server.handshake_exc, UnsupportedVersion)


@pytest.mark.parametrize("values", [[], ["13", "13"], ["013"], ["13, 8"], ["+13"], ["x"], [""]])
def test_c11_a_malformed_version(values: list[str]) -> None:
    status, kind = refusal(replaced("Sec-WebSocket-Version", *values))
    assert status == 400
    assert kind in (InvalidHeader, InvalidHeaderValue)


def protocols(*values: str) -> bytes:
    return request_with(*(("Sec-WebSocket-Protocol", value) for value in values))


def test_c12_subprotocols() -> None:
    # The server's order decides among those offered.
    status, response, server = answer(protocols("a, b", "c"), subprotocols=["x", "c", "a"])
    assert (status, server.subprotocol) == (101, "c")
    assert b"\r\nSec-WebSocket-Protocol: c\r\n" in response
    # None in common: the header is left out.
    status, response, server = answer(protocols("a, b"), subprotocols=["x"])
    assert (status, server.subprotocol) == (101, None)
    assert b"Sec-WebSocket-Protocol" not in response
    # A server without subprotocols ignores the offer; one with them needs it.
    assert answer(protocols("a"))[2].subprotocol is None
    assert refusal(request_with(), subprotocols=["a"]) == (400, NegotiationError)


@pytest.mark.parametrize("values", [["a b"], [""], ["a", "a"], ["a, b, a"], ["a;b"], ["\xe9"]])
def test_c12_malformed_subprotocols(values: list[str]) -> None:
    status, kind = refusal(protocols(*values), subprotocols=["a"])
    assert status == 400
    assert issubclass(kind, InvalidHeader)
    assert refusal(protocols(*values))[0] == 400


def test_the_subprotocol_may_be_selected_by_a_function() -> None:
    def select(server: ServerProtocol, offered: Sequence[str]) -> str | None:
        return offered[0] if offered else None

    assert answer(protocols("z, a"), select_subprotocol=select)[2].subprotocol == "z"
    assert answer(request_with(), select_subprotocol=select)[2].subprotocol is None

    def refuse(server: ServerProtocol, offered: Sequence[str]) -> str | None:
        raise NegotiationError("none will do")

    assert refusal(protocols("a"), select_subprotocol=refuse) == (400, NegotiationError)


def test_b23_a_function_that_fails_is_contained(caplog: pytest.LogCaptureFixture) -> None:
    def fail(server: ServerProtocol, offered: Sequence[str]) -> str | None:
        raise ZeroDivisionError("secret")

    status, response, server = answer(protocols("a"), select_subprotocol=fail)
    assert status == 500
    assert b"secret" not in response
    assert isinstance(server.handshake_exc, ZeroDivisionError)
    assert [record.exc_info is not None for record in caplog.records] == [True]


DEFLATE = [ServerPerMessageDeflateFactory()]


@pytest.mark.parametrize(
    ("value", "answered"),
    [
        ("unknown", None),
        ("unknown; a=1, other", None),
        ("permessage-deflate", "permessage-deflate"),
        ("unknown, permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; unknown", None),
    ],
)
def test_c13_extensions(value: str, answered: str | None) -> None:
    request = request_with(("Sec-WebSocket-Extensions", value))
    status, response, server = answer(request, extensions=DEFLATE)
    assert status == 101
    assert (b"Sec-WebSocket-Extensions" in response) is (answered is not None)
    assert (server.deflate is not None) is (answered is not None)
    status, response, server = answer(request)
    assert status == 101
    assert b"Sec-WebSocket-Extensions" not in response


@pytest.mark.parametrize("value", ["", "a b", "a;", "a; b=", 'a; b="', "\xe9"])
@pytest.mark.parametrize("extensions", [None, DEFLATE])
def test_c13_malformed_extensions(
    value: str, extensions: list[ServerPerMessageDeflateFactory] | None
) -> None:
    request = request_with(("Sec-WebSocket-Extensions", value))
    assert refusal(request, extensions=extensions) == (400, InvalidHeaderFormat)


def test_c14_origins() -> None:
    good, evil = ("Origin", "https://good"), ("Origin", "https://good.evil")
    assert answer(request_with(good), origins=["https://good"])[0] == 101
    assert refusal(request_with(evil), origins=["https://good"]) == (403, InvalidOrigin)
    assert refusal(request_with(), origins=["https://good"]) == (403, InvalidOrigin)
    assert refusal(request_with(good, good), origins=["https://good"]) == (400, InvalidHeader)
    assert refusal(request_with(good, good)) == (400, InvalidHeader)


def test_what_is_not_http_gets_no_answer() -> None:
    for data in (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"\r\n" * 5, b"GET /\r\n\r\n"):
        server = ServerProtocol()
        server.receive_data(data)
        assert isinstance(server.handshake_exc, NotHTTP)
        assert server.data_to_send() == [SEND_EOF]
        assert server.events_received() == []


def test_b27_after_a_refusal_nothing_is_read() -> None:
    server = ServerProtocol(origins=[])
    ping = Frame(Opcode.PING, b"smuggled").serialize(mask=True)
    feed_server(server, request_with() + ping)
    first = server.data_to_send()
    assert first[0].startswith(b"HTTP/1.1 403 ")
    assert first[1:] == [SEND_EOF]
    server.receive_data(ping + request_with())
    assert server.events_received() == []
    assert not server.has_early_data  # nothing of it is kept
    assert server.data_to_send() == []
    server.receive_eof()
    assert server.state is State.CLOSED


def test_b27_after_an_application_s_answer_nothing_is_read() -> None:
    server = ServerProtocol()
    server.receive_data(request_with() + request_with())
    assert len(server.events_received()) == 1
    server.send_response(server.reject(404, "no such page"))
    assert isinstance(server.handshake_exc, InvalidStatus)
    assert server.data_to_send()[0].endswith(b"\r\n\r\nno such page")
    server.receive_data(request_with())
    assert server.events_received() == []


def test_frames_that_come_before_the_response_are_kept() -> None:
    server = ServerProtocol()
    frames = Frame(Opcode.TEXT, b"early").serialize(mask=True)
    server.receive_data(request_with() + frames[:3])
    assert server.has_early_data
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.receive_data(frames[3:])
    assert server.events_received() == []
    server.send_response(server.accept(request))
    assert not server.has_early_data
    assert server.events_received() == [Frame(Opcode.TEXT, b"early")]


def test_a_response_that_cannot_be_sent_changes_nothing() -> None:
    server = ServerProtocol()
    server.receive_data(request_with())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    response = server.accept(request)
    response.reason_phrase = "OK\r\nX: y"
    with pytest.raises(InvalidMessage):
        server.send_response(response)
    assert server.response is None
    assert server.state is State.CONNECTING
    server.send_response(server.reject(500, ""))
    assert server.data_to_send()[0].startswith(b"HTTP/1.1 500 ")


def test_an_application_may_accept_what_the_server_would_refuse() -> None:
    server = ServerProtocol(origins=["https://good"])
    server.receive_data(request_with())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    assert server.accept(request).status_code == 403
    server.send_response(build_response(KEY))
    assert server.state is State.OPEN
    assert server.handshake_exc is None


@pytest.mark.parametrize("size", [0, 1, 30])
def test_a_client_that_goes_away_is_no_http_error(size: int) -> None:
    server = ServerProtocol()
    server.receive_data(request_with()[:size])
    server.receive_eof()
    assert server.state is State.CLOSED
    assert isinstance(server.handshake_exc, InvalidMessage)
    cause = server.handshake_exc.__cause__
    assert isinstance(cause, EOFError)
    assert str(cause) == f"stream ends after {size} bytes of the head"
    assert server.data_to_send() == [SEND_EOF]


def test_a_client_that_goes_away_before_its_answer() -> None:
    server = ServerProtocol()
    server.receive_data(request_with())
    server.receive_eof()
    assert server.state is State.CLOSED
    assert isinstance(server.handshake_exc, InvalidMessage)
    assert str(server.handshake_exc.__cause__) == "stream ends after the head"


def test_b28_a_head_in_the_log_is_escaped_and_hides_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="ws6455.server")
    answer(
        request_with(("X", "\xe9\x9b2J"), ("Authorization", "Basic c2VjcmV0"), ("Cookie", "a=b"))
    )
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert r"< X: \xe9\x9b2J" in text
    assert "< Authorization: [hidden]" in text
    assert "< Cookie: [hidden]" in text
    assert "c2VjcmV0" not in text
    assert "> HTTP/1.1 101 Switching Protocols" in text


def test_early_data_is_not_copied_by_each_read() -> None:
    server = ServerProtocol()
    server.receive_data(request_with() + b"\x82")
    server.receive_data(b"")
    early = server._early
    server.receive_data(bytes(1000))
    assert server._early is early
