"""Transient errors, delays, and the schedule of a client that reconnects."""

import itertools
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from ws6455 import (
    ConnectionClosedError,
    Headers,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    NotHTTP,
    Response,
    SecurityError,
)
from ws6455.client.reconnecting import Reconnecting, RetrySchedule, backoff, process_exception
from ws6455.client.session import ClientSession
from ws6455.exceptions import InvalidProxyMessage, InvalidProxyStatus, ProxyError

LOGGER = logging.getLogger("attempts")
ENDED = ConnectionClosedError(None, None)


class Ended:
    """A connection that is closed."""

    close_exc = ENDED

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime


SHORT, LASTING = cast(ClientSession, Ended(9.9)), cast(ClientSession, Ended(10.0))


def try_again(exc: Exception) -> Exception | None:
    return None if isinstance(exc, OSError | InvalidStatus) else exc


def schedule(
    delays: Callable[[], Iterator[float]] = lambda: iter([1.0, 2.0]),
    *,
    process: Callable[[Exception], Exception | None] = try_again,
    max_attempts: int | None = None,
) -> RetrySchedule:
    return RetrySchedule(process, delays, max_attempts, 10, LOGGER)


def refusal(status: int = 503, **headers: str) -> InvalidStatus:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return InvalidStatus(Response(status, "No", Headers(named)))


# Transient errors ---------------------------------------------------------------------------


def caused(exc: Exception, cause: BaseException) -> Exception:
    exc.__cause__ = cause
    return exc


def tls(reason: str) -> ssl.SSLError:
    exc = ssl.SSLError(1, f"[SSL: {reason}]")
    exc.reason = reason
    return exc


class SOCKSError(Exception):
    """An error of python-socks."""

    def __init__(self, error_code: int | None = None) -> None:
        self.error_code = error_code


class ReplyError(Exception):
    """Another one."""


@pytest.mark.parametrize(
    "exc",
    [
        OSError("x"),
        ConnectionResetError(),
        TimeoutError(),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        caused(TimeoutError(), OSError()),
        ssl.SSLEOFError(8, "x"),
        ssl.SSLZeroReturnError(6, "x"),
        tls("TLSV1_ALERT_INTERNAL_ERROR"),
        caused(InvalidMessage("x"), EOFError()),
        caused(InvalidProxyMessage("x"), EOFError()),
        ProxyError("x"),
        *[caused(ProxyError("x"), SOCKSError(code)) for code in (1, 3, 4, 5, 6, 0x5B, 0x5C)],
        caused(ProxyError("x"), caused(SOCKSError(), EOFError())),
    ],
    ids=repr,
)
def test_transient_errors(exc: Exception) -> None:
    assert process_exception(exc) is None


@pytest.mark.parametrize(
    "exc",
    [
        ValueError(),
        InvalidURI("x", "y"),
        SecurityError("x"),
        InvalidMessage("x"),
        InvalidProxyMessage("x"),
        NotHTTP("x"),
        ssl.SSLCertVerificationError("x"),
        ssl.CertificateError("x"),
        tls("WRONG_VERSION_NUMBER"),
        tls("TLSV1_ALERT_UNKNOWN_CA"),
        caused(OSError(), ssl.SSLCertVerificationError("x")),
        caused(ProxyError("x"), caused(OSError(), ssl.SSLCertVerificationError("x"))),
        *[caused(ProxyError("x"), SOCKSError(code)) for code in (2, 7, 8, 0x5D)],
        caused(ProxyError("x"), caused(SOCKSError(), ReplyError())),
    ],
    ids=repr,
)
def test_final_errors(exc: Exception) -> None:
    assert process_exception(exc) is exc


@pytest.mark.parametrize("kind", [InvalidStatus, InvalidProxyStatus])
def test_statuses(kind: type[InvalidStatus | InvalidProxyStatus]) -> None:
    transient = {
        status
        for status in range(200, 700)
        if process_exception(kind(Response(status, "No", Headers()))) is None
    }
    assert transient == {408, 425, 429, *range(500, 600)} - {501, 505}


# Delays -------------------------------------------------------------------------------------


