"""ws6455.session.broadcast: the message of a broadcast, and its failures."""

import logging
from typing import Any, cast

import pytest

from ws6455.exceptions import ConcurrencyError, InvalidState
from ws6455.framing.frames import Opcode
from ws6455.session.broadcast import BroadcastFailures, shared_message
from ws6455.session.connection import BaseConnection


class Logged:
    """Has the only attribute of a connection that counts here."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("ws6455.test")


def connection() -> BaseConnection:
    return cast(BaseConnection, Logged())


@pytest.mark.parametrize(
    ("message", "text", "opcode"),
    [
        ("abc", None, Opcode.TEXT),
        ("abc", False, Opcode.BINARY),
        (b"abc", None, Opcode.BINARY),
        (memoryview(b"abc"), True, Opcode.TEXT),
    ],
)
def test_the_type_of_the_message_chooses_the_opcode(
    message: object, text: bool | None, opcode: Opcode
) -> None:
    shared = shared_message(message, text)
    assert (shared.opcode, shared.data) == (opcode, b"abc")


@pytest.mark.parametrize("message", [["a"], 1, None, {"a": 1}])
def test_fragments_and_other_types_cannot_be_broadcast(message: Any) -> None:
    with pytest.raises(TypeError, match=f"must be str or bytes-like, not {type(message).__name__}"):
        shared_message(message, None)


def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    failures = BroadcastFailures(collect=False)
    failures.add(connection(), ConcurrencyError("within a message"))
    failures.raise_collected()  # nothing was collected
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING,
        "skipped broadcast: within a message",
    )


def test_failures_are_raised_together_on_request(caplog: pytest.LogCaptureFixture) -> None:
    failures = BroadcastFailures(collect=True)
    causes = [ConcurrencyError("one"), OSError("another")]
    for cause in causes:
        failures.add(connection(), cause)
    with pytest.raises(ExceptionGroup, match="skipped broadcast") as caught:
        failures.raise_collected()
    assert list(caught.value.exceptions) == causes
    assert caplog.records == []


@pytest.mark.parametrize("collect", [True, False])
def test_a_connection_that_is_not_open_is_no_failure(
    collect: bool, caplog: pytest.LogCaptureFixture
) -> None:
    failures = BroadcastFailures(collect)
    failures.add(connection(), InvalidState("closing"))
    failures.raise_collected()
    assert caplog.records == []
