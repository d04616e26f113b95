"""apps.admission: accepted and refused handshakes, and plain HTTP responses."""

import argparse
import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest
import websockets

import ws6455
from apps.admission import Admission, content_security_policy, is_loopback

PAGE = b"<!doctype html><style>p{}</style><script>1</script><p>page \xc3\xa9"


async def echo(connection: ws6455.ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def serving(
    *,
    host: str = "localhost",
    token: str | None = None,
    origin: tuple[str, ...] = (),
    page: bytes | None = PAGE,
) -> AsyncIterator[int]:
    """Serve on 127.0.0.1 with the rules of a server that listens on `host`; yield the port."""
    options = argparse.Namespace(host=host, token=token, origin=list(origin))
    admission = Admission(options, page, lambda: 7)
    async with ws6455.serve(
        echo, "127.0.0.1", 0, process_request=admission.process_request
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def upgrade_status(uri: str, port: int, *headers: tuple[str, str]) -> int:
    """Return the status of an opening handshake sent to 127.0.0.1."""
    try:
        async with websockets.connect(
            uri, host="127.0.0.1", port=port, additional_headers=headers, proxy=None
        ) as client:
            await client.send("in")
            assert await client.recv() == "in"
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


async def get(port: int, target: str, method: str = "GET") -> tuple[int, str, bytes]:
    """Return status, head and body of the response to a plain HTTP request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), head.decode(), body


@pytest.mark.parametrize(
    ("host", "allowed", "origin", "status"),
    [
        ("localhost", (), None, 101),
        ("localhost", (), "http://good.example:81", 101),
        ("localhost", (), "https://good.example:81", 101),
        ("localhost", (), "http://GOOD.example:81", 101),
        ("localhost", (), "http://good.example", 403),
        ("localhost", (), "http://good.example:82", 403),
        ("localhost", (), "http://good.example:81.evil", 403),
        ("localhost", (), "http://good.example:81@evil", 403),
        ("localhost", (), "ftp://good.example:81", 403),
        ("localhost", (), "good.example:81", 403),
        ("localhost", (), "", 403),
        ("localhost", (), "null", 101),
        ("127.0.0.1", (), "null", 101),
        ("::1", (), "null", 101),
        ("0.0.0.0", (), "null", 403),
        ("192.0.2.1", (), "null", 403),
        ("localhost", ("http://other.example",), "http://other.example", 101),
        ("localhost", ("http://other.example",), "http://other.example.evil", 403),
        ("localhost", ("http://other.example",), "http://other.exampl", 403),
        ("localhost", ("http://other.example",), "https://other.example", 403),
        ("localhost", ("http://other.example",), "http://evil/http://other.example", 403),
        ("localhost", ("http://other.example",), "http://good.example:81", 101),
        ("localhost", ("http://a.example", "http://b.example"), "http://b.example", 101),
    ],
)
async def test_origin(host: str, allowed: tuple[str, ...], origin: str | None, status: int) -> None:
    headers = [] if origin is None else [("Origin", origin)]
    async with serving(host=host, origin=allowed) as port:
        assert await upgrade_status("ws://good.example:81/", port, *headers) == status


async def test_every_one_of_several_origins_must_be_allowed() -> None:
    async with serving() as port:
        origins = (("Origin", "http://good.example"), ("Origin", "http://evil.example"))
        assert await upgrade_status("ws://good.example/", port, *origins) == 403


@pytest.mark.parametrize(
    ("target", "header", "status"),
    [
        ("/", None, 401),
        ("/", "Bearer right", 101),
        ("/", "Bearer wrong", 401),
        ("/", "Bearer righ", 401),
        ("/", "Bearer ", 401),
        ("/", "Basic right", 401),
        ("/", "right", 401),
        ("/?token=right", None, 101),
        ("/any?x=y&token=right", None, 101),
        ("/?token=", None, 401),
        ("/?token=wrong", None, 401),
        ("/?token=%C3%A9%FF", None, 401),
        ("/?token=right.", None, 401),
        ("/?token=wrong", "Bearer right", 101),
    ],
)
async def test_token(target: str, header: str | None, status: int) -> None:
    headers = [] if header is None else [("Authorization", header)]
    async with serving(token="right") as port:
        assert await upgrade_status(f"ws://localhost{target}", port, *headers) == status


async def test_a_token_does_not_open_the_door_to_other_origins() -> None:
    async with serving(token="right") as port:
        uri, origin = "ws://localhost/?token=right", ("Origin", "http://evil.example")
        assert await upgrade_status(uri, port, origin) == 403


async def test_page_needs_the_token_too() -> None:
    async with serving(token="right") as port:
        status, head, body = await get(port, "/")
        assert status == 401
        assert "WWW-Authenticate: Bearer" in head
        assert b"page" not in body
        assert (await get(port, "/status"))[0] == 401
        assert (await get(port, "/?token=right"))[2] == PAGE


async def test_page() -> None:
    async with serving() as port:
        status, head, body = await get(port, "/")
    assert status == 200
    assert body == PAGE
    lines = head.lower().split("\r\n")
    assert "content-type: text/html; charset=utf-8" in lines
    assert "cache-control: no-store" in lines
    assert "referrer-policy: no-referrer" in lines
    assert "x-content-type-options: nosniff" in lines
    assert sum(line.startswith("content-type:") for line in lines) == 1
    assert f"Content-Security-Policy: {content_security_policy(PAGE)}" in head


async def test_plain_http() -> None:
    async with serving() as port:
        status, head, body = await get(port, "/status")
        assert (status, body) == (200, b'{"clients": 7}\n')
        assert "application/json" in head
        assert (await get(port, "/?x=y"))[0] == 200
        for target in ("/other", "//", "/page.html", "/../", "/status/"):
            assert (await get(port, target))[0] == 404, target
        assert 400 <= (await get(port, "/", "POST"))[0] < 500
    async with serving(page=None) as port:
        assert (await get(port, "/"))[0] == 404


def test_content_security_policy_names_each_block() -> None:
    policy = dict(part.split(" ", 1) for part in content_security_policy(PAGE).split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    # printf 1 | openssl dgst -sha256 -binary | base64
    assert policy["script-src"] == "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"
    assert re.fullmatch(r"'sha256-[\w+/=]{44}'", policy["style-src"])
    assert "unsafe" not in str(policy)
    assert "script-src 'none'" in content_security_policy(b"<p>")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
