"""serve: starting and closing, its arguments, and that clients are apart."""

import asyncio
import socket
import subprocess
import sys
from typing import Any

import pytest

import ws6455
from tests.aio.conftest import iterate, raw_client, serving_one, until
from tests.conftest import port_of, uri_of
from tests.frames import text
from ws6455 import (
    Close,
    InvalidStatus,
    Opcode,
    ProtocolError,
    Request,
    Response,
    ServerConnection,
    State,
    connect,
    serve,
)
from ws6455.testing import RawPeer, opening_request


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_a28_closing_the_server_closes_connections_with_1001() -> None:
    async with serve(echo, "localhost", 0) as server, connect(uri_of(server)) as client:
        client_uri = uri_of(server)
        assert {connection.state for connection in server.connections} == {State.OPEN}
        server.close()
        server.close()
        assert not server.is_serving()
        await server.wait_closed()
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (1001, "")
        assert server.connections == set()
        with pytest.raises(ConnectionRefusedError):
            await connect(client_uri)


async def test_a28_closing_with_another_code_and_reason() -> None:
    async with serve(echo, "localhost", 0) as server, connect(uri_of(server)) as client:
        with pytest.raises(ProtocolError, match="invalid close code"):
            server.close(code=1006)
        assert server.is_serving()
        server.close(code=1012, reason="back soon")
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (1012, "back soon")


async def test_a28_closing_without_the_connections_waits_for_their_handlers() -> None:
    async with serve(echo, "localhost", 0) as server, connect(uri_of(server)) as client:
        server.close(close_connections=False)
        closed = asyncio.create_task(server.wait_closed())
        await client.send("still served")
        assert await client.recv() == "still served"
        assert not closed.done()
        await client.close()
        await closed


async def test_closing_refuses_handshakes_under_way() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def process_request(connection: ServerConnection, request: Request) -> None:
        asked.set()
        await answer.wait()

    async with serve(echo, "localhost", 0, process_request=process_request) as server:
        opening = asyncio.ensure_future(asyncio.wait_for(connect(uri_of(server)), 5))
        await asked.wait()
        server.close()
        answer.set()
        with pytest.raises(InvalidStatus, match="503"):
            await opening
        await server.wait_closed()


async def test_closing_cuts_off_who_has_sent_no_request() -> None:
    async with (
        serve(echo, "localhost", 0) as server,
        await RawPeer.connect("127.0.0.1", port_of(server)) as idle,
    ):
        idle.send(opening_request()[:20])
        await until(lambda: len(server._all) == 1)
        server.close()
        async with asyncio.timeout(1):
            assert await idle.bytes_to_end() == b""
            await server.wait_closed()


async def test_serve_forever_ends_when_cancelled_and_closes() -> None:
    server = await serve(echo, "localhost", 0)
    serving = asyncio.create_task(server.serve_forever())
    async with connect(uri_of(server)) as client:
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await client.wait_closed()
        assert client.close_code == 1001


async def test_serve_forever_ends_when_the_server_is_closed() -> None:
    server = await serve(echo, "localhost", 0)
    serving = asyncio.create_task(server.serve_forever())
    await iterate(1)
    server.close()
    async with asyncio.timeout(1):
        await serving


async def test_a_server_can_start_later() -> None:
    async with serve(echo, "localhost", 0, start_serving=False) as server:
        assert not server.is_serving()
        await server.start_serving()
        assert server.is_serving()
        assert server.get_loop() is asyncio.get_running_loop()
        async with connect(uri_of(server)) as client:
            await client.send("x")
            assert await client.recv() == "x"


async def test_a_port_in_use_is_an_oserror() -> None:
    async with serve(echo, "127.0.0.1", 0) as server:
        with pytest.raises(OSError, match="address already in use"):
            await serve(echo, "127.0.0.1", port_of(server))


