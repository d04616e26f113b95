"""Access control and plain HTTP responses on an app's port.

An opening handshake is accepted on every path if it carries the token (when the server has
one) and its origin is allowed. A browser cannot set headers on a WebSocket, so the token is
read from ``Authorization: Bearer TOKEN`` or from ``?token=TOKEN`` in the URL.

A plain GET request, which needs the token too, is answered with:

- ``/``: the app's page, with headers that allow only the page's own scripts and styles;
- ``/status``: ``{"clients": N}``, the number of open WebSockets. Every page shows it, and
  measures the round trip with it, without an extra message in the app's protocol;
- any other path: 404.
"""

import argparse
import base64
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs

import ws6455


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on `host` is reachable from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Admission:
    """Access rules of an app's server; pass `process_request` to ``serve``.

    `clients` returns the number of open WebSockets; `page` is the app's page in UTF-8.
    """

    def __init__(
        self, options: argparse.Namespace, page: bytes | None, clients: Callable[[], int]
    ) -> None:
        self.token: str | None = options.token
        self.origins: list[str] = options.origin
        self.on_loopback = is_loopback(options.host)
        self.page = page
        self.clients = clients

    def process_request(
        self, connection: ws6455.ServerConnection, request: ws6455.Request
    ) -> ws6455.Response | None:
        """Return the response to `request`, or None to continue the opening handshake."""
        path, _, query = request.path.partition("?")
        if self.token is not None and not self._has_token(request.headers, query):
            response = connection.respond(401, "The token is missing or wrong.\n")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        if request.headers.get_all("Upgrade"):
            if not self._allows_origin(request.headers):
                return connection.respond(403, "This page's origin may not connect.\n")
            return None
        if request.method != "GET":
            return None  # the library answers with the right status
        if path == "/" and self.page is not None:
            return self._page_response(connection, self.page)
        if path == "/status":
            response = connection.respond(200, json.dumps({"clients": self.clients()}) + "\n")
            _set(response.headers, "Content-Type", "application/json")
            _set(response.headers, "Cache-Control", "no-store")
            return response
        return connection.respond(404, "There is nothing here.\n")

    def _has_token(self, headers: ws6455.Headers, query: str) -> bool:
        """Return whether the request carries the token; compares in constant time."""
        given = [
            value.removeprefix("Bearer ").strip()
            for value in headers.get_all("Authorization")
            if value.startswith("Bearer ")
        ]
        given += parse_qs(query).get("token", [])
        expected = (self.token or "").encode()
        found = [hmac.compare_digest(one.encode(errors="replace"), expected) for one in given]
        return any(found)

    def _allows_origin(self, headers: ws6455.Headers) -> bool:
        """Return whether every Origin of the request is allowed; only browsers send one."""
        same_host = {
            f"{scheme}://{host.lower()}"
            for scheme in ("http", "https")
            for host in headers.get_all("Host")
        }
        for origin in headers.get_all("Origin"):
            if origin == "null" and self.on_loopback:
                continue
            if origin.lower() not in same_host and origin not in self.origins:
                return False
        return True

    @staticmethod
    def _page_response(connection: ws6455.ServerConnection, page: bytes) -> ws6455.Response:
        response = connection.respond(200, page.decode())
        _set(response.headers, "Content-Type", "text/html; charset=utf-8")
        _set(response.headers, "Content-Security-Policy", content_security_policy(page))
        _set(response.headers, "Cache-Control", "no-store")
        # The page's URL may hold the token.
        _set(response.headers, "Referrer-Policy", "no-referrer")
        _set(response.headers, "X-Content-Type-Options", "nosniff")
        return response


def content_security_policy(page: bytes) -> str:
    """Return a Content-Security-Policy that allows only the scripts and styles of `page`.

    The page may connect to its own host only. Inline scripts and styles are listed by their
    hash (CSP Level 3 §2.3.1), so a script injected through a user's text does not run.
    """
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(rb"<style>(.*?)</style>", page, re.DOTALL)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash_sources(scripts)}",
            f"style-src {_hash_sources(styles)}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _hash_sources(blocks: list[bytes]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(block).digest()).decode() for block in blocks]
    return " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"


def _set(headers: ws6455.Headers, name: str, value: str) -> None:
    """Replace the header `name`; plain assignment would add a second one."""
    if name in headers:
        del headers[name]
    headers[name] = value
