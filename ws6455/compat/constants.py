"""Constants under every name that `websockets` has had for them.

RFC 6455 §4.1 (states), §5.2 (opcodes), §7.4 (close codes).
"""

from __future__ import annotations

from ..framing.frames import CloseCode, Opcode
from ..protocol.states import Side, State

CONT, TEXT, BINARY, CLOSE, PING, PONG = Opcode
OP_CONT, OP_TEXT, OP_BINARY, OP_CLOSE, OP_PING, OP_PONG = Opcode
DATA_OPCODES = CONT, TEXT, BINARY
CTRL_OPCODES = CLOSE, PING, PONG

SERVER, CLIENT = Side
CONNECTING, OPEN, CLOSING, CLOSED = State

# Codes with which a connection has closed as it should, and codes that may stand in a frame.
OK_CLOSE_CODES = {
    CloseCode.NORMAL_CLOSURE,
    CloseCode.GOING_AWAY,
    CloseCode.NO_STATUS_RCVD,
}
EXTERNAL_CLOSE_CODES = set(CloseCode) - {
    CloseCode.NO_STATUS_RCVD,
    CloseCode.ABNORMAL_CLOSURE,
    CloseCode.TLS_HANDSHAKE,
}

# What each close code means.
CLOSE_CODES = CLOSE_CODE_EXPLANATIONS = {
    code: code.name.lower().replace("_", " ") for code in CloseCode
}
