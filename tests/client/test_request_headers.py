"""Additional headers of a request: what they may be, and what they replace."""

from collections.abc import Iterable
from typing import Any

import pytest

from ws6455 import Headers
from ws6455.client.request_headers import check_headers, merge_headers, repeatable
from ws6455.exceptions import InvalidHeaderValue

OURS = Headers(
    [
        ("Host", "here"),
        ("Authorization", "Basic eDp5"),
        ("Origin", "http://here"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Protocol", "a, b"),
        ("User-Agent", "us"),
    ]
)


class Keyed:
    def keys(self) -> Iterable[str]:
        return ["A"]

    def __getitem__(self, key: str) -> str:
        return "b"


@pytest.mark.parametrize(
    "headers", [{"A": "b"}, [("A", "b")], iter([("A", "b")]), Headers(A="b"), Keyed()]
)
def test_the_kinds_of_headers(headers: Any) -> None:
    assert check_headers(headers) == Headers(A="b")


def test_the_result_is_a_copy() -> None:
    headers = Headers(A="b")
    check_headers(headers)["C"] = "d"
    assert "C" not in headers
    assert check_headers(None) == Headers()


@pytest.mark.parametrize("value", [None, 1, b"b", ["b"]])
def test_a_value_must_be_a_string(value: Any) -> None:
    with pytest.raises(TypeError, match=f"value of X-A must be str, not {type(value).__name__}"):
        check_headers({"X-A": value})


@pytest.mark.parametrize("headers", ["A: b", b"A: b", 1])
def test_headers_are_pairs(headers: Any) -> None:
    with pytest.raises(TypeError, match="a mapping, or pairs"):
        check_headers(headers)


def test_a_name_must_be_a_string() -> None:
    with pytest.raises(TypeError, match="a name must be str"):
        # The wrong type is the point of the test.
        check_headers([(b"A", "b")])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Upgrade", "belongs to the opening handshake"),
        ("connection", "belongs to the opening handshake"),
        ("SEC-WEBSOCKET-KEY", "belongs to the opening handshake"),
        ("Sec-WebSocket-Version", "belongs to the opening handshake"),
        ("Sec-WebSocket-Accept", "belongs to the response"),
        ("sec-websocket-extensions", "use the option compression or extensions"),
        ("Content-Length", "no body"),
        ("Transfer-Encoding", "no body"),
    ],
)
def test_headers_of_the_handshake_are_refused(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"must not contain {name}: .*{reason}"):
        check_headers({name: "x"})


@pytest.mark.parametrize("name", ["Host", "ORIGIN", "authorization", "User-Agent"])
def test_some_headers_occur_once(name: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        check_headers([(name, "x"), (name.title(), "y")])
    assert len(check_headers([("X-A", "x"), ("x-a", "y")]).get_all("X-A")) == 2


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\n", "\x00", "\u20ac"])
def test_characters_that_are_not_allowed(value: str) -> None:
    with pytest.raises(InvalidHeaderValue):
        check_headers({"A": value})
    with pytest.raises(InvalidHeaderValue):
        check_headers({value: "A"})


@pytest.mark.parametrize("value", ["", "a b", "a;b", ","])
def test_malformed_subprotocols(value: str) -> None:
    with pytest.raises(ValueError, match="invalid Sec-WebSocket-Protocol header"):
        check_headers({"Sec-WebSocket-Protocol": value})


@pytest.mark.parametrize("name", ["Host", "Authorization", "Origin", "User-Agent"])
@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_some_headers_are_replaced_in_their_place(name: str, change: Any) -> None:
    merged = merge_headers(OURS, Headers({change(name): "mine", "X-A": "b"}))
    assert merged.get_all(name) == ["mine"]
    names = [name.lower() for name, _ in merged.raw_items()]
    assert names == [name.lower() for name, _ in OURS.raw_items()] + ["x-a"]


@pytest.mark.parametrize(
    ("values", "merged"),
    [([], "a, b"), (["c"], "a, b, c"), (["b, c", "d"], "a, b, c, d"), (["b"], "a, b")],
)
def test_subprotocols_are_joined(values: list[str], merged: str) -> None:
    additional = Headers([("sec-websocket-protocol", value) for value in values])
    assert merge_headers(OURS, additional).get_all("Sec-WebSocket-Protocol") == [merged]
    assert OURS["Sec-WebSocket-Protocol"] == "a, b"


def test_other_headers_are_added() -> None:
    additional = Headers([("X-A", "b"), ("X-A", "c"), ("Origin", "o")])
    merged = merge_headers(Headers(Host="here"), additional)
    assert list(merged.raw_items()) == [("Host", "here"), *additional.raw_items()]


def test_an_iterator_can_be_read_for_each_attempt() -> None:
    headers = repeatable(iter([("A", "b")]))
    assert not callable(headers)
    assert check_headers(headers) == check_headers(headers) == Headers(A="b")
    same = {"A": "b"}
    assert repeatable(same) is same
