"""The command ``serve``: a server that echoes, broadcasts or calls a handler."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import importlib
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ..aio.broadcast import broadcast
from ..aio.server import Server, unix_serve
from ..aio.server import serve as open_server
from ..aio.server_connection import ServerConnection
from .console import printer, tracing
from .failure import Failure, system_reason
from .opening import CLOSE_TIMEOUT
from .tap import traced_server

__all__ = ["new_uvloop", "serve"]


def new_uvloop() -> asyncio.AbstractEventLoop:
    """Create an event loop of uvloop.

    Raises:
        Failure: if uvloop is not installed.
    """
    try:
        import uvloop
    except ImportError as exc:
        raise Failure("--uvloop requires uvloop: pip install 'ws6455[speed]'", status=2) from exc
    return uvloop.new_event_loop()


async def serve(options: argparse.Namespace) -> int:
    """Run the command until a signal; then close every connection with code 1001.

    Args:
        options: those of :func:`~.arguments.parse`.

    Raises:
        Failure: if the server cannot listen, or the handler does not exist.
    """
    arguments: dict[str, Any] = {
        "origins": options.origin,
        "subprotocols": options.subprotocol,
        "max_size": options.max_size or None,
        "compression": None if options.no_compression else "deflate",
        "close_timeout": CLOSE_TIMEOUT,
        "ssl": _tls(options),
    }
    with tracing(printer(sys.stderr)) as show:
        if options.trace:
            arguments["create_connection"] = traced_server(show)
        await _serve(options, arguments)
    return 0


async def _serve(options: argparse.Namespace, arguments: dict[str, Any]) -> None:
    """Listen, and print the addresses, until cancelled."""
    host = "localhost" if options.host is None else options.host
    port = 8765 if options.port is None else options.port
    handler = _handler(options)
    try:
        if options.unix is None:
            starting = open_server(handler, host, port, **arguments)
        else:
            starting = unix_serve(handler, options.unix, **arguments)
        server = await starting
    except ValueError as exc:
        raise Failure(str(exc), status=2) from exc
    except OSError as exc:
        where = options.unix or f"{host} port {port}"
        raise Failure(f"cannot listen on {where}: {system_reason(exc)}") from exc
    try:
        for address in _addresses(server, options):
            print(f"listening on {address}", flush=True)
        await server.serve_forever()
    finally:
        if options.unix is not None:
            with contextlib.suppress(OSError):
                os.unlink(options.unix)  # before Python 3.13, asyncio does not remove it


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def _broadcast(connection: ServerConnection) -> None:
    assert connection.server is not None
    async for message in connection:
        broadcast(connection.server.connections, message, slow="disconnect")


def _handler(options: argparse.Namespace) -> Callable[..., Awaitable[Any]]:
    if options.app is None:
        return _broadcast if options.broadcast else _echo
    module_name, _, path = options.app.partition(":")
    if not path or module_name[:1] in ("", "."):
        raise Failure(f"{options.app!r} is not of the form MODULE:HANDLER", status=2)
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{module_name}.".startswith(f"{exc.name}."):
            raise  # the module exists, but one of its imports does not
        raise Failure(f"there is no module {exc.name}", status=2) from exc
    try:
        handler = functools.reduce(getattr, path.split("."), module)
    except AttributeError as exc:
        raise Failure(f"there is no {path} in the module {module_name}", status=2) from exc
    if not callable(handler):
        raise Failure(f"{options.app} is not callable", status=2)
    return handler


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except OSError as exc:
        files = " and ".join(filter(None, (options.certificate, options.key)))
        is_invalid = isinstance(exc, ssl.SSLError)
        reason = "not a certificate and its key, in PEM" if is_invalid else system_reason(exc)
        raise Failure(f"cannot use {files}: {reason}", status=2) from exc
    return context


def _addresses(server: Server, options: argparse.Namespace) -> list[str]:
    scheme = "ws" if options.certificate is None else "wss"
    if options.unix is not None:
        return [f"the Unix socket {options.unix} ({scheme})"]
    return [
        f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        for host, port in (listener.getsockname()[:2] for listener in server.sockets)
    ]
