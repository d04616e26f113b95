"""Tests of ws6455.http1.head: limits, incremental reading, parsing, serialization."""

import itertools
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.exceptions import (
    HeaderLineTooLong,
    InvalidHandshake,
    InvalidMessage,
    NotHTTP,
    RequestLineTooLong,
    SecurityError,
    StatusLineTooLong,
    TooManyHeaders,
)
from ws6455.http1.head import (
    MAX_HEAD_SIZE,
    MAX_HEADERS,
    HeadReader,
    Request,
    RequestHeadReader,
    Response,
    parse_request,
    parse_response,
)
from ws6455.http1.headers import MAX_LINE_SIZE, Headers

HEAD = b"GET /chat HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\nx-a:\t2 \r\n\r\n"
LINES = [b"GET /chat HTTP/1.1", b"Host: example.com", b"X-A: 1", b"x-a:\t2 "]


def request_of(head: bytes) -> Request:
    """Read and parse one complete request."""
    reader = HeadReader(RequestLineTooLong)
    assert reader.feed(head) == b""
    return parse_request(reader.lines)


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the shortest CPU time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


# Reading a head -------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [b"", b"\x81\x00", b"\r\n", HEAD, b"\n" * 200])
def test_a_head_is_whole_at_its_last_byte_wherever_it_is_cut(rest: bytes) -> None:
    data = HEAD + rest
    for cut in range(len(data) + 1):
        reader = HeadReader(RequestLineTooLong)
        first = reader.feed(data[:cut])
        if cut < len(HEAD):
            assert first is None
            assert len(reader) == cut
            assert reader.feed(data[cut:]) == rest
        else:
            assert first == data[len(HEAD) : cut]
        assert reader.lines == LINES


def test_a_head_byte_by_byte() -> None:
    reader = HeadReader(RequestLineTooLong)
    for index in range(len(HEAD) - 1):
        assert reader.feed(HEAD[index : index + 1]) is None
    assert reader.feed(HEAD[-1:]) == b""
    assert reader.lines == LINES


def feed_in(reader: HeadReader, data: bytes, size: int) -> bytes | None:
    """Feed data in pieces of `size` bytes; return the result for the last piece."""
    rest = None
    for start in range(0, len(data), size):
        rest = reader.feed(data[start : start + size])
    return rest


LIMITS: list[tuple[bytes, type[SecurityError] | None]] = [
    (b"G" * (MAX_LINE_SIZE - 1) + b"\r\n\r\n", None),
    (b"G" * MAX_LINE_SIZE + b"\r\n\r\n", RequestLineTooLong),
    (b"G" * (MAX_LINE_SIZE + 1), RequestLineTooLong),
    (b"G\r\n" + b"a" * (MAX_LINE_SIZE - 1) + b"\r\n\r\n", None),
    (b"G\r\n" + b"a" * MAX_LINE_SIZE + b"\r\n\r\n", HeaderLineTooLong),
    (b"G\r\n" + b"a" * (MAX_LINE_SIZE + 1), HeaderLineTooLong),
    (b"G\r\n" + b"a:\r\n" * MAX_HEADERS + b"\r\n", None),
    (b"G\r\n" + b"a:\r\n" * (MAX_HEADERS + 1), TooManyHeaders),
    (b"G\r\n" + (b"a" * 8000 + b"\r\n") * 8 + b"\r\n", None),
    (b"G\r\n" + (b"a" * 8000 + b"\r\n") * 9, TooManyHeaders),
]


