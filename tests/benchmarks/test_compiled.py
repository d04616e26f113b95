"""benchmarks.compiled: sources are compiled once, and errors are reported."""

import os
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.compiled import program
from benchmarks.load import CompilerFailed, Message

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "cache" / "ws6455"


def source_of(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "made.c"
    path.write_text(code)
    return path


def test_a_source_is_compiled_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(tmp_path, "int main(void) { return 0; }")
    made = program(source)
    monkeypatch.setenv("PATH", "")
    assert program(source) == made
    assert list(cache.iterdir()) == [made]
    assert os.access(made, os.X_OK)
    source_of(tmp_path, "int main(void) { return 1; }")
    with pytest.raises(CompilerFailed, match="cc, gcc, clang is not installed"):
        program(source)


def test_a_compiler_that_is_not_there_is_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -pipe")
    with pytest.raises(CompilerFailed, match=r"no-such-compiler is not installed; .*apt-get"):
        load.echo(1, 1, 1, 0.1, Message(1))


def test_a_source_that_does_not_compile_is_an_error(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CompilerFailed, match=r"(?s)cannot compile made\.c:.*error"):
        program(source_of(tmp_path, "int main(void) { return"))
    assert list(cache.iterdir()) == []
