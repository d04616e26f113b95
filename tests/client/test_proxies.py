"""Tests of ws6455.client.proxies: addresses, the environment, the tunnel."""

import pytest
from python_socks import ProxyType

from ws6455.client.proxies import (
    Proxy,
    Tunnel,
    choose_proxy,
    get_proxy,
    parse_proxy,
    socks_arguments,
)
from ws6455.exceptions import InvalidProxy, InvalidProxyMessage, InvalidProxyStatus
from ws6455.http1.uri import parse_uri

VARIABLES = ("ws", "wss", "socks", "http", "https", "no", "all")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://proxy", Proxy("http", "proxy", 80)),
        ("https://proxy:8443/", Proxy("https", "proxy", 8443)),
        ("http://[::1]:3128", Proxy("http", "::1", 3128)),
        ("socks5h://proxy", Proxy("socks5h", "proxy", 1080)),
        ("socks4a://proxy:9", Proxy("socks4a", "proxy", 9)),
        ("http://u%40:p%3A@proxy", Proxy("http", "proxy", 80, "u@", "p:")),
        ("http://u:@proxy", Proxy("http", "proxy", 80, "u", "")),
    ],
)
def test_parse(address: str, expected: Proxy) -> None:
    assert parse_proxy(address) == expected


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("proxy:80", "scheme proxy isn't supported"),
        ("//proxy", r"scheme \(none\) isn't supported"),
        ("ftp://proxy", "scheme ftp isn't supported"),
        ("http://", "hostname isn't provided"),
        ("http://proxy/path", "path is meaningless"),
        ("http://proxy?query", "query component is meaningless"),
        ("http://proxy#fragment", "fragment identifier is meaningless"),
        ("http://user@proxy", "username provided without password"),
        ("http://proxy:port", "Port could not be cast"),
    ],
)
def test_what_is_no_proxys_address(address: str, reason: str) -> None:
    with pytest.raises(InvalidProxy, match=reason) as caught:
        parse_proxy(address)
    shown = address.replace("user@", "")
    assert caught.value.proxy == shown
    assert str(caught.value).startswith(f"{shown} isn't a valid proxy: ")


@pytest.mark.parametrize("end", ["", "/path", "#fragment", ":port"])
def test_no_text_tells_the_proxys_password(end: str) -> None:
    try:
        text = repr(parse_proxy(f"http://user:secret@proxy{end}"))
    except InvalidProxy as exc:
        text = repr(exc)
    assert "proxy" in text
    assert "secret" not in text


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("uri", "order"),
    [
        ("ws://server.example/", ["ws", "socks", "https", "http"]),
        ("wss://server.example/", ["wss", "socks", "https"]),
    ],
)
def test_a_proxy_for_websockets_goes_before_socks_before_https(
    environment: pytest.MonkeyPatch, uri: str, order: list[str]
) -> None:
    for scheme in order:
        environment.setenv(f"{scheme}_proxy", f"http://{scheme}.example")
    for scheme in order:
        expected = f"{'socks5h' if scheme == 'socks' else 'http'}://{scheme}.example"
        assert get_proxy(parse_uri(uri)) == expected
        environment.delenv(f"{scheme}_proxy")
    assert get_proxy(parse_uri(uri)) is None


def test_the_proxy_for_http_is_not_for_tls(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("http_proxy", "http://proxy")
    assert get_proxy(parse_uri("wss://server.example/")) is None


def test_no_proxy_names_servers(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("https_proxy", "http://proxy")
    environment.setenv("no_proxy", "inner.example,other.example:81,third.example:80")
    for host, proxy in [
        ("inner.example", None),
        ("a.inner.example", None),
        ("other.example:81", None),
        ("other.example", "http://proxy"),
        ("third.example", None),
    ]:
        assert get_proxy(parse_uri(f"ws://{host}/")) == proxy


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_loopback_needs_no_proxy(environment: pytest.MonkeyPatch, host: str) -> None:
    environment.setenv("https_proxy", "http://proxy")
    assert get_proxy(parse_uri(f"ws://{host}/")) is None
    # An address given explicitly is used.
    assert choose_proxy("http://proxy", parse_uri(f"ws://{host}/")) == Proxy("http", "proxy", 80)


def test_the_argument(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("https_proxy", "http://proxy")
    uri = parse_uri("ws://server.example/")
    assert choose_proxy(True, uri) == Proxy("http", "proxy", 80)
    assert choose_proxy(None, uri) is None
    assert choose_proxy("socks4://other", uri) == Proxy("socks4", "other", 1080)


@pytest.mark.parametrize(
    ("scheme", "kind", "remote_names"),
    [
        ("socks4", ProxyType.SOCKS4, False),
        ("socks4a", ProxyType.SOCKS4, True),
        ("socks5", ProxyType.SOCKS5, False),
        ("socks5h", ProxyType.SOCKS5, True),
    ],
)
def test_what_python_socks_is_told(scheme: str, kind: ProxyType, remote_names: bool) -> None:
    arguments = socks_arguments(Proxy(scheme, "proxy", 1080, "user", "pass"))
    assert arguments == {
        "proxy_type": kind,
        "host": "proxy",
        "port": 1080,
        "username": "user",
        "password": "pass",
        "rdns": remote_names,
    }


def test_a_tunnels_answer_may_come_byte_by_byte() -> None:
    tunnel = Tunnel(Proxy("http", "proxy", 80), "::1", 81)
    assert tunnel.request.startswith(b"CONNECT [::1]:81 HTTP/1.1\r\nHost: [::1]:81\r\n")
    answer = b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n"
    opened = [tunnel.receive_data(bytes([byte])) for byte in answer]
    assert opened == [False] * (len(answer) - 1) + [True]


def test_a_tunnel_that_is_refused() -> None:
    with pytest.raises(InvalidProxyStatus, match="HTTP 403") as caught:
        Tunnel(Proxy("http", "proxy", 80), "h", 1).receive_data(b"HTTP/1.1 403 No\r\nX: y\r\n\r\nz")
    assert caught.value.response.headers["X"] == "y"


def test_a_tunnel_whose_proxy_goes_away() -> None:
    with pytest.raises(InvalidProxyMessage, match="connection closed"):
        Tunnel(Proxy("http", "proxy", 80), "h", 1).receive_data(b"")
