"""The one thread that looks after connections while the application is elsewhere.

A thread that waits in `recv` reads the socket itself, so that a message costs no change of thread.
For the rest there is one watcher in the process, however many connections: it reads while nobody
else does (so pings are answered and closes noticed while the application is busy), sends what the
socket had no room for, and keeps the time. It starts with the first connection and ends with the
last.

A busy connection leaves `recv` and comes back all the time. So the watcher does not hear of
every leave: it takes a look now and then, for as long as anything moves.
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

# Seconds from the time that a connection was left alone to the time it is looked at.
LOOK_INTERVAL = 0.005


class Watched(Protocol):
    """What the watcher asks of a connection."""

    socket: socket.socket
    watched_events: int  # what it is registered for: the watcher's own note

    def look_after(self) -> int:
        """Do what can be done without waiting; return the events to be told of, 0 for none."""

    def keep_time(self) -> None:
        """Do what is due by the clock."""

    def lose_socket(self, exc: Exception) -> None:
        """End, since the watcher cannot watch the socket."""

    def break_down(self, exc: Exception) -> None:
        """End, since another of these methods has raised; this one does not."""

    def left_by_watcher(self) -> bool:
        """Take note that the watcher has left the socket; return whether that is for good."""


class Watcher:
    """A thread that looks after connections; get the process's with :meth:`of_process`."""

    _of_process: Watcher | None = None
    _changing = threading.Lock()

    def __init__(self) -> None:
        self._connections: set[Watched] = set()
        self._selector = selectors.DefaultSelector()
        self._bell, self._bell_button = socket.socketpair()
        for sock in (self._bell, self._bell_button):
            sock.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._urgent: deque[Watched] = deque()
        self._left_alone: deque[Watched] = deque()
        self._new_timers: deque[tuple[float, int, weakref.ref[Watched]]] = deque()
        self._timers: list[tuple[float, int, weakref.ref[Watched]]] = []
        self._timer_numbers = itertools.count()  # equal times are told apart by these
        self._look_at = math.inf
        self._wake_at = math.inf
        self._has_ended = False

    @classmethod
    def add(cls, connection: Watched) -> Watcher:
        """Have the process's watcher know a connection, and keep it until it has ended."""
        with cls._changing:
            watcher = cls._of_process
            if watcher is None:
                watcher = cls()
                thread = threading.Thread(target=watcher._run, name="ws6455 watcher", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system is short of threads
                    watcher._close()
                    raise
                cls._of_process = watcher
            watcher._connections.add(connection)
            return watcher

    @classmethod
    def forget_parent(cls) -> None:
        """Begin without a watcher in a forked process, which has not inherited the thread."""
        cls._of_process = None
        cls._changing = threading.Lock()

    # What connections call, from any thread ---------------------------------------------

    def look_soon(self, connection: Watched) -> None:
        """Look after a connection, unless it is attended to again within a moment."""
        if not self._has_ended:
            self._left_alone.append(connection)
            if self._look_at == math.inf:
                self._ring()

    def look_now(self, connection: Watched) -> None:
        """Look after a connection at once."""
        if not self._has_ended:
            self._urgent.append(connection)
            self._ring()

    def call_at(self, when: float, connection: Watched) -> None:
        """Call a connection's `keep_time` at a time, by `time.monotonic`."""
        self._new_timers.append((when, next(self._timer_numbers), weakref.ref(connection)))
        if when < self._wake_at:
            self._ring()

    def _ring(self) -> None:
        # Full: it will wake anyhow. Closed: the last connection has just ended.
        with contextlib.suppress(OSError):
            self._bell_button.send(b"\0")

    # The thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while self._has_connections():
            for connection in self._wait():
                self._look(connection)
                del connection  # nothing that has ended is kept while the watcher sleeps
            while self._urgent:
                self._look(self._urgent.popleft())
            now = time.monotonic()
            if now >= self._look_at:
                self._look_at = math.inf
                for _ in range(len(self._left_alone)):
                    self._look(self._left_alone.popleft())
            self._keep_time(now)
        self._close()

    def _close(self) -> None:
        # Those that have ended refer to this.
        self._has_ended = True
        self._urgent.clear()
        self._left_alone.clear()
        self._selector.close()
        self._bell.close()
        self._bell_button.close()

    def _has_connections(self) -> bool:
        if self._connections:
            return True
        cls = type(self)
        with cls._changing:
            if self._connections:
                return True
            if cls._of_process is self:
                cls._of_process = None
            return False

    def _wait(self) -> list[Watched]:
        """Wait for something to do; return the connections that something happened to."""
        if self._left_alone and self._look_at == math.inf:
            self._look_at = time.monotonic() + LOOK_INTERVAL
        timer_at = self._timers[0][0] if self._timers else math.inf
        self._wake_at = min(self._look_at, timer_at)
        # What others have left since then has not rung: they thought that this is awake.
        if self._urgent or self._new_timers or (self._left_alone and self._look_at == math.inf):
            timeout: float | None = 0
        elif self._wake_at == math.inf:
            timeout = None
        else:
            timeout = max(0, self._wake_at - time.monotonic())
        connections = []
        for key, _ in self._selector.select(timeout):
            if key.data is not None:
                connections.append(key.data)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._bell.recv(4096)
        return connections

    def _look(self, connection: Watched, *, timer: bool = False) -> None:
        """Look after a connection; have its socket watched, or leave it."""
        try:
            if timer:
                connection.keep_time()
            events = connection.look_after()
        except Exception as exc:
            connection.break_down(exc)
            events = 0
        if events != connection.watched_events:
            try:
                self._register(connection, events)
            except (KeyError, OSError, ValueError) as exc:
                # The application has closed the socket itself, or the system watches no more.
                self._unregister(connection)
                connection.lose_socket(exc)
                events = 0
        if not events and connection.left_by_watcher():
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
                # Its application has closed its socket itself; the number is another's now.
                self._unregister(stale.data)
                self._urgent.append(stale.data)
            self._selector.register(connection.socket, events, connection)
        connection.watched_events = events

    def _unregister(self, connection: Watched) -> None:
        connection.watched_events = 0
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)

    def _keep_time(self, now: float) -> None:
        while self._new_timers:
            heapq.heappush(self._timers, self._new_timers.popleft())
        if len(self._timers) > 4 * len(self._connections) + 64:
            # Most are of connections that have ended since.
            self._timers = [timer for timer in self._timers if timer[2]() in self._connections]
            heapq.heapify(self._timers)
        while self._timers and self._timers[0][0] <= now:
            connection = heapq.heappop(self._timers)[2]()
            if connection is not None:
                self._look(connection, timer=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Watcher.forget_parent)
