"""Cores that do not sleep while a program waits for the other side.

A core with nothing to do goes to sleep, and takes microseconds to wake; that of a virtual machine
is given back to the host, and takes more than a small message costs any of the programs. With one
message in flight that would be most of what is measured, and the same for all of them: one that
works longer lets the cores sleep less, and looks better for it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Linux keeps every core within the wake-up time written here, in microseconds, as a 32-bit number
# (Documentation/power/pm_qos_interface.rst), for as long as the file is open; root may write it.
_LATENCY = Path("/dev/cpu_dma_latency")
_NONE = bytes(4)


@contextmanager
def kept_awake(latency: Path = _LATENCY) -> Iterator[str]:
    """Keep all cores awake for the length of the block, if the system lets this process.

    Gives what came of it, in a sentence.

    Args:
        latency: the file that the system reads the longest wake-up time from.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(latency.open("wb", buffering=0)).write(_NONE)
        except OSError as error:
            outcome = f"Idle cores may sleep ({error})."
        else:
            outcome = "Idle cores are kept awake."
        yield outcome
