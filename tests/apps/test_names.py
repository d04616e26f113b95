"""apps.names: valid and invalid names."""

import pytest

from apps.names import clean_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice", "Alice"),
        ("  Alice \t\n", "Alice"),
        ("Zoe\u0308", "Zo\u00eb"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("<img onerror=alert(1)>", "<img onerror=alert(1)>"),
        ("x" * 64, "x" * 64),
        ("e\u0301" * 64, "\u00e9" * 64),
        ("x" * 65, None),
        ("", None),
        (" \t\n\u2003", None),
        ("Al\x00ice", None),
        ("Al\nice", None),
        ("Al\x1b[31mice", None),
        ("Al\x85ice", None),
        ("Al\u2028ice", None),
        ("Al\u202eice", None),
        ("\u2066Alice\u2069", None),
        ("Alice\u200f", None),
    ],
)
def test_clean_name(text: str, name: str | None) -> None:
    assert clean_name(text) == name
