"""Data types, exceptions and functions of headers, as programs of every era use them."""

import http
import itertools
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import ws6455


def test_a_refusal_is_made_as_in_either_era(websockets: Any) -> None:
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


def test_a_uri_is_a_tuple_as_in_version_8_and_an_object(websockets: Any) -> None:
    for parse_uri in (websockets.parse_uri, websockets.uri.parse_uri):
        uri = parse_uri("wss://user:pw@example.com/path?query")
        secure, host, port, resource_name, user_info = uri
        assert (secure, host, port) == (uri.secure, uri.host, uri.port)
        assert (secure, host, port) == (True, "example.com", 443)
        assert (resource_name, user_info) == ("/path?query", ("user", "pw"))
        assert isinstance(uri, websockets.WebSocketURI)
        assert websockets.ClientProtocol(uri).connect().path == "/path?query"
    with pytest.raises(websockets.InvalidURI):
        websockets.parse_uri("http://example.com/")


def test_headers_are_parsed_and_built(websockets: Any) -> None:
    headers = websockets.headers
    assert headers.parse_connection("keep-alive, Upgrade") == ["keep-alive", "Upgrade"]
    assert headers.parse_upgrade("websocket") == ["websocket"]
    assert headers.parse_subprotocol("a,b") == headers.parse_subprotocol_list("a, b") == ["a", "b"]
    assert headers.build_subprotocol(["a", "b"]) == "a, b"
    extensions = [("x", [("a", None), ("b", "1")])]
    assert headers.build_extension(extensions) == "x; a; b=1"
    assert headers.parse_extension("x; a; b=1") == extensions
    basic = headers.build_authorization_basic("user", "pw")
    assert headers.parse_authorization_basic(basic) == ("user", "pw")
    assert headers.build_host("::1", 8765, False) == "[::1]:8765"
    for parse in (headers.parse_connection, headers.parse_upgrade, headers.parse_subprotocol):
        with pytest.raises(websockets.InvalidHeaderFormat):
            parse("a b")


def test_constants_under_every_name(websockets: Any) -> None:
    assert websockets.framing.OP_TEXT is websockets.frames.TEXT is ws6455.Opcode.TEXT
    assert websockets.frames.DATA_OPCODES == (0, 1, 2)
    assert websockets.frames.CTRL_OPCODES == (8, 9, 10)
    assert websockets.protocol.CLIENT is ws6455.Side.CLIENT
    assert websockets.protocol.OPEN is ws6455.State.OPEN
    assert {1000, 1001, 1005} == websockets.frames.OK_CLOSE_CODES
    assert {
        *range(1000, 1004),
        *range(1007, 1015),
    } == websockets.frames.EXTERNAL_CLOSE_CODES
    assert websockets.exceptions.CLOSE_CODES[1001] == "going away"


def test_types_are_there_for_annotations(websockets: Any) -> None:
    def annotated(
        websocket: websockets.WebSocketServerProtocol,
        data: websockets.Data,
        origin: websockets.Origin,
        logger: websockets.typing.LoggerLike,
        response: websockets.legacy.server.HTTPResponse,
        path: websockets.typing.PathLike,
    ) -> None: ...

    assert len(annotated.__annotations__) == 7
    assert websockets.Subprotocol("chat") == "chat"


def test_delays_grow(websockets: Any) -> None:
    delays: Iterator[float] = websockets.client.backoff(0, 1, 4, 2)
    assert list(itertools.islice(delays, 5)) == [0, 1, 2, 4, 4]
    assert 0 <= next(websockets.asyncio.client.backoff()) <= 5


def test_threads_log_under_the_names_that_programs_know(
    websockets: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, server = websockets.sync.client, websockets.sync.server

    def echo(websocket: Any) -> None:
        for message in websocket:
            websocket.send(message)

    with server.serve(echo, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            uri = f"ws://127.0.0.1:{listening.socket.getsockname()[1]}/"
            with client.connect(uri) as websocket:
                websocket.send("hello")
                assert websocket.recv(timeout=5) == "hello"
            for websocket in client.reconnect(uri):
                assert isinstance(websocket, client.ClientConnection)
                break
        finally:
            listening.shutdown()
            thread.join(5)
    names = {record.name for record in caplog.records}
    assert {"websockets.client", "websockets.server"} <= names
    assert not any(name.startswith("ws6455") for name in names)
