"""What counts as a person's name: text that is safe to show in any terminal and page."""

import unicodedata

LONGEST_NAME = 64  # characters

# Marks that reorder the text around them, so that a name could pass for something else.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

# Control characters, lone surrogates, and what breaks a line.
REFUSED_CATEGORIES = frozenset(("Cc", "Cs", "Zl", "Zp"))


def clean_name(text: str) -> str | None:
    """Give `text` trimmed and in Unicode's NFC form, or None if it is no name.

    A name has 1 to 64 characters, none of which is a control or bidi character.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST_NAME:
        return None
    for character in name:
        if character in BIDI_CONTROLS or unicodedata.category(character) in REFUSED_CATEGORIES:
            return None
    return name
