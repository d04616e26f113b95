"""Request heads that clients, proxies and health checks send, over both front ends."""

import contextlib
import logging
import re
from collections.abc import Sequence

import pytest

from tests.contract.adapters import End, FrontEnd, Server
from tests.contract.conftest import until
from tests.edges.peers import exchange, plain_socket, read_head
from ws6455 import Headers, Request, Response
from ws6455.testing import opening_request

REQUEST = opening_request()


def opens(server: Server, *pieces: bytes) -> End:
    """Send a request that is to be accepted; return the server's end, which is open."""
    with plain_socket(server.port) as sock:
        for piece in pieces:
            sock.sendall(piece)
        assert read_head(sock).startswith("HTTP/1.1 101 ")
        return server.accept()


def with_host(host: str, target: str = "/") -> bytes:
    return opening_request(target, {"Host": host})


# Empty lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\r\n" + REQUEST],
        [b"\r\n", REQUEST],
        [b"\r", b"\n", REQUEST],
        [b"\r", b"\n" + REQUEST],
        [b"\r\n\r", b"\n\r\n", b"\r\n" + REQUEST],
        [b"\r\n" + REQUEST[:20], REQUEST[20:-1], REQUEST[-1:]],
        [bytes([byte]) for byte in b"\r\n\r\n" + REQUEST],
    ],
)
def test_d20_empty_lines_before_the_request_line_are_skipped(
    front: FrontEnd, pieces: Sequence[bytes]
) -> None:
    with front.serve() as server:
        opens(server, *pieces)


@pytest.mark.parametrize("before", [b"\r\n" * 5, b"\r\n" * 50_000], ids=["5", "50000"])
def test_d20_many_empty_lines_are_refused(front: FrontEnd, before: bytes) -> None:
    with front.serve() as server, contextlib.suppress(ConnectionError):
        assert exchange(server.port, before + REQUEST) == ""


@pytest.mark.parametrize("before", [b"\n", b"\r\r\n", b" \r\n", b"\r\n\n", b"\x00\r\n"])
def test_d20_other_lines_before_the_request_line_are_refused(
    front: FrontEnd, before: bytes
) -> None:
    with front.serve() as server:
        response = exchange(server.port, before + REQUEST)
        assert response == "" or response.startswith("HTTP/1.1 400 ")


def test_d20_empty_lines_do_not_extend_the_deadline(front: FrontEnd) -> None:
    with front.serve(open_timeout=0.2) as server, plain_socket(server.port) as sock:
        sock.sendall(b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""


def test_d20_a_client_that_leaves_after_an_empty_line_makes_no_noise(
    front: FrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ws6455.server")
    with front.serve() as server:
        with plain_socket(server.port) as sock:
            sock.sendall(b"\r\n")
        until(lambda: any("without a request" in message for message in caplog.messages))
    assert all(record.levelno < logging.WARNING for record in caplog.records)


# Host -----------------------------------------------------------------------------------------

HOSTS = [
    "h",
    "h:80",
    "h:",
    "h:65535",
    "h:0080",
    "a.example.",
    "under_score",
    "xn--bcher-kva.example",
    "192.0.2.1:8765",
    "[::1]",
    "[::1]:8765",
    "[2001:DB8::192.0.2.1]:",
    "%41.example",
    "a!$&'()*+;=~b",
]
NO_HOSTS = [
    "",
    " ",
    ":80",
    "h:abc",
    "h:-1",
    "h:+80",
    "h:8 0",
    "h:80:80",
    "h:65536",
    "h:99999",
    "h:\xb2",
    "<script>",
    "[::1",
    "::1",
    "[]",
    "[::1]x",
    "[::1]:x",
    "[:::]",
    "[1.2.3.4]",
    "[::12345]",
    "[1:2:3:4:5:6:7:8:9]",
    "[fe80::1%25eth0]",
    "[v1.a]",
    "a,b",
    "a, b",
    "a b",
    "a\tb",
    "user@h",
    "user:password@h",
    "h/",
    "h/path",
    "h?q",
    "h#f",
    "h\\x",
    'h"',
    "h^",
    "%4",
    "%zz",
    "b\xfccher.example",
    "http://h",
]


@pytest.mark.parametrize("host", HOSTS)
def test_d20_a_valid_host_is_accepted(front: FrontEnd, host: str) -> None:
    with front.serve() as server:
        end = opens(server, with_host(host))
        assert end.connection.request.headers["Host"] == host


@pytest.mark.parametrize("host", NO_HOSTS)
def test_d20_an_invalid_host_is_refused(front: FrontEnd, host: str) -> None:
    with front.serve() as server:
        assert exchange(server.port, with_host(host)).startswith("HTTP/1.1 400 ")


def test_d20_process_request_sees_a_request_with_an_invalid_host(front: FrontEnd) -> None:
    def health(_: object, request: Request) -> Response:
        return Response(200, "OK", Headers(Connection="close"), request.headers["Host"].encode())

    with front.serve(process_request=health) as server:
        assert exchange(server.port, with_host("<script>")).endswith("\r\n\r\n<script>")


# Targets in absolute form ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        ("http://other/path?q", "other", "/path?q"),
        ("http://other:8080", "other:8080", "/"),
        ("https://[::1]:443?q", "[::1]:443", "/?q"),
        ("ws://other:/", "other:", "/"),
        ("WSS://Other/a//b", "Other", "/a//b"),
        ("/http://other/", "received", "/http://other/"),
    ],
)
def test_d20_the_host_of_an_absolute_target_replaces_host(
    front: FrontEnd, target: str, host: str, path: str
) -> None:
    seen: list[Request] = []

    def see(_: object, request: Request) -> None:
        seen.append(request)

    with front.serve(process_request=see) as server:
        end = opens(server, with_host("received", target))
        for request in (end.connection.request, *seen):
            assert request.headers.get_all("Host") == [host]
            assert request.path == path


