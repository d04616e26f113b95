"""Turns a docstring (Google style, with Sphinx roles) into Markdown."""

import ast
import contextlib
import re
import textwrap
from collections.abc import Callable

__all__ = ["markdown"]

SECTIONS = {
    "Args": "Arguments",
    "Attributes": "Attributes",
    "Raises": "Raises",
    "Returns": "Returns",
    "Yields": "Yields",
}

Link = Callable[[str], str]


def markdown(docstring: str, link: Link) -> str:
    """Return a docstring in Markdown.

    Args:
        docstring: without its indentation.
        link: makes of a name in a role, such as ``Connection.recv``, a link or code.
    """
    blocks = []
    lines = docstring.splitlines()
    while lines:
        heading = re.fullmatch(r"(\w+):", lines[0])
        if heading and heading[1] in SECTIONS:
            body, lines = indented(lines[1:])
            blocks.append(section(heading[1], textwrap.dedent("\n".join(body)), link))
        elif lines[0].startswith(" "):
            body, lines = indented(lines)
            blocks.append(code(body))
        else:
            count = next((at for at, line in enumerate(lines) if ends(line)), len(lines) - 1) + 1
            text = "\n".join(lines[:count]).strip()
            lines = lines[count:]
            blocks.append(inline(re.sub("::$", ":", text), link))
    return "\n\n".join(block for block in blocks if block)


def ends(line: str) -> bool:
    """Return whether a line is a paragraph's last."""
    return not line or line.endswith("::")


def indented(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the indented lines at the beginning, and the rest."""
    count = 0
    while count < len(lines) and (not lines[count] or lines[count].startswith(" ")):
        count += 1
    return lines[:count], lines[count:]


def section(name: str, body: str, link: Link) -> str:
    """Return a section: a list of what has a name, or a text."""
    if name in ("Returns", "Yields"):
        return f"**{SECTIONS[name]}** {inline(' '.join(body.split()), link)}"
    items = re.split(r"\n(?=\S)", body.strip())
    return "\n".join([f"**{SECTIONS[name]}**\n", *(item(name, text, link) for text in items)])


def item(section: str, text: str, link: Link) -> str:
    """Return one argument, attribute or error of a section."""
    names, _, description = " ".join(text.split()).partition(": ")
    shown = (
        link(name) if section == "Raises" else f"`{name}`" for name in names.rstrip(":").split(", ")
    )
    return f"- {', '.join(shown)}: {inline(description, link)}"


def inline(text: str, link: Link) -> str:
    """Return a text with its roles as links and its literals as code."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", lambda match: link(match[1]), text)
    return re.sub(r"``([^`]+)``", lambda match: f"`{' '.join(match[1].split())}`", text)


def code(lines: list[str]) -> str:
    """Return an example as a block of code."""
    text = textwrap.dedent("\n".join(lines)).strip()
    return f"```{'python' if is_python(text) else 'sh'}\n{text}\n```"


def is_python(text: str) -> bool:
    """Return whether a text is Python: a coroutine's statements, or a function's decorators."""
    body = textwrap.indent(text, "    ")
    for program in (f"async def example():\n{body}", f"{text}\ndef example(): ..."):
        with contextlib.suppress(SyntaxError):
            ast.parse(program)
            return True
    return False
