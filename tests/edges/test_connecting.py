"""Connecting: addresses that do not answer, one deadline, proxies, trust, URIs (D13 to D17).

Each test runs with asyncio, with uvloop and with threads.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvloop
import yarl

import ws6455
import ws6455.sync.client
from tests.aio.conftest import contexts as contexts
from tests.aio.conftest import until
from tests.sync.conftest import serving
from ws6455.client import trust
from ws6455.client.deadline import Deadline

DELAY = 0.25
Addresses = list[tuple[str, int]]


class Resolver:
    """A replacement for the lookup of names, with the addresses that a test gives."""

    def __init__(self) -> None:
        self.names: dict[str, Addresses] = {}
        self.slow = threading.Event()  # set, once names are resolved at once
        self.slow.set()
        self._getaddrinfo = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        if host not in self.names:
            return self._getaddrinfo(host, port, *args, **options)
        assert self.slow.wait(10)
        return [
            info
            for address in self.names[host]
            for info in self._getaddrinfo(*address, *args, **options)
        ]


class FrontEnd:
    """A front end: `open` makes an attempt to connect, and closes the connection."""

    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None

    def open(self, uri: Any, **options: Any) -> None:
        raise NotImplementedError


class Asyncio(FrontEnd):
    def open(self, uri: Any, **options: Any) -> None:
        async def attempt() -> None:
            try:
                async with ws6455.connect(uri, **options):
                    pass
            finally:
                # Of the connection nothing may be left, and not much later.
                for _ in range(3):
                    await asyncio.sleep(0)

        with asyncio.Runner(loop_factory=self.loop_factory) as runner:
            runner.run(attempt())


class Uvloop(Asyncio):
    class Loop(uvloop.Loop):
        async def getaddrinfo(self, *args: Any, **options: Any) -> Any:
            # uvloop has a resolver of its own.
            return await self.run_in_executor(None, lambda: socket.getaddrinfo(*args, **options))

    loop_factory = Loop


class Threads(FrontEnd):
    def open(self, uri: Any, **options: Any) -> None:
        if "local_addr" in options:
            options["source_address"] = options.pop("local_addr")
        with ws6455.sync.client.connect(uri, **options):
            pass


def open_sockets() -> int:
    """Return the number of this process's sockets."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


