"""``--trace``: what really goes over the wire, both ways, annotated.

The client speaks through a relay in this process, which passes every byte on as it is and
prints what the bytes mean: the two heads of the opening handshake, then each frame
(RFC 6455 §5.2). The relay reads the wire by itself and knows nothing of the library, so it
shows what was sent, not what the library says it has sent. ``>`` is towards the server,
``<`` from it.

With ``wss`` the relay is the TLS client, so it sees what is inside. Compression is not
offered, so that payloads can be read.
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
LONGEST_SHOWN = 64  # bytes of a payload


@contextlib.asynccontextmanager
async def traced_connect(options: argparse.Namespace) -> AsyncIterator[ws6455.ClientConnection]:
    """Connect as `apps.terminal.connect` does, and print all that goes over the wire."""
    uri = terminal.address(options)
    client_end, relay_end = socket.socketpair()
    with client_end, relay_end:
        server_reader, server_writer = await _reach(options, uri)
        client_reader, client_writer = await asyncio.open_connection(sock=relay_end)
        through_relay = argparse.Namespace(**vars(options) | {"url": uri.replace("wss:", "ws:", 1)})
        async with asyncio.TaskGroup() as relay:
            relay.create_task(_pass_on(">", client_reader, server_writer))
            relay.create_task(_pass_on("<", server_reader, client_writer))
            async with terminal.connect(
                through_relay, sock=client_end, ssl=None, compression=None
            ) as connection:
                yield connection


async def _reach(
    options: argparse.Namespace, uri: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open the stream to the server of `uri`; raises `SystemExit` as `terminal.connect` does."""
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
        terminal.exit_for_address(uri)


async def _pass_on(arrow: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one direction on until it ends, and print what its bytes mean before they go."""
    buffer = bytearray()
    take = _take_line
    refused = False
    try:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                buffer += chunk
                while (meaning := take(buffer)) is not None:
                    print(f"{arrow} {meaning}".rstrip())
                    if meaning.startswith("HTTP/1.1 ") and not meaning.startswith("HTTP/1.1 101 "):
                        refused = True  # what follows the head is text, not frames
                    if not meaning and not refused:
                        take = _take_frame
                writer.write(chunk)
    finally:
        writer.close()


def _take_line(buffer: bytearray) -> str | None:
    """Take one line out of `buffer`, if it is there whole; an empty one ends a head."""
    line, end, rest = buffer.partition(b"\n")
    if not end:
        return None
    buffer[:] = rest
    return terminal.printable(hide_secrets(line.decode("latin-1").rstrip("\r")))


def _take_frame(buffer: bytearray) -> str | None:
    """Take one frame out of `buffer`, if it is there whole, and give what its bytes mean."""
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
        f"mask={key.hex() or 'none'} length={length} payload={_shown(opcode, payload)}"
    )


def _shown(opcode: int, payload: bytes) -> str:
    """Give a payload as people read it: text, a close code with its reason, or hexadecimal."""
    if opcode == 8 and len(payload) >= 2:
        return f"{int.from_bytes(payload[:2])} {payload[2:].decode(errors='replace')!r}"
    cut, more = payload[:LONGEST_SHOWN], "..." if len(payload) > LONGEST_SHOWN else ""
    if opcode == 1:
        return f"{cut.decode(errors='replace')!r}{more}"
    return f"{cut.hex(' ') or 'empty'}{more}"
