"""Validation of names: text that is safe to show in any terminal and on any page."""

import unicodedata

LONGEST_NAME = 64  # characters

# These reorder the text around them, so a name could be made to look like another one.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

# Control characters, lone surrogates, line and paragraph separators.
REFUSED_CATEGORIES = frozenset(("Cc", "Cs", "Zl", "Zp"))


def clean_name(text: str) -> str | None:
    """Return `text` trimmed and in Unicode's NFC form, or None if it is not a valid name.

    A name has 1 to 64 characters and contains no control or bidi characters.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST_NAME:
        return None
    for character in name:
        if character in BIDI_CONTROLS or unicodedata.category(character) in REFUSED_CATEGORIES:
            return None
    return name
