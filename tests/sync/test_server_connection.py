"""Tests of a threaded server's connection; its opening handshake is in tests.contract."""

from tests.sync.conftest import serving, uri_of
from ws6455.sync.client import connect
from ws6455.sync.server import ServerConnection


def test_the_clients_address_is_believed_of_trusted_proxies_alone() -> None:
    seen = []

    def handler(connection: ServerConnection) -> None:
        seen.append(connection.client_address)

    for trusted in ((), ("127.0.0.0/8",)):
        with serving(handler, trusted_proxies=trusted) as server:
            headers = {"X-Forwarded-For": "192.0.2.1"}
            with connect(uri_of(server), additional_headers=headers) as client:
                client.wait_closed(5)
    assert seen == ["127.0.0.1", "192.0.2.1"]
