"""Tests of the Redis URL: its options, and its secrets, which are never shown."""

import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest

from tests.hub.conftest import Received, RedisServer, opened, until, within
from ws6455.hub import BrokerUnavailable, RedisBroker

Log = Callable[[int], list[str]]
SECRET = "correct horse/battery#staple"
QUOTED = "correct%20horse%2Fbattery%23staple"


async def exchange(url: str) -> None:
    async with opened(url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        await broker.publish("c", "zo\u00eb")
        assert await received.next() == "zo\u00eb"


@pytest.mark.parametrize(
    "options",
    [
        "",
        "/5",
        "?decode_responses=true&encoding=ascii",
        "?protocol=3",
        "?health_check_interval=1&retry_on_timeout=true",
        "?max_connections=7&timeout=3",
        "?socket_keepalive=no&client_name=me",
    ],
)
async def test_a_broker_works_with_any_options_of_the_url(redis: RedisServer, options: str) -> None:
    await exchange(redis.url + options)


async def test_a_broker_works_by_a_unix_socket(redis: RedisServer) -> None:
    await exchange(f"unix://{redis.socket}")


async def test_a_broker_logs_in(stopped_redis: RedisServer) -> None:
    stopped_redis.start("--requirepass", SECRET)
    await exchange(f"redis://:{QUOTED}@127.0.0.1:{stopped_redis.port}")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--requirepass", "another"], "invalid username-password pair"),
        # Redis quotes an unknown command with its arguments.
        (["--rename-command", "AUTH", ""], "unknown command"),
    ],
    ids=["wrong password", "no AUTH"],
)
async def test_a27_a_password_that_is_refused_is_not_told(
    stopped_redis: RedisServer,
    caplog: pytest.LogCaptureFixture,
    log: Log,
    options: list[str],
    reason: str,
) -> None:
    stopped_redis.start(*options)
    caplog.set_level(logging.DEBUG)
    url = f"redis://default:{QUOTED}@127.0.0.1:{stopped_redis.port}"
    async with RedisBroker(url) as broker:
        await until(lambda: len(log(logging.DEBUG)) >= 3)
        assert not broker.healthy
        with pytest.raises(BrokerUnavailable, match=reason) as raised:
            await broker.publish("c", 1)
    (refused,) = log(logging.WARNING)
    assert reason in refused
    shown = caplog.text + "".join(traceback.format_exception(raised.value)) + repr(broker)
    for part in (SECRET, QUOTED, "horse", "staple"):
        assert part not in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "localhost:6379",
        "redis://:quite/secret@localhost",
        "redis://user:1/2secret@localhost:port",
        "redis://localhost?socket_timeout=secret",
        "redis://user:1?2secret@localhost",
        "redis://user:1#2secret@localhost",
        "redis://localhost?nonsense=secret",
        "rediss://localhost?ssl_cert_reqs=secret",
        "",
    ],
)
def test_a_url_that_is_none_of_redis_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="Redis URL") as raised:
        RedisBroker(url)
    shown = "".join(traceback.format_exception(raised.value))
    message = shown[shown.index("ValueError: ") :]  # from the first one: the causes are included
    for part in ("quite", "secret", "1", "2"):
        assert part not in message


async def test_a_peer_that_is_no_redis_is_named(log: Log) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RedisBroker(f"redis://127.0.0.1:{port}") as broker:
            await until(lambda: bool(log(logging.DEBUG)))
            with pytest.raises(BrokerUnavailable, match=f"127.0.0.1:{port}"):
                await broker.publish("c", 1)
    (refused,) = log(logging.WARNING)
    assert f"Redis at 127.0.0.1:{port}: " in refused


def test_without_redis_py_only_its_broker_is_missing() -> None:
    program = """
import sys
sys.modules["redis"] = None  # as if it were not installed
import ws6455.hub
ws6455.hub.MemoryBroker()
try:
    ws6455.hub.RedisBroker("redis://localhost")
except ImportError as exc:
    print(exc)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == (
        "RedisBroker needs redis-py: pip install 'ws6455[redis]'\n",
        "",
    )
