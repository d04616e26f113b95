"""ws6455.sync.transport: writing to a socket that does not block, without a connection."""

import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.contract.conftest import until
from tests.sync.conftest import connected
from ws6455.framing.frames import Frame, Opcode
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State
from ws6455.sync.transport import NOT_READY, SocketIO


class Owner:
    """Notes what the I/O tells its connection."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def sending_closed(self, exc: OSError | None) -> None:
        self.calls.append(("closed", type(exc)))

    def ask_watcher(self) -> None:
        self.calls.append("ask")


class Writing:
    """A server's protocol, its I/O, and the socket at the other end."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self.protocol = ServerProtocol(state=State.OPEN)
        self.owner = Owner()
        self.io = SocketIO(ours, self.protocol, self.owner)
        self.theirs = theirs

    def send(self, *payloads: bytes) -> bytes:
        """Send messages in one go; return what the peer should receive."""
        for payload in payloads:
            self.protocol.send_binary(payload)
        self.io.flush()
        return b"".join(Frame(Opcode.BINARY, p).serialize(mask=False) for p in payloads)

    def received(self, size: int) -> bytes:
        """Read so many bytes at the other end, while this end goes on sending."""
        data = b""
        while len(data) < size:
            with contextlib.suppress(BlockingIOError):
                data += self.theirs.recv(1 << 16)
            if self.io.unsent:
                self.io.send_unsent()
        return data


@pytest.fixture
def writing() -> Iterator[Writing]:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
    theirs.setblocking(False)
    with ours, theirs:
        yield Writing(ours, theirs)


LARGE = bytes(range(256)) * 4000


def test_what_the_socket_takes_does_not_wait(writing: Writing) -> None:
    expected = writing.send(b"a", b"b") + writing.send(b"c")
    assert writing.io.unsent_bytes() == 0
    assert writing.received(len(expected)) == expected
    assert writing.owner.calls == []


def test_the_rest_waits_for_room_and_goes_out_in_order(writing: Writing) -> None:
    expected = writing.send(LARGE)
    assert writing.io.writing_paused
    assert writing.owner.calls == ["pause", "ask"]
    assert 0 < writing.io.unsent_bytes() < len(expected)
    expected += writing.send(b"small") + writing.send(LARGE, b"last")
    assert writing.received(len(expected)) == expected
    assert writing.io.unsent_bytes() == 0
    assert not writing.io.writing_paused
    assert writing.owner.calls[-1] == "resume"


def test_a_thread_that_waits_itself_needs_no_watcher(writing: Writing) -> None:
    writing.io.senders = 1
    writing.send(LARGE)
    assert writing.owner.calls == ["pause"]


def test_sent_bytes_are_those_of_what_had_to_wait(writing: Writing) -> None:
    writing.send(b"does not wait")
    assert (writing.io.given_bytes, writing.io.sent_bytes()) == (0, 0)
    expected = writing.send(LARGE)
    before = writing.io.sent_bytes()
    assert before + writing.io.unsent_bytes() == writing.io.given_bytes
    writing.received(len(expected))
    assert writing.io.sent_bytes() == writing.io.given_bytes > before


def test_more_buffers_than_the_system_takes_at_once(writing: Writing) -> None:
    expected = writing.send(LARGE) + writing.send(*(b"%d" % number for number in range(3000)))
    assert len(writing.io.unsent) > 2048
    assert writing.received(len(expected)) == expected


def test_only_the_latest_pong_waits(writing: Writing) -> None:
    expected = writing.send(LARGE)
    for number in range(100):
        writing.protocol.receive_data(Frame(Opcode.PING, b"%d" % number).serialize(mask=True))
        writing.io.flush()
    assert writing.protocol.pongs_due == [b"99"]
    assert writing.received(len(expected)) == expected


def test_the_sending_side_closes_behind_what_waits(writing: Writing) -> None:
    expected = writing.send(LARGE)
    writing.protocol.receive_data(Frame(Opcode.CLOSE, b"").serialize(mask=True))
    writing.io.flush()
    assert not writing.io.sending_ended
    expected += Frame(Opcode.CLOSE, b"").serialize(mask=False)
    assert writing.received(len(expected)) == expected
    assert writing.io.sending_ended
    assert writing.owner.calls[-1] == ("closed", type(None))
    assert writing.theirs.recv(1) == b""  # the end of the stream


def test_a_peer_that_has_gone_ends_the_sending(writing: Writing) -> None:
    writing.send(LARGE)
    writing.theirs.close()
    writing.io.send_unsent()
    assert writing.io.sending_ended
    assert writing.io.unsent_bytes() == 0
    assert writing.owner.calls[-1] in [
        ("closed", BrokenPipeError),
        ("closed", ConnectionResetError),
    ]
    writing.send(b"dropped")
    assert writing.io.unsent_bytes() == 0


def test_a_closed_connection_has_nothing_left(writing: Writing) -> None:
    writing.send(LARGE)
    before = writing.io.sent_bytes()
    writing.io.detach()
    assert writing.io.unsent_bytes() == 0
    assert writing.io.sent_bytes() == before  # and not what was dropped
    calls = list(writing.owner.calls)
    writing.io.send_unsent()
    assert writing.owner.calls == calls


def test_small_writes_are_not_delayed() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        io = SocketIO(client, ServerProtocol(), Owner())
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not client.getblocking()
        assert io.local_address == client.getsockname()
        assert io.remote_address == listener.getsockname()
        assert not io.is_tls


def test_a_peer_that_has_gone_already_has_no_address() -> None:
    with socket.socket() as unconnected:
        assert SocketIO(unconnected, ServerProtocol(), Owner()).remote_address is None


def test_over_tls_decrypted_bytes_wait_where_the_socket_does_not_show_them(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    def read_one_byte() -> bool:
        with contextlib.suppress(*NOT_READY):
            return len(client.socket.recv(1)) == 1
        return False

    with connected(*contexts) as (client, server):
        assert client._io.is_tls
        with client._lock:  # nobody else reads
            assert not client._io.has_decrypted()
            server.send("one record")
            until(read_one_byte)
            assert client._io.has_decrypted()
        client.abort()
