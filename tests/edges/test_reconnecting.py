"""Clients that reconnect: delays, transient and final errors, Retry-After, fresh arguments."""

import asyncio
import contextlib
import email.utils
import functools
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ws6455
import ws6455.sync.client
from tests.aio.conftest import contexts as contexts
from tests.contract.adapters import PATIENCE, Asyncio, FrontEnd, Threads
from tests.edges.answering import Answer, accept, answering, finish, refuse, reply
from ws6455 import Close, ConnectionClosed, ConnectionClosedError, Frame, InvalidStatus, Opcode
from ws6455.client.reconnecting import backoff
from ws6455.exceptions import InvalidProxyStatus, ProxyError

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
TARGET = "ws://server.example/"
OVERLOADED = "Content-Length: 0\r\n"


def connections(
    front: FrontEnd, uri: Any, limit: int, wait: bool = True, pause: float = 0, **options: Any
) -> int:
    """Run a loop that reconnects, and waits for the end of each connection or does not.

    After each connection, it pauses for some seconds.

    Returns:
        The number of connections, at most `limit`.
    """
    options = {"proxy": None, "close_timeout": 0.1} | options
    if isinstance(front, Threads):

        def loop() -> int:
            count = 0
            for connection in ws6455.sync.client.reconnect(uri, **options):
                if wait:
                    connection.wait_closed()
                time.sleep(pause)
                count += 1
                if count == limit:
                    break
            return count

        return front._pool.submit(loop).result(PATIENCE)

    async def loop_async() -> int:
        count = 0
        async with contextlib.aclosing(aiter(ws6455.connect(uri, **options))) as connections:
            async for connection in connections:
                if wait:
                    await connection.wait_closed()
                await asyncio.sleep(pause)
                count += 1
                if count == limit:
                    break
        return count

    assert isinstance(front, Asyncio)
    return asyncio.run_coroutine_threadsafe(loop_async(), front._loop).result(PATIENCE)


def soon() -> Iterator[float]:
    return itertools.repeat(0.01)


class Delays:
    """Delays of a reconnecting client, and the number of those that were used."""

    def __init__(self, *delays: float) -> None:
        self.delays = delays
        self.used: list[float] = []

    def __call__(self) -> Iterator[float]:
        for delay in self.delays:
            self.used.append(delay)
            yield delay


def closing(code: int) -> Answer:
    """Accept a client and close at once."""
    return accept(Frame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False), "close")


# A connection must last ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (closing(1008), 1008),
        (closing(1011), 1011),
        (closing(1000), 1000),
        (accept(end="close"), 1006),
        (accept(end="reset"), 1006),
    ],
    ids=["1008", "1011", "1000", "cut", "reset"],
)
def test_d08_a_server_that_opens_and_closes_at_once_meets_growing_delays(
    front: FrontEnd, answer: Answer, code: int
) -> None:
    delays = Delays(0.02, 0.04, 0.06, 0.08)
    with answering(answer) as server:
        with pytest.raises(ConnectionClosed) as caught:
            connections(front, server.uri, 100, reconnect_delays=delays)
        assert caught.value.code == code
        assert len(server.times) == 5
        gaps = [after - before for before, after in itertools.pairwise(server.times)]
        assert all(gap >= delay for gap, delay in zip(gaps, delays.delays, strict=True))
    assert delays.used == [0.02, 0.04, 0.06, 0.08]


