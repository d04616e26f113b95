"""Denial responses: an application refuses a connection with a response of its own."""

import asyncio
import logging
import time
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected

import ws6455
from tests.aio.conftest import until
from tests.uvicorn.conftest import Connect, Way, raw, refusal_of, serving, uri_of
from tests.uvicorn.test_asgi import Recorder, accept
from ws6455 import Headers, InvalidMessage
from ws6455.http1.body import BodyReader
from ws6455.testing import RawPeer

RawHeaders = Sequence[tuple[bytes, bytes]]


def start(status: int = 403, headers: RawHeaders = ()) -> dict[str, Any]:
    return {"type": "websocket.http.response.start", "status": status, "headers": headers}


def piece(body: bytes, more_body: bool = True) -> dict[str, Any]:
    return {"type": "websocket.http.response.body", "body": body, "more_body": more_body}


def denying(*events: Any) -> Any:
    """Make an application that sends these events and returns what it receives then."""

    async def body(receive: Any, send: Any) -> Any:
        await receive()
        for event in events:
            await send(event)
        return await receive()

    return body


async def response_of(peer: RawPeer) -> tuple[str, Headers, bytes]:
    """Read a response to the end of the stream; return status line, headers, rest as sent."""
    line, *lines = (await peer.head()).removesuffix("\r\n\r\n").split("\r\n")
    pairs = [header.split(": ", 1) for header in lines]
    headers = Headers([(name, value) for name, value in pairs])
    rest = await peer.bytes_to_end()
    await peer.close()
    return line, headers, rest


# The body -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [None, b"6"])
def test_d37_the_body_is_sent_as_it_comes(way: Way, length: bytes | None) -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def body(receive: Any, send: Any) -> Any:
            await receive()
            await send(start(403, [] if length is None else [(b"content-length", length)]))
            await send(piece(b"one"))
            await go_on.wait()
            await send(piece(b""))
            await send(piece(b"two", False))
            return await receive()

        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await way.raw(server)
            head = (await peer.head()).lower()
            assert ("\r\ntransfer-encoding: chunked\r\n" in head) is (length is None)
            assert ("\r\ncontent-length: 6\r\n" in head) is (length is not None)
            assert await peer.exact_bytes(8 if length is None else 3) == (
                b"3\r\none\r\n" if length is None else b"one"
            )
            go_on.set()
            rest = b"3\r\ntwo\r\n0\r\n\r\n" if length is None else b"two"
            assert await peer.bytes_to_end() == rest
            async with asyncio.timeout(2):
                assert await app.ended == {"type": "websocket.disconnect", "code": 1006}
            await peer.close()

    way.run(main)


@pytest.mark.parametrize("chunked", [False, True])
async def test_d37_clients_read_a_streamed_denial(connect: Connect, chunked: bool) -> None:
    headers = [] if chunked else [(b"content-length", b"200000")]
    pieces = [piece(b"x" * 1000)] * 199
    app = Recorder(denying(start(418, headers), *pieces, piece(b"y" * 1000, False)))
    async with serving(app) as server:
        response = await refusal_of(connect(uri_of(server)))
    assert response.status_code == 418
    assert response.body == b"x" * 199_000 + b"y" * 1000


async def test_d37_a_body_in_one_piece_gets_its_length() -> None:
    async with serving(Recorder(denying(start(), piece(b"body", False)))) as server:
        line, headers, rest = await response_of(await raw(server))
    assert line == "HTTP/1.1 403 Forbidden"
    assert headers["Content-Length"] == "4"
    assert "Transfer-Encoding" not in headers
    assert rest == b"body"


@pytest.mark.parametrize("more_body", [True, False])
async def test_d37_the_server_chooses_how_the_body_is_framed(more_body: bool) -> None:
    own = [(b"transfer-encoding", b"chunked"), (b"Connection", b"keep-alive, upgrade")]
    pieces = [piece(b"bo"), piece(b"dy", False)] if more_body else [piece(b"body", False)]
    async with serving(Recorder(denying(start(403, own), *pieces))) as server:
        _, headers, rest = await response_of(await raw(server))
    assert headers.get_all("Connection") == ["close"]
    assert ("Transfer-Encoding" in headers) is more_body
    assert ("Content-Length" in headers) is not more_body
    reader = BodyReader(headers)
    assert reader.feed(rest)
    assert reader.body == b"body"


