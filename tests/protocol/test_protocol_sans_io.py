"""The protocol without I/O, driven by other means: blocking sockets in two threads."""

import socket
import threading

import pytest

from ws6455 import (
    ClientProtocol,
    Close,
    Frame,
    Opcode,
    Protocol,
    Request,
    ServerPerMessageDeflateFactory,
    ServerProtocol,
    Side,
    State,
    parse_uri,
)
from ws6455.protocol.deflate_negotiation import ClientPerMessageDeflateFactory
from ws6455.protocol.protocol import SEND_EOF, Event


def send(protocol: Protocol, sock: socket.socket) -> None:
    for data in protocol.data_to_send():
        if data == SEND_EOF:
            sock.shutdown(socket.SHUT_WR)
        else:
            sock.sendall(data)


def receive(protocol: Protocol, sock: socket.socket) -> list[Event]:
    """Read once and give the events; send what the protocol answers by itself."""
    data = sock.recv(7)  # whatever is cut by it comes whole in the end
    if data:
        protocol.receive_data(data)
    else:
        protocol.receive_eof()
    events = protocol.events_received()
    send(protocol, sock)
    return events


def serve_echo(sock: socket.socket, extensions: list[ServerPerMessageDeflateFactory]) -> None:
    protocol = ServerProtocol(extensions=extensions)
    with sock:
        while protocol.state is not State.CLOSED:
            for event in receive(protocol, sock):
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    protocol.send_text(event.data, event.fin)
                elif isinstance(event, Frame) and event.opcode is Opcode.CONT:
                    protocol.send_continuation(event.data, event.fin)
            send(protocol, sock)


@pytest.mark.parametrize("deflate", [False, True])
def test_a_client_and_a_server_in_threads(deflate: bool) -> None:
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.settimeout(5)
    offered = [ClientPerMessageDeflateFactory()] if deflate else []
    accepted = [ServerPerMessageDeflateFactory()] if deflate else []
    serving = threading.Thread(target=serve_echo, args=(theirs, accepted))
    serving.start()
    client = ClientProtocol(parse_uri("ws://localhost/"), extensions=offered)
    with ours:
        client.send_request(client.connect())
        send(client, ours)
        while client.state is State.CONNECTING:
            receive(client, ours)
        assert client.handshake_exc is None
        assert len(client.extensions) == deflate
        client.send_text("é".encode() * 1000)
        client.send_ping(b"ping")
        client.send_text(b"a", fin=False)
        client.send_continuation(b"b", fin=True)
        send(client, ours)
        frames: list[Event] = []
        while len(frames) < 4:
            frames += receive(client, ours)
        # Data frames come in order; the pong may overtake them.
        assert Frame(Opcode.PONG, b"ping") in frames
        assert [f for f in frames if isinstance(f, Frame) and f.opcode is not Opcode.PONG] == [
            Frame(Opcode.TEXT, "é".encode() * 1000),
            Frame(Opcode.TEXT, b"a", fin=False),
            Frame(Opcode.CONT, b"b"),
        ]
        client.send_close(4000, "done")
        send(client, ours)
        while client.state is not State.CLOSED:
            receive(client, ours)
    serving.join(5)
    assert not serving.is_alive()
    assert client.close_rcvd == client.close_sent == Close(4000, "done")


def test_a_connection_that_starts_closing_receives_frames() -> None:
    protocol = Protocol(Side.CLIENT, state=State.CLOSING)
    protocol.receive_data(b"\x81\x01a")
    assert protocol.events_received() == [Frame(Opcode.TEXT, b"a")]
