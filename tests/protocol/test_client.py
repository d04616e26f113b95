"""ws6455.protocol.client: the client's side (RFC 6455 §4.1)."""

import logging

import pytest

from tests.protocol.heads import (
    KEY,
    client_of,
    outcome,
    response_with,
)
from ws6455.exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderFormat,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidProtocol,
    InvalidStatus,
    InvalidUpgrade,
    NegotiationError,
    NotHTTP,
    SecurityError,
    StatusLineTooLong,
)
from ws6455.http1.body import MAX_BODY_SIZE
from ws6455.http1.head import Response
from ws6455.http1.headers import MAX_LINE_SIZE
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.deflate_negotiation import ClientPerMessageDeflateFactory
from ws6455.protocol.handshake import accept_key
from ws6455.protocol.states import State


def test_an_accepting_response_opens_the_connection() -> None:
    assert outcome(response_with()) is None
    assert outcome(response_with(("upgrade", "WebSocket"), without=["Upgrade"])) is None
    assert (
        outcome(response_with(("connection", "keep-alive, upgrade"), without=["Connection"]))
        is None
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], InvalidHeader),
        ([""], InvalidHeaderValue),
        ([accept_key("another")], InvalidHeaderValue),
        ([accept_key(KEY).lower()], InvalidHeaderValue),
        ([accept_key(KEY), accept_key(KEY)], InvalidHeader),
    ],
)
def test_c15_accept_missing_wrong_or_doubled(values: list[str], kind: type[Exception]) -> None:
    more = [("Sec-WebSocket-Accept", value) for value in values]
    assert type(outcome(response_with(*more, without=["Sec-WebSocket-Accept"]))) is kind


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Upgrade", ["websocket, h2c"]),
        ("Upgrade", ["websocket", "websocket"]),
        ("Upgrade", ["h2c"]),
        ("Upgrade", []),
        ("Connection", ["close"]),
        ("Connection", []),
    ],
)
def test_c16_another_upgrade(name: str, values: list[str]) -> None:
    more = [(name, value) for value in values]
    assert type(outcome(response_with(*more, without=[name]))) is InvalidUpgrade


@pytest.mark.parametrize(
    ("values", "offered", "kind"),
    [
        (["a"], ["a", "b"], None),
        ([], ["a"], None),
        (["c"], ["a", "b"], NegotiationError),
        (["a"], [], NegotiationError),
        ([""], ["a"], NegotiationError),
        (["a, b"], ["a", "b"], NegotiationError),
        (["a", "a"], ["a"], InvalidHeader),
    ],
)
def test_c17_subprotocol(
    values: list[str], offered: list[str], kind: type[Exception] | None
) -> None:
    more = [("Sec-WebSocket-Protocol", value) for value in values]
    exc = outcome(response_with(*more), subprotocols=offered)
    assert (exc and type(exc)) is kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("permessage-deflate", None),
        ("unknown", NegotiationError),
        ("permessage-deflate, permessage-deflate", NegotiationError),
        ("permessage-deflate; unknown", NegotiationError),
        ("", InvalidHeaderFormat),
        ("a b", InvalidHeaderFormat),
    ],
)
def test_c17_extension(value: str, kind: type[Exception] | None) -> None:
    response = response_with(("Sec-WebSocket-Extensions", value))
    exc = outcome(response, extensions=[ClientPerMessageDeflateFactory()])
    assert (exc and type(exc)) is kind
    assert isinstance(outcome(response), InvalidHandshake)


def test_c18_status_line() -> None:
    assert type(outcome(response_with(line="HTTP/1.0 101 Switching"))) is InvalidProtocol
    assert outcome(response_with(line="HTTP/1.1 101 ")) is None
    assert outcome(response_with(line="HTTP/1.1 101")) is None
    assert type(outcome(response_with(line="ICY 200 OK"))) is NotHTTP
    too_long = b"HTTP/1.1 101 " + b"x" * MAX_LINE_SIZE
    assert type(outcome(too_long)) is StatusLineTooLong


