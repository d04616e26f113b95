"""Messages of both kinds, whole and in fragments, there and back."""

import array
import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest

from tests.contract.adapters import PATIENCE
from tests.contract.conftest import MakeEnds, MakePair, until
from tests.frames import close, text
from ws6455 import ConcurrencyError, ConnectionClosedError, Frame, Opcode


@pytest.mark.parametrize("message", ["", "é𝄞", b"", b"\x00\xff", "x" * 70_000, b"y" * 1_000_000])
@pytest.mark.parametrize("compression", ["deflate", None])
def test_a_message_comes_as_it_was_sent(
    ends: MakeEnds, message: str | bytes, compression: str | None
) -> None:
    with ends(compression=compression) as (one, other):
        for sender, receiver in ((one, other), (other, one)):
            sender.send(message)
            received = receiver.recv()
            assert received == message
            assert type(received) is type(message)


@pytest.mark.parametrize(
    "message", [bytearray(b"abcd"), memoryview(b"abcd"), memoryview(array.array("H", b"abcd"))]
)
def test_whatever_is_like_bytes_is_sent_as_binary(ends: MakeEnds, message: bytes) -> None:
    with ends() as (one, other):
        one.send(message)
        assert other.recv() == b"abcd"


def test_text_chooses_the_opcode(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        end.send(b"abc", text=True)
        end.send("abc", text=False)
        assert [peer.frame().opcode for _ in range(2)] == [Opcode.TEXT, Opcode.BINARY]


def test_decode_chooses_the_type(ends: MakeEnds) -> None:
    with ends() as (one, other):
        for message in ("é", "é".encode()):
            one.send(message)
            assert other.recv(decode=True) == "é"
            one.send(message)
            assert other.recv(decode=False) == "é".encode()
        one.send(b"\xff")
        with pytest.raises(UnicodeDecodeError):
            other.recv(decode=True)


def test_an_iterable_is_sent_as_fragments_and_comes_as_one_message(ends: MakeEnds) -> None:
    with ends() as (one, other):
        one.send(iter(["a", "", "é"]))
        one.send([b"x", bytearray(b"y")])
        one.send([])
        one.send("next")
        assert [other.recv() for _ in range(3)] == ["aé", b"xy", "next"]


def test_fragments_are_frames_and_an_empty_last_one(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        end.send(["a", "b"], text=False)
        assert [peer.frame() for _ in range(3)] == [
            Frame(Opcode.BINARY, b"a", fin=False),
            Frame(Opcode.CONT, b"b", fin=False),
            Frame(Opcode.CONT, b""),
        ]


def test_streaming_gives_fragment_by_fragment(pair: MakePair) -> None:
    with pair() as (end, peer):
        accented = "é".encode()
        receiving = end.start_streaming()
        peer.send(
            Frame(Opcode.TEXT, b"a" + accented[:1], fin=False),
            Frame(Opcode.CONT, accented[1:], fin=False),
            Frame(Opcode.CONT, b"b"),
            text("whole"),
            Frame(Opcode.BINARY, b"c", fin=False),
            Frame(Opcode.CONT, b"d"),
        )
        assert receiving.result(PATIENCE) == ["a", "é", "b"]
        assert end.start_streaming(decode=False).result(PATIENCE) == [b"whole"]
        assert end.start_streaming(decode=True).result(PATIENCE) == ["c", "d"]


def test_streaming_ends_with_the_connection(pair: MakePair) -> None:
    with pair() as (end, peer):
        receiving = end.start_streaming()
        peer.send(text("half", fin=False))
        peer.close()
        with pytest.raises(ConnectionClosedError):
            receiving.result(PATIENCE)


@pytest.mark.parametrize("message", [1, None, {"a": 1}, {"a": "b"}, object(), ["a", 1], [None]])
def test_anything_else_is_a_type_error(ends: MakeEnds, message: object) -> None:
    with ends() as (one, _), pytest.raises(TypeError, match="must be"):
        one.send(message)


def test_a_wrong_type_before_the_first_fragment_does_no_harm(ends: MakeEnds) -> None:
    with ends() as (one, other):
        with pytest.raises(TypeError):
            one.send([1])
        one.send("fine")
        assert other.recv() == "fine"


def test_fragments_of_both_kinds_fail_the_connection(pair: MakePair) -> None:
    with pair() as (end, peer):
        sending = end.start("send", ["a", b"b"])
        assert peer.answer_close().code == 1011
        with pytest.raises(TypeError, match="same kind"):
            sending.result(PATIENCE)
        with pytest.raises(ConnectionClosedError, match="error in fragmented message"):
            end.recv()


def test_an_iterable_that_fails_half_way_fails_the_connection(pair: MakePair) -> None:
    def fragments() -> Iterator[str]:
        yield "a"
        raise ZeroDivisionError

    with pair() as (end, peer):
        sending = end.start("send", fragments())
        assert peer.answer_close().code == 1011
        with pytest.raises(ZeroDivisionError):
            sending.result(PATIENCE)


def test_two_receivers_at_once_are_told_of_each_other(ends: MakeEnds) -> None:
    with ends() as (one, other):
        receiving = one.start("recv")
        until(lambda: bool(one.connection._receiving))
        with pytest.raises(ConcurrencyError, match=r"cannot call recv while another .* recv"):
            one.recv()
        with pytest.raises(ConcurrencyError, match="cannot call recv_streaming while"):
            one.start_streaming().result(PATIENCE)
        other.send("for the first")
        assert receiving.result(PATIENCE) == "for the first"
        other.send("for the second")
        assert one.recv() == "for the second"


def test_iteration_ends_with_a_proper_close(ends: MakeEnds) -> None:
    with ends() as (one, other):
        receiving = one.start_iterating()
        other.send("a")
        other.send(b"b")
        other.close(1001, "bye")
        assert receiving.result(PATIENCE) == ["a", b"b"]
        one.wait_closed()
        assert (one.close_code, one.close_reason) == (1001, "bye")


def test_iteration_raises_another_close(pair: MakePair) -> None:
    with pair() as (end, peer):
        receiving = end.start_iterating()
        peer.send(text("a"), close(1011, "why"))
        peer.answer_close()
        with pytest.raises(ConnectionClosedError, match=r"received 1011 .* why"):
            receiving.result(PATIENCE)


def test_large_messages_cross_each_other(ends: MakeEnds) -> None:
    with ends(max_size=None, compression=None) as (one, other):
        large = bytes(range(256)) * 40_000
        sending = [end.start("send", large) for end in (one, other) for _ in range(2)]
        for end in (one, other, one, other):
            assert end.recv() == large
        wait(sending, PATIENCE)
        assert all(future.exception() is None for future in sending)


def test_many_senders_at_once_send_whole_messages(ends: MakeEnds) -> None:
    with ends(max_queue=None) as (one, other):
        messages = [f"{number}:{'x' * number}" for number in range(0, 3000, 100)]
        sending = [one.start("send", message) for message in messages]
        assert sorted(other.recv() for _ in messages) == sorted(messages)
        for future in sending:
            future.result(PATIENCE)


def test_a_receiver_hears_nothing_of_another_threads_sends(ends: MakeEnds) -> None:
    with ends() as (one, other):
        received = threading.Event()
        receiving = one.start("recv")
        receiving.add_done_callback(lambda _: received.set())
        for number in range(50):
            one.send(str(number))
        assert [other.recv() for _ in range(50)] == [str(number) for number in range(50)]
        assert not received.is_set()
        other.send("now")
        assert receiving.result(PATIENCE) == "now"
