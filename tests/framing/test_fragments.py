"""ws6455.framing.fragments: messages and fragments to frames, and back (RFC 6455 §5.4, §8.1)."""

from collections import OrderedDict
from typing import Any

import pytest

from ws6455.framing.fragments import (
    FragmentReader,
    FragmentWriter,
    check_fragments,
    decoded,
    whole_message,
)
from ws6455.framing.frames import Frame, Opcode

ACCENTED = "é".encode()


@pytest.mark.parametrize(
    ("message", "text", "expected"),
    [
        ("é", None, (Opcode.TEXT, ACCENTED)),
        ("é", True, (Opcode.TEXT, ACCENTED)),
        ("é", False, (Opcode.BINARY, ACCENTED)),
        (b"\xff", None, (Opcode.BINARY, b"\xff")),
        (b"\xff", False, (Opcode.BINARY, b"\xff")),
        (b"abc", True, (Opcode.TEXT, b"abc")),
        (bytearray(b"abc"), None, (Opcode.BINARY, b"abc")),
        (memoryview(b"abcdef")[::2], None, (Opcode.BINARY, b"ace")),
        ("", None, (Opcode.TEXT, b"")),
        (b"", None, (Opcode.BINARY, b"")),
        (["a"], None, None),
        (5, None, None),
        (None, None, None),
    ],
)
def test_a_whole_message(
    message: object, text: bool | None, expected: tuple[Opcode, bytes] | None
) -> None:
    assert whole_message(message, text) == expected


def test_the_payload_is_a_copy_that_the_application_cannot_change() -> None:
    buffer = bytearray(b"abc")
    message = whole_message(buffer, None)
    buffer[:] = b"xyz"
    assert message == (Opcode.BINARY, b"abc")


def test_decoded() -> None:
    assert decoded("é", True) == decoded(ACCENTED, True) == "é"
    assert decoded("é", False) == decoded(ACCENTED, False) == ACCENTED
    assert decoded(b"\xff", False) == b"\xff"
    with pytest.raises(UnicodeDecodeError):
        decoded(b"\xff", True)


@pytest.mark.parametrize("message", [{"a": 1}, OrderedDict(a=1), 5, None, object()])
def test_no_mapping_and_nothing_else_than_an_iterable_is_a_message(message: object) -> None:
    name = type(message).__name__
    with pytest.raises(TypeError, match=f"message must be a string, .*, not {name}"):
        check_fragments(message, (list, dict))


def test_the_front_end_decides_which_iterables_are_accepted() -> None:
    check_fragments(["a"], list)
    check_fragments(("a",), (list, tuple))
    with pytest.raises(TypeError, match="not tuple"):
        check_fragments(("a",), list)


# Sending ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fragments", "text", "opcode"),
    [
        (["a", "é"], None, Opcode.TEXT),
        (["a", "é"], False, Opcode.BINARY),
        ([b"a", bytearray(ACCENTED)], None, Opcode.BINARY),
        ([b"a", memoryview(ACCENTED)], True, Opcode.TEXT),
    ],
)
def test_the_first_fragment_has_the_opcode_and_the_others_continue(
    fragments: list[object], text: bool | None, opcode: Opcode
) -> None:
    writer = FragmentWriter(text)
    assert not writer.begun
    assert writer.frame(fragments[0]) == (opcode, b"a")
    assert writer.begun
    assert writer.frame(fragments[1]) == (Opcode.CONT, ACCENTED)


@pytest.mark.parametrize("fragments", [["a", b"b"], [b"a", "b"]])
def test_fragments_are_of_one_kind(fragments: list[object]) -> None:
    writer = FragmentWriter(None)
    writer.frame(fragments[0])
    with pytest.raises(TypeError, match="same kind"):
        writer.frame(fragments[1])


@pytest.mark.parametrize("wrong", [1, None, ["a"], {"a": 1}])
def test_a_wrong_first_fragment_does_not_begin_the_message(wrong: Any) -> None:
    writer = FragmentWriter(None)
    with pytest.raises(TypeError, match=f"fragment must be .*, not {type(wrong).__name__}"):
        writer.frame(wrong)
    assert not writer.begun
    assert writer.frame(b"a") == (Opcode.BINARY, b"a")


def test_a_string_that_utf8_cannot_encode_does_not_begin_the_message() -> None:
    writer = FragmentWriter(None)
    with pytest.raises(UnicodeEncodeError):
        writer.frame("\ud800")
    assert not writer.begun


# Receiving --------------------------------------------------------------------------------


def read(reader: FragmentReader, opcode: Opcode, *parts: bytes) -> list[str | bytes]:
    """Read a fragmented message."""
    received = []
    for number, part in enumerate(parts):
        assert not reader.has_ended
        fin = number == len(parts) - 1
        received.append(reader.data(Frame(opcode if number == 0 else Opcode.CONT, part, fin)))
        assert reader.has_begun
    assert reader.has_ended
    return received


@pytest.mark.parametrize(
    ("opcode", "decode", "expected"),
    [
        (Opcode.TEXT, None, ["a", "é", "b"]),
        (Opcode.TEXT, True, ["a", "é", "b"]),
        (Opcode.TEXT, False, [b"a" + ACCENTED[:1], ACCENTED[1:], b"b"]),
        (Opcode.BINARY, None, [b"a" + ACCENTED[:1], ACCENTED[1:], b"b"]),
        (Opcode.BINARY, True, ["a", "é", "b"]),
        (Opcode.BINARY, False, [b"a" + ACCENTED[:1], ACCENTED[1:], b"b"]),
    ],
)
def test_a_split_character_comes_with_the_fragment_that_completes_it(
    opcode: Opcode, decode: bool | None, expected: list[str | bytes]
) -> None:
    parts = (b"a" + ACCENTED[:1], ACCENTED[1:], b"b")
    assert read(FragmentReader(decode), opcode, *parts) == expected


@pytest.mark.parametrize("parts", [(b"\xff", b""), (ACCENTED[:1], b""), (ACCENTED[:1], b"x")])
def test_binary_that_is_no_utf8_cannot_be_decoded(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(UnicodeDecodeError):
        read(FragmentReader(True), Opcode.BINARY, *parts)


@pytest.mark.parametrize(
    ("message", "decode", "expected"),
    [
        ("é", None, "é"),
        ("é", True, "é"),
        ("é", False, ACCENTED),
        (ACCENTED, None, ACCENTED),
        (ACCENTED, True, "é"),
        (ACCENTED, False, ACCENTED),
    ],
)
def test_a_whole_message_is_its_only_fragment(
    message: str | bytes, decode: bool | None, expected: str | bytes
) -> None:
    reader = FragmentReader(decode)
    assert not reader.has_begun
    assert reader.data(message) == expected
    assert reader.has_begun
    assert reader.has_ended
