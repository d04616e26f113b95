"""What every app takes from its command line, the environment and a ``.env`` file.

A flag wins over the environment, the environment over ``.env``, ``.env`` over the default.
An app makes its parser with `parser`, adds flags of its own with ``add_argument`` and hands
it to `read`, which gives these attributes:

==============  ================  =====================================================
attribute       type              from
==============  ================  =====================================================
``command``     ``str | None``    ``server``, ``client``, one of the app's own, or None:
                                  the app alone, that is the whole experience
``url``         ``str | None``    where the client connects (None: this machine)
``host``        ``str``           ``--host``; ``localhost`` is 127.0.0.1 and ::1
``port``        ``int``           ``--port``, ``PORT``; 0 picks a free one
``tls_cert``    ``str | None``    ``--tls-cert``
``tls_key``     ``str | None``    ``--tls-key``
``token``       ``str | None``    ``--token``
``origin``      ``list[str]``     ``--origin``, as often as needed
``log_level``   ``str | None``    ``--log-level``; ``debug`` with ``--debug`` or ``DEBUG``
==============  ================  =====================================================

Wrong usage ends the program with status 2 and one line. Logs go to standard error, and only
when a log level was asked for; `hide_secrets` has been over every line of them.
"""

import argparse
import io
import logging
import os
import re
import sys
from collections.abc import Mapping, Sequence

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
TRUE_WORDS = ("1", "true", "yes", "on")


def port_number(text: str) -> int:
    """Turn `text` into a TCP port; raises ``argparse.ArgumentTypeError`` outside 0..65535."""
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")


def positive_seconds(text: str) -> float:
    """Turn `text` into seconds; raises ``ArgumentTypeError`` outside 0.001 .. 86400."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0.001 <= seconds <= 86400:
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds: 0.001 to 86400")


def parser(
    app: str, about: str, *, port: int, commands: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Make the parser of ``python -m apps.APP`` with what all apps have in common.

    `port` is the default port; `commands` are those beside ``server`` and ``client``.
    """
    made = argparse.ArgumentParser(
        prog=f"python -m apps.{app}", description=about, allow_abbrev=False
    )
    made.add_argument(
        "command",
        nargs="?",
        choices=("server", "client", *commands),
        help="without one: the server, and a client in the same process",
    )
    made.add_argument("url", nargs="?", help="client: the server's ws:// or wss:// address")
    made.add_argument("--host", default="localhost", help="address to listen on (%(default)s)")
    made.add_argument("--port", type=port_number, help=f"0 picks a free one (PORT, {port})")
    made.add_argument("--tls-cert", metavar="FILE", help="PEM; a client trusts it as well")
    made.add_argument("--tls-key", metavar="FILE", help="PEM; with --tls-cert")
    made.add_argument("--token", help="secret without which a client is refused")
    made.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="page that may connect beside the server's own; repeatable",
    )
    made.add_argument("--log-level", choices=LOG_LEVELS, help="show the library's log")
    made.add_argument("--debug", action="store_true", default=None, help="log everything (DEBUG)")
    made.set_defaults(default_port=port)
    return made


def read(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options (from ``sys.argv`` when `argv` is None) and set up logging and output.

    Exits with status 2 when they make no sense.
    """
    options = parser.parse_intermixed_args(argv)
    environment = _environment(parser)
    if options.port is None:
        try:
            options.port = port_number(environment.get("PORT") or str(options.default_port))
        except argparse.ArgumentTypeError as error:
            parser.error(f"environment variable PORT: {error}")
    if options.debug is None:
        options.debug = environment.get("DEBUG", "").lower() in TRUE_WORDS
    if options.log_level is None and options.debug:
        options.log_level = "debug"

    if options.url is not None and options.command != "client":
        parser.error("an address goes with the command client only")
    if options.command != "client" and bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    if options.token is not None and not re.fullmatch(r"[A-Za-z0-9._~-]+", options.token):
        # What needs no escaping in a URL means the same there and in a header.
        parser.error("--token: letters, digits and . _ ~ - only")
    _set_up_output(options.log_level)
    return options


def hide_secrets(text: str) -> str:
    """Blank out what may be secret in a log line, a URL or a head: queries and credentials."""
    text = re.sub(r"(?i)(authorization: *)[^\r\n'\"]+", r"\1***", text)
    return re.sub(r"([?&][\w.~-]+=)[^\s&'\"]+", r"\1***", text)


class _HidingFormatter(logging.Formatter):
    """Formats a log record, traceback included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record))


def _environment(parser: argparse.ArgumentParser) -> Mapping[str, str]:
    """Give the environment over what a ``.env`` file in the working directory says."""
    try:
        from dotenv import dotenv_values
    except ImportError:
        return os.environ
    try:
        in_file = dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f".env cannot be read: {error}")
    return {**{name: value or "" for name, value in in_file.items()}, **os.environ}


def _set_up_output(log_level: str | None) -> None:
    """Show each printed line at once, and the log only if asked for."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    root = logging.getLogger()
    if log_level is None:
        # Without any handler, Python prints warnings and errors by itself.
        root.addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_HidingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(log_level.upper())
