"""Autobahn's ``wstest`` command: found on this machine, or installed in the user's cache.

wstest needs Python 2.7, so it is installed in its own user base (``PYTHONUSERBASE``). Such a folder
can be moved: it is filled under a temporary name and renamed when complete. If two runs install at
the same time, the first to finish renames its folder and the other one uses that folder.
"""

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .processes import last_line, run

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
DOCKER_IMAGE = "crossbario/autobahn-testsuite"

# Seconds for a probe of a program, and for pip to download and compile everything.
_PROBE_TIMEOUT = 30.0
_INSTALL_TIMEOUT = 900.0

# Succeeds in a Python 2.7 that has pip and honours PYTHONUSERBASE.
_PROBE = (
    "import sys, site, pip; sys.exit(sys.version_info[:2] != (2, 7) or not site.ENABLE_USER_SITE)"
)


class WstestMissing(Exception):
    """wstest was not found and could not be installed; the text says what is needed."""


@dataclass(frozen=True)
class Wstest:
    """Command line and environment of wstest."""

    argv: tuple[str, ...]
    env: dict[str, str]


async def find(report: Path) -> Wstest:
    """Find or install wstest for a run that keeps its files under ``report``.

    These are tried in order: the program named by ``$WSTEST``, ``wstest`` on the PATH, the module
    installed for a Python 2.7 (on the PATH or of pyenv), the Docker image.

    Raises:
        WstestMissing: none of these is available, or the installation failed.

    """
    env = _environment()
    if named := os.environ.get("WSTEST"):
        if (path := shutil.which(named)) is None:
            raise WstestMissing(f"WSTEST names {named}, which is not a program")
        return Wstest((path,), env)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "probe.log")
        found = shutil.which("wstest")
        if found and await run([found, "--autobahnversion"], env, log, _PROBE_TIMEOUT) == 0:
            return Wstest((found,), env)
        for python in _pythons():
            if await run([python, "-c", _PROBE], env, log, _PROBE_TIMEOUT) == 0:
                return await _installed(python, env)
        docker = shutil.which("docker")
        if docker and await run([docker, "info"], env, log, _PROBE_TIMEOUT) == 0:
            return _in_docker(docker, env, report)
    raise WstestMissing(
        "Autobahn's wstest needs one of these: Python 2.7 with pip (pyenv install 2.7.18), "
        "Docker, or wstest itself (on the PATH or named by WSTEST)"
    )


def _environment() -> dict[str, str]:
    """Return this process's environment without variables that would break Python 2.7."""
    misleading = {"PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE"}
    env = {name: value for name, value in os.environ.items() if name not in misleading}
    return env | {"PYTHONUNBUFFERED": "1"}  # Progress is read from wstest's output.


def _pythons() -> Iterator[str]:
    """Yield candidates for Python 2.7; one of them may be a pyenv shim that does not work."""
    if found := shutil.which("python2.7"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in sorted(pyenv.glob("versions/2.7*/bin/python2.7"), reverse=True):
        yield str(python)


async def _installed(python: str, env: dict[str, str]) -> Wstest:
    """Return the wstest installed for ``python``; install it on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ws6455"
    # One folder per interpreter and set of pins: compiled modules work with one build only.
    key = hashlib.sha256(python.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:12]
    base = cache / f"autobahn-{key}"
    if not base.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"Installing wstest in {base} (once, under a minute) ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as folder:
            await _install(python, env, Path(folder), base)
    return Wstest((python, "-m", "autobahntestsuite.wstest"), env | {"PYTHONUSERBASE": str(base)})


async def _install(python: str, env: dict[str, str], folder: Path, base: Path) -> None:
    """Install in a folder below ``folder``, then rename that one to ``base``."""
    pip = [python, "-m", "pip", "install", "--user", "--ignore-installed", "--no-deps"]
    unfinished, log = folder / "base", folder / "pip.log"
    status = await run(
        [*pip, "--requirement", str(REQUIREMENTS)],
        env | {"PYTHONUSERBASE": str(unfinished)},
        log,
        _INSTALL_TIMEOUT,
    )
    if status != 0:
        kept = base.with_suffix(".log")
        log.replace(kept)
        raise WstestMissing(
            f"wstest could not be installed for {python} (it needs PyPI and a C compiler): "
            f"{last_line(kept)} (full log: {kept})"
        )
    try:
        unfinished.rename(base)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # Another run finished first.
            raise


def _in_docker(docker: str, env: dict[str, str], report: Path) -> Wstest:
    """Return the Docker command: host network, ``report`` mounted at the same path."""
    return Wstest(
        (
            *(docker, "run", "--rm", "--init", "--network=host"),
            f"--user={os.getuid()}:{os.getgid()}",
            *("--env=PYTHONUNBUFFERED=1", f"--volume={report}:{report}"),
            *(DOCKER_IMAGE, "wstest"),
        ),
        env,
    )
