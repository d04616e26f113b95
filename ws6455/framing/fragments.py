"""Conversion between an application's messages or fragments and frames.

RFC 6455 §5.4 (fragmentation), §8.1 (UTF-8).
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from ..typing import Data, DataLike
from .frames import Frame, Opcode
from .message_reader import Message

__all__ = [
    "FragmentReader",
    "FragmentWriter",
    "as_bytes",
    "as_text",
    "check_fragments",
    "decoded",
    "whole_message",
]

# Faster than a member of the enumeration, and a tuple is faster than a union of types: both are
# looked up for every message.
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
_MUTABLE = (bytearray, memoryview)


def as_bytes(message: Data) -> bytes:
    """Return a message as bytes."""
    return message.encode() if isinstance(message, str) else message


def as_text(message: Data) -> str:
    """Return a message as a string.

    Raises:
        UnicodeDecodeError: if it is not UTF-8.
    """
    return message if isinstance(message, str) else message.decode()


def whole_message(message: object, text: bool | None) -> tuple[Opcode, bytes] | None:
    """Return the opcode and the payload of an unfragmented message.

    Args:
        message: the message to send.
        text: True sends bytes as Text, False sends a string as Binary.

    Returns:
        None if the message is neither a string nor bytes-like.
    """
    if isinstance(message, str):
        return _BINARY if text is False else _TEXT, message.encode()
    if isinstance(message, bytes):
        return _TEXT if text else _BINARY, message
    if isinstance(message, _MUTABLE):
        return _TEXT if text else _BINARY, bytes(message)
    return None


def decoded(message: Data, decode: bool) -> Data:
    """Return a message as a string if `decode` is True, else as bytes.

    Raises:
        UnicodeDecodeError: if `decode` is True and the message is not UTF-8.
    """
    return as_text(message) if decode else as_bytes(message)


def check_fragments(message: object, iterable: type | tuple[type, ...]) -> None:
    """Check that a message that is neither a string nor bytes-like is an iterable of fragments.

    Args:
        message: the message to send.
        iterable: the accepted types.

    Raises:
        TypeError: if it has another type, or is a mapping: sending its keys would be a mistake.
    """
    if isinstance(message, Mapping) or not isinstance(message, iterable):
        raise TypeError(
            "message must be a string, bytes-like or an iterable of either, "
            f"not {type(message).__name__}"
        )


class FragmentWriter:
    """Checks and converts the fragments of a message to send.

    Args:
        text: True sends bytes as Text, False sends strings as Binary.

    Attributes:
        begun: whether the first fragment has been converted.
    """

    def __init__(self, text: bool | None) -> None:
        self.begun: bool = False
        self._text = text
        self._are_strings = False

    def frame(self, fragment: object) -> tuple[Opcode, bytes]:
        """Return the opcode and the payload of the next fragment.

        Raises:
            TypeError: if the fragment is neither a string nor bytes-like, or is not of the same
                kind as the fragments before it.
        """
        if not isinstance(fragment, DataLike):
            raise TypeError(
                f"fragment must be a string or bytes-like, not {type(fragment).__name__}"
            )
        is_string = isinstance(fragment, str)
        data = fragment.encode() if isinstance(fragment, str) else bytes(fragment)
        if self.begun:
            if is_string is not self._are_strings:
                raise TypeError("all fragments must be of the same kind")
            return Opcode.CONT, data
        self.begun = True
        self._are_strings = is_string
        text = is_string if self._text is None else self._text
        return Opcode.TEXT if text else Opcode.BINARY, data


class FragmentReader:
    """Decodes the fragments of a message as they arrive.

    Args:
        decode: True returns strings, False returns bytes, None follows the message's opcode.

    Attributes:
        has_begun: whether a fragment has been decoded.
        has_ended: whether the final fragment has been decoded.
    """

    def __init__(self, decode: bool | None) -> None:
        self.has_begun: bool = False
        self.has_ended: bool = False
        self._decode = decode
        self._decoder: codecs.IncrementalDecoder | None = None

    def data(self, fragment: Message) -> Data:
        """Return the payload of a fragment, or of a whole message.

        A character that is split between two fragments is returned with the second.

        Raises:
            UnicodeDecodeError: if `decode` is True and a Binary message is not UTF-8.
        """
        self.has_begun = True
        self.has_ended = not isinstance(fragment, Frame) or fragment.fin
        if not isinstance(fragment, Frame):
            if self._decode is None:
                return fragment
            return as_text(fragment) if self._decode else as_bytes(fragment)
        is_text = fragment.opcode is Opcode.TEXT if self._decode is None else self._decode
        if fragment.opcode is not Opcode.CONT and is_text:
            self._decoder = codecs.getincrementaldecoder("utf-8")()
        if self._decoder is None:
            return fragment.data
        return self._decoder.decode(fragment.data, fragment.fin)
