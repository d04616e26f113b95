"""The load generator counts correctly and reports errors."""

import asyncio
import os
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import ws6455
from benchmarks import load
from benchmarks.load import Load, LoadFailed, Message
from benchmarks.message import frame, payload
from tests.benchmarks.programs import SILENCE, Counting

pytestmark = pytest.mark.usefixtures("compiler")

# Long enough for a counting server's silence and its few answers, even on a busy machine.
SECONDS = 1.0

Handler = Callable[[ws6455.ServerConnection], Any]


@pytest.fixture
def dead_port() -> int:
    """Return a port without a listener: that of a server that has ended."""
    with load.start_echo_server() as port:
        return port


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[int]:
    async with ws6455.serve(handler, "127.0.0.1", 0, **options) as server:
        (listener,) = server.sockets
        yield listener.getsockname()[1]


async def echo(
    port: int, message: Message, connections: int = 1, in_flight: int = 1, seconds: float = 0.2
) -> Load:
    return await asyncio.to_thread(load.echo, port, connections, in_flight, seconds, message)


# The bytes ----------------------------------------------------------------------------------


def test_payloads_are_ascii_of_the_size_asked_for_and_always_the_same() -> None:
    for size in (0, 1, 65535, 65536, 200_000):
        assert len(payload(size)) == size
        assert payload(size) == payload(300_000)[:size]
    assert payload(100_000).isascii()
    compressed = len(zlib.compress(payload(60_000)))
    assert 3_000 < compressed < 30_000


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70001])
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("deflate", [False, True])
def test_a_frame_is_what_a_server_reads_as_the_payload(
    size: int, text: bool, deflate: bool
) -> None:
    data = frame(Message(size, text, deflate))
    assert data[0] == (0x81 if text else 0x82) | (0x40 if deflate else 0)
    header = {126: 8, 127: 14}.get(data[1] & 127, 6)
    key, masked = data[header - 4 : header], data[header:]
    plain = bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))
    if deflate:
        plain = zlib.decompressobj(-15).decompress(plain + b"\0\0\xff\xff")
    assert plain == payload(size)
    assert data[1] & 0x80


# Echo ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connections", "in_flight"), [(1, 1), (3, 4)])
async def test_every_answer_is_counted_and_no_other(connections: int, in_flight: int) -> None:
    async with Counting(50).serving() as server:
        found = await echo(server.port, Message(300), connections, in_flight, SECONDS)
    assert found.messages == 50
    # The answered messages and those sent after them, but no others.
    assert len(server.received) <= 50 + connections * in_flight
    assert set(server.received) == {payload(300)}
    assert server.extensions == {None}
    assert found.seconds == pytest.approx(SECONDS, rel=0.5)
    assert found.rate == found.messages / found.seconds
    assert found.busy == found.cpu_seconds / found.seconds > 0


async def test_as_many_messages_are_in_flight_as_asked_for() -> None:
    async with Counting(0).serving() as server:
        with pytest.raises(LoadFailed, match="no answer in"):
            await echo(server.port, Message(10), 3, 7)
    assert len(server.received) == 21


@pytest.mark.parametrize("text", [False, True])
async def test_messages_are_of_the_type_and_compression_asked_for(text: bool) -> None:
    async with Counting(20).serving() as server:
        found = await echo(server.port, Message(5000, text, True), seconds=SECONDS)
    assert found.messages == 20
    assert set(server.received) == {payload(5000).decode() if text else payload(5000)}
    (agreed,) = server.extensions
    assert agreed is not None
    assert agreed.startswith("permessage-deflate")


async def test_large_messages_go_both_ways_at_once() -> None:
    size = 3 << 20
    async with Counting(1 << 30).serving(max_size=size) as server:
        server.silence_ends.set()
        found = await echo(server.port, Message(size), 2, 2, 1.0)
    assert 0 < found.messages <= len(server.received)
    assert set(server.received) == {payload(size)}
    assert 0 < found.p50 <= found.p99 < 60


async def test_a_latency_is_the_time_from_message_to_answer() -> None:
    delay = 0.05

    async def slow(connection: ws6455.ServerConnection) -> None:
        async for message in connection:
            await asyncio.sleep(delay)
            await connection.send(message)

    async with serving(slow) as port:
        found = await echo(port, Message(16), in_flight=1, seconds=0.6)
    assert delay * 0.98 < found.p50 <= found.p99
    assert found.p50 < 10 * delay


async def test_fragments_and_control_frames_are_told_from_messages() -> None:
    answers = 0

    async def fragmenting(connection: ws6455.ServerConnection) -> None:
        nonlocal answers
        async for message in connection:
            assert isinstance(message, bytes)
            if not answers:
                await asyncio.sleep(SILENCE)
            if answers < 10:
                answers += 1
                await connection.ping()
                await connection.send([message[:100], b"", message[100:]])

    async with serving(fragmenting) as port:
        found = await echo(port, Message(250), seconds=SECONDS)
    assert found.messages == 10


# Errors -------------------------------------------------------------------------------------


async def test_an_answer_of_another_length_is_an_error() -> None:
    async def longer(connection: ws6455.ServerConnection) -> None:
        async for message in connection:
            assert isinstance(message, bytes)
            await connection.send(message + b"!")

    async with serving(longer) as port:
        with pytest.raises(LoadFailed, match="an answer of 301 bytes to a message of 300"):
            await echo(port, Message(300))


async def test_more_answers_than_messages_are_an_error() -> None:
    async def twice(connection: ws6455.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)
            await connection.send(message)

    async with serving(twice) as port:
        with pytest.raises(LoadFailed, match="more answers than messages"):
            await echo(port, Message(10), seconds=SECONDS)


