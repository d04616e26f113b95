"""A message, or its fragments, as an application gives and takes them.

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

# Testing for a union of types costs more.
_BYTES_LIKE = (bytes, bytearray, memoryview)


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
    """Return the opcode and the payload of a message that is not given in fragments.

    Args:
        message: what to send.
        text: True sends bytes as Text, False a string as Binary.

    Returns:
        None if the message is neither a string nor bytes-like.
    """
    if isinstance(message, str):
        return Opcode.BINARY if text is False else Opcode.TEXT, message.encode()
    if isinstance(message, _BYTES_LIKE):
        return Opcode.TEXT if text else Opcode.BINARY, bytes(message)
    return None


def decoded(message: Data, decode: bool) -> Data:
    """Return a message as a string or, unless it is to be decoded, as bytes.

    Raises:
        UnicodeDecodeError: if it is to be decoded and is not UTF-8.
    """
    return as_text(message) if decode else as_bytes(message)


def check_fragments(message: object, iterable: type | tuple[type, ...]) -> None:
    """Check that what is neither a string nor bytes-like can be fragments of a message.

    Args:
        message: what to send.
        iterable: what it may be.

    Raises:
        TypeError: if it is something else, or a mapping, whose keys nobody means to send.
    """
    if isinstance(message, Mapping) or not isinstance(message, iterable):
        raise TypeError(
            "message must be a string, bytes-like or an iterable of either, "
            f"not {type(message).__name__}"
        )


class FragmentWriter:
    """Checks the fragments of a message that is being sent.

    Args:
        text: True sends bytes as Text, False strings as Binary.

    Attributes:
        begun: whether there was a fragment.
    """

    def __init__(self, text: bool | None) -> None:
        self.begun = False
        self._text = text
        self._strings = False

    def frame(self, fragment: object) -> tuple[Opcode, bytes]:
        """Return the opcode and the payload of the next fragment.

        Raises:
            TypeError: if it is neither a string nor bytes-like, or not of the same kind as
                those before.
        """
        if not isinstance(fragment, DataLike):
            raise TypeError(
                f"fragment must be a string or bytes-like, not {type(fragment).__name__}"
            )
        is_string = isinstance(fragment, str)
        data = fragment.encode() if isinstance(fragment, str) else bytes(fragment)
        if self.begun:
            if is_string is not self._strings:
                raise TypeError("all fragments must be of the same kind")
            return Opcode.CONT, data
        self.begun = True
        self._strings = is_string
        text = is_string if self._text is None else self._text
        return Opcode.TEXT if text else Opcode.BINARY, data


class FragmentReader:
    """Decodes the fragments of a message as they come.

    Args:
        decode: True gives strings, False gives bytes, None goes by the message's opcode.

    Attributes:
        has_begun: whether there was a fragment.
        has_ended: whether that was the message's last.
    """

    def __init__(self, decode: bool | None) -> None:
        self.has_begun = self.has_ended = False
        self._decode = decode
        self._decoder: codecs.IncrementalDecoder | None = None

    def data(self, fragment: Message) -> Data:
        """Return what a fragment, or a whole message, holds.

        A character that a fragment cuts in two comes with the second.

        Raises:
            UnicodeDecodeError: if a Binary message is to be decoded and is not UTF-8.
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
