"""Sockets of a threaded client: lookup with a time limit, a race of the addresses, Unix sockets.

RFC 8305 (Happy Eyeballs). The schedule is in :mod:`ws6455.client.addresses`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from ..client.addresses import Addresses, AddressInfo, Attempts, is_literal
from ..client.deadline import Deadline

__all__ = ["look_up", "open_tcp", "open_unix"]

# Lookups at a time. One whose caller has given up goes on in its thread until the resolver does.
_MAX_LOOKUPS = 32

_lookups = threading.BoundedSemaphore(_MAX_LOOKUPS)
# See ws6455.aio.sockets.
_RETRY_DELAY = 0.01
# Results of connect_ex() for a connection that is made, or being made.
_BEGUN = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


def look_up(host: str | None, port: int, deadline: Deadline, **options: int) -> Addresses:
    """Call :func:`socket.getaddrinfo`, which takes no timeout, before a deadline.

    See :func:`ws6455.aio.sockets.look_up`. If there is a time limit and `host` is a name, the
    call runs in a daemon thread; at most 32 do at a time.
    """
    deadline.step = f"resolving {host}"
    search = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, **options)
    left = deadline.left()
    if left is None or is_literal(host):
        return search()
    found: Future[Addresses] = Future()

    def run() -> None:
        try:
            found.set_result(search())
        except BaseException as exc:
            found.set_exception(exc)
        finally:
            _lookups.release()

    if not _lookups.acquire(timeout=left):
        raise deadline.error()
    try:
        threading.Thread(target=run, name="ws6455-getaddrinfo", daemon=True).start()
    except RuntimeError:  # there are too many threads
        _lookups.release()
        raise
    return found.result(deadline.left())


def open_tcp(
    host: str | None,
    port: int,
    deadline: Deadline,
    *,
    timeout: float | None = None,
    source_address: tuple[str, int] | None = None,
    family: int = 0,
    proto: int = 0,
    flags: int = 0,
    **policy: Any,
) -> socket.socket:
    """Call :func:`ws6455.aio.sockets.open_tcp` without asyncio, before a deadline.

    `timeout` is the number of seconds for connecting, once the addresses are known, and
    `source_address` the local address; both are options of :func:`socket.create_connection`.
    """
    infos = look_up(host, port, deadline, family=family, proto=proto, flags=flags)
    attempts = Attempts(host, port, infos, deadline, **policy)
    end = float("inf") if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                for info in attempts.due():
                    with attempts.noting_failure(info):
                        selector.register(_start(info, source_address), selectors.EVENT_WRITE, info)
                limits = (attempts.seconds_left(), deadline.left(), end - time.monotonic())
                wait = min(seconds for seconds in limits if seconds is not None)
                if wait < 0:
                    text = f"cannot connect to {attempts} within {timeout:g} s"
                    raise TimeoutError(errno.ETIMEDOUT, text)
                for key, _ in selector.select(None if wait == float("inf") else wait):
                    selector.unregister(key.fileobj)
                    with attempts.noting_failure(key.data):
                        return _finish(_socket_of(key))
        finally:
            for key in list(selector.get_map().values()):
                _socket_of(key).close()


def open_unix(path: str | os.PathLike[str], deadline: Deadline) -> socket.socket:
    """Connect to a Unix socket before a deadline; see :func:`ws6455.aio.sockets.open_unix`."""
    deadline.step = f"connecting to {os.fspath(path)}"
    sock = socket.socket(socket.AF_UNIX)
    with _closed_on_failure(sock):
        while True:
            sock.settimeout(deadline.left())
            with contextlib.suppress(BlockingIOError):
                sock.connect(os.fspath(path))
                return sock
            time.sleep(_RETRY_DELAY)


def _start(info: AddressInfo, source_address: Any) -> socket.socket:
    """Return a socket that is being connected to an address.

    Raises:
        OSError: if it cannot be.
    """
    sock = socket.socket(*info[:3])
    with _closed_on_failure(sock):
        sock.settimeout(0)
        if source_address is not None:
            sock.bind(source_address)
        error = sock.connect_ex(info[4])
        if error not in _BEGUN:
            raise OSError(error, os.strerror(error))
    return sock


def _finish(sock: socket.socket) -> socket.socket:
    """Return a socket whose connection has been made; close it if it has failed.

    Raises:
        OSError: if it has failed.
    """
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        sock.close()
        raise OSError(error, os.strerror(error))
    return sock


def _socket_of(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


@contextlib.contextmanager
def _closed_on_failure(sock: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        sock.close()
        raise
