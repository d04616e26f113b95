"""ws6455.compat.http1: requests and responses read by generators that wait for bytes."""

from collections.abc import Generator
from typing import Any

import pytest

import ws6455
from tests.aio.raw import uri_of
from tests.compat.conftest import until_closed
from ws6455.compat.http1 import Request, Response
from ws6455.exceptions import InvalidMessage
from ws6455.http1.headers import Headers


class Fed:
    """Bytes that come one at a time, to a generator that waits for them."""

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


def test_a_request_is_read_by_a_generator() -> None:
    fed = Fed(b"GET /x HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\nrest")
    request = result_of(Request.parse(fed.read_line))
    assert request == Request("/x", Headers(A="1", B="2"))
    assert fed.data == b"rest"
    assert fed.waited == 31


def test_a_request_that_is_none_is_refused_by_the_generator() -> None:
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
def test_a_response_is_read_by_a_generator(
    head: str, body: bytes, expected: bytes, rest: bytes
) -> None:
    fed = Fed(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof))
    assert response.body == expected
    assert fed.data == rest


def test_a_proxys_consent_has_no_body() -> None:
    fed = Fed(b"HTTP/1.1 200 OK\r\n\r\nrest")
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof, True))
    assert (response.body, fed.data) == (b"", b"rest")


def test_a_long_body_is_cut_by_the_generator() -> None:
    size = (1 << 20) + 5
    fed = Fed(f"HTTP/1.1 500 No\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))
    response = result_of(Response.parse(fed.read_line, fed.read_exact, fed.read_to_eof))
    assert len(response.body) == 1 << 20


async def test_what_connections_have_counts_as_an_instance(websockets: Any) -> None:
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


def test_an_event_has_no_exception(websockets: Any) -> None:
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
    assert type(ping) is websockets.Frame
    for event in (request, response, ping):
        assert isinstance(event, websockets.protocol.Event)
    assert isinstance(client.connect(), websockets.Request)
    assert isinstance(server.reject(404, ""), websockets.Response)
    assert isinstance(ws6455.Request("/", ws6455.Headers()), websockets.Request)
