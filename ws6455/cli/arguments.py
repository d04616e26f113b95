"""The options of each command: what may be given, what it means, what it is without.

Only reads and checks them; the commands are in the modules of their names.
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
In a terminal, each line typed is sent as a Text message and each message is shown as it comes;
Ctrl+D closes the connection. With prompt_toolkit (pip install 'ws6455[cli]') the line being typed
stays below what comes, and the arrow keys bring earlier lines back.

From a pipe, each line is sent likewise. After the last, what still comes is printed until the
server closes, or until no message has come for the seconds of --wait: one, unless it says
otherwise. Text goes to standard output as it is, a line for each message; Binary as a line in
hexadecimal. Everything else goes to standard error. While whoever reads the output does not, such
as a pager, nothing is received either and no ping answered; the server may give the connection up.

The exit status is 0 if the connection is closed as it should be: 1000, 1001 or no code.
"""

_TRACE = """
--trace shows what goes over the wire inside TLS: the seconds since the connection was made, > for
sent and < for received, each line of the opening handshake, credentials and cookies hidden, and
each frame: opcode, bits, bytes of payload, the frame's header in hexadecimal and the first of the
payload, decompressed. What compression did is the note: bytes on the wire as a percentage of those
before.
"""

_BENCH = """
Sends messages to an echo server, as many at once as --connections and --in-flight allow, and
compares each echo with what was sent. The latency of a message is the time until its echo is
there. Nothing is compressed. The exit status is 0 if every echo came and was right.
"""

_RUN = """
Everything after the program's name is the program's. Its imports of `websockets`, of any era, find
this library instead.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        name = self.prog.removeprefix("python -m ")
        print(f"{name}: {message} (--help tells more)", file=sys.stderr)
        raise SystemExit(2)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Args:
        arguments: without the program's name.

    Returns:
        ``command``, its name, and an attribute for each of its options.

    Raises:
        SystemExit: 0 for ``--help`` and ``--version``, 2 if something is wrong.
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

    _add_connect(add("connect", "talk to a server, line by line", _CONNECT + _TRACE))
    _add_serve(add("serve", "run a server", _TRACE))
    _add_bench(add("bench", "measure an echo server", _BENCH))
    run = add("run", "run a program written for the package websockets", _RUN)
    run.usage = f"{run.prog} program.py [argument ...]\n       {run.prog} -m module [argument ...]"
    options = parser.parse_args(arguments)
    if options.command == "serve":
        if options.key is not None and options.certificate is None:
            commands.choices["serve"].error("--key needs a --certificate")
        if options.unix is not None and (options.host is not None or options.port is not None):
            commands.choices["serve"].error("--unix goes without --host and --port")
    return options


def _add_connect(parser: argparse.ArgumentParser) -> None:
    _add_opening(parser)
    parser.add_argument(
        "--wait",
        type=_seconds,
        metavar="SECONDS",
        help="how long no message must come after the input has ended; inf waits until the "
        "server closes (1; in a terminal 0)",
    )
    parser.add_argument(
        "--binary",
        action="store_true",
        help="send the input as Binary messages, as it is read and not by the line, and write "
        "what comes as it is, with nothing in between",
    )
    parser.add_argument(
        "--ping",
        type=_seconds,
        metavar="SECONDS",
        help="between two pings (20), whose pongs --trace shows; 0 for no pings",
    )
    parser.add_argument(
        "--no-compression", action="store_true", help="do not offer permessage-deflate"
    )
    _add_max_size(parser)
    _add_trace(parser)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="name or address to listen on (localhost)")
    parser.add_argument("--port", type=_port, help="TCP port (8765); 0 for any that is free")
    parser.add_argument("--unix", metavar="PATH", help="listen on a Unix socket instead")
    parser.add_argument("--certificate", metavar="FILE", help="serve wss with it, in PEM")
    parser.add_argument("--key", metavar="FILE", help="its key, unless in the same file")
    parser.add_argument(
        "--origin", action="append", help="allow this Origin only; repeatable (any)"
    )
    parser.add_argument(
        "--subprotocol", action="append", help="to support, preferred first; repeatable"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--echo", action="store_true", help="send each message back (this, unless told otherwise)"
    )
    what.add_argument("--broadcast", action="store_true", help="send each message to every client")
    what.add_argument(
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
    parser.add_argument("--connections", type=_count, default=1, help="at once (%(default)s)")
    parser.add_argument(
        "--in-flight",
        type=_count,
        default=1,
        metavar="MESSAGES",
        help="of each connection that may wait for their echo (%(default)s)",
    )
    parser.add_argument(
        "--size", type=_size, default=64, metavar="BYTES", help="of a message (%(default)s)"
    )
    parser.add_argument("--seconds", type=_duration, default=5.0, help="to measure (%(default)g)")
    parser.add_argument("--text", action="store_true", help="send Text instead of Binary")
    parser.add_argument("--verbose", action="store_true", help="show the library's log as well")


def _add_opening(parser: argparse.ArgumentParser) -> None:
    """Add what says where to connect to, and how."""
    parser.add_argument("uri", metavar="URI", type=_uri, help="such as ws://localhost:8765/path")
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="for the opening handshake; repeatable",
    )
    parser.add_argument("--origin", type=_origin, help="the value of the header Origin")
    parser.add_argument(
        "--subprotocol", action="append", help="to offer, preferred first; repeatable"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="accept any certificate, whoever it is from"
    )
    parser.add_argument(
        "--proxy", metavar="URL", help="HTTP or SOCKS proxy; none for none (the environment's)"
    )


def _add_max_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-size",
        type=_size,
        default=MAX_SIZE,
        metavar="BYTES",
        help="of a message received (%(default)s); 0 for any",
    )


def _add_trace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trace", action="store_true", help="show the wire on standard error; see below"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show the library's log, and what the connection agreed on",
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
        raise argparse.ArgumentTypeError(f"{text!r} is no header such as 'Name: value'")
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
    raise argparse.ArgumentTypeError(f"{text!r} is no {meaning}")


def _whole(text: str, least: int, most: int, meaning: str) -> int:
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no {meaning}")


def _seconds(text: str) -> float:
    return _number(text, 0, math.inf, "number of seconds")


def _duration(text: str) -> float:
    return _number(text, 0.1, 86400, "number of seconds from 0.1 to 86400")


def _port(text: str) -> int:
    return _whole(text, 0, 65535, "port: 0 to 65535")


def _size(text: str) -> int:
    return _whole(text, 0, sys.maxsize, "number of bytes")


def _count(text: str) -> int:
    return _whole(text, 1, 1_000_000, "number from 1 to 1000000")
