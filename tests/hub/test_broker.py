"""Tests that every broker passes, in memory and with Redis."""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.hub.conftest import Received, within
from ws6455.hub import Broker, BrokerUnavailable, MemoryBroker

Log = Callable[[int], list[str]]
Make = Callable[[], Broker]


async def subscribed(broker: Broker, channel: str) -> Received:
    received = Received()
    broker.subscribe(channel, received)
    await within(broker.wait_healthy())
    return received


async def test_a_message_reaches_every_subscriber_of_its_channel_only(broker: Broker) -> None:
    one, two = await subscribed(broker, "news"), await subscribed(broker, "news")
    other = await subscribed(broker, "weather")
    await broker.publish("news", "extra")
    await broker.publish("weather", "rain")
    assert [await one.next(), await two.next(), await other.next()] == ["extra", "extra", "rain"]
    assert one.empty()
    assert two.empty()
    assert other.empty()


@pytest.mark.parametrize(
    "message",
    [
        None,
        True,
        0,
        -1.5,
        2**70,
        "",
        "\x00 \N{SNOWMAN} \U0001f600 \u2028",
        [],
        {"type": "join", "who": {"name": "Zoë", "ids": [1, 2, None]}},
        "x" * 1_000_000,
    ],
    ids=lambda message: repr(message)[:20],
)
async def test_what_json_can_say_arrives_as_it_was(broker: Broker, message: Any) -> None:
    received = await subscribed(broker, "c")
    await broker.publish("c", message)
    arrived = await received.next()
    assert arrived == message
    assert type(arrived) is type(message)


async def test_a_message_comes_as_json_gives_it_back(broker: Broker) -> None:
    received = await subscribed(broker, "c")
    await broker.publish("c", {1: ("a", "b")})
    assert await received.next() == {"1": ["a", "b"]}


async def test_nobody_shares_a_message_with_another(broker: Broker) -> None:
    one, two = await subscribed(broker, "c"), await subscribed(broker, "c")
    message = {"names": ["Alice"]}
    await broker.publish("c", message)
    message["names"].clear()
    (await one.next())["names"].append("Bob")
    assert await two.next() == {"names": ["Alice"]}


@pytest.mark.parametrize("message", [b"bytes", {1, 2}, object(), {"at": math}, {(1, 2): 3}])
async def test_b21_what_json_has_no_type_for_is_refused(broker: Broker, message: Any) -> None:
    with pytest.raises(TypeError):
        await broker.publish("c", message)


def endless() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def deep() -> list[Any]:
    outer: list[Any] = []
    for _ in range(100_000):
        outer = [outer]
    return outer