def test_d08_by_default_the_delays_are_those_of_backoff(
    front: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return 0.01

    monkeypatch.setattr("random.uniform", uniform)
    with answering(closing(1008)) as server:
        with pytest.raises(ConnectionClosedError):
            connections(front, server.uri, 100, max_attempts=5)
        assert len(server.times) == 5
    delays = [bound for bound in bounds if bound[0] == 0]
    assert delays == [(0, 5), (0, 3.1), (0, 3.1 * 1.618), (0, 3.1 * 1.618 * 1.618)]


def test_d08_failed_attempts_and_short_connections_count_together(front: FrontEnd) -> None:
    delays = Delays(*[0.01] * 9)
    answers = [refuse(503, OVERLOADED), closing(1008), refuse(503, OVERLOADED), closing(1011)]
    with answering(*answers) as server:
        with pytest.raises(ConnectionClosedError) as caught:
            connections(front, server.uri, 100, reconnect_delays=delays, max_attempts=4)
        assert caught.value.code == 1011
        assert len(server.times) == 4
    assert len(delays.used) == 3


def test_d08_after_a_connection_that_lasted_the_delays_start_afresh(front: FrontEnd) -> None:
    def lasting(sock: socket.socket, head: str) -> None:
        accept()(sock, head)
        time.sleep(0.15)
        finish(sock, "close")

    used: list[int] = []

    def delays() -> Iterator[float]:
        for number in itertools.count():
            used.append(number)
            yield 0.01

    refusal = refuse(503, OVERLOADED)
    with answering(refusal, closing(1001), lasting, refusal, closing(1001)) as server:
        count = connections(
            front, server.uri, 3, reconnect_delays=delays, stable_after=0.1, max_attempts=3
        )
        assert count == 3
        assert len(server.times) == 5
    assert used == [0, 1, 0]


def test_d08_a_loop_that_does_not_wait_for_the_end_has_the_delays_too(front: FrontEnd) -> None:
    delays = Delays(0.02, 0.02)
    with answering(closing(1008)) as server:
        with pytest.raises(ConnectionClosed):
            connections(front, server.uri, 100, wait=False, reconnect_delays=delays)
        assert len(server.times) == 3


def test_d08_the_time_of_a_program_after_the_end_does_not_count(front: FrontEnd) -> None:
    delays = Delays(0.01)
    with answering(closing(1008)) as server:
        with pytest.raises(ConnectionClosed):
            connections(
                front, server.uri, 100, pause=0.2, reconnect_delays=delays, stable_after=0.2
            )
        assert len(server.times) == 2


@pytest.mark.parametrize("attempts", [1, 3])
def test_d08_attempts_in_a_row_are_limited(front: FrontEnd, attempts: int) -> None:
    with answering(refuse(503, OVERLOADED)) as server:
        with pytest.raises(InvalidStatus, match="503"):
            connections(front, server.uri, 1, reconnect_delays=soon, max_attempts=attempts)
        assert len(server.times) == attempts


def test_d08_every_delay_is_spread(front: FrontEnd) -> None:
    runs = [list(itertools.islice(backoff(), 8)) for _ in range(20)]
    for number in range(8):
        assert len({run[number] for run in runs}) == 20
    # A client waits for as long as they say.
    delays = functools.partial(backoff, 0.05, 0.05, 0.05)
    with answering(refuse(503, OVERLOADED)) as server, pytest.raises(InvalidStatus):
        connections(front, server.uri, 1, reconnect_delays=delays, max_attempts=4)
    gaps = [after - before for before, after in itertools.pairwise(server.times)]
    assert len(set(gaps)) == 3


# Transient and final errors -----------------------------------------------------------------


@pytest.mark.parametrize("through", ["directly", "https proxy"])
def test_d09_a_certificate_that_is_not_trusted_is_final(
    front: FrontEnd, contexts: Contexts, through: str
) -> None:
    options: dict[str, Any] = {"reconnect_delays": soon}
    uri = TARGET
    with answering(accept(), context=contexts[0]) as server:
        if through == "directly":
            uri = server.uri
        else:
            options |= {"proxy": f"https://localhost:{server.port}"}
        with pytest.raises(ssl.SSLCertVerificationError):
            connections(front, uri, 1, **options)
        assert len(server.times) == 1


def test_d09_a_certificate_of_a_server_behind_a_proxy_is_final(
    front: FrontEnd, contexts: Contexts
) -> None:
    def tunnel(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        contexts[0].wrap_socket(sock, server_side=True)

    with answering(tunnel) as proxy:
        with pytest.raises(ssl.SSLCertVerificationError):
            connections(
                front,
                "wss://server.example/",
                1,
                reconnect_delays=soon,
                proxy=f"http://127.0.0.1:{proxy.port}",
            )
        assert len(proxy.times) == 1


def test_d09_a_server_without_tls_is_final(front: FrontEnd, contexts: Contexts) -> None:
    with front.serve() as plain:
        uri = f"wss://localhost:{plain.port}/"
        with pytest.raises(ssl.SSLError):
            connections(front, uri, 1, ssl=contexts[1], reconnect_delays=soon)


def test_d09_a_connection_lost_within_the_tls_handshake_is_transient(
    front: FrontEnd, contexts: Contexts
) -> None:
    def lose(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        sock.recv(10_000)
        sock.close()

    def tunnel(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contexts[0].wrap_socket(sock, server_side=True) as tls:
            closing(1000)(tls, tls.recv(10_000).decode())

    with answering(lose, tunnel) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        options: dict[str, Any] = {"ssl": contexts[1], "proxy": address, "reconnect_delays": soon}
        assert connections(front, "wss://localhost/", 1, **options) == 1
        assert len(proxy.times) == 2


TRANSIENT = [408, 425, 429, 500, 502, 503, 504, *range(520, 531)]
FINAL = [400, 401, 403, 404, 407, 410, 426, 451, 501, 505]


@pytest.mark.parametrize("status", TRANSIENT)
def test_d10_transient_statuses_of_server_and_proxy(front: FrontEnd, status: int) -> None:
    refusal = refuse(status, OVERLOADED)
    with answering(refusal, refusal, closing(1000)) as server:
        assert connections(front, server.uri, 1, reconnect_delays=soon) == 1
        assert len(server.times) == 3
    with answering(refusal, refusal, tunnelling(closing(1000))) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        assert connections(front, TARGET, 1, reconnect_delays=soon, proxy=address) == 1
        assert len(proxy.times) == 3


def tunnelling(answer: Answer) -> Answer:
    """Answer as a proxy first, and then as the server behind it."""

    def tunnel(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += sock.recv(1000)
        answer(sock, request.decode())

    return tunnel


@pytest.mark.parametrize("status", FINAL)
def test_d10_final_statuses_of_server_and_proxy(front: FrontEnd, status: int) -> None:
    with answering(refuse(status)) as server:
        with pytest.raises(InvalidStatus, match=str(status)):
            connections(front, server.uri, 1, reconnect_delays=soon, open_timeout=0.2)
        address = f"http://127.0.0.1:{server.port}"
        with pytest.raises(InvalidProxyStatus, match=str(status)):
            connections(front, TARGET, 1, reconnect_delays=soon, proxy=address)
        assert len(server.times) == 2


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 20"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_d10_a_proxy_or_server_that_goes_away_is_transient(
    front: FrontEnd, data: bytes, end: Any
) -> None:
    with answering(reply(data, end), tunnelling(closing(1000))) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        assert connections(front, TARGET, 1, reconnect_delays=soon, proxy=address) == 1
    with answering(reply(data, end), closing(1000)) as server:
        assert connections(front, server.uri, 1, reconnect_delays=soon) == 1


class SOCKS:
    """A SOCKS5 proxy that gives each connection the next of its replies.

    A reply is a code, b"" to close at once, or an answer of the server behind it.
    """

    def __init__(self, *replies: int | bytes | Answer) -> None:
        self.replies = iter(replies)
        self.count = 0

    def serve(self, listener: socket.socket) -> None:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for reply in self.replies:
                sock = stack.enter_context(listener.accept()[0])
                self.count += 1
                if reply == b"":
                    sock.close()
                    continue
                sock.recv(2)
                sock.recv(10)
                sock.sendall(b"\x05\xff" if reply == 0xFF else b"\x05\x00")
                if reply == 0xFF:
                    sock.close()
                    continue
                request = sock.recv(300)
                assert struct.unpack("!H", request[-2:]) == (80,)
                code = reply if isinstance(reply, int) else 0
                sock.sendall(bytes([5, code, 0, 1]) + bytes(6))
                if callable(reply):
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += sock.recv(1000)
                    reply(sock, head.decode())


@contextlib.contextmanager
def socks(*replies: int | bytes | Answer) -> Iterator[tuple[str, SOCKS]]:
    proxy = SOCKS(*replies)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=proxy.serve, args=(listener,))
        thread.start()
        try:
            yield f"socks5h://127.0.0.1:{listener.getsockname()[1]}", proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def test_d10_a_socks_proxy_that_fails_is_transient(front: FrontEnd) -> None:
    with socks(1, 3, 4, 5, b"", closing(1000)) as (address, proxy):
        assert connections(front, TARGET, 1, reconnect_delays=soon, proxy=address) == 1
        assert proxy.count == 6


@pytest.mark.parametrize("code", [2, 7, 8, 0xFF])
def test_d10_a_socks_proxy_that_refuses_is_final(front: FrontEnd, code: int) -> None:
    with socks(code) as (address, _), pytest.raises(ProxyError):
        connections(front, TARGET, 1, reconnect_delays=soon, proxy=address)


@pytest.mark.parametrize("answer", [reply(b"SSH-2.0-x\r\n"), refuse(302, "Location: ftp://x/\r\n")])
def test_d10_a_wrong_protocol_is_final(front: FrontEnd, answer: Answer) -> None:
    with answering(answer) as server:
        with pytest.raises((ws6455.NotHTTP, ws6455.InvalidURI)):
            connections(front, server.uri, 1, reconnect_delays=soon)
        assert len(server.times) == 1


def test_d02_a_refusal_without_an_end_is_final(front: FrontEnd) -> None:
    with answering(refuse(401)) as server:
        with pytest.raises(InvalidStatus, match="401"):
            connections(front, server.uri, 1, reconnect_delays=soon, open_timeout=0.4)
        assert len(server.times) == 1


# Retry-After --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_d11_retry_after_is_honoured(front: FrontEnd, status: int) -> None:
    refusal = refuse(status, OVERLOADED + "Retry-After: 1\r\n")
    with answering(refusal, closing(1000)) as server:
        assert connections(front, server.uri, 1, reconnect_delays=soon) == 1
        assert 1 <= server.times[1] - server.times[0] < 1.9


def test_d11_a_date_and_a_proxy(front: FrontEnd) -> None:
    now = time.time()
    dates = [email.utils.formatdate(now + seconds, usegmt=True) for seconds in (1000, 1001)]
    headers = f"{OVERLOADED}Date: {dates[0]}\r\nRetry-After: {dates[1]}\r\n"
    with answering(refuse(503, headers), tunnelling(closing(1000))) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        assert connections(front, TARGET, 1, reconnect_delays=soon, proxy=address) == 1
        assert 1 <= proxy.times[1] - proxy.times[0] < 1.9


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT", "0"])
def test_d11_malformed_and_past_ones_are_ignored(front: FrontEnd, value: str) -> None:
    refusal = refuse(503, f"{OVERLOADED}Retry-After: {value}\r\n")
    with answering(refusal, closing(1000)) as server:
        assert connections(front, server.uri, 1, reconnect_delays=soon) == 1
        assert server.times[1] - server.times[0] < 0.9


def test_d11_the_delay_has_a_bound(front: FrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws6455.client.retry_after.MAX_RETRY_AFTER", 0.05)
    refusal = refuse(503, f"{OVERLOADED}Retry-After: 86400\r\n")
    with answering(refusal, closing(1000)) as server:
        assert connections(front, server.uri, 1, reconnect_delays=soon) == 1
        assert 0.05 <= server.times[1] - server.times[0] < 0.9


# Fresh arguments ----------------------------------------------------------------------------


def test_d12_the_uri_and_headers_are_asked_for_before_each_attempt(front: FrontEnd) -> None:
    numbers = itertools.count()
    tokens = itertools.count()

    with answering(
        refuse(503, OVERLOADED),
        refuse(302, "Location: /moved\r\nContent-Length: 0\r\n"),
        closing(1001),
    ) as server:
        count = connections(
            front,
            lambda: f"{server.uri}{next(numbers)}",
            2,
            additional_headers=lambda: {"Authorization": f"Bearer {next(tokens)}"},
            reconnect_delays=soon,
        )
        assert count == 2
        assert [head.split()[1] for head in server.heads] == ["/0", "/1", "/moved", "/2"]
        values = [server.values(number, "Authorization") for number in range(4)]
        assert values == [["Bearer 0"], ["Bearer 1"], ["Bearer 1"], ["Bearer 2"]]


def test_d12_one_connection_asks_once(front: FrontEnd) -> None:
    asked = []
    with answering(accept()) as server:

        def uri() -> str:
            asked.append("uri")
            return server.uri

        def headers() -> list[tuple[str, str]]:
            asked.append("headers")
            return [("X-Token", "a")]

        front.connect(uri, additional_headers=headers)  # type: ignore[arg-type]
        assert asked == ["uri", "headers"]
        assert server.values(0, "X-Token") == ["a"]


async def test_d12_coroutine_functions() -> None:
    with answering(closing(1001)) as server:

        async def uri() -> str:
            await asyncio.sleep(0)
            return server.uri

        async def headers() -> None:
            await asyncio.sleep(0)

        client = ws6455.connect(uri, additional_headers=headers, stable_after=0)
        with pytest.raises(AttributeError, match="unknown before the first attempt"):
            _ = client.uri
        async with client as connection:
            await connection.wait_closed()
        assert client.uri == server.uri
        assert client.ws_uri.port == server.port


async def test_d12_a_slow_callable_counts_as_part_of_the_attempt() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(TimeoutError):
        await ws6455.connect(never, open_timeout=0.05)


def test_d12_threads_have_no_loop_for_coroutine_functions() -> None:
    async def uri() -> str:
        return "ws://localhost/"

    coroutines = []

    def keep() -> Any:
        coroutines.append(uri())
        return coroutines[-1]

    with pytest.raises(TypeError, match="uri must not be a coroutine function"):
        ws6455.sync.client.connect(keep)
    coroutines[0].close()


@pytest.mark.parametrize("option", ["uri", "additional_headers"])
def test_d12_an_error_of_a_callable_is_decided_like_any_other(front: FrontEnd, option: str) -> None:
    errors: Iterator[Exception] = iter([OSError("token server"), LookupError("no token")])

    def fail() -> Any:
        raise next(errors)

    options: dict[str, Any] = {"additional_headers": fail} if option != "uri" else {}
    uri: str | Callable[[], str] = fail if option == "uri" else "ws://localhost/"
    with pytest.raises(LookupError, match="no token"):
        connections(front, uri, 1, reconnect_delays=soon, **options)


@pytest.mark.parametrize(
    ("headers", "error"), [({"Upgrade": "x"}, ValueError), ({"X-A": None}, TypeError)]
)
def test_d12_what_a_callable_returns_is_checked(
    front: FrontEnd, headers: Any, error: type[Exception]
) -> None:
    with answering(accept()) as server:
        with pytest.raises(error):
            connections(front, server.uri, 1, additional_headers=lambda: headers)
        assert not server.times
    with pytest.raises(ws6455.InvalidURI):
        connections(front, lambda: "http://localhost/", 1)


def test_d12_headers_that_change_are_read_for_each_attempt(front: FrontEnd) -> None:
    headers = {"X-Token": "0"}

    def change(sock: socket.socket, head: str) -> None:
        headers["X-Token"] = "1"
        refuse(503, OVERLOADED)(sock, head)

    with answering(change, closing(1000)) as server:
        pairs = iter([("X-Once", "x")])
        connections(front, server.uri, 1, additional_headers=headers, reconnect_delays=soon)
        assert [server.values(number, "X-Token") for number in (0, 1)] == [["0"], ["1"]]
    with answering(refuse(503, OVERLOADED), closing(1000)) as server:
        connections(front, server.uri, 1, additional_headers=pairs, reconnect_delays=soon)
        assert [server.values(number, "X-Once") for number in (0, 1)] == [["x"], ["x"]]
