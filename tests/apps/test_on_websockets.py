"""The apps run on the `websockets` package in place of ws6455, and use public names alone."""

import ast
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets

import ws6455
from tests.apps.conftest import ROOT, StartApp, app_environment

APP_FILES = sorted(Path(ROOT, "apps").rglob("*.py"))


def on_websockets(app: str) -> tuple[str, ...]:
    """Return a launcher of `app` in which ``import ws6455`` gives the module `websockets`."""
    program = (
        "import runpy, sys, websockets; sys.modules['ws6455'] = websockets; "
        f"sys.argv[0] = 'apps.{app}'; "
        f"runpy.run_module('apps.{app}', run_name='__main__', alter_sys=True)"
    )
    return ("-c", program)


@pytest.mark.parametrize(
    ("app", "typed", "printed"),
    [
        ("greeter", "Alice\n", "Enter your name: Alice\nSent: Alice\nReceived: Hello Alice!\n"),
        ("buzzer", "\n", "first place!\n"),
        ("clock", "ping\n", "ping: pong\n"),
    ],
)
@pytest.mark.parametrize("server_on", ["websockets", "ws6455"])
@pytest.mark.parametrize("client_on", ["websockets", "ws6455"])
async def test_server_and_terminal_client(
    start_app: StartApp, app: str, typed: str, printed: str, server_on: str, client_on: str
) -> None:
    launchers = {"websockets": on_websockets(app), "ws6455": None}
    server = await start_app(app, "server", "--port", "0", launcher=launchers[server_on])
    url = await server.started()
    client = await start_app(app, "client", url, launcher=launchers[client_on])
    out, err = await client.rest(typed)
    assert out.endswith(printed)
    assert (client.process.returncode, err) == (0, "")
    status, _, err = await server.stop()
    assert (status, err) == (0, "")


async def test_box_and_its_window(start_app: StartApp) -> None:
    launcher = on_websockets("box")
    server = await start_app("box", "server", "--port", "0", "--web-port", "0", launcher=launcher)
    url = await server.started()
    async with websockets.connect(url) as watcher, asyncio.timeout(10):
        assert json.loads(await watcher.recv()) == {"your_color": "green"}
        window = await start_app(
            "box", "client", url, env={"SDL_VIDEODRIVER": "dummy"}, launcher=launcher
        )
        colors: set[str] = set()
        while colors != {"green", "blue"}:
            positions = json.loads(await watcher.recv())["positions"]
            colors = {position["color"] for position in positions.values()}
        assert (await window.stop(signal.SIGTERM))[2] == ""
    status, _, err = await server.stop()
    assert (status, err) == (0, "")


async def test_trace_and_selftest_on_websockets(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0", launcher=on_websockets("greeter"))
    url = await server.started()
    client = await start_app(
        "greeter", "client", url, "--name", "Alice", "--trace", launcher=on_websockets("greeter")
    )
    out, err = await client.rest()
    assert "< HTTP/1.1 101 Switching Protocols" in out.splitlines()
    assert "Received: Hello Alice!" in out.splitlines()
    assert (client.process.returncode, err) == (0, "")
    test = await start_app("greeter", "selftest", launcher=on_websockets("greeter"))
    assert (await test.rest())[0].endswith("selftest passed\n")


@pytest.mark.parametrize("app", ["greeter", "buzzer", "clock", "box"])
def test_the_launcher_really_replaces_the_library(app: str, tmp_path: Path) -> None:
    """No module of ws6455 is loaded when an app runs on `websockets`."""
    program = on_websockets(app)[1].replace("run_name='__main__', ", "run_name='loaded', ")
    program = program.replace(f"'apps.{app}', run", f"'apps.{app}.__main__', run")
    program += (
        "; loaded = {m.__name__ for n, m in sys.modules.items() if n.startswith('ws6455')}"
        "; print(sorted(loaded))"
    )
    ran = subprocess.run(
        (sys.executable, "-c", program),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=app_environment(),
        check=False,
        timeout=20,
    )
    assert (ran.stdout, ran.stderr) == ("['websockets']\n", "")


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Return the imports of a file as dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


@pytest.mark.parametrize("file", APP_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_apps_use_public_names_alone(file: Path) -> None:
    tree = ast.parse(file.read_text())
    of_library = [name for name in imports_of(tree) if name.split(".")[0] == "ws6455"]
    assert set(of_library) <= {"ws6455"}
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "ws6455"]
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "ws6455"
    }
    assert used <= set(ws6455.__all__)
    renamed = [
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "ws6455" and alias.asname is not None
    ]
    assert renamed == []


@pytest.mark.parametrize("app", ["greeter", "buzzer", "clock"])
def test_a_server_is_short(app: str) -> None:
    assert len(Path(ROOT, "apps", app, "server.py").read_text().splitlines()) < 100
