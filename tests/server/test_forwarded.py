"""Tests of the client's address behind proxies: only trusted proxies are believed."""

import pytest

from ws6455.http1.headers import Headers
from ws6455.server.forwarded import client_address, parse_networks

TRUSTED = parse_networks(["10.0.0.0/8", "127.0.0.1", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not a trusted proxy
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.7"], "198.51.100.7"),  # the first is from the client
        ("127.0.0.1", ["198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7", "10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["198.51.100.7, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7, "], "127.0.0.1"),
        ("::1", ["2001:DB8::1"], "2001:db8::1"),
        ("::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::1%eth0", ["198.51.100.7"], "198.51.100.7"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], expected: str) -> None:
    headers = Headers([("X-Forwarded-For", value) for value in forwarded])
    assert client_address(peer, headers, TRUSTED) == expected


def test_what_is_no_network() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        parse_networks(["localhost"])


def test_a_long_header_takes_linear_time() -> None:
    headers = Headers({"X-Forwarded-For": ", ".join(["10.0.0.1"] * 900)})
    assert client_address("127.0.0.1", headers, TRUSTED) == "10.0.0.1"