@pytest.mark.parametrize(
    "message",
    [math.nan, [math.inf], {"x": -math.inf}, "\ud800", endless(), deep()],
    ids=["nan", "inf", "-inf", "surrogate", "endless", "deep"],
)
async def test_b21_what_json_or_utf8_cannot_say_is_refused(broker: Broker, message: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates|Circular|deeply"):
        await broker.publish("c", message)


async def test_messages_keep_their_order(broker: Broker) -> None:
    received = await subscribed(broker, "c")
    await within(asyncio.gather(*(broker.publish("c", number) for number in range(2000))))
    assert [await received.next() for _ in range(2000)] == list(range(2000))


async def test_no_callback_is_called_within_publish() -> None:
    async with MemoryBroker() as broker:
        received = await subscribed(broker, "c")
        await broker.publish("c", 1)
        assert received.empty()
        assert await received.next() == 1


@pytest.mark.parametrize(
    "channel",
    ["", "a b", "a\r\nb\x00", "zo\u00eb", "*", "ws6455:", "x" * 5000],
    ids=lambda channel: ascii(channel)[:20],
)
async def test_any_string_names_a_channel(broker: Broker, channel: str) -> None:
    received = await subscribed(broker, channel)
    await broker.publish(channel, channel)
    assert await received.next() == channel


async def test_a_name_that_utf8_cannot_say_is_refused_at_once(broker: Broker) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        broker.subscribe("\udfff", print)
    with pytest.raises(ValueError, match="surrogates"):
        await broker.publish("\udfff", 1)
    assert broker.healthy


async def test_who_unsubscribes_gets_nothing_and_the_others_go_on(broker: Broker) -> None:
    left = Received()
    leave = broker.subscribe("c", left)
    stayed = await subscribed(broker, "c")
    leave()
    leave()
    await broker.publish("c", 1)
    assert await stayed.next() == 1
    assert left.empty()


async def test_a_callback_subscribed_twice_is_called_twice(broker: Broker) -> None:
    received = Received()
    leave = broker.subscribe("c", received)
    broker.subscribe("c", received)
    await within(broker.wait_healthy())
    await broker.publish("c", 1)
    assert [await received.next(), await received.next()] == [1, 1]
    leave()
    await broker.publish("c", 2)
    await broker.publish("c", 3)
    assert [await received.next(), await received.next()] == [2, 3]


async def test_a_channel_left_can_be_subscribed_to_again(broker: Broker) -> None:
    last = await subscribed(broker, "end")
    for number in range(20):
        received = Received()
        leave = broker.subscribe("c", received)
        await within(broker.wait_healthy())
        await broker.publish("c", number)
        assert await received.next() == number
        leave()
    await broker.publish("end", None)
    await last.next()


async def test_a_callback_may_end_another_ones_subscription(broker: Broker) -> None:
    called = Received()

    def first(message: Any) -> None:
        called(message)
        leave_second()

    broker.subscribe("c", first)
    leave_second = broker.subscribe("c", lambda message: called("too late"))
    last = await subscribed(broker, "c")
    await broker.publish("c", 1)
    await last.next()
    assert await called.next() == 1
    assert called.empty()


async def test_a_callback_may_subscribe_and_leave(broker: Broker) -> None:
    later = Received()

    def first(message: Any) -> None:
        leave_first()
        broker.subscribe("later", later)

    leave_first = broker.subscribe("c", first)
    last = await subscribed(broker, "c")
    await broker.publish("c", 1)
    await last.next()
    await within(broker.wait_healthy())
    await broker.publish("later", 2)
    assert await later.next() == 2


async def test_a_callback_that_raises_is_logged_and_called_again(broker: Broker, log: Log) -> None:
    def fail(message: Any) -> None:
        raise LookupError("no such thing")

    broker.subscribe("c", fail)
    received = await subscribed(broker, "c")
    await broker.publish("c", 1)
    await broker.publish("c", 2)
    assert [await received.next(), await received.next()] == [1, 2]
    assert log(logging.ERROR) == ["a callback of channel 'c' failed"] * 2


async def test_a_coroutine_function_is_no_callback(broker: Broker) -> None:
    async def callback(message: Any) -> None:
        """Never runs."""

    with pytest.raises(TypeError, match="plain function"):
        broker.subscribe("c", callback)


async def test_a_subscription_made_before_opening_counts(make: Make) -> None:
    broker, received = make(), Received()
    broker.subscribe("c", received)
    assert not broker.healthy
    async with broker:
        await within(broker.wait_healthy())
        assert broker.healthy
        await broker.publish("c", 1)
        assert await received.next() == 1


async def test_a_broker_publishes_only_while_it_is_open(make: Make) -> None:
    broker = make()
    with pytest.raises(BrokerUnavailable, match="not open"):
        await broker.publish("c", 1)
    async with broker:
        await broker.publish("c", 1)
    with pytest.raises(BrokerUnavailable, match="not open"):
        await broker.publish("c", 1)
    assert not broker.healthy


async def test_a_broker_is_opened_once(make: Make) -> None:
    broker = make()
    async with broker:
        with pytest.raises(RuntimeError, match="once"):
            await broker.__aenter__()
    with pytest.raises(RuntimeError, match="once"):
        await broker.__aenter__()


async def test_who_waits_for_health_is_told_of_the_end(make: Make) -> None:
    broker = make()
    waiting = asyncio.create_task(broker.wait_healthy())
    await asyncio.sleep(0)
    assert not waiting.done()
    async with broker:
        await within(waiting)
    with pytest.raises(BrokerUnavailable, match="closed"):
        await broker.wait_healthy()


async def test_no_callback_is_called_after_the_end(make: Make) -> None:
    received = Received()
    async with make() as broker:
        broker.subscribe("c", received)
        await within(broker.wait_healthy())
        publishing = asyncio.gather(*(broker.publish("c", 1) for _ in range(50)))
        await asyncio.sleep(0)
    had = received.qsize()
    for result in await asyncio.gather(publishing, return_exceptions=True):
        assert isinstance(result, list | BrokerUnavailable)
    for _ in range(10):
        await asyncio.sleep(0)
    assert received.qsize() == had


async def test_subscribing_to_a_closed_broker_does_nothing(make: Make) -> None:
    async with make() as broker:
        pass
    leave = broker.subscribe("c", print)
    assert not broker.healthy
    with pytest.raises(BrokerUnavailable, match="closed"):
        await within(broker.wait_healthy())
    leave()
