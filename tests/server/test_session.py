"""ws6455.server.session: a server's opening handshake (RFC 6455 §4.2), without the waiting."""

import logging
from typing import Any

import pytest

from tests.session.fake_io import FakeIO
from ws6455.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidMessage
from ws6455.http1.head import Request, Response
from ws6455.http1.headers import Headers
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State
from ws6455.server.forwarded import parse_networks
from ws6455.server.session import ServerSession
from ws6455.testing import opening_request


class Served(ServerSession):
    """A server's connection that has received a request."""

    def __init__(self, request: bytes = b"", state: State = State.CONNECTING) -> None:
        protocol = ServerProtocol(state=state)
        self.io = FakeIO(protocol)
        self.io.remote_address = ("192.0.2.7", 1234)
        super().__init__(protocol, self.io, lambda: 0.0, None, None, None, None)
        if request:
            protocol.receive_data(request)

    def _abort(self) -> None: ...
    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None: ...
    def _reschedule(self) -> None: ...

    def head(self) -> list[str]:
        """Return the lines of the head that was sent."""
        return self.io.output.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def asking(headers: dict[str, str | None] | None = None) -> tuple[Served, Request]:
    connection = Served(opening_request(headers=headers))
    assert connection.request is not None
    return connection, connection.request


# The response -----------------------------------------------------------------------------


def test_a_request_is_accepted_unless_process_request_answers_it() -> None:
    connection, request = asking()
    assert connection._first_response(request, None).status_code == 101
    page = Response.text(200, "a page")
    assert connection._first_response(request, page) is page


def test_process_response_may_change_the_response_or_give_another() -> None:
    connection, request = asking()
    response = connection._first_response(request, None)
    assert connection._final_response(response, None) is response
    another = Response.text(403, "no")
    assert connection._final_response(response, another) is another


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ("a page", TypeError),
        (Response(200, "OK\r\nX: y", Headers()), InvalidMessage),
    ],
    ids=["type", "reason phrase"],
)
def test_what_a_callback_gives_must_be_a_response_that_can_be_sent(
    wrong: Any, error: type[Exception]
) -> None:
    connection, request = asking()
    with pytest.raises(error):
        connection._first_response(request, wrong)
    with pytest.raises(error):
        connection._final_response(Response.text(200, "fine"), wrong)


def test_the_error_of_a_callback_is_logged_and_becomes_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection, _ = asking()
    response = connection._reject_error(LookupError("secret"))
    assert response.status_code == 500
    assert b"secret" not in (response.body or b"")
    (record,) = caplog.records
    assert record.getMessage() == "opening handshake failed"
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("server_header", "own", "expected"),
    [
        ("ours", {}, ["Server: ours"]),
        (None, {}, []),
        ("ours", {"Server": "mine"}, ["Server: mine"]),
        (None, {"Server": "mine"}, ["Server: mine"]),
    ],
)
def test_the_server_header(
    server_header: str | None, own: dict[str, str], expected: list[str]
) -> None:
    connection, request = asking()
    response = connection._first_response(request, None)
    response.headers.update(own)
    assert connection._send_response(response, server_header, False)
    assert [line for line in connection.head() if line.startswith("Server")] == expected


def test_an_accepted_connection_is_open() -> None:
    connection, request = asking()
    assert connection._send_response(connection._first_response(request, None), None, False) is True
    assert connection.head()[0] == "HTTP/1.1 101 Switching Protocols"
    assert connection.state is State.OPEN


def test_a_server_that_closes_accepts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    connection, request = asking()
    response = connection._first_response(request, None)
    assert connection._send_response(response, None, True) is False
    assert connection.head()[0] == "HTTP/1.1 503 Service Unavailable"
    assert connection.state is not State.OPEN
    assert caplog.messages == ["connection rejected (503 Service Unavailable)"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Upgrade": None}, "connection rejected (426 Upgrade Required): missing Upgrade header"),
        ({"Sec-WebSocket-Key": "short"}, "connection rejected (400 Bad Request): invalid "),
    ],
)
def test_a_refusal_is_logged_with_its_reason(
    headers: dict[str, str | None], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connection, request = asking(headers)
    assert not connection._send_response(connection._first_response(request, None), None, False)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage().startswith(expected)
    assert record.exc_info is None


def test_a_client_that_sent_no_request_is_logged_below_info(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = Served()
    connection.protocol.receive_eof()
    connection._log_refusal()
    record = caplog.records[-1]
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("connection closed without a request: ")


# The client -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "trusted", "expected"),
    [
        (("192.0.2.7", 1234), (), "192.0.2.7"),
        (("192.0.2.7", 1234), ("192.0.2.0/24",), "198.51.100.1"),
        (("192.0.2.7", 1234), ("10.0.0.0/8",), "192.0.2.7"),
        ("", ("127.0.0.1",), "198.51.100.1"),  # a Unix socket
        ("", (), "127.0.0.1"),
        (b"\0abstract", ("127.0.0.1",), "198.51.100.1"),
        (None, ("127.0.0.1",), ""),  # the peer has gone: it is not this machine
    ],
)
def test_client_address(peer: Any, trusted: tuple[str, ...], expected: str) -> None:
    connection, _ = asking({"X-Forwarded-For": "198.51.100.1"})
    connection.io.remote_address = peer
    connection.trusted_proxies = parse_networks(trusted)
    assert connection.client_address == expected


def test_d23_the_address_of_the_proxy_s_client_replaces_the_socket_s() -> None:
    connection, _ = asking({"X-Forwarded-For": "198.51.100.1"})
    assert connection.remote_address == connection.io.remote_address
    connection.trusted_proxies = parse_networks(["192.0.2.0/24"])
    connection.source_address = ("203.0.113.5", 1234)
    assert connection.remote_address == ("203.0.113.5", 1234)
    assert connection.client_address == "203.0.113.5"


def test_client_address_before_the_request() -> None:
    connection = Served()
    connection.trusted_proxies = parse_networks(["192.0.2.0/24"])
    assert connection.client_address == "192.0.2.7"


# The handler ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "exc", "level"),
    [
        (State.CLOSED, ConnectionClosedOK(None, None), logging.DEBUG),
        (State.CLOSED, LookupError(), logging.ERROR),
        # Of another connection: its own is open.
        (State.OPEN, ConnectionClosedOK(None, None), logging.ERROR),
    ],
)
def test_only_an_error_of_the_handlers_own_is_logged_as_one(
    state: State, exc: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    Served(state=state)._log_handler_error(exc)
    (record,) = caplog.records
    assert record.levelno == level
    assert (record.exc_info is not None) is (level == logging.ERROR)
