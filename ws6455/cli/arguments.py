"""The command-line options of each command, with their help and defaults.

This module only parses and checks the options. Each command is in the module of its name.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..exceptions import InvalidHeader, InvalidURI
from ..http1.headers import Headers
from ..http1.uri import parse_uri
from ..protocol.protocol import MAX_SIZE
from ..version import version

__all__ = ["parse"]

_CONNECT = """
In a terminal, each line typed is sent as a Text message, and each message received is printed.
Ctrl+D closes the connection. With prompt_toolkit (pip install 'ws6455[cli]'), the line being typed
stays below the output, and the arrow keys recall earlier lines.

From a pipe, each line is sent as a Text message, too. After the last line, messages are printed
until the server closes the connection, or until no message is received for --wait seconds (by
default 1). Text messages go to standard output unchanged, one per line. Binary messages go there
in hexadecimal, one per line. Everything else goes to standard error. If the output is not read, as
by a pager, nothing is received and no ping is answered; the server may close the connection.

The exit status is 0 if the connection is closed without an error: code 1000, 1001 or no code.
"""

_TRACE = """
--trace shows the data on the wire, inside TLS: the seconds since the connection was opened, > for
sent and < for received, each line of the opening handshake, with credentials and cookies hidden,
and each frame: opcode, bits, payload length, header in hexadecimal and the start of the payload,
decompressed. For a compressed frame, a note shows its size as a percentage of the original size.
"""

_BENCH = """
Sends messages to an echo server, as many at once as --connections and --in-flight allow, and
compares each echo with the message sent. The latency of a message is the time until its echo is
received. Compression is not used. The exit status is 0 if every echo was received and correct.
"""

_RUN = """
All arguments after the program's name are passed to the program. Its imports of `websockets`, of
any version, find this library instead.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        name = self.prog.removeprefix("python -m ")
        print(f"{name}: {message} (see --help)", file=sys.stderr)
        raise SystemExit(2)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line.

    Args:
        arguments: the arguments, without the program's name.

    Returns:
        The options of the command, and its name as ``command``.

    Raises:
        SystemExit: with 0 for ``--help`` and ``--version``, with 2 for wrong usage.
    """
    parser = _Parser(
        prog="python -m ws6455",
        description="WebSocket (RFC 6455) on the command line.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ws6455 {version}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )

    def add(name: str, summary: str, text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            epilog=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        return command

    _add_connect(add("connect", "exchange messages with a server", _CONNECT + _TRACE))
    _add_serve(add("serve", "run a server", _TRACE))
    _add_bench(add("bench", "measure an echo server", _BENCH))
    run = add("run", "run a program written for the websockets package", _RUN)
    run.usage = f"{run.prog} program.py [argument ...]\n       {run.prog} -m module [argument ...]"
    options = parser.parse_args(arguments)
    if options.command == "serve":
        if options.key is not None and options.certificate is None:
            commands.choices["serve"].error("--key requires --certificate")
        if options.unix is not None and (options.host is not None or options.port is not None):
            commands.choices["serve"].error("--unix cannot be used with --host or --port")
    return options


def _add_connect(parser: argparse.ArgumentParser) -> None:
    _add_opening(parser)
    parser.add_argument(
        "--wait",
        type=_seconds,
        metavar="SECONDS",
        help="after the end of the input, close the connection once no message is received for "
        "this time (1; in a terminal 0); inf waits until the server closes",
    )
    parser.add_argument(
        "--binary",
        action="store_true",
        help="send the input as Binary messages as it is read, not line by line, and write "
        "received messages unchanged, without separators",
    )
    parser.add_argument(
        "--ping",
        type=_seconds,
        metavar="SECONDS",
        help="interval between pings (20), shown by --trace; 0 disables pings",
    )
    parser.add_argument(
        "--no-compression", action="store_true", help="do not offer permessage-deflate"
    )
    _add_max_size(parser)
    _add_trace(parser)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="name or address to listen on (localhost)")
    parser.add_argument("--port", type=_port, help="TCP port (8765); 0 for any free port")
    parser.add_argument("--unix", metavar="PATH", help="listen on a Unix socket instead")
    parser.add_argument(
        "--certificate", metavar="FILE", help="serve wss with this certificate, in PEM"
    )
    parser.add_argument(
        "--key", metavar="FILE", help="the certificate's private key, unless in the same file"
    )
    parser.add_argument(
        "--origin", action="append", help="allow only this Origin; repeatable (any)"
    )
    parser.add_argument(
        "--subprotocol", action="append", help="subprotocol to support, preferred first; repeatable"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--echo", action="store_true", help="send each message back (default)")
    mode.add_argument("--broadcast", action="store_true", help="send each message to every client")
    mode.add_argument(
        "--app", metavar="MODULE:HANDLER", help="call this coroutine function for each client"
    )
    parser.add_argument(
        "--no-compression", action="store_true", help="do not accept permessage-deflate"
    )
    _add_max_size(parser)
    parser.add_argument("--uvloop", action="store_true", help="run on uvloop")
    _add_trace(parser)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    _add_opening(parser)
    parser.add_argument(
        "--connections", type=_count, default=1, help="number of connections (%(default)s)"
    )
    parser.add_argument(
        "--in-flight",
        type=_count,
        default=1,
        metavar="MESSAGES",
        help="messages per connection that wait for their echo (%(default)s)",
    )
    parser.add_argument(
        "--size", type=_size, default=64, metavar="BYTES", help="size of a message (%(default)s)"
    )
    parser.add_argument(
        "--seconds", type=_duration, default=5.0, help="duration of the measurement (%(default)g)"
    )
    parser.add_argument("--text", action="store_true", help="send Text instead of Binary")
    parser.add_argument("--verbose", action="store_true", help="show the library's log as well")


def _add_opening(parser: argparse.ArgumentParser) -> None:
    """Add the options of the opening handshake."""
    parser.add_argument("uri", metavar="URI", type=_uri, help="such as ws://localhost:8765/path")
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="header for the opening handshake; repeatable",
    )
    parser.add_argument("--origin", type=_origin, help="value of the Origin header")
    parser.add_argument(
        "--subprotocol", action="append", help="subprotocol to offer, preferred first; repeatable"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="accept any certificate without verification"
    )
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help="HTTP or SOCKS proxy (from the environment); none connects directly",
    )


def _add_max_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-size",
        type=_size,
        default=MAX_SIZE,
        metavar="BYTES",
        help="limit for a received message (%(default)s); 0 for no limit",
    )


def _add_trace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trace",
        action="store_true",
        help="print the data on the wire to standard error; see below",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show the library's log, and the negotiated extensions and subprotocol",
    )


def _uri(text: str) -> str:
    try:
        parse_uri(text)
    except InvalidURI as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    return text


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    pair = name.strip(), value.strip()
    try:
        Headers([pair])
    except InvalidHeader:
        colon = ""
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not a header such as 'Name: value'")
    return pair


def _origin(text: str) -> str:
    return _header(f"Origin: {text}")[1]


def _number(text: str, least: float, most: float, meaning: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if least <= number <= most:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a {meaning}")


def _whole(text: str, least: int, most: int, meaning: str) -> int:
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a {meaning}")


def _seconds(text: str) -> float:
    return _number(text, 0, math.inf, "number of seconds")


def _duration(text: str) -> float:
    return _number(text, 0.1, 86400, "number of seconds from 0.1 to 86400")


def _port(text: str) -> int:
    return _whole(text, 0, 65535, "port from 0 to 65535")


def _size(text: str) -> int:
    return _whole(text, 0, sys.maxsize, "number of bytes")


def _count(text: str) -> int:
    return _whole(text, 1, 1_000_000, "number from 1 to 1000000")
