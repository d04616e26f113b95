"""Bodies of the responses with which ws6455.protocol.server refuses a connection."""

import dataclasses

import pytest

from tests.protocol.heads import request_with
from ws6455.exceptions import InvalidMessage, InvalidState, InvalidStatus
from ws6455.http1.head import Request, Response
from ws6455.http1.headers import Headers
from ws6455.protocol.protocol import SEND_EOF
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State


def asked(line: str = "GET / HTTP/1.1") -> ServerProtocol:
    """Return a server that has received a request."""
    server = ServerProtocol()
    server.receive_data(request_with(line=line))
    (request,) = server.events_received()
    assert isinstance(request, Request)
    return server


def sent(server: ServerProtocol) -> tuple[list[str], bytes]:
    """Return the lines of the head that was sent, and what followed it."""
    head, _, rest = b"".join(server.data_to_send()).partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), rest


def test_d37_a_body_is_sent_piece_by_piece() -> None:
    server = asked()
    response = Response(403, "Forbidden", Headers({"A": "b"}), b"one")
    before = dataclasses.replace(response, headers=response.headers.copy())
    server.send_response(response, more_body=True)
    assert response == before
    assert sent(server) == (
        ["HTTP/1.1 403 Forbidden", "A: b", "Transfer-Encoding: chunked"],
        b"3\r\none\r\n",
    )
    assert server.handshake_exc is None
    assert not server.close_expected()
    server.receive_data(request_with())  # nothing is read after the request
    server.send_body(b"more", more_body=True)
    assert server.data_to_send() == [b"4\r\n", b"more", b"\r\n"]
    assert not server.close_expected()
    server.send_body(b"")
    assert server.data_to_send() == [b"0\r\n\r\n", SEND_EOF]
    assert isinstance(server.handshake_exc, InvalidStatus)
    assert server.close_expected()
    with pytest.raises(InvalidState):
        server.send_body(b"late")
    server.receive_eof()
    assert server.state is State.CLOSED


def test_d37_a_body_that_is_left_off_stays_incomplete() -> None:
    server = asked()
    server.send_response(Response(403, "Forbidden", Headers()), more_body=True)
    server.send_body(b"one", more_body=True)
    server.end_response()
    assert server.data_to_send()[1:] == [b"3\r\n", b"one", b"\r\n", SEND_EOF]
    assert server.close_expected()
    with pytest.raises(InvalidState):
        server.send_body(b"late")


def test_d37_a_body_that_is_too_long_is_not_sent() -> None:
    server = asked()
    server.send_response(Response(403, "No", Headers({"Content-Length": "4"}), b"ab"), True)
    assert sent(server)[1] == b"ab"
    with pytest.raises(InvalidMessage):
        server.send_body(b"cde")
    assert server.data_to_send() == []
    server.send_body(b"cd")
    assert server.data_to_send() == [b"cd", SEND_EOF]


@pytest.mark.parametrize("length", ["x", "1"])
def test_d37_a_response_with_a_wrong_length_changes_nothing(length: str) -> None:
    server = asked()
    with pytest.raises(InvalidMessage):
        server.send_response(Response(403, "", Headers({"Content-Length": length}), b"ab"), True)
    assert server.response is None
    assert server.data_to_send() == []


def test_d37_there_is_no_body_to_continue_or_to_end() -> None:
    server = asked()
    for call in (server.end_response, lambda: server.send_body(b"x")):
        with pytest.raises(InvalidState):
            call()
    assert server.request is not None
    server.send_response(server.accept(server.request))
    for call in (server.end_response, lambda: server.send_body(b"x")):
        with pytest.raises(InvalidState):
            call()
    assert server.state is State.OPEN


@pytest.mark.parametrize("more_body", [False, True])
@pytest.mark.parametrize(
    ("status", "left"),
    [(204, []), (205, ["Content-Length: 0"]), (304, ["Content-Length: 3"])],
)
def test_d38_a_status_without_content_has_no_body(
    status: int, left: list[str], more_body: bool
) -> None:
    server = asked()
    headers = Headers({"A": "b", "Content-Length": "3"})
    server.send_response(Response(status, "", headers, b"abc"), more_body)
    if more_body:
        server.send_body(b"more")
    assert sent(server) == ([f"HTTP/1.1 {status} ", "A: b", *left], b"")
    assert len(headers) == 2


@pytest.mark.parametrize("more_body", [False, True])
def test_d37_a_response_to_head_has_no_body(more_body: bool) -> None:
    server = asked("HEAD / HTTP/1.1")
    headers = Headers({"Content-Length": "3"})
    server.send_response(Response(403, "No", headers, b"abc"), more_body)
    if more_body:
        server.send_body(b"")
    assert sent(server) == (["HTTP/1.1 403 No", "Content-Length: 3"], b"")
