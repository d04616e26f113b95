"""ws6455.server.registry: how a server's connections are made, and which are open."""

import email.utils
import gc
import logging
import time
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from ws6455.exceptions import InvalidMessage
from ws6455.protocol.server import ServerProtocol
from ws6455.protocol.states import State
from ws6455.server.registry import ConnectionMaker, Registry, http_date

OFFERING = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: a, b\r\n\r\n"
)


class Connection:
    """The part of a connection that its maker and the registry use."""

    trusted_proxies: Sequence[Any] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        *self.first, self.protocol, self.server = args
        self.options = options


def maker(
    select_subprotocol: Any = None,
    trusted_proxies: Sequence[str] = (),
    protocol_class: type[ServerProtocol] = ServerProtocol,
    proxy_protocol: bool = False,
    **protocol_options: Any,
) -> ConnectionMaker[Any]:
    return ConnectionMaker(
        Connection,
        select_subprotocol,
        trusted_proxies,
        protocol_options,
        {"close_timeout": 5},
        protocol_class,
        proxy_protocol,
    )


def subprotocol_of(protocol: ServerProtocol) -> str | None:
    """Return the subprotocol that the response to `OFFERING` has."""
    protocol.receive_data(OFFERING)
    assert protocol.request is not None
    response = protocol.accept(protocol.request)
    return response.headers.get("Sec-WebSocket-Protocol")


def test_a_connection_gets_the_arguments_a_protocol_and_the_server() -> None:
    server = object()
    connection = maker(max_size=7).make(server, "socket", "more")
    assert connection.first == ["socket", "more"]
    assert connection.server is server
    assert connection.options == {"close_timeout": 5}
    assert connection.protocol.state is State.CONNECTING


def test_each_connection_has_a_protocol_of_its_own_of_the_given_class() -> None:
    class Mine(ServerProtocol):
        pass

    making = maker(protocol_class=Mine)
    one, other = making.make(None), making.make(None)
    assert type(one.protocol) is type(other.protocol) is Mine
    assert one.protocol is not other.protocol


def test_the_callback_for_the_subprotocol_gets_the_connection() -> None:
    asked: list[tuple[Any, Sequence[str]]] = []

    def select(connection: Any, offered: Sequence[str]) -> str:
        asked.append((connection, list(offered)))
        return offered[-1]

    making = maker(select)
    connections = [making.make(None) for _ in range(2)]
    for connection in connections:
        assert subprotocol_of(connection.protocol) == "b"
    assert asked == [(connection, ["a", "b"]) for connection in connections]


def test_without_a_callback_the_protocol_selects() -> None:
    connection = maker(subprotocols=["a"]).make(None)
    assert subprotocol_of(connection.protocol) == "a"


def test_the_callback_does_not_keep_the_connection_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        connection = maker(lambda *_: None).make(None)
        reference = weakref.ref(connection)
        del connection
        assert reference() is None
    finally:
        gc.enable()


def test_trusted_proxies_are_parsed_once_for_all_connections() -> None:
    making = maker(trusted_proxies=["10.0.0.0/8"])
    one, other = making.make(None), making.make(None)
    assert [str(network) for network in one.trusted_proxies] == ["10.0.0.0/8"]
    assert one.trusted_proxies is other.trusted_proxies
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/64"):
        maker(trusted_proxies=["10.0.0.0/64"])


def test_the_registry_shows_the_connections_that_are_open() -> None:
    registry: Registry[Any] = Registry(logging.getLogger("ws6455.test"))
    states = (State.CONNECTING, State.OPEN, State.CLOSING, State.CLOSED)
    connections = [Connection(ServerProtocol(state=state), None) for state in states]
    registry._all.update(connections)
    assert registry.connections == {connections[1]}
    registry.connections.clear()  # a copy
    assert registry.connections == {connections[1]}
    registry.forget(connections[1])
    registry.forget(connections[1])  # forgotten already
    assert registry.connections == set()
    assert len(registry._all) == 3


def test_the_date_is_that_of_http(monkeypatch: pytest.MonkeyPatch) -> None:
    for second, expected in (
        (784111777.9, "Sun, 06 Nov 1994 08:49:37 GMT"),  # the example of RFC 9110 §5.6.7
        (784111778.0, "Sun, 06 Nov 1994 08:49:38 GMT"),
    ):
        monkeypatch.setattr(time, "time", lambda second=second: second)
        assert http_date() == expected
    monkeypatch.undo()
    now = email.utils.parsedate_to_datetime(http_date()).timestamp()
    assert abs(now - time.time()) < 5


@pytest.mark.parametrize(
    ("remote_address", "expected"),
    [
        (("10.1.2.3", 80), True),
        (("::ffff:10.1.2.3", 80, 0, 0), True),
        (("11.1.2.3", 80), False),
        ("", True),  # a Unix socket counts as 127.0.0.1
        (None, False),  # the peer has gone
    ],
)
def test_d23_only_trusted_proxies_send_a_header(remote_address: Any, expected: bool) -> None:
    making = maker(trusted_proxies=["10.0.0.0/8", "127.0.0.1"], proxy_protocol=True)
    assert making.proxy_protocol
    assert making.expects_proxy_header(remote_address) is expected


def test_d23_without_trusted_proxies_nobody_could_send_a_header() -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        maker(proxy_protocol=True)
    assert not maker().proxy_protocol


@pytest.mark.parametrize(
    ("exc", "level"),
    [
        (InvalidMessage("not a PROXY header"), logging.INFO),
        (ConnectionResetError("gone"), logging.DEBUG),
        (LookupError("a bug"), logging.ERROR),
    ],
)
def test_an_early_end_is_logged_once(
    exc: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry: Registry[Any] = Registry(logging.getLogger("ws6455.server"))
    registry._log_early_end(exc)
    assert [record.levelno for record in caplog.records] == [level]
