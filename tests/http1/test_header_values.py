"""Tests of ws6455.http1.header_values: the grammars of list headers, and Host."""

import ipaddress
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.exceptions import InvalidHeaderFormat
from ws6455.http1.header_values import (
    HOST,
    TOKEN,
    build_extension_list,
    build_host,
    parse_extension_list,
    parse_token_list,
)
from ws6455.typing import ExtensionHeader

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcxyzABCXYZ"
tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Upgrade", ["Upgrade"]),
        ("keep-alive, Upgrade", ["keep-alive", "Upgrade"]),
        ("a,b", ["a", "b"]),
        (" \ta\t ,\t b ", ["a", "b"]),
        (",, a ,, b,", ["a", "b"]),
        (TOKEN_CHARACTERS, [TOKEN_CHARACTERS]),
    ],
)
def test_token_lists(value: str, expected: list[str]) -> None:
    assert parse_token_list("Connection", value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "expected token at 0 in "),
        (" , ,", "expected token at 4 in"),
        ("a b", "expected comma at 2 in a b"),
        ("a/b", "expected comma at 1"),
        ('"a"', "expected token at 0"),
        ("a; b", "expected comma at 1"),
        ("a,\xe9", "expected token at 2"),
        ("a,\x00", "expected token at 2"),
    ],
)
def test_malformed_token_lists(value: str, text: str) -> None:
    with pytest.raises(InvalidHeaderFormat, match=text) as raised:
        parse_token_list("Connection", value)
    assert raised.value.name == "Connection"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("foo", [("foo", [])]),
        ("foo, bar", [("foo", []), ("bar", [])]),
        ("foo; a", [("foo", [("a", None)])]),
        ("foo; a=1", [("foo", [("a", "1")])]),
        ('foo; a="1"', [("foo", [("a", "1")])]),
        (r'foo; a="1\0"', [("foo", [("a", "10")])]),
        ("foo ;a = 1;b , bar", [("foo", [("a", "1"), ("b", None)]), ("bar", [])]),
        ("foo; a=1; a=2", [("foo", [("a", "1"), ("a", "2")])]),
        (",foo,,", [("foo", [])]),
        # §9.1's own examples
        ("deflate-stream", [("deflate-stream", [])]),
        (
            "mux; max-channels=4; flow-control",
            [("mux", [("max-channels", "4"), ("flow-control", None)])],
        ),
        ('private-extension; x="y"', [("private-extension", [("x", "y")])]),
    ],
)
def test_extension_lists(value: str, expected: list[ExtensionHeader]) -> None:
    assert parse_extension_list(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        ";",
        "foo;",
        "foo;;a",
        "foo; a=",
        "foo; =1",
        "foo bar",
        "foo; a b",
        "foo; a=1 2",
        'foo; a="1',
        'foo; a="',
        'foo; a=""',
        'foo; a="1 2"',
        'foo; a="1"2',
        'foo; a="\\',
        'foo; a="\\"',
        'foo; a="\x00"',
        "foo; a='1'@",
        "foo/1",
        "\xe9",
    ],
)
def test_malformed_extension_lists(value: str) -> None:
    with pytest.raises(InvalidHeaderFormat) as raised:
        parse_extension_list(value)
    assert raised.value.name == "Sec-WebSocket-Extensions"


@given(
    st.lists(
        st.tuples(tokens, st.lists(st.tuples(tokens, st.none() | tokens), max_size=3)), min_size=1
    )
)
@settings(deadline=None)
def test_extension_list_round_trip(extensions: list[ExtensionHeader]) -> None:
    assert parse_extension_list(build_extension_list(extensions)) == extensions


@given(st.text(TOKEN_CHARACTERS + ' \t,;="\\\xe9\x00', max_size=40))
@settings(deadline=None)
def test_any_text_is_parsed_or_refused(value: str) -> None:
    for parse in (parse_extension_list, lambda text: parse_token_list("Upgrade", text)):
        try:
            parsed = parse(value)
        except InvalidHeaderFormat:
            continue
        assert parsed


