"""The client's address where proxies stand in front of the server."""

from pathlib import Path

import pytest

from tests.conftest import uri_of
from ws6455 import ServerConnection, connect, serve, unix_connect, unix_serve

FORWARDED = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7"}


async def tell_address(connection: ServerConnection) -> None:
    await connection.send(connection.client_address)


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ([], "127.0.0.1"),
        (["10.0.0.0/8"], "127.0.0.1"),
        (["127.0.0.0/8"], "198.51.100.7"),
        (["127.0.0.1", "198.51.100.0/24"], "6.6.6.6"),
    ],
)
async def test_a26_only_trusted_proxies_tell_the_clients_address(
    trusted: list[str], expected: str
) -> None:
    async with (
        serve(tell_address, "127.0.0.1", 0, trusted_proxies=trusted) as server,
        connect(
            uri_of(server).replace("localhost", "127.0.0.1"), additional_headers=FORWARDED
        ) as client,
    ):
        assert await client.recv() == expected


@pytest.mark.parametrize(
    ("trusted", "expected"), [([], "127.0.0.1"), (["127.0.0.1"], "198.51.100.7")]
)
async def test_the_peer_of_a_unix_socket_counts_as_loopback(
    tmp_path: Path, trusted: list[str], expected: str
) -> None:
    path = tmp_path / "socket"
    async with (
        unix_serve(tell_address, path, trusted_proxies=trusted),
        unix_connect(path, additional_headers=FORWARDED) as client,
    ):
        assert await client.recv() == expected


def test_what_is_no_network_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 network"):
        serve(tell_address, "127.0.0.1", 0, trusted_proxies=["proxy.example"])
