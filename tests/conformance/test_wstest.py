"""Search order and installation of wstest."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import wstest
from conformance.wstest import Wstest, WstestMissing, find

Script = Callable[[str, str], Path]

# A fake Python 2.7 with pip: the probe succeeds, the installation creates a file.
PYTHON = """
import os, pathlib, sys
if sys.argv[1] == "-m":
    base = pathlib.Path(os.environ["PYTHONUSERBASE"])
    base.mkdir()
    (base / "wstest").write_text("installed by " + sys.argv[0])
"""

# The same with an installation that fails half-way.
BROKEN = (
    PYTHON
    + """
    print("ERROR: No matching distribution")
    sys.exit(1)
"""
)

USELESS = "import sys; sys.exit(127)"


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide all installed programs except those that a test creates."""
    monkeypatch.delenv("WSTEST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def pyenv_python(script: Script, tmp_path: Path) -> Path:
    path = tmp_path / "pyenv/versions/2.7.18/bin/python2.7"
    path.parent.mkdir(parents=True)
    return script("pyenv-python2.7", PYTHON).rename(path)


def installed(found: Wstest) -> list[str]:
    return os.listdir(found.env["PYTHONUSERBASE"])


async def test_what_wstest_names_comes_first(
    monkeypatch: pytest.MonkeyPatch, script: Script, tmp_path: Path
) -> None:
    script("wstest", "")
    mine = script("mine", "")
    monkeypatch.setenv("WSTEST", str(mine))
    assert (await find(tmp_path)).argv == (str(mine),)


async def test_a_name_in_wstest_that_is_no_program_is_an_error(
    monkeypatch: pytest.MonkeyPatch, script: Script, tmp_path: Path
) -> None:
    script("wstest", "")
    monkeypatch.setenv("WSTEST", str(tmp_path / "absent"))
    with pytest.raises(WstestMissing, match="absent, which is not a program"):
        await find(tmp_path)


async def test_wstest_on_the_path_comes_before_python(
    script: Script, pyenv_python: Path, tmp_path: Path
) -> None:
    path = script("wstest", "")
    assert (await find(tmp_path)).argv == (str(path),)


async def test_a_shim_that_only_complains_is_passed_over(
    script: Script, pyenv_python: Path, tmp_path: Path
) -> None:
    script("wstest", USELESS)
    script("python2.7", USELESS)
    found = await find(tmp_path)
    assert found.argv == (str(pyenv_python), "-m", "autobahntestsuite.wstest")


async def test_python_on_the_path_comes_before_pyenv(
    script: Script, pyenv_python: Path, tmp_path: Path
) -> None:
    path = script("python2.7", PYTHON)
    assert (await find(tmp_path)).argv[0] == str(path)


async def test_python_comes_before_docker_which_comes_last(script: Script, tmp_path: Path) -> None:
    docker = script("docker", "")
    found = await find(tmp_path)
    assert found.argv[:2] == (str(docker), "run")
    assert found.argv[-2:] == (wstest.DOCKER_IMAGE, "wstest")
    assert f"--volume={tmp_path}:{tmp_path}" in found.argv
    python = script("python2.7", PYTHON)
    assert (await find(tmp_path)).argv[0] == str(python)


async def test_docker_without_its_daemon_is_passed_over(script: Script, tmp_path: Path) -> None:
    script("docker", USELESS)
    with pytest.raises(WstestMissing, match=r"needs one of these: Python 2\.7 .*, Docker, or"):
        await find(tmp_path)


async def test_the_installation_is_made_once(script: Script, tmp_path: Path) -> None:
    python = script("python2.7", PYTHON)
    base = Path((await find(tmp_path)).env["PYTHONUSERBASE"])
    assert base.parent == tmp_path / "cache/ws6455"
    assert (base / "wstest").read_text() == f"installed by {python}"
    script("python2.7", PYTHON + "    sys.exit('installed twice')")
    assert (await find(tmp_path)).env["PYTHONUSERBASE"] == str(base)


async def test_half_an_installation_is_never_taken_for_a_whole_one(
    script: Script, tmp_path: Path
) -> None:
    script("python2.7", BROKEN)
    with pytest.raises(WstestMissing, match="ERROR: No matching distribution"):
        await find(tmp_path)
    assert [path.suffix for path in (tmp_path / "cache/ws6455").iterdir()] == [".log"]
    script("python2.7", PYTHON)
    assert installed(await find(tmp_path)) == ["wstest"]


async def test_two_runs_install_at_once(script: Script, tmp_path: Path) -> None:
    script("python2.7", PYTHON)
    first, second = await asyncio.gather(find(tmp_path), find(tmp_path))
    assert first == second
    assert [path.name for path in (tmp_path / "cache/ws6455").iterdir()] == [
        Path(first.env["PYTHONUSERBASE"]).name
    ]


async def test_what_would_mislead_python_2_is_kept_from_it(
    monkeypatch: pytest.MonkeyPatch, script: Script, tmp_path: Path
) -> None:
    script("wstest", "")
    monkeypatch.setenv("PYTHONPATH", "/python3/packages")
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    env = (await find(tmp_path)).env
    assert not {"PYTHONPATH", "PYTHONNOUSERSITE"} & env.keys()
