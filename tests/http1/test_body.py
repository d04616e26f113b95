"""Tests of ws6455.http1.body: incremental reading and writing, limits, malformed chunks."""

import time
from collections.abc import Callable

import pytest

from ws6455.exceptions import InvalidMessage
from ws6455.http1.body import MAX_BODY_SIZE, BodyReader, BodyWriter
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


def written(headers: Headers, pieces: list[bytes], omitted: bool = False) -> bytes:
    """Frame a body piece by piece; the last piece ends it."""
    writer = BodyWriter(headers, omitted)
    last = len(pieces) - 1
    parts: list[bytes] = []
    for number, piece in enumerate(pieces):
        assert not writer.has_ended
        parts += writer.frame(piece, number < last)
    assert writer.has_ended
    return b"".join(parts)


def test_d37_a_body_without_a_length_is_chunked() -> None:
    headers = Headers()
    assert written(headers, [b"0123456789", b"", b"ab", b""]) == (
        b"a\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n"
    )
    assert headers["Transfer-Encoding"] == "chunked"
    assert written(Headers(), [b""]) == b"0\r\n\r\n"
    assert written(Headers(), [b"a"]) == b"1\r\na\r\n0\r\n\r\n"


@pytest.mark.parametrize("sizes", [[0], [1, 0], [20_000, 0, 3], [5, 70_000]])
def test_d37_a_reader_gets_the_body_that_was_written(sizes: list[int]) -> None:
    pieces = [bytes(size) for size in sizes]
    for headers in (Headers(), Headers({"Content-Length": str(sum(sizes))})):
        data = written(headers, pieces)
        assert body_of(headers, data, 1000)[0] == b"".join(pieces)


def test_d37_a_body_with_a_length_is_sent_as_it_is() -> None:
    headers = Headers({"Content-Length": "3", "Transfer-Encoding": "chunked"})
    assert written(headers, [b"ab", b"", b"c"]) == b"abc"
    assert list(headers) == ["content-length"]  # RFC 9112 §6.2: never both


@pytest.mark.parametrize(
    ("length", "pieces", "problem"),
    [("3", [b"ab", b"cd"], "longer"), ("0", [b"a"], "longer"), ("3", [b"ab", b""], "shorter")],
)
def test_d37_a_body_of_another_length_is_refused(
    length: str, pieces: list[bytes], problem: str
) -> None:
    with pytest.raises(InvalidMessage, match=problem):
        written(Headers({"Content-Length": length}), pieces)


def test_d37_a_body_that_is_omitted_keeps_its_length() -> None:
    for headers in (Headers(), Headers({"Content-Length": "3"})):
        names = list(headers)
        assert written(headers, [b"ab", b"c"], omitted=True) == b""
        assert list(headers) == names
    with pytest.raises(InvalidMessage):
        BodyWriter(Headers({"Content-Length": "x"}), True)
