"""Fixtures of the edges' tests: each front end, asyncio on both loops."""

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
