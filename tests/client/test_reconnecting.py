"""The last attempt to connect, and the delay before the next."""

import logging
from typing import cast

import pytest

from ws6455.client.reconnecting import Reconnecting, RetrySchedule
from ws6455.client.session import ClientSession

LOGGER = logging.getLogger("attempts")


def try_again(exc: Exception) -> Exception | None:
    return None if isinstance(exc, OSError) else exc


def test_delays_grow_from_the_start_after_each_success(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    schedule = RetrySchedule(try_again, lambda: iter([1.0, 2.0]), LOGGER)
    assert [schedule.failed(OSError("no")) for _ in range(3)] == [1.0, 2.0, None]
    schedule.succeeded()
    assert schedule.failed(OSError("no")) == 1.0
    assert len(caplog.records) == 3
    assert caplog.messages[0] == "connect failed; reconnecting in 1.0 seconds: OSError('no')"


def test_what_is_not_transient_is_raised_as_it_is_or_as_the_callback_has_it() -> None:
    delays = iter([1.0])
    assert RetrySchedule(try_again, lambda: delays, LOGGER).failed(ValueError()) is None
    assert next(delays) == 1.0
    wanted, given = KeyError(), ValueError()
    with pytest.raises(KeyError) as caught:
        RetrySchedule(lambda _: wanted, lambda: delays, LOGGER).failed(given)
    assert caught.value is wanted
    assert caught.value.__cause__ is given


def test_it_is_entered_once_at_a_time() -> None:
    class Client(Reconnecting[ClientSession]):
        pass

    client = Client(try_again, lambda: iter([]), LOGGER)
    client._check_not_entered()
    connection = cast(ClientSession, object())  # nothing is asked of it
    client.connection = connection
    with pytest.raises(RuntimeError, match=r"Client\(\) isn't reentrant"):
        client._check_not_entered()
    assert client._leave() is connection
    client._check_not_entered()
