"""Options common to all apps, from the command line, the environment and a ``.env`` file.

A flag takes precedence over the environment, the environment over ``.env``, and ``.env`` over
the default. An app creates its parser with `parser`, adds its own flags with ``add_argument``
and passes the parser to `read`, which returns a namespace with these attributes:

==============  ================  =====================================================
attribute       type              from
==============  ================  =====================================================
``command``     ``str | None``    ``server``, ``client``, one of the app's own, or None
                                  for the server and a client together
``url``         ``str | None``    the client's server (None: the one of this machine)
``host``        ``str``           ``--host``; ``localhost`` is 127.0.0.1 and ::1
``port``        ``int``           ``--port``, ``PORT``; 0 picks a free one
``tls_cert``    ``str | None``    ``--tls-cert``
``tls_key``     ``str | None``    ``--tls-key``
``token``       ``str | None``    ``--token``
``origin``      ``list[str]``     ``--origin``, which may be repeated
``log_level``   ``str | None``    ``--log-level``; ``debug`` with ``--debug`` or ``DEBUG``
==============  ================  =====================================================

Wrong usage ends the program with status 2 and a one-line error. Logging goes to standard
error, and only if a log level is set; `hide_secrets` is applied to every line.
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
    """Convert `text` to a TCP port; raises ``argparse.ArgumentTypeError`` outside 0..65535."""
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")


def positive_seconds(text: str) -> float:
    """Convert `text` to seconds; raises ``ArgumentTypeError`` outside 0.001 .. 86400."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0.001 <= seconds <= 86400:
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds: 0.001 to 86400")


def parser(
    app: str, about: str, *, port: int, commands: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Return the parser of ``python -m apps.APP`` with the options common to all apps.

    `port` is the default port; `commands` are the app's own beside ``server`` and ``client``.
    """
    result = argparse.ArgumentParser(
        prog=f"python -m apps.{app}", description=about, allow_abbrev=False
    )
    result.add_argument(
        "command",
        nargs="?",
        choices=("server", "client", *commands),
        help="default: the server, and a client in the same process",
    )
    result.add_argument("url", nargs="?", help="client: the server's ws:// or wss:// address")
    result.add_argument("--host", default="localhost", help="address to listen on (%(default)s)")
    result.add_argument(
        "--port", type=port_number, help=f"TCP port; 0 picks a free one (PORT, {port})"
    )
    result.add_argument(
        "--tls-cert", metavar="FILE", help="certificate in PEM; a client trusts it too"
    )
    result.add_argument("--tls-key", metavar="FILE", help="private key in PEM, for --tls-cert")
    result.add_argument("--token", help="secret that every client must present")
    result.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin allowed beside the server's own; repeatable",
    )
    result.add_argument("--log-level", choices=LOG_LEVELS, help="show the library's log")
    result.add_argument("--debug", action="store_true", default=None, help="log everything (DEBUG)")
    result.set_defaults(default_port=port)
    return result


def read(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the options (from ``sys.argv`` if `argv` is None) and set up logging and output.

    Exits with status 2 on wrong usage.
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
        parser.error("an address is allowed with the command client only")
    if options.command != "client" and bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    if options.token is not None and not re.fullmatch(r"[A-Za-z0-9._~-]+", options.token):
        # These need no escaping, so a token is spelled the same in a URL and in a header.
        parser.error("--token: letters, digits and . _ ~ - only")
    _set_up_output(options.log_level)
    return options


def hide_secrets(text: str) -> str:
    """Mask possible secrets in a log line, a URL or a head: query values and credentials."""
    text = re.sub(r"(?i)(authorization: *)[^\r\n'\"]+", r"\1***", text)
    return re.sub(r"([?&][\w.~-]+=)[^\s&'\"]+", r"\1***", text)


class _HidingFormatter(logging.Formatter):
    """Formatter that masks secrets in log records and their tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record))


def _environment(parser: argparse.ArgumentParser) -> Mapping[str, str]:
    """Return the environment, merged over the ``.env`` file of the working directory."""
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
    """Flush standard output after each line; show the log only if a level is given."""
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
