"""Single keys from the terminal, as they are pressed: without Enter, and without root.

termios where there is one, msvcrt on Windows.
"""

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator

from apps.terminal import read_input

if sys.platform == "win32":
    import msvcrt

    def _read_keys() -> bytes:
        return msvcrt.getwch().encode()

    @contextlib.contextmanager
    def _key_by_key() -> Iterator[None]:
        yield

else:
    import os
    import termios
    import tty

    def _read_keys() -> bytes:
        return os.read(sys.stdin.fileno(), 64)

    @contextlib.contextmanager
    def _key_by_key() -> Iterator[None]:
        """Have the terminal give each key at once and show none; put it back at the end."""
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        try:
            tty.setcbreak(terminal)
            yield
        finally:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.asynccontextmanager
async def keys() -> AsyncIterator[AsyncIterator[str]]:
    """Give the keys pressed in this block one by one; it restores the terminal at its end.

    Ctrl+C stays what it is. A key that sends several characters (an arrow) gives each of them.
    """

    async def pressed() -> AsyncIterator[str]:
        while data := await read_input(_read_keys):
            for key in data.decode(errors="replace"):
                yield key

    with _key_by_key():
        yield pressed()