def test_every_delay_is_random_and_its_bound_grows() -> None:
    runs = [list(itertools.islice(backoff(4, 2, 10, 3), 6)) for _ in range(200)]
    for delays, bound in zip(zip(*runs, strict=True), [4, 2, 6, 10, 10, 10], strict=True):
        assert len(set(delays)) == len(delays)
        assert min(delays) >= 0
        assert bound * 0.9 < max(delays) <= bound


# The schedule -------------------------------------------------------------------------------


def test_delays_grow_until_a_connection_lasts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    it = schedule(lambda: iter([1.0, 2.0, 3.0]))
    assert it.failed(OSError("no")) == 1.0
    assert it.ended(SHORT) == 2.0
    assert it.ended(LASTING) == 0.0
    assert it.failed(OSError("no")) == 1.0
    assert caplog.messages == [
        "connect failed; reconnecting in 1.0 seconds: OSError('no')",
        f"connection ended early; reconnecting in 2.0 seconds: {ENDED!r}",
        "connect failed; reconnecting in 1.0 seconds: OSError('no')",
    ]


def test_delays_that_end_end_the_attempts() -> None:
    it = schedule()
    assert [it.failed(OSError("no")) for _ in range(3)] == [1.0, 2.0, None]
    it = schedule(lambda: iter([1.0]))
    assert it.ended(SHORT) == 1.0
    with pytest.raises(ConnectionClosedError) as caught:
        it.ended(SHORT)
    assert caught.value is ENDED


def test_attempts_in_a_row_are_limited() -> None:
    it = schedule(lambda: itertools.repeat(1.0), max_attempts=3)
    assert [it.failed(OSError()) for _ in range(3)] == [1.0, 1.0, None]
    it = schedule(lambda: itertools.repeat(1.0), max_attempts=3)
    assert it.failed(OSError()) == 1.0
    assert it.ended(SHORT) == 1.0
    assert it.ended(LASTING) == 0.0
    assert [it.failed(OSError()) for _ in range(2)] == [1.0, 1.0]
    with pytest.raises(ConnectionClosedError):
        it.ended(SHORT)


def test_a_refusal_can_ask_for_more_time() -> None:
    delays = []
    for _ in range(20):
        delay = schedule().failed(refusal(Retry_After="40"))
        assert delay is not None
        delays.append(delay)
    assert 40 <= min(delays) < max(delays) <= 50
    assert len(set(delays)) == len(delays)
    assert schedule().failed(refusal(Retry_After="0")) == 1.0
    assert schedule(lambda: iter([60.0])).failed(refusal(Retry_After="7")) == 60.0
    delay = schedule().failed(refusal(Retry_After="100000"))
    assert delay is not None
    assert 90 <= delay <= 112.5
    headers = Headers({"Retry-After": "7"})
    proxys = InvalidProxyStatus(Response(429, "No", headers))
    delay = schedule(process=lambda _: None).failed(proxys)
    assert delay is not None
    assert 7 <= delay <= 8.75


def test_what_is_not_transient_is_raised_as_it_is_or_as_the_callback_has_it() -> None:
    delays = iter([1.0])
    assert schedule(lambda: delays).failed(ValueError()) is None
    assert next(delays) == 1.0
    wanted, given = KeyError(), ValueError()
    with pytest.raises(KeyError) as caught:
        schedule(process=lambda _: wanted).failed(given)
    assert caught.value is wanted
    assert caught.value.__cause__ is given


class Client(Reconnecting[ClientSession]):
    pass


def make(max_attempts: Any = None, stable_after: Any = 10) -> Client:
    return Client(try_again, lambda: iter([]), max_attempts, stable_after, LOGGER)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_attempts": 0}, ValueError),
        ({"max_attempts": -1}, ValueError),
        ({"max_attempts": 1.5}, TypeError),
        ({"max_attempts": "3"}, TypeError),
        ({"max_attempts": True}, TypeError),
        ({"stable_after": -1}, ValueError),
        ({"stable_after": float("nan")}, ValueError),
        ({"stable_after": None}, TypeError),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        make(**options)


def test_it_is_entered_once_at_a_time() -> None:
    client = make()
    client._check_not_entered()
    connection = cast(ClientSession, object())  # nothing is asked of it
    client.connection = connection
    with pytest.raises(RuntimeError, match=r"Client\(\) isn't reentrant"):
        client._check_not_entered()
    assert client._leave() is connection
    client._check_not_entered()
