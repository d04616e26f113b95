"""Tests of ws6455.http1.response_reader: interim responses, and bytes that are not HTTP."""

import pytest

from ws6455.exceptions import InvalidMessage, NotHTTP, SecurityError
from ws6455.http1.head import MAX_HEAD_SIZE
from ws6455.http1.response_reader import MAX_INTERIM_RESPONSES, ResponseReader

HINT = "use TLS"
FINAL = b"HTTP/1.1 101 Switching\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_the_final_response_is_read_however_it_is_cut(size: int) -> None:
    reader = ResponseReader(HINT)
    data = b"HTTP/1.1 100\r\n\r\nHTTP/1.1 103 Hints\r\nA: x\r\n\r\n" + FINAL + b"rest"
    read, position = None, 0
    while read is None:
        read = reader.read(data[position : position + size])
        position += size
    protocol, response, rest = read
    assert protocol == "HTTP/1.1"
    assert response.status_code == 101
    assert response.headers["A"] == "b"
    assert rest + data[position:] == b"rest"


@pytest.mark.parametrize("status", [b"101", b"200", b"302", b"407", b"999"])
def test_other_statuses_are_final(status: bytes) -> None:
    read = ResponseReader(None).read(b"HTTP/1.1 " + status + b"\r\n\r\n")
    assert read is not None
    assert read[1].status_code == int(status)


def test_interim_responses_are_limited_in_number() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    assert ResponseReader(None).read(interim * MAX_INTERIM_RESPONSES + FINAL) is not None
    with pytest.raises(SecurityError, match=f"more than {MAX_INTERIM_RESPONSES} interim"):
        ResponseReader(None).read(interim * (MAX_INTERIM_RESPONSES + 1))


def test_interim_responses_are_limited_in_size() -> None:
    line = b"A: " + b"x" * 8000 + b"\r\n"
    interim = b"HTTP/1.1 103 Hints\r\n" + line * 4 + b"\r\n"
    reader = ResponseReader(None)
    assert reader.read(interim) is None
    with pytest.raises(SecurityError, match=f"head exceeds {MAX_HEAD_SIZE} bytes"):
        reader.read(interim + interim)


@pytest.mark.parametrize(
    ("valid", "rest"),
    [
        (b"", b"\r\nHTTP/1.1 101"),
        (b"", b" HTTP/1.1 101"),
        (b"", b"http/1.1 101"),
        (b"HTTP/2", b" 101"),
        (b"HTTP/1.1", b"\t101"),
        (b"HTTP/1.1 ", b"010"),
        (b"HTTP/1.1 1", b"O1"),
        (b"HTTP/1.1 101", b"0"),
        (b"HTTP/1.1 101", b"\x00"),
        (b"", b"SSH-2.0-OpenSSH\r\n"),
        (b"", b"220 mail.example ESMTP\r\n"),
        (b"", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
        (b"", b"\x81\x05hello"),
        (b"", b"ICY 200 OK\r\n\r\n"),
    ],
)
def test_the_first_byte_that_is_not_http_is_an_error(valid: bytes, rest: bytes) -> None:
    with pytest.raises(NotHTTP, match="not an HTTP response"):
        ResponseReader(HINT).read(valid + rest)
    reader = ResponseReader(HINT)
    for byte in valid:
        assert reader.read(bytes([byte])) is None
    with pytest.raises(NotHTTP, match="not an HTTP response"):
        reader.read(rest[:1])


@pytest.mark.parametrize(
    "data", [b"\x15", b"\x15\x03\x01\x00\x02\x02\x0a", b"\x16\x03\x01", b"\x16"]
)
def test_a_tls_record_is_named(data: bytes) -> None:
    with pytest.raises(NotHTTP, match=r"^use TLS$"):
        ResponseReader(HINT).read(data)
    with pytest.raises(NotHTTP, match="not an HTTP response"):
        ResponseReader(None).read(data)


def test_what_only_looks_like_tls_is_not_named() -> None:
    with pytest.raises(NotHTTP, match="not an HTTP response"):
        ResponseReader(HINT).read(b"\x15\x04")


def test_a_malformed_head_is_an_error() -> None:
    with pytest.raises(InvalidMessage, match="doesn't end with CRLF"):
        ResponseReader(None).read(b"HTTP/1.1 101 Switching\n")
    with pytest.raises(InvalidMessage, match="malformed status line"):
        ResponseReader(None).read(b"HTTP/1.1 101 \x00\r\n\r\n")
