"""Requests and responses as bytes, and what an end makes of them."""

from collections.abc import Sequence
from typing import Any

from ws6455.framing.frames import Frame
from ws6455.http1.head import Request, Response
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.handshake import accept_key
from ws6455.protocol.protocol import SEND_EOF
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = (
    ("Host", "example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)


def request_with(
    *more: tuple[str, str], without: Sequence[str] = (), line: str = "GET /chat HTTP/1.1"
) -> bytes:
    """Build a request: the usual headers but some, and more."""
    kept = [header for header in HEADERS if header[0] not in without]
    lines = [line, *(f"{name}: {value}" for name, value in (*kept, *more)), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def replaced(name: str, *values: str) -> bytes:
    """Build a request with other values of a header; none leaves it out."""
    return request_with(*((name, value) for value in values), without=[name])


def feed_server(server: ServerProtocol, data: bytes) -> None:
    """Feed a server that answers each request as it comes."""
    server.receive_data(data)
    for event in server.events_received():
        assert isinstance(event, Request)
        server.send_response(server.accept(event))


def answer(data: bytes, **options: Any) -> tuple[int, bytes, ServerProtocol]:
    """Give a server's status, its whole answer, and the server."""
    server = ServerProtocol(**options)
    feed_server(server, data)
    writes = server.data_to_send()
    status = int(writes[0].split()[1])
    if status == 101:
        assert server.state is State.OPEN
        assert server.handshake_exc is None
        assert len(writes) == 1
    else:
        assert server.state is State.CONNECTING
        assert server.handshake_exc is not None
        assert server.close_expected()
        assert writes[1:] == [SEND_EOF]
        assert b"\r\nConnection: close\r\n" in writes[0]
    return status, writes[0], server


def refusal(data: bytes, **options: Any) -> tuple[int, type[Exception]]:
    """Give the status of a refusal, and the kind of the error behind it."""
    status, _, server = answer(data, **options)
    assert server.handshake_exc is not None
    return status, type(server.handshake_exc)


def client_of(**options: Any) -> ClientProtocol:
    """Make a client that has sent its request."""
    client = ClientProtocol(parse_uri("ws://example.com/chat"), **options)
    client.key = KEY
    client.send_request(client.connect())
    (request,) = client.data_to_send()
    assert request.startswith(b"GET /chat HTTP/1.1\r\n")
    return client


ACCEPTING = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", accept_key(KEY)),
)


def response_with(
    *more: tuple[str, str],
    without: Sequence[str] = (),
    line: str = "HTTP/1.1 101 Switching Protocols",
) -> bytes:
    """Build a response: the usual headers but some, and more."""
    kept = [header for header in ACCEPTING if header[0] not in without]
    lines = [line, *(f"{name}: {value}" for name, value in (*kept, *more)), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def outcome(data: bytes, **options: Any) -> Exception | None:
    """Give why a client refuses a response; None if it opens."""
    client = client_of(**options)
    client.receive_data(data)
    if client.handshake_exc is None:
        assert client.state is State.OPEN
        assert isinstance(client.events_received()[0], Response)
        assert client.data_to_send() == []
    else:
        assert client.state is State.CONNECTING
        assert client.close_expected()
        assert client.data_to_send() == [SEND_EOF]
        # Nothing that follows is read.
        client.receive_data(b"\x81\x01a")
        assert not any(isinstance(event, Frame) for event in client.events_received())
    return client.handshake_exc
