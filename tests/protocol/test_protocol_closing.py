"""ws6455.protocol.protocol: the closing handshake, and how the end is told (RFC 6455 §7)."""

import itertools

import pytest

from tests.protocol.peers import (
    LEGAL_CODES,
    ROLES,
    close_from_peer,
    closing,
    expected_end,
    from_peer,
    sent_by,
)
from ws6455.exceptions import (
    ConnectionClosedError,
    ConnectionClosedOK,
    ProtocolError,
)
from ws6455.framing.frames import Close, Frame, Opcode
from ws6455.protocol.protocol import SEND_EOF, Protocol
from ws6455.protocol.states import Side, State


@ROLES
@pytest.mark.parametrize("code", [None, 1000, 1001, 3000, 4999])
def test_the_peer_closes_first(role: Side, code: int | None) -> None:
    protocol = Protocol(role)
    protocol.receive_data(close_from_peer(role, code, "" if code is None else "bye"))
    assert protocol.state is State.CLOSING
    assert protocol.close_expected()
    assert protocol.close_rcvd_then_sent is True
    echo = Frame(Opcode.CLOSE, b"") if code is None else closing(code, "bye")
    assert sent_by(protocol) == [echo, *expected_end(role)]
    assert (protocol.close_code, protocol.close_reason) == (None, None)
    protocol.receive_eof()
    assert (protocol.state, protocol.close_code, protocol.close_reason) == (
        State.CLOSED,
        code or 1005,
        "" if code is None else "bye",
    )
    # The client closes its side once the server has.
    assert sent_by(protocol) == ([] if role is Side.SERVER else [None])


@ROLES
def test_this_end_closes_first(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_close(1001, "bye")
    assert protocol.state is State.CLOSING
    assert sent_by(protocol) == [closing(1001, "bye")]
    # What the peer sent before it saw the Close frame still comes.
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"late") + close_from_peer(role, 1000))
    assert protocol.events_received()[0] == Frame(Opcode.TEXT, b"late")
    assert protocol.close_rcvd_then_sent is False
    assert sent_by(protocol) == expected_end(role)
    protocol.receive_eof()
    assert type(protocol.close_exc) is ConnectionClosedOK


def test_c28_both_sides_close_at_once() -> None:
    server, client = Protocol(Side.SERVER), Protocol(Side.CLIENT)
    server.send_close(1001, "server")
    client.send_close(1000, "client")
    to_client, to_server = server.data_to_send(), client.data_to_send()
    server.receive_data(b"".join(to_server))
    client.receive_data(b"".join(to_client))
    assert server.data_to_send() == [SEND_EOF]
    assert client.data_to_send() == []
    client.receive_eof()
    assert client.data_to_send() == [SEND_EOF]
    server.receive_eof()
    for end, rcvd in ((server, "client"), (client, "server")):
        assert end.state is State.CLOSED
        assert type(end.close_exc) is ConnectionClosedOK
        assert end.close_exc.rcvd_then_sent is False
        assert end.close_reason == rcvd


@ROLES
def test_nothing_follows_a_close_frame(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(
        close_from_peer(role)
        + from_peer(role, Opcode.TEXT, b"after")
        + from_peer(role, Opcode.PING)
        + b"\xff\xff"
    )
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"after"))
    assert protocol.events_received() == [closing(1000)]
    assert protocol.violation is None
    assert sent_by(protocol) == [closing(1000), *expected_end(role)]


@ROLES
@pytest.mark.parametrize("cut", [b"", b"\x81", b"\x82\xff\x00"])
def test_c28_a_connection_that_is_cut_is_1006(role: Side, cut: bytes) -> None:
    protocol = Protocol(role)
    protocol.receive_data(cut if role is Side.SERVER else cut.replace(b"\xff", b"\x7f"))
    protocol.receive_eof()
    protocol.receive_eof()
    assert protocol.state is State.CLOSED
    assert (protocol.close_code, protocol.close_reason) == (1006, "")
    assert type(protocol.close_exc) is ConnectionClosedError
    assert sent_by(protocol) == [None]
    for data in (b"a", from_peer(role, Opcode.TEXT, b"whole")):
        with pytest.raises(EOFError):
            protocol.receive_data(data)


def test_how_a_connection_ends_is_told_at_its_end() -> None:
    protocol = Protocol(Side.SERVER)
    with pytest.raises(AssertionError, match="isn't closed yet"):
        _ = protocol.close_exc


CODES = (None, 1000, 1001, 1002, 1008, 1011, 3000, 4999)


@pytest.mark.parametrize(("sent", "rcvd"), [*itertools.product(CODES, CODES)])
def test_the_kind_of_the_end_for_all_pairs_of_codes(sent: int | None, rcvd: int | None) -> None:
    protocol = Protocol(Side.SERVER)
    protocol.send_close(sent)
    protocol.receive_data(close_from_peer(Side.SERVER, rcvd))
    protocol.receive_eof()
    exc = protocol.close_exc
    fine = {None, 1000, 1001}
    assert type(exc) is (
        ConnectionClosedOK if sent in fine and rcvd in fine else ConnectionClosedError
    )
    assert (exc.rcvd, exc.sent) == (Close(rcvd or 1005, ""), Close(sent or 1005, ""))


@pytest.mark.parametrize("sent", [None, 1000, 1011])
def test_without_the_peer_s_close_frame_it_is_an_error(sent: int | None) -> None:
    protocol = Protocol(Side.CLIENT)
    protocol.send_close(sent)
    protocol.receive_eof()
    assert type(protocol.close_exc) is ConnectionClosedError
    assert protocol.close_exc.code == 1006


def test_c27_every_close_code_received() -> None:
    for code in range(5001):
        protocol = Protocol(Side.CLIENT)
        protocol.receive_data(b"\x88\x02" + code.to_bytes(2, "big"))
        protocol.data_to_send()
        assert protocol.close_sent is not None
        if code in LEGAL_CODES:
            assert protocol.close_rcvd == protocol.close_sent == Close(code, "")
        else:
            assert protocol.close_rcvd is None
            assert protocol.close_sent.code == 1002
            assert protocol.events_received() == []


def test_c27_every_close_code_sent() -> None:
    for code in range(5001):
        protocol = Protocol(Side.SERVER)
        if code in LEGAL_CODES:
            protocol.send_close(code, "why")
            assert protocol.data_to_send() == [b"\x88\x05" + code.to_bytes(2, "big") + b"why"]
            continue
        with pytest.raises(ProtocolError, match=f"invalid close code: {code}"):
            protocol.send_close(code, "why")
        assert protocol.state is State.OPEN
        assert protocol.data_to_send() == []


@pytest.mark.parametrize(("code", "reason"), [(None, "why"), (1000, "\xe9" * 62)])
def test_a_reason_that_cannot_be_sent_changes_nothing(code: int | None, reason: str) -> None:
    protocol = Protocol(Side.SERVER)
    with pytest.raises(ProtocolError):
        protocol.send_close(code, reason)
    assert protocol.state is State.OPEN
    assert protocol.data_to_send() == []
