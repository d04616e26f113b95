"""Tests of the client's address behind proxies: only trusted proxies are believed."""

import ipaddress
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.http1.headers import Headers
from ws6455.server.forwarded import client_address, is_trusted, parse_networks

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


# An entry of X-Forwarded-For and its address; None if it has none.
ENTRIES = [
    ("198.51.100.7", "198.51.100.7"),
    ("198.51.100.7:5678", "198.51.100.7"),
    (" \t198.51.100.7\t ", "198.51.100.7"),
    ("2001:DB8:0::1", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:db8::1]:5678", "2001:db8::1"),
    ("::ffff:198.51.100.7", "198.51.100.7"),
    ("::FFFF:c633:6407", "198.51.100.7"),
    ("[::ffff:198.51.100.7]:5678", "198.51.100.7"),
    ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:80", "fe80::1"),
    ("198.51.100.7:_port", "198.51.100.7"),
    ("", None),
    ("unknown", None),
    ("_hidden", None),
    ("_hidden:80", None),
    ("client.example", None),
    ("198.51.100.7:", None),
    ("198.51.100.7:abc", None),
    ("198.51.100.7:123456", None),
    ("198.51.100.7 :80", None),
    ("198.51.100.07", None),
    ("198.51.100", None),
    ("198.51.100.256", None),
    ("198.51.100.7/24", None),
    ("[2001:db8::1", None),
    ("[2001:db8::1]x", None),
    ("2001:db8::1]:80", None),
    ("2001:db8::1::2", None),
    ("[]", None),
    ("%", None),
    ('"198.51.100.7"', None),
    ("<script>", None),
    ("198.51.100.7\xa0", None),
]


@pytest.mark.parametrize(("entry", "address"), ENTRIES)
def test_d21_entries_of_x_forwarded_for(entry: str, address: str | None) -> None:
    headers = Headers({"X-Forwarded-For": f"6.6.6.6,{entry}"})
    assert client_address("127.0.0.1", headers, TRUSTED) == (address or "127.0.0.1")
    headers = Headers({"X-Forwarded-For": f"6.6.6.6,{entry},10.0.0.1:80"})
    assert client_address("127.0.0.1", headers, TRUSTED) == (address or "10.0.0.1")
    assert client_address("192.0.2.1", headers, TRUSTED) == "192.0.2.1"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", ""),
    ],
)
def test_d21_the_address_of_the_peer(peer: str, expected: str) -> None:
    for trusted in ([], TRUSTED):
        assert client_address(peer, Headers(), trusted) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["for=198.51.100.7"], "198.51.100.7"),
        (["For=198.51.100.7;by=_p;proto=https;host=h"], "198.51.100.7"),
        (["proto=http; by=10.0.0.1; for=198.51.100.7"], "198.51.100.7"),
        (['for="198.51.100.7:5678"'], "198.51.100.7"),
        (['for="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        (['FOR="[2001:DB8::1]"'], "2001:db8::1"),
        (["for=[2001:db8::1]"], "2001:db8::1"),  # without the quotes that it needs
        (["for=198.51.100.7:80"], "198.51.100.7"),
        (['for="198.51.100.7:_hidden"'], "198.51.100.7"),
        (['for="::ffff:198.51.100.7"'], "198.51.100.7"),
        (["for=6.6.6.6, for=198.51.100.7"], "198.51.100.7"),
        (["for=198.51.100.7, for=10.1.2.3"], "198.51.100.7"),
        (["for=198.51.100.7", "for=10.1.2.3"], "198.51.100.7"),
        (["for=6.6.6.6, for=198.51.100.7", 'for=10.1.2.3;host="a, for=7.7.7.7"'], "198.51.100.7"),
        ([";for=198.51.100.7;"], "198.51.100.7"),
        # What is not an address hides the rest.
        (["for=6.6.6.6, for=unknown"], "127.0.0.1"),
        (["for=6.6.6.6, for=_hidden"], "127.0.0.1"),
        (['for=6.6.6.6, for="_SEVKISEK:80"'], "127.0.0.1"),
        (["for=6.6.6.6, proto=https"], "127.0.0.1"),
        (["for=6.6.6.6, for=7.7.7.7;for=8.8.8.8"], "127.0.0.1"),
        (["for=6.6.6.6, for=10.0.0.1 x"], "127.0.0.1"),
        (["for=6.6.6.6, for=10.0.0.1=x"], "127.0.0.1"),
        (["for=6.6.6.6, for="], "127.0.0.1"),
        (["for=6.6.6.6, for"], "127.0.0.1"),
        (["for=6.6.6.6, 10.0.0.1"], "127.0.0.1"),
        (["for=6.6.6.6,"], "127.0.0.1"),
        (["for=6.6.6.6", ""], "127.0.0.1"),
        (['for=6.6.6.6, for="10.0.0.1'], "127.0.0.1"),
        (['for=6.6.6.6, for="10.0\\.0.1"'], "127.0.0.1"),
        # The client's part is malformed, and does not harm what the proxy appends.
        (['for="6.6.6.6, for=198.51.100.7'], "198.51.100.7"),
        (['for="6.6.6.6, for="[2001:db8::1]:80"'], "2001:db8::1"),
        (['for="6.6.6.6\\", for="198.51.100.7:80";by=_p'], "198.51.100.7"),
    ],
)
def test_d21_forwarded(lines: list[str], expected: str) -> None:
    headers = Headers([("Forwarded", line) for line in lines])
    assert client_address("127.0.0.1", headers, TRUSTED) == expected
    assert client_address("192.0.2.1", headers, TRUSTED) == "192.0.2.1"
    assert client_address("127.0.0.1", headers, []) == "127.0.0.1"


