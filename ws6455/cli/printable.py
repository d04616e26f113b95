"""Text from elsewhere, made safe for a terminal: nothing in it can steer what shows it."""

from __future__ import annotations

__all__ = ["one_line", "printable"]

_JOINER = "\N{ZERO WIDTH JOINER}"  # within an emoji
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return text with its line breaks and tabs, and U+FFFD for what else is not printed."""
    return _replaced(text, "\n\t" + _JOINER)


def one_line(text: str) -> str:
    """Return text with U+FFFD for everything that is not printed."""
    return _replaced(text, _JOINER)


def _replaced(text: str, kept: str) -> str:
    return "".join(c if c.isprintable() or c in kept else _REPLACEMENT for c in text)
