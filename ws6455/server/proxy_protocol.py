"""Header of the PROXY protocol, versions 1 and 2, without I/O.

A proxy sends it before everything else, TLS included: it tells the address of the client.
Specification: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
"""

from __future__ import annotations

import ipaddress
import re
import struct

from ..exceptions import InvalidMessage

__all__ = ["ProxyHeaderReader", "SourceAddress"]

# An address as a socket gives it: host and port; for IPv6 also flow information and scope.
SourceAddress = tuple[str, int] | tuple[str, int, int, int]

_SIGNATURE_1 = b"PROXY "
_SIGNATURE_2 = b"\r\n\r\n\x00\r\nQUIT\n"
# Sizes in bytes. Version 1: "PROXY UNKNOWN\r\n" is the shortest header. Version 2: 16 bytes, then
# addresses and any number of further values, such as the names in a certificate.
_MIN_SIZE_1 = 15
_MAX_SIZE_1 = 107
_FIXED_SIZE_2 = 16
_MAX_REST_2 = 4096

_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
# Size of the addresses by family and transport protocol.
_ADDRESS_SIZES = {
    0x00: 0,  # unspecified
    0x11: 12,  # TCP over IPv4
    0x12: 12,  # UDP over IPv4
    0x21: 36,  # TCP over IPv6
    0x22: 36,  # UDP over IPv6
    0x31: 216,  # Unix stream
    0x32: 216,  # Unix datagram
}
_NUMBER = r"(0|[1-9][0-9]{0,4})"
_LINE = re.compile(rf"PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) {_NUMBER} {_NUMBER}\r\n")
_UNKNOWN_LINE = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")


class ProxyHeaderReader:
    """Reads the header of one connection.

    Read at most `missing` bytes, give them to :meth:`feed`, and repeat until `missing` is 0. Thus
    no byte after the header is read, which TLS needs.

    Attributes:
        missing: number of bytes to read next; 0 once the header is complete.
        source: the client's address. None if the header has none, since the proxy itself has
            connected, or for a protocol other than TCP: the socket's address counts.
    """

    __slots__ = ("_header", "missing", "source")

    #: Limit of `missing`: a length that is only announced allocates no memory.
    max_missing = 256

    def __init__(self) -> None:
        self._header = bytearray()
        self.missing: int = _MIN_SIZE_1
        self.source: SourceAddress | None = None

    def feed(self, data: bytes | memoryview) -> None:
        """Add bytes.

        Args:
            data: at least one byte, and at most `missing`.

        Raises:
            InvalidMessage: if this is not a valid header.
        """
        header = self._header
        header += data
        if _SIGNATURE_1.startswith(header[: len(_SIGNATURE_1)]):
            self._read_version_1()
        elif _SIGNATURE_2.startswith(header[: len(_SIGNATURE_2)]):
            self._read_version_2()
        else:
            raise InvalidMessage(f"not a PROXY header: {bytes(header[:80])!r}")

    def _malformed(self) -> InvalidMessage:
        return InvalidMessage(f"malformed PROXY header: {bytes(self._header[:107])!r}")

    def _read_version_1(self) -> None:
        header = self._header
        if header.endswith(b"\r\n"):
            self.source = self._parse_line()
            self.missing = 0
            return
        rest = self._missing_in_line()
        if b"\n" in header or b"\r" in header[:-1] or len(header) + rest > _MAX_SIZE_1:
            raise self._malformed()
        self.missing = max(rest, _MIN_SIZE_1 - len(header))

    def _missing_in_line(self) -> int:
        """Return the number of bytes that the line must still have at least."""
        header = self._header
        if header.endswith(b"\r"):
            return len(b"\n")
        rest = len(b"\r\n")
        if header.startswith(b"PROXY TCP"):
            # "TCP4", two addresses, two ports: each has one character at least.
            fields = 5 - header.count(b" ")
            if fields < 0:
                raise self._malformed()
            rest += 2 * fields + header.endswith(b" ")
        return rest

    def _parse_line(self) -> SourceAddress | None:
        if _UNKNOWN_LINE.fullmatch(self._header):
            return None
        match = _LINE.fullmatch(self._header.decode("latin-1"))
        if match is None:
            raise self._malformed()
        version, source, destination, *ports = match.groups()
        address = ipaddress.IPv4Address if version == "4" else ipaddress.IPv6Address
        try:
            host = _text(address(source))
            address(destination)
        except ValueError as exc:
            raise self._malformed() from exc
        source_port, destination_port = map(int, ports)
        if source_port > 65535 or destination_port > 65535:
            raise self._malformed()
        return (host, source_port) if version == "4" else (host, source_port, 0, 0)

    def _read_version_2(self) -> None:
        header = self._header
        size = len(header)
        command = header[12] if size > 12 else _PROXY
        family = header[13] if size > 13 else 0
        if command not in (_LOCAL, _PROXY) or (command == _PROXY and family not in _ADDRESS_SIZES):
            raise self._malformed()
        if size < _FIXED_SIZE_2:
            self.missing = _FIXED_SIZE_2 - size
            return
        rest = int.from_bytes(header[14:16], "big")
        if rest > _MAX_REST_2 or (command == _PROXY and rest < _ADDRESS_SIZES[family]):
            raise self._malformed()
        self.missing = min(_FIXED_SIZE_2 + rest - size, self.max_missing)
        if not self.missing and command == _PROXY:
            self.source = self._parse_addresses(family)

    def _parse_addresses(self, family: int) -> SourceAddress | None:
        if family == 0x11:
            packed, port = struct.unpack_from("!4s4xH", self._header, _FIXED_SIZE_2)
            return str(ipaddress.IPv4Address(packed)), port
        if family == 0x21:
            packed, port = struct.unpack_from("!16s16xH", self._header, _FIXED_SIZE_2)
            return _text(ipaddress.IPv6Address(packed)), port, 0, 0
        return None


def _text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return an address as a socket gives it, on every version of Python."""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(address) if mapped is None else f"::ffff:{mapped}"