def test_d37_a_large_body_takes_linear_time_and_little_memory(way: Way) -> None:
    size, count = 1 << 16, 128

    async def main() -> None:
        app = Recorder(denying(start(), *[piece(bytes(size))] * count, piece(b"", False)))
        tracemalloc.start()
        try:
            async with way.serving(app) as server:
                peer = await way.raw(server)
                await peer.head()
                before = time.process_time()
                _, base = tracemalloc.get_traced_memory()
                received = 0
                while received < size * count:
                    received += len(await peer.exact_bytes(size))
                await app.ended
                assert time.process_time() - before < 5
                assert tracemalloc.get_traced_memory()[1] - base < 4 << 20
                await peer.close()
        finally:
            tracemalloc.stop()

    way.run(main)


def test_d37_the_application_waits_for_a_client_that_does_not_read(way: Way) -> None:
    async def main() -> None:
        sent = 0

        async def body(receive: Any, send: Any) -> None:
            nonlocal sent
            await receive()
            await send(start())
            for _ in range(200):
                await send(piece(bytes(100_000)))
                sent += 1
            await send(piece(b"end", False))

        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await way.raw(server)
            peer.stop_reading()
            await until(lambda: sent > 0)
            before = -1
            while before < sent:
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 190
            assert not app.ended.done()
            peer.go_on_reading()
            assert (await peer.bytes_to_end()).endswith(b"3\r\nend\r\n0\r\n\r\n")
            await app.ended
            await peer.close()

    way.run(main)


