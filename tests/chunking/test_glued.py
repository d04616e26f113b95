"""How the bytes are cut: frames glued to the opening handshake, cut anywhere."""

import pytest

from tests.chunking.streams import REQUEST, Control, Message, cut, end_of, feed, wire_stream
from ws6455.framing.frames import Frame, Opcode
from ws6455.http1.head import Request
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.handshake import accept_key
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import Side


def stream_after_the_head(masked: bool) -> bytes:
    return wire_stream(
        [
            Message(True, "\u20ac".encode(), False, (), ()),
            Control(0x9, b"ping"),
            Message(True, b"in two", False, (3,), (Control(0x9, b"between"),)),
        ],
        b"\x03\xe8bye",
        masked,
        None,
    )


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_a29_every_split_of_a_request_and_its_frames(step: int) -> None:
    stream = stream_after_the_head(masked=True)
    expected = feed(end_of(Side.SERVER, False, True), [stream])
    data = REQUEST + stream
    for start in range(len(data) + 1) if step == 0 else [0]:
        server = ServerProtocol()
        replies = b""
        frames: list[Frame] = []
        pieces = [data[:start], data[start:]] if step == 0 else cut(data, range(0, len(data), step))
        for piece in pieces:
            server.receive_data(piece)
            events = server.events_received()
            if events and isinstance(events[0], Request):
                server.send_response(server.accept(events[0]))
                events += server.events_received()
            frames += [event for event in events if isinstance(event, Frame)]
            replies += b"".join(server.data_to_send())
        head, _, replies = replies.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert replies == expected.replies
        assert [f for f in frames if f.opcode < Opcode.CLOSE] == expected.data
        assert [f for f in frames if f.opcode >= Opcode.CLOSE] == expected.control
        assert (server.state, server.close_rcvd) == (expected.state, expected.rcvd)


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_a29_every_split_of_a_response_and_its_frames(step: int) -> None:
    stream = stream_after_the_head(masked=False)
    expected = feed(end_of(Side.CLIENT, False, True), [stream])
    key = "AAAAAAAAAAAAAAAAAAAAAA=="  # what os.urandom gives here
    head = "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    data = f"{head}{accept_key(key)}\r\n\r\n".encode() + stream
    for start in range(len(data) + 1) if step == 0 else [0]:
        client = ClientProtocol(parse_uri("ws://h/"))
        client.send_request(client.connect())
        client.data_to_send()
        pieces = [data[:start], data[start:]] if step == 0 else cut(data, range(0, len(data), step))
        assert feed(client, pieces) == expected
        assert client.handshake_exc is None