@pytest.mark.parametrize(("head", "error"), LIMITS)
@pytest.mark.parametrize("size", [1 << 20, 1000, 1])
def test_limits_hold_however_the_head_is_cut(
    head: bytes, error: type[SecurityError] | None, size: int
) -> None:
    reader = HeadReader(RequestLineTooLong)
    if error is None:
        assert feed_in(reader, head, size) == b""
        return
    with pytest.raises(error):
        feed_in(reader, head, size)
    assert len(reader) <= MAX_HEAD_SIZE + size


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"\r\nG\r\n\r\n",
        b"\r\n\r\n\r\n\r\nG\r\n\r\n",
        b"\r\n\r\n\r\n\r\n\r\nG\r\n\r\n",
        b"G\r\n\r\n\r\n\r\n",
        b"G\n\r\n\r\n",
        b"G\r\r\n\r\n",
        b"G\r\na: \n\r\n\r\n",
        b"G\r\na: \rb\r\n\r\n\n",
        b"G\r\n\ra:\r\n\r\n",
        b"G\r\n" + b"a:\r\n" * (MAX_HEADERS - 1) + b"\r\n",
        b"G\r\n" + b"a:\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    ],
)
@pytest.mark.parametrize("make_reader", [HeadReader, RequestHeadReader])
def test_a_head_in_one_piece_is_read_as_byte_by_byte(
    make_reader: type[HeadReader], data: bytes
) -> None:
    def read(size: int) -> tuple[list[bytes], int, bytes] | tuple[type[Exception], str]:
        reader = make_reader(RequestLineTooLong)
        try:
            for end in range(size, len(data) + size, size):
                rest = reader.feed(data[end - size : end])
                if rest is not None:
                    return reader.lines, len(reader), rest + data[end:]
        except Exception as exc:
            return type(exc), str(exc)
        return reader.lines, len(reader), b""  # the head is not complete

    assert read(len(data)) == read(1)


@pytest.mark.parametrize("count", range(6))
def test_d20_a_few_empty_lines_before_a_request_are_skipped(count: int) -> None:
    data = b"\r\n" * count + HEAD + b"\r\n"
    for cut in range(len(data) + 1):
        reader = RequestHeadReader(RequestLineTooLong)
        rest = reader.feed(data[:cut])
        rest = reader.feed(data[cut:]) if rest is None else rest + data[cut:]
        if count <= RequestHeadReader.max_empty_lines:
            assert (rest, reader.lines) == (b"\r\n", LINES)
            assert len(reader) == len(data) - 2
        else:
            assert (rest, reader.lines) == (HEAD + b"\r\n", [])


def test_d20_no_empty_line_before_a_response_is_skipped() -> None:
    reader = HeadReader(StatusLineTooLong)
    assert reader.feed(b"\r\nHTTP/1.1 200 OK\r\n") == b"HTTP/1.1 200 OK\r\n"
    assert reader.lines == []


def test_a_response_s_first_line_has_an_error_of_its_own() -> None:
    with pytest.raises(StatusLineTooLong):
        HeadReader(StatusLineTooLong).feed(b"H" * (MAX_LINE_SIZE + 1))


def test_b06_a_head_of_20_megabytes_is_refused_at_the_limit() -> None:
    # CVE-2023-43669
    reader = HeadReader(RequestLineTooLong)
    reader.feed(b"GET / HTTP/1.1\r\n")
    piece = b"a: " + b"b" * 4000 + b"\r\n"
    pieces = itertools.repeat(piece, 20 * 1024 * 1024 // len(piece))
    with pytest.raises(TooManyHeaders):
        list(map(reader.feed, pieces))
    assert len(reader) < MAX_HEAD_SIZE + len(piece)


def test_b06_a_head_byte_by_byte_takes_linear_time() -> None:
    def read(count: int) -> None:
        reader = HeadReader(RequestLineTooLong)
        head = b"GET / HTTP/1.1\r\n" + (b"a" * 498 + b"\r\n") * count
        for index in range(len(head)):
            reader.feed(head[index : index + 1])

    assert cpu_seconds(lambda: read(120)) < 24 * cpu_seconds(lambda: read(15)) + 0.02


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\n", b"\n", b"GET / HTTP/1.1\r\nHost: h\n\r\n"])
def test_c05_a_bare_line_feed_is_refused(head: bytes) -> None:
    with pytest.raises(InvalidMessage, match="CRLF"):
        HeadReader(RequestLineTooLong).feed(head)


# Parsing --------------------------------------------------------------------------------------


def test_a_request() -> None:
    request = request_of(HEAD)
    assert request == Request(
        "/chat", Headers([("Host", "example.com"), ("X-A", "1"), ("X-A", "2")])
    )
    assert (request.method, request.protocol) == ("GET", "HTTP/1.1")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "M-SEARCH"])
