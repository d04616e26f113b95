"""The end of a connection, as the application and the client see it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.logging import TRACE_LOG_LEVEL
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

import ws6455
from tests.aio.conftest import until
from tests.uvicorn.conftest import REQUEST, Way, closing_of, port_of, serving, uri_of
from tests.uvicorn.test_asgi import Recorder, accept, wait_for_the_end
from ws6455 import Close, Frame, Opcode
from ws6455.testing import RawFrame, RawPeer
from ws6455.uvicorn import WebSocketProtocol

DISCONNECT = "websocket.disconnect"


async def opened(way: Way, server: uvicorn.Server) -> RawPeer:
    peer = await way.raw(server)
    assert (await peer.head()).startswith("HTTP/1.1 101 ")
    return peer


def assert_quiet(caplog: pytest.LogCaptureFixture) -> None:
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


# What the application is told ---------------------------------------------------------------

FAILURES: dict[int, list[Frame | RawFrame]] = {
    1009: [Frame(Opcode.BINARY, bytes(1001))],
    1007: [Frame(Opcode.TEXT, b"\xff")],
    1002: [RawFrame(0x3, b"reserved opcode")],
}


@pytest.mark.parametrize("code", FAILURES)
def test_d36_the_application_gets_the_code_of_a_failure(way: Way, code: int) -> None:
    async def body(receive: Any, send: Any) -> list[Any]:
        await accept(receive, send)
        return [await receive(), await receive(), await receive()]

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app, ws_max_size=1000) as server:
            peer = await opened(way, server)
            peer.send(Frame(Opcode.TEXT, b"before"), *FAILURES[code])
            *_, closing = await peer.frames_to_close()
            # The client neither answers nor leaves.
            async with asyncio.timeout(2):
                before, *ends = await app.ended
            assert before == {"type": "websocket.receive", "text": "before"}
            close = Close.parse(closing.data)
            assert ends == [{"type": DISCONNECT, "code": code, "reason": close.reason}] * 2
            assert close.code == code
            assert type(ends[0]["code"]) is int
            await peer.close()

    way.run(main)


def test_d36_the_application_gets_the_code_of_a_failure_with_the_last_bytes(way: Way) -> None:
    async def body(receive: Any, send: Any) -> Any:
        await accept(receive, send)
        return await receive()

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await opened(way, server)
            peer.send(Frame(Opcode.TEXT, b"frag", fin=False), RawFrame(0x3, b""))
            if peer.writer.can_write_eof():
                peer.end_sending()
            assert (await app.ended)["code"] == 1002
            await peer.close()

    way.run(main)


def test_d36_the_end_that_the_application_makes_is_told_at_once(way: Way) -> None:
    async def body(receive: Any, send: Any) -> Any:
        await accept(receive, send)
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.close", "code": 4001, "reason": "réason"})
        return [await waiting, await receive()]

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await opened(way, server)
            async with asyncio.timeout(2):
                assert (
                    await app.ended == [{"type": DISCONNECT, "code": 4001, "reason": "réason"}] * 2
                )
            peer.send(Frame(Opcode.TEXT, b"late"))
            assert await peer.answer_close() == Close(4001, "réason")
            await peer.close()

    way.run(main)


def test_d36_the_end_of_a_client_that_keeps_tcp_open_is_told_at_once(way: Way) -> None:
    async def body(receive: Any, send: Any) -> Any:
        await accept(receive, send)
        end = await receive()
        for event in ({"type": "websocket.send", "text": "late"}, {"type": "websocket.close"}):
            with pytest.raises(ClientDisconnected):
                await send(event)
        return end

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await opened(way, server)
            peer.send(Frame(Opcode.CLOSE, Close(4001, "bye").serialize()))
            async with asyncio.timeout(2):
                assert await app.ended == {"type": DISCONNECT, "code": 4001, "reason": "bye"}
            await peer.close()

    way.run(main)


@pytest.mark.parametrize("keeps_sending", [False, True])
def test_d01_messages_before_the_end_are_received_after_it(way: Way, keeps_sending: bool) -> None:
    gone = asyncio.Event()

    async def body(receive: Any, send: Any) -> list[Any]:
        await accept(receive, send)
        if keeps_sending:
            with contextlib.suppress(ClientDisconnected):
                while True:
                    await send({"type": "websocket.send", "bytes": bytes(5000)})
        await gone.wait()
        events = [await receive()]
        while events[-1]["type"] != DISCONNECT:
            events.append(await receive())
        return events

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await opened(way, server)
            peer.send(*(Frame(Opcode.TEXT, b"%d" % number) for number in range(10)))
            peer.send(Frame(Opcode.CLOSE, Close(4001, "bye").serialize()))
            if keeps_sending:
                peer.reset() if way.contexts is None else peer.writer.transport.abort()
            else:
                await peer.close()
            gone.set()
            *messages, end = await app.ended
            assert [event["text"] for event in messages] == [*map(str, range(10))]
            assert end == {"type": DISCONNECT, "code": 4001, "reason": "bye"}

    way.run(main)


# A client that leaves -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("moment", ["asked", "accepting", "receiving", "sending", "ended"])
def test_d18_a_client_that_leaves_at_any_moment_is_no_error(
    way: Way, moment: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        reached, left = asyncio.Event(), asyncio.Event()

        async def leave(at: str) -> None:
            if moment == at:
                reached.set()
                await left.wait()

        async def body(receive: Any, send: Any) -> Any:
            await receive()
            await leave("accepting")
            await send({"type": "websocket.accept"})
            await leave("sending")
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            if moment == "receiving":
                reached.set()
                return await receive()
            if moment == "ended":
                reached.set()
                return None
            while True:
                await send({"type": "websocket.send", "bytes": bytes(100_000)})

        for _ in range(5):
            reached.clear()
            left.clear()
            async with way.serving(Recorder(body)) as server:
                peer = await way.raw(server)
                if moment != "asked":
                    await reached.wait()
                if how == "reset":
                    peer.writer.transport.abort() if way.contexts else peer.reset()
                await peer.close()
                left.set()
                await until(lambda: not server.server_state.connections)
                await until(lambda: not server.server_state.tasks)
        assert_quiet(caplog)

    way.run(main)


def test_d18_a_group_of_sends_that_fail_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async def body(receive: Any, send: Any) -> None:
            await accept(receive, send)
            await receive()
            async with asyncio.TaskGroup() as group:
                for _ in range(2):
                    group.create_task(send({"type": "websocket.send", "text": "late"}))

        app = Recorder(body)
        async with serving(app, lifespan="off") as server:
            async with ws6455.connect(uri_of(server)):
                pass
            await until(app.ended.done)
        assert_quiet(caplog)

    asyncio.run(main())


async def test_d38_bytes_after_the_end_of_the_transport_are_ignored() -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app) as server:
        async with ws6455.connect(uri_of(server)):
            (protocol,) = server.server_state.connections
        assert isinstance(protocol, WebSocketProtocol)
        await until(lambda: protocol._connection is None)
        protocol.data_received(Frame(Opcode.PONG, b"").serialize(mask=True))
        protocol.get_buffer(-1)[:6] = Frame(Opcode.PONG, b"").serialize(mask=True)
        protocol.buffer_updated(6)
        assert not protocol.eof_received()
        assert protocol.transport.is_closing()
        protocol.shutdown()


# The shutdown -------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def shutting_down(
    way: Way, app: Any, state: str, **options: Any
) -> AsyncIterator[tuple[RawPeer, asyncio.Task[float]]]:
    """Give a client that neither answers nor leaves, and the shutdown, with its seconds."""
    async with way.serving(app, **options) as server:
        peer = await way.raw(server)
        assert (await peer.head()).startswith("HTTP/1.1 " + ("101 " if state == "open" else "4"))

        async def shut_down() -> float:
            start = time.perf_counter()
            await server.shutdown()
            return time.perf_counter() - start

        shutdown = asyncio.create_task(shut_down())
        await asyncio.sleep(0)
        yield peer, shutdown
        await shutdown
        # `serving` shuts down once more, with nothing left to do.


def test_d36_a_mute_client_delays_no_shutdown(way: Way) -> None:
    async def seconds(ws: Any) -> float:
        app = Recorder(wait_for_the_end)
        async with shutting_down(way, app, "open", ws=ws) as (peer, shutdown):
            frame = await peer.valid_frame()
            assert Close.parse(frame.data) == Close(1012, "")
            async with asyncio.timeout(0.05):  # long before the shutdown is over
                assert await app.ended == {"type": DISCONNECT, "code": 1012}
            assert not shutdown.done()
            taken = await shutdown
            await peer.close()
        return taken

    async def main() -> None:
        theirs = [await seconds(ws) for ws in (WSProtocol, WebSocketsSansIOProtocol)]
        ours = [await seconds(WebSocketProtocol) for _ in range(2)]
        assert min(ours) < max(theirs) + 0.05

    way.run(main)


def test_d36_a_client_that_reads_nothing_delays_no_shutdown(way: Way) -> None:
    async def main() -> None:
        app = Recorder(wait_for_the_end)
        async with shutting_down(way, app, "open") as (peer, shutdown):
            peer.stop_reading()
            async with asyncio.timeout(2):
                assert await app.ended == {"type": DISCONNECT, "code": 1012}
                assert await shutdown < 1
            await peer.close()

    way.run(main)


async def refuse(receive: Any, send: Any) -> Any:
    await receive()
    await send({"type": "websocket.close"})
    return await receive()


async def deny_without_end(receive: Any, send: Any) -> Any:
    await receive()
    await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
    piece = {"type": "websocket.http.response.body", "body": b"x", "more_body": True}
    await send(piece)
    end = await receive()
    with pytest.raises(ClientDisconnected):
        await send(piece)
    return end


@pytest.mark.parametrize("body", [refuse, deny_without_end])
def test_d36_a_client_that_was_refused_delays_no_shutdown(way: Way, body: Any) -> None:
    async def main() -> None:
        app = Recorder(body)
        async with shutting_down(way, app, "refused") as (peer, shutdown):
            async with asyncio.timeout(2):
                assert await app.ended == {"type": DISCONNECT, "code": 1006}
                assert await shutdown < 1
            await peer.close()

    way.run(main)


def test_d36_a_client_that_has_not_answered_a_close_frame_delays_no_shutdown(way: Way) -> None:
    async def close(receive: Any, send: Any) -> None:
        await accept(receive, send)
        await send({"type": "websocket.close"})

    async def main() -> None:
        async with shutting_down(way, Recorder(close), "open") as (peer, shutdown):
            async with asyncio.timeout(2):
                assert await shutdown < 1
            assert Close.parse((await peer.valid_frame()).data) == Close(1000, "")
            await peer.close()

    way.run(main)


def test_d36_a_shutdown_loses_nothing_that_a_client_still_reads(way: Way) -> None:
    size, count = 100_000, 80
    sent = 0

    async def body(receive: Any, send: Any) -> None:
        nonlocal sent
        await accept(receive, send)
        await receive()
        for _ in range(count):
            event = {"type": "websocket.send", "bytes": bytes(size)}
            # No waiting: all of it is to be in the buffers when the server shuts down.
            task = asyncio.ensure_future(send(event))
            await asyncio.sleep(0)
            sent += 1
            task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def main() -> None:
        app = Recorder(body)
        async with way.serving(app) as server:
            peer = await opened(way, server)
            peer.stop_reading()
            peer.send(Frame(Opcode.TEXT, b"go"))
            await until(lambda: sent == count)
            server.should_exit = True
            await until(lambda: not server.servers[0].is_serving())
            await asyncio.sleep(0.3)  # longer than a client gets that has taken everything
            peer.go_on_reading()
            frames = await peer.frames_to_close()
            assert [len(frame.data) for frame in frames[:-1]] == [size] * count
            assert frames[-1].opcode == Opcode.CLOSE
            await peer.close()

    way.run(main)


async def test_d36_a_client_that_reads_nothing_is_cut_off_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = asyncio.Event()

    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send)
        sent.set()
        await send({"type": "websocket.send", "bytes": bytes(10_000_000)})

    app = Recorder(body)
    async with serving(app) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.stop_reading()
        peer.send(REQUEST.encode() + b"\r\n")
        await sent.wait()
        (protocol,) = server.server_state.connections
        assert isinstance(protocol, WebSocketProtocol)
        connection = protocol._connection
        assert isinstance(connection, ws6455.ServerConnection)
        connection.close_timeout = 0.3
        await until(lambda: connection.buffered_amount > 0)
        server.should_exit = True
        with pytest.raises(ClientDisconnected):
            await app.ended
        peer.reset()


# The return of the application --------------------------------------------------------------


@pytest.mark.parametrize("result", [None, 1, False, "", [], object()])
def test_d39_an_application_that_returns_something_ends_with_1011(
    way: Way, result: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> object:
        await accept(receive, send)
        return result

    async def main() -> None:
        async with way.serving(app) as server:
            peer = await opened(way, server)
            assert await peer.answer_close() == Close(1000 if result is None else 1011, "")
            await peer.close()
        errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
        assert errors == (
            []
            if result is None
            else [f"ASGI callable should return None, but returned {result!r}."]
        )

    way.run(main)


@pytest.mark.parametrize("exc", [LookupError("x"), SystemExit(1), ExceptionGroup("x", [OSError()])])
@pytest.mark.parametrize("accepts", [True, False])
def test_d39_an_exception_ends_one_connection_only(
    way: Way, accepts: bool, exc: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if accepts:
            await accept(receive, send)
        raise exc

    async def main() -> None:
        async with way.serving(app) as server:
            for _ in range(2):
                peer = await way.raw(server)
                head = await peer.head()
                if accepts:
                    assert await peer.answer_close() == Close(1011, "")
                else:
                    assert head.startswith("HTTP/1.1 500 ")
                await peer.close()
        errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
        assert errors == ["Exception in ASGI application\n"] * 2

    way.run(main)


@pytest.mark.parametrize("length", [123, 124, 100_000])
async def test_d22_a_long_reason_is_cut(length: int) -> None:
    reason = ("é" * length)[: length // 2] + "x" * (length % 2)

    async def body(receive: Any, send: Any) -> Any:
        await accept(receive, send)
        await send({"type": "websocket.close", "code": 4000, "reason": reason})
        return await receive()

    app = Recorder(body)
    cut = reason if length == 123 else "é" * 60 + "…"
    async with serving(app) as server, ws6455.connect(uri_of(server)) as client:
        assert await closing_of(client) == (4000, cut)
        assert await app.ended == {"type": DISCONNECT, "code": 4000, "reason": cut}


@pytest.mark.parametrize("level", [TRACE_LOG_LEVEL, logging.DEBUG])
def test_d39_uvicorn_traces_the_transport(
    way: Way, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, "uvicorn.error")

    async def main() -> None:
        async with way.serving(Recorder(wait_for_the_end)) as server:
            peer = await opened(way, server)
            host, port = peer.writer.get_extra_info("sockname")
            await peer.close()
            await until(lambda: not server.server_state.connections)
        lines = [r.getMessage() for r in caplog.records if "WebSocket connection" in r.getMessage()]
        events = ["made", "lost"] if level == TRACE_LOG_LEVEL else []
        assert lines == [f"{host}:{port} - WebSocket connection {event}" for event in events]

    way.run(main)


def test_d39_the_transport_of_a_unix_socket_is_traced(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(TRACE_LOG_LEVEL, "uvicorn.error")

    async def main() -> None:
        path = str(tmp_path / "socket")
        app = Recorder(wait_for_the_end)
        async with serving(app, uds=path) as server:
            async with ws6455.connect("ws://localhost/", unix=True, path=path):
                pass
            await until(lambda: not server.server_state.connections)
        assert app.scope["client"] is None
        messages = [record.getMessage() for record in caplog.records]
        assert "WebSocket connection made" in messages
        assert "WebSocket connection lost" in messages

    asyncio.run(main())
