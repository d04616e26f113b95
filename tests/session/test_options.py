"""The options of connect and serve, sorted by what takes them."""

import logging
from typing import Any

import pytest

from ws6455 import ClientProtocol, ServerProtocol
from ws6455.http1.uri import parse_uri
from ws6455.session.options import (
    client_options,
    default_uri,
    server_options,
    session_options,
)


def test_the_protocols_take_them() -> None:
    client = client_options("http://o", None, "deflate", ["a"], 1, 2, None)
    protocol = ClientProtocol(parse_uri("ws://here/"), **client)
    assert protocol.connect().headers["Sec-WebSocket-Protocol"] == "a"
    assert protocol.logger.name == "ws6455.client"
    logger = logging.getLogger("mine")
    server = server_options(None, None, None, None, 1, 2, logger)
    assert ServerProtocol(**server).logger.name == "mine"


@pytest.mark.parametrize("options", [client_options, server_options])
def test_subprotocols_are_checked(options: Any) -> None:
    with pytest.raises(TypeError):
        options(None, None, None, "not a list", None, None, None)


def test_the_queues_limit_is_checked_before_there_is_a_connection() -> None:
    assert session_options(1, 2, 3, (4, 1)) == {
        "ping_interval": 1,
        "ping_timeout": 2,
        "close_timeout": 3,
        "max_queue": (4, 1),
    }
    with pytest.raises(ValueError, match="water marks"):
        session_options(1, 2, 3, (1, 4))


@pytest.mark.parametrize(
    ("uri", "ssl", "expected"),
    [
        (None, None, "ws://localhost/"),
        (None, True, "wss://localhost/"),
        ("ws://here/", None, "ws://here/"),
    ],
)
def test_a_unix_socket_has_a_uri_of_its_own(uri: str | None, ssl: object, expected: str) -> None:
    assert default_uri(uri, ssl) == expected
