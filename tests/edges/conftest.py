"""Fixtures of the edges' tests: each front end, asyncio on both loops."""

import gc
import logging
import threading
from collections.abc import Iterator

import pytest

from tests.contract.adapters import Asyncio, FrontEnd, Threads, Uvloop
from tests.contract.conftest import ends, pair, role, until

__all__ = ["ends", "front", "pair", "role"]


@pytest.fixture(params=[Asyncio, Uvloop, Threads], ids=["asyncio", "uvloop", "threads"])
def front(request: pytest.FixtureRequest) -> Iterator[FrontEnd]:
    """Give each front end; afterwards nothing of it is left."""
    before = set(threading.enumerate())
    front_end = request.param()
    yield front_end
    front_end.close()
    until(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Fail if anything was logged at WARNING or above; give the log."""
    caplog.set_level(logging.DEBUG, "ws6455")
    yield caplog
    gc.collect()  # asyncio reports exceptions that nobody has taken
    loud = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert [(record.name, record.getMessage(), record.exc_text) for record in loud] == []
