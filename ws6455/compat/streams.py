"""A reader without I/O, whose methods are generators that wait for bytes.

``yield from reader.read_exact(2)`` within a generator that is resumed whenever bytes were fed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

__all__ = ["StreamReader"]


class StreamReader:
    """A buffer, fed from one side and read from the other."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.eof = False

    def _wait_for(
        self, size: Callable[[], int | None], what: Callable[[], str]
    ) -> Generator[None, None, int]:
        """Wait until `size` gives a number of bytes.

        Raises:
            EOFError: if the stream ends before; `what` says within what.
        """
        while (found := size()) is None:
            if self.eof:
                raise EOFError(f"stream ends after {len(self.buffer)} bytes, before {what()}")
            yield
        return found

    def _take(self, size: int) -> bytearray:
        taken = self.buffer[:size]
        del self.buffer[:size]
        return taken

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read up to a line feed, which is included.

        Args:
            m: bytes a line may have.
            too_long_exc_type: raised if it has more.

        Raises:
            EOFError: if the stream ends without a line feed.
        """
        searched = 0

        def size() -> int | None:
            nonlocal searched
            end = self.buffer.find(b"\n", searched) + 1
            searched = len(self.buffer)
            if (end or searched) > m:
                raise too_long_exc_type(f"read {end or searched} bytes, expected at most {m}")
            return end or None

        return self._take((yield from self._wait_for(size, lambda: "end of line")))

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read so many bytes.

        Raises:
            EOFError: if the stream ends before.
        """
        assert n >= 0
        enough = self._wait_for(
            lambda: n if len(self.buffer) >= n else None, lambda: f"{n} bytes have come"
        )
        return self._take((yield from enough))

    def read_to_eof(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read all there is.

        Args:
            m: bytes there may be.
            too_long_exc_type: raised if there are more.
        """
        while not self.eof:
            if len(self.buffer) > m:
                break
            yield
        if len(self.buffer) > m:
            raise too_long_exc_type(f"read {len(self.buffer)} bytes, expected at most {m}")
        return self._take(len(self.buffer))

    def at_eof(self) -> Generator[None, None, bool]:
        """Tell, once it is known, whether the stream has ended and everything is read."""
        while not self.buffer and not self.eof:
            yield
        return not self.buffer

    def feed_data(self, data: bytes | bytearray) -> None:
        """Take bytes.

        Raises:
            EOFError: if the stream has ended.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.buffer += data

    def feed_eof(self) -> None:
        """Take the end of the stream.

        Raises:
            EOFError: if it has ended already.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.eof = True

    def discard(self) -> None:
        """Throw away what was not read."""
        self.buffer.clear()
