"""Redirects: followed, but never with another origin's credentials or out of TLS."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.aio.test_client import check_echo, echo
from tests.conftest import port_of, uri_of
from ws6455 import (
    Headers,
    InvalidStatus,
    InvalidURI,
    Request,
    Response,
    SecurityError,
    Server,
    ServerConnection,
    connect,
    serve,
    unix_connect,
    unix_serve,
)
from ws6455.client.redirects import same_origin
from ws6455.http1.uri import parse_uri

STATUSES = [300, 301, 302, 303, 307, 308]


def redirect(location: str | None, status: int = 302) -> Response:
    headers = Headers({"Content-Length": "0"})
    if location is not None:
        headers["Location"] = location
    return Response(status, "Elsewhere", headers)


class Redirecting:
    """Redirects the path /old to a location, and keeps the requests it has seen."""

    def __init__(self, location: str | None, status: int = 302) -> None:
        self.location = location
        self.status = status
        self.requests: list[Request] = []

    def process_request(self, _: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return redirect(self.location, self.status) if request.path.startswith("/old") else None


@contextlib.asynccontextmanager
async def redirecting(
    location: str | None, status: int = 302
) -> AsyncIterator[tuple[Server, Redirecting]]:
    rule = Redirecting(location, status)
    async with serve(echo, "127.0.0.1", 0, process_request=rule.process_request) as server:
        yield server, rule


@pytest.mark.parametrize("status", STATUSES)
async def test_a_redirect_is_followed(status: int) -> None:
    async with (
        redirecting("/new?a=b", status) as (server, rule),
        connect(f"{uri_of(server)}old") as client,
    ):
        await check_echo(client)
        assert client.request is not None
        assert client.request.path == "/new?a=b"
    assert [request.path for request in rule.requests] == ["/old", "/new?a=b"]


@pytest.mark.parametrize("scheme", ["ws", "http", "HTTP", "Ws"])
async def test_the_scheme_of_the_web_stands_for_that_of_websocket(scheme: str) -> None:
    async with redirecting(None) as (server, rule):
        rule.location = uri_of(server, scheme) + "new"
        async with connect(f"{uri_of(server)}old") as client:
            await check_echo(client)
    assert [request.path for request in rule.requests] == ["/old", "/new"]


@pytest.mark.parametrize("status", [304, 305, 401])
async def test_other_statuses_are_not(status: int) -> None:
    async with redirecting("/new", status) as (server, _):
        with pytest.raises(InvalidStatus, match=f"HTTP {status}"):
            await connect(f"{uri_of(server)}old")


async def test_a_redirect_to_nowhere_is_a_refusal() -> None:
    async with redirecting(None) as (server, _):
        with pytest.raises(InvalidStatus, match="HTTP 302"):
            await connect(f"{uri_of(server)}old")


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_credentials_do_not_follow_to_another_origin(scheme: str) -> None:
    secrets = {"Authorization": "a", "Cookie": "b", "Proxy-Authorization": "c", "X-Other": "d"}
    async with redirecting("unused") as (target, seen):
        location = f"{scheme}://127.0.0.1:{port_of(target)}/new"
        async with redirecting(location) as (server, rule):
            uri = uri_of(server).replace("//", "//user:password@") + "old"
            # The URI's credentials and the caller's own are one header too many for one request.
            del secrets["Authorization"]
            async with connect(uri, additional_headers=secrets) as client:
                await check_echo(client)
    (first,), (second,) = rule.requests, seen.requests
    for name in ("Authorization", "Cookie", "Proxy-Authorization", "X-Other"):
        assert name in first.headers
    for name in ("Authorization", "Cookie", "Proxy-Authorization"):
        assert name not in second.headers
    assert second.headers["X-Other"] == "d"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ws://host", "ws://host:80/path", True),
        ("ws://host", "ws://HOST", True),
        ("ws://host", "ws://host:81", False),
        ("ws://host:443", "wss://host", False),
        ("ws://host", "ws://other", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert same_origin(parse_uri(one), parse_uri(other)) is same


async def test_credentials_follow_within_an_origin() -> None:
    async with redirecting("/new") as (server, rule):
        uri = uri_of(server).replace("//", "//user:password@") + "old"
        async with connect(uri, additional_headers={"Cookie": "b"}):
            pass
    first, second = rule.requests
    for name in ("Authorization", "Cookie"):
        assert first.headers[name] == second.headers[name]


async def test_an_endless_redirect_ends() -> None:
    async with redirecting("/old") as (server, rule):
        with pytest.raises(SecurityError, match="more than 10 redirects"):
            await connect(f"{uri_of(server)}old")
    assert len(rule.requests) == 11


async def test_a_redirect_never_leaves_tls(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server_context, client_context = contexts
    rule = Redirecting("ws://localhost/")
    async with serve(
        echo, "localhost", 0, ssl=server_context, process_request=rule.process_request
    ) as server:
        with pytest.raises(SecurityError, match="from TLS to plain text: localhost:80"):
            await connect(f"{uri_of(server, 'wss')}old", ssl=client_context)


async def test_a_redirect_to_what_is_no_websocket_uri() -> None:
    async with redirecting("ftp://localhost/") as (server, _):
        with pytest.raises(InvalidURI, match="scheme isn't ws or wss"):
            await connect(f"{uri_of(server)}old")


async def test_a_given_socket_cannot_be_redirected() -> None:
    async with redirecting("/new") as (server, _):
        with socket.create_connection(("127.0.0.1", port_of(server))) as sock:
            sock.setblocking(False)
            with pytest.raises(ValueError, match="on a given socket"):
                await connect("ws://localhost/old", sock=sock)


@pytest.mark.parametrize("option", ["host", "port"])
async def test_a_given_host_or_port_is_not_left(option: str) -> None:
    async with redirecting("ws://other.example/new") as (server, _):
        given: dict[str, Any] = {"host": "127.0.0.1", "port": port_of(server)}
        with pytest.raises(ValueError, match=f"with a given {option}"):
            await connect(f"{uri_of(server)}old", **{option: given[option]})


async def test_a_unix_socket_is_left_for_no_other_origin(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    rule = Redirecting("/new")
    async with unix_serve(echo, path, process_request=rule.process_request):
        async with unix_connect(path, "ws://localhost/old") as client:
            await check_echo(client)
        rule.location = "ws://other.example/"
        with pytest.raises(ValueError, match="with a given unix"):
            await unix_connect(path, "ws://localhost/old")


async def test_every_attempt_begins_at_the_first_uri() -> None:
    async with redirecting("/new") as (server, rule):
        clients = aiter(
            connect(f"{uri_of(server)}old", reconnect_delays=lambda: itertools.repeat(0.01))
        )
        for _ in range(2):
            await check_echo(await anext(clients))
        await clients.aclose()
    assert [request.path for request in rule.requests] == ["/old", "/new"] * 2


async def test_a_program_can_decide_for_itself() -> None:
    class Staying(connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    async with redirecting("/new") as (server, rule):
        with pytest.raises(InvalidStatus, match="HTTP 302"):
            await Staying(f"{uri_of(server)}old")
    assert len(rule.requests) == 1


async def test_redirects_share_one_deadline() -> None:
    async def slowly(_: ServerConnection, __: Request) -> Response:
        await asyncio.sleep(0.1)
        return redirect("/old")

    async with serve(echo, "127.0.0.1", 0, process_request=slowly) as server:
        with pytest.raises(TimeoutError, match=r"during opening handshake, after 0\.25 s"):
            await connect(f"{uri_of(server)}old", open_timeout=0.25)
