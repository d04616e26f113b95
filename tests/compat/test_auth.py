"""ws6455.compat.auth: HTTP Basic authentication by `create_protocol`."""

from typing import Any

import pytest

import ws6455
from tests.conftest import uri_of


async def name_of(websocket: Any) -> None:
    await websocket.send(str(websocket.username))


async def check(username: str, password: str) -> bool:
    return (username, password) == ("alice", "secret")


@pytest.mark.parametrize(
    "options",
    [
        {"credentials": ("alice", "secret")},
        {"credentials": [("bob", "other"), ("alice", "secret")]},
        {"check_credentials": check},
    ],
)
async def test_valid_credentials_are_accepted(websockets: Any, options: dict[str, Any]) -> None:
    create_protocol = websockets.basic_auth_protocol_factory(realm="home", **options)
    async with websockets.serve(name_of, "127.0.0.1", 0, create_protocol=create_protocol) as server:
        uri = uri_of(server)
        for prefix, body in (
            ("", b"Missing credentials\n"),
            ("alice:x@", b"Invalid credentials\n"),
        ):
            with pytest.raises(websockets.InvalidStatusCode) as caught:
                await websockets.connect(uri.replace("//", f"//{prefix}"))
            assert caught.value.status_code == 401
            assert 'realm="home"' in caught.value.headers["WWW-Authenticate"]
            assert caught.value.response.body == body
        async with websockets.connect(uri.replace("//", "//alice:secret@")) as websocket:
            assert await websocket.recv() == "alice"


async def test_a_subclass_overrides_check_credentials(websockets: Any) -> None:
    # To mypy the classes of the fixture's module are Any.
    class Protocol(websockets.BasicAuthWebSocketServerProtocol):  # type: ignore[misc]
        realm = "own"

        async def check_credentials(self, username: str, password: str) -> bool:
            return username == password

    async with websockets.serve(name_of, "127.0.0.1", 0, create_protocol=Protocol) as server:
        uri = uri_of(server)
        with pytest.raises(ws6455.InvalidStatus):
            await ws6455.connect(uri.replace("//", "//a:b@"))
        async with ws6455.connect(uri.replace("//", "//a:a@")) as websocket:
            assert await websocket.recv() == "a"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"credentials": ("alice", "secret"), "check_credentials": check},
        {"credentials": ("alice",)},
        {"credentials": 3},
        {"credentials": ["alice", "secret"]},
    ],
)
def test_misuse_is_a_type_error(websockets: Any, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        websockets.basic_auth_protocol_factory(**options)
    assert websockets.auth.is_credentials(("alice", "secret"))
    assert not websockets.auth.is_credentials(["alice", "secret"])


async def test_basic_auth_as_process_request(websockets: Any) -> None:
    process_request = websockets.basic_auth("home", ("alice", "secret"))
    async with websockets.serve(name_of, "127.0.0.1", 0, process_request=process_request) as server:
        uri = uri_of(server).replace("//", "//alice:secret@")
        async with websockets.connect(uri) as websocket:
            assert await websocket.recv() == "alice"
