"""Conversion of untrusted text for a terminal: control characters are replaced."""

from __future__ import annotations

__all__ = ["one_line", "printable"]

_JOINER = "\N{ZERO WIDTH JOINER}"  # within an emoji
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Replace non-printable characters, except line breaks and tabs, with U+FFFD."""
    return _replace_others(text, "\n\t" + _JOINER)


def one_line(text: str) -> str:
    """Replace non-printable characters, including line breaks and tabs, with U+FFFD."""
    return _replace_others(text, _JOINER)


def _replace_others(text: str, kept: str) -> str:
    return "".join(c if c.isprintable() or c in kept else _REPLACEMENT for c in text)
