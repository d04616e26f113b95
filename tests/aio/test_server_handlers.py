"""Handlers: what may be one, and what its end does."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.aio.conftest import raw_client, until
from tests.conftest import uri_of
from ws6455 import ConnectionClosed, ServerConnection, connect, serve


async def send_path(connection: ServerConnection, path: str) -> None:
    await connection.send(f"path {path}")


async def send_default(connection: ServerConnection, greeting: str = "default") -> None:
    await connection.send(greeting)


class Handlers:
    async def one(self, connection: ServerConnection) -> None:
        await connection.send("method")

    async def two(self, connection: ServerConnection, path: str) -> None:
        await connection.send(f"method {path}")

    async def __call__(self, connection: ServerConnection) -> None:
        await connection.send("called")


async def any_arguments(*args: Any) -> None:
    await args[0].send(str(len(args)))


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (send_path, "path /p?q=1"),
        (send_default, "default"),
        (functools.partial(send_default, greeting="partial"), "partial"),
        (functools.partial(send_path, path="/bound"), "path /bound"),
        (Handlers().one, "method"),
        (Handlers().two, "method /p?q=1"),
        (Handlers(), "called"),
        (lambda connection: connection.send("lambda"), "lambda"),
        (lambda connection, path: connection.send(f"lambda {path}"), "lambda /p?q=1"),
        (any_arguments, "1"),
    ],
)
async def test_a01_handlers_of_every_kind(
    handler: Callable[..., Awaitable[None]], message: str
) -> None:
    async with (
        serve(handler, "localhost", 0) as server,
        connect(uri_of(server) + "p?q=1") as client,
    ):
        assert [received async for received in client] == [message]
        assert client.close_code == 1000


@pytest.mark.parametrize("handler", [lambda: None, lambda a, b, c: None, lambda *, a: None, None])
async def test_handlers_that_cannot_be_called_are_refused(handler: Any) -> None:
    with pytest.raises(TypeError):
        await serve(handler, "localhost", 0)


async def test_a_handlers_own_exception_is_logged_once_and_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(connection: ServerConnection) -> None:
        raise LookupError("mine")

    async with serve(handler, "localhost", 0) as server, connect(uri_of(server)) as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1011
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


async def test_a13_a_peer_that_vanishes_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def receive(connection: ServerConnection) -> None:
        await connection.recv()

    async def receive_and_send(connection: ServerConnection) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(receive(connection))
            await connection.wait_closed()
            await connection.send("x")

    caplog.set_level(logging.INFO)
    for handler in (receive, receive_and_send):
        caplog.clear()
        async with serve(handler, "localhost", 0) as server, raw_client(server) as peer:
            peer.reset()
            await until(lambda: "connection closed" in caplog.messages)
        assert not [record for record in caplog.records if record.exc_info]
        assert {record.levelno for record in caplog.records} == {logging.INFO}


async def test_another_connections_end_is_an_error_of_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(lambda connection: connection.close(), "localhost", 0) as upstream:

        async def relay(_: ServerConnection) -> None:
            async with connect(uri_of(upstream)) as client:
                await client.recv()

        async with serve(relay, "localhost", 0) as server, connect(uri_of(server)) as client:
            await client.wait_closed()
            assert client.close_code == 1011
    assert "connection handler failed" in caplog.messages