async def test_a_socket_of_ones_own_and_not_host_and_port_as_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        with pytest.raises(ValueError, match="host and port"):
            serve(echo, "localhost", 0, sock=sock)
        async with serve(echo, sock=sock) as server, connect(uri_of(server)) as client:
            await client.send("x")
            assert await client.recv() == "x"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"compression": "zip"}, "unsupported compression"),
        ({"subprotocols": ["a b"]}, "invalid subprotocol"),
        ({"max_queue": (1, 2)}, "water marks"),
        ({"write_limit": -1}, "write_limit must be at least 0"),
    ],
)
async def test_wrong_arguments_are_told_at_once(options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        serve(echo, "localhost", 0, **options)
    with pytest.raises(TypeError, match="sequence of strings"):
        serve(echo, "localhost", 0, subprotocols="chat")


async def test_two_servers_in_one_process_are_apart() -> None:
    async with (
        serve(echo, "127.0.0.1", 0) as one,
        serve(echo, "127.0.0.1", 0) as other,
        connect(uri_of(one)) as client,
    ):
        assert (len(one.connections), len(other.connections)) == (1, 0)
        other.close()
        await other.wait_closed()
        await client.send("x")
        assert await client.recv() == "x"


async def test_a_connection_class_of_ones_own_and_attributes_on_it() -> None:
    class Player(ServerConnection):
        name = "nobody"

    async def handler(connection: Player) -> None:
        connection.name = "somebody"
        vars(connection)["points"] = 3
        [same] = connection.server.connections if connection.server else set()
        assert isinstance(same, Player)
        await connection.send(f"{same.name} {vars(same)['points']}")

    async with (
        serve(handler, "localhost", 0, create_connection=Player) as server,
        connect(uri_of(server)) as client,
    ):
        assert await client.recv() == "somebody 3"


async def test_the_server_header_and_process_response() -> None:
    def process_response(_: ServerConnection, request: Request, response: Response) -> None:
        response.headers["X-Path"] = request.path

    async def replace(_: ServerConnection, __: Request, response: Response) -> Response:
        copy = Response(101, "Fine", response.headers.copy())
        copy.headers["X-Replaced"] = "yes"
        return copy

    async with (
        serve(echo, "localhost", 0, process_response=process_response) as server,
        connect(uri_of(server) + "a") as client,
    ):
        assert client.response is not None
        assert client.response.headers["X-Path"] == "/a"
        assert client.response.headers["Server"].startswith("Python/")
    async with (
        serve(echo, "localhost", 0, process_response=replace, server_header=None) as server,
        connect(uri_of(server)) as client,
    ):
        assert client.response is not None
        assert client.response.headers["X-Replaced"] == "yes"
        assert "Server" not in client.response.headers


async def test_one_clients_error_reaches_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ServerConnection):
        async def handshake(self, *args: Any, **kwargs: Any) -> None:
            assert self.request is not None
            if self.request.path == "/bad":
                raise LookupError("a bug")
            await super().handshake(*args, **kwargs)

    async with (
        serve(echo, "localhost", 0, create_connection=Broken) as server,
        connect(uri_of(server)) as good,
    ):
        with pytest.raises(ws6455.InvalidMessage):
            await connect(uri_of(server) + "bad")
        assert [r.getMessage() for r in caplog.records if r.exc_info] == ["connection failed"]
        await good.send("x")
        assert await good.recv() == "x"


async def test_a_client_that_leaves_while_it_is_answered_ends_the_answering() -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def process_request(_: ServerConnection, __: Request) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with serve(echo, "localhost", 0, process_request=process_request) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(opening_request())
        await asked.wait()
        await peer.close()
        async with asyncio.timeout(1):
            await cancelled.wait()
        await until(lambda: not server._all)


async def test_a_client_that_leaves_before_its_task_starts_is_forgotten() -> None:
    async with serving_one() as (server, _):
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        await until(lambda: len(server._all) == 1)
        [connection] = server._all
        connection.receive(opening_request())
        connection._abort()
        connection.connection_lost(None)
        await iterate(3)
        assert server._all == set()
        await peer.close()


async def test_frames_glued_to_the_request_are_received_after_the_handshake() -> None:
    async with serve(echo, "localhost", 0, compression=None) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(opening_request(), text("early"))
        await peer.head()
        assert await peer.valid_frame() == text("early")
        await peer.close()


LOOP_ENDS = """
import asyncio, sys
from ws6455 import connect, serve

async def handler(connection):
    started.set()
    await asyncio.Event().wait()

async def main():
    global started
    started = asyncio.Event()
    server = await serve(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sys.argv[1].encode())
    await started.wait()
    writer.close()
    server.server.close()

asyncio.run(main())
"""


def test_a_loop_that_ends_while_handlers_run_leaves_nothing_behind() -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", LOOP_ENDS, opening_request().decode()],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


async def test_cancelling_a_handler_says_going_away() -> None:
    async with serving_one() as (server, first), raw_client(server) as peer:
        connection = await first
        assert connection._task is not None
        connection._task.cancel()
        frame = await peer.valid_frame()
        assert frame.opcode is Opcode.CLOSE
        assert Close.parse(frame.data).code == 1001
        await connection.wait_closed()
        await until(lambda: not server._all)


async def test_a_connection_does_not_open_behind_the_closing() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def process_response(_: ServerConnection, __: Request, ___: Response) -> None:
        asked.set()
        await go_on.wait()

    async with serve(echo, "localhost", 0, process_response=process_response) as server:
        connecting = asyncio.create_task(_status_of(uri_of(server)))
        await asked.wait()
        server.close()
        go_on.set()
        assert await connecting == 503
        await asyncio.wait_for(server.wait_closed(), 5)


async def _status_of(uri: str) -> int:
    """Connect in vain; give the status of the refusal."""
    with pytest.raises(ws6455.InvalidStatus) as caught:
        await connect(uri)
    return caught.value.response.status_code
