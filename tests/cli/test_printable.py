"""ws6455.cli.printable: untrusted text for a terminal."""

import pytest

from ws6455.cli.printable import one_line, printable


@pytest.mark.parametrize("text", ["", "plain text", "Grüße, 世界", "\N{WAVING HAND SIGN}", "~ !"])
def test_printable_text_stays(text: str) -> None:
    assert printable(text) == one_line(text) == text


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\x07",
        "\b",
        "\r",
        "\x1b",
        "\x7f",
        "\x9b",  # the control sequence introducer of 8 bits
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "\N{ZERO WIDTH SPACE}",
        "\N{LINE SEPARATOR}",
        "\ud800",
        "\ue000",  # private use
    ],
    ids=ascii,
)
def test_what_could_steer_the_terminal_is_replaced(character: str) -> None:
    for convert in (printable, one_line):
        assert convert(f"a{character}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_line_breaks_and_tabs_stay_where_several_lines_may() -> None:
    assert printable("a\n\tb") == "a\n\tb"
    assert one_line("a\n\tb") == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"


def test_an_emoji_of_several_characters_stays_whole() -> None:
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    assert printable(family) == one_line(family) == family