def test_d21_forwarded_does_not_count_beside_x_forwarded_for() -> None:
    headers = Headers({"Forwarded": "for=6.6.6.6", "X-Forwarded-For": "198.51.100.7"})
    assert client_address("127.0.0.1", headers, TRUSTED) == "198.51.100.7"
    headers = Headers({"Forwarded": "for=6.6.6.6", "X-Forwarded-For": ""})
    assert client_address("127.0.0.1", headers, TRUSTED) == "127.0.0.1"


@given(st.text('for=by;,"\\[]:.%_ \t0123456789abc', max_size=60))
@settings(deadline=None)
def test_d21_an_honest_proxy_tells_the_address_whatever_its_client_sent(text: str) -> None:
    for appended in ("for=198.51.100.7", 'for="198.51.100.7:80";by="_p"'):
        headers = Headers({"Forwarded": f"{text}, {appended}"})
        assert client_address("127.0.0.1", headers, TRUSTED) == "198.51.100.7"
    headers = Headers({"Forwarded": text, "X-Forwarded-For": f"{text}, 198.51.100.7:80"})
    assert client_address("127.0.0.1", headers, TRUSTED) == "198.51.100.7"


@given(st.text('for=by;,"\\[]:.%_ \t0123456789abc', max_size=60))
@settings(deadline=None)
def test_d21_what_is_found_is_an_address(text: str) -> None:
    for name in ("Forwarded", "X-Forwarded-For"):
        ipaddress.ip_address(client_address("127.0.0.1", Headers({name: text}), TRUSTED))


@pytest.mark.parametrize("unit", ['"', "for=10.0.0.1,", 'for="10.0.0.1";', ";", ",", " ", "[", "%"])
def test_d21_forwarded_takes_linear_time(unit: str) -> None:
    def read(count: int) -> None:
        for name in ("Forwarded", "X-Forwarded-For"):
            client_address("127.0.0.1", Headers({name: "for=" + unit * count}), TRUSTED)

    def cpu_seconds(count: int) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            read(count)
            times.append(time.process_time() - start)
        return min(times)

    assert cpu_seconds(4_000) < 24 * cpu_seconds(500) + 0.02


def test_d21_trusted_networks_of_mapped_addresses() -> None:
    trusted = parse_networks(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1", "2001:db8::/32", "::/0"])
    assert [str(network) for network in trusted] == [
        "10.0.0.0/8",
        "192.0.2.1/32",
        "2001:db8::/32",
        "::/0",
    ]
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "192.0.2.1", "2001:db8::1"):
        assert is_trusted(address, trusted)
    for address in ("11.1.2.3", "::ffff:11.1.2.3", "", "unknown"):
        assert not is_trusted(address, trusted)


def test_what_is_no_network() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        parse_networks(["localhost"])


def test_a_long_header_takes_linear_time() -> None:
    headers = Headers({"X-Forwarded-For": ", ".join(["10.0.0.1"] * 900)})
    assert client_address("127.0.0.1", headers, TRUSTED) == "10.0.0.1"
