"""ws6455.protocol.opening: what the two roles have in common."""

import pytest

from tests.protocol.heads import client_of, feed_server, request_with, response_with
from ws6455.exceptions import (
    NotHTTP,
)
from ws6455.framing.frames import Frame, Opcode
from ws6455.http1.head import Request, Response
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from ws6455.protocol.protocol import SEND_EOF, Event
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State

FRAMES = [
    Frame(Opcode.TEXT, b"one"),
    Frame(Opcode.PING, b"two"),
    Frame(Opcode.CLOSE, b"\x03\xe8"),
]


def feed(protocol: ServerProtocol | ClientProtocol, data: bytes) -> list[Event]:
    """Feed either role; a server accepts its request. Give the events."""
    protocol.receive_data(data)
    events = protocol.events_received()
    if isinstance(protocol, ServerProtocol) and events and isinstance(events[0], Request):
        protocol.send_response(protocol.accept(events[0]))
        events += protocol.events_received()
    return events


@pytest.mark.parametrize("role", ["server", "client"])
def test_a29_frames_glued_to_the_head_at_every_split_point(role: str) -> None:
    masked = role == "server"
    head = request_with() if masked else response_with()
    data = head + b"".join(frame.serialize(mask=masked) for frame in FRAMES)
    for cut in range(len(data) + 1):
        protocol = ServerProtocol() if masked else client_of()
        events = feed(protocol, data[:cut]) + feed(protocol, data[cut:])
        assert type(events[0]) is (Request if masked else Response)
        assert events[1:] == FRAMES, cut
        assert protocol.state is State.CLOSING
        *writes, last = protocol.data_to_send()
        if masked:
            assert last == SEND_EOF
            # The response comes first, whatever it has to overtake.
            response, _, replies = b"".join(writes).partition(b"\r\n\r\n")
            assert response.startswith(b"HTTP/1.1 101 ")
            assert replies == b"\x8a\x03two\x88\x02\x03\xe8"


def test_a_client_and_a_server_agree() -> None:
    client = ClientProtocol(
        parse_uri("ws://example.com/chat"),
        origin="https://example.com",
        extensions=[ClientPerMessageDeflateFactory()],
        subprotocols=["b", "a"],
    )
    server = ServerProtocol(
        origins=["https://example.com"],
        extensions=[ServerPerMessageDeflateFactory(server_max_window_bits=9)],
        subprotocols=["a", "b"],
    )
    client.send_request(client.connect())
    feed_server(server, b"".join(client.data_to_send()))
    client.receive_data(b"".join(server.data_to_send()))
    for end in (client, server):
        assert end.state is State.OPEN
        assert end.subprotocol == "a"
        assert end.deflate is not None
    assert client.deflate is not None
    assert client.deflate.remote_max_window_bits == 9
    client.events_received()
    client.send_text(b"hello hello hello")
    server.receive_data(b"".join(client.data_to_send()))
    assert server.events_received() == [Frame(Opcode.TEXT, b"hello hello hello")]


def test_a_server_that_speaks_something_else_is_noticed_at_its_first_line() -> None:
    client = ClientProtocol(parse_uri("ws://localhost/"))
    client.send_request(client.connect())
    client.receive_data(b"220 mail.example ESMTP\r\n")
    assert isinstance(client.handshake_exc, NotHTTP)


def test_a_client_that_speaks_something_else_is_noticed_at_its_first_line() -> None:
    server = ServerProtocol()
    server.receive_data(b"EHLO client.example\r\n")
    assert isinstance(server.handshake_exc, NotHTTP)
    assert server.data_to_send() == [b""]  # the end of the stream, and no answer
