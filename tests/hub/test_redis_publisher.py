"""Tests of the publisher: publish() reports whether Redis has accepted the message."""

import asyncio
import time

import pytest

from tests.hub.conftest import HEALED, Received, RedisServer, opened, until, within
from ws6455.hub import BrokerUnavailable, RedisBroker


async def test_two_brokers_exchange_messages(redis: RedisServer) -> None:
    async with opened(redis.url) as one, opened(redis.url) as two:
        at_one, at_two = Received(), Received()
        one.subscribe("c", at_one)
        two.subscribe("c", at_two)
        await within(asyncio.gather(one.wait_healthy(), two.wait_healthy()))
        await one.publish("c", {"from": "one"})
        assert await at_one.next() == await at_two.next() == {"from": "one"}
        await two.publish("c", {"from": "two"})
        assert await at_one.next() == await at_two.next() == {"from": "two"}


async def test_brokers_of_another_prefix_are_another_service(redis: RedisServer) -> None:
    async with opened(redis.url, prefix="a:") as one, opened(redis.url, prefix="b:") as two:
        at_one, at_two = Received(), Received()
        one.subscribe("c", at_one)
        two.subscribe("c", at_two)
        await within(asyncio.gather(one.wait_healthy(), two.wait_healthy()))
        await one.publish("c", 1)
        await two.publish("c", 2)
        assert [await at_one.next(), await at_two.next()] == [1, 2]


async def test_all_messages_take_one_connection(redis: RedisServer) -> None:
    async with opened(redis.url) as broker:
        await within(asyncio.gather(*(broker.publish("c", number) for number in range(500))))
        # The listener's, which has no channel; the publisher's; and that of this command.
        assert len(redis.execute("CLIENT", "LIST").splitlines()) == 3


async def test_a_publisher_that_redis_kills_is_replaced_before_the_next_message(
    redis: RedisServer,
) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        for number in range(3):
            await broker.publish("c", number)
            assert await received.next() == number
            assert redis.execute("CLIENT", "KILL", "TYPE", "normal") >= 1
            await asyncio.sleep(0.01)  # the loss arrives
        assert broker.healthy


async def test_nobody_waits_for_a_frozen_redis_longer_than_the_timeout(
    redis: RedisServer,
) -> None:
    async with opened(redis.url, timeout=0.3) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        await broker.publish("c", 1)
        redis.freeze()
        started = time.monotonic()
        results = await asyncio.gather(
            *(broker.publish("c", "x" * 100_000) for _ in range(100)), return_exceptions=True
        )
        assert 0.2 < time.monotonic() - started < 2
        assert all(isinstance(result, BrokerUnavailable) for result in results)
        assert any("did not accept a message within 0.3 seconds" in str(exc) for exc in results)
        redis.thaw()
        await within(broker.wait_healthy())
        await within(publish_until_taken(broker))
        while await received.next() != "end":
            pass


async def publish_until_taken(broker: RedisBroker) -> None:
    while True:
        try:
            return await broker.publish("c", "end")
        except BrokerUnavailable:
            await asyncio.sleep(0.01)


async def test_a_message_waits_for_a_connection_that_is_being_made_no_longer_either(
    redis: RedisServer,
) -> None:
    async with RedisBroker(redis.url, timeout=0.2) as broker:
        redis.freeze()
        started = time.monotonic()
        results = await asyncio.gather(
            *(broker.publish("c", 1) for _ in range(50)), return_exceptions=True
        )
        assert time.monotonic() - started < 1.5
        assert all(isinstance(result, BrokerUnavailable) for result in results)


async def test_closing_ends_the_wait_of_those_who_publish(redis: RedisServer) -> None:
    async with opened(redis.url, timeout=60) as broker:
        await broker.publish("c", 1)
        redis.freeze()
        waiting = [asyncio.create_task(broker.publish("c", number)) for number in range(10)]
        await asyncio.sleep(0)
    for task in waiting:
        with pytest.raises(BrokerUnavailable):
            await within(task)


async def test_a_cancelled_publish_takes_nobody_elses_answer(redis: RedisServer) -> None:
    async with opened(redis.url) as broker:
        received = Received()
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        await broker.publish("c", "first")
        publishing = [asyncio.create_task(broker.publish("c", number)) for number in range(20)]
        await asyncio.sleep(0)
        for task in publishing[::2]:
            task.cancel()
        results = await within(asyncio.gather(*publishing, return_exceptions=True))
        assert [type(result) for result in results] == [asyncio.CancelledError, type(None)] * 10
        await broker.publish("c", "last")
        arrived = []
        while (message := await received.next()) != "last":
            arrived.append(message)
        assert arrived == ["first", *range(20)]


async def test_what_redis_refuses_is_raised(redis: RedisServer) -> None:
    redis.execute("ACL", "SETUSER", "default", "resetchannels", "&ws6455:open")
    async with opened(redis.url) as broker:
        with pytest.raises(BrokerUnavailable, match=r"(?i)no permissions"):
            await broker.publish("closed", 1)
        await broker.publish("open", 1)


async def test_publishing_works_on_after_a_restart(redis: RedisServer) -> None:
    async with opened(redis.url) as broker:
        await broker.publish("c", 1)
        redis.stop()
        await until(lambda: not broker.healthy)
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1"):
            await broker.publish("c", 1)
        assert time.monotonic() - started < 1
        redis.start()
        await broker.publish("c", 1)
        await within(broker.wait_healthy(), HEALED)
