"""ws6455.compat.protocol: members of its protocols, and the reader for generators."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.compat.conftest import until_closed
from tests.conftest import uri_of
from ws6455 import (
    Frame,
    Headers,
    InvalidState,
    Opcode,
    ProtocolError,
    Request,
    Side,
    State,
)


def test_send_frame(websockets: Any) -> None:
    protocol = websockets.protocol.Protocol(Side.SERVER)
    protocol.send_frame(Frame(Opcode.TEXT, b"one", fin=False))
    protocol.send_frame(Frame(Opcode.PING, b"ping"))
    protocol.send_frame(Frame(Opcode.CONT, b"two"))
    assert b"".join(protocol.data_to_send()) == b"\x01\x03one\x89\x04ping\x80\x03two"
    with pytest.raises(ProtocolError, match="continuation"):
        protocol.send_frame(Frame(Opcode.CONT, b"three"))
    with pytest.raises(ProtocolError, match="too long"):
        protocol.send_frame(Frame(Opcode.PING, bytes(126)))
    assert protocol.data_to_send() == []


def test_a_frame_of_a_client_is_masked(websockets: Any) -> None:
    client = websockets.protocol.Protocol(Side.CLIENT)
    server = websockets.protocol.Protocol(Side.SERVER)
    for frame in (
        websockets.Frame(Opcode.PONG, b"pong"),
        websockets.Frame(Opcode.BINARY, b"data"),
    ):
        client.send_frame(frame)
        server.receive_data(b"".join(client.data_to_send()))
        assert server.events_received() == [frame]


def test_a_frame_is_compressed_unless_it_has_reserved_bits(websockets: Any) -> None:
    factory = websockets.extensions.permessage_deflate.ServerPerMessageDeflateFactory()
    protocol = websockets.protocol.Protocol(Side.SERVER)
    protocol.deflate = factory.process_request_params([])[1]
    protocol.send_frame(Frame(Opcode.TEXT, b"hello " * 100))
    (compressed,) = protocol.data_to_send()
    assert compressed[0] == 0xC1
    assert len(compressed) < 100
    protocol.send_frame(Frame(Opcode.TEXT, b"hello " * 20, rsv2=True))
    assert protocol.data_to_send() == [b"\xa1\x78" + b"hello " * 20]


def test_send_frame_of_a_close_frame_keeps_the_state(websockets: Any) -> None:
    protocol = websockets.protocol.Protocol(Side.SERVER)
    protocol.send_frame(Frame(Opcode.CLOSE, b"\x03\xe8"))
    assert protocol.data_to_send() == [b"\x88\x02\x03\xe8"]
    assert protocol.state is State.OPEN
    protocol.send_close()
    with pytest.raises(InvalidState):
        protocol.send_frame(Frame(Opcode.TEXT, b"late"))


def test_send_eof(websockets: Any) -> None:
    protocol = websockets.protocol.Protocol(Side.SERVER)
    protocol.send_frame(Frame(Opcode.PING, b""))
    protocol.send_eof()
    assert protocol.data_to_send() == [b"\x89\x00", websockets.protocol.SEND_EOF]
    assert protocol.data_to_send() == []


def test_parser_exc_is_the_peer_s_violation(websockets: Any) -> None:
    protocol = websockets.server.ServerProtocol(state=State.OPEN)
    assert protocol.parser_exc is None
    protocol.receive_data(b"\x81\x00")
    assert isinstance(protocol.parser_exc, ProtocolError)


def test_each_role_is_a_protocol_and_has_an_origin(websockets: Any) -> None:
    uri = websockets.uri.parse_uri("ws://localhost/")
    client = websockets.ClientProtocol(uri, origin="http://o")
    server = websockets.ServerProtocol()
    plain = websockets.Protocol(Side.CLIENT)
    assert [protocol.origin for protocol in (client, server, plain)] == ["http://o", None, None]
    request = client.connect()
    assert server.accept(request).status_code == 101
    assert server.origin == "http://o"
    for protocol in (client, server):
        assert isinstance(protocol, websockets.protocol.Protocol)
        assert isinstance(protocol, websockets.connection.Connection)


async def test_connections_have_compat_protocols(serve: Any, websockets: Any) -> None:
    seen = []

    async def handler(websocket: Any) -> None:
        seen.append(websocket.protocol)
        await until_closed(websocket)

    async with (
        serve(handler, "127.0.0.1", 0) as server,
        websockets.connect(uri_of(server)) as client,
    ):
        assert isinstance(client.protocol, websockets.ClientProtocol)
    (protocol,) = seen
    assert isinstance(protocol, websockets.ServerProtocol)


def result_of(reading: Generator[None, None, Any], feed: Callable[[], None] = lambda: None) -> Any:
    """Run a generator of a reader; call `feed` each time it waits."""
    while True:
        try:
            next(reading)
        except StopIteration as stop:
            return stop.value
        feed()


def test_a_stream_reader_waits_for_bytes(websockets: Any) -> None:
    reader = websockets.streams.StreamReader()
    rest = iter([b"li", b"ne\nexact", b"ly", b"to the "])
    assert result_of(reader.read_line(10), lambda: reader.feed_data(next(rest))) == b"line\n"
    assert result_of(reader.read_exact(7), lambda: reader.feed_data(next(rest))) == b"exactly"
    ending = reader.read_to_eof(10)
    next(ending)
    reader.feed_data(next(rest))
    next(ending)
    reader.feed_data(b"end")
    reader.feed_eof()
    assert result_of(ending) == b"to the end"
    assert result_of(reader.at_eof()) is True
    for feed in (reader.feed_eof, lambda: reader.feed_data(b"more")):
        with pytest.raises(EOFError):
            feed()


def test_a_stream_reader_keeps_its_limits(websockets: Any) -> None:
    reader = websockets.streams.StreamReader()
    reader.feed_data(b"too long")
    for reading in (reader.read_line(7, LookupError), reader.read_to_eof(7, LookupError)):
        with pytest.raises(LookupError, match="8 bytes, expected at most 7"):
            next(reading)
    assert result_of(reader.at_eof()) is False
    reader.discard()
    reader.feed_data(b"short")
    reader.feed_eof()
    for reading in (reader.read_line(7), reader.read_exact(6)):
        with pytest.raises(EOFError, match="after 5 bytes"):
            next(reading)


def test_responses_have_a_date_first_as_soon_as_they_are_made(websockets: Any) -> None:
    server = websockets.server.ServerProtocol()
    for response in (server.reject(403, "no"), server.accept(Request("/", Headers()))):
        assert response.status_code != 101
        assert next(response.headers.raw_items())[0] == "Date"
    request = Request(
        "/",
        Headers(
            {
                "Host": "localhost",
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
            }
        ),
    )
    assert next(server.accept(request).headers.raw_items())[0] == "Date"
