"""Every peer's server answers correctly: plain, compressed, and to all connections."""

import asyncio
import signal
import ssl
from pathlib import Path

import pytest

import ws6455
from benchmarks import load
from benchmarks.load import Message
from benchmarks.message import payload
from benchmarks.peers import PEERS, Peer
from tests.benchmarks.programs import serving, start

# Servers that parse messages; the answers of `raw` depend on the payload size alone.
pytestmark = pytest.mark.usefixtures("compiler")

PARSING = [peer for peer in PEERS if peer.name != "raw"]
MESSAGES = [
    data for n in (0, 5, 126, 70_000, 2 << 20) for data in (payload(n), payload(n).decode())
]


def by_name(peer: Peer) -> str:
    return peer.name


def numpy_is_loaded(pid: int) -> bool:
    return "numpy" in Path(f"/proc/{pid}/maps").read_text()


async def check_echo(
    uri: str, messages: list[bytes | str], *, deflate: bool, tls: ssl.SSLContext | None = None
) -> None:
    """Exchange messages one by one, then all at once, with a client that offers compression."""
    async with ws6455.connect(uri, max_size=None, ssl=tls) as websocket:
        assert websocket.response is not None
        agreed = websocket.response.headers.get("Sec-WebSocket-Extensions", "")
        assert agreed.startswith("permessage-deflate") == deflate
        for message in messages:
            await websocket.send(message)
            assert await websocket.recv() == message
        sending = asyncio.create_task(_send_all(websocket, messages))
        for message in messages:
            assert await websocket.recv() == message
        await sending


async def hang_up(connection: ws6455.ClientConnection) -> None:
    """End a connection without a closing handshake, which the raw server does not support."""
    assert connection.transport is not None
    connection.transport.abort()
    await connection.wait_closed()


async def _send_all(websocket: ws6455.ClientConnection, messages: list[bytes | str]) -> None:
    for message in messages:
        await websocket.send(message)


@pytest.mark.parametrize("peer", PARSING, ids=by_name)
async def test_messages_come_back_as_they_were_sent(peer: Peer) -> None:
    with serving(peer.name, may_complain=True) as (port, process):
        await check_echo(f"ws://127.0.0.1:{port}/", MESSAGES, deflate=False)
        if peer.module == "ws6455":
            # With numpy, it would unmask large payloads.
            assert numpy_is_loaded(process.pid) == (not peer.hides_numpy)
        # The server keeps running after loads that end without a closing handshake.
        assert load.handshakes(port, 8, 0.1).messages > 0
        with load.hold(port, 100):
            pass
        assert load.echo(port, 4, 4, 0.1, Message(64)).messages > 0


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.threads], ids=by_name)
async def test_threads_send_them_back_as_well(peer: Peer) -> None:
    with serving(peer.name, "--loop", "threads", may_complain=True) as (port, _):
        await check_echo(f"ws://127.0.0.1:{port}/", MESSAGES, deflate=False)
        assert load.echo(port, 4, 4, 0.1, Message(64)).messages > 0


@pytest.mark.parametrize("peer", PARSING, ids=by_name)
async def test_so_they_do_over_tls_and_compressed_if_the_peer_can(
    peer: Peer, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    load.make_certificate(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    deflate = ["--deflate"] if peer.compresses else []
    with serving(peer.name, "--tls", str(certificate), *deflate) as (port, _):
        uri = f"wss://127.0.0.1:{port}/"
        await check_echo(uri, MESSAGES, deflate=peer.compresses, tls=trusting)


@pytest.mark.parametrize("peer", PEERS, ids=by_name)
async def test_a_fan_out_reaches_all_and_the_sender(peer: Peer) -> None:
    arguments = ("--workload", "fan-out", "--loop", "uvloop", "--size", "64")
    with serving(peer.name, *arguments) as (port, _):
        uri = f"ws://127.0.0.1:{port}/"
        for message in (payload(64), payload(64).decode()):
            connections = [await ws6455.connect(uri) for _ in range(4)]
            if peer.name != "raw":
                # A server may register a connection only once its handler runs.
                for connection in connections:
                    await (await connection.ping())
            for _ in range(3):
                await connections[1].send(message)
                received = [await connection.recv() for connection in connections]
                assert received == [message] * 4
            for connection in connections:
                await hang_up(connection)


@pytest.mark.parametrize("size", [0, 200, 70_000])
async def test_raw_answers_as_an_echo_server_would(size: int) -> None:
    with serving("raw", "--size", str(size)) as (port, _):
        for message in (payload(size), payload(size).decode()):
            uri = f"ws://127.0.0.1:{port}/"
            connection = await ws6455.connect(uri, compression=None)
            for _ in range(3):
                await connection.send(message)
                assert await connection.recv() == message
            await hang_up(connection)
        # The load splits and batches the messages, and checks the length of every answer.
        assert load.echo(port, 3, 16, 0.2, Message(size)).messages > 0


# The command --------------------------------------------------------------------------------


def test_sigterm_ends_a_server_well() -> None:
    with start("servers", "raw", "--size", "1") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["websocket"], "argument PEER: invalid choice: 'websocket' (choose from 'ws6455', "),
        (["ws6455", "--workload", "work"], "argument --workload: invalid choice: 'work'"),
        (["ws6455", "--loop", "trio"], "argument --loop: invalid choice: 'trio'"),
        (["picows", "--deflate"], "picows has no permessage-deflate"),
        (["picows", "--loop", "threads"], "picows has no such server with threads"),
        (["raw", "--size", "x"], "argument --size: invalid int value: 'x'"),
        (["ws6455", "--tls", "/nowhere.pem"], "argument --tls: /nowhere.pem: "),
        (["ws6455", "--tls", __file__], "argument --tls: "),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str], complaint: str) -> None:
    with start("servers", *arguments) as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert out == ""
    assert complaint in err
