"""Unmodified programs of versions 8 to 17, on ws6455 and on `websockets` at either end."""

import itertools
from pathlib import Path

import pytest

import ws6455
from tests.compat.conftest import OURS, PROGRAMS, running

# The programs of the last version also run on the installed `websockets`.
ERAS = (8, 10, 13, 17)
TYPED = {"greeter": "Alice\n", "buzzer": "space\nspace\n", "chat": "Hi\nBye\n"}
PRINTED = {
    "greeter": "What's your name? > Alice\n< Hello Alice!\n",
    "buzzer": "Press space!\nfirst place!\nresponse time:\nTrue 1000\n",
    "clock": "Welcome to /clock, 1 here\nTrue True\n",
    "chat": (
        '{"type": "users", "count": 1}\n'
        '{"type": "said", "text": "Hi", "by": "Alice"}\n'
        '{"type": "said", "text": "Bye", "by": "Alice"}\n'
    ),
    "box": "You are: green\nMoved by 50\n",
}
THEIRS: tuple[str, ...] = ()  # the command is the program itself


def pairs() -> list[object]:
    """Return the servers and clients of each app: on ws6455, and with `websockets` at one end."""
    rows: list[object] = []
    last = ERAS[-1]
    for app, era in itertools.product(PRINTED, ERAS):
        for server, on, client, under in (
            (era, OURS, era, OURS),
            (era, OURS, last, THEIRS),
            (last, THEIRS, era, OURS),
        ):
            names = [app]
            for program, library in ((server, on), (client, under)):
                names.append(f"v{program}-{'ours' if library else 'theirs'}")
            rows.append(pytest.param(app, server, on, client, under, id="-".join(names)))
    return rows


@pytest.mark.parametrize(("app", "server_era", "server_on", "client_era", "client_on"), pairs())
async def test_server_and_client(
    app: str,
    server_era: int,
    server_on: tuple[str, ...],
    client_era: int,
    client_on: tuple[str, ...],
) -> None:
    server_program = str(PROGRAMS / f"{app}_server_v{server_era}.py")
    client_program = str(PROGRAMS / f"{app}_client_v{client_era}.py")
    async with running(*server_on, server_program) as server:
        uri = await server.started()
        async with running(*client_on, client_program, uri) as client:
            printed, complaint = await client.end(TYPED.get(app, ""))
        assert (printed, complaint) == (PRINTED[app], "")
        assert client.process.returncode == 0
        printed, complaint = await server.stop()
        assert complaint == ""
        if app == "greeter":
            assert printed.startswith("< Alice")
            assert printed.endswith("> Hello Alice!\n")


UVICORN = """\
import uvicorn

async def app(scope, receive, send):
    assert scope["type"] == "websocket" and scope["path"] == "/echo"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"Server started on ws://127.0.0.1:{port}")
        print(self.config.ws_protocol_class.__module__)

config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="%s")
Server(config).run()
"""


@pytest.mark.parametrize("ws", ["auto", "websockets", "websockets-sansio"])
async def test_uvicorn(tmp_path: Path, ws: str) -> None:
    tmp_path.joinpath("program.py").write_text(UVICORN % ws)
    async with running(*OURS, str(tmp_path / "program.py")) as server:
        async with ws6455.connect(f"{await server.started()}/echo") as client:
            await client.send("hello")
            assert await client.recv() == "hello"
        assert await server.stop() == ("ws6455.uvicorn.protocol\n", "")


async def test_programs_of_all_eras_in_one_chat() -> None:
    said = [PRINTED["chat"].splitlines()[1].replace("Hi", text) for text in ("one", "two")]
    async with running(*OURS, str(PROGRAMS / "chat_server_v8.py")) as server:
        uri = await server.started()
        async with (
            running(*OURS, str(PROGRAMS / "chat_client_v8.py"), uri) as first,
            running(str(PROGRAMS / "chat_client_v17.py"), uri) as second,
        ):
            while '"count": 2' not in await first.line():
                pass  # until both have joined
            while '"count": 2' not in await second.line():
                pass
            await first.type("one\n")
            assert [await client.line() for client in (first, second)] == [said[0]] * 2
            await second.type("two\n")
            assert [await client.line() for client in (first, second)] == [said[1]] * 2