@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"])
def test_any_method_and_version_can_be_seen_by_process_request(method: str, protocol: str) -> None:
    request = request_of(f"{method} / {protocol}\r\n\r\n".encode())
    assert (request.method, request.protocol) == (method, protocol)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/a?b=c&d", "/a?b=c&d"),
        ("//a", "//a"),
        ("/%00%ff", "/%00%ff"),
        ("http://example.com/a?b", "/a?b"),
        ("HTTPS://example.com", "/"),
        ("http://example.com?b", "/?b"),
        ("ws://example.com/a", "/a"),
        ("wss://example.com", "/"),
    ],
)
def test_request_targets(target: str, path: str) -> None:
    assert request_of(f"GET {target} HTTP/1.1\r\n\r\n".encode()).path == path


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (["h"], ["other:80"]),
        (["other:80"], ["other:80"]),
        ([], []),
        (["h", "h"], ["h", "h"]),
        (["a,b"], ["a,b"]),
        ([""], [""]),
    ],
)
def test_d20_the_host_of_the_target_replaces_a_valid_host(
    received: list[str], expected: list[str]
) -> None:
    fields = [f"Host: {value}".encode() for value in received]
    for target, hosts in (("http://other:80/", expected), ("/", received)):
        request = parse_request([f"GET {target} HTTP/1.1".encode(), b"A: b", *fields])
        assert request.headers.get_all("Host") == hosts
        assert request.headers["A"] == "b"


@pytest.mark.parametrize(
    "line",
    [
        b"GET * HTTP/1.1",
        b"GET a HTTP/1.1",
        b"GET ?a HTTP/1.1",
        b"GET ftp://h/ HTTP/1.1",
        b"GET http:/// HTTP/1.1",
        b"CONNECT h:80 HTTP/1.1",
        b"GET /#a HTTP/1.1",
        b"GET / # HTTP/1.1",
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b"GET /a\tb HTTP/1.1",
        b"GET /\xc3\xa9 HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\r HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"GET / HTTP/1.11",
        b"GET / HTTP/1",
        b"GET / HTTP/11",
        b"GET / HTTP/1.1\r",
        b"GET HTTP/1.1",
    ],
)
def test_malformed_request_lines(line: bytes) -> None:
    with pytest.raises(InvalidMessage) as raised:
        parse_request([line, b"Host: h"])
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "lines", [[], [b""], [b"\x16\x03\x01"], [b"GET /"], [b"SSH-2.0-x"], [b"GET / http/1.1"]]
)
def test_what_is_not_http_at_all(lines: list[bytes]) -> None:
    with pytest.raises(NotHTTP):
        parse_request(lines)


@pytest.mark.parametrize(
    "line",
    [
        b"Name : v",
        b" folded",
        b"\tfolded: v",
        b": v",
        b"no colon",
        b"",
        b"n@me: v",
        b"N\xe9: v",
        b"Name: a\rb",
        b"Name: \r",
        b"Name: \x00",
        b"Name: a\x0bb",
        b"Name: \x7f",
    ],
)
def test_c05_malformed_header_lines(line: bytes) -> None:
    with pytest.raises(InvalidMessage) as raised:
        parse_request([b"GET / HTTP/1.1", b"Host: h", line])
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"Name:v", "v"),
        (b"Name: \t v \t", "v"),
        (b"Name:", ""),
        (b"Name: a: b", "a: b"),
        (b"Name: a\tb c", "a\tb c"),
        (b"Name: \xe9\xff", "\xe9\xff"),
        (b"Name: \xa0a\x85", "\xa0a\x85"),
    ],
)
def test_header_values(line: bytes, value: str) -> None:
    assert parse_request([b"GET / HTTP/1.1", line]).headers["Name"] == value


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 1"],
        [b"Content-Length: +0"],
        [b"Content-Length: 0_0"],
        [b"Content-Length: -0"],
        [b"Content-Length: 00"],
        [b"Content-Length: "],
        [b"Content-Length: 0, 0"],
        [b"Content-Length: 0", b"content-length: 0"],
        [b"Transfer-Encoding: chunked"],
        [b"transfer-encoding: identity"],
        [b"Transfer-Encoding:"],
    ],
)
def test_c08_a_request_with_a_body_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(InvalidMessage):
        parse_request([b"GET / HTTP/1.1", *lines])


