"""Tests of ws6455.client.deadline: the time left, and the text of the error."""

import errno

import pytest

from ws6455.client.deadline import Deadline


def test_the_time_left() -> None:
    now = [10.0]
    deadline = Deadline(2, lambda: now[0])
    assert deadline.left() == 2
    now[0] = 11.5
    assert deadline.left() == 0.5
    now[0] = 12
    deadline.step = "resolving example.com"
    text = r"^timed out during opening handshake, after 2 s, while resolving example\.com$"
    with pytest.raises(TimeoutError, match=text):
        deadline.left()


def test_no_limit() -> None:
    deadline = Deadline(None, lambda: 0.0)
    assert deadline.left() is None
    with pytest.raises(TimeoutError, match=r"^timed out$"), deadline.naming_step():
        raise TimeoutError("timed out")


def test_the_timeout_of_a_socket_is_named() -> None:
    deadline = Deadline(0.5, lambda: 0.0)
    with (
        pytest.raises(TimeoutError, match=r"after 0\.5 s, while connecting$") as caught,
        deadline.naming_step(),
    ):
        raise TimeoutError("timed out")
    assert str(caught.value.__cause__) == "timed out"
    system = OSError(errno.ETIMEDOUT, "x")
    with pytest.raises(TimeoutError) as caught, deadline.naming_step():
        raise system
    assert caught.value is system
