"""``--trace``: an annotated dump of the bytes on the wire, in both directions.

The client connects through a relay in this process. The relay passes every byte on unchanged
and prints a description: the request and response of the opening handshake, then each frame
(RFC 6455 §5.2). It has its own parser, so it shows the bytes that were really sent and not
the library's account of them. ``>`` marks data to the server, ``<`` data from it.

With ``wss`` the relay is the TLS client, so it sees the plain text. Compression is not
offered, so that payloads are readable.
"""

import argparse
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import ws6455
from apps import terminal
from apps.options import hide_secrets

OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
DEFAULT_PORTS = {"ws": 80, "wss": 443}
MAX_SHOWN = 64  # bytes of a payload


@contextlib.asynccontextmanager
async def traced_connect(options: argparse.Namespace) -> AsyncIterator[ws6455.ClientConnection]:
    """Connect like `apps.terminal.connect`, and print all data on the wire."""
    uri = terminal.address(options)
    client_end, relay_end = socket.socketpair()
    with client_end, relay_end:
        server_reader, server_writer = await _open_stream(options, uri)
        client_reader, client_writer = await asyncio.open_connection(sock=relay_end)
        through_relay = argparse.Namespace(**vars(options) | {"url": uri.replace("wss:", "ws:", 1)})
        async with asyncio.TaskGroup() as relay:
            relay.create_task(_relay(">", client_reader, server_writer))
            relay.create_task(_relay("<", server_reader, client_writer))
            async with terminal.connect(
                through_relay, sock=client_end, ssl=None, compression=None
            ) as connection:
                yield connection


async def _open_stream(
    options: argparse.Namespace, uri: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a stream to the server of `uri`; raises `SystemExit` like `terminal.connect`."""
    try:
        parts = urlsplit(uri)
        if not parts.hostname:
            raise ValueError("no host")
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        tls = terminal.client_tls(options, uri)
        return await asyncio.open_connection(parts.hostname, port, ssl=tls)
    except OSError as error:
        terminal.exit_unreachable(uri, error)
    except (ValueError, KeyError):
        terminal.exit_invalid_address(uri)


async def _relay(arrow: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one direction on until it ends; describe the data before forwarding it."""
    buffer = bytearray()
    describe_next = _describe_line
    refused = False
    try:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                buffer += chunk
                while (described := describe_next(buffer)) is not None:
                    print(f"{arrow} {described}".rstrip())
                    if described.startswith("HTTP/1.1 ") and not described.startswith(
                        "HTTP/1.1 101 "
                    ):
                        refused = True  # the head is followed by text, not by frames
                    if not described and not refused:
                        describe_next = _describe_frame
                writer.write(chunk)
    finally:
        writer.close()


def _describe_line(buffer: bytearray) -> str | None:
    """Remove a complete line from `buffer` and return it; an empty line ends a head.

    Return None if the line is incomplete.
    """
    line, end, rest = buffer.partition(b"\n")
    if not end:
        return None
    buffer[:] = rest
    return terminal.printable(hide_secrets(line.decode("latin-1").rstrip("\r")))


def _describe_frame(buffer: bytearray) -> str | None:
    """Remove a complete frame from `buffer` and return its description.

    Return None if the frame is incomplete.
    """
    if len(buffer) < 2:
        return None
    fin, opcode, masked, length = buffer[0] >> 7, buffer[0] & 15, buffer[1] >> 7, buffer[1] & 127
    key_at = 2 + {126: 2, 127: 8}.get(length, 0)
    start = key_at + 4 * masked
    if key_at > 2:
        length = int.from_bytes(buffer[2:key_at])
    if len(buffer) < start or len(buffer) < start + length:
        return None
    key = bytes(buffer[key_at:start])
    payload = bytes(buffer[start : start + length])
    if masked:
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    del buffer[: start + length]
    return (
        f"frame: opcode={opcode:X} ({OPCODES.get(opcode, 'reserved')}) fin={fin} "
        f"mask={key.hex() or 'none'} length={length} payload={_readable(opcode, payload)}"
    )


def _readable(opcode: int, payload: bytes) -> str:
    """Format a payload for people: text, a close code with its reason, or hexadecimal."""
    if opcode == 8 and len(payload) >= 2:
        return f"{int.from_bytes(payload[:2])} {payload[2:].decode(errors='replace')!r}"
    cut, more = payload[:MAX_SHOWN], "..." if len(payload) > MAX_SHOWN else ""
    if opcode == 1:
        return f"{cut.decode(errors='replace')!r}{more}"
    return f"{cut.hex(' ') or 'empty'}{more}"
