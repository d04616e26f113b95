"""Refusals, interim responses, bytes that are not HTTP, redirects, and the request's headers."""

import itertools
import socket
import ssl
import time
from typing import Any

import pytest

import ws6455
import ws6455.sync.client
from tests.aio.conftest import contexts as contexts
from tests.contract.adapters import FrontEnd, Threads
from tests.edges.answering import accept, answering, finish, refuse, reply
from ws6455 import InvalidHandshake, InvalidStatus, InvalidURI, NotHTTP, SecurityError
from ws6455.client.session import BODY_TIMEOUT
from ws6455.exceptions import InvalidProxyMessage, InvalidProxyStatus

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
TARGET = "ws://server.example/"

# The body of a refusal ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "body", "kept"),
    [
        (401, "", b"why", b"why"),
        (403, "Content-Length: 9\r\n", b"why", b"why"),
        (500, "Content-Length: 9\r\n", b"", b""),
        (503, "Transfer-Encoding: chunked\r\n", b"3\r\nwhy\r\n", b"why"),
        (400, "Transfer-Encoding: chunked\r\n", b"9\r\nwhy", b"why"),
        (404, "Transfer-Encoding: gzip\r\n", b"why", b"why"),
        (302, "Content-Length: 9\r\n", b"why", b"why"),  # without a Location
        (200, "Connection: close\r\n", b"<p>", b"<p>"),
    ],
)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_d02_a_body_that_does_not_end_hides_no_status(
    front: FrontEnd,
    contexts: Contexts,
    tls: bool,
    status: int,
    headers: str,
    body: bytes,
    kept: bytes,
) -> None:
    options: dict[str, Any] = {"ssl": contexts[1]} if tls else {}
    with answering(refuse(status, headers, body), context=contexts[0] if tls else None) as server:
        with pytest.raises(InvalidStatus, match=f"HTTP {status}") as caught:
            front.connect(server.uri, open_timeout=0.5, **options)
        assert caught.value.response.body == kept


@pytest.mark.parametrize("open_timeout", [None, 60])
def test_d02_a_body_has_a_short_time(front: FrontEnd, open_timeout: float | None) -> None:
    with answering(refuse(401, "Content-Length: 9\r\n", b"why")) as server:
        started = time.monotonic()
        with pytest.raises(InvalidStatus, match="401"):
            front.connect(server.uri, open_timeout=open_timeout)
        assert time.monotonic() - started < BODY_TIMEOUT + 2


