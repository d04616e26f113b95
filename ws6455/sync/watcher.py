"""Watcher: the thread that serves connections while the application is busy.

A thread that waits in `recv` reads the socket itself, so that a message costs no change of thread.
One watcher in the process does the rest for all connections: it reads when no other thread does
(so that pings are answered and closes noticed), sends what the socket had no room for, and runs
timers. It starts with the first connection and ends with the last.

A busy connection leaves `recv` and calls it again all the time, so leaving `recv` does not wake
the watcher each time: the connection is put in a queue, which is checked after `CHECK_DELAY`.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import selectors
import socket
import threading
import time
import weakref
from collections import deque
from typing import Protocol

__all__ = ["Watched", "Watcher"]

# Seconds between :meth:`Watcher.check_soon` and the check.
CHECK_DELAY = 0.005


class Watched(Protocol):
    """The interface of a connection that the watcher uses."""

    socket: socket.socket
    watched_events: int  # events that the socket is registered for; set by the watcher

    def handle_events(self) -> int:
        """Read and write without waiting; return the events to wait for, 0 for none."""

    def handle_timer(self) -> None:
        """Run the timers that are due."""

    def socket_lost(self, exc: Exception) -> None:
        """End the connection: its socket cannot be watched."""

    def call_failed(self, exc: Exception) -> None:
        """End the connection: another of these methods has raised; this one must not."""

    def unwatched(self) -> bool:
        """Note that the socket is not watched; return True if the connection has ended."""


class Watcher:
    """The watcher of the process; get it with :meth:`add`."""

    _instance: Watcher | None = None
    _instance_lock = threading.Lock()

    def __init__(self) -> None:
        self._connections: set[Watched] = set()
        self._selector = selectors.DefaultSelector()
        self._wakeup_recv, self._wakeup_send = socket.socketpair()
        for sock in (self._wakeup_recv, self._wakeup_send):
            sock.setblocking(False)
        self._selector.register(self._wakeup_recv, selectors.EVENT_READ)
        self._to_check_now: deque[Watched] = deque()
        self._to_check_soon: deque[Watched] = deque()
        self._new_timers: deque[tuple[float, int, weakref.ref[Watched]]] = deque()
        self._timers: list[tuple[float, int, weakref.ref[Watched]]] = []
        self._timer_numbers = itertools.count()  # a tie-breaker for equal times
        self._next_check = math.inf
        self._wakes_at = math.inf
        self._has_ended = False

    @classmethod
    def add(cls, connection: Watched) -> Watcher:
        """Add a connection until it has ended; return the watcher, started if necessary."""
        with cls._instance_lock:
            watcher = cls._instance
            if watcher is None:
                watcher = cls()
                thread = threading.Thread(target=watcher._run, name="ws6455 watcher", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system is short of threads
                    watcher._close()
                    raise
                cls._instance = watcher
            watcher._connections.add(connection)
            return watcher

    @classmethod
    def reset_after_fork(cls) -> None:
        """Forget the watcher in a forked process, which does not have its thread."""
        cls._instance = None
        cls._instance_lock = threading.Lock()

    # Called by connections, from any thread ---------------------------------------------

    def check_soon(self, connection: Watched) -> None:
        """Check a connection after `CHECK_DELAY`."""
        if not self._has_ended:
            self._to_check_soon.append(connection)
            if self._next_check == math.inf:
                self._wake()

    def check_now(self, connection: Watched) -> None:
        """Check a connection at once."""
        if not self._has_ended:
            self._to_check_now.append(connection)
            self._wake()

    def call_at(self, when: float, connection: Watched) -> None:
        """Call a connection's `handle_timer` at a time of `time.monotonic`."""
        self._new_timers.append((when, next(self._timer_numbers), weakref.ref(connection)))
        if when < self._wakes_at:
            self._wake()

    def _wake(self) -> None:
        # A full socket wakes the thread anyway. It is closed if the last connection has ended.
        with contextlib.suppress(OSError):
            self._wakeup_send.send(b"\0")

    # The thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while self._has_connections():
            for connection in self._wait():
                self._check(connection)
                del connection  # must not keep a closed connection alive while the thread waits
            while self._to_check_now:
                self._check(self._to_check_now.popleft())
            now = time.monotonic()
            if now >= self._next_check:
                self._next_check = math.inf
                for _ in range(len(self._to_check_soon)):
                    self._check(self._to_check_soon.popleft())
            self._run_timers(now)
        self._close()

    def _close(self) -> None:
        # Closed connections refer to this object: clear its references to them.
        self._has_ended = True
        self._to_check_now.clear()
        self._to_check_soon.clear()
        self._selector.close()
        self._wakeup_recv.close()
        self._wakeup_send.close()

    def _has_connections(self) -> bool:
        if self._connections:
            return True
        cls = type(self)
        with cls._instance_lock:
            if self._connections:
                return True
            if cls._instance is self:
                cls._instance = None
            return False

    def _wait(self) -> list[Watched]:
        """Wait for events, wake-ups and timers; return the connections that have events."""
        if self._to_check_soon and self._next_check == math.inf:
            self._next_check = time.monotonic() + CHECK_DELAY
        timer_at = self._timers[0][0] if self._timers else math.inf
        self._wakes_at = min(self._next_check, timer_at)
        # Connections queued meanwhile did not signal; check before blocking.
        if (
            self._to_check_now
            or self._new_timers
            or (self._to_check_soon and self._next_check == math.inf)
        ):
            timeout: float | None = 0
        elif self._wakes_at == math.inf:
            timeout = None
        else:
            timeout = max(0, self._wakes_at - time.monotonic())
        connections = []
        try:
            ready = self._selector.select(timeout)
        except (OSError, ValueError) as exc:
            self._refuse_newest(exc)
            return []
        for key, _ in ready:
            if key.data is not None:
                connections.append(key.data)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._wakeup_recv.recv(4096)
        return connections

    def _refuse_newest(self, exc: Exception) -> None:
        """End the connection watched last: the selector cannot watch all of them.

        On Windows, select() takes 512 sockets.
        """
        watched = [key.data for key in self._selector.get_map().values() if key.data is not None]
        if not watched:
            time.sleep(CHECK_DELAY)  # timers and queued checks go on
            return
        self._unregister(watched[-1])
        watched[-1].socket_lost(exc)
        self._to_check_now.append(watched[-1])

    def _check(self, connection: Watched, *, timer: bool = False) -> None:
        """Check a connection, and watch its socket for the events it waits for."""
        try:
            if timer:
                connection.handle_timer()
            events = connection.handle_events()
        except Exception as exc:
            connection.call_failed(exc)
            events = 0
        if events != connection.watched_events:
            try:
                self._register(connection, events)
            except (KeyError, OSError, ValueError) as exc:
                # The application has closed the socket, or the system has no room for another.
                self._unregister(connection)
                connection.socket_lost(exc)
                events = 0
        if not events and connection.unwatched():
            self._connections.discard(connection)

    def _register(self, connection: Watched, events: int) -> None:
        if not events:
            self._unregister(connection)
            return
        if connection.watched_events:
            self._selector.modify(connection.socket, events, connection)
        else:
            stale = self._selector.get_map().get(connection.socket)
            if stale is not None:
                # The application has closed that socket; its file descriptor was reused.
                self._unregister(stale.data)
                self._to_check_now.append(stale.data)
            self._selector.register(connection.socket, events, connection)
        connection.watched_events = events

    def _unregister(self, connection: Watched) -> None:
        connection.watched_events = 0
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)

    def _run_timers(self, now: float) -> None:
        while self._new_timers:
            heapq.heappush(self._timers, self._new_timers.popleft())
        if len(self._timers) > 4 * len(self._connections) + 64:
            # Most of the timers belong to connections that have ended.
            self._timers = [timer for timer in self._timers if timer[2]() in self._connections]
            heapq.heapify(self._timers)
        while self._timers and self._timers[0][0] <= now:
            connection = heapq.heappop(self._timers)[2]()
            if connection is not None:
                self._check(connection, timer=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Watcher.reset_after_fork)