def test_an_empty_body_may_be_announced() -> None:
    assert parse_request([b"GET / HTTP/1.1", b"Content-Length: 0"]).method == "GET"


@pytest.mark.parametrize(
    ("line", "protocol", "status", "reason"),
    [
        (b"HTTP/1.1 101 Switching Protocols", "HTTP/1.1", 101, "Switching Protocols"),
        (b"HTTP/1.0 200 OK", "HTTP/1.0", 200, "OK"),
        (b"HTTP/1.1 101 ", "HTTP/1.1", 101, ""),
        (b"HTTP/1.1 101", "HTTP/1.1", 101, ""),
        (b"HTTP/1.1 999 \xe9\t!", "HTTP/1.1", 999, "\xe9\t!"),
    ],
)
def test_responses(line: bytes, protocol: str, status: int, reason: str) -> None:
    version, response = parse_response([line, b"A: b"])
    assert version == protocol
    assert response == Response(status, reason, Headers(A="b"))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [b"HTTP/1.1 1 OK"],
        [b"HTTP/1.1 0101 OK"],
        [b"HTTP/1.1 099 OK"],
        [b"HTTP/1.1  101 OK"],
        [b"HTTP/1.1 101OK"],
        [b"HTTP/1.1 10\xb2 OK"],
        [b"HTTP/1.1 101 a\rb"],
        [b"HTTP/1.1 101 \x1b"],
        [b"HTTP/1 101 OK"],
        [b"http/1.1 101 OK"],
        [b"SSH-2.0-x"],
        [b"HTTP/1.1 101 OK", b" folded"],
    ],
)
def test_malformed_responses(lines: list[bytes]) -> None:
    with pytest.raises(InvalidMessage):
        parse_response(lines)


@given(st.lists(st.binary(max_size=30), max_size=4))
@settings(deadline=None)
def test_any_lines_are_parsed_or_refused(lines: list[bytes]) -> None:
    for parse in (parse_request, parse_response):
        try:
            parse(lines)
        except InvalidHandshake:
            continue


# Building -------------------------------------------------------------------------------------


def test_a_request_as_sent() -> None:
    request = Request("/a?b", Headers([("Host", "h"), ("X", "\xe9")]))
    assert request.serialize() == b"GET /a?b HTTP/1.1\r\nHost: h\r\nX: \xe9\r\n\r\n"
    assert request_of(request.serialize()) == request


def test_a_response_as_sent() -> None:
    response = Response(200, "OK", Headers(A="b"), b"body")
    assert response.serialize() == b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"
    assert response.serialize(body=False) == b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("bad", ["\r\nX: y", "\n", "\x00", "\x1b", "\u20ac"])
def test_b18_a_start_line_that_would_split_the_head_is_refused(bad: str) -> None:
    # CVE-2023-49081 and CVE-2026-34519: the target, the method, the reason phrase.
    for request in (
        Request(f"/{bad}", Headers()),
        Request("/", Headers(), method=f"GET{bad}"),
        Request("/", Headers(), protocol=f"HTTP/1.1{bad}"),
        Request("/a b", Headers()),
    ):
        with pytest.raises(InvalidMessage) as raised:
            request.serialize()
        assert str(raised.value).isprintable()
    with pytest.raises(InvalidMessage):
        Response(200, f"OK{bad}", Headers()).serialize()


def test_a_plain_text_response() -> None:
    response = Response.text(403, "h\xe9")
    assert (response.status_code, response.reason_phrase) == (403, "Forbidden")
    assert response.body == b"h\xc3\xa9"
    assert response.headers["Content-Length"] == "3"
    assert response.headers["Connection"] == "close"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_status_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="299"):
        Response.text(299, "")
