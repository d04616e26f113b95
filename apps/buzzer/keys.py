"""Single key presses from the terminal, without Enter and without root privileges.

The module uses msvcrt on Windows and termios elsewhere.
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
    def _cbreak_mode() -> Iterator[None]:
        yield

else:
    import os
    import termios
    import tty

    def _read_keys() -> bytes:
        return os.read(sys.stdin.fileno(), 64)

    @contextlib.contextmanager
    def _cbreak_mode() -> Iterator[None]:
        """Deliver each key at once and without echo; restore the terminal at the end."""
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
    """Yield an iterator over the keys pressed during the block; restore the terminal at its end.

    Ctrl+C still raises SIGINT. A key that sends several characters, such as an arrow, is
    delivered as these characters.
    """

    async def pressed() -> AsyncIterator[str]:
        while data := await read_input(_read_keys):
            for key in data.decode(errors="replace"):
                yield key

    with _cbreak_mode():
        yield pressed()
