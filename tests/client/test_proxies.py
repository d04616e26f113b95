"""Tests of ws6455.client.proxies: addresses, the environment, the tunnel."""

import pytest
from python_socks import ProxyType

from ws6455.client.proxies import (
    Proxy,
    Tunnel,
    choose_proxy,
    parse_proxy,
    socks_arguments,
)
from ws6455.exceptions import InvalidProxy, InvalidProxyMessage, InvalidProxyStatus
from ws6455.http1.uri import parse_uri


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
        ("http://u@proxy", Proxy("http", "proxy", 80, "u", "")),
        ("http://:p@proxy", Proxy("http", "proxy", 80, "", "p")),
        ("http://@proxy", Proxy("http", "proxy", 80, "", "")),
        ("http://u:p:@@proxy", Proxy("http", "proxy", 80, "u", "p:@")),
        ("proxy:81", Proxy("http", "proxy", 81)),
        ("127.0.0.1:3128", Proxy("http", "127.0.0.1", 3128)),
        ("[fd00::2]:3128", Proxy("http", "fd00::2", 3128)),
        ("u:p@proxy:81/", Proxy("http", "proxy", 81, "u", "p")),
        ("socks://proxy", Proxy("socks4", "proxy", 1080)),
        ("SOCKS5H://Proxy", Proxy("socks5h", "proxy", 1080)),
        (" http://proxy\n", Proxy("http", "proxy", 80)),
        ("http://[fe80::1%25lo]:1", Proxy("http", "fe80::1%lo", 1)),
    ],
)
def test_parse(address: str, expected: Proxy) -> None:
    assert parse_proxy(address) == expected


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("//proxy", "hostname isn't provided"),
        ("", "hostname isn't provided"),
        ("proxy:80:80", "Port could not be cast"),
        ("socks6://proxy", "scheme socks6 isn't supported"),
        ("ftp://proxy", "scheme ftp isn't supported"),
        ("http://", "hostname isn't provided"),
        ("http://proxy/path", "path is meaningless"),
        ("http://proxy?query", "query component is meaningless"),
        ("http://proxy#fragment", "fragment identifier is meaningless"),
        ("http://proxy:0", "port 0 cannot be connected to"),
        ("http://proxy:65536", "Port out of range"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://proxy:port", "Port could not be cast"),
    ],
)
def test_what_is_no_proxys_address(address: str, reason: str) -> None:
    with pytest.raises(InvalidProxy, match=reason) as caught:
        parse_proxy(address)
    assert caught.value.proxy == address
    assert str(caught.value).startswith(f"{address} isn't a valid proxy: ")


@pytest.mark.parametrize("start", ["", "http://", "ftp://", "//"])
@pytest.mark.parametrize("secret", ["secret", "se/cret", "se?cret", "#se@cret", "se:cret://"])
@pytest.mark.parametrize("end", ["", "/path", "#fragment", ":port", ":0"])
def test_no_text_tells_the_proxys_password(start: str, secret: str, end: str) -> None:
    try:
        text = repr(parse_proxy(f"{start}user:{secret}@proxy{end}"))
    except InvalidProxy as exc:
        text = repr(exc)
    assert "proxy" in text
    assert "cret" not in text


def test_the_argument(environment: pytest.MonkeyPatch) -> None:
    uri = parse_uri("ws://server.example/")
    assert choose_proxy(True, uri) is None
    environment.setenv("https_proxy", "http://proxy")
    # An address given explicitly is used for this machine too.
    local = parse_uri("ws://localhost/")
    assert choose_proxy(True, local) is None
    assert choose_proxy("http://proxy", local) == Proxy("http", "proxy", 80)
    assert choose_proxy(True, uri) == Proxy("http", "proxy", 80)
    assert choose_proxy(None, uri) is None
    assert choose_proxy("socks4://other", uri) == Proxy("socks4", "other", 1080)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY", "socks_proxy"])
def test_d15_an_invalid_variable_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, "http://user:secret@proxy/path")
    with pytest.raises(InvalidProxy) as caught:
        choose_proxy(True, parse_uri("ws://server.example/"))
    assert str(caught.value).endswith(f"isn't a valid proxy: path is meaningless (from {name})")
    assert "secret" not in repr(caught.value)


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
    assert caught.value.response.body == b"z"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 3\r\n", b"why"),
        (b"Content-Length: 9\r\n", b"why and"),
        (b"Transfer-Encoding: chunked\r\n", b""),
        (b"Content-Length: x\r\n", b"why and"),
    ],
)
def test_a_refusal_has_the_part_of_its_body_that_came(headers: bytes, body: bytes) -> None:
    tunnel = Tunnel(Proxy("http", "proxy", 80), "h", 1)
    with pytest.raises(InvalidProxyStatus) as caught:
        tunnel.receive_data(b"HTTP/1.1 502 No\r\n" + headers + b"\r\nwhy and")
    assert caught.value.response.body == body


def test_interim_responses_of_a_proxy_are_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    tunnel = Tunnel(Proxy("http", "proxy", 80), "h", 1)
    assert not tunnel.receive_data(interim * 16)
    assert tunnel.receive_data(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(InvalidProxyMessage, match="more than 16 interim responses"):
        Tunnel(Proxy("http", "proxy", 80), "h", 1).receive_data(interim * 17)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_speaks_tls_is_named(scheme: str) -> None:
    hint = "speaks TLS on this port: use https://" if scheme == "http" else "not an HTTP response"
    with pytest.raises(InvalidProxyMessage, match=hint):
        Tunnel(Proxy(scheme, "proxy", 80), "h", 1).receive_data(b"\x15")


def test_a_tunnel_whose_proxy_goes_away() -> None:
    with pytest.raises(InvalidProxyMessage, match="connection closed") as caught:
        Tunnel(Proxy("http", "proxy", 80), "h", 1).receive_data(b"")
    assert isinstance(caught.value.__cause__, EOFError)