@pytest.mark.parametrize(
    "target",
    [
        "http://h:abc/",
        "http://user@h/",
        "http://a,b/",
        "http://[::1/",
        "http://:80/",
        "ws:///path",
        "ftp://h/",
        "http:/path",
        "http:path",
        "http://h/#f",
        "*",
        "h",
        "h:80",
        "//h:80 ",
    ],
)
def test_d20_other_targets_are_refused(front: FrontEnd, target: str) -> None:
    with front.serve() as server:
        assert exchange(server.port, with_host("h", target)).startswith("HTTP/1.1 400 ")


def test_d20_an_absolute_target_does_not_excuse_host(front: FrontEnd) -> None:
    absolute = with_host("h", "http://other/")
    with front.serve() as server:
        for wrong in (
            absolute.replace(b"Host: h\r\n", b""),
            absolute.replace(b"Host: h\r\n", b"Host: h\r\nHost: h\r\n"),
            absolute.replace(b"Host: h\r\n", b"Host: user@h\r\n"),
            absolute.replace(b"Host: h\r\n", b"Host: \r\n"),
        ):
            assert exchange(server.port, wrong).startswith("HTTP/1.1 400 ")


# Refusals that a proxy causes -----------------------------------------------------------------

SETTINGS = [
    "proxy_http_version 1.1;",
    "proxy_set_header Upgrade $http_upgrade;",
    'proxy_set_header Connection "upgrade";',
]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Upgrade": None}, 426),
        ({"Connection": None}, 426),
        ({"Connection": "close", "Upgrade": None}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Upgrade": "h2c"}, 426),
    ],
)
def test_d24_a_refusal_without_upgrade_names_the_proxy_s_settings(
    front: FrontEnd, change: dict[str, str | None], status: int
) -> None:
    with front.serve() as server:
        head, _, body = exchange(server.port, opening_request("/", change)).partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert "\r\nUpgrade: websocket\r\n" in f"{head}\r\n"
        assert all(setting in body for setting in SETTINGS)
        assert "directly with a browser" in body


@pytest.mark.parametrize("change", [{}, {"Connection": "close", "Upgrade": None}])
def test_d24_a_refusal_of_http_1_0_names_the_proxy_s_settings(
    front: FrontEnd, change: dict[str, str | None]
) -> None:
    with front.serve() as server:
        request = opening_request("/", change).replace(b"HTTP/1.1", b"HTTP/1.0")
        head, _, body = exchange(server.port, request).partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 505 ")
        assert "expected HTTP/1.1; got HTTP/1.0" in body
        assert all(setting in body for setting in SETTINGS)


@pytest.mark.parametrize(
    "request_head",
    [
        opening_request("/", {"Sec-WebSocket-Key": "x"}),
        opening_request("/", {"Host": "a,b"}),
        opening_request().replace(b"GET", b"POST"),
        opening_request().replace(b"HTTP/1.1", b"HTTP/2.0"),
    ],
)
def test_d24_other_refusals_do_not_blame_a_proxy(front: FrontEnd, request_head: bytes) -> None:
    with front.serve() as server:
        response = exchange(server.port, request_head)
        assert re.match(r"HTTP/1.1 (4|5)", response)
        assert "proxy" not in response


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_d24_a_health_check_of_any_method_and_version_is_answered(
    front: FrontEnd, caplog: pytest.LogCaptureFixture, method: str, version: str
) -> None:
    def health(connection: object, request: Request) -> Response | None:
        if request.path == "/healthz":
            headers = Headers({"Connection": "close", "Content-Length": "3"})
            return Response(200, "OK", headers, b"OK\n")
        return None

    caplog.set_level(logging.INFO)
    host = "Host: h\r\n" if version == "HTTP/1.1" else ""
    with front.serve(process_request=health) as server:
        answer = exchange(server.port, f"{method} /healthz {version}\r\n{host}\r\n".encode())
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Length: 3" in head
    assert body == ("" if method == "HEAD" else "OK\n")
    assert all(record.levelno < logging.WARNING for record in caplog.records)


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_d24_without_process_request_a_health_check_makes_no_noise(
    front: FrontEnd, caplog: pytest.LogCaptureFixture, method: str, version: str
) -> None:
    caplog.set_level(logging.INFO)
    with front.serve() as server:
        answer = exchange(server.port, f"{method} / {version}\r\nHost: h\r\n\r\n".encode())
    head, _, body = answer.partition("\r\n\r\n")
    status = 426 if method == "GET" else 405
    assert head.startswith(f"HTTP/1.1 {505 if version == 'HTTP/1.0' else status} ")
    assert bool(body) is (method != "HEAD")
    assert all(record.levelno < logging.WARNING for record in caplog.records)
