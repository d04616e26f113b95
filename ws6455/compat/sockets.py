"""The name of a listening socket, for log lines."""

from __future__ import annotations

import socket

__all__ = ["get_socket_name"]


def get_socket_name(sock: socket.socket) -> str:
    """Return the address of a socket as a log line shows it; the path of a Unix socket."""
    name = sock.getsockname()
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
