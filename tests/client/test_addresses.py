"""Tests of ws6455.client.addresses: the order, the schedule, and the error (RFC 8305)."""

import errno
import os
from typing import Any

import pytest

from ws6455.client.addresses import (
    AddressInfo,
    Attempts,
    first_address,
    interleave_families,
    is_literal,
)
from ws6455.client.deadline import Deadline

V4, V6 = 2, 10


def info(address: str) -> AddressInfo:
    return (V6, 1, 6, "", (address, 80, 0, 0)) if ":" in address else (V4, 1, 6, "", (address, 80))


@pytest.mark.parametrize(
    ("addresses", "first", "expected"),
    [
        ("", 1, ""),
        ("a", 1, "a"),
        ("abc", 1, "abc"),
        ("::1 ::2 a b", 0, "::1 ::2 a b"),
        ("::1 ::2 a b", 1, "::1 a ::2 b"),
        ("::1 ::2 a b", 2, "::1 ::2 a b"),
        ("::1 ::2 ::3 a b", 2, "::1 ::2 a ::3 b"),
        ("a b c ::1", 1, "a ::1 b c"),
        ("a ::1 ::2 ::3", 1, "a ::1 ::2 ::3"),
        ("a b", 5, "a b"),
    ],
)
def test_families_take_turns(addresses: str, first: int, expected: str) -> None:
    infos = [info(address) for address in addresses.split()]
    assert [item[4][0] for item in interleave_families(infos, first)] == expected.split()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("fe80::1%lo", True),
        ("localhost", False),
        ("127.1", False),
        ("", False),
        (None, False),
        (b"\x7f\x00\x00\x01", False),
    ],
)
def test_literals(host: Any, expected: bool) -> None:
    assert is_literal(host) is expected


def test_a_socks_proxy_gets_an_ipv4_address_if_there_is_one() -> None:
    assert first_address([info("::1"), info("a")]) == "a"
    assert first_address([info("::2"), info("::1")]) == "::2"


class Clock:
    """A clock that a test sets, and attempts that use it."""

    def __init__(self, *addresses: str, **policy: Any) -> None:
        self.now = 100.0
        self.deadline = Deadline(10, lambda: self.now)
        infos = [info(address) for address in addresses]
        self.attempts = Attempts("example.com", 80, infos, self.deadline, **policy)

    def due(self) -> list[str]:
        return [item[4][0] for item in self.attempts.due()]

    def fail(self, address: str, code: int = errno.ECONNREFUSED) -> None:
        with self.attempts.noting_failure(info(address)):
            raise OSError(code, "Connect call failed")


def test_the_next_address_is_due_after_the_delay_or_a_failure() -> None:
    clock = Clock("::1", "::2", "a", "b")
    assert clock.deadline.step == "connecting to example.com:80 ([::1]:80, a:80, [::2]:80, b:80)"
    assert clock.due() == ["::1"]
    assert clock.due() == []
    assert clock.attempts.seconds_left() == 0.25
    clock.now += 0.25
    assert clock.attempts.seconds_left() == 0
    assert clock.due() == ["a"]
    clock.now += 0.1
    clock.fail("::1")
    assert clock.attempts.seconds_left() == 0
    assert clock.due() == ["::2"]
    clock.now += 1
    assert clock.due() == ["b"]
    assert clock.attempts.seconds_left() is None
    for address in ("a", "b"):
        clock.fail(address)
    assert clock.due() == []  # one is pending
    clock.fail("::2")
    with pytest.raises(ConnectionRefusedError):
        clock.due()


def test_without_a_delay_only_a_failure_makes_the_next_address_due() -> None:
    clock = Clock("::1", "::2", "a", happy_eyeballs_delay=None)
    assert clock.due() == ["::1"]
    clock.now += 1000
    assert clock.due() == []
    assert clock.attempts.seconds_left() is None
    clock.fail("::1")
    assert clock.due() == ["::2"]  # not interleaved


def test_each_address_is_tried_once() -> None:
    assert Clock("a", "a", happy_eyeballs_delay=0).due() == ["a"]


def fail_all(*failures: tuple[str, int], **policy: Any) -> Exception:
    clock = Clock(*(address for address, _ in failures), happy_eyeballs_delay=0, **policy)
    assert clock.due() == [address for address, _ in failures]
    for address, code in failures:
        clock.fail(address, code)
    with pytest.raises(Exception, match=r"cannot connect to example\.com:80") as caught:
        clock.due()
    return caught.value


def test_the_error_of_addresses_that_fail_alike() -> None:
    error = fail_all(("::1", errno.ECONNREFUSED), ("a", errno.ECONNREFUSED))
    assert isinstance(error, ConnectionRefusedError)
    assert error.errno == errno.ECONNREFUSED
    reason = os.strerror(errno.ECONNREFUSED)
    assert error.strerror == f"cannot connect to example.com:80 ([::1]:80, a:80): {reason}"


def test_the_error_of_addresses_that_fail_differently() -> None:
    error = fail_all(("::1", errno.ENETUNREACH), ("a", errno.ECONNREFUSED))
    assert type(error) is OSError
    reasons = os.strerror(errno.ENETUNREACH), os.strerror(errno.ECONNREFUSED)
    assert str(error) == "cannot connect to example.com:80: [::1]:80: {}; a:80: {}".format(*reasons)


def test_all_errors_in_a_group() -> None:
    error = fail_all(("::1", errno.ENETUNREACH), ("a", errno.ECONNREFUSED), all_errors=True)
    assert isinstance(error, ExceptionGroup)
    assert [type(exc) for exc in error.exceptions] == [OSError, ConnectionRefusedError]


def test_no_addresses() -> None:
    with pytest.raises(OSError, match=r"no addresses found for example\.com"):
        Clock()


def test_a_literal_is_shown_once() -> None:
    deadline = Deadline(None, lambda: 0.0)
    assert str(Attempts("::1", 80, [info("::1")], deadline)) == "[::1]:80"