async def test_a_close_frame_is_an_error() -> None:
    async def closing(connection: ws6455.ServerConnection) -> None:
        await connection.recv()

    async with serving(closing) as port:
        with pytest.raises(LoadFailed, match="the server closed a connection"):
            await echo(port, Message(10), seconds=SECONDS)


async def test_the_end_of_a_connection_is_an_error() -> None:
    async def ending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    async with await asyncio.start_server(ending, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LoadFailed, match=r"ended a connection|reset by peer"):
            await echo(port, Message(10), seconds=SECONDS)


async def test_a_refusal_is_an_error() -> None:
    def refuse(connection: ws6455.ServerConnection, request: ws6455.Request) -> ws6455.Response:
        return connection.respond(403, "no\n")

    async with serving(lambda connection: connection.wait_closed(), process_request=refuse) as port:
        with pytest.raises(LoadFailed, match=r"refused: HTTP/1\.1 403 Forbidden"):
            await echo(port, Message(10))


async def test_compression_that_is_refused_is_an_error() -> None:
    async with Counting(1).serving(compression=None) as server:
        with pytest.raises(LoadFailed, match="permessage-deflate is refused"):
            await echo(server.port, Message(10, deflate=True))


def test_a_dead_port_is_an_error(dead_port: int) -> None:
    message = Message(10)
    with pytest.raises(LoadFailed, match=f"cannot connect to port {dead_port}"):
        load.echo(dead_port, 1, 1, 0.1, message)
    with pytest.raises(LoadFailed, match=f"cannot connect to port {dead_port}"):
        load.fan_out(dead_port, 2, 0.1, message)
    with pytest.raises(LoadFailed, match=f"cannot connect to port {dead_port}"):
        load.handshakes(dead_port, 2, 0.1)
    with (
        pytest.raises(LoadFailed, match=f"cannot connect to port {dead_port}"),
        load.hold(dead_port, 2),
    ):
        pass


def test_more_connections_than_open_files_is_an_error(dead_port: int) -> None:
    with pytest.raises(LoadFailed, match=r"only \d+ open files are allowed"):
        load.handshakes(dead_port, 1 << 31, 0.1)


# The other loads ----------------------------------------------------------------------------


async def test_fan_out_counts_what_all_receive() -> None:
    turns = 0
    open_now: set[ws6455.ServerConnection] = set()

    async def fan_out(connection: ws6455.ServerConnection) -> None:
        nonlocal turns
        open_now.add(connection)
        async for message in connection:
            if turns == 0:
                await asyncio.sleep(SILENCE)
            if turns < 10:
                turns += 1
                ws6455.broadcast(open_now, message)

    async with serving(fan_out) as port:
        found = await asyncio.to_thread(load.fan_out, port, 5, SECONDS, Message(64))
    assert len(open_now) == 5
    assert found.messages == 50


async def test_handshakes_are_counted_when_the_response_has_come() -> None:
    requests = 0
    end = asyncio.Event()

    async def answer(connection: ws6455.ServerConnection, request: ws6455.Request) -> None:
        nonlocal requests
        requests += 1
        if requests <= 4:
            await asyncio.sleep(SILENCE)
        elif requests > 20:
            await end.wait()

    async def handler(connection: ws6455.ServerConnection) -> None:
        await connection.wait_closed()

    async with serving(handler, process_request=answer) as port:
        found = await asyncio.to_thread(load.handshakes, port, 4, SECONDS)
        end.set()
    assert found.messages == 20
    assert requests == 24


async def test_connections_are_held_for_the_length_of_the_block() -> None:
    open_now: set[ws6455.ServerConnection] = set()
    all_closed = asyncio.Event()
    extensions = set()

    async def handler(connection: ws6455.ServerConnection) -> None:
        assert connection.response is not None
        extensions.add("Sec-WebSocket-Extensions" in connection.response.headers)
        open_now.add(connection)
        await connection.wait_closed()
        open_now.remove(connection)
        if not open_now:
            all_closed.set()

    async with serving(handler) as port:
        holding = load.hold(port, 200, deflate=True)
        await asyncio.to_thread(holding.__enter__)
        await asyncio.sleep(0.1)
        assert len(open_now) == 200
        holding.__exit__(None, None, None)
        async with asyncio.timeout(10):
            await all_closed.wait()
    assert extensions == {True}


async def test_handshakes_over_tls(tmp_path: Path, dead_port: int) -> None:
    certificate, another = tmp_path / "certificate.pem", tmp_path / "another.pem"
    load.make_certificate(certificate)
    load.make_certificate(another)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    opened = 0

    async def handler(connection: ws6455.ServerConnection) -> None:
        nonlocal opened
        opened += 1

    async with serving(handler, ssl=context) as port:
        found = await asyncio.to_thread(load.tls_handshakes, port, certificate, 0.5)
        assert 0 < found.messages <= opened
        assert 0 < found.p50 <= found.p99
        assert found.cpu_seconds > 0
        with pytest.raises(LoadFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await asyncio.to_thread(load.tls_handshakes, port, another, 0.1)
    with pytest.raises(LoadFailed, match="refused"):
        load.tls_handshakes(dead_port, certificate, 0.1)


def test_a_compiled_program_runs_on_the_core_that_it_is_given() -> None:
    core = max(os.sched_getaffinity(0))
    with load.start_echo_server(core):
        children = Path("/proc/thread-self/children").read_text().split()
        assert [os.sched_getaffinity(int(pid)) for pid in children] == [{core}]
