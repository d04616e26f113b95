"""The closing handshake, its deadline, and connections that are simply cut."""

import time
from collections.abc import Iterator

import pytest

from tests.contract.adapters import PATIENCE
from tests.contract.conftest import MakeEnds, MakePair, until
from tests.frames import close, text
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    Frame,
    Opcode,
    ProtocolError,
    Side,
    State,
)


def test_closing_sends_code_and_reason_and_waits_for_the_answer(pair: MakePair) -> None:
    with pair() as (end, peer):
        assert (end.close_code, end.close_reason) == (None, None)
        closing = end.start("close", 4000, "é")
        assert peer.frame() == close(4000, "é")
        assert not closing.done()
        peer.send(close(4000, "é"))
        peer.close()
        closing.result(PATIENCE)
        assert end.state is State.CLOSED
        assert (end.close_code, end.close_reason) == (4000, "é")


def test_closing_twice_and_at_once_sends_one_frame(pair: MakePair) -> None:
    with pair() as (end, peer):
        closing = [end.start("close", 4000) for _ in range(3)]
        assert peer.answer_close().code == 4000
        for future in closing:
            future.result(PATIENCE)
        end.close()
        end.wait_closed()
        assert end.close_code == 4000


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536])
def test_codes_that_must_not_travel_are_refused(ends: MakeEnds, code: int) -> None:
    with ends() as (one, other):
        with pytest.raises(ProtocolError, match="invalid close code"):
            one.close(code)
        one.send("still open")
        assert other.recv() == "still open"


def test_a_reason_has_at_most_123_bytes(ends: MakeEnds) -> None:
    with ends() as (one, other):
        with pytest.raises(ProtocolError, match="123 bytes"):
            one.close(1000, "é" * 62)
        one.close(1000, "é" * 61 + "x")
        other.wait_closed()
        assert other.close_reason == "é" * 61 + "x"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, ConnectionClosedOK),
        (1001, ConnectionClosedOK),
        (1002, ConnectionClosedError),
        (1011, ConnectionClosedError),
        (1012, ConnectionClosedError),
        (1014, ConnectionClosedError),
        (3000, ConnectionClosedError),
        (4999, ConnectionClosedError),
    ],
)
def test_the_peers_code_is_echoed_and_decides_the_exception(
    pair: MakePair, code: int, kind: type[ConnectionClosed]
) -> None:
    with pair() as (end, peer):
        receiving = end.start("recv")
        peer.send(close(code, "why"))
        assert peer.answer_close() == Close(code, "why")
        with pytest.raises(ConnectionClosed) as caught:
            receiving.result(PATIENCE)
        assert type(caught.value) is kind
        assert caught.value.rcvd == caught.value.sent == Close(code, "why")
        assert caught.value.rcvd_then_sent is True
        assert (end.close_code, end.close_reason) == (code, "why")


def test_who_closes_first_is_kept(pair: MakePair) -> None:
    with pair() as (end, peer):
        closing = end.start("close", 1001)
        peer.frame()
        peer.send(close(1000, "fine"))
        peer.close()
        closing.result(PATIENCE)
        with pytest.raises(ConnectionClosedOK, match=r"sent 1001 .* then received 1000") as caught:
            end.recv()
        assert caught.value.rcvd_then_sent is False
        assert (caught.value.rcvd, caught.value.sent) == (Close(1000, "fine"), Close(1001, ""))


def test_an_empty_close_frame_is_1005_and_gets_an_empty_answer(pair: MakePair) -> None:
    with pair() as (end, peer):
        peer.send(Frame(Opcode.CLOSE, b""))
        assert peer.frame() == Frame(Opcode.CLOSE, b"")
        peer.close()
        with pytest.raises(ConnectionClosedOK):
            end.recv()
        assert (end.close_code, end.close_reason) == (1005, "")


