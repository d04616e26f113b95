"""The PROXY protocol's header before TLS and the opening handshake, over both front ends."""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ws6455
import ws6455.sync.server
from tests.aio.conftest import contexts as contexts
from tests.contract.adapters import PATIENCE, FrontEnd, Server
from tests.contract.conftest import until
from tests.edges.peers import opened, plain_socket, read_head
from ws6455 import Frame, Opcode
from ws6455.testing import opening_request

CLIENT = "127.0.0.2"
TRUSTED: dict[str, Any] = {"trusted_proxies": ["127.0.0.1"]}

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]

LINE = b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
BINARY = SIGNATURE + b"\x21\x11\x00\x0c\xc6\x33\x64\x07\xc0\x00\x02\x01\xdc\x04\x01\xbb"
BINARY_6 = (
    SIGNATURE
    + b"\x21\x21\x00\x28"
    + b"\x20\x01\x0d\xb8"
    + bytes(11)
    + b"\x01"
    + bytes(16)
    + b"\xdc\x04\x01\xbb"
    + b"\x04\x00\x01\x00"
)
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
HEADERS: list[tuple[bytes, tuple[Any, ...] | None]] = [
    (LINE, ("198.51.100.7", 56324)),
    (b"PROXY TCP6 2001:db8::1 ::1 56324 443\r\n", ("2001:db8::1", 56324, 0, 0)),
    (BINARY, ("198.51.100.7", 56324)),
    (BINARY_6, ("2001:db8::1", 56324, 0, 0)),
    (LOCAL, None),
    (b"PROXY UNKNOWN\r\n", None),
]
IDS = ["tcp4", "tcp6", "v2-tcp4", "v2-tcp6", "v2-local", "unknown"]


@contextlib.contextmanager
def serving_proxies(front: FrontEnd, **options: Any) -> Iterator[Server]:
    """Serve trusted proxies, which 127.0.0.1 and 127.0.0.2 are."""
    with front.serve(
        proxy_protocol=True, trusted_proxies=["127.0.0.1", CLIENT], **options
    ) as server:
        yield server


@pytest.mark.parametrize("split", [False, True], ids=["whole", "bytes"])
@pytest.mark.parametrize(("header", "address"), HEADERS, ids=IDS)
def test_d23_the_header_gives_the_remote_address(
    front: FrontEnd, header: bytes, address: tuple[Any, ...] | None, split: bool, quiet: object
) -> None:
    with serving_proxies(front) as server, plain_socket(server.port) as sock:
        if split:
            for byte in header:
                sock.sendall(bytes([byte]))
                time.sleep(0)
            sock.sendall(opening_request())
        else:
            sock.sendall(header + opening_request())
        assert read_head(sock).startswith("HTTP/1.1 101 ")
        connection = server.accept().connection
        assert connection.remote_address == (address or sock.getsockname())
        assert connection.client_address == (address[0] if address else "127.0.0.1")
        assert connection.local_address == sock.getpeername()


@pytest.mark.parametrize("glued", [False, True])
@pytest.mark.parametrize(("header", "address"), HEADERS, ids=IDS)
def test_d23_the_header_precedes_tls(
    front: FrontEnd,
    contexts: Contexts,
    header: bytes,
    address: tuple[Any, ...] | None,
    glued: bool,
    quiet: object,
) -> None:
    with serving_proxies(front, ssl=contexts[0]) as server, plain_socket(server.port) as sock:
        local = sock.getsockname()
        if glued and address is not None:
            # The system holds the header back, until more comes or 0.2 s have passed.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, True)
        sock.sendall(header)
        with contexts[1].wrap_socket(sock, server_hostname="localhost") as secure:
            secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, False)
            secure.sendall(opening_request())
            assert read_head(secure).startswith("HTTP/1.1 101 ")
            end = server.accept()
            assert end.connection.remote_address == (address or local)
            end.send("x")
            assert secure.recv(10) == Frame(Opcode.TEXT, b"x").serialize(mask=False)


