"""The way through a proxy: plain and TLS on either leg."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.sync.conftest import serving, uri_of
from ws6455 import InvalidProxyStatus
from ws6455.sync.client import connect


@contextlib.contextmanager
def http_proxy(
    context: ssl.SSLContext | None = None, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n"
) -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a proxy for one client, and the heads that it was sent."""
    heads: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(target, socket.SHUT_RDWR)

    def run() -> None:
        client, _ = listener.accept()
        if context is not None:
            client = context.wrap_socket(client, server_side=True)
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            heads.append(head)
            client.sendall(answer)
            if b" 200 " not in answer:
                return
            port = int(head.split()[1].rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

    thread = threading.Thread(target=run)
    thread.start()
    with listener:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://user:word@localhost:{listener.getsockname()[1]}", heads
    thread.join(5)


@pytest.mark.parametrize("proxy_tls", [False, True])
@pytest.mark.parametrize("server_tls", [False, True])
def test_a_tunnel_with_tls_on_either_leg(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], proxy_tls: bool, server_tls: bool
) -> None:
    server_context, client_context = contexts
    with (
        serving(ssl=server_context if server_tls else None) as server,
        http_proxy(server_context if proxy_tls else None) as (proxy, heads),
        connect(
            uri_of(server, "wss" if server_tls else "ws"),
            proxy=proxy,
            ssl=client_context if server_tls else None,
            proxy_ssl=client_context if proxy_tls else None,
        ) as client,
    ):
        for message in ("x", "y" * 300_000):
            client.send(message)
            assert client.recv(5) == message
        assert client.ping().wait(5)
    (head,) = heads
    assert head.startswith(b"CONNECT localhost:")
    assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in head
    assert client.close_code == 1000


def test_a_proxy_that_refuses() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with http_proxy(answer=refusal) as (proxy, _), pytest.raises(InvalidProxyStatus, match="407"):
        connect("ws://example.invalid/", proxy=proxy)


def test_tls_options_that_do_not_fit_the_proxy() -> None:
    context = ssl.create_default_context()
    with pytest.raises(ValueError, match="proxy_ssl argument is incompatible"):
        connect("ws://example.invalid/", proxy="http://localhost:1", proxy_ssl=context)
