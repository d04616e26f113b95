"""Tests of the threaded router."""

import subprocess
import sys

import pytest
from werkzeug.routing import Map, Rule

from tests.sync.conftest import serving, uri_of
from ws6455 import InvalidStatus
from ws6455.sync.client import connect
from ws6455.sync.router import route
from ws6455.sync.server import ServerConnection


def test_routing() -> None:
    def greet(connection: ServerConnection, name: str) -> None:
        connection.send(name)

    urls = Map([Rule("/hello/<name>", endpoint=greet)])
    with serving(urls, make=route) as server:
        with connect(uri_of(server) + "hello/world") as client:
            assert client.recv() == "world"
        with pytest.raises(InvalidStatus, match="404"):
            connect(uri_of(server) + "nowhere")


def test_the_router_needs_werkzeug_only_when_it_is_called() -> None:
    program = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from ws6455.sync.router import route\n"
        "try: route(None)\n"
        "except ImportError as exc: print(exc)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'ws6455[routing]'" in done.stdout