def test_d23_x_forwarded_for_continues_behind_the_header(front: FrontEnd) -> None:
    header = LINE.replace(b"198.51.100.7", b"127.0.0.2")
    with serving_proxies(front) as server:
        for before, forwarded, expected in [
            (LINE, "6.6.6.6", "198.51.100.7"),  # the client's own
            (header, "6.6.6.6, 198.51.100.8", "198.51.100.8"),
        ]:
            with opened(server.port, before, {"X-Forwarded-For": forwarded}):
                assert server.accept().connection.client_address == expected


def test_d23_other_peers_send_no_header(front: FrontEnd, quiet: object) -> None:
    with front.serve(proxy_protocol=True, **TRUSTED) as server:
        with opened(server.port) as sock:
            assert server.accept().connection.remote_address == sock.getsockname()
        for header in (LINE, BINARY):
            with plain_socket(server.port, CLIENT) as sock:
                sock.sendall(header + opening_request())
                with contextlib.suppress(ConnectionError):
                    response = sock.recv(100)
                    assert not response or response.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "data",
    [
        opening_request(),
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 99999\r\n" + opening_request(),
        b"PROXY TCP4 " + b"1" * 200,
        SIGNATURE + b"\x11",
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(100),
    ],
)
def test_d23_a_malformed_header_closes_the_connection(
    front: FrontEnd,
    contexts: Contexts,
    quiet: pytest.LogCaptureFixture,
    data: bytes,
    tls: bool,
) -> None:
    options: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    with serving_proxies(front, **options) as server, plain_socket(server.port) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(data)
            assert sock.recv(1) == b""
        until(lambda: any("PROXY header" in message for message in quiet.messages))
    records = [record for record in quiet.records if "PROXY header" in record.getMessage()]
    assert [record.levelno for record in records] == [logging.INFO]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("data", [b"", b"PROXY TCP4 1", SIGNATURE, LINE, LINE + b"GET /"])
def test_d23_the_deadline_counts_the_header(
    front: FrontEnd, contexts: Contexts, data: bytes, tls: bool, quiet: object
) -> None:
    options: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    with (
        serving_proxies(front, open_timeout=0.3, **options) as server,
        plain_socket(server.port) as sock,
    ):
        started = time.monotonic()
        if not tls or data != LINE + b"GET /":  # which is no TLS: fails at once
            sock.sendall(data)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""
        assert 0.2 < time.monotonic() - started < 0.6


@pytest.mark.parametrize("data", [b"", b"PROXY TCP4 1", LINE])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_d23_a_shutdown_ends_clients_within_the_header(
    front: FrontEnd, contexts: Contexts, data: bytes, tls: bool, quiet: object
) -> None:
    options: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    with contextlib.ExitStack() as stack:
        with serving_proxies(front, open_timeout=None, **options) as server:
            sock = stack.enter_context(plain_socket(server.port))
            sock.sendall(data)
            time.sleep(0.05)  # nothing shows that the server has read it
            started = time.monotonic()
        assert time.monotonic() - started < 1
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""


def test_d23_the_option_needs_trusted_proxies(front: FrontEnd) -> None:
    with (
        pytest.raises(ValueError, match=r"proxy_protocol needs .* trusted_proxies"),
        front.serve(proxy_protocol=True),
    ):
        pass


async def test_d23_a_unix_socket_with_asyncio(tmp_path: Path) -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def handler(connection: ws6455.ServerConnection) -> None:
        await told.put(connection.remote_address)

    options: dict[str, Any] = {"proxy_protocol": True, **TRUSTED}
    async with ws6455.unix_serve(handler, tmp_path / "socket", **options):
        _, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        writer.write(LINE + opening_request())
        async with asyncio.timeout(PATIENCE):
            assert await told.get() == ("198.51.100.7", 56324)
        writer.close()


def test_d23_a_unix_socket_with_threads(tmp_path: Path) -> None:
    told: list[Any] = []
    options: dict[str, Any] = {"proxy_protocol": True, **TRUSTED}
    path = tmp_path / "socket"

    def handler(connection: ws6455.sync.server.ServerConnection) -> None:
        told.append(connection.remote_address)

    with ws6455.sync.server.unix_serve(handler, path, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(LINE + opening_request())
            until(lambda: bool(told))
    thread.join(PATIENCE)
    assert told == [("198.51.100.7", 56324)]