@pytest.mark.parametrize("part", [b"", b"\x81", b"\x82\x85\x00\x00\x00\x00ab"])
def test_tcp_cut_without_a_close_frame_is_1006(pair: MakePair, part: bytes) -> None:
    with pair() as (end, peer):
        if peer.side is Side.SERVER:
            part = part.replace(b"\x85\x00\x00\x00\x00", b"\x05")
        peer.send(text("whole"), part)
        peer.close()
        assert end.recv() == "whole"
        with pytest.raises(ConnectionClosedError, match="no close frame received or sent"):
            end.recv()
        assert (end.close_code, end.close_reason) == (1006, "")


def test_a_reset_tells_its_cause(pair: MakePair) -> None:
    with pair() as (end, peer):
        receiving = end.start("recv")
        peer.reset()
        with pytest.raises(ConnectionClosedError, match="reset") as caught:
            receiving.result(PATIENCE)
        assert isinstance(caught.value.__cause__, ConnectionResetError)


@pytest.mark.parametrize("answers", [True, False])
def test_a_peer_that_does_not_end_is_cut_off(pair: MakePair, answers: bool) -> None:
    with pair(close_timeout=0.1) as (end, peer):
        started = time.monotonic()
        closing = end.start("close")
        assert peer.frame() == close(1000)
        if answers:
            peer.send(close(1000))
        closing.result(PATIENCE)
        assert 0.1 <= time.monotonic() - started < 2
        assert end.close_code == (1000 if answers else 1006)


def test_messages_received_before_the_end_can_be_taken_after_it(pair: MakePair) -> None:
    with pair() as (end, peer):
        peer.send(text("1"), text("2"), close(1000))
        peer.answer_close()
        end.wait_closed()
        assert [end.recv(), end.recv()] == ["1", "2"]
        for _ in range(2):
            with pytest.raises(ConnectionClosedOK):
                end.recv()


@pytest.mark.parametrize("message", ["text", b"binary", ["fragment"]])
def test_sending_after_the_end_raises(ends: MakeEnds, message: str | bytes | list[str]) -> None:
    with ends() as (one, other):
        other.close(1011, "over")
        one.wait_closed()
        with pytest.raises(ConnectionClosedError, match=r"1011 .* over"):
            one.send(message)
        other.close()


def test_sending_while_it_closes_waits_for_the_whole_story(pair: MakePair) -> None:
    with pair() as (end, peer):
        closing = end.start("close", 1001)
        peer.frame()
        sending = end.start("send", "too late")
        peer.send(close(1001, "I know"))
        peer.close()
        with pytest.raises(ConnectionClosedOK, match=r"then received 1001 .* I know"):
            sending.result(PATIENCE)
        closing.result(PATIENCE)


def test_both_sides_close_at_once(ends: MakeEnds) -> None:
    with ends() as (one, other):
        closing = [one.start("close", 4001), other.start("close", 4002)]
        for future in closing:
            future.result(PATIENCE)
        assert one.state is other.state is State.CLOSED


def test_closing_ends_a_call_that_receives(ends: MakeEnds) -> None:
    with ends() as (one, _):
        receiving = one.start("recv")
        until(lambda: bool(one.connection._receiving))
        one.close()
        with pytest.raises(ConnectionClosedOK):
            receiving.result(PATIENCE)


def test_closing_with_messages_nobody_takes(pair: MakePair) -> None:
    with pair(max_queue=2) as (end, peer):
        peer.send(*[text("x" * 1000)] * 100)
        until(lambda: bool(end.connection._reading_paused))
        closing = end.start("close")
        assert peer.answer_close().code == 1000
        closing.result(PATIENCE)
        assert end.close_code == 1000


def test_closing_within_a_fragmented_message_fails_the_connection(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        closing = []

        def fragments() -> Iterator[str]:
            yield "first"
            closing.append(end.start("close"))
            while True:
                yield "more"  # an event loop must not be blocked

        sending = end.start("send", fragments())
        assert peer.frame() == text("first", fin=False)
        assert peer.answer_close() == Close(1011, "close during fragmented message")
        with pytest.raises(ConnectionClosedError):
            sending.result(PATIENCE)
        closing[0].result(PATIENCE)
