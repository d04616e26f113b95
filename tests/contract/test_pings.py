"""Pings there and back, keepalive, and what a busy application does not see."""

import time

import pytest

from tests.contract.adapters import PATIENCE
from tests.contract.conftest import MakeEnds, MakePair, until
from tests.frames import close, ping, pong, text
from ws6455 import (
    Close,
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedError,
    Opcode,
    Side,
    State,
)


def test_a_ping_gives_the_latency(ends: MakeEnds) -> None:
    with ends() as (one, _):
        assert one.latency == 0
        latency = one.ping()()
        assert 0 < latency < PATIENCE
        assert one.latency == latency


def test_a_ping_has_four_random_bytes_or_what_it_is_given(pair: MakePair) -> None:
    with pair() as (end, peer):
        for data in (None, None, "é", b"", bytearray(b"abc")):
            end.ping(data)
        payloads = [peer.frame().data for _ in range(5)]
        assert payloads[2:] == ["é".encode(), b"", b"abc"]
        assert [len(payload) for payload in payloads[:2]] == [4, 4]
        assert payloads[0] != payloads[1]


def test_a_pong_settles_every_ping_before_its_own(pair: MakePair) -> None:
    with pair() as (end, peer):
        waits = [end.ping(name) for name in ("a", "b", "c")]
        peer.send(pong(b"unsolicited"), pong(b"b"))
        assert all(wait() > 0 for wait in waits[:2])
        assert list(end.connection._keepalive.pings) == [b"c"]


def test_a_payload_that_waits_cannot_be_used_again(pair: MakePair) -> None:
    with pair() as (end, peer):
        wait = end.ping("again")
        with pytest.raises(ConcurrencyError, match="already waits"):
            end.ping("again")
        peer.send(pong(b"again"))
        wait()
        end.ping("again")


@pytest.mark.parametrize("data", [1, ["a"]])
def test_a_payload_of_another_type_is_a_type_error(ends: MakeEnds, data: object) -> None:
    with ends() as (one, _):
        for method in ("ping", "pong"):
            with pytest.raises(TypeError, match="must be str or bytes-like"):
                one.call(method, data)


def test_a_pong_is_sent_as_given(pair: MakePair) -> None:
    with pair() as (end, peer):
        end.call("pong")
        end.call("pong", "x")
        assert [peer.frame() for _ in range(2)] == [pong(b""), pong(b"x")]


def test_nothing_is_pinged_after_the_end(ends: MakeEnds) -> None:
    with ends() as (one, _):
        one.close()
        for method in ("ping", "pong"):
            with pytest.raises(ConnectionClosed):
                one.call(method)


def test_pings_are_answered_while_the_application_is_busy(pair: MakePair) -> None:
    with pair() as (_, peer):  # nobody receives
        for data in (b"1", b"", b"2"):
            peer.send(ping(data))
            assert peer.frame() == pong(data)


def test_pings_are_answered_while_it_has_messages_to_take(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        peer.send(text("1"), text("2"))
        assert end.recv() == "1"
        peer.send(ping(b"busy?"))
        assert peer.frame() == pong(b"busy?")
        assert end.recv() == "2"


def test_a_close_is_noticed_while_the_application_is_busy(pair: MakePair) -> None:
    with pair() as (end, peer):
        peer.send(text("before"), close(1001, "gone"))
        assert peer.answer_close() == Close(1001, "gone")
        end.wait_closed()
        assert (end.close_code, end.close_reason) == (1001, "gone")
        assert end.recv() == "before"


def test_keepalive_pings_and_is_content_with_pongs(pair: MakePair) -> None:
    with pair(ping_interval=0.02, ping_timeout=1) as (end, peer):
        for _ in range(4):
            frame = peer.frame()
            assert frame.opcode is Opcode.PING
            peer.send(pong(frame.data))
        until(lambda: not end.connection._keepalive.pings)
        assert end.state is State.OPEN
        assert end.latency > 0


def test_keepalive_pings_while_the_application_receives(pair: MakePair) -> None:
    with pair(ping_interval=0.02) as (end, peer):
        receiving = end.start("recv")
        assert peer.frame().opcode is Opcode.PING
        peer.send(text("meanwhile"))
        assert receiving.result(PATIENCE) == "meanwhile"


@pytest.mark.parametrize("receives", [True, False])
def test_a_peer_that_swallows_everything_is_dropped_with_the_cause(
    pair: MakePair, receives: bool
) -> None:
    with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1) as (end, peer):
        started = time.monotonic()
        receiving = end.start("recv") if receives else None
        end.wait_closed()
        assert 0.2 <= time.monotonic() - started < 2
        with pytest.raises(ConnectionClosedError) as caught:
            receiving.result(PATIENCE) if receiving else end.recv()
        assert caught.value.sent == Close(1011, "keepalive ping timeout")
        assert caught.value.rcvd is None
        assert isinstance(caught.value.__cause__, TimeoutError)
        assert "no byte received in the 0.1 s since a ping" in str(caught.value)
        last = peer.frames_to_close()[-1]
        assert Close.parse(last.data) == Close(1011, "keepalive ping timeout")
        assert peer.bytes_to_end() == b""


def test_a_peer_that_does_not_take_what_is_sent_is_dropped(pair: MakePair) -> None:
    with (
        pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1) as (end, _),
        pytest.raises(ConnectionClosedError, match="bytes that the peer has not taken wait"),
    ):
        end.send(b"x" * (1 << 24))


def test_any_byte_counts_as_life(pair: MakePair) -> None:
    with pair(ping_interval=0.05, ping_timeout=0.2, close_timeout=0.1) as (end, peer):
        receiving = end.start("recv")
        frame = text("slow but alive").serialize(mask=peer.side is Side.CLIENT)
        for byte in frame:
            peer.send(bytes([byte]))
            time.sleep(0.03)  # not one pong in twice the timeout
        assert receiving.result(PATIENCE) == "slow but alive"
        assert end.state is State.OPEN


def test_without_an_interval_there_are_no_pings(pair: MakePair) -> None:
    with pair(ping_interval=None, close_timeout=0.1) as (end, peer):
        end.send("x")
        assert end.connection._next_deadline() is None
        assert peer.frame().opcode is Opcode.TEXT
