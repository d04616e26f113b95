"""Tests of ws6455.aio.sockets; the race itself is tested in tests/edges/test_connecting.py."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from ws6455.aio.sockets import look_up, open_tcp, open_transport, open_unix
from ws6455.client.deadline import Deadline


@pytest.fixture
def deadline() -> Deadline:
    return Deadline(None, lambda: asyncio.get_running_loop().time())


async def test_an_address_needs_no_lookup(
    monkeypatch: pytest.MonkeyPatch, deadline: Deadline
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", None)
    found = await look_up("127.0.0.1", 80, deadline)
    assert [info[4] for info in found] == [("127.0.0.1", 80)]
    assert deadline.step == "connecting"


async def test_a_name_is_looked_up(deadline: Deadline) -> None:
    found = await look_up("localhost", 80, deadline, family=socket.AF_INET)
    assert [info[4] for info in found] == [("127.0.0.1", 80)]
    assert deadline.step == "resolving localhost"
    with pytest.raises(socket.gaierror):
        await look_up("127.0.0.1", 80, deadline, family=socket.AF_INET6)


async def test_the_socket_is_connected_and_does_not_block(deadline: Deadline) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with await open_tcp(address[0], address[1], deadline) as sock:
            assert sock.getpeername() == address
            assert sock.gettimeout() == 0
    assert deadline.step == f"connecting to 127.0.0.1:{address[1]}"


async def test_a_local_address_of_the_other_family_cannot_be_bound(deadline: Deadline) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match="no local address of the same family"):
            await open_tcp("127.0.0.1", port, deadline, local_addr=("::1", 0))


async def test_an_ipv6_address_with_a_zone(deadline: Deadline) -> None:
    # Nothing has such an address on the loopback interface: it is the zone's error that counts.
    with pytest.raises(OSError, match="fe80::1") as caught:
        await asyncio.wait_for(open_tcp("fe80::1%lo", 9, deadline), 5)
    codes = (errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.ECONNREFUSED, errno.EHOSTUNREACH)
    assert caught.value.errno in codes


async def test_a_factory_that_raises_closes_the_socket(deadline: Deadline) -> None:
    def fail() -> asyncio.Protocol:
        raise LookupError

    ours, theirs = socket.socketpair()
    with theirs:
        with pytest.raises(LookupError):
            await open_transport(fail, ours, deadline, None, {})
        assert ours.fileno() == -1
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(TypeError):
        await open_transport(asyncio.Protocol, ours, deadline, None, {}, no_such_option=1)
    assert ours.fileno() == -1


async def test_a_unix_socket(tmp_path: Path, deadline: Deadline) -> None:
    path = tmp_path / "socket"
    with pytest.raises(FileNotFoundError):
        await open_unix(path, deadline)
    assert deadline.step == f"connecting to {path}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        listener.listen()
        with await open_unix(path, deadline) as sock:
            assert sock.gettimeout() == 0
