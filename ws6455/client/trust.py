"""The default TLS context of clients, with the system's trusted certificates.

Loading the certificates takes some 35 ms. It is done once for the process, and connections share
the context.
"""

from __future__ import annotations

import os
import ssl
import threading

__all__ = ["default_context", "loaded_context"]

# Variables that ssl.create_default_context() reads.
_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")

_loading = threading.Lock()
# The context, and what it was made from.
_loaded: tuple[object, ssl.SSLContext | None] = (None, None)


def _source() -> object:
    """Return what determines the context: the environment, and functions that may be replaced."""
    variables = [os.environ.get(name) for name in _VARIABLES]
    return ssl.create_default_context, ssl.SSLContext, variables


def loaded_context() -> ssl.SSLContext | None:
    """Return the default context, or None if it must be loaded first."""
    source, context = _loaded
    return context if source == _source() else None


def default_context() -> ssl.SSLContext:
    """Return the default context of :func:`ssl.create_default_context`; do not change it.

    The first call loads the trusted certificates; calls meanwhile wait for it. They are loaded
    again only if ``SSL_CERT_FILE``, ``SSL_CERT_DIR`` or ``SSLKEYLOGFILE`` has another value, or
    a program has replaced :func:`ssl.create_default_context` or :class:`ssl.SSLContext`.
    """
    global _loaded
    context = loaded_context()
    if context is None:
        with _loading:
            context = loaded_context()
            if context is None:
                source = _source()
                context = ssl.create_default_context()
                _loaded = source, context
    return context
