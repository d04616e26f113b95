"""The thread that looks after connections: one that goes wrong takes no other with it."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from tests.contract.conftest import until
from tests.sync.conftest import connected, serving, uri_of
from ws6455 import CloseCode, ConnectionClosedOK, ProtocolError, State
from ws6455.sync.client import ClientConnection, connect
from ws6455.sync.readiness import readiness
from ws6455.sync.watcher import Watcher


def fail(*_: Any) -> None:
    raise LookupError("not to be")


def check_echo(client: ClientConnection) -> None:
    client.send("x")
    assert client.recv(5) == "x"
    assert client.ping().wait(5)  # the watcher's to receive


@pytest.mark.parametrize("step", ["_tick", "_is_to_be_read", "_lose_transport"])
def test_one_connection_that_goes_wrong_is_logged_and_ended_alone(
    step: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server, connect(uri_of(server)) as well:
        ill = connect(uri_of(server), close_timeout=0)
        monkeypatch.setattr(ill, step, fail)
        if step == "_tick":
            ill._watcher.call_at(time.monotonic(), ill)
        elif step == "_lose_transport":
            ill.start_closing()
        else:
            ill._watcher.check_now(ill)
        assert ill.wait_closed(5)
        until(lambda: ill.socket.fileno() == -1)
        failed = [record for record in caplog.records if record.exc_info]
        assert [record.getMessage() for record in failed] == ["connection failed"]
        assert isinstance(failed[0].exc_info, tuple)
        assert failed[0].exc_info[0] is LookupError
        check_echo(well)


def test_a_socket_that_the_application_closed_gives_its_number_to_another_connection() -> None:
    with serving() as server:
        old = connect(uri_of(server))
        until(lambda: old.watched_events != 0)
        with contextlib.closing(socket.create_connection(server.socket.getsockname())) as other:
            until(lambda: len(server._all) == 2)  # nobody else asks for a number from here on
            number = old.socket.fileno()
            old.socket.close()
            os.dup2(other.fileno(), number)
        with connect(uri_of(server), sock=socket.socket(fileno=number)) as new:
            assert new.socket.fileno() == number
            check_echo(new)
            assert old.wait_closed(5)
            check_echo(new)


def test_without_a_thread_for_the_watcher_there_is_no_connection_but_there_may_be_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    until(lambda: Watcher._instance is None)
    here, there = socket.socketpair()
    with here, there, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: fail_for_want())
        with pytest.raises(RuntimeError, match="no thread"):
            connect("ws://localhost/", sock=here, proxy=None)
    assert Watcher._instance is None
    with connected() as (client, server):
        server.send("x")
        assert client.recv(5) == "x"


def fail_for_want() -> None:
    raise RuntimeError("no thread")


def test_silence_is_none_while_bytes_wait_to_be_read() -> None:
    with connected(ping_interval=20, ping_timeout=20) as (client, server):
        with client._lock:
            client._attended = True  # as by a thread that has yet to be given its turn
        server.send("x")
        assert readiness(client.socket)(5)
        claim_silence(client)
        client.handle_timer()
        assert client.state is State.OPEN
        assert client.recv(5) == "x"
        client.ping().wait(5)
        claim_silence(client)
        client.handle_timer()
        assert client.protocol.close_sent is not None
        assert client.protocol.close_sent.code == CloseCode.INTERNAL_ERROR


def claim_silence(client: ClientConnection) -> None:
    with client._lock:
        client._keepalive._silent_since = time.monotonic() - 21
        client._keepalive.heard = False


class HalfRecord:
    """A socket whose TLS holds the first half of a record: it says so, and cannot read it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def recv(self, size: int) -> bytes:
        self.reads += 1
        return self.sock.recv(size)

    def pending(self) -> int:
        return 1


def test_half_a_tls_record_is_waited_for_without_trying_all_the_time() -> None:
    with connected() as (client, server):
        half = HalfRecord(client.socket)
        with client._lock:
            client.socket = client._io.socket = half  # type: ignore[assignment]  # stands for one
            client._io.is_tls = True
        with pytest.raises(TimeoutError):
            client.recv(0.2)
        assert half.reads < 10
        server.send("x")
        assert client.recv(5) == "x"


def test_a_close_within_a_step_of_the_same_thread_is_done_after_it() -> None:
    with connected() as (client, server):
        with client._lock:  # as a signal's handler may find it
            client.close(1001, "signal")
            assert client.state is State.OPEN
            with pytest.raises(ProtocolError):
                client.close(1005)
        assert client.wait_closed(5)
        with pytest.raises(ConnectionClosedOK, match=r"received 1001 .*signal"):
            server.recv(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_has_a_watcher_of_its_own() -> None:
    program = (
        "import os, threading\n"
        "from ws6455.sync.server import serve\n"
        "from ws6455.sync.client import connect\n"
        "s = serve(lambda c: [c.send(m) for m in c], '127.0.0.1', 0)\n"
        "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
        "uri = f'ws://127.0.0.1:{s.socket.getsockname()[1]}/'\n"
        "with connect(uri):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        with connect(uri, close_timeout=1) as c:\n"
        "            c.send('x'); c.recv(); ok = c.ping().wait(5)\n"
        "        os._exit(0 if ok else 1)\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
    )
    warnings_off = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    subprocess.run(warnings_off, check=True, timeout=20)
