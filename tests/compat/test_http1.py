"""ws6455.compat.http1: heads, URIs, header values and opening handshakes."""

from collections.abc import Generator
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import reader_of, until_closed
from tests.conftest import uri_of
from ws6455.compat.http1 import Request, Response
from ws6455.exceptions import InvalidMessage
from ws6455.http1.headers import Headers


class Fed:
    """A source of bytes for a generator; they arrive one at a time."""

    def __init__(self, data: bytes, end: bool = True) -> None:
        self.data, self.end, self.waited = data, end, 0

    def take(self, size: int) -> Generator[None, None, bytes]:
        for _ in range(size):
            self.waited += 1
            yield
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def read_line(self, limit: int) -> Generator[None, None, bytes]:
        line = yield from self.take(self.data.index(b"\n") + 1)
        assert len(line) <= limit
        return line

    def read_exact(self, size: int) -> Generator[None, None, bytes]:
        assert size <= len(self.data)
        return (yield from self.take(size))

    def read_to_eof(self, limit: int) -> Generator[None, None, bytes]:
        return (yield from self.take(min(limit, len(self.data))))


def result_of(generator: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def test_a_request_is_parsed() -> None:
    fed = Fed(b"GET /x HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\nrest")
    request = result_of(Request.parse(fed.read_line))
    assert request == Request("/x", Headers(A="1", B="2"))
    assert fed.data == b"rest"
    assert fed.waited == 31


def test_an_invalid_request_is_an_error() -> None:
    with pytest.raises(InvalidMessage):
        result_of(Request.parse(Fed(b"GET x y HTTP/1.1\r\n\r\n").read_line))


@pytest.mark.parametrize(
    ("head", "body", "expected", "rest"),
    [
        ("200 OK\r\nContent-Length: 4", b"bodyrest", b"body", b"rest"),
        ("200 OK\r\nContent-Length: 0", b"rest", b"", b"rest"),
        ("200 OK", b"to the end", b"to the end", b""),
        ("204 No Content", b"rest", b"", b"rest"),
        ("101 Switching Protocols", b"rest", b"", b"rest"),
        (
            "200 OK\r\nTransfer-Encoding: chunked",
            b"4\r\nbo\r\n\r\n3;x=y\r\ndy!\r\n0\r\nrest",
            b"bo\r\ndy!",
            b"rest",
        ),
    ],
)
def test_a_response_is_parsed(head: str, body: bytes, expected: bytes, rest: bytes) -> None:
    fed = Fed(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof))
    assert response.body == expected
    assert fed.data == rest


def test_a_successful_response_to_connect_has_no_body() -> None:
    fed = Fed(b"HTTP/1.1 200 OK\r\n\r\nrest")
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof, True))
    assert (response.body, fed.data) == (b"", b"rest")


