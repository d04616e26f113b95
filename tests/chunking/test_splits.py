"""How the bytes are cut: any split of the bytes gives the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chunking.streams import (
    MAX_FRAGMENTS,
    Control,
    Deflater,
    Message,
    Violation,
    closes,
    controls,
    cut,
    end_of,
    feed,
    messages,
    violations,
    wire_frame,
    wire_stream,
)
from ws6455.framing.frames import Close
from ws6455.protocol.states import Side


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@given(
    steps=st.lists(messages | controls, max_size=5),
    end=st.none() | closes | violations,
    edges=st.lists(st.integers(0, 1 << 16), max_size=12),
    compression=st.booleans(),
    takeover=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_any_split_of_the_bytes_gives_the_same(
    role: Side,
    steps: list[Message | Control],
    end: bytes | Violation | None,
    edges: list[int],
    compression: bool,
    takeover: bool,
) -> None:
    deflater = Deflater(takeover) if compression else None
    stream = wire_stream(steps, end, role is Side.SERVER, deflater)
    whole = feed(end_of(role, compression, takeover), [stream])
    single = [stream[index : index + 1] for index in range(len(stream))]
    for pieces in (cut(stream, edges), single):
        assert feed(end_of(role, compression, takeover), pieces) == whole
    # The stream says itself what is to come of it.
    if all(not isinstance(step, Message) or step.text for step in steps):
        expected = b"".join(step.data for step in steps if isinstance(step, Message))
        if all(not isinstance(step, Message) or len(step.cuts) < MAX_FRAGMENTS for step in steps):
            assert b"".join(frame.data for frame in whole.data) == expected
    if isinstance(end, bytes):
        assert whole.rcvd == whole.sent == Close.parse(end)
    elif end is not None and (compression or end[0] != 0xC2):
        assert whole.violation is not None
        assert whole.rcvd is None
        assert whole.sent is not None
        assert whole.sent.reason == whole.violation[1]
    assert all(b"after" not in frame.data for frame in whole.data)


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@given(
    payloads=st.lists(
        st.tuples(st.booleans(), st.text(max_size=200) | st.sampled_from(["a" * 126, "a" * 1100])),
        max_size=8,
    ),
    tail=st.binary(max_size=12),
)
@settings(max_examples=80, deadline=None)
def test_the_fast_path_delivers_what_the_slow_path_does(
    role: Side, payloads: list[tuple[bool, str]], tail: bytes
) -> None:
    masked = role is Side.SERVER
    stream = b"".join(
        wire_frame(0x81 if text else 0x82, data.encode(), masked) for text, data in payloads
    )
    fast, slow = end_of(role, False, True), end_of(role, False, True)
    fast.receive_data(stream + tail)
    for index in range(len(stream + tail)):
        # A whole frame has two bytes at least.
        slow.receive_data((stream + tail)[index : index + 1])
    assert fast.queue.messages == slow.queue.messages
    assert fast.control_frames == slow.control_frames
    assert str(fast.violation) == str(slow.violation)
    expected = [data if text else data.encode() for text, data in payloads]
    assert list(fast.queue.messages)[: len(expected)] == expected