@pytest.fixture(params=[Asyncio, Uvloop, Threads], ids=["asyncio", "uvloop", "threads"])
def front(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> Iterator[FrontEnd]:
    """Give each front end; no socket of it is left at the end."""
    before = open_sockets()
    front_end: FrontEnd = request.param()
    yield front_end
    deadline = time.monotonic() + 5
    while open_sockets() > before:
        assert time.monotonic() < deadline, "a socket is left"
        time.sleep(0.01)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give an environment without proxies."""
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    replacement = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", replacement)
    yield replacement
    replacement.slow.set()


@pytest.fixture(scope="module")
def dead() -> Iterator[Addresses]:
    """Give two addresses that swallow SYN: listeners whose backlog is full."""
    with contextlib.ExitStack() as stack:
        addresses = []
        for host in ("127.0.0.2", "127.0.0.3"):
            listener = stack.enter_context(socket.socket())
            listener.bind((host, 0))
            listener.listen(0)
            addresses.append(listener.getsockname())
            for _ in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
        yield addresses


@pytest.fixture
def refusing() -> Addresses:
    """Give two addresses at which nobody listens."""
    addresses = []
    for host in ("127.0.0.4", "127.0.0.5"):
        with socket.create_server((host, 0)) as listener:
            addresses.append(listener.getsockname())
    return addresses


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Give the address of a server."""
    with serving() as running:
        yield running.socket.getsockname()


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """Give the address of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()


@contextlib.contextmanager
def proxying(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a proxy that serves one client with this function, which blocks; yield its port."""

    def run() -> None:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            with client:
                answer(client)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        served = pool.submit(run)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            served.result(10)


def relay(client: socket.socket, address: tuple[str, int]) -> None:
    """Copy bytes between a client and a server until the client ends."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with socket.create_connection(address) as target:
        back = threading.Thread(target=copy, args=(target, client))
        back.start()
        copy(client, target)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        back.join()


def http_proxy(address: tuple[str, int]) -> Callable[[socket.socket], None]:
    def answer(client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        relay(client, address)

    return answer


def socks_proxy(address: tuple[str, int]) -> Callable[[socket.socket], None]:
    def answer(client: socket.socket) -> None:
        client.recv(2 + client.recv(2, socket.MSG_PEEK)[1])
        client.sendall(b"\x05\x00")
        head = client.recv(5)
        client.recv(head[4] + 2 if head[3] == 3 else 5)
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        relay(client, address)

    return answer


def seconds_of(function: Callable[..., object], *args: Any, **options: Any) -> float:
    started = time.monotonic()
    function(*args, **options)
    return time.monotonic() - started


# D13: RFC 8305


def test_d13_the_next_address_is_tried_after_250_ms(
    front: FrontEnd, resolver: Resolver, dead: Addresses, server: tuple[str, int]
) -> None:
    resolver.names["server.example"] = [dead[0], server]
    seconds = seconds_of(front.open, "ws://server.example/")
    assert DELAY <= seconds < DELAY + 0.7


def test_d13_the_first_answer_wins_without_waiting_for_the_others(
    front: FrontEnd, resolver: Resolver, dead: Addresses, server: tuple[str, int]
) -> None:
    resolver.names["server.example"] = [*dead, server, *dead]
    seconds = seconds_of(front.open, "ws://server.example/", happy_eyeballs_delay=0.05)
    assert 0.1 <= seconds < 0.6


def test_d13_an_address_that_refuses_costs_no_time(
    front: FrontEnd, resolver: Resolver, refusing: Addresses, server: tuple[str, int]
) -> None:
    resolver.names["server.example"] = [*refusing, server]
    for delay in (2, None):
        seconds = seconds_of(front.open, "ws://server.example/", happy_eyeballs_delay=delay)
        assert seconds < 1


def test_d13_both_families_are_tried(
    front: FrontEnd, resolver: Resolver, dead: Addresses, server: tuple[str, int]
) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
    resolver.names["server.example"] = [("::1", port), dead[0], ("::1", port), server]
    assert seconds_of(front.open, "ws://server.example/") < DELAY + 0.7
    with serving(ws6455_echo, "::1", 0) as running:
        six = ("::1", running.socket.getsockname()[1])
        resolver.names["server.example"] = [*dead, six]
        # Not after both of the addresses of the first family.
        seconds = seconds_of(front.open, "ws://server.example/", happy_eyeballs_delay=0.4)
        assert 0.4 <= seconds < 0.8
        seconds = seconds_of(
            front.open, "ws://server.example/", happy_eyeballs_delay=0.2, interleave=0
        )
        assert 0.4 <= seconds < 0.8


def ws6455_echo(connection: Any) -> None:
    for message in connection:
        connection.send(message)


def test_d13_a_single_address_works_as_before(front: FrontEnd, server: tuple[str, int]) -> None:
    uri = f"ws://127.0.0.1:{server[1]}/"
    for options in ({}, {"family": socket.AF_INET}, {"proto": socket.IPPROTO_TCP, "flags": 0}):
        front.open(uri, **options)
    front.open(f"ws://localhost:{server[1]}/", family=socket.AF_INET)


def test_d13_a_local_address_is_bound(front: FrontEnd, resolver: Resolver) -> None:
    peers: list[Any] = []

    def handler(connection: Any) -> None:
        peers.append(connection.remote_address[0])

    with serving(handler) as running:
        port = running.socket.getsockname()[1]
        resolver.names["server.example"] = [("::1", port), ("127.0.0.1", port)]
        front.open("ws://server.example/", local_addr=("127.0.0.9", 0))
        with pytest.raises(OSError, match="cannot connect to 127"):
            front.open(f"ws://127.0.0.1:{port}/", local_addr=("192.0.2.77", 0))
    assert peers == ["127.0.0.9"]


def test_d13_the_error_names_the_addresses(
    front: FrontEnd, resolver: Resolver, refusing: Addresses, dead: Addresses
) -> None:
    resolver.names["server.example"] = refusing
    with pytest.raises(ConnectionRefusedError) as caught:
        front.open("ws://server.example:81/")
    for host, port in refusing:
        assert f"{host}:{port}" in str(caught.value)
    assert "cannot connect to server.example:81 (" in str(caught.value)
    with pytest.raises(ConnectionRefusedError, match=f"cannot connect to 127.0.0.4:{port}: "):
        front.open(f"ws://127.0.0.4:{port}/")
    with pytest.raises(ExceptionGroup) as group:
        front.open("ws://server.example/", all_errors=True)
    assert [type(exc) for exc in group.value.exceptions] == [ConnectionRefusedError] * 2


@pytest.mark.parametrize(("scheme", "proxy"), [("http", http_proxy), ("socks5h", socks_proxy)])
def test_d13_a_proxy_has_several_addresses(
    front: FrontEnd,
    resolver: Resolver,
    dead: Addresses,
    server: tuple[str, int],
    scheme: str,
    proxy: Callable[..., Callable[[socket.socket], None]],
) -> None:
    with proxying(proxy(server)) as port:
        resolver.names["proxy.example"] = [dead[0], ("127.0.0.1", port)]
        seconds = seconds_of(
            front.open, "ws://x.example/", proxy=f"{scheme}://proxy.example:{port}"
        )
    assert DELAY <= seconds < DELAY + 0.7


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, Uvloop.Loop])
@pytest.mark.parametrize("moments", range(10))
def test_d13_a_cancellation_at_any_step_leaves_no_socket(
    resolver: Resolver,
    refusing: Addresses,
    dead: Addresses,
    silent: tuple[str, int],
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    moments: int,
) -> None:
    resolver.names["server.example"] = [refusing[0], *dead, silent]

    async def attempt() -> None:
        before = open_sockets()
        connecting = ws6455.connect("ws://server.example/", proxy=None, happy_eyeballs_delay=0.001)
        task = asyncio.create_task(connecting._connect())
        for _ in range(moments):
            await asyncio.sleep(0.0005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: open_sockets() == before)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(attempt())


# D14: one deadline


def check_timeout(
    front: FrontEnd, uri: str, step: str, seconds: float = 0.3, **options: Any
) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        front.open(uri, open_timeout=seconds, **options)
    assert seconds - 0.01 <= time.monotonic() - started < seconds + 0.6
    text = f"timed out during opening handshake, after {seconds:g} s, while {step}"
    assert str(caught.value) == text


@pytest.mark.parametrize("delay", [0.1, None])
def test_d14_dead_addresses(
    front: FrontEnd, resolver: Resolver, dead: Addresses, delay: float | None
) -> None:
    resolver.names["server.example"] = dead
    shown = ", ".join(f"{host}:{port}" for host, port in dead)
    step = f"connecting to server.example:80 ({shown})"
    check_timeout(front, "ws://server.example/", step, 0.8, happy_eyeballs_delay=delay)
    host, port = dead[0]
    check_timeout(front, f"ws://{host}:{port}/", f"connecting to {host}:{port}")


def test_d14_a_slow_lookup(resolver: Resolver, front: FrontEnd) -> None:
    resolver.names["server.example"] = []
    resolver.slow.clear()
    # asyncio.run() waits for the thread of a lookup.
    timer = threading.Timer(0.5, resolver.slow.set)
    timer.start()
    check_timeout(front, "ws://server.example/", "resolving server.example", 0.3)
    timer.join()


def test_d14_a_slow_lookup_of_the_proxy(resolver: Resolver, front: FrontEnd) -> None:
    resolver.names["proxy.example"] = []
    trust.default_context()
    for scheme in ("http", "https", "socks5h"):
        resolver.slow.clear()
        timer = threading.Timer(0.3, resolver.slow.set)
        timer.start()
        proxy = f"{scheme}://proxy.example"
        check_timeout(front, "ws://server.example/", "resolving proxy.example", 0.1, proxy=proxy)
        timer.join()


@pytest.mark.parametrize("scheme", ["socks4", "socks5"])
def test_d14_a_slow_lookup_for_a_proxy_that_resolves_no_names(
    resolver: Resolver, front: FrontEnd, silent: tuple[str, int], scheme: str
) -> None:
    resolver.names["server.example"] = []
    resolver.slow.clear()
    timer = threading.Timer(0.3, resolver.slow.set)
    timer.start()
    proxy = f"{scheme}://127.0.0.1:{silent[1]}"
    check_timeout(front, "ws://server.example/", "resolving server.example", 0.1, proxy=proxy)
    timer.join()


def test_d14_a_silent_server(
    front: FrontEnd, silent: tuple[str, int], contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    port = silent[1]
    step = "waiting for the response of 127.0.0.1"
    check_timeout(front, f"ws://127.0.0.1:{port}/", step)
    step = "performing the TLS handshake with localhost"
    check_timeout(front, f"wss://localhost:{port}/", step, ssl=contexts[1])


def test_d14_a_silent_proxy(
    front: FrontEnd, silent: tuple[str, int], contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    shown = f"the proxy localhost:{silent[1]}"
    for scheme in ("http", "socks4a", "socks5h"):
        proxy = f"{scheme}://localhost:{silent[1]}"
        step = f"waiting for the response of {shown}"
        check_timeout(front, "ws://server.example/", step, proxy=proxy)
    step = "performing the TLS handshake with localhost"
    proxy = f"https://localhost:{silent[1]}"
    check_timeout(front, "ws://server.example/", step, proxy=proxy, proxy_ssl=contexts[1])


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_d14_a_proxy_that_dribbles(front: FrontEnd, scheme: str) -> None:
    def dribble(client: socket.socket) -> None:
        client.sendall(b"\x05\x00" if scheme == "socks5h" else b"HTTP/1.1 ")
        for byte in b"\x05\x00\x00\x03\xff" if scheme == "socks5h" else b"200 OK":
            client.sendall(bytes([byte]))
            time.sleep(0.15)
        client.recv(4096)
        time.sleep(0.3)

    with proxying(dribble) as port:
        step = f"waiting for the response of the proxy 127.0.0.1:{port}"
        proxy = f"{scheme}://127.0.0.1:{port}"
        check_timeout(front, "ws://server.example/", step, proxy=proxy)


def test_d14_tls_within_a_tunnel(
    front: FrontEnd, silent: tuple[str, int], contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with proxying(http_proxy(silent)) as port:
        step = "performing the TLS handshake with server.example"
        proxy = f"http://127.0.0.1:{port}"
        check_timeout(front, "wss://server.example/", step, proxy=proxy, ssl=contexts[1])


def test_d14_a_given_socket(
    front: FrontEnd, silent: tuple[str, int], contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    step = "waiting for the response of server.example"
    sock = socket.create_connection(silent)
    check_timeout(front, "ws://server.example/", step, sock=sock)
    sock = socket.create_connection(silent)
    step = "performing the TLS handshake with server.example"
    check_timeout(front, "wss://server.example/", step, sock=sock, ssl=contexts[1])


def test_d14_a_unix_socket(front: FrontEnd, tmp_path: Any) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(path)
        listener.listen(0)
        options: dict[str, Any] = {"unix": True, "path": path}
        step = "waiting for the response of localhost"
        check_timeout(front, "ws://localhost/", step, **options)
        listener.accept()[0].close()
        with contextlib.suppress(BlockingIOError):
            while True:
                filler = stack.enter_context(socket.socket(socket.AF_UNIX))
                filler.setblocking(False)
                filler.connect(path)
        check_timeout(front, "ws://localhost/", f"connecting to {path}", **options)


def test_d14_a_full_unix_socket_is_tried_again(front: FrontEnd, tmp_path: Any) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener, ThreadPoolExecutor(1) as pool:
        listener.bind(path)
        listener.listen(0)
        filler = socket.socket(socket.AF_UNIX)
        filler.connect(path)
        opening = pool.submit(front.open, "ws://localhost/", unix=True, path=path, open_timeout=5)
        time.sleep(0.05)
        listener.accept()[0].close()
        filler.close()
        peer, _ = listener.accept()
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
        with peer, pytest.raises(ws6455.InvalidStatus):
            opening.result(5)


def test_d14_an_error_of_the_system_is_not_a_deadline(front: FrontEnd, refusing: Addresses) -> None:
    with pytest.raises(ConnectionRefusedError):
        front.open(f"ws://{refusing[0][0]}:{refusing[0][1]}/", open_timeout=5)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_d14_a_refusal_before_the_request(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    class Late(ws6455.connect):
        async def _open_transport(self, deadline: Deadline) -> ws6455.ClientConnection:
            connection = await super()._open_transport(deadline)
            await until(connection._is_answered)
            return connection

    async def attempt(uri: str) -> None:
        with pytest.raises(ws6455.InvalidStatus, match="503"):
            await Late(uri, proxy=None, open_timeout=5)

    def refuse(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        client.recv(4096)

    with proxying(refuse) as port, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(attempt(f"ws://127.0.0.1:{port}/"))


# D15: proxies; the rules are in tests/client/test_proxy_environment.py


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_proxy", "127.0.0.1:{port}"),
        ("ALL_PROXY", "http://127.0.0.1:{port}"),
        ("HTTPS_PROXY", "http://user@127.0.0.1:{port}/"),
        ("ws_proxy", "HTTP://127.0.0.1:{port}"),
    ],
)
def test_d15_an_http_proxy_of_the_environment(
    front: FrontEnd,
    environment: pytest.MonkeyPatch,
    resolver: Resolver,
    server: tuple[str, int],
    name: str,
    value: str,
) -> None:
    resolver.names["localhost."] = [server]
    heads = []

    def answer(client: socket.socket) -> None:
        heads.append(client.recv(4096, socket.MSG_PEEK))
        http_proxy(server)(client)

    with proxying(answer) as port:
        environment.setenv(name, value.format(port=port))
        front.open("ws://server.example/")
        environment.setenv("no_proxy", "10.0.0.0/8,fd00::2,127.0.0.0/8")
        front.open(f"ws://127.0.0.1:{server[1]}/")
        front.open("ws://localhost./")
    assert heads[0].startswith(b"CONNECT server.example:80 HTTP/1.1\r\n")
    assert (b"Proxy-Authorization: Basic dXNlcjo=\r\n" in heads[0]) is ("user" in value)


@pytest.mark.parametrize("scheme", ["socks", "socks4", "socks4a"])
def test_d15_a_socks4_proxy(
    front: FrontEnd,
    environment: pytest.MonkeyPatch,
    resolver: Resolver,
    server: tuple[str, int],
    scheme: str,
) -> None:
    requests = []

    def answer(client: socket.socket) -> None:
        requests.append(client.recv(4096))
        client.sendall(b"\x00\x5a" + bytes(6))
        relay(client, server)

    resolver.names["server.example"] = [("fd00::9", 80), ("10.0.0.9", 80)]
    with proxying(answer) as port:
        environment.setenv("all_proxy", f"{scheme}://127.0.0.1:{port}")
        front.open("ws://server.example/")
    address = b"\0\0\0\1\0server.example\0" if scheme == "socks4a" else b"\n\0\0\t\0"
    assert requests == [b"\x04\x01\0P" + address]


def test_d15_an_invalid_variable_is_named(front: FrontEnd, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "ftp://me:secret@proxy")
    with pytest.raises(ws6455.InvalidProxy) as caught:
        front.open("ws://server.example/")
    text = "ftp://proxy isn't a valid proxy: scheme ftp isn't supported (from ALL_PROXY)"
    assert str(caught.value) == text


# D16: the default trust store


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, contexts: Any) -> list[threading.Thread]:
    """Give the threads in which the default context has been loaded; it trusts the tests'."""
    threads = []

    def load(*args: Any, **options: Any) -> ssl.SSLContext:
        threads.append(threading.current_thread())
        time.sleep(0.3)
        context: ssl.SSLContext = contexts[1]
        return context

    monkeypatch.setattr(ssl, "create_default_context", load)
    monkeypatch.setattr(trust, "_loaded", (None, None))
    return threads


def test_d16_the_default_context_is_loaded_once(
    front: FrontEnd, loads: list[threading.Thread], contexts: Any
) -> None:
    with serving(ssl=contexts[0]) as running:
        port = running.socket.getsockname()[1]
        with ThreadPoolExecutor(3) as pool:
            uri = f"wss://localhost:{port}/"
            for opened in [
                pool.submit(front.open, uri, ssl=tls) for tls in (True, True, contexts[1])
            ]:
                opened.result(5)
        front.open(uri)
        assert len(loads) == 1
        with proxying(http_proxy(running.socket.getsockname())) as proxy_port:
            front.open(uri, proxy=f"http://127.0.0.1:{proxy_port}")
    assert len(loads) == 1


def test_d16_an_https_proxy_shares_it(
    front: FrontEnd, loads: list[threading.Thread], contexts: Any, server: tuple[str, int]
) -> None:
    def answer(client: socket.socket) -> None:
        with contexts[0].wrap_socket(client, server_side=True) as secure:
            while b"\r\n\r\n" not in secure.recv(4096):
                pass
            secure.sendall(b"HTTP/1.1 403 No\r\n\r\n")

    for _ in range(2):
        with proxying(answer) as port, pytest.raises(ws6455.InvalidProxyStatus):
            front.open("ws://server.example/", proxy=f"https://localhost:{port}")
    assert len(loads) == 1


@pytest.mark.parametrize("front_end", [Asyncio, Uvloop])
def test_d16_a_deadline_while_it_is_loaded(
    loads: list[threading.Thread], front_end: type[FrontEnd], silent: tuple[str, int]
) -> None:
    uri = f"wss://localhost:{silent[1]}/"
    check_timeout(front_end(), uri, "loading the trusted certificates", 0.1, proxy=None)
    assert len(loads) == 1


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_d16_the_loop_goes_on_meanwhile(
    loads: list[threading.Thread],
    contexts: Any,
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    longest = 0.0

    async def connect_twice(uri: str) -> None:
        nonlocal longest

        async def tick() -> None:
            nonlocal longest
            last = time.monotonic()
            while True:
                await asyncio.sleep(0.001)
                longest = max(longest, time.monotonic() - last)
                last = time.monotonic()

        ticking = asyncio.create_task(tick())
        one, other = await asyncio.gather(ws6455.connect(uri), ws6455.connect(uri))
        await asyncio.gather(one.close(), other.close())
        ticking.cancel()

    with serving(ssl=contexts[0]) as running:
        uri = f"wss://localhost:{running.socket.getsockname()[1]}/"
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(connect_twice(uri))
    assert len(loads) == 1
    assert loads[0] is not threading.current_thread()
    assert longest < 0.25  # loading takes 0.3 s


# D17: URIs


class Text:
    """An object whose str() is a URI."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def __str__(self) -> str:
        return self.uri


def test_d17_a_uri_may_be_an_object(front: FrontEnd, server: tuple[str, int]) -> None:
    uri = f"ws://127.0.0.1:{server[1]}/path?query"
    for given in (yarl.URL(uri), Text(uri), Text(uri.upper().replace("PATH", "path"))):
        front.open(given)
    with pytest.raises(ws6455.InvalidURI, match="scheme isn't ws or wss"):
        front.open(yarl.URL("http://127.0.0.1/"))


@pytest.mark.parametrize(
    "uri", [b"ws://127.0.0.1/", bytearray(b"ws://x"), None, 80, object(), ["ws://x"], Text("x")]
)
def test_d17_anything_else_is_a_type_error(front: FrontEnd, uri: object) -> None:
    text = f"uri must be a str, or an object whose str\\(\\) is a URI, not {type(uri).__name__}"
    with pytest.raises(TypeError, match=text):
        front.open(uri)
