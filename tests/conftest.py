"""Fixtures for all tests: required programs and the SIGINT handler.

A test whose program is not installed is skipped with the name of the package to install. With
``CI=true`` it fails instead, so that no test is left out unnoticed.
"""

import os
import shutil
import signal
from collections.abc import Callable

import pytest


def pytest_configure() -> None:
    """Restore the SIGINT handler: shells start background commands with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def program() -> Callable[[str, str], str]:
    """Return a function ``(command, debian_package) -> path`` that finds a program or skips."""

    def find(command: str, package: str) -> str:
        path = shutil.which(command)
        if path is None:
            missing = f"{command} is not on this machine: apt-get install {package}"
            if os.environ.get("CI") == "true":
                pytest.fail(missing)
            pytest.skip(missing)  # in CI the line above has failed the test
        return path

    return find
