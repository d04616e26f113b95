"""ws6455.cli.failure: exceptions as one line for the user, and an exit status."""

import errno
import os
import socket
import ssl

import pytest

from ws6455.cli.failure import Failure, explain_failures, system_reason
from ws6455.exceptions import (
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
)
from ws6455.http1.head import Response
from ws6455.http1.headers import Headers

URI = "ws://user:secret@host.example/path"
SHOWN = "ws://host.example/path"
REFUSED = os.strerror(errno.ECONNREFUSED).lower()


def refusal(status: int, reason: str, **headers: str) -> InvalidStatus:
    return InvalidStatus(Response(status, reason, Headers(headers)))


def untrusted() -> ssl.SSLCertVerificationError:
    exc = ssl.SSLCertVerificationError(1, "verify failed")
    exc.verify_message = "self-signed certificate"
    return exc


def tls_failure() -> ssl.SSLError:
    exc = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    exc.reason = "WRONG_VERSION_NUMBER"
    return exc


@pytest.mark.parametrize(
    ("exc", "text", "status"),
    [
        (refusal(403, "Forbidden"), f"{SHOWN} refused: 403 Forbidden", 1),
        (
            refusal(302, "Found", Location="/there"),
            f"{SHOWN} refused: 302 Found, to /there",
            1,
        ),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "whatever"),
            f"cannot reach {SHOWN}: {REFUSED}",
            1,
        ),
        (TimeoutError("timed out"), f"cannot reach {SHOWN}: timed out", 1),
        (ProxyError("no way through"), f"cannot reach {SHOWN}: no way through", 1),
        (
            untrusted(),
            f"cannot reach {SHOWN}: its certificate is not trusted: self-signed certificate "
            "(use --insecure to connect anyway)",
            1,
        ),
        (tls_failure(), f"cannot reach {SHOWN}: TLS failed: wrong version number", 1),
        (InvalidProxy("x", "no scheme"), str(InvalidProxy("x", "no scheme")), 2),
        (ImportError("needs python-socks"), "needs python-socks", 2),
        (
            InvalidMessage("no HTTP"),
            f"{SHOWN} does not answer as a WebSocket server: no HTTP",
            1,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_exception_is_one_line(exc: Exception, text: str, status: int) -> None:
    with pytest.raises(Failure) as caught, explain_failures(URI):
        raise exc
    assert (str(caught.value), caught.value.status) == (text, status)
    assert caught.value.__cause__ is exc


def test_other_exceptions_are_no_failures() -> None:
    with pytest.raises(ZeroDivisionError), explain_failures(URI):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (OSError(f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 1)"), REFUSED),
        (
            # asyncio's, for a host with several addresses
            OSError(
                "Multiple exceptions: "
                f"[Errno {errno.ECONNREFUSED}] Connect call failed ('::1', 1, 0, 0), "
                f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 1)"
            ),
            REFUSED,
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "name or service not known",
        ),
        (OSError("lines\nand   spaces"), "lines and spaces"),
    ],
    ids=["one address", "several addresses", "no such name", "one line"],
)
def test_the_systems_reason(exc: Exception, expected: str) -> None:
    assert system_reason(exc) == expected
