"""ws6455.protocol.protocol: what is logged of frames, and how."""

import logging

import pytest

from tests.protocol.peers import (
    ROLES,
    close_from_peer,
    from_peer,
)
from ws6455.framing.frames import CloseCode, Opcode
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.states import Side


@ROLES
def test_b28_each_frame_is_logged_escaped(role: Side, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    protocol = Protocol(role)
    protocol.receive_data(
        from_peer(role, Opcode.TEXT, b"\x1b[2J")
        + from_peer(role, Opcode.TEXT, b"\xe2\x82", fin=False)
        + from_peer(role, Opcode.CONT, b"\xac")
        + from_peer(role, Opcode.PING, b"\x1b")
    )
    protocol.send_text(b"reply")
    protocol.send_ping(b"\x1b")
    protocol.data_to_send()
    protocol.receive_data(close_from_peer(role, 1000, "\x1b[2J"))
    protocol.data_to_send()
    protocol.receive_eof()
    lines = [record.getMessage() for record in caplog.records]
    assert {record.name for record in caplog.records} == {f"ws6455.{role.name.lower()}"}
    assert all(line.isprintable() for line in lines)
    for line in (
        r"< TEXT '\x1b[2J' [4 bytes]",
        "< TEXT '\ufffd' [2 bytes, continued]",
        "< PING 1b [1 byte]",
        "> TEXT 'reply' [5 bytes]",
        "> PONG 1b [1 byte]",
        "> PING 1b [1 byte]",
        r"< CLOSE '1000 (OK) \x1b[2J' [6 bytes]",
        "= connection is CLOSING",
        "< EOF",
        "= connection is CLOSED",
    ):
        assert line in lines


def test_a_violation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Protocol(Side.SERVER).receive_data(b"\x83")
    assert [record.getMessage() for record in caplog.records] == ["! reserved opcode: 0x3"]


def test_nothing_is_logged_above_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    protocol = Protocol(Side.SERVER)
    protocol.receive_data(b"\x83")
    protocol.data_to_send()
    protocol.receive_eof()
    assert caplog.records == []


def test_close_code_names_serve_as_codes() -> None:
    protocol = Protocol(Side.SERVER)
    protocol.send_close(CloseCode.GOING_AWAY)
    assert protocol.data_to_send() == [b"\x88\x02\x03\xe9"]
