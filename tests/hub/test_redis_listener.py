"""Tests of the listener: it logs and survives every loss of its connection."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.hub.conftest import HEALED, Received, RedisServer, opened, until, within
from ws6455.hub import BrokerUnavailable, RedisBroker
from ws6455.hub.subscriptions import Subscriptions

Log = Callable[[int], list[str]]


async def check(broker: RedisBroker, received: Received) -> None:
    """Check that a message published now arrives; skip earlier messages."""
    await broker.publish("c", "check")
    while await received.next() != "check":
        pass


async def until_lost(log: Log, times: int = 1) -> None:
    """Wait until a number of losses are logged. The broker may be healthy again by then."""
    await until(lambda: len(log(logging.WARNING)) >= times)


class Health(logging.Handler):
    """Records whether a broker is healthy at each loss and restoration that it logs."""

    def __init__(self, broker: RedisBroker) -> None:
        super().__init__(logging.INFO)
        self.noted: list[tuple[str, bool]] = []
        self._broker = broker

    def emit(self, record: logging.LogRecord) -> None:
        self.noted.append((record.levelname, self._broker.healthy))

    def __enter__(self) -> "Health":
        logging.getLogger("ws6455.hub").addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        logging.getLogger("ws6455.hub").removeHandler(self)


async def test_a27_a_restart_of_redis_heals(redis: RedisServer, log: Log) -> None:
    async with opened(redis.url) as one, opened(redis.url) as two:
        received = Received()
        two.subscribe("c", received)
        await within(two.wait_healthy())
        redis.stop()
        await until_lost(log, 2)
        assert not one.healthy
        assert not two.healthy
        with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1"):
            await one.publish("c", "lost")
        redis.start()
        await within(asyncio.gather(one.wait_healthy(), two.wait_healthy()), HEALED)
        await check(one, received)
    (lost_one, lost_two) = log(logging.WARNING)
    assert lost_one == lost_two
    assert "no messages are received from other processes until Redis is back" in lost_one
    assert f"Redis at 127.0.0.1:{redis.port}: " in lost_one
    assert log(logging.INFO) == [f"listening to Redis at 127.0.0.1:{redis.port} again"] * 2


async def test_a27_a_subscriber_that_redis_kills_comes_back(redis: RedisServer, log: Log) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        with Health(broker) as health:
            for times in range(1, 4):
                await within(broker.wait_healthy())
                assert redis.execute("CLIENT", "KILL", "TYPE", "pubsub") == 1
                await until_lost(log, times)
            await within(broker.wait_healthy())
        await check(broker, received)
        assert redis.subscribers("ws6455:c") == 1
    assert health.noted == [("WARNING", False), ("INFO", True)] * 3


async def test_a27_a_listener_whose_buffer_overflows_comes_back(
    redis: RedisServer, log: Log
) -> None:
    redis.execute("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32kb 32kb 1")
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        # This blocks the event loop. The kernel buffers a few MB, Redis 32 KiB.
        for _ in range(20):
            redis.execute("PUBLISH", "ws6455:c", b'"' + b"x" * 1_000_000 + b'"')
        assert redis.subscribers("ws6455:c") == 0
        with Health(broker) as health:
            await until_lost(log)
            await within(broker.wait_healthy())
        await check(broker, received)
    assert health.noted == [("WARNING", False), ("INFO", True)]


async def test_a27_a_read_timeout_in_the_url_is_not_the_listeners(
    redis: RedisServer, log: Log
) -> None:
    async with opened(f"{redis.url}?socket_timeout=0.05&retry_on_timeout=true") as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        identity = redis.execute("CLIENT", "LIST", "TYPE", "pubsub").split()[0]
        await asyncio.sleep(0.3)  # six timeouts, none of which must have an effect
        assert redis.execute("CLIENT", "LIST", "TYPE", "pubsub").split()[0] == identity
        await check(broker, received)
    assert log(logging.WARNING) == []


async def test_a27_a_frozen_redis_is_noticed_and_found_again(redis: RedisServer, log: Log) -> None:
    async with opened(redis.url, ping_interval=0.1, timeout=0.2) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        redis.freeze()
        await until_lost(log)
        await until(lambda: len([text for text in log(logging.DEBUG) if "failed" in text]) > 1)
        redis.thaw()
        await within(broker.wait_healthy())
        await check(broker, received)
    (lost,) = log(logging.WARNING)
    assert "nothing received within 0.1 seconds of a PING" in lost
    assert any("no answer within 0.2 seconds" in text for text in log(logging.DEBUG))


async def test_pings_keep_a_listener_that_hears_nothing_else(redis: RedisServer, log: Log) -> None:
    async with opened(redis.url, ping_interval=0.02) as broker:
        broker.subscribe("c", print)
        await within(broker.wait_healthy())
        await asyncio.sleep(0.3)  # fifteen pings
        assert broker.healthy
    assert log(logging.WARNING) == []


async def test_a27_without_redis_a_broker_says_so_and_waits_for_it(
    stopped_redis: RedisServer, log: Log
) -> None:
    received = Received()
    async with RedisBroker(stopped_redis.url) as broker:
        broker.subscribe("c", received)
        await until(lambda: len(log(logging.DEBUG)) >= 3)
        assert not broker.healthy
        with pytest.raises(BrokerUnavailable, match=r"connecting to 127\.0\.0\.1"):
            await broker.publish("c", 1)
        stopped_redis.start()
        await within(broker.wait_healthy())
        await check(broker, received)
    assert len(log(logging.WARNING)) == len(log(logging.INFO)) == 1


async def test_a27_flushall_changes_nothing(redis: RedisServer, log: Log) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        redis.execute("FLUSHALL")
        assert broker.healthy
        await check(broker, received)
    assert log(logging.WARNING) == []


async def test_what_is_subscribed_and_left_while_redis_is_down_is_so_when_it_is_back(
    redis: RedisServer, log: Log
) -> None:
    async with opened(redis.url) as broker:
        kept, new = Received(), Received()
        leave = broker.subscribe("left", kept)
        broker.subscribe("c", kept)
        await within(broker.wait_healthy())
        redis.stop()
        await until_lost(log)
        broker.subscribe("new", new)
        leave()
        redis.start()
        await within(broker.wait_healthy())
        await check(broker, kept)
        await broker.publish("new", 1)
        assert await new.next() == 1
        assert redis.subscribers("ws6455:left") == 0


async def test_many_callbacks_are_one_subscription_and_the_last_ends_it(
    redis: RedisServer,
) -> None:
    async with opened(redis.url) as broker:
        leaves = [broker.subscribe("c", Received()) for _ in range(5)]
        await within(broker.wait_healthy())
        assert redis.subscribers("ws6455:c") == 1
        for leave in leaves[1:]:
            leave()
        await within(broker.wait_healthy())
        assert redis.subscribers("ws6455:c") == 1
        leaves[0]()
        await until(lambda: redis.subscribers("ws6455:c") == 0)
        assert broker.healthy


async def test_many_channels_are_subscribed_to_at_once(redis: RedisServer) -> None:
    async with opened(redis.url) as broker:
        for number in range(5000):
            broker.subscribe(str(number), Received())
        assert not broker.healthy
        await within(broker.wait_healthy())
        assert redis.subscribers("ws6455:0") == redis.subscribers("ws6455:4999") == 1


async def test_joining_and_leaving_at_random_ends_as_it_should(redis: RedisServer) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        for turn in range(60):
            leave = broker.subscribe("c", received)
            for _ in range(turn % 7):
                await asyncio.sleep(0)
            leave()
            for _ in range(turn % 5):
                await asyncio.sleep(0)
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        await broker.publish("c", "once")
        await broker.publish("c", "end")
        assert [await received.next(), await received.next()] == ["once", "end"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"hello \x1b[31m secret-content",
        b"\xff\xfe secret-content",
        b'{"a": "secret-content"',
        b"NaN",
        b"[-Infinity]",
        b"[" * 200_000,
        b"9" * 5000,
    ],
    ids=lambda payload: ascii(payload)[:20],
)
async def test_a27_b21_a_bad_payload_is_skipped_and_logged(
    redis: RedisServer, log: Log, payload: bytes
) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        redis.execute("PUBLISH", "ws6455:c", payload)
        await broker.publish("c", "good")
        assert await received.next() == "good"
    (skipped,) = log(logging.WARNING)
    assert skipped.startswith(f"invalid message on channel 'c', {len(payload)} bytes: ")
    assert "secret-content" not in skipped
    assert skipped.isprintable()


async def test_a27_what_nobody_has_thought_of_is_logged_and_the_listener_goes_on(
    redis: RedisServer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = Subscriptions.deliver

    def fail_once(subscriptions: Subscriptions, channel: str, payload: bytes) -> None:
        monkeypatch.setattr(Subscriptions, "deliver", deliver)
        raise ZeroDivisionError(f"never seen before, in {channel}")

    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        monkeypatch.setattr(Subscriptions, "deliver", fail_once)
        await broker.publish("c", 1)
        await until_lost(log)
        await within(broker.wait_healthy())
        await check(broker, received)
    (error,) = log(logging.ERROR)
    assert "Traceback" in error
    assert "never seen before, in c" in error
    assert log(logging.WARNING)[0].endswith("ZeroDivisionError")


async def test_a_broker_may_be_closed_at_any_moment(redis: RedisServer) -> None:
    before = asyncio.all_tasks()
    for turns in [*range(40), 60, 90, 140, 200]:
        async with RedisBroker(redis.url) as broker:
            broker.subscribe("c", print)
            publishing = asyncio.create_task(broker.publish("c", turns))
            for _ in range(turns):
                await asyncio.sleep(0)
        with contextlib.suppress(BrokerUnavailable):
            await within(publishing)
        assert asyncio.all_tasks() == before
    await until(lambda: connections(redis) == 1)


async def test_a_broker_may_be_closed_while_the_connection_is_being_lost(
    redis: RedisServer,
) -> None:
    before = asyncio.all_tasks()
    for turns in range(25):
        async with opened(redis.url) as broker:
            broker.subscribe("c", print)
            await within(broker.wait_healthy())
            redis.execute("CLIENT", "KILL", "TYPE", "pubsub")
            for _ in range(turns):
                await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
    await until(lambda: connections(redis) == 1)


async def test_a_broker_may_be_closed_while_redis_is_away_or_frozen(
    redis: RedisServer, log: Log
) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(HEALED):
        async with opened(redis.url):
            redis.freeze()
        async with RedisBroker(redis.url):
            await asyncio.sleep(0.05)
        redis.stop()
        async with RedisBroker(redis.url):
            await until(lambda: bool(log(logging.DEBUG)))
    assert asyncio.all_tasks() == before


def connections(redis: RedisServer) -> Any:
    """Return the number of connections of Redis, including this one."""
    return len(redis.execute("CLIENT", "LIST").splitlines())