# A client that leaves -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("moment", [0, 1, 2, 3])
def test_d37_each_event_after_the_client_has_gone_raises(
    way: Way, moment: int, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def main() -> None:
        reached, left = asyncio.Event(), asyncio.Event()
        raised: list[Any] = []

        async def body(receive: Any, send: Any) -> None:
            await receive()
            events = [start(), piece(b"one"), piece(b"two")]
            for event in events[:moment]:
                await send(event)
            reached.set()
            await left.wait()
            for event in (*events[moment:], piece(b"x"), piece(b"", False), start()):
                with pytest.raises(ClientDisconnected) as caught:
                    await send(event)
                raised.append(caught.value)

        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await way.raw(server)
            await reached.wait()
            if how == "reset":
                peer.writer.transport.abort() if way.contexts else peer.reset()
            await peer.close()
            await until(lambda: not server.server_state.connections)
            left.set()
            await app.ended
            assert all(isinstance(exc, OSError) for exc in raised)
            assert len(raised) == 6 - moment
        assert [record.getMessage() for record in caplog.records] == []

    way.run(main)


def test_d37_a_send_that_waits_raises_when_the_client_goes(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def main() -> None:
        sent = 0

        async def body(receive: Any, send: Any) -> None:
            nonlocal sent
            await receive()
            await send(start())
            while True:
                await send(piece(bytes(100_000)))
                sent += 1

        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await way.raw(server)
            peer.stop_reading()
            await until(lambda: sent > 0)
            peer.writer.transport.abort() if way.contexts else peer.reset()
            with pytest.raises(ClientDisconnected):
                await app.ended
        assert [record.getMessage() for record in caplog.records] == []

    way.run(main)


# Responses that do not fit ------------------------------------------------------------------


@pytest.mark.parametrize("more_body", [True, False])
@pytest.mark.parametrize("status", [204, 205, 304])
async def test_d38_a_status_without_content_has_no_body(status: int, more_body: bool) -> None:
    pieces = [piece(b"bo"), piece(b"dy", False)] if more_body else [piece(b"body", False)]
    async with serving(Recorder(denying(start(status), *pieces))) as server:
        line, headers, rest = await response_of(await raw(server))
    assert line.startswith(f"HTTP/1.1 {status} ")
    assert headers.get("Content-Length") == ("0" if status == 205 else None)
    assert "Transfer-Encoding" not in headers
    assert "Content-Type" not in headers
    assert rest == b""


@pytest.mark.parametrize(
    ("pieces", "rest"),
    [
        ([piece(b"abcd", False)], b""),
        ([piece(b"ab"), piece(b"cd")], b"ab"),
        ([piece(b"ab", False)], b""),
        ([piece(b"ab"), piece(b"", False)], b"ab"),
    ],
    ids=["longer", "longer later", "shorter", "shorter later"],
)
async def test_d37_a_body_of_another_length_is_an_error_of_the_application(
    pieces: list[Any], rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = Recorder(denying(start(403, [(b"content-length", b"3")]), *pieces))
    async with serving(app, lifespan="off") as server:
        _, headers, received = await response_of(await raw(server))
    assert headers["Content-Length"] == "3"
    assert received == rest  # less than it: the client sees that the body is incomplete
    with pytest.raises(InvalidMessage, match="Content-Length"):
        app.ended.result()
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["Exception in ASGI application\n"]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"x")],
        [(b"content-length", b"1"), (b"content-length", b"2")],
        [(b"x", b"a\r\nb: c")],
    ],
)
async def test_d37_headers_that_cannot_be_sent_become_a_500(headers: RawHeaders) -> None:
    app = Recorder(denying(start(403, headers), piece(b"x", False)))
    async with serving(app, lifespan="off") as server:
        line, *_ = await response_of(await raw(server))
    assert line == "HTTP/1.1 500 Internal Server Error"


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize(
    ("events", "rest"),
    [([start(404)], b""), ([start(404), piece(b"one")], b"3\r\none\r\n")],
    ids=["no body", "half a body"],
)
def test_d37_a_response_that_the_application_does_not_complete(
    way: Way, events: list[Any], rest: bytes, raises: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(receive: Any, send: Any) -> None:
        await receive()
        for event in events:
            await send(event)
        if raises:
            raise LookupError("of the application")

    async def main() -> None:
        async with way.serving(Recorder(body)) as server:
            line, headers, received = await response_of(await way.raw(server))
        assert line == "HTTP/1.1 404 Not Found"
        assert received == rest  # half a body has no last chunk
        assert headers.get("Content-Length") == (None if rest else "0")
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert errors == [
            "Exception in ASGI application\n"
            if raises
            else "ASGI callable returned without completing response."
        ]

    way.run(main)


async def test_d37_an_event_between_the_pieces_of_a_body_is_an_error() -> None:
    async def body(receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        for event in (start(), {"type": "websocket.accept"}, {"type": "websocket.close"}):
            with pytest.raises(RuntimeError, match=r"Expected .*'websocket\.http\.response\.body'"):
                await send(event)
            await send(piece(b"x"))
        await send(piece(b"", False))

    app = Recorder(body)
    async with serving(app) as server:
        _, _, rest = await response_of(await raw(server))
        assert rest == b"1\r\nx\r\n" * 3 + b"0\r\n\r\n"
        await app.ended


# The response that accepts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subprotocol", "values", "expected"),
    [
        ("two", [b"two"], "two"),
        ("two", [b"one"], "two"),
        (None, [b"one"], "one"),
        ("", [b"one", b"one"], "one"),
        ("one", [], "one"),
        ("", [], None),
    ],
)
async def test_d38_the_subprotocol_is_sent_once(
    subprotocol: str | None, values: list[bytes], expected: str | None
) -> None:
    async def body(receive: Any, send: Any) -> None:
        headers = [(b"sec-websocket-protocol", value) for value in values]
        await accept(receive, send, subprotocol=subprotocol, headers=headers)
        await receive()

    async with (
        serving(Recorder(body)) as server,
        ws6455.connect(uri_of(server), subprotocols=["one", "two"]) as client,
    ):
        assert client.subprotocol == expected
        assert client.response is not None
        received = client.response.headers.get_all("Sec-WebSocket-Protocol")
        assert received == ([] if expected is None else [expected])


async def test_d38_headers_of_the_handshake_are_sent_once(connect: Connect) -> None:
    own = [
        *((b"Connection", b"close"), (b"upgrade", b"websocket"), (b"content-length", b"0")),
        *((b"Transfer-Encoding", b"chunked"), (b"sec-websocket-accept", b"mine")),
        *((b"sec-websocket-extensions", b"x"), (b"x-own", b"1"), (b"x-own", b"2")),
    ]

    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send, headers=own)
        await send({"type": "websocket.send", "text": "open"})
        await receive()

    defaults = [("Connection", "keep-alive"), ("X-Default", "yes")]
    async with (
        serving(Recorder(body), headers=defaults) as server,
        connect(uri_of(server)) as client,
    ):
        assert await client.recv() == "open"
        headers = client.response.headers
        for name in ("Connection", "Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions"):
            assert len(headers.get_all(name)) == 1
        assert "Content-Length" not in headers
        assert "Transfer-Encoding" not in headers
        assert headers.get_all("x-own") == ["1", "2"]
        assert headers["X-Default"] == "yes"
