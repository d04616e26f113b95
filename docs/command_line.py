"""The help of `python -m ws6455`, in Markdown."""

import contextlib
import io
import os
from collections.abc import Iterator
from unittest.mock import patch

from ws6455.cli.arguments import parse

__all__ = ["COMMANDS", "described"]

COMMANDS = ["connect", "serve", "bench", "run"]


def described() -> Iterator[str]:
    """Yield the parts of the description of every command."""
    yield f"```text\n{help_of([])}\n```"
    for command in COMMANDS:
        yield f"### `python -m ws6455 {command}`"
        yield f"```text\n{help_of([command])}\n```"


def help_of(command: list[str]) -> str:
    """Return what ``--help`` prints, without the usage, which Python's versions wrap each so."""
    output = io.StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "88", "NO_COLOR": "1"}),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        parse([*command, "--help"])
    return output.getvalue().partition("\n\n")[2].strip()
