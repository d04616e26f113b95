"""Tests of the fixtures in a user's project, with pytest-asyncio and with anyio."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest
from ws6455 import ConnectionClosedError, connect

{mark}

uris = []

async def echo(connection):
    async for message in connection:
        await connection.send(message)

async def test_a_pair(ws_pair):
    client, server = ws_pair
    await client.send("Hello")
    assert await server.recv() == "Hello"

@pytest.mark.parametrize("ws_pair", [{{"server_options": {{"max_size": 9}}}}], indirect=True)
async def test_a_pair_with_options(ws_pair):
    client, server = ws_pair
    await client.send("0123456789")
    with pytest.raises(ConnectionClosedError):
        await client.recv()
    assert client.close_code == 1009

async def test_servers_and_links(ws_server, ws_link):
    first, second = await ws_server(echo, max_size=100), await ws_server(echo)
    assert first.port != second.port
    assert next(iter(first.server.sockets)).getsockname() == (first.host, first.port)
    link = await ws_link(first.host, first.port, latency=0.02)
    async with connect(link.uri) as client:
        assert await (await client.ping()) >= 0.04
        await client.send("through the link")
        assert await client.recv() == "through the link"
        assert link.bytes_up > 16
    async with connect(second.uri) as client:
        await client.send("directly")
        assert await client.recv() == "directly"
    uris.extend([first.uri, second.uri, link.uri])

async def test_all_is_closed_after_the_test():
    assert len(uris) == 3
    for uri in uris:
        with pytest.raises(OSError):
            await connect(uri)
"""

ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


ASYNCIO = ["-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function", "-o"]
AUTO = [*ASYNCIO, "asyncio_mode=auto"]
STRICT = [*ASYNCIO, "asyncio_mode=strict"]


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        ("", AUTO),
        ("pytestmark = pytest.mark.asyncio", STRICT),
        (ANYIO, [*STRICT, "-p", "anyio"]),
        (ANYIO, ["-p", "anyio"]),
    ],
    ids=["asyncio-auto", "asyncio-strict", "anyio-beside-asyncio", "anyio-alone"],
)
def test_a_project_uses_the_fixtures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, options: list[str]
) -> None:
    # Load only the plugins that are named.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    conftest = 'pytest_plugins = ["ws6455.testing.fixtures"]\n'
    if "asyncio" not in options:  # as if it were not installed
        conftest = f"import sys\nsys.modules['pytest_asyncio'] = None\n{conftest}"
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_it.py").write_text(TESTS.format(mark=mark))
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--rootdir", ".", *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert "4 passed" in run.stdout, run.stdout + run.stderr


def test_the_fixtures_are_not_there_unless_asked_for(request: pytest.FixtureRequest) -> None:
    with pytest.raises(pytest.FixtureLookupError):
        request.getfixturevalue("ws_pair")


def test_the_tools_do_not_need_pytest() -> None:
    program = "import sys, ws6455.testing; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
