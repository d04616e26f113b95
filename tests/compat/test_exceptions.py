"""ws6455.compat.exceptions: constructors of every version, and the exceptions of connections."""

import asyncio
import http
import pickle
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import until_closed
from tests.conftest import uri_of
from tests.sync.conftest import serving
from tests.sync.conftest import uri_of as sync_uri_of


def test_connection_closed_of_code_and_reason(websockets: Any) -> None:
    exc = websockets.ConnectionClosed(1001, "bye")
    assert (exc.code, exc.reason, exc.sent) == (1001, "bye", None)
    assert str(exc) == "received 1001 bye; no close frame sent"
    assert str(pickle.loads(pickle.dumps(exc))) == str(exc)
    assert websockets.ConnectionClosed(1001, None).reason == ""
    close = websockets.frames.Close(1001, "bye")
    for name, base in (
        ("ConnectionClosedOK", ws6455.ConnectionClosedOK),
        ("ConnectionClosedError", ws6455.ConnectionClosedError),
    ):
        kind = getattr(websockets, name)
        assert issubclass(kind, websockets.ConnectionClosed)
        assert issubclass(kind, base)
        exc = kind(close, close, True)
        assert exc.args == (close, close, True)
        assert str(pickle.loads(pickle.dumps(exc))) == str(exc) == str(base(close, close, True))


def test_payload_too_big_of_a_text(websockets: Any) -> None:
    exc = websockets.PayloadTooBig("much too big")
    assert (str(exc), exc.size, exc.args) == ("much too big", None, ("much too big",))
    exc = websockets.PayloadTooBig(5, 4, 2)
    assert (exc.size, exc.max_size, exc.current_size) == (5, 4, 2)
    assert str(exc) == str(ws6455.PayloadTooBig(5, 4, 2))
    assert str(pickle.loads(pickle.dumps(exc))) == str(exc)


def test_invalid_status_code_and_invalid_status(websockets: Any) -> None:
    headers = websockets.Headers(Server="theirs")
    old = websockets.exceptions.InvalidStatusCode(403, headers)
    assert (old.status_code, old.headers["Server"]) == (403, "theirs")
    assert str(old) == "server rejected WebSocket connection: HTTP 403"
    assert websockets.exceptions.InvalidStatusCode(403).headers == websockets.Headers()
    new = websockets.InvalidStatus(websockets.Response(403, "Forbidden", headers))
    assert str(new) == str(old)
    assert isinstance(old, websockets.InvalidHandshake)


def test_exceptions_of_versions_up_to_13(websockets: Any) -> None:
    abort = websockets.exceptions.AbortHandshake(http.HTTPStatus.OK, [("A", "b")], b"body")
    assert (abort.status, abort.headers["A"], abort.body) == (200, "b", b"body")
    assert str(abort) == "HTTP 200, 1 headers, 4 bytes"
    redirect = websockets.legacy.exceptions.RedirectHandshake("ws://elsewhere/")
    assert redirect.uri == "ws://elsewhere/"
    assert str(redirect) == "redirect to ws://elsewhere/"
    assert websockets.WebSocketProtocolError is websockets.ProtocolError


def test_code_and_reason_give_no_warning(websockets: Any) -> None:
    exc = websockets.ConnectionClosedError(websockets.frames.Close(3000, "why"), None)
    assert (exc.code, exc.reason) == (3000, "why")  # a warning would be an error here


async def test_connections_raise_compat_exceptions(serve: Any, websockets: Any) -> None:
    ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def handler(websocket: Any) -> None:
        try:
            await websocket.recv()
        except websockets.ConnectionClosedError as exc:
            ended.set_result(exc)
            raise

    async with serve(handler, "127.0.0.1", 0, max_size=3, compression=None) as server:
        websocket = await websockets.connect(uri_of(server))
        await websocket.send(b"too big")
        with pytest.raises(websockets.ConnectionClosedError, match="1009") as caught:
            await websocket.recv()
        assert type(caught.value) is websockets.ConnectionClosedError
        cause = (await ended).__cause__
        assert isinstance(cause, websockets.PayloadTooBig)
        assert (cause.size, cause.max_size) == (7, 3)
        pong = asyncio.ensure_future(websocket.ping())
        with pytest.raises(websockets.ConnectionClosed):
            await pong


async def test_connections_of_a_router_raise_compat_exceptions(websockets: Any) -> None:
    werkzeug = pytest.importorskip("werkzeug.routing")
    url_map = werkzeug.Map([werkzeug.Rule("/", endpoint=until_closed)])
    async with websockets.route(url_map, "127.0.0.1", 0) as server:
        async with websockets.connect(uri_of(server)) as client:
            (websocket,) = server.connections
            assert isinstance(websocket, websockets.ServerConnection)
            assert websocket.logger.logger.name == "websockets.server"
        await websocket.wait_closed()
        with pytest.raises(websockets.ConnectionClosedOK):
            await websocket.send("late")
        with pytest.raises(websockets.ConnectionClosedOK):
            await client.send("late")


def test_threaded_connections_raise_compat_exceptions(websockets: Any) -> None:
    caught = []

    def handler(websocket: Any) -> None:
        try:
            websocket.recv()
        except websockets.ConnectionClosed as exc:
            caught.append(exc)

    make = websockets.sync.server.serve
    with serving(handler, make=make, max_size=3) as server:
        with websockets.sync.client.connect(sync_uri_of(server)) as websocket:
            websocket.send(b"too big")
            with pytest.raises(websockets.ConnectionClosedError, match="1009"):
                websocket.recv()
        for websocket in websockets.sync.client.reconnect(sync_uri_of(server)):
            websocket.close()
            with pytest.raises(websockets.ConnectionClosedOK):
                websocket.recv()
            break
    first, second = caught
    assert isinstance(first.__cause__, websockets.PayloadTooBig)
    assert type(second) is websockets.ConnectionClosedOK


def test_exceptions_of_a_protocol_are_compat_exceptions(websockets: Any) -> None:
    protocol = websockets.protocol.Protocol(ws6455.Side.CLIENT, max_size=3)
    protocol.receive_data(b"\x82\x04four")
    assert isinstance(protocol.parser_exc, websockets.PayloadTooBig)
    with pytest.raises(AssertionError):
        _ = protocol.close_exc
    protocol.data_to_send()
    protocol.receive_eof()
    assert type(protocol.close_exc) is websockets.ConnectionClosedError
    assert type(protocol.close_exc.__cause__) is websockets.PayloadTooBig
    assert protocol.close_exc.__suppress_context__
