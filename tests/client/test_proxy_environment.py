"""Tests of ws6455.client.proxy_environment: variables, `no_proxy`, and the guide's tables."""

import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ws6455.client.proxies import choose_proxy, get_proxy, parse_proxy
from ws6455.client.proxy_environment import bypasses_proxy, find_proxy, is_own_machine
from ws6455.http1.uri import parse_uri

GUIDE = Path(__file__).parent.parent.parent / "docs/guide.md"
SERVER = parse_uri("ws://server.example/")


def table(*header: str) -> Iterator[list[list[str]]]:
    """Yield the rows of the guide's table with this header: for each cell, its code spans."""
    lines = iter(GUIDE.read_text().splitlines())
    assert any(line == f"| {' | '.join(header)} |" for line in lines)
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [re.findall("`(.*?)`", cell) for cell in line.split("|")[1:-1]]


def test_d15_the_guides_table_of_variables(environment: pytest.MonkeyPatch) -> None:
    rows = list(table("URI", "variables"))
    assert len(rows) == 2
    for (scheme,), variables in rows:
        uri = parse_uri(f"{scheme}server.example/")
        for name in (*variables, "ftp_proxy"):
            environment.setenv(name, "http://x")
        for name in variables:
            found = find_proxy(uri)
            assert found is not None
            assert found[0] == name
            environment.delenv(name)
        assert find_proxy(uri) is None or scheme == "wss://"
        environment.delenv("ftp_proxy")


def test_d15_the_guides_table_of_addresses(environment: pytest.MonkeyPatch) -> None:
    rows = list(table("value", "proxy"))
    assert len(rows) == 10
    for (value,), (proxy,) in rows:
        environment.setenv("all_proxy", value)
        found = choose_proxy(True, SERVER)
        assert found == parse_proxy(proxy)
        assert proxy.startswith(f"{found.scheme}://")
        assert proxy.endswith(f":{found.port}")


def test_d15_the_guides_table_of_no_proxy(environment: pytest.MonkeyPatch) -> None:
    rows = list(table("`no_proxy`", "direct", "through the proxy"))
    assert len(rows) == 11
    for (no_proxy,), direct, proxied in rows:
        for name in ("no_proxy", "NO_PROXY"):
            environment.setenv(name, no_proxy)
            environment.setenv("all_proxy", "http://proxy")
            for uri in direct:
                assert get_proxy(parse_uri(uri)) is None, (no_proxy, uri)
            for uri in proxied:
                assert get_proxy(parse_uri(uri)) == "http://proxy", (no_proxy, uri)
            environment.delenv(name)


@pytest.mark.parametrize(
    ("uri", "order"),
    [
        ("ws://server.example/", ["ws", "socks", "https", "http", "all"]),
        ("wss://server.example/", ["wss", "socks", "https", "all"]),
    ],
)
def test_a_proxy_for_websockets_goes_before_socks_before_https(
    environment: pytest.MonkeyPatch, uri: str, order: list[str]
) -> None:
    names = [name for scheme in order for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")]
    for name in names:
        environment.setenv(name, f"http://{name}.example")
    for name in names:
        scheme = "socks5h" if name.lower() == "socks_proxy" else "http"
        assert find_proxy(parse_uri(uri)) == (name, f"{scheme}://{name}.example")
        assert get_proxy(parse_uri(uri)) == f"{scheme}://{name}.example"
        environment.setenv(name, "")  # as if it were not set
    assert get_proxy(parse_uri(uri)) is None


def test_the_proxy_for_http_is_not_for_tls(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("http_proxy", "http://proxy")
    assert get_proxy(parse_uri("wss://server.example/")) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
        ("http://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("https://127.0.0.1:1080", "https://127.0.0.1:1080"),
    ],
)
def test_the_scheme_of_a_socks_proxy(
    environment: pytest.MonkeyPatch, value: str, address: str
) -> None:
    environment.setenv("socks_proxy", value)
    assert get_proxy(SERVER) == address


def test_a_cgi_program_ignores_what_a_client_can_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://proxy")
    assert get_proxy(SERVER) == "http://proxy"
    environment.setenv("REQUEST_METHOD", "GET")
    assert get_proxy(SERVER) is None
    environment.setenv("http_proxy", "http://proxy")
    assert get_proxy(SERVER) == "http://proxy"


def test_blanks_are_no_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ws_proxy", " ")
    assert get_proxy(SERVER) is None
    environment.setenv("no_proxy", "")
    environment.setenv("NO_PROXY", "*")
    environment.setenv("ALL_PROXY", "http://proxy")
    assert get_proxy(SERVER) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost.", True),
        ("a.localhost", True),
        ("a.LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("::", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:7f00:1", True),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("fd00::2", False),
        ("notlocalhost", False),
        ("localhost.example", False),
    ],
)
def test_d15_this_machine_needs_no_proxy(
    environment: pytest.MonkeyPatch, host: str, expected: bool
) -> None:
    assert is_own_machine(host) is expected
    environment.setenv("all_proxy", "http://proxy")
    uri = parse_uri(f"ws://[{host}]/" if ":" in host else f"ws://{host}/")
    assert get_proxy(uri) == (None if expected else "http://proxy")


@pytest.mark.parametrize(
    ("no_proxy", "host", "expected"),
    [
        ("", "a", False),
        (",, ,", "a", False),
        (".", "a", False),
        ("x *", "a", True),
        ("*:80", "a", True),
        ("*:81", "a", False),
        ("example.com:http", "example.com", False),
        ("10.0.0.0/8:80", "10.0.0.1", True),
        ("10.0.0.0/33", "10.0.0.1", False),
        ("10.0.0.7/8", "10.0.0.1", True),
        ("0.0.0.0/0", "10.0.0.1", True),
        ("0.0.0.0/0", "fd00::1", False),
        ("0.0.1", "10.0.0.1", False),
        ("[fd00::]/8", "fd00::1", True),
        ("[fd00::1", "fd00::1", True),
        ("FD00::1", "fd00::1", True),
        ("fd00::", "fd00::80", False),
        ("::/0", "10.0.0.1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("a\tb\nc", "b", True),
    ],
)
def test_d15_no_proxy(no_proxy: str, host: str, expected: bool) -> None:
    assert bypasses_proxy(host, 80, no_proxy) is expected


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_systems_settings(environment: pytest.MonkeyPatch, platform: str) -> None:
    environment.setattr(sys, "platform", platform)
    environment.setattr(urllib.request, "proxy_bypass", lambda host: host == "inner.example:80")
    environment.setattr(urllib.request, "getproxies", lambda: {"socks": "http://x:1", "ftp": "y"})
    assert find_proxy(SERVER) == ("the system's settings", "socks5h://x:1")
    assert find_proxy(parse_uri("ws://inner.example/")) is None
    environment.setattr(urllib.request, "getproxies", dict)
    assert find_proxy(SERVER) is None
    environment.setenv("http_proxy", "http://proxy")  # goes before them
    assert find_proxy(SERVER) == ("http_proxy", "http://proxy")
