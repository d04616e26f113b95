"""What every test folder shares: how a missing program is reported, and a SIGINT that arrives.

A test that needs a program the machine lacks is skipped with the name of the package to
install. With ``CI=true`` it fails instead, so that nothing goes untested unseen.
"""

import os
import shutil
import signal
from collections.abc import Callable

import pytest


def pytest_configure() -> None:
    """Have SIGINT arrive: a shell starts a command in the background so that all ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def program() -> Callable[[str, str], str]:
    """Give a function ``(command, debian_package) -> path`` that finds a program or skips."""

    def find(command: str, package: str) -> str:
        path = shutil.which(command)
        if path is None:
            missing = f"{command} is not on this machine: apt-get install {package}"
            if os.environ.get("CI") == "true":
                pytest.fail(missing)
            pytest.skip(missing)  # never in CI: the line above
        return path

    return find
