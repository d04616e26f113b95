"""ws6455.protocol.protocol: the four states (RFC 6455 §4.1, §7.1), and what is on by default."""

import itertools

import pytest

from ws6455.exceptions import (
    InvalidState,
)
from ws6455.protocol.protocol import MAX_FRAGMENTS, MAX_SIZE, Protocol
from ws6455.protocol.states import Side, State

LEGAL_STEPS = {
    (State.CONNECTING, State.OPEN),
    (State.CONNECTING, State.CLOSED),
    (State.OPEN, State.CLOSING),
    (State.OPEN, State.CLOSED),
    (State.CLOSING, State.CLOSED),
}


@pytest.mark.parametrize(("start", "end"), [*itertools.product(State, State)])
def test_every_step_between_states(start: State, end: State) -> None:
    protocol = Protocol(Side.SERVER, state=start)
    if (start, end) in LEGAL_STEPS:
        protocol.state = end
        assert protocol.state is end
    else:
        with pytest.raises(InvalidState, match=f"from {start.name} to {end.name}"):
            protocol.state = end
        assert protocol.state is start


def test_the_opening_handshake_is_not_this_class_s_matter() -> None:
    with pytest.raises(InvalidState):
        Protocol(Side.SERVER, state=State.CONNECTING).receive_data(b"GET")


def test_a_connection_has_one_identity() -> None:
    first, second = Protocol(Side.SERVER), Protocol(Side.SERVER)
    assert first.id == first.id != second.id
    assert first.id.version == 4


def test_limits_are_on_by_default() -> None:
    protocol = Protocol(Side.SERVER)
    assert protocol.max_message_size == MAX_SIZE == 1 << 20
    assert MAX_FRAGMENTS == 4096
