"""ws6455.compat.arguments: old forms of callbacks and options, and signatures."""

import http
import inspect
from collections.abc import Sequence
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import refusal, until_closed
from tests.conftest import uri_of


@pytest.mark.parametrize("body", [b"OK\n", b""])
async def test_process_request_of_path_and_headers_returns_a_tuple(serve: Any, body: bytes) -> None:
    async def process_request(path: str, request_headers: Any) -> Any:
        assert "Sec-WebSocket-Key" in request_headers
        if path == "/health":
            return http.HTTPStatus.OK, [("X-Health", "good")], body
        return None

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        response = await refusal(uri_of(server) + "health")
        assert (response.status_code, response.reason_phrase) == (200, "OK")
        assert (response.headers["X-Health"], response.body) == ("good", body)
        assert response.headers["Connection"] == "close"
        async with ws6455.connect(uri_of(server)) as client:
            assert client.state is ws6455.State.OPEN


async def test_process_request_of_connection_and_request(serve: Any, websockets: Any) -> None:
    def process_request(connection: Any, request: Any) -> Any:
        assert isinstance(connection, websockets.ServerConnection)
        return connection.respond(404, request.path) if request.path != "/" else None

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        assert (await refusal(uri_of(server) + "lost")).body == b"/lost"
        async with ws6455.connect(uri_of(server)):
            pass


async def test_without_argument_names_the_api_decides_the_form(websockets: Any) -> None:
    given: list[tuple[type, type]] = []

    def process_request(*args: Any) -> None:
        given.append((type(args[0]), type(args[1])))

    for serve in (websockets.serve, websockets.legacy.server.serve):
        async with (
            serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server,
            ws6455.connect(uri_of(server)),
        ):
            pass
    assert given == [
        (websockets.ServerConnection, websockets.Request),
        (str, ws6455.Headers),
    ]


async def test_abort_handshake_sends_its_response(serve: Any, websockets: Any) -> None:
    async def process_request(path: str, headers: Any) -> Any:
        raise websockets.AbortHandshake(http.HTTPStatus.GONE, {"X-Reason": "age"}, b"gone\n")

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        response = await refusal(uri_of(server))
        assert (response.status_code, response.headers["X-Reason"]) == (410, "age")
        assert response.body == b"gone\n"


async def test_select_subprotocol_of_two_lists(serve: Any) -> None:
    def select(client_subprotocols: Any, server_subprotocols: Any) -> Any:
        assert (client_subprotocols, server_subprotocols) == (["b", "a"], ["a", "b"])
        return "b"

    options = {"subprotocols": ["a", "b"], "select_subprotocol": select}
    async with (
        serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server), subprotocols=["b", "a"]) as client,
    ):
        assert client.subprotocol == "b"


async def test_select_subprotocol_of_connection_and_list(serve: Any) -> None:
    def select(connection: Any, subprotocols: Sequence[str]) -> str:
        assert connection.protocol.side is ws6455.Side.SERVER
        return subprotocols[-1]

    options = {"subprotocols": ["a", "b"], "select_subprotocol": select}
    async with (
        serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server), subprotocols=["b", "a"]) as client,
    ):
        assert client.subprotocol == "a"


async def test_legacy_accepts_a_client_without_subprotocols(
    websockets: Any,
) -> None:
    options = {"subprotocols": ["a", "b"]}
    async with websockets.server.serve(until_closed, "127.0.0.1", 0, **options) as server:
        async with ws6455.connect(uri_of(server)) as client:
            assert client.subprotocol is None
        async with ws6455.connect(uri_of(server), subprotocols=["b", "c", "a"]) as client:
            assert (
                client.subprotocol == "b"
            )  # its places, 0 and 1, are before those of "a", 2 and 0
    async with websockets.serve(until_closed, "127.0.0.1", 0, **options) as server:
        assert (await refusal(uri_of(server))).status_code == 400


def extra_headers(path: str, request_headers: Any) -> list[tuple[str, str]]:
    assert "Upgrade" in request_headers
    return [("X-Extra", path)]


@pytest.mark.parametrize("extra", [{"X-Extra": "/"}, [("X-Extra", "/")], extra_headers])
async def test_extra_headers_are_in_the_response(serve: Any, extra: Any) -> None:
    async with (
        serve(until_closed, "127.0.0.1", 0, extra_headers=extra) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        assert client.response is not None
        assert client.response.headers["X-Extra"] == "/"


async def test_process_response_is_called_before_extra_headers(websockets: Any) -> None:
    async def process_response(connection: Any, request: Any, response: Any) -> None:
        response.headers["X-Extra"] = "first"

    options = {"extra_headers": {"X-Extra": "second"}, "process_response": process_response}
    async with (
        websockets.serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        assert client.response is not None
        assert client.response.headers.get_all("X-Extra") == ["first", "second"]


def test_signatures_show_the_arguments_of_every_version(websockets: Any) -> None:
    shown = inspect.signature(websockets.connect).parameters
    assert shown["max_queue"].default == 16
    assert shown["additional_headers"].default is shown["extra_headers"].default is None
    first, *_, last = shown
    assert (first, last) == ("uri", "kwargs")
    legacy = inspect.signature(websockets.legacy.client.connect).parameters
    assert legacy["max_queue"].default == 32
    assert legacy["write_limit"].default == 1 << 16
    assert legacy["close_timeout"].default is None
    assert list(inspect.signature(websockets.serve).parameters)[:3] == ["handler", "host", "port"]
