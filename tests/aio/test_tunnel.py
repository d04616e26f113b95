"""Proxies: HTTP and HTTPS ones by CONNECT, SOCKS ones by python-socks, from the environment."""

import asyncio
import contextlib
import functools
import re
import ssl
import struct
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio.test_client import check_echo, echo
from tests.conftest import port_of
from ws6455 import (
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    ProxyError,
    Server,
    connect,
    serve,
)
from ws6455.testing import RawServer

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]

# A name that only the proxy can resolve.
URI = "ws://server.example/path"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
SILENCE = b""


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


class FakeProxy:
    """Leads every tunnel to one port of this machine, and keeps what was asked for."""

    def __init__(self, target: int, answer: bytes = ESTABLISHED) -> None:
        self.target = target
        self.answer = answer
        self.port = 0
        self.asked: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(
        self, kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            if kind == "http":
                await self.serve_http(reader, writer)
            else:
                await self.serve_socks(reader, writer)
        finally:
            writer.close()

    async def serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        if self.answer == ESTABLISHED:
            await self.lead(reader, writer)
        elif self.answer == SILENCE:
            await reader.read()

    async def serve_socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        offered = await reader.readexactly(methods)
        writer.write(b"\x05\x02" if 2 in offered else b"\x05\x00")
        if 2 in offered:
            _, length = await reader.readexactly(2)
            username = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            self.asked.append(f"{username.decode()}:{password.decode()}")
            writer.write(b"\x01\x00")
        _, _, _, kind = await reader.readexactly(4)
        size = (await reader.readexactly(1))[0] if kind == 3 else 4
        host = await reader.readexactly(size)
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked.append(f"{host.decode() if kind == 3 else tuple(host)}:{port}")
        if self.answer == ESTABLISHED:
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await self.lead(reader, writer)
        else:
            writer.write(b"\x05\x02\x00\x01" + bytes(6))  # not allowed

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(copy(reader, back), copy(there, writer))


@contextlib.asynccontextmanager
async def proxied(
    kind: str = "http",
    answer: bytes = ESTABLISHED,
    proxy_context: ssl.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[tuple[FakeProxy, Server]]:
    """Serve, and lead to the server through a proxy."""
    async with serve(echo, "127.0.0.1", 0, **options) as server:
        proxy = FakeProxy(port_of(server), answer)
        async with await asyncio.start_server(
            functools.partial(proxy.serve, kind), "127.0.0.1", 0, ssl=proxy_context
        ) as listener:
            proxy.port = listener.sockets[0].getsockname()[1]
            yield proxy, server
            await asyncio.gather(*proxy.tasks, return_exceptions=True)


@pytest.mark.parametrize("size", [100, 1 << 20])
async def test_through_an_http_proxy(size: int) -> None:
    async with (
        proxied(max_size=None) as (proxy, _),
        connect(URI, proxy=f"http://127.0.0.1:{proxy.port}", max_size=None) as client,
    ):
        await client.send(bytes(size))
        assert await client.recv() == bytes(size)
        await check_echo(client)
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n")
    assert "Proxy-Authorization" not in asked
    assert "\r\nUser-Agent: " in asked


async def test_the_proxys_credentials() -> None:
    async with (
        proxied() as (proxy, _),
        connect(
            URI, proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}", user_agent_header=None
        ) as client,
    ):
        await check_echo(client)
        assert client.request is not None
        assert "Proxy-Authorization" not in client.request.headers
    (asked,) = proxy.asked
    assert "\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n" in asked
    assert "User-Agent" not in asked


@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("server_tls", [False, True], ids=["ws", "wss"])
async def test_tls_to_the_proxy_and_within_the_tunnel(
    contexts: Contexts, proxy_tls: bool, server_tls: bool
) -> None:
    server_context, client_context = contexts
    options: dict[str, Any] = {}
    if proxy_tls:
        options["proxy_ssl"] = client_context
    if server_tls:
        options["ssl"] = client_context
    scheme = "https" if proxy_tls else "http"
    uri = f"{'wss' if server_tls else 'ws'}://localhost:1/"
    async with (
        proxied(
            proxy_context=server_context if proxy_tls else None,
            ssl=server_context if server_tls else None,
        ) as (proxy, _),
        connect(uri, proxy=f"{scheme}://localhost:{proxy.port}", **options) as client,
    ):
        await client.send("x" * 100_000)
        assert await client.recv() == "x" * 100_000
    assert proxy.asked[0].startswith("CONNECT localhost:1 HTTP/1.1\r\n")


async def test_the_servers_name_is_checked_through_a_proxy(contexts: Contexts) -> None:
    server_context, client_context = contexts
    async with proxied(ssl=server_context) as (proxy, _):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"server\.example"):
            await connect(
                "wss://server.example/",
                proxy=f"http://127.0.0.1:{proxy.port}",
                ssl=client_context,
            )


