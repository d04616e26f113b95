"""Servers behind nginx, HAProxy and load balancers, over both front ends.

The proxies are real. Clients connect from 127.0.0.2, so that they are not on the list of the
trusted proxies.
"""

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.aio.conftest import contexts as contexts
from tests.contract.adapters import PATIENCE, FrontEnd
from tests.contract.conftest import until
from tests.edges import proxies
from tests.edges.http2 import HTTP2Client
from tests.edges.peers import opened, plain_socket, read_head
from ws6455 import Frame, Headers, Opcode, Request, Response
from ws6455.testing import opening_request

CLIENT = "127.0.0.2"
TRUSTED: dict[str, Any] = {"trusted_proxies": ["127.0.0.1"]}

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
MakeProxy = Callable[..., contextlib.AbstractContextManager[Any]]


@pytest.fixture
def nginx(program: Callable[[str, str], str], tmp_path: Path) -> MakeProxy:
    """Return a function ``nginx(server_port)`` that runs it and gives its ports."""
    path = program("nginx", "nginx libnginx-mod-stream")
    if not proxies.NGINX_STREAM_MODULE.exists():
        program("nginx's stream module", "libnginx-mod-stream")
    return lambda port: proxies.nginx(path, tmp_path, port)


@pytest.fixture
def haproxy(program: Callable[[str, str], str], tmp_path: Path) -> MakeProxy:
    """Return a function ``haproxy(server_port, **options)`` that runs it and gives its object."""
    path = program("haproxy", "haproxy")
    return lambda port, **options: proxies.haproxy(path, tmp_path, port, **options)


def healthz(_: object, request: Request) -> Response | None:
    if request.path == "/healthz":
        return Response(200, "OK", Headers({"Connection": "close", "Content-Length": "0"}))
    return None


# Real proxies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["UPGRADING", "FORWARDED"])
def test_d21_nginx_tells_the_address_of_the_client(
    front: FrontEnd, nginx: MakeProxy, name: str, quiet: object
) -> None:
    spoofed: dict[str, str | None] = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6"}
    with (
        front.serve(**TRUSTED) as server,
        nginx(server.port) as ports,
        opened(ports[name], headers=spoofed),
    ):
        end = server.accept()
        assert end.connection.client_address == CLIENT
        assert end.connection.remote_address[0] == "127.0.0.1"


def test_d21_haproxy_tells_the_address_of_the_client(
    front: FrontEnd, haproxy: MakeProxy, quiet: object
) -> None:
    with (
        front.serve(**TRUSTED) as server,
        haproxy(server.port, check="option forwardfor") as proxy,
        opened(proxy.port, headers={"X-Forwarded-For": "6.6.6.6"}),
    ):
        assert server.accept().connection.client_address == CLIENT


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_messages_pass_through_a_proxy(
    front: FrontEnd, request: pytest.FixtureRequest, name: str, quiet: object
) -> None:
    make_proxy: MakeProxy = request.getfixturevalue(name)
    with front.serve() as server, make_proxy(server.port) as proxy:
        port = proxy["UPGRADING"] if name == "nginx" else proxy.port
        client = front.connect(f"ws://127.0.0.1:{port}/")
        end = server.accept()
        for message in ("text", bytes(100_000)):
            client.send(message)
            assert end.recv() == message
            end.send(message)
            assert client.recv() == message
        client.close(4001, "done")
        end.wait_closed()
        assert (end.close_code, end.close_reason) == (4001, "done")


def test_d24_a_client_behind_a_wrong_nginx_gets_the_hint(
    front: FrontEnd, nginx: MakeProxy, quiet: object
) -> None:
    with front.serve() as server, nginx(server.port) as ports:
        for name, status in (("WITHOUT_UPGRADE", 426), ("HTTP_1_0", 505)):
            with pytest.raises(ws6455.InvalidStatus) as raised:
                front.connect(f"ws://127.0.0.1:{ports[name]}/")
            response = raised.value.response
            assert response.status_code == status
            assert b"proxy_set_header Upgrade $http_upgrade;" in response.body


