"""The documents tell the truth: their programs run, and the commands CI takes are there."""

import contextlib
import io
import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

import ws6455

ROOT = Path(__file__).parent.parent


DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/edges.md",
    "docs/guide.md",
    "docs/migration.md",
]


def anchors(document: Path) -> set[str]:
    """Return what a link to a part of a document may name."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    for link in links:
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_test_of_the_edges_exists() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs/edges.md").read_text())
    assert named
    sources = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    assert [name for name in named if f"def {name}(" not in sources] == []


def programs(document: str) -> list[str]:
    """Return the Python programs of a document."""
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "docs/guide.md"])
def test_every_program_compiles(document: str) -> None:
    found = programs(document)
    assert found
    for program in found:
        # A fragment of a coroutine is one when it stands in one.
        wrapped = "async def fragment():\n" + "".join(
            f"    {line}\n" for line in program.splitlines()
        )
        compile(wrapped, document, "exec")


def test_the_server_without_io_of_the_guide_greets() -> None:
    program = next(p for p in programs("docs/guide.md") if "def greet" in p)
    namespace: dict[str, object] = {}
    exec(program, namespace)
    greet = namespace["greet"]
    assert callable(greet)
    ours, theirs = socket.socketpair()
    server = threading.Thread(target=greet, args=(theirs,))
    server.start()
    protocol = ws6455.ClientProtocol(ws6455.parse_uri("ws://localhost/"))
    protocol.send_request(protocol.connect())
    texts = []
    with ours, theirs:
        while not protocol.eof_received:
            for output in protocol.data_to_send():
                if output:
                    ours.sendall(output)
            data = ours.recv(65536)
            opening = protocol.state is ws6455.State.CONNECTING
            if data:
                protocol.receive_data(data)
            else:
                protocol.receive_eof()
            if opening and protocol.state is ws6455.State.OPEN:
                protocol.send_text(b"Alice")
            for event in protocol.events_received():
                if isinstance(event, ws6455.Frame) and event.opcode is ws6455.Opcode.TEXT:
                    texts.append(event.data)
                    protocol.send_close(1000)
        ours.shutdown(socket.SHUT_WR)
        server.join(5)
    assert not server.is_alive()
    assert texts == [b"Hello Alice!"]
    assert protocol.close_code == 1000


async def echo(websocket: ws6455.ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def test_the_tests_of_the_guide_pass() -> None:
    program = next(p for p in programs("docs/guide.md") if "connected_pair" in p)
    namespace: dict[str, Any] = {"pytest": pytest, "ws6455": ws6455, "handler": echo}
    exec(program, namespace)
    await namespace["test_greeting"]()
    await namespace["test_a_server_that_vanishes"]()


async def test_the_routes_of_the_guide() -> None:
    program = next(p for p in programs("docs/guide.md") if "werkzeug" in p)
    namespace: dict[str, Any] = {"ws6455": ws6455}
    exec(program.replace("8765", "0"), namespace)
    async with (
        namespace["server"] as server,
        ws6455.connect(f"ws://localhost:{server.sockets[0].getsockname()[1]}/rooms/blue") as client,
    ):
        assert await client.recv() == "Welcome to blue!"


def test_the_threads_of_the_guide() -> None:
    serving, connecting = (
        p
        for p in programs("docs/guide.md")
        if "\nwith serve(" in p or p.startswith("with connect(")
    )
    with socket.create_server(("localhost", 0)) as sock:
        port = str(sock.getsockname()[1])
    namespace: dict[str, Any] = {}
    exec(serving.partition("with serve")[0], namespace)
    with namespace["serve"](namespace["echo"], "localhost", int(port)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            exec(connecting.replace("8765", port), namespace)
        server.shutdown()
        thread.join(5)
    assert shown.getvalue() == "Hello!\n"


def test_the_readme_has_the_two_commands() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [command.rpartition("&& ")[2] for command in commands] == [
        ".venv/bin/python -m apps.box",
        ".venv/bin/python -m pytest",
    ]
