"""Subjects of threads alone: locks, signals, one socket and two threads."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.conftest import until
from tests.contract.peers import connect_raw, listen_raw
from tests.frames import text
from tests.sync.conftest import connected, echo, serving, uri_of
from ws6455 import ConnectionClosed, ConnectionClosedOK, Opcode, State
from ws6455.sync.client import connect
from ws6455.sync.server import ServerConnection

SERVER = """
    import {signals}
    from ws6455.sync.server import serve

    def handler(websocket):
        websocket.send("ready")
        for message in websocket:
            websocket.send(message)

    server = serve(handler, "127.0.0.1", 0)
    print(server.socket.getsockname()[1], flush=True)
    try:
        {run}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
IN_WITH = """
        with server:
            server.serve_forever()
"""


@pytest.mark.parametrize("run", ["server.serve_forever()", IN_WITH.strip()])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a20_one_signal_ends_a_server(run: str, number: int) -> None:
    program = textwrap.dedent(SERVER).format(signals="signal", run=run)
    program = program.replace(
        "server = serve",
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\nserver = serve",
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with ThreadPoolExecutor(2) as pool:
            clients = [connect(f"ws://127.0.0.1:{port}/") for _ in range(2)]
            assert [client.recv() for client in clients] == ["ready", "ready"]
            receiving = [pool.submit(client.recv) for client in clients]
            sent = time.monotonic()
            process.send_signal(number)
            assert process.stdout.read() == b"interrupted\n"
            assert process.wait(5) == 0
            assert time.monotonic() - sent < 3
            for future in receiving:
                with pytest.raises(ConnectionClosedOK):
                    future.result(5)
            assert [client.close_code for client in clients] == [1001, 1001]


def test_a_signals_handler_may_shut_the_server_down() -> None:
    program = textwrap.dedent(SERVER).format(signals="signal", run="server.serve_forever()")
    program = program.replace(
        "print(server", "signal.signal(signal.SIGTERM, lambda *_: server.shutdown())\nprint(server"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with connect(f"ws://127.0.0.1:{port}/") as client:
            assert client.recv() == "ready"
            process.send_signal(signal.SIGTERM)
            client.wait_closed(5)
            assert client.close_code == 1001
        assert process.wait(5) == 0


def test_a_signals_handler_may_close_the_connection_that_its_thread_receives_from() -> None:
    assert threading.current_thread() is threading.main_thread()
    with connected() as (client, _):
        before = signal.signal(signal.SIGUSR1, lambda *_: client.close(1001))
        me = threading.get_ident()
        timer = threading.Timer(0.1, signal.pthread_kill, [me, signal.SIGUSR1])
        try:
            timer.start()
            started = time.monotonic()
            with pytest.raises(ConnectionClosedOK, match="sent 1001"):
                client.recv()
            assert time.monotonic() - started < 5
        finally:
            timer.join()
            signal.signal(signal.SIGUSR1, before)


def test_a20_closing_with_unread_data_does_not_deadlock() -> None:
    def flood(connection: ServerConnection) -> None:
        while True:
            connection.send("x" * 10_000)

    with serving(flood) as server, connect(uri_of(server), max_queue=2) as client:
        assert client.recv() == "x" * 10_000
        until(lambda: client._reading_paused)
        started = time.monotonic()
        client.close()
        assert time.monotonic() - started < 5
        assert client.close_code == 1000


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("ending", ["close", "reset", "timeout"])
def test_a12_a_closed_connection_goes_without_the_collector(ending: str) -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect, server.uri, close_timeout=0.1)
        peer = server.accept()
        peer.open()
        client = connecting.result()
        del connecting
        if ending == "close":
            answering = pool.submit(peer.answer_close)
            client.close()
            answering.result(5)
        elif ending == "reset":
            peer.reset()
            client.wait_closed()
        else:
            client.close()
        reference = weakref.ref(client)
        del client
        until(lambda: reference() is None)


@pytest.mark.usefixtures("no_collector")
def test_a12_neither_does_the_servers_end_stay() -> None:
    references: list[weakref.ref[ServerConnection]] = []

    def handler(connection: ServerConnection) -> None:
        references.append(weakref.ref(connection))
        connection.recv()

    with serving(handler) as server:
        with connect(uri_of(server)) as client:
            client.send("x")
        until(lambda: references[0]() is None)


def test_a_timeout_loses_nothing_and_zero_only_looks() -> None:
    with connected() as (client, server):
        for timeout in (0.05, 0, -1):
            started = time.monotonic()
            with pytest.raises(TimeoutError, match="timed out in"):
                client.recv(timeout)
            assert time.monotonic() - started < 1
        server.send("late")
        assert client.recv(5) == "late"
        server.send("there")
        until(lambda: len(client.protocol.queue.messages) == 1)
        assert client.recv(0) == "there"


def test_polling_alone_receives() -> None:
    with connected() as (client, server):
        server.send("x")
        received: list[str | bytes] = []

        def poll() -> bool:
            try:
                received.append(client.recv(0))
            except TimeoutError:
                return False
            return True

        until(poll)
        assert received == ["x"]


def test_wait_closed_tells_whether_it_is() -> None:
    with connected() as (client, server):
        assert client.wait_closed(0.01) is False
        server.start_closing()
        assert client.wait_closed(5) is True
        assert client.state is State.CLOSED


def test_a_pings_event_is_set_by_the_pong_and_by_the_end_only_if_asked() -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect, server.uri)
        peer = server.accept()
        peer.open()
        client = connecting.result()
        plain, asked = client.ping(), client.ping(ack_on_close=True)
        assert {peer.frame().opcode for _ in range(2)} == {Opcode.PING}
        peer.close()
        assert client.wait_closed(5)
        assert asked.wait(5)
        assert not plain.is_set()


def test_the_socket_is_there_and_is_closed_in_the_end() -> None:
    with connected() as (client, server):
        assert client.socket.getpeername() == client.remote_address
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    until(lambda: client.socket.fileno() == server.socket.fileno() == -1)


def test_an_application_that_closes_the_socket_itself_ends_the_connection() -> None:
    with connected() as (client, server):
        client.socket.shutdown(socket.SHUT_RDWR)
        client.socket.close()
        with pytest.raises(ConnectionClosed):
            client.send("x")
        assert server.wait_closed(5)


def test_one_slow_connection_does_not_hold_up_the_others() -> None:
    with serving(echo) as server, connect_raw(server.socket.getsockname()[1]) as slow:
        slow.head()
        slow.send(*[text("x" * 100_000)] * 20)  # and takes no answer
        with connect(uri_of(server)) as client:
            for _ in range(20):
                client.send("quick")
                assert client.recv(5) == "quick"
