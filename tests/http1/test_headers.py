"""Tests of ws6455.http1.headers."""

import time
from collections.abc import Iterator

import pytest

from ws6455.exceptions import InvalidHeaderValue
from ws6455.http1.headers import Headers, MultipleValuesError, parse_fields


def test_names_are_case_insensitive_and_values_are_kept_in_order() -> None:
    headers = Headers([("Set-Cookie", "a"), ("Host", "h")], SET_COOKIE="no")
    headers["set-cookie"] = "b"
    assert headers.get_all("SET-COOKIE") == ["a", "b"]
    assert headers["hOsT"] == "h"
    assert list(headers) == ["set-cookie", "host", "set_cookie"]
    assert len(headers) == 3
    assert "SET-cookie" in headers
    assert "x" not in headers
    assert list(headers.raw_items())[-1] == ("set-cookie", "b")


def test_one_value_is_asked_for_where_there_are_several_or_none() -> None:
    headers = Headers({"A": "1"})
    headers["a"] = "2"
    with pytest.raises(MultipleValuesError) as raised:
        headers["A"]
    assert str(raised.value) == "A"
    assert str(MultipleValuesError()) == ""
    with pytest.raises(KeyError):
        headers["B"]
    assert headers.get("B") is None
    assert headers.get_all("B") == []


def test_deleting() -> None:
    headers = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    del headers["A"]
    assert list(headers.raw_items()) == [("b", "2")]
    with pytest.raises(KeyError):
        del headers["A"]
    headers.clear()
    assert len(headers) == 0


def test_equality_is_of_names_and_values() -> None:
    assert Headers({"A": "1"}) == Headers({"a": "1"})
    assert Headers({"A": "1"}) != Headers({"A": "2"})
    assert Headers({"A": "1"}) != {"A": "1"}


class Pairs:
    """The minimal interface that dict.update accepts as a mapping."""

    def keys(self) -> Iterator[str]:
        return iter(["A", "B"])

    def __getitem__(self, key: str) -> str:
        return key.lower()


@pytest.mark.parametrize(
    "source",
    [Headers(A="a", B="b"), {"A": "a", "B": "b"}, [("A", "a"), ("B", "b")], Pairs()],
    ids=lambda source: type(source).__name__,
)
def test_what_headers_are_made_of(source: Headers) -> None:
    headers = Headers(source)
    assert str(headers) == "A: a\r\nB: b\r\n\r\n"
    assert headers.serialize() == b"A: a\r\nB: b\r\n\r\n"
    assert repr(headers) == "Headers([('A', 'a'), ('B', 'b')])"


def test_a_copy_is_independent() -> None:
    headers = Headers(A="a")
    copy = headers.copy()
    copy["A"] = "b"
    assert headers.get_all("A") == ["a"]


def test_heads_of_the_same_lines_are_independent() -> None:
    one, other = parse_fields([b"A: a", b"B: b"]), parse_fields([b"A: a", b"B: b"])
    one["A"] = "c"
    del one["B"]
    assert list(one.raw_items()) == [("A", "a"), ("A", "c")]
    assert list(other.raw_items()) == [("A", "a"), ("B", "b")]
    assert other["b"] == "b"


@pytest.mark.parametrize("bad", [("B", "\n"), ("\n", "b"), ("\n", "\n")])
def test_an_update_that_is_refused_adds_nothing(bad: tuple[str, str]) -> None:
    headers = Headers(A="a")
    with pytest.raises(InvalidHeaderValue) as raised:
        headers.update([("C", "c"), bad])
    assert str(raised.value).isprintable()
    with pytest.raises(InvalidHeaderValue):
        headers[bad[0]] = bad[1]
    assert list(headers.raw_items()) == [("A", "a")]
    assert list(headers) == ["a"]


def test_many_headers_take_linear_time() -> None:
    def make(count: int) -> float:
        pairs = [(f"name-{number}", "value") for number in range(count)]
        start = time.process_time()
        Headers(pairs)
        return time.process_time() - start

    assert min(make(16_000) for _ in range(3)) < 24 * min(make(2_000) for _ in range(3)) + 0.02


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "\r", "\x00", "\x1b[31m", "\x7f", "\u20ac"])
def test_b18_a_value_that_would_split_the_head_is_refused(value: str) -> None:
    headers = Headers()
    with pytest.raises(InvalidHeaderValue) as raised:
        headers["Name"] = value
    assert str(raised.value).isprintable()
    with pytest.raises(InvalidHeaderValue):
        Headers({"Name": value})
    assert len(headers) == 0


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "\xe9", "a\x00", "(a)"])
def test_b18_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidHeaderValue, match="not a header name") as raised:
        Headers([(name, "v")])
    assert str(raised.value).isprintable()
