"""Addresses of a host: their order, and the schedule of the attempts to connect; no I/O.

RFC 8305 (Happy Eyeballs), §4 and §5.
"""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

from .deadline import Deadline

__all__ = [
    "HAPPY_EYEBALLS_DELAY",
    "AddressInfo",
    "Addresses",
    "Attempts",
    "first_address",
    "is_literal",
    "shown_address",
]

#: Seconds until the next address is tried while the last one has not answered (RFC 8305 §5).
HAPPY_EYEBALLS_DELAY = 0.25

#: An item of the result of :func:`socket.getaddrinfo`: family, type, protocol, name, address.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
Addresses = Sequence[AddressInfo]


def is_literal(host: object) -> bool:
    """Return True if a host is an IP address, which needs no lookup."""
    if not isinstance(host, str):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def shown_address(host: object, port: object) -> str:
    """Return a host and a port in one string."""
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def first_address(infos: Addresses) -> str:
    """Return an address for a SOCKS proxy, which takes only one; IPv4 is preferred."""
    host: str = min(infos, key=lambda info: info[0])[4][0]
    return host


def interleave_families(infos: Addresses, first: int) -> list[AddressInfo]:
    """Return addresses with their families in turns (RFC 8305 §4).

    Args:
        infos: the addresses, preferred ones first.
        first: number of addresses of the preferred family before the first one of another
            family; 0 keeps the order.
    """
    if not infos or not first:
        return list(infos)
    families: dict[int, list[AddressInfo]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    preferred = families[infos[0][0]]
    ordered, preferred[:] = preferred[: first - 1], preferred[first - 1 :]
    rounds = itertools.zip_longest(*families.values())
    return ordered + [info for turn in rounds for info in turn if info is not None]


class Attempts:
    """Schedule of the attempts to connect to the addresses of a host (RFC 8305 §5).

    Args:
        host: the host, for the text of errors.
        port: the TCP port, for the text of errors.
        infos: the addresses.
        deadline: has the clock, and is told the step.
        happy_eyeballs_delay: seconds until the next address is tried while the last one has not
            answered; None waits until it has failed.
        interleave: number of addresses of the first family before one of another; 0 keeps their
            order; None stands for 1, or for 0 without a delay.
        all_errors: True raises an exception group if no address can be connected to.

    Raises:
        OSError: if there are no addresses.
    """

    def __init__(
        self,
        host: object,
        port: object,
        infos: Addresses,
        deadline: Deadline,
        *,
        happy_eyeballs_delay: float | None = HAPPY_EYEBALLS_DELAY,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> None:
        if not infos:
            raise OSError(f"no addresses found for {host}")
        if interleave is None:
            interleave = 0 if happy_eyeballs_delay is None else 1
        self._host = shown_address(host, port)
        self._waiting = interleave_families(list(dict.fromkeys(infos)), interleave)
        self._all = tuple(self._waiting)
        self._delay = float("inf") if happy_eyeballs_delay is None else happy_eyeballs_delay
        self._all_errors = all_errors
        self._clock = deadline.clock
        self._due = self._clock()
        self._errors: list[tuple[AddressInfo, OSError]] = []
        deadline.step = f"connecting to {self}"

    def __str__(self) -> str:
        """Return the host and its addresses."""
        addresses = ", ".join(shown_address(*info[4][:2]) for info in self._all)
        return self._host if addresses == self._host else f"{self._host} ({addresses})"

    def due(self) -> Iterator[AddressInfo]:
        """Yield the addresses to try now.

        Raises:
            Exception: after every address has failed, see :meth:`error`.
        """
        while self._waiting and self._clock() >= self._due:
            self._due = self._clock() + self._delay
            yield self._waiting.pop(0)
        if len(self._errors) == len(self._all):
            raise self.error()

    @contextlib.contextmanager
    def noting_failure(self, info: AddressInfo) -> Iterator[None]:
        """Note that an address cannot be connected to if an OSError is raised.

        The next address is due at once.
        """
        try:
            yield
        except OSError as exc:
            self._errors.append((info, exc))
            self._due = self._clock()

    def seconds_left(self) -> float | None:
        """Return the seconds until the next address is due; None if only a failure makes it due."""
        if not self._waiting or self._due == float("inf"):
            return None
        return max(self._due - self._clock(), 0)

    def error(self) -> Exception:
        """Return the error to raise after every address has failed.

        Returns:
            An OSError that names the addresses. If all have failed alike, its class and its
            `errno` are those of their errors.
        """
        errors = [exc for _, exc in self._errors]
        if self._all_errors:
            return ExceptionGroup(f"cannot connect to {self._host}", errors)
        codes = {exc.errno for exc in errors}
        # Not `strerror`, in which asyncio repeats the address instead of the reason.
        reasons = [os.strerror(exc.errno) if exc.errno else str(exc) for exc in errors]
        if len(set(reasons)) == 1:
            text = f"cannot connect to {self}: {reasons[0]}"
        else:
            text = f"cannot connect to {self._host}: " + "; ".join(
                f"{shown_address(*info[4][:2])}: {reason}"
                for (info, _), reason in zip(self._errors, reasons, strict=True)
            )
        code = codes.pop() if len(codes) == 1 else None
        return OSError(text) if code is None else OSError(code, text)
