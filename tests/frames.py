"""Frames that many tests send and expect."""

from ws6455 import Close, Frame, Opcode


def text(message: str, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, message.encode(), fin)


def ping(data: bytes) -> Frame:
    return Frame(Opcode.PING, data)


def pong(data: bytes) -> Frame:
    return Frame(Opcode.PONG, data)


def close(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())