async def test_the_proxys_name_is_checked(contexts: Contexts) -> None:
    server_context, client_context = contexts
    async with proxied(proxy_context=server_context) as (proxy, _):
        address = f"https://localhost:{proxy.port}"
        with pytest.raises(ssl.SSLCertVerificationError, match=r"other\.example"):
            await connect(
                URI, proxy=address, proxy_ssl=client_context, proxy_server_hostname="other.example"
            )
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (b"HTTP/1.1 407 Authentication Required\r\n\r\n", InvalidProxyStatus, "HTTP 407"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", InvalidProxyStatus, "HTTP 302"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", InvalidProxyStatus, "HTTP 502"),
        (b"SSH-2.0-x\r\n\r\n", InvalidProxyMessage, "not an HTTP response"),
        (b"HTTP/1.1 200 O", InvalidProxyMessage, "closed before the end"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000, InvalidProxyMessage, "exceeds 8192 bytes"),
        (ESTABLISHED + b"HTTP/1.1 101", InvalidProxyMessage, "bytes after"),
    ],
)
async def test_a_proxy_that_does_not_lead_to_the_server(
    answer: bytes, error: type[ProxyError], text: str
) -> None:
    async with proxied(answer=answer) as (proxy, _):
        with pytest.raises(error, match=text) as caught:
            await connect(URI, proxy=f"http://127.0.0.1:{proxy.port}")
    if isinstance(caught.value, InvalidProxyStatus):
        assert caught.value.response.status_code == int(answer.split()[1])


async def test_a_proxy_that_resets_is_an_error_of_the_network() -> None:
    # Not one of the proxy's, so that a client that reconnects tries again.
    async def reset(proxy: RawServer) -> None:
        peer = await proxy.accept()
        await peer.head()
        peer.reset()

    async with RawServer() as proxy, asyncio.TaskGroup() as group:
        group.create_task(reset(proxy))
        with pytest.raises(ConnectionResetError):
            await connect(URI, proxy=f"http://127.0.0.1:{proxy.port}")


async def test_what_follows_a_refusal_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(proxy: RawServer) -> None:
        peer = await proxy.accept()
        await peer.head()
        peer.send(b"HTTP/1.1 403 Forbidden\r\n\r\n", b"x" * (1 << 20))

    async with RawServer() as proxy, asyncio.TaskGroup() as group:
        group.create_task(refuse(proxy))
        with pytest.raises(InvalidProxyStatus):
            await connect(URI, proxy=f"http://127.0.0.1:{proxy.port}")
    assert caplog.records == []


async def test_a_proxy_that_does_not_answer_runs_into_the_timeout() -> None:
    async with proxied(answer=SILENCE) as (proxy, _):
        with pytest.raises(TimeoutError, match=r"after 0\.1 s"):
            await connect(URI, proxy=f"http://127.0.0.1:{proxy.port}", open_timeout=0.1)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_through_a_socks_proxy(scheme: str) -> None:
    host = "server.example" if scheme == "socks5h" else "127.0.0.7"
    async with (
        proxied("socks") as (proxy, _),
        connect(f"ws://{host}:81/", proxy=f"{scheme}://user:pass@127.0.0.1:{proxy.port}") as client,
    ):
        await check_echo(client)
    asked = "server.example" if scheme == "socks5h" else "(127, 0, 0, 7)"
    assert proxy.asked == ["user:pass", f"{asked}:81"]


async def test_tls_through_a_socks_proxy(contexts: Contexts) -> None:
    server_context, client_context = contexts
    async with proxied("socks", ssl=server_context) as (proxy, _):
        address = f"socks5h://127.0.0.1:{proxy.port}"
        async with connect("wss://localhost:1/", proxy=address, ssl=client_context) as client:
            await check_echo(client)
        with pytest.raises(ssl.SSLCertVerificationError, match=r"server\.example"):
            await connect("wss://server.example/", proxy=address, ssl=client_context)
    assert proxy.asked == ["localhost:1", "server.example:443"]


async def test_a_socks_proxy_that_refuses() -> None:
    async with proxied("socks", answer=b"no") as (proxy, _):
        with pytest.raises(ProxyError, match="SOCKS proxy did not connect"):
            await connect(URI, proxy=f"socks5h://127.0.0.1:{proxy.port}")


async def test_socks_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'ws6455[socks]'")):
        await connect(URI, proxy="socks5h://127.0.0.1:1")


async def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxied() as (proxy, _):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with connect(URI) as client:
            await check_echo(client)
    assert len(proxy.asked) == 1


async def test_a23_loopback_bypasses_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxied() as (proxy, server):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        for host in ("localhost", "127.0.0.1"):
            async with connect(f"ws://{host}:{port_of(server)}/") as client:
                await check_echo(client)
    assert proxy.asked == []


async def test_a_direct_connection_by_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(OSError, match=r"server\.invalid|Name or service|resolution|known"):
        await connect("ws://server.invalid/", proxy=None)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"proxy": "ftp://localhost"}, InvalidProxy, "scheme ftp isn't supported"),
        ({"proxy": "http://h", "proxy_ssl": True}, ValueError, "incompatible with an http"),
        ({"proxy": "https://h", "proxy_ssl": None}, ValueError, "incompatible with an https"),
    ],
)
async def test_arguments_that_do_not_fit(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        await connect(URI, **options)