def test_d02_a_body_that_flows_for_ever_has_the_same_time(front: FrontEnd) -> None:
    def flow(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # ends with an error when the client has gone
            sock.sendall(b"1\r\nx\r\n")
            time.sleep(0.02)

    with answering(flow) as server:
        with pytest.raises(InvalidStatus, match="401") as caught:
            front.connect(server.uri, open_timeout=0.5)
        body = caught.value.response.body
        assert body == b"x" * len(body)
        assert body


def test_d02_a_body_that_comes_late_is_waited_for(front: FrontEnd) -> None:
    def slowly(sock: socket.socket, head: str) -> None:
        sock.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\n")
        for byte in b"reason":
            time.sleep(0.02)
            sock.sendall(bytes([byte]))

    with answering(slowly) as server:
        with pytest.raises(InvalidStatus) as caught:
            front.connect(server.uri)
        assert caught.value.response.body == b"reason"


@pytest.mark.parametrize("headers", ["", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n"])
def test_d02_a_reset_within_the_body_hides_no_status(front: FrontEnd, headers: str) -> None:
    def reset(sock: socket.socket, head: str) -> None:
        sock.sendall(f"HTTP/1.1 403 No\r\n{headers}\r\n".encode() + b"3\r\nwhy")
        time.sleep(0.05)  # a client that reads later may lose what it has not read
        finish(sock, "reset")

    with answering(reset) as server:
        with pytest.raises(InvalidStatus, match="403") as caught:
            front.connect(server.uri)
        assert b"why" in caught.value.response.body


@pytest.mark.parametrize("headers", ["", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_d02_a_redirect_is_followed_without_its_body(
    front: FrontEnd, contexts: Contexts, tls: bool, headers: str
) -> None:
    options: dict[str, Any] = {"ssl": contexts[1]} if tls else {}
    redirect = refuse(307, f"Location: /next\r\n{headers}", b"se")
    with answering(redirect, accept(), context=contexts[0] if tls else None) as server:
        front.connect(server.uri, open_timeout=None, **options)
        assert server.times[1] - server.times[0] < BODY_TIMEOUT / 2
        assert server.heads[1].startswith("GET /next HTTP/1.1\r\n")


def test_d02_a_proxys_refusal_does_not_wait_for_its_body(front: FrontEnd) -> None:
    with answering(refuse(407, "Content-Length: 9\r\n", b"why")) as proxy:
        started = time.monotonic()
        with pytest.raises(InvalidProxyStatus, match="407") as caught:
            front.connect(TARGET, proxy=f"http://127.0.0.1:{proxy.port}", open_timeout=None)
        assert time.monotonic() - started < BODY_TIMEOUT / 2
        assert caught.value.response.body in (b"", b"why")


def test_d02_a_head_that_does_not_end_is_a_timeout(front: FrontEnd) -> None:
    with (
        answering(reply(b"HTTP/1.1 401 Unauthorized\r\nContent-Le")) as server,
        pytest.raises(TimeoutError),
    ):
        front.connect(server.uri, open_timeout=0.2)


# Interim responses --------------------------------------------------------------------------

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize("before", [CONTINUE, HINTS, b"HTTP/1.1 199 X\r\n\r\n", HINTS * 16])
def test_d03_interim_responses_are_skipped(front: FrontEnd, before: bytes) -> None:
    with answering(accept(before=before)) as server:
        assert front.connect(server.uri).response.status_code == 101
    with answering(refuse(403, "Content-Length: 3\r\n", b"why")) as server:
        with pytest.raises(InvalidStatus) as caught:
            front.connect(server.uri)
        assert caught.value.response.body == b"why"


def test_d03_interim_responses_come_in_pieces_of_their_own(front: FrontEnd) -> None:
    def piecewise(sock: socket.socket, head: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CONTINUE + HINTS:
            sock.sendall(bytes([byte]))
        time.sleep(0.02)
        accept()(sock, head)

    with answering(piecewise) as server:
        assert front.connect(server.uri).response.status_code == 101


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (HINTS * 17, "more than 16 interim responses"),
        (b"HTTP/1.1 103 X\r\nA: " + b"x" * 7000 + b"\r\n\r\n", "head exceeds 65536 bytes"),
    ],
)
def test_d03_interim_responses_are_limited(front: FrontEnd, before: bytes, text: str) -> None:
    with (
        answering(accept(before=before if text.startswith("more") else before * 12)) as server,
        pytest.raises(SecurityError, match=text),
    ):
        front.connect(server.uri)


def test_d03_endless_interim_responses_have_the_deadline(front: FrontEnd) -> None:
    with answering(reply(CONTINUE)) as server, pytest.raises(TimeoutError):
        front.connect(server.uri, open_timeout=0.2)
    with answering(reply(CONTINUE, "close")) as server:
        with pytest.raises(ws6455.InvalidMessage) as caught:
            front.connect(server.uri)
        assert isinstance(caught.value.__cause__, EOFError)


@pytest.mark.parametrize("before", [CONTINUE, HINTS * 16])
def test_d03_interim_responses_of_a_proxy_are_skipped(front: FrontEnd, before: bytes) -> None:
    def tunnel(sock: socket.socket, head: str) -> None:
        sock.sendall(before + b"HTTP/1.1 200 OK\r\n\r\n")
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += sock.recv(1000)
        accept()(sock, request.decode())

    with answering(tunnel) as proxy:
        client = front.connect(TARGET, proxy=f"http://127.0.0.1:{proxy.port}")
        assert client.response.status_code == 101


def test_d03_a_101_for_something_else_still_fails(front: FrontEnd) -> None:
    other = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with answering(reply(other)) as server, pytest.raises(InvalidHandshake, match="Upgrade"):
        front.connect(server.uri)


# Bytes that are not HTTP --------------------------------------------------------------------

NOT_HTTP = {
    "tls alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "tls alert with a line feed": b"\x15\x03\x03\x00\x02\x02\x0a",
    "tls handshake": b"\x16\x03\x03\x00\x7a",
    "one byte of tls": b"\x15",
    "http/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "smtp": b"220 mail.example ESMTP\r\n",
    "an empty line": b"\r\n",
    "one byte": b"\x00",
    "html": b"<html>",
    "lower case": b"http",
    "another version": b"HTTP/2 ",
    "a frame": b"\x81\x05hello",
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_d05_the_first_byte_that_is_not_http_is_an_error(front: FrontEnd, data: bytes) -> None:
    with answering(reply(data)) as server:
        text = "the server speaks TLS on this port: use wss://"
        with pytest.raises(NotHTTP, match=text if data[0] in b"\x15\x16" else "not an HTTP resp"):
            front.connect(server.uri, open_timeout=None)
        proxy = f"http://127.0.0.1:{server.port}"
        text = "the proxy speaks TLS on this port: use https://"
        with pytest.raises(
            InvalidProxyMessage, match=text if data[0] in b"\x15\x16" else "not an HTTP resp"
        ):
            front.connect(TARGET, proxy=proxy, open_timeout=None)


def test_d05_a_plain_server_on_a_tls_port_fails_at_once(
    front: FrontEnd, contexts: Contexts
) -> None:
    with front.serve() as server, pytest.raises(ssl.SSLError):
        front.connect(f"wss://localhost:{server.port}/", ssl=contexts[1], open_timeout=5)


# Redirects and addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/next#frag", "/next"),
        (b"#frag", "/"),
        (b"?q=1#a#b", "/?q=1"),
        (b"next#", "/next"),
        ("/caf\xe9?n=\xfc".encode(), "/caf%C3%A9?n=%C3%BC"),
        (b"/caf%C3%A9", "/caf%C3%A9"),
        ("/caf%C3%A9\xe9".encode(), "/caf%C3%A9%C3%A9"),
        (b"/caf\xe9", "/caf%E9"),
        (b"/a b", "/a%20b"),
        (b"/a\tb", "/a%09b"),
        (b"/%", "/%"),
    ],
)
def test_d06_the_target_of_a_redirect_is_encoded_once(
    front: FrontEnd, location: bytes, path: str
) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with answering(reply(redirect), accept()) as server:
        assert front.connect(server.uri).request.path == path
        assert server.heads[1].startswith(f"GET {path} HTTP/1.1\r\n")


@pytest.mark.parametrize("form", ["ws://127.0.0.1:{}/x#y", "HTTP://127.0.0.1:{}/x", "//127.1:{}/x"])
def test_d06_absolute_targets(front: FrontEnd, form: str) -> None:
    with answering(accept()) as target:
        location = form.format(target.port)
        redirect = refuse(301, f"Location: {location}\r\nContent-Length: 0\r\n")
        with answering(redirect) as server:
            assert front.connect(server.uri).request.path == "/x"


@pytest.mark.parametrize("location", ["ftp://h/", "ws://[::1/", "ws://h:0/", "ws://a%00b/"])
def test_d06_a_target_that_is_no_websocket_uri_is_an_error(front: FrontEnd, location: str) -> None:
    redirect = refuse(301, f"Location: {location}\r\nContent-Length: 0\r\n")
    with answering(redirect) as server, pytest.raises(InvalidURI):
        front.connect(server.uri)


def test_d06_two_locations_are_no_redirect(front: FrontEnd) -> None:
    redirect = refuse(301, "Location: /a\r\nLocation: /b\r\nContent-Length: 0\r\n")
    with answering(redirect) as server, pytest.raises(InvalidStatus, match="301"):
        front.connect(server.uri)


@pytest.mark.parametrize("zone", ["%251", "%1"])
def test_d06_a_zone_is_for_the_address_only(front: FrontEnd, zone: str) -> None:
    redirect = refuse(302, "Location: /next\r\nContent-Length: 0\r\n")
    with answering(redirect, accept(), host="::1") as server:
        client = front.connect(f"ws://[::1{zone}]:{server.port}/")
        assert client.remote_address[0].partition("%")[0] == "::1"
        assert client.request.path == "/next"
        for number in (0, 1):
            assert server.values(number, "Host") == [f"[::1]:{server.port}"]


# Headers of the request ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "User-Agent"])
@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_d07_a_header_of_the_caller_replaces_ours(front: FrontEnd, name: str, change: Any) -> None:
    with answering(accept()) as server:
        uri = server.uri.replace("//", "//user:password@")
        headers = {change(name): "mine", "X-Other": "x"}
        front.connect(uri, origin="http://a", additional_headers=headers)
        assert server.values(0, name) == ["mine"]
        assert server.values(0, "X-Other") == ["x"]
        names = [line.partition(":")[0].lower() for line in server.names(0)]
        assert names[0] == "host"
        assert len(set(names)) == len(names)


def call(front: FrontEnd, **options: Any) -> object:
    """Call what makes a client, and go no further."""
    if isinstance(front, Threads):
        return ws6455.sync.client.reconnect("ws://localhost/", **options)
    return ws6455.connect("ws://localhost/", **options)


@pytest.mark.parametrize(
    ("headers", "error", "text"),
    [
        ({"upgrade": "x"}, ValueError, "upgrade: it belongs to the opening handshake"),
        ({"Connection": "x"}, ValueError, "Connection: it belongs to the opening handshake"),
        ({"Sec-WebSocket-Key": "x"}, ValueError, "belongs to the opening handshake"),
        ({"Sec-WebSocket-Version": "8"}, ValueError, "belongs to the opening handshake"),
        ({"Sec-WebSocket-Accept": "x"}, ValueError, "belongs to the response"),
        ({"SEC-WEBSOCKET-EXTENSIONS": "x"}, ValueError, "option compression or extensions"),
        ({"Content-Length": "5"}, ValueError, "no body"),
        ({"Transfer-Encoding": "chunked"}, ValueError, "no body"),
        ([("Host", "a"), ("host", "b")], ValueError, "twice"),
        ({"Sec-WebSocket-Protocol": "a b"}, ValueError, "Sec-WebSocket-Protocol"),
        ({"X-Token": None}, TypeError, "X-Token must be str, not NoneType"),
        ({"X-Token": 5}, TypeError, "X-Token must be str, not int"),
        ({"X-Token": b"x"}, TypeError, "X-Token must be str, not bytes"),
        ([("X-Token", None)], TypeError, "X-Token must be str, not NoneType"),
        ("X-Token: x", TypeError, "a mapping, or pairs"),
        ({"X-Token": "a\r\nX-B: c"}, ws6455.InvalidHeader, "X-Token"),
        ({"X-B: c\r\nX-A": "a"}, ws6455.InvalidHeader, "not a header name"),
    ],
)
def test_d07_wrong_headers_are_refused_by_the_call(
    front: FrontEnd, headers: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        call(front, additional_headers=headers)
    with answering(accept()) as server, pytest.raises(error, match=text):
        front.connect(server.uri, additional_headers=headers)
    assert not server.times


@pytest.mark.parametrize(
    ("given", "option", "sent"),
    [(["b"], None, "b"), (["b", "a"], ["a"], "a, b"), (["c, b"], ["a"], "a, c, b")],
)
def test_d07_a_subprotocol_in_the_headers_is_offered(
    front: FrontEnd, given: list[str], option: list[str] | None, sent: str
) -> None:
    headers = [("sec-websocket-protocol", value) for value in given]
    with front.serve(subprotocols=["b"]) as server:
        client = front.connect(server.uri, additional_headers=headers, subprotocols=option)
        assert client.subprotocol == "b"
        assert server.accept().request.headers.get_all("Sec-WebSocket-Protocol") == [sent]


def test_d07_a_host_of_the_caller_does_not_follow_to_another_origin(front: FrontEnd) -> None:
    headers = {"Host": "virtual.example", "Cookie": "a=b", "X-Own": "c"}
    with answering(accept()) as target:
        away = refuse(302, f"Location: {target.uri}\r\nContent-Length: 0\r\n")
        here = refuse(302, "Location: /here\r\nContent-Length: 0\r\n")
        with answering(here, away) as server:
            front.connect(server.uri, additional_headers=headers)
            for number in (0, 1):
                assert server.values(number, "Host") == ["virtual.example"]
                assert server.values(number, "Cookie") == ["a=b"]
        assert target.values(0, "Host") == [f"127.0.0.1:{target.port}"]
        assert target.values(0, "Cookie") == []
        assert target.values(0, "X-Own") == ["c"]


# A hook decides before anything changes -----------------------------------------------------


class Staying(ws6455.connect):
    """Refuses redirects to another origin."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        old = (self.ws_uri.secure, self.ws_uri.host, self.ws_uri.port)
        target = super().process_redirect(exc)
        if isinstance(target, str):
            new = ws6455.parse_uri(target)
            if (new.secure, new.host, new.port) != old or self.ws_uri.port != old[2]:
                return SecurityError("redirect to another origin")
            if self.ws_uri.path != "/":
                return SecurityError("moved too early")
        return target


async def test_d41_a_hook_that_compares_origins_refuses_another_one() -> None:
    headers = {"api-key": "secret"}
    with answering(accept()) as target:
        away = refuse(302, f"Location: {target.uri}\r\nContent-Length: 0\r\n")
        with answering(away) as server:
            client = Staying(server.uri, additional_headers=headers)
            with pytest.raises(SecurityError, match="another origin"):
                await client
            assert client.uri == server.uri
        assert not target.times
    here = refuse(302, "Location: /here\r\nContent-Length: 0\r\n")
    with answering(here, accept()) as server:
        client = Staying(server.uri, additional_headers=headers, close_timeout=0.1)
        async with client:
            assert client.uri == f"{server.uri}here"
        assert server.values(1, "api-key") == ["secret"]


async def test_d41_a_hook_may_give_another_target_which_is_checked() -> None:
    targets = iter(["/second", "http://127.0.0.1:{}/third#part", "ftp://x/"])

    class Rewriting(ws6455.connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            if not isinstance(exc, InvalidStatus):
                return exc
            return next(targets).format(self.ws_uri.port)

    refusal = refuse(302, "Location: /never\r\nContent-Length: 0\r\n")
    with answering(refusal) as server:
        with pytest.raises(InvalidURI) as caught:
            await Rewriting(server.uri)
        assert isinstance(caught.value.__cause__, InvalidStatus)
        paths = [head.split()[1] for head in server.heads]
        assert paths == ["/", "/second", "/third"]


async def test_d41_a_hook_cannot_lead_out_of_tls_or_for_ever(contexts: Contexts) -> None:
    class Plain(ws6455.connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            return self.uri.replace("wss", "ws")

    refusal = refuse(403, "Content-Length: 0\r\n")
    with (
        answering(refusal, context=contexts[0]) as server,
        pytest.raises(SecurityError, match="from TLS to plain text"),
    ):
        await Plain(server.uri, ssl=contexts[1])
    with answering(refusal) as server:
        with pytest.raises(SecurityError, match="more than 10 redirects"):
            await Plain(server.uri)
        assert len(server.times) == 11


async def test_d41_a_hook_sees_each_uri_of_a_chain() -> None:
    seen = []

    class Watching(ws6455.connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            target = super().process_redirect(exc)
            seen.append((self.uri, target))
            return target

    chain = [refuse(302, f"Location: /{n}\r\nContent-Length: 0\r\n") for n in (1, 2)]
    with answering(*chain, accept()) as server:
        async with Watching(server.uri, close_timeout=0.1):
            pass
        uris = [server.uri, f"{server.uri}1", f"{server.uri}2"]
        assert seen == list(itertools.pairwise(uris))
