"""Tests of ws6455.http1.body: incremental reading, limits, malformed chunks."""

import time
from collections.abc import Callable

import pytest

from ws6455.exceptions import InvalidMessage
from ws6455.http1.body import MAX_BODY_SIZE, BodyReader
from ws6455.http1.headers import MAX_LINE_SIZE, Headers


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the shortest CPU time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def body_of(headers: Headers, data: bytes, size: int) -> tuple[bytes, int | None]:
    """Feed data in pieces of `size` bytes.

    Returns:
        The body, and the number of bytes fed until it was complete, or None if it is not.
    """
    reader = BodyReader(headers)
    for start in range(0, len(data), size):
        if reader.feed(data[start : start + size]):
            return bytes(reader.body), min(start + size, len(data))
    return bytes(reader.body), None


CHUNKED = Headers({"Transfer-Encoding": "Chunked"})


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_bodies_however_they_are_cut(size: int) -> None:
    assert body_of(Headers({"Content-Length": "4"}), b"bodymore", size)[0] == b"body"
    assert body_of(Headers(), b"body", size) == (b"body", None)
    chunks = b"4\r\nWiki\r\nB;ext=1\r\npedia in ch\r\n0a\r\nunks\r\n\r\n.\n\r\n0\r\n"
    assert body_of(CHUNKED, chunks + b"\r\n", size)[0] == b"Wikipedia in chunks\r\n\r\n.\n"


def test_an_unfinished_body_is_kept() -> None:
    assert body_of(Headers({"Content-Length": "9"}), b"body", 1) == (b"body", None)
    assert body_of(CHUNKED, b"9\r\nbody", 1) == (b"body", None)
    assert body_of(CHUNKED, b"4\r\nbody\r\n", 1) == (b"body", None)


@pytest.mark.parametrize("size", [1 << 14, 1 << 22])
def test_c19_a_body_is_cut_at_its_limit(size: int) -> None:
    data = bytes(3 * MAX_BODY_SIZE)
    for headers in (Headers(), Headers({"Content-Length": str(len(data))})):
        assert body_of(headers, data, size)[0] == data[:MAX_BODY_SIZE]
    chunks = b"%x\r\n%b\r\n" % (len(data), data)
    assert body_of(CHUNKED, chunks, size)[0] == data[:MAX_BODY_SIZE]
    chunks = (b"8000\r\n" + bytes(0x8000) + b"\r\n") * 40
    assert body_of(CHUNKED, chunks, size)[0] == data[:MAX_BODY_SIZE]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "x"},
        {"Content-Length": "+1"},
        {"Content-Length": "1_0"},
        {"Content-Length": "\xb2"},
        {"Content-Length": ""},
        {"Content-Length": "1" * 19},
        {"Transfer-Encoding": "gzip, chunked"},
        {"Transfer-Encoding": "identity"},
    ],
)
def test_a_length_that_is_not_clear_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidMessage):
        BodyReader(Headers(headers))


@pytest.mark.parametrize(
    "chunks",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b"+1\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n0\r\n",
        b"1\r\naX\r\n",
        b"1\r\na\r\n\r\n",
        b"1" * 17 + b"\r\n",
        b"1;" + b"x" * MAX_LINE_SIZE,
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_malformed_chunks_are_refused(chunks: bytes, size: int) -> None:
    with pytest.raises(InvalidMessage):
        body_of(CHUNKED, chunks, size)


def test_many_small_chunks_take_linear_time() -> None:
    def read(count: int) -> None:
        BodyReader(CHUNKED).feed(b"1\r\na\r\n" * count)

    assert cpu_seconds(lambda: read(40_000)) < 24 * cpu_seconds(lambda: read(5_000)) + 0.02