def test_a_token_has_only_its_characters() -> None:
    allowed = {chr(code) for code in range(0x300) if TOKEN.fullmatch(chr(code))}
    # RFC 9110 §5.6.2
    assert allowed == set("!#$%&'*+-.^_`|~") | {
        chr(code)
        for start, end in (("0", "9"), ("a", "z"), ("A", "Z"))
        for code in range(ord(start), ord(end) + 1)
    }


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the shortest CPU time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    "unit",
    [r"\c", r"\\", '"', ",", ";", "a,", "a;", " ", "a ", '"\\"', "=", "\t,"],
)
@pytest.mark.parametrize("start", ['a; b="', "a; b=", "a", "a;", ""])
def test_b07_scanners_are_linear(start: str, unit: str) -> None:
    # CVE-2020-7662: parsing `a; b="\c\c\c...` took quadratic time or worse.
    def parse(count: int) -> None:
        for scan in (parse_extension_list, lambda text: parse_token_list("Upgrade", text)):
            try:
                scan(start + unit * count)
            except InvalidHeaderFormat:
                continue

    short = cpu_seconds(lambda: parse(2_000))
    eightfold = cpu_seconds(lambda: parse(16_000))
    assert eightfold < 24 * short + 0.02


@pytest.mark.parametrize(
    ("host", "port", "secure", "expected"),
    [
        ("example.com", 80, False, "example.com"),
        ("example.com", 443, True, "example.com"),
        ("example.com", 443, False, "example.com:443"),
        ("example.com", 80, True, "example.com:80"),
        ("127.0.0.1", 8000, False, "127.0.0.1:8000"),
        ("::1", 80, False, "[::1]"),
        ("::1", 8000, False, "[::1]:8000"),
        ("fe80::1%eth0", 80, False, "[fe80::1]"),
    ],
)
def test_host(host: str, port: int, secure: bool, expected: str) -> None:
    assert build_host(host, port, secure) == expected


@pytest.mark.parametrize(("port", "secure"), [(80, False), (443, True), (8080, True)])
def test_host_with_its_port(port: int, secure: bool) -> None:
    assert build_host("h", port, secure, always_include_port=True) == f"h:{port}"


# Pieces of IPv6 addresses; with a random text, most would be malformed at once.
addresses = st.lists(
    st.sampled_from(
        ["0", "1", "ab", "FFFF", "12345", ":", ":", ":", "::", "192.0.2.1", "256.1.1.1"]
    ),
    max_size=16,
).map("".join)


@given(addresses | st.ip_addresses(v=6).map(str) | st.text("0123456789abcdefF:.%g", max_size=12))
@settings(deadline=None)
def test_d20_an_ipv6_address_in_host_is_what_the_library_of_python_takes_it_for(text: str) -> None:
    try:
        expected = "%" not in str(ipaddress.IPv6Address(text))
    except ValueError:
        expected = False
    assert (HOST.fullmatch(f"[{text}]") is not None) is expected
    assert (HOST.fullmatch(f"[{text}]:80") is not None) is expected


@pytest.mark.parametrize("port", [*range(0, 70_000, 997), 65_534, 65_535, 65_536, 99_999, 100_000])
def test_d20_a_port_in_host(port: int) -> None:
    for text in (str(port), f"00{port}"):
        assert (HOST.fullmatch(f"h:{text}") is not None) is (port < 65_536)


@pytest.mark.parametrize("start", ["", "[", "h:", "[::1]:"])
@pytest.mark.parametrize("unit", ["a", "0", ":", "1:", "%41", "1.", "::", "[", "-"])
def test_d20_host_is_checked_in_linear_time(start: str, unit: str) -> None:
    def check(count: int) -> None:
        for _ in range(10):
            HOST.fullmatch(start + unit * count + "<")

    assert cpu_seconds(lambda: check(16_000)) < 24 * cpu_seconds(lambda: check(2_000)) + 0.02