def test_a_long_body_is_truncated() -> None:
    size = (1 << 20) + 5
    fed = Fed(f"HTTP/1.1 500 No\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof))
    assert len(response.body) == 1 << 20


async def test_requests_and_responses_of_connections_are_instances(websockets: Any) -> None:
    answers = []

    def process_request(connection: Any, request: Any) -> None:
        answers.append(connection.respond(404, ""))
        assert isinstance(request, websockets.Request)
        assert isinstance(connection.request, websockets.Request)
        assert not isinstance(request, websockets.Response)

    async with (
        websockets.serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server,
        websockets.connect(uri_of(server)) as client,
    ):
        assert isinstance(client.response, websockets.Response)
    (answer,) = answers
    assert isinstance(answer, websockets.Response)

    class Own(Response):
        pass

    assert not isinstance(answer, Own)
    assert not isinstance(Response.text(404, ""), Own)
    assert isinstance(Own.text(404, ""), websockets.Response)


def test_the_exception_of_an_event_is_none(websockets: Any) -> None:
    client = websockets.ClientProtocol(websockets.uri.parse_uri("ws://localhost/"))
    server = websockets.ServerProtocol()
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    server.send_ping(b"ping")
    client.receive_data(b"".join(server.data_to_send()))
    response, ping = client.events_received()
    assert (type(request), type(response)) == (websockets.Request, websockets.Response)
    assert request.exception is response.exception is None
    for end in (client, server):
        assert end.request == request
        assert type(end.request) is websockets.Request
        assert type(end.response) is websockets.Response
    assert server.request is request
    assert client.response is response
    assert type(ping) is websockets.Frame
    for event in (request, response, ping):
        assert isinstance(event, websockets.protocol.Event)
    assert isinstance(client.connect(), websockets.Request)
    assert isinstance(server.reject(404, ""), websockets.Response)
    assert isinstance(ws6455.Request("/", ws6455.Headers()), websockets.Request)


def test_the_event_of_a_response_gets_the_body_that_arrives_later(websockets: Any) -> None:
    client = websockets.ClientProtocol(websockets.uri.parse_uri("ws://localhost/"))
    client.send_request(client.connect())
    client.receive_data(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n")
    (response,) = client.events_received()
    assert response is client.response
    client.receive_data(b"abc")
    assert response.body == b"abc"


async def test_heads_are_read_from_a_stream(websockets: Any) -> None:
    http = websockets.legacy.http
    stream = reader_of(b"GET /path HTTP/1.1\r\nHost: here\r\n\r\nrest")
    path, headers = await websockets.http.read_request(stream)
    assert (path, dict(headers), await stream.read()) == ("/path", {"host": "here"}, b"rest")
    status, reason, headers = await http.read_response(
        reader_of(b"HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n")
    )
    assert (status, reason, headers["A"]) == (403, "Forbidden", "b")
    assert dict(await http.read_headers(reader_of(b"A: b\r\n\r\n"))) == {"a": "b"}
    assert dict(await http.read_headers(reader_of(b"\r\n"))) == {}
    with pytest.raises(EOFError):
        await http.read_request(reader_of(b"GET / HTTP/1.1\r\n"))
    with pytest.raises(websockets.SecurityError):
        await http.read_request(reader_of(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n"))


def test_a_connect_request(websockets: Any) -> None:
    proxy = websockets.proxy.parse_proxy("http://user:pw@proxy:8080")
    uri = websockets.uri.parse_uri("wss://example.com/")
    lines = websockets.proxy.prepare_connect_request(proxy, uri, "agent").split(b"\r\n")
    assert lines[0] == b"CONNECT example.com:443 HTTP/1.1"
    assert b"User-Agent: agent" in lines
    assert any(line.startswith(b"Proxy-Authorization: Basic ") for line in lines)


def test_a_uri_can_be_unpacked(websockets: Any) -> None:
    for parse_uri in (websockets.parse_uri, websockets.uri.parse_uri):
        uri = parse_uri("wss://user:pw@example.com/path?query")
        secure, host, port, resource_name, user_info = uri
        assert (secure, host, port) == (uri.secure, uri.host, uri.port)
        assert (secure, host, port) == (True, "example.com", 443)
        assert (resource_name, user_info) == ("/path?query", ("user", "pw"))
        assert isinstance(uri, websockets.WebSocketURI)
        assert websockets.ClientProtocol(uri).connect().path == "/path?query"
    with pytest.raises(websockets.InvalidURI):
        websockets.parse_uri("http://example.com/")


def test_headers_are_parsed_and_built(websockets: Any) -> None:
    headers = websockets.headers
    assert headers.parse_connection("keep-alive, Upgrade") == ["keep-alive", "Upgrade"]
    assert headers.parse_upgrade("websocket") == ["websocket"]
    assert headers.parse_subprotocol("a,b") == headers.parse_subprotocol_list("a, b") == ["a", "b"]
    assert headers.build_subprotocol(["a", "b"]) == "a, b"
    extensions = [("x", [("a", None), ("b", "1")])]
    assert headers.build_extension(extensions) == "x; a; b=1"
    assert headers.parse_extension("x; a; b=1") == extensions
    basic = headers.build_authorization_basic("user", "pw")
    assert headers.parse_authorization_basic(basic) == ("user", "pw")
    assert headers.build_host("::1", 8765, False) == "[::1]:8765"
    for parse in (headers.parse_connection, headers.parse_upgrade, headers.parse_subprotocol):
        with pytest.raises(websockets.InvalidHeaderFormat):
            parse("a b")


def test_both_sides_of_a_handshake(websockets: Any) -> None:
    for handshake in (websockets.handshake, websockets.legacy.handshake):
        request, response = websockets.Headers(), websockets.Headers()
        key = handshake.build_request(request)
        assert handshake.check_request(request) == key
        handshake.build_response(response, key)
        handshake.check_response(response, key)
        with pytest.raises(websockets.InvalidHeaderValue):
            handshake.check_response(response, websockets.client.generate_key())
        del request["Upgrade"]
        with pytest.raises(websockets.InvalidUpgrade):
            handshake.check_request(request)
