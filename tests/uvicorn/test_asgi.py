"""Events of an ASGI application, by the letter of the specification."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected

from tests.uvicorn.conftest import (
    REQUEST,
    Connect,
    closing_of,
    port_of,
    raw,
    refusal_of,
    serving,
    uri_of,
)
from ws6455 import Close, InvalidHeader
from ws6455.testing import RawPeer


class Recorder:
    """An application that does what a test's coroutine does, for each WebSocket connection.

    Attributes:
        scope: of the latest connection.
        ended: its future gives what the coroutine returned or raised.
    """

    def __init__(self, body: Any) -> None:
        self.body = body
        self.scope: dict[str, Any] = {}
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        self.scope = scope
        try:
            result = await self.body(receive, send)
        except BaseException as exc:
            self.ended.set_exception(exc)
            self.ended.exception()
            raise
        self.ended.set_result(result)


async def accept(receive: Any, send: Any, **options: Any) -> None:
    assert await receive() == {"type": "websocket.connect"}
    await send({"type": "websocket.accept", **options})


async def wait_for_the_end(receive: Any, send: Any) -> Any:
    await accept(receive, send)
    return await receive()


async def echo(receive: Any, send: Any) -> None:
    await accept(receive, send)
    while (event := await receive())["type"] == "websocket.receive":
        await send(event | {"type": "websocket.send"})


async def test_messages_both_ways(connect: Connect) -> None:
    async with serving(Recorder(echo)) as server, connect(uri_of(server)) as client:
        for message in ("", "é", b"", b"\0" * 70_000, "x" * 70_000, ["a", "b"]):
            await client.send(message)
            assert await client.recv() == ("ab" if isinstance(message, list) else message)


async def test_the_scope() -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app, root_path="/mounted", lifespan="off") as server:
        peer = await raw(server, "X-One: \xe9", "X-One: 2", "Sec-WebSocket-Protocol: a, b")
        assert (await peer.head()).startswith("HTTP/1.1 101 ")
        await peer.close()
        await app.ended
        address = peer.writer.get_extra_info("sockname")
    scope = app.scope
    assert scope["type"] == "websocket"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.4"}
    assert (scope["http_version"], scope["scheme"]) == ("1.1", "ws")
    assert (scope["path"], scope["raw_path"]) == ("/mounted/a b", b"/mounted/a%20b")
    assert (scope["root_path"], scope["query_string"]) == ("/mounted", b"c=d")
    assert scope["subprotocols"] == ["a", "b"]
    assert scope["client"] == address
    assert scope["server"] == ("127.0.0.1", peer.writer.get_extra_info("peername")[1])
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert [value for name, value in scope["headers"] if name == b"x-one"] == [
        "\xe9".encode(),
        b"2",
    ]


async def test_each_connection_has_its_own_copy_of_the_lifespan_state(connect: Connect) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["from"] = "lifespan"
            while (event := (await receive())["type"]) != "lifespan.shutdown":
                await send({"type": f"{event}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        seen.append(dict(scope["state"]))
        scope["state"]["more"] = 1
        await wait_for_the_end(receive, send)

    async with serving(app) as server:
        for _ in range(2):
            async with connect(uri_of(server)):
                pass
    assert seen == [{"from": "lifespan"}] * 2


async def test_accept_gives_the_subprotocol_and_the_headers(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"x-name", b"\xe9")]
        await accept(receive, send, subprotocol="two", headers=headers)
        await receive()

    async with (
        serving(Recorder(body), headers=[("x-default", "yes")]) as server,
        connect(uri_of(server), subprotocols=["one", "two"]) as client,
    ):
        assert client.subprotocol == "two"
        headers = client.response.headers
        assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert (headers["x-name"], headers["x-default"]) == ("\xe9", "yes")
        assert headers["Server"] == "uvicorn"
        assert len(headers.get_all("Date")) == 1


async def test_close_before_accept_refuses_with_403(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> Any:
        await receive()
        await send({"type": "websocket.close", "code": 4000})
        return await receive()

    app = Recorder(body)
    async with serving(app) as server:
        response = await refusal_of(connect(uri_of(server)))
        assert response.status_code == 403
        assert len(response.headers.get_all("Date")) == 1
        assert await app.ended == {"type": "websocket.disconnect", "code": 1006}


async def test_date_header_false_leaves_out_the_date(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    async with serving(Recorder(body), date_header=False) as server:
        response = await refusal_of(connect(uri_of(server)))
    assert response.status_code == 403
    assert "Date" not in response.headers


async def test_a_denial_response_has_its_status_headers_and_body(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        await receive()
        start = {"status": 418, "headers": [(b"x-tea", b"pot"), (b"content-type", b"text/tea")]}
        await send({"type": "websocket.http.response.start", **start})
        await send({"type": "websocket.http.response.body", "body": b"no ", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"coffee"})

    async with serving(Recorder(body)) as server:
        response = await refusal_of(connect(uri_of(server)))
    assert (response.status_code, response.reason_phrase) == (418, "I'm a Teapot")
    assert response.body == b"no coffee"
    assert response.headers["x-tea"] == "pot"
    assert response.headers.get_all("Content-Type") == ["text/tea"]
    assert len(response.headers.get_all("Date")) == 1


@pytest.mark.parametrize("status", [101, 600])
async def test_a_denial_response_has_a_status_that_is_final(connect: Connect, status: int) -> None:
    async def body(receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})

    async with serving(Recorder(body)) as server:
        response = await refusal_of(connect(uri_of(server)))
        assert response.status_code == 500


async def test_a_denial_response_may_have_a_status_without_a_name(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 599, "headers": []})
        await send({"type": "websocket.http.response.body"})

    async with serving(Recorder(body)) as server:
        response = await refusal_of(connect(uri_of(server)))
    assert (response.status_code, response.reason_phrase, response.body) == (599, "", b"")


async def test_the_application_closes_with_code_and_reason(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> Any:
        await accept(receive, send)
        await send({"type": "websocket.close", "code": 4001, "reason": "réason"})
        return await receive()

    app = Recorder(body)
    async with serving(app) as server, connect(uri_of(server)) as client:
        assert await closing_of(client) == (4001, "réason")
        assert await app.ended == {
            "type": "websocket.disconnect",
            "code": 4001,
            "reason": "réason",
        }


async def test_closing_does_not_wait_for_the_client() -> None:
    async def body(receive: Any, send: Any) -> str:
        await accept(receive, send)
        async with asyncio.timeout(5):
            await send({"type": "websocket.close", "code": None, "reason": None})
        return "through"

    app = Recorder(body)
    async with serving(app) as server:
        peer = await raw(server)
        await peer.head()
        assert await app.ended == "through"
        assert await peer.answer_close() == Close(1000, "")
        await peer.close()


async def test_the_client_closes_with_code_and_reason(connect: Connect) -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app) as server:
        async with connect(uri_of(server)) as client:
            await client.close(4002, "réason")
        assert await app.ended == {
            "type": "websocket.disconnect",
            "code": 4002,
            "reason": "réason",
        }


async def test_a_close_without_a_code_is_1005_and_none_at_all_is_1006() -> None:
    for last, end in (
        (b"\x88\x80\0\0\0\0", {"code": 1005, "reason": ""}),
        (b"", {"code": 1006}),
    ):
        app = Recorder(wait_for_the_end)
        async with serving(app) as server:
            peer = await raw(server)
            await peer.head()
            peer.send(last)
            await peer.close()
            assert await app.ended == {"type": "websocket.disconnect", **end}


async def test_a_client_that_leaves_before_the_answer_is_1006() -> None:
    asked = asyncio.Event()

    async def body(receive: Any, send: Any) -> Any:
        await receive()
        asked.set()
        event = await receive()
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.accept"})
        return event

    app = Recorder(body)
    async with serving(app) as server:
        peer = await raw(server)
        await asked.wait()
        await peer.close()
        assert await app.ended == {"type": "websocket.disconnect", "code": 1006}


async def test_sending_after_the_client_has_closed_raises_an_os_error(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send)
        assert (await receive())["type"] == "websocket.disconnect"
        for event in ({"type": "websocket.send", "text": "late"}, {"type": "websocket.close"}):
            with pytest.raises(ClientDisconnected) as caught:
                await send(event)
            assert isinstance(caught.value, OSError)

    app = Recorder(body)
    async with serving(app) as server:
        async with connect(uri_of(server)):
            pass
        await app.ended


async def test_an_application_that_ends_when_the_client_has_gone_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send)
        while True:
            await send({"type": "websocket.send", "bytes": bytes(1000)})

    app = Recorder(body)
    async with serving(app) as server:
        peer = await raw(server)
        await peer.head()
        peer.reset()
        with pytest.raises(ClientDisconnected):
            await app.ended
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("accepts", [True, False])
async def test_an_event_out_of_order_is_an_error(accepts: bool) -> None:
    async def body(receive: Any, send: Any) -> None:
        wrong = ["websocket.accept", "websocket.http.response.body"]
        if accepts:
            await accept(receive, send)
        else:
            await receive()
            wrong[0] = "websocket.send"
        for kind in wrong:
            with pytest.raises(RuntimeError, match=f"websocket.close.* but got '{kind}'"):
                await send({"type": kind})
        await send({"type": "websocket.close"})
        with pytest.raises(RuntimeError, match="after the end"):
            await send({"type": "websocket.send", "text": "late"})

    app = Recorder(body)
    async with serving(app) as server:
        peer = await raw(server)
        assert (await peer.head()).startswith("HTTP/1.1 101 " if accepts else "HTTP/1.1 403 ")
        await app.ended
        await peer.close()


@pytest.mark.parametrize(("accepts", "raises"), [(1, 0), (1, 1), (0, 0), (0, 1)])
async def test_an_application_that_just_ends(
    accepts: bool, raises: bool, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(receive: Any, send: Any) -> None:
        if accepts:
            await accept(receive, send)
        if raises:
            raise LookupError("of the application")

    async with serving(Recorder(body), lifespan="off") as server:
        if accepts:
            async with connect(uri_of(server)) as client:
                assert await closing_of(client) == (1011 if raises else 1000, "")
        else:
            response = await refusal_of(connect(uri_of(server)))
            assert response.status_code == 500
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    if raises:
        assert errors == ["Exception in ASGI application\n"]
    else:
        assert errors == (
            [] if accepts else ["ASGI callable returned without completing handshake."]
        )


async def test_headers_that_would_split_the_response_are_refused() -> None:
    async def body(receive: Any, send: Any) -> None:
        with pytest.raises(InvalidHeader):
            await accept(receive, send, headers=[(b"x-good", b"1"), (b"x-bad", b"a\r\nb: c")])
        await send({"type": "websocket.accept"})

    async with serving(Recorder(body)) as server:
        peer = await raw(server)
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101 ")
        assert "x-good" not in head
        await peer.answer_close()
        await peer.close()


async def test_a_request_that_is_wrong_does_not_reach_the_application() -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app, lifespan="off") as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(REQUEST.replace("Version: 13", "Version: 8").encode() + b"\r\n")
        head = await peer.head()
        assert head.startswith("HTTP/1.1 426 ")
        assert "Sec-WebSocket-Version: 13\r\n" in head
        await peer.close()
    assert app.scope == {}