@pytest.mark.parametrize(
    ("check", "status", "hits"),
    [
        ("option httpchk", "L7STS", 3),  # OPTIONS / HTTP/1.0
        ("option httpchk GET /", "L7STS", 3),
        ("option httpchk GET /healthz", "L7OK", 3),
        ("option httpchk HEAD /healthz", "L7OK", 3),
        ("option httpchk OPTIONS /healthz HTTP/1.1", "L7OK", 3),
        (
            "option httpchk\n    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host h",
            "L7OK",
            3,
        ),
        ("", "L4OK", 0),  # a TCP check: the system does not even accept it
    ],
)
def test_d23_health_checks_of_haproxy_make_no_noise(
    front: FrontEnd,
    haproxy: MakeProxy,
    quiet: object,
    check: str,
    status: str,
    hits: int,
) -> None:
    seen: list[str] = []

    def see(connection: object, request: Request) -> Response | None:
        seen.append(request.path)
        return healthz(connection, request)

    options = {"check": check, "server_options": "check inter 20ms fastinter 20ms downinter 20ms"}
    with front.serve(process_request=see) as server, haproxy(server.port, **options) as proxy:
        until(lambda: len(seen) >= hits and proxy.check_status() == status)


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"])
def test_d23_haproxy_sends_the_proxy_protocol(
    front: FrontEnd,
    haproxy: MakeProxy,
    contexts: Contexts,
    quiet: object,
    version: str,
    tls: bool,
    mode: str,
) -> None:
    """The same header precedes its health checks."""
    serve: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    options = f"{version} check check-send-proxy inter 20ms" + (" ssl verify none" if tls else "")
    with (
        front.serve(proxy_protocol=True, **TRUSTED, **serve) as server,
        haproxy(server.port, mode=mode, server_options=options) as proxy,
        opened(proxy.port) as sock,
    ):
        end = server.accept()
        assert end.connection.remote_address == sock.getsockname()
        assert end.connection.client_address == CLIENT
        end.send("x")
        assert sock.recv(10) == Frame(Opcode.TEXT, b"x").serialize(mask=False)
        until(lambda: proxy.check_status() == ("L6OK" if tls else "L4OK"))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_d23_nginx_sends_the_proxy_protocol(
    front: FrontEnd, nginx: MakeProxy, contexts: Contexts, quiet: object, tls: bool
) -> None:
    options: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    with (
        front.serve(proxy_protocol=True, **TRUSTED, **options) as server,
        nginx(server.port) as ports,
        plain_socket(ports["PROXY_PROTOCOL"], CLIENT) as sock,
    ):
        address = sock.getsockname()
        with contexts[1].wrap_socket(sock, server_hostname="localhost") if tls else sock as sock:
            sock.sendall(opening_request())
            assert read_head(sock).startswith("HTTP/1.1 101 ")
            assert server.accept().connection.remote_address == address


def test_d23_haproxy_takes_a_client_of_http_2(
    front: FrontEnd, haproxy: MakeProxy, quiet: object
) -> None:
    """HAProxy makes an opening handshake of HTTP/1.1 from the extended CONNECT of RFC 8441."""
    options = {"bind_options": "proto h2", "check": "option forwardfor"}
    with (
        front.serve(compression=None, **TRUSTED) as server,
        haproxy(server.port, **options) as proxy,
        plain_socket(proxy.port, CLIENT) as sock,
    ):
        client = HTTP2Client(sock)
        assert client.open()[":status"] == "200"
        end = server.accept()
        assert end.connection.request.path == "/chat"
        assert end.connection.request.headers["Host"] == "h2.example"
        assert end.connection.client_address == CLIENT
        for message in ("x", "y" * 70_000):
            client.send(Frame(Opcode.TEXT, message.encode()))
            assert end.recv() == message
            end.send(message)
            expected = Frame(Opcode.TEXT, message.encode()).serialize(mask=False)
            assert client.read(len(expected)) == expected
        client.send(Frame(Opcode.CLOSE, b"\x03\xe8"))
        assert client.read(4) == b"\x88\x02\x03\xe8"
        end.wait_closed()
        assert end.close_code == 1000


# Probes -----------------------------------------------------------------------------------------

PROBES = [
    b"",
    b"GET",
    b"GET / HTTP/1.1\r\nHost: h\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    b"SSH-2.0-probe\r\n",
    opening_request(),
    opening_request() + b"\x81\x80",
]


def leave(sock: socket.socket, reset: bool) -> None:
    """Close a connection at once, with RST or without."""
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def check_health(port: int, context: ssl.SSLContext | None) -> None:
    """Check that the server still answers; it has accepted all earlier clients by then."""
    with contextlib.ExitStack() as stack:
        sock: socket.socket = stack.enter_context(plain_socket(port))
        if context is not None:
            sock = stack.enter_context(context.wrap_socket(sock, server_hostname="localhost"))
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert read_head(sock).startswith("HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("data", PROBES)
def test_d18_probes_leave_no_warning(
    front: FrontEnd, contexts: Contexts, data: bytes, tls: bool, reset: bool, quiet: object
) -> None:
    options: dict[str, Any] = {"ssl": contexts[0]} if tls else {}
    with front.serve(lambda end: None, process_request=healthz, **options) as server:
        for _ in range(50):
            sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            if tls:
                sock = contexts[1].wrap_socket(sock, server_hostname="localhost")
            if data:
                sock.sendall(data)
            leave(sock, reset)
        check_health(server.port, contexts[1] if tls else None)


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_d18_a_tls_handshake_that_is_cut_leaves_no_warning(
    front: FrontEnd, contexts: Contexts, reset: bool, quiet: object
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = contexts[1].wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    with front.serve(ssl=contexts[0], process_request=healthz) as server:
        for size in (0, 1, 5, 100, len(hello) - 1, len(hello)):
            for wait in (False, True):
                with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
                    sock.sendall(hello[:size])
                    if wait and size == len(hello):
                        assert sock.recv(5)  # the server's part of the handshake
                    leave(sock, reset)
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x01\x00", b"\x15\x03\x01"):
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
                sock.sendall(data)
                leave(sock, reset)
        check_health(server.port, contexts[1])
