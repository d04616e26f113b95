"""Fixtures and functions for all tests: required programs, signals, the address of a server.

A test whose program is not installed is skipped with the name of the package to install. With
``CI=true`` it fails instead, so that no test is left out unnoticed.
"""

import os
import shutil
import signal
from collections.abc import Callable

import pytest

from ws6455.aio.server_connection import BaseServer


def pytest_configure() -> None:
    """Restore the signal handlers: a program inherits signals that are ignored.

    Shells start background commands with SIGINT ignored, and nohup ignores SIGHUP.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def port_of(server: BaseServer) -> int:
    """Return the TCP port of a server."""
    port = next(iter(server.sockets)).getsockname()[1]
    assert isinstance(port, int)
    return port


def uri_of(server: BaseServer, scheme: str = "ws") -> str:
    """Return the URI of a server on this machine."""
    return f"{scheme}://localhost:{port_of(server)}/"


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
