"""Text from elsewhere, made safe for a terminal: nothing in it can steer what shows it.

Floor 7.
"""

from __future__ import annotations

__all__ = ["one_line", "printable"]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return text with its line breaks and tabs, and U+FFFD for what else is not printed."""
    return "".join(c if c.isprintable() or c in "\n\t" else _REPLACEMENT for c in text)


def one_line(text: str) -> str:
    """Return text with U+FFFD for everything that is not printed."""
    return "".join(c if c.isprintable() else _REPLACEMENT for c in text)
