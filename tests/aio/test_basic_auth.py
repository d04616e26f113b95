"""basic_auth in front of a server, with the client's credentials from its URI."""

import asyncio

import pytest

from tests.conftest import port_of
from ws6455 import InvalidStatus, ServerConnection, basic_auth, connect, serve
from ws6455.aio.server_connection import ProcessRequest


async def tell_username(connection: ServerConnection) -> None:
    await connection.send(connection.username)


async def check_slowly(username: str, password: str) -> bool:
    await asyncio.sleep(0)
    return password == username * 2


@pytest.mark.parametrize(
    "process_request",
    [
        basic_auth("realm", ("u", "uu")),
        basic_auth("realm", [("v", "w"), ("u", "uu")]),
        basic_auth("realm", check_credentials=check_slowly),
        basic_auth("realm", check_credentials=lambda username, password: password == "uu"),
    ],
    ids=["pair", "pairs", "coroutine", "function"],
)
async def test_basic_authentication(process_request: ProcessRequest) -> None:
    async with serve(
        tell_username,
        "127.0.0.1",
        0,
        process_request=process_request,
    ) as server:
        host = f"127.0.0.1:{port_of(server)}"
        async with connect(f"ws://u:uu@{host}/") as client:
            assert await client.recv() == "u"
        for uri in (f"ws://u:u@{host}/", f"ws://x:y@{host}/", f"ws://{host}/"):
            with pytest.raises(InvalidStatus, match="HTTP 401") as caught:
                await connect(uri)
            headers = caught.value.response.headers
            assert headers["WWW-Authenticate"] == 'Basic realm="realm", charset="UTF-8"'


async def test_a_connection_without_authentication_has_no_username() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(str(hasattr(connection, "username")))

    async with (
        serve(handler, "127.0.0.1", 0) as server,
        connect(f"ws://127.0.0.1:{port_of(server)}/") as client,
    ):
        assert await client.recv() == "False"
