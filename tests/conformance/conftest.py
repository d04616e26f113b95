"""Fixture for the tests of the runner: scripts that replace other programs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function ``(name, code) -> path`` that creates an executable Python script."""

    def make(name: str, code: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable}\n{code}\n")
        path.chmod(0o755)
        return path

    return make
