"""Tests of ws6455.server.proxy_protocol: any bytes, however they are split."""

import ipaddress
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.exceptions import InvalidMessage
from ws6455.server.proxy_protocol import ProxyHeaderReader, SourceAddress

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
IPV4 = ipaddress.IPv4Address("198.51.100.7").packed + ipaddress.IPv4Address("192.0.2.1").packed
IPV6 = ipaddress.IPv6Address("2001:db8::1").packed + ipaddress.IPv6Address("::1").packed
PORTS = struct.pack("!HH", 56324, 443)


def binary(family: int, block: bytes = b"", command: int = 0x21, size: int | None = None) -> bytes:
    """Return a header of version 2."""
    announced = len(block) if size is None else size
    return SIGNATURE + struct.pack("!BBH", command, family, announced) + block


# Valid headers and the source address in them.
HEADERS: list[tuple[bytes, SourceAddress | None]] = [
    (b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n", ("198.51.100.7", 56324)),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 0 65535\r\n", ("1.1.1.1", 0)),
    (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", ("255.255.255.255", 65535)),
    (b"PROXY TCP6 2001:DB8::1 ::1 1 2\r\n", ("2001:db8::1", 1, 0, 0)),
    (b"PROXY TCP6 :: :: 1 2\r\n", ("::", 1, 0, 0)),
    (
        b"PROXY TCP6 " + b"ffff:" * 7 + b"ffff " + b"ffff:" * 7 + b"ffff 65535 65535\r\n",
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, 0, 0),
    ),
    (b"PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n", ("::ffff:1.2.3.4", 1, 0, 0)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 any thing\x00 65535\r\n", None),
    (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", None),
    (binary(0x11, IPV4 + PORTS), ("198.51.100.7", 56324)),
    (binary(0x21, IPV6 + PORTS), ("2001:db8::1", 56324, 0, 0)),
    (binary(0x11, IPV4 + PORTS + b"\x04\x00\x01\x00"), ("198.51.100.7", 56324)),
    (
        binary(0x21, bytes(10) + b"\xff\xff\x01\x02\x03\x04" + bytes(20)),
        ("::ffff:1.2.3.4", 0, 0, 0),
    ),
    (binary(0x21, IPV6 + PORTS + bytes(4060)), ("2001:db8::1", 56324, 0, 0)),
    (binary(0x00), None),
    (binary(0x00, b"anything"), None),
    (binary(0x12, IPV4 + PORTS), None),
    (binary(0x22, IPV6 + PORTS), None),
    (binary(0x31, bytes(216)), None),
    (binary(0x32, bytes(216)), None),
    (binary(0x00, command=0x20), None),
    (binary(0x11, IPV4 + PORTS, command=0x20), None),
    (binary(0xFF, b"?", command=0x20), None),  # the family is ignored
]

MALFORMED = [
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01",
    b"P\n",
    b"PROXY\r\n",
    b"proxy TCP4",
    b"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
    b"PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 65536 1\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
    b"PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n",
    b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2 1 2\r\n",
    b"PROXY TCP4 ::1 ::1 1 2\r\n",
    b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
    b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    b"PROXY TCP6 ::: ::1 1 2\r\n",
    b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
    b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
    b"PROXY UNKNOWNX\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2\r1 2\r\n",
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    b"PROXY TCP6 " + b"f" * 97,
    b"PROXY TCP4 " + b" " * 97,
    b"\r\n\r\n\r\n",
    SIGNATURE[:-1] + b"\r",
    SIGNATURE + b"\x11",
    SIGNATURE + b"\x22",
    SIGNATURE + b"\x31",
    binary(0x01),
    binary(0x10, IPV4 + PORTS),
    binary(0x13, IPV4 + PORTS),
    binary(0x41, IPV4 + PORTS),
    binary(0x11, b"", size=11),
    binary(0x21, b"", size=35),
    binary(0x31, b"", size=215),
    binary(0x11, b"", size=4097),
    binary(0x00, b"", size=65535),
    binary(0x00, b"", size=65535, command=0x20),
]


def read(data: bytes, sizes: list[int]) -> tuple[ProxyHeaderReader, bytes]:
    """Feed data as a socket would give it, in pieces of at most these sizes, then larger ones.

    Returns:
        The reader, and the bytes that it has not asked for.
    """
    reader = ProxyHeaderReader()
    sizes = sizes.copy()
    while reader.missing and data:
        size = min(reader.missing, sizes.pop(0) if sizes else 1 << 16)
        piece, data = data[:size], data[size:]
        reader.feed(piece)
    return reader, data


@pytest.mark.parametrize("sizes", [[], [1] * 5000, [14], [2] * 50])
@pytest.mark.parametrize(("header", "source"), HEADERS)
def test_d23_a_valid_header(header: bytes, source: SourceAddress | None, sizes: list[int]) -> None:
    for after in (b"GET / HTTP/1.1\r\n", b"\r\n", header):
        reader, rest = read(header + after, sizes)
        assert reader.missing == 0
        assert reader.source == source
        assert rest == after
    for size in range(min(len(header), 300)):
        assert read(header[:size], sizes)[0].missing > 0


@pytest.mark.parametrize("sizes", [[], [1] * 5000])
@pytest.mark.parametrize("header", MALFORMED)
def test_d23_a_malformed_header(header: bytes, sizes: list[int]) -> None:
    with pytest.raises(InvalidMessage, match="PROXY header") as raised:
        read(header, sizes)
    assert str(raised.value).isprintable()


def test_d23_what_is_not_a_header_is_refused_at_its_first_byte() -> None:
    for byte in set(range(256)) - set(b"P\r"):
        with pytest.raises(InvalidMessage, match="not a PROXY header"):
            ProxyHeaderReader().feed(bytes([byte]))


def test_d23_an_announced_length_is_read_in_small_pieces() -> None:
    reader, _ = read(binary(0x00, b"", size=4096), [])
    assert reader.missing == 256


def test_d23_a_line_is_read_in_few_pieces() -> None:
    header, reader, reads = HEADERS[0][0], ProxyHeaderReader(), 0
    while reader.missing:
        piece, header = header[: reader.missing], header[reader.missing :]
        reader.feed(piece)
        reads += 1
    assert reads <= 10


headers = st.sampled_from([header for header, _ in HEADERS] + MALFORMED)
cut = st.tuples(headers, st.integers(0, 40), st.binary(max_size=20)).map(
    lambda parts: parts[0][: parts[1]] + parts[2]
)
text = st.text("PROXYTCUNKW46 0123456789abcdef:.\r\n", max_size=120).map(
    lambda text: b"PROXY " + text.encode()
)
blocks = st.builds(
    lambda head, rest: SIGNATURE + head + rest, st.binary(max_size=4), st.binary(max_size=300)
)


@given(st.binary(max_size=200) | cut | text | blocks, st.lists(st.integers(1, 20), max_size=200))
@settings(deadline=None)
def test_d23_any_bytes_in_any_pieces(data: bytes, sizes: list[int]) -> None:
    def outcome(sizes: list[int]) -> object:
        try:
            reader, rest = read(data, sizes)
        except InvalidMessage:
            return InvalidMessage
        assert 0 <= reader.missing <= 256
        if reader.missing:
            return "incomplete"
        if reader.source is not None:
            ipaddress.ip_address(reader.source[0])
            assert 0 <= reader.source[1] < 65536
        return reader.source, rest

    assert outcome(sizes) == outcome([]) == outcome([1] * len(data))
