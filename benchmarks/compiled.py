"""Compile a C source of this package at its first use, and keep the program in the user's cache."""

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

_COMPILERS = ("cc", "gcc", "clang")


class CompilerFailed(Exception):
    """There is no C compiler, or it refuses a source; the text says which."""


def program(source: Path) -> Path:
    """Give the path of the program that a source compiles to.

    Raises:
        CompilerFailed: it is not compiled yet, and cannot be.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ws6455"
    path = cache / f"{source.stem}-{digest}"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _compile(source, path)
    return path


def _compile(source: Path, path: Path) -> None:
    command = _compiler()
    # Whoever else looks for the program meanwhile finds it whole, or not yet.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        done = subprocess.run(
            [*command, "-O2", "-o", str(made), str(source)], capture_output=True, text=True
        )
        if done.returncode:
            raise CompilerFailed(
                f"{shlex.join(command)} cannot compile {source.name}:\n{done.stderr}"
            )
        made.replace(path)


def _compiler() -> list[str]:
    """Find the compiler: what $CC says, arguments and all, or the first that there is."""
    given = shlex.split(os.environ.get("CC", ""))
    for command in [given] if given else [[name] for name in _COMPILERS]:
        if shutil.which(command[0]):
            return command
    missing = given[0] if given else ", ".join(_COMPILERS)
    raise CompilerFailed(
        f"the load generator needs a C compiler, and {missing} is not there; "
        "on Debian: apt-get install gcc libc6-dev"
    )
