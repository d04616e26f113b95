"""Autobahn's ``wstest`` command: found on this machine, or made once in the user's cache.

wstest needs Python 2.7, so it lives in a user base of its own (``PYTHONUSERBASE``), a folder that
can be moved: it is filled aside and renamed when it is whole. Of two runs that fill one at once,
the first to finish gives it its name and the other takes that one.
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

# Seconds for a program to say whether it works, and for pip to fetch and compile everything.
_PROBE_TIMEOUT = 30.0
_INSTALL_TIMEOUT = 900.0

# Succeeds in a Python 2.7 that has pip and honours PYTHONUSERBASE.
_PROBE = (
    "import sys, site, pip; sys.exit(sys.version_info[:2] != (2, 7) or not site.ENABLE_USER_SITE)"
)


class WstestMissing(Exception):
    """There is no wstest and none could be made; the text says what to install."""


@dataclass(frozen=True)
class Wstest:
    """The command line and the environment that run wstest."""

    argv: tuple[str, ...]
    env: dict[str, str]


async def find(report: Path) -> Wstest:
    """Find wstest, or make it, for a run that keeps its files under ``report``.

    It is, in this order, what ``$WSTEST`` names, the ``wstest`` on the PATH, the module installed
    for a Python 2.7 (on the PATH or among pyenv's), Docker's image.

    Raises:
        WstestMissing: no way is open on this machine, or the installation failed.

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
    """Give this process's environment without what would mislead a Python 2.7."""
    misleading = {"PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE"}
    env = {name: value for name, value in os.environ.items() if name not in misleading}
    return env | {"PYTHONUNBUFFERED": "1"}  # The case being run is read from wstest's output.


def _pythons() -> Iterator[str]:
    """Give what may be a Python 2.7: a pyenv shim on the PATH, for one, may only complain."""
    if found := shutil.which("python2.7"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in sorted(pyenv.glob("versions/2.7*/bin/python2.7"), reverse=True):
        yield str(python)


async def _installed(python: str, env: dict[str, str]) -> Wstest:
    """Give the wstest installed for ``python``, installing it when this is the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ws6455"
    # Another interpreter or other pins make another folder: compiled modules fit one build only.
    key = hashlib.sha256(python.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:12]
    base = cache / f"autobahn-{key}"
    if not base.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"Installing wstest in {base} (once, under a minute) ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as aside:
            await _install(python, env, Path(aside), base)
    return Wstest((python, "-m", "autobahntestsuite.wstest"), env | {"PYTHONUSERBASE": str(base)})


async def _install(python: str, env: dict[str, str], aside: Path, base: Path) -> None:
    """Fill a folder in ``aside`` and name it ``base``."""
    pip = [python, "-m", "pip", "install", "--user", "--ignore-installed", "--no-deps"]
    filled, log = aside / "base", aside / "pip.log"
    status = await run(
        [*pip, "--requirement", str(REQUIREMENTS)],
        env | {"PYTHONUSERBASE": str(filled)},
        log,
        _INSTALL_TIMEOUT,
    )
    if status != 0:
        kept = base.with_suffix(".log")
        log.replace(kept)
        raise WstestMissing(
            f"wstest could not be installed for {python} (it needs PyPI and a C compiler): "
            f"{last_line(kept)} (all of it in {kept})"
        )
    try:
        filled.rename(base)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # Another run has finished first.
            raise


def _in_docker(docker: str, env: dict[str, str], report: Path) -> Wstest:
    """Run the image on this machine's network, with ``report`` at the same path inside."""
    return Wstest(
        (
            *(docker, "run", "--rm", "--init", "--network=host"),
            f"--user={os.getuid()}:{os.getgid()}",
            *("--env=PYTHONUNBUFFERED=1", f"--volume={report}:{report}"),
            *(DOCKER_IMAGE, "wstest"),
        ),
        env,
    )