@pytest.mark.parametrize("status", [200, 301, 401, 404, 503])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Length", "3")], b"why and more"),
        ([("Content-Length", "0")], b""),
        ([("Transfer-Encoding", "chunked")], b"3\r\nwhy\r\n0\r\n\r\n"),
        ([("Content-Length", str(2 * MAX_BODY_SIZE))], bytes(2 * MAX_BODY_SIZE)),
    ],
)
def test_c19_a_refusal_is_a_typed_error_with_a_bounded_body(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    head = response_with(*headers, ("Location", "/x"), line=f"HTTP/1.1 {status} No")
    exc = outcome(head + body)
    assert isinstance(exc, InvalidStatus)
    assert isinstance(exc.response, Response)
    assert exc.response.status_code == status
    assert exc.response.headers["Location"] == "/x"
    expected = b"why" if b"why" in body else body[:MAX_BODY_SIZE]
    assert exc.response.body == expected


def test_c19_a_body_without_a_length_ends_with_the_stream() -> None:
    client = client_of()
    client.receive_data(response_with(line="HTTP/1.1 400 Bad Request") + b"wh")
    client.receive_data(b"y")
    assert client.handshake_exc is None
    client.receive_eof()
    assert isinstance(client.handshake_exc, InvalidStatus)
    assert client.handshake_exc.response.body == b"why"
    assert client.state is State.CLOSED


@pytest.mark.parametrize("line", ["HTTP/1.1 204 No", "HTTP/1.1 304 No"])
def test_c19_some_responses_have_no_body(line: str) -> None:
    assert isinstance(outcome(response_with(("Content-Length", "9"), line=line)), InvalidStatus)


@pytest.mark.parametrize(
    ("header", "body"),
    [(("Content-Length", "x"), b""), (("Transfer-Encoding", "chunked"), b"x\r\n")],
)
def test_c19_a_body_that_cannot_be_read_hides_no_status(
    header: tuple[str, str], body: bytes
) -> None:
    exc = outcome(response_with(header, line="HTTP/1.1 502 Bad Gateway") + body)
    assert isinstance(exc, InvalidStatus)
    assert exc.response.status_code == 502


def test_a_body_that_does_not_end_is_given_up() -> None:
    client = client_of()
    head = response_with(("Content-Length", "9"), line="HTTP/1.1 401 Unauthorized")
    client.receive_data(head + b"wh")
    assert client.is_reading_body
    assert client.has_events
    assert client.response is not None
    client.receive_data(b"y")
    client.end_body()
    assert not client.is_reading_body
    exc = client.handshake_exc
    assert isinstance(exc, InvalidStatus)
    assert exc.response.body == b"why"
    client.end_body()
    client.receive_data(b"more")
    assert client.handshake_exc is exc
    assert exc.response.body == b"why"


def test_a_body_without_a_valid_length_is_what_came_with_the_head() -> None:
    header = ("Transfer-Encoding", "gzip")
    exc = outcome(response_with(header, line="HTTP/1.1 403 Forbidden") + b"why")
    assert isinstance(exc, InvalidStatus)
    assert exc.response.body == b"why"


def test_interim_responses_are_skipped() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert outcome(interim * 16 + response_with()) is None
    refusal = response_with(("Content-Length", "0"), line="HTTP/1.1 403 No")
    assert isinstance(outcome(interim * 16 + refusal), InvalidStatus)
    assert isinstance(outcome(interim * 17 + response_with()), SecurityError)


def test_a_server_that_speaks_tls_is_named() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    with pytest.raises(NotHTTP, match="speaks TLS on this port: use wss://"):
        raise outcome(alert) or AssertionError
    client = ClientProtocol(parse_uri("wss://example.com/"))
    client.receive_data(alert)
    assert "not an HTTP response" in str(client.handshake_exc)


def test_a_subprotocol_of_the_request_may_be_chosen() -> None:
    client = client_of(subprotocols=["a"])
    request = client.connect()
    request.headers["Sec-WebSocket-Protocol"] = "b , c"
    client.send_request(request)
    client.receive_data(response_with(("Sec-WebSocket-Protocol", "c")))
    assert client.handshake_exc is None
    assert client.subprotocol == "c"


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_server_that_goes_away(size: int) -> None:
    client = client_of()
    client.receive_data(response_with()[:size])
    client.receive_eof()
    assert client.state is State.CLOSED
    assert isinstance(client.handshake_exc, InvalidMessage)
    assert isinstance(client.handshake_exc.__cause__, EOFError)


def test_a_client_s_head_in_the_log_hides_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="ws6455.client")
    client = ClientProtocol(parse_uri("ws://u:secret@example.com/"))
    client.send_request(client.connect())
    client.receive_data(response_with(("Set-Cookie", "id=1"), line="HTTP/1.1 403 No"))
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "> Authorization: [hidden]" in text
    assert "< Set-Cookie: [hidden]" in text
