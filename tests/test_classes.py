"""Connections are composed: few classes deep, and of parts that can be made by themselves."""

import pytest

import ws6455
import ws6455.sync.client
import ws6455.sync.server

CONNECTIONS = (
    ws6455.ClientConnection,
    ws6455.ServerConnection,
    ws6455.sync.client.ClientConnection,
    ws6455.sync.server.ServerConnection,
)
MAX_DEPTH = 5


def depth(cls: type) -> int:
    """Return the number of classes of the library in the order of method resolution."""
    return sum(base.__module__.startswith("ws6455.") for base in cls.__mro__)


@pytest.mark.parametrize("cls", CONNECTIONS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_connection_is_few_classes_deep(cls: type) -> None:
    assert 1 < depth(cls) <= MAX_DEPTH


def test_a_deeper_class_is_found() -> None:
    class Planted(ws6455.ServerConnection):
        pass

    Planted.__module__ = "ws6455.planted"
    assert depth(Planted) > MAX_DEPTH
