"""Keeping idle cores awake during the measurements.

An idle core goes to sleep and takes microseconds to wake up. An idle core of a virtual machine is
returned to the host, and its wake-up takes longer than a program needs for a small message. With
one message in flight this delay would dominate every result. It would also favour slow programs,
since a program that works longer lets the cores sleep less.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# While this file is open, Linux limits the wake-up time of every core to the value written to it:
# microseconds as a 32-bit number (Documentation/power/pm_qos_interface.rst). Writing requires root.
_LATENCY = Path("/dev/cpu_dma_latency")
_ZERO = bytes(4)


@contextmanager
def kept_awake(latency: Path = _LATENCY) -> Iterator[str]:
    """Keep all cores awake during the block, if the system permits it.

    Yields a sentence that says whether it is permitted.

    Args:
        latency: the system's file for the maximum wake-up time.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(latency.open("wb", buffering=0)).write(_ZERO)
        except OSError as error:
            outcome = f"Idle cores may sleep ({error})."
        else:
            outcome = "Idle cores are kept awake."
        yield outcome
