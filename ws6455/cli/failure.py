"""Failures of a command: one line on standard error, and an exit status."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator

from ..exceptions import (
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
    hide_credentials,
)

__all__ = ["Failure", "explain_failures", "system_reason"]


class Failure(Exception):
    """A command cannot continue.

    Args:
        text: the reason, for the user.
        status: the exit status: 1, or 2 for wrong usage.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


@contextlib.contextmanager
def explain_failures(uri: str) -> Iterator[None]:
    """Convert the exceptions of :class:`ws6455.connect` to failures with a readable text.

    Args:
        uri: the URI of the server.

    Raises:
        Failure: in place of an exception of :class:`ws6455.connect`.
    """
    shown = hide_credentials(uri)
    try:
        yield
    except InvalidStatus as exc:
        response = exc.response
        location = response.headers.get("Location")
        to = "" if location is None else f", to {location}"
        raise Failure(
            f"{shown} refused: {response.status_code} {response.reason_phrase}{to}"
        ) from exc
    except (OSError, ProxyError, UnicodeError) as exc:  # UnicodeError: the name is too long
        raise Failure(f"cannot reach {shown}: {_reason(exc)}") from exc
    except (InvalidProxy, ImportError, ValueError) as exc:
        raise Failure(str(exc), status=2) from exc
    except WebSocketException as exc:
        raise Failure(f"{shown} does not answer as a WebSocket server: {exc}") from exc


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {exc.verify_message} "
            "(use --insecure to connect anyway)"
        )
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed: {(exc.reason or str(exc)).replace('_', ' ').lower()}"
    return system_reason(exc)


def system_reason(exc: Exception) -> str:
    """Return the system's description of an error, without error numbers and addresses."""
    # asyncio joins the errors of several addresses into one exception, which has no errno.
    numbers = set(re.findall(r"\[Errno (\d+)\]", str(exc)))
    if len(numbers) == 1:
        return os.strerror(int(numbers.pop())).lower()
    if isinstance(exc, socket.gaierror):
        return str(exc.strerror).lower()
    return " ".join(str(exc).split())
