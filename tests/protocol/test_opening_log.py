"""ws6455.protocol.opening: heads in the log show no credentials."""

import logging

import pytest

from tests.protocol.heads import request_with
from ws6455 import Headers, Request, parse_uri
from ws6455.http1.headers import SECRET_HEADERS
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.server import ServerProtocol

SECRET = "c2VjcmV0"


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
def test_a_received_head_hides_every_secret_header(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ws6455.server")
    ServerProtocol().receive_data(request_with((name.title(), f"Basic {SECRET}")))
    assert f"< {name.title()}: [hidden]" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
def test_a_sent_head_hides_every_secret_header(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="ws6455.client")
    client = ClientProtocol(parse_uri("ws://localhost/"))
    client.send_request(Request("/", Headers([("Host", "localhost"), (name, SECRET)])))
    assert f"> {name}: [hidden]" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET.encode() in b"".join(client.data_to_send())


def test_what_proxies_and_servers_are_told_in_secret_is_among_them() -> None:
    assert {"authorization", "proxy-authorization", "cookie", "set-cookie"} <= SECRET_HEADERS
