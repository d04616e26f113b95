"""Handlers chosen by the path, with werkzeug's patterns."""

import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from tests.conftest import port_of, uri_of
from ws6455 import (
    InvalidStatus,
    Request,
    Response,
    Router,
    ServerConnection,
    connect,
    route,
    unix_connect,
    unix_route,
)
from ws6455.testing import RawPeer, opening_request


async def index(connection: ServerConnection) -> None:
    await connection.send("index")


async def room(connection: ServerConnection, name: str, number: int = 0) -> None:
    await connection.send(f"{name} {number}")


URL_MAP = Map(
    [
        Rule("/", endpoint=index),
        Rule("/room/<name>/", endpoint=room),
        Rule("/room/<name>/<int:number>", endpoint=room, websocket=True),
        Rule("/a b", endpoint=index),
        Rule("/form", endpoint=index, methods=["POST"]),
    ]
)


async def answer(uri: str, **options: Any) -> str | bytes:
    async with connect(uri, **options) as client:
        return await client.recv()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "index"),
        ("?query=1", "index"),
        ("room/blue/", "blue 0"),
        ("room/blue/7?x=y", "blue 7"),
        ("room/caf%C3%A9/7", "café 7"),
        ("a%20b", "index"),
    ],
)
async def test_each_path_has_its_handler(path: str, expected: str) -> None:
    async with route(URL_MAP, "localhost", 0) as server:
        assert await answer(uri_of(server) + path) == expected


@pytest.mark.parametrize("path", ["other", "room/blue/x", "room/", "room/blue/7/", "form"])
async def test_a_path_without_a_handler(path: str) -> None:
    async with route(URL_MAP, "localhost", 0) as server:
        with pytest.raises(InvalidStatus, match="HTTP 404"):
            await connect(uri_of(server) + path)


@pytest.mark.parametrize("host", ["", "Host: a..b\r\n", "Host: a\r\nHost: b\r\n"])
async def test_a_request_without_a_host_is_a_bad_one(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = opening_request(headers={"Host": None})
    request = request.replace(b"\r\n", b"\r\n" + host.encode(), 1)
    async with (
        route(URL_MAP, "localhost", 0) as server,
        await RawPeer.connect("127.0.0.1", port_of(server)) as peer,
    ):
        peer.send(request)
        assert (await peer.head()).startswith("HTTP/1.1 400 Bad Request\r\n")
    # It is the client's fault: nobody needs a traceback.
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "ws://localhost:{port}/room/blue/?x=y"),
        ({"server_name": "other.example"}, "ws://other.example/room/blue/?x=y"),
        ({"server_name": "other.example", "ssl": True}, "wss://other.example/room/blue/?x=y"),
    ],
)
async def test_a_path_with_another_form_redirects(options: dict[str, Any], expected: str) -> None:
    class Staying(connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    async with route(URL_MAP, "localhost", 0, **options) as server:
        uri = uri_of(server)
        with pytest.raises(InvalidStatus, match="HTTP 302") as caught:
            await Staying(f"{uri}room/blue?x=y")
        port = uri.rsplit(":", 1)[1].strip("/")
        assert caught.value.response.headers["Location"] == expected.format(port=port)
        if not options:
            assert await answer(f"{uri}room/blue") == "blue 0"


async def test_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server_context, client_context = contexts
    async with route(URL_MAP, "localhost", 0, ssl=server_context) as server:
        assert await answer(f"{uri_of(server, 'wss')}room/blue", ssl=client_context) == "blue 0"


async def test_a_unix_socket(tmp_path: Path) -> None:
    async with (
        unix_route(URL_MAP, tmp_path / "socket"),
        unix_connect(tmp_path / "socket", "ws://localhost/room/blue/") as client,
    ):
        assert await client.recv() == "blue 0"


@pytest.mark.parametrize("plain", [True, False], ids=["function", "coroutine"])
async def test_the_programs_own_process_request_goes_first(plain: bool) -> None:
    def process_request(connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(403, "no\n") if "secret" in request.path else None

    async def process_request_soon(connection: ServerConnection, request: Request) -> Any:
        return process_request(connection, request)

    first = process_request if plain else process_request_soon
    async with route(URL_MAP, "localhost", 0, process_request=first) as server:
        with pytest.raises(InvalidStatus, match="HTTP 403"):
            await connect(f"{uri_of(server)}secret")
        assert await answer(uri_of(server)) == "index"


async def test_a_router_of_ones_own() -> None:
    class Polite(Router):
        def not_found(self, connection: Any) -> Response:
            response: Response = connection.respond(410, "Sorry\n")
            return response

    async with route(URL_MAP, "localhost", 0, create_router=Polite) as server:
        with pytest.raises(InvalidStatus, match="HTTP 410"):
            await connect(f"{uri_of(server)}other")


def test_without_werkzeug_the_rest_works() -> None:
    program = (
        "import sys; sys.modules['werkzeug'] = sys.modules['werkzeug.routing'] = None\n"
        "import ws6455\n"
        "try: ws6455.route(None)\n"
        "except ImportError as exc: print(exc)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert re.fullmatch(r"routing needs werkzeug: pip install 'ws6455\[routing\]'\n", shown)
