"""Compilation of this package's C sources on first use; programs are kept in the user's cache."""

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

_COMPILERS = ("cc", "gcc", "clang")


class CompilerFailed(Exception):
    """The C compiler is missing, or it rejects a source; the text gives the reason."""


def program(source: Path) -> Path:
    """Return the path of the compiled program of `source`, which is compiled if necessary.

    Raises:
        CompilerFailed: the source cannot be compiled.
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
    # Rename the finished program into place, so that other processes never see a partial one.
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
    """Return the compiler command: $CC with its arguments, or the first compiler found."""
    given = shlex.split(os.environ.get("CC", ""))
    for command in [given] if given else [[name] for name in _COMPILERS]:
        if shutil.which(command[0]):
            return command
    missing = given[0] if given else ", ".join(_COMPILERS)
    raise CompilerFailed(
        f"the load generator needs a C compiler, and {missing} is not installed; "
        "on Debian: apt-get install gcc libc6-dev"
    )
