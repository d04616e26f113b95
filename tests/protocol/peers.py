"""The peer of a protocol: what it sends, and how it reads the answers."""

import pytest

from ws6455.framing.frames import Close, Frame, Opcode
from ws6455.protocol.protocol import SEND_EOF, Protocol
from ws6455.protocol.states import Side

ROLES = pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
LEGAL_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def from_peer(role: Side, opcode: Opcode, data: bytes = b"", fin: bool = True) -> bytes:
    """Build a frame as this end's peer sends it."""
    return Frame(opcode, data, fin).serialize(mask=role is Side.SERVER)


def close_from_peer(role: Side, code: int | None = 1000, reason: str = "") -> bytes:
    data = b"" if code is None else code.to_bytes(2, "big") + reason.encode()
    return from_peer(role, Opcode.CLOSE, data)


def frames_of(role: Side, writes: list[bytes]) -> list[Frame | None]:
    """Read what an end has sent; None is the end of its sending."""
    reader = Protocol(Side.CLIENT if role is Side.SERVER else Side.SERVER, max_size=None)
    frames: list[Frame | None] = []
    for write in writes:
        if write == SEND_EOF:
            frames.append(None)
            continue
        reader.receive_data(write)
        assert reader.violation is None
        frames += [event for event in reader.events_received() if isinstance(event, Frame)]
    return frames


def sent_by(protocol: Protocol) -> list[Frame | None]:
    return frames_of(protocol.side, protocol.data_to_send())


def closing(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())


def expected_end(role: Side) -> list[None]:
    """§7.1.1: the server closes TCP first."""
    return [None] if role is Side.SERVER else []
