"""A wrong argument is an error at the call, which names it."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import ws6455
import ws6455.sync.client
import ws6455.sync.server


async def async_handler(connection: Any) -> None:
    await connection.wait_closed()


def sync_handler(connection: Any) -> None:
    connection.wait_closed()


def make_async_server(**options: Any) -> Any:
    return ws6455.serve(options.pop("handler", async_handler), "127.0.0.1", 0, **options)


def make_sync_server(**options: Any) -> Any:
    handler = options.pop("handler", sync_handler)
    server = ws6455.sync.server.serve(handler, "127.0.0.1", 0, **options)
    server.shutdown()
    return server


def make_async_client(**options: Any) -> Any:
    return ws6455.connect("ws://127.0.0.1:9/", **options)


def make_sync_client(**options: Any) -> Any:
    return ws6455.sync.client.connect("ws://127.0.0.1:9/", **options)


SERVERS = [make_async_server, make_sync_server]
CLIENTS = [make_async_client, make_sync_client]

COMMON: list[tuple[str, Any]] = [
    ("max_size", -1),
    ("max_size", "1 MiB"),
    ("max_size", 1.5),
    ("max_size", (1, -1)),
    ("max_size", True),
    ("max_fragments", 0),
    ("max_fragments", "4"),
    ("max_queue", -1),
    ("max_queue", "16"),
    ("max_queue", (1, 2)),
    ("max_queue", 1.5),
    ("ping_interval", 0),
    ("ping_interval", -1),
    ("ping_interval", "20"),
    ("ping_interval", float("nan")),
    ("ping_interval", False),
    ("ping_timeout", 0),
    ("ping_timeout", "20"),
    ("close_timeout", -0.1),
    ("close_timeout", "10"),
    ("open_timeout", -1),
    ("open_timeout", "10"),
    ("subprotocols", "chat"),
    ("subprotocols", [1]),
    ("compression", "gzip"),
]
SERVER_ONLY: list[tuple[str, Any]] = [
    ("origins", "http://x"),
    ("origins", b"http://x"),
    ("trusted_proxies", "10.0.0.0/8"),
    ("trusted_proxies", ["10.0.0.0/33"]),
    ("handler", None),
    ("handler", "handler"),
    ("process_request", "no function"),
    ("process_response", 1),
    ("select_subprotocol", "chat"),
    ("select_subprotocol", async_handler),
]


@pytest.mark.parametrize(("option", "value"), COMMON + SERVER_ONLY)
@pytest.mark.parametrize("make", SERVERS)
def test_d40_a_servers_wrong_argument_is_named(
    make: Callable[..., Any], option: str, value: object
) -> None:
    if option == "trusted_proxies" and isinstance(value, list):
        option = "10.0.0.0/33"  # the wrong one of the list
    with pytest.raises((TypeError, ValueError), match=option.removesuffix("s")):
        make(**{"trusted_proxies" if "/" in option else option: value})


@pytest.mark.parametrize(("option", "value"), COMMON)
@pytest.mark.parametrize("make", CLIENTS)
def test_d40_a_clients_wrong_argument_is_named(
    make: Callable[..., Any], option: str, value: object
) -> None:
    with pytest.raises((TypeError, ValueError), match=option.removesuffix("s")):
        make(**{option: value})


@pytest.mark.parametrize("value", [-1, "32768", (1, 2), True])
@pytest.mark.parametrize("make", [make_async_server, make_async_client])
def test_d40_a_wrong_write_limit_is_named(make: Callable[..., Any], value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="write_limit"):
        make(write_limit=value)


def generator_handler(connection: Any) -> Iterator[None]:
    yield


async def async_generator_handler(connection: Any) -> AsyncIterator[None]:
    yield


class Callbacks:
    def method(self, connection: Any) -> None: ...

    async def async_method(self, connection: Any) -> None: ...


class CallableObject:
    async def __call__(self, connection: Any) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        sync_handler,
        Callbacks().method,
        functools.partial(sync_handler),
        generator_handler,
        async_generator_handler,
    ],
)
def test_d40_a_handler_of_asyncio_is_a_coroutine_function(handler: Any) -> None:
    with pytest.raises(TypeError, match="handler"):
        ws6455.serve(handler, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "handler",
    [
        async_handler,
        Callbacks().async_method,
        functools.partial(async_handler),
        CallableObject(),
        lambda connection: async_handler(connection),
        functools.wraps(async_handler)(lambda *arguments: async_handler(*arguments)),
    ],
)
def test_d40_whatever_gives_an_awaitable_is_a_handler(handler: Any) -> None:
    ws6455.serve(handler, "127.0.0.1", 0)


@pytest.mark.parametrize("option", ["handler", "process_request", "process_response"])
@pytest.mark.parametrize("function", [async_handler, CallableObject(), async_generator_handler])
def test_d40_threads_take_plain_functions_only(option: str, function: Any) -> None:
    with pytest.raises(TypeError, match=option):
        make_sync_server(**{option: function})


@pytest.mark.parametrize("make", SERVERS)
def test_d40_none_and_zero_where_they_mean_something(make: Callable[..., Any]) -> None:
    make(
        ping_interval=None, ping_timeout=None, close_timeout=0, max_size=None, max_queue=None,
        max_fragments=None, origins=None, open_timeout=None,
    )  # fmt: skip
    make(origins=[None, "http://x"], trusted_proxies=["10.0.0.0/8"], max_size=(1, None))
