"""The documents tell the truth: their programs run, and the commands CI takes are there."""

import re
import socket
import threading
from pathlib import Path

import pytest

import ws6455

ROOT = Path(__file__).parent.parent


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


def test_the_readme_has_the_two_commands() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [command.rpartition("&& ")[2] for command in commands] == [
        ".venv/bin/python -m apps.box",
        ".venv/bin/python -m pytest",
    ]
