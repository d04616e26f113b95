"""ws6455.protocol.receive_queue: order, fragments, and bounds."""

from typing import Any

import pytest

from ws6455.framing.frames import LARGE, Frame, Opcode
from ws6455.protocol.receive_queue import (
    JOIN_ABOVE,
    MAX_QUEUED_BYTES,
    ReceiveQueue,
    water_marks,
)


def first(data: bytes, opcode: Opcode = Opcode.TEXT) -> Frame:
    return Frame(opcode, data, fin=False)


def middle(data: bytes) -> Frame:
    return Frame(Opcode.CONT, data, fin=False)


def last(data: bytes) -> Frame:
    return Frame(Opcode.CONT, data)


def fill(queue: ReceiveQueue, *messages: str | bytes | Frame) -> None:
    for message in messages:
        queue.append(message, message.fin if isinstance(message, Frame) else True)


@pytest.mark.parametrize(
    ("limits", "marks"),
    [
        (16, (16, 4)),
        (0, (0, 0)),
        ((10, 3), (10, 3)),
        ((10, None), (10, 2)),
        (None, (None, None)),
        ((None, None), (None, None)),
    ],
)
def test_water_marks(limits: Any, marks: tuple[int | None, int | None]) -> None:
    assert water_marks(limits) == marks


@pytest.mark.parametrize("limits", [-1, (1, 2), (1, -1), (None, 1)])
def test_wrong_water_marks(limits: Any) -> None:
    with pytest.raises(ValueError, match="water mark"):
        water_marks(limits)


def test_messages_are_taken_whole() -> None:
    queue = ReceiveQueue()
    fill(queue, first(b"a"), middle(b"b"))
    assert not queue.messages
    fill(queue, last(b"c"), "d", b"e", first(b"f", Opcode.BINARY))
    assert [queue.take(), queue.take(), queue.take()] == ["abc", "d", b"e"]
    assert not queue.messages
    fill(queue, last(b"g"))
    assert queue.take() == b"fg"
    with pytest.raises(IndexError):
        queue.take()


def test_fragments_are_taken_one_by_one_before_and_after_the_message_is_complete() -> None:
    queue = ReceiveQueue()
    fill(queue, "whole", first(b"a"), middle(b"b"))
    assert queue.take_fragment() == "whole"
    assert queue.take_fragment() == first(b"a")
    fill(queue, last(b"c"))
    assert [queue.take_fragment(), queue.take_fragment()] == [middle(b"b"), last(b"c")]
    with pytest.raises(IndexError):
        queue.take_fragment()


def test_everything_is_taken_with_the_unfinished_message_last() -> None:
    queue = ReceiveQueue()
    fill(queue, "whole", first(b"a"))
    assert queue.take_all() == ["whole", first(b"a")]
    assert queue.take_all() == []
    fill(queue, last(b"b"))
    assert queue.take_all() == [last(b"b")]


def test_queues_do_not_share_fragments() -> None:
    one, other = ReceiveQueue(), ReceiveQueue()
    fill(one, first(b"a"))
    assert not other.fragments
    fill(one, last(b"b"))
    assert not one.fragments
    fill(other, first(b"c"))
    assert not one.fragments


def test_a_queue_is_full_above_the_high_mark_and_low_at_the_low_one() -> None:
    queue = ReceiveQueue()
    queue.set_limits((3, 1))
    fill(queue, "1", "2", first(b"3"))
    assert not queue.is_full()
    fill(queue, middle(b"4"))
    assert queue.is_full()
    queue.take()
    assert not queue.is_low()
    queue.take_fragment()
    queue.take_fragment()
    assert queue.is_low()


def test_a_queue_is_full_above_its_bound_in_bytes() -> None:
    queue = ReceiveQueue()
    queue.set_limits(1000)
    half = bytes(MAX_QUEUED_BYTES // 2)
    fill(queue, half, first(half, Opcode.BINARY))
    assert not queue.is_full()
    fill(queue, middle(b"x"))
    assert queue.is_full()


def test_a_queue_without_limits_is_never_full() -> None:
    queue = ReceiveQueue()
    fill(queue, *["x"] * 1000)
    queue.set_limits(None)
    assert not queue.is_full()
    assert queue.is_low()


def test_new_messages_can_be_dropped() -> None:
    queue = ReceiveQueue()
    fill(queue, "kept", first(b"unfinished"))
    queue.drop_new()
    fill(queue, last(b"rest"), "new", first(b"new"))
    assert queue.take_all() == ["kept"]


def test_small_fragments_are_joined_when_there_are_many() -> None:
    queue = ReceiveQueue()
    parts = [b"%05d" % number for number in range(JOIN_ABOVE)]
    fill(queue, first(parts[0], Opcode.BINARY), *map(middle, parts[1:-1]))
    queue.join_fragments()
    assert len(queue.fragments) == JOIN_ABOVE - 1
    fill(queue, middle(parts[-1]))
    queue.join_fragments()
    assert list(queue.fragments) == [first(b"".join(parts), Opcode.BINARY)]
    fill(queue, last(b"end"))
    assert queue.take() == b"".join(parts) + b"end"


def test_large_fragments_are_not_joined_again() -> None:
    queue = ReceiveQueue()
    large = bytes(LARGE)
    fill(queue, first(large, Opcode.BINARY), *[middle(large)] * JOIN_ABOVE)
    queue.join_fragments()
    assert len(queue.fragments) == JOIN_ABOVE + 1
    assert all(fragment.data is large for fragment in queue.fragments)
    # The next time is at twice the number, so that the time stays linear.
    fill(queue, *[middle(b"x")] * JOIN_ABOVE)
    queue.join_fragments()
    assert len(queue.fragments) == 2 * JOIN_ABOVE + 1
    fill(queue, middle(b"x"))
    queue.join_fragments()
    assert len(queue.fragments) == JOIN_ABOVE + 2
