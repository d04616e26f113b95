"""ws6455.hub.subscriptions: the callbacks of a process, and the JSON of messages (RFC 8259)."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ws6455.hub.subscriptions import Subscriptions, decode, encode

LOGGER = logging.getLogger("ws6455.hub.test")


class Changes(list[bool]):
    def __call__(self, added: bool) -> None:
        self.append(added)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def subscriptions(changes: Changes) -> Subscriptions:
    return Subscriptions(LOGGER, changes)


# JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("é", b'"\xc3\xa9"'),
        ({"a": [1, 2.5, None, True]}, b'{"a":[1,2.5,null,true]}'),
        ("", b'""'),
        ({}, b"{}"),
    ],
)
def test_a_message_there_and_back(message: Any, payload: bytes) -> None:
    assert encode(message) == payload
    assert decode(payload) == message


def nested(depth: int) -> list[Any]:
    message: list[Any] = []
    for _ in range(depth):
        message = [message]
    return message


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"bytes", TypeError),
        ({1, 2}, TypeError),
        (float("nan"), ValueError),
        ([float("inf")], ValueError),
        ("\ud800", ValueError),
        (nested(100_000), ValueError),
    ],
    ids=["bytes", "set", "nan", "infinity", "surrogate", "deep"],
)
def test_what_json_cannot_say_is_refused(message: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        encode(message)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"NaN", b"[Infinity]", b"-Infinity", b"\xff", b'"\xc3"', b"[" * 100_000],
    ids=["empty", "half", "nan", "infinity", "minus infinity", "bytes", "half a character", "deep"],
)
def test_a_payload_that_is_not_json_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - texts of json, utf-8 and ours
        decode(payload)


# Subscriptions ----------------------------------------------------------------------------


def test_each_callback_gets_a_message_of_its_own(subscriptions: Subscriptions) -> None:
    received: list[Any] = []
    for _ in range(2):
        subscriptions.add("one", received.append)
    subscriptions.add("other", lambda _: pytest.fail("another channel"))
    subscriptions.deliver("one", b'{"a":1}')
    assert received == [{"a": 1}, {"a": 1}]
    assert received[0] is not received[1]


def test_only_a_channels_first_and_last_callback_are_changes(
    subscriptions: Subscriptions, changes: Changes
) -> None:
    remove = [subscriptions.add("one", print) for _ in range(2)]
    assert (changes, subscriptions.channels()) == ([True], {"one"})
    remove[0]()
    remove[0]()  # has no effect
    assert (changes, subscriptions.channels()) == ([True], {"one"})
    remove[1]()
    remove[1]()
    assert (changes, subscriptions.channels()) == ([True, False], set())
    subscriptions.add("one", print)
    remove[1]()  # removes no other
    assert (changes, subscriptions.channels()) == ([True, False, True], {"one"})


async def coroutine(message: Any) -> None: ...


@pytest.mark.parametrize(
    ("channel", "callback", "error"),
    [("one", coroutine, TypeError), ("\ud800", print, UnicodeEncodeError)],
    ids=["coroutine", "channel"],
)
def test_what_cannot_be_subscribed_is_refused_and_leaves_nothing(
    subscriptions: Subscriptions,
    changes: Changes,
    channel: str,
    callback: Callable[[Any], Any],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        subscriptions.add(channel, callback)
    assert (changes, subscriptions.channels()) == ([], set())


def test_callbacks_may_change_the_subscriptions_of_their_channel(
    subscriptions: Subscriptions,
) -> None:
    received: list[str] = []

    def first(_: Any) -> None:
        received.append("first")
        remove_second()
        subscriptions.add("one", lambda _: received.append("third"))

    subscriptions.add("one", first)
    remove_second = subscriptions.add("one", lambda _: received.append("second"))
    subscriptions.deliver("one", b"1")
    assert received == ["first"]  # the third came too late for this message
    subscriptions.deliver("one", b"2")
    assert received == ["first", "first", "third"]


def test_a_callback_that_raises_is_logged_and_harms_no_other(
    subscriptions: Subscriptions, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[Any] = []

    def fail(_: Any) -> None:
        raise LookupError

    subscriptions.add("one", fail)
    subscriptions.add("one", received.append)
    subscriptions.deliver("one", b"1")
    assert received == [1]
    (record,) = caplog.records
    assert record.getMessage() == "a callback of channel 'one' failed"
    assert record.exc_info is not None


def test_a_bad_payload_is_logged_once_and_not_quoted(
    subscriptions: Subscriptions, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        subscriptions.add("one", lambda _: pytest.fail("called"))
    subscriptions.deliver("one", b"{secret")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("invalid message on channel 'one', 7 bytes: ")
    assert "secret" not in record.getMessage()


def test_a_channel_without_callbacks_is_not_read(
    subscriptions: Subscriptions, caplog: pytest.LogCaptureFixture
) -> None:
    subscriptions.deliver("one", b"{bad")
    assert caplog.records == []
