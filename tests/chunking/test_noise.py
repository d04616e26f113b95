"""How the bytes are cut: any bytes at all are consumed or are a violation."""

import random

import pytest

from tests.chunking.streams import (
    REQUEST,
    Control,
    Deflater,
    Message,
    cut,
    end_of,
    wire_frame,
    wire_stream,
)
from ws6455.exceptions import WebSocketException
from ws6455.http1.head import Request
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.deflate_negotiation import ClientPerMessageDeflateFactory
from ws6455.protocol.handshake import accept_key
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import Side, State


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, drop, double or insert a few bytes."""
    mutable = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutable) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(mutable):
            mutable[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del mutable[at : at + chance.randint(1, 8)]
        elif kind == 2:
            mutable[at:at] = mutable[at : at + chance.randint(1, 20)]
        else:
            mutable[at:at] = chance.randbytes(chance.randint(1, 6))
    return bytes(mutable)


def feed_noise(protocol: Protocol, data: bytes, chance: random.Random) -> None:
    """Feed bytes and the end of the stream; nothing may be raised."""
    for piece in cut(data, (chance.randrange(len(data) + 1) for _ in range(3))):
        protocol.receive_data(piece)
        for event in protocol.events_received():
            if isinstance(protocol, ServerProtocol) and isinstance(event, Request):
                protocol.send_response(protocol.accept(event))
            str(event)
        protocol.data_to_send()
    protocol.receive_eof()
    protocol.data_to_send()
    assert protocol.state is State.CLOSED
    if protocol.violation is not None:
        assert isinstance(protocol.violation, WebSocketException)
        assert protocol.close_sent is not None
    assert str(protocol.close_exc)


@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@pytest.mark.parametrize("compression", [False, True])
def test_noise_is_consumed_or_recorded_as_a_violation(role: Side, compression: bool) -> None:
    chance = random.Random(f"{role}{compression}")
    stream = wire_stream(
        [
            Message(True, "h\xe9llo".encode() * 40, True, (5, 50), (Control(0x9, b"ping"),)),
            Message(False, bytes(300), True, (), ()),
            Control(0xA, b""),
            Message(True, b"Hello", False, (), ()),
        ],
        b"\x03\xe8bye",
        role is Side.SERVER,
        Deflater(True) if compression else None,
    )
    violated = 0
    for round_number in range(1200):
        if round_number % 3:
            data = mutated(stream, chance)
        else:
            data = chance.randbytes(chance.randint(1, 60))
        protocol = end_of(role, compression, True)
        feed_noise(protocol, data, chance)
        violated += protocol.violation is not None
    assert 600 < violated < 1200


@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
def test_noise_in_the_opening_handshake(role: Side) -> None:
    chance = random.Random(f"opening {role}")
    head = REQUEST
    if role is Side.CLIENT:
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n"
        )
    refused = 0
    for round_number in range(800):
        protocol: ServerProtocol | ClientProtocol
        if role is Side.SERVER:
            protocol, data = ServerProtocol(), head
        else:
            protocol = ClientProtocol(
                parse_uri("ws://h/"), extensions=[ClientPerMessageDeflateFactory()]
            )
            data = head.replace(b"%b", accept_key(protocol.key).encode())
        if round_number % 4 == 0:
            data = chance.randbytes(chance.randint(1, 60)) + b"\r\n\r\n"
        elif round_number % 4 < 3:
            data = mutated(data, chance)
        feed_noise(protocol, data + wire_frame(0x81, b"a", role is Side.SERVER), chance)
        refused += protocol.handshake_exc is not None
    assert 300 < refused < 800
