"""What stands for the `keyboard` package, which needs root: a line typed is a key pressed."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import sys


def wait(hotkey):
    """Return when the key is pressed."""
    while line := sys.stdin.readline():
        if line.strip() == hotkey:
            return
    raise EOFError("no more keys")
