"""ws6455.compat.client: asyncio clients as written for versions 8 to 13."""

import asyncio
import gc
import itertools
import logging
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import serving


async def test_old_arguments_are_accepted(connect: Any, websockets: Any) -> None:
    # To mypy the classes of the fixture's module are Any.
    class Protocol(websockets.WebSocketClientProtocol):  # type: ignore[misc]
        pass

    for argument in ("create_protocol", "klass"):
        async with serving() as (uri, first):
            options = {argument: Protocol, "extra_headers": {"X-Extra": "1"}, "legacy_recv": False}
            websocket = await connect(
                uri, timeout=3, loop=asyncio.get_running_loop(), read_limit=1 << 16, **options
            )
            assert type(websocket) is Protocol
            assert websocket.close_timeout == 3
            request = (await first).request
            assert request is not None
            assert request.headers["X-Extra"] == "1"
            await websocket.close()


async def test_protocol_is_set_when_connected(connect: Any) -> None:
    async with serving() as (uri, _):
        connecting = connect(uri)
        assert not hasattr(connecting, "protocol")
        async with connecting as websocket:
            assert connecting.protocol is websocket is connecting.connection
        connecting = connect(uri)
        websocket = await connecting
        assert connecting.protocol is websocket
        await websocket.close()


@pytest.mark.parametrize("name", ["InvalidStatusCode", "InvalidStatus", "InvalidHandshake"])
async def test_a_rejection_is_caught_by_every_name(
    connect: Any, websockets: Any, name: str
) -> None:
    def refuse(connection: ws6455.ServerConnection, _: ws6455.Request) -> ws6455.Response:
        return connection.respond(403, "no\n")

    async with serving(process_request=refuse) as (uri, _):
        with pytest.raises(getattr(websockets.exceptions, name)) as caught:
            await connect(uri)
    exc = caught.value
    assert (exc.status_code, exc.headers["Content-Length"]) == (403, "3")
    assert (exc.response.status_code, exc.response.body) == (403, b"no\n")
    assert str(exc) == "server rejected WebSocket connection: HTTP 403"
    assert type(exc).__name__ == "InvalidStatus"


async def test_legacy_retries_after_any_error(websockets: Any) -> None:
    refusals = 1

    def refuse_once(connection: ws6455.ServerConnection, _: ws6455.Request) -> Any:
        nonlocal refusals
        refusals -= 1
        return connection.respond(403, "no\n") if refusals >= 0 else None

    # To mypy the classes of the fixture's module are Any.
    class Connect(websockets.client.connect):  # type: ignore[misc]
        BACKOFF_INITIAL = 0

    async with serving(process_request=refuse_once) as (uri, _):
        async for websocket in Connect(uri):
            assert websocket.open
            break
        refusals = 1
        with pytest.raises(websockets.InvalidStatus):
            await anext(aiter(websockets.connect(uri)))


async def test_the_logger_keeps_its_name(connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "websockets.client")
    async with serving() as (uri, _), connect(uri) as websocket:
        assert websocket.logger.logger.name == "websockets.client"
        assert websocket.debug
    names = {record.name for record in caplog.records if "ws6455" not in record.name}
    assert "websockets.client" in names


async def test_unix_sockets(websockets: Any, tmp_path: Path) -> None:
    async def handler(websocket: Any) -> None:
        await websocket.send(str((websocket.host, websocket.port)))

    path = tmp_path / "socket"
    for place in (websockets, websockets.asyncio):
        server_place = getattr(place, "server", place)
        client_place = getattr(place, "client", place)
        async with (
            server_place.unix_serve(handler, path),
            client_place.unix_connect(path) as websocket,
        ):
            assert await websocket.recv() == "(None, None)"
            assert websocket.host == "localhost"
        path.unlink(missing_ok=True)  # Python 3.13 does it


async def test_a_dropped_connection_is_gone_without_the_collector(websockets: Any) -> None:
    gc.disable()
    try:
        async with serving() as (uri, _):
            async with websockets.connect(uri) as websocket:
                reference = weakref.ref(websocket)
            del websocket
            for _ in range(5):
                await asyncio.sleep(0)
            assert reference() is None
    finally:
        gc.enable()


def test_delays_grow(websockets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    delays: Iterator[float] = websockets.client.backoff(0, 1, 4, 2)
    assert list(itertools.islice(delays, 5)) == [0, 1, 2, 4, 4]
    assert 0 <= next(websockets.asyncio.client.backoff()) <= 5
