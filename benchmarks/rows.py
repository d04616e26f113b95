"""The rows of the benchmark, the programs that run in each row, and the targets."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .peers import PEERS, Peer

# Peer names of the library without and with its extra `speed`.
PURE = "ws6455"
SPEED = "ws6455+speed"

# Below this size, in bytes, the extra `speed` changes only the event loop.
_NUMPY_SIZE = 1024

KIB = 1024
MIB = 1024 * KIB


class Workload(StrEnum):
    """The job of the program under test in a row."""

    ECHO = "echo"
    CLIENT = "client"
    FAN_OUT = "fan-out"
    HANDSHAKES = "handshakes"
    IDLE = "idle"
    IMPORT = "import"


@dataclass(frozen=True)
class Row:
    """One row of the results; ``size`` is the payload size of a message in bytes.

    ``loop`` is the event loop, ``asyncio`` or ``uvloop``, or ``threads`` for a server without one.
    With ``after_large``, messages of 1 MiB are exchanged first, on other connections. After them
    malloc no longer requests memory from the system for each read of the stock loop, as it does in
    a fresh process.
    """

    name: str
    workload: Workload
    connections: int = 1
    size: int = 0
    in_flight: int = 1
    text: bool = False
    loop: str = "asyncio"
    deflate: bool = False
    tls: bool = False
    after_large: bool = False

    @property
    def is_rate(self) -> bool:
        """True if the figure is a rate, where more is better; otherwise less is better."""
        return self.workload not in (Workload.IDLE, Workload.IMPORT)

    @property
    def exchanges(self) -> bool:
        """True if messages are answered, so that each has a round trip."""
        return self.workload in (Workload.ECHO, Workload.CLIENT)

    @property
    def unit(self) -> str:
        """The unit of the figures."""
        return {
            Workload.HANDSHAKES: "handshakes/s",
            Workload.IDLE: "bytes per connection",
            Workload.IMPORT: "seconds",
        }.get(self.workload, "messages/s")


# Connections, payload size in bytes, messages in flight on each connection.
_SHAPES = (
    (1, 16, 1),
    (1, 256, 1),
    (1, 8 * KIB, 1),
    (1, 100 * KIB, 1),
    (1, MIB, 1),
    (32, 64, 1),
    (32, 64, 16),
)


def _shape_name(connections: int, size: int, in_flight: int) -> str:
    for unit, bytes_per_unit in (("MiB", MIB), ("KiB", KIB), ("B", 1)):
        if size >= bytes_per_unit:
            name = f"{size // bytes_per_unit}{unit}"
            break
    if connections > 1:
        name = f"{connections}x{name}"
    return f"{name}x{in_flight}" if in_flight > 1 else name


def _exchanges(workload: Workload) -> Iterable[Row]:
    """Yield the rows of the echo server, or those of its client."""
    for shape in _SHAPES:
        name = f"{workload}-{_shape_name(*shape)}"
        yield Row(name, workload, *shape)
        yield Row(f"{name}-text", workload, *shape, text=True)
        yield Row(f"{name}-uvloop", workload, *shape, loop="uvloop")
        yield Row(f"{name}-deflate", workload, *shape, text=True, deflate=True)


ROWS = (
    *_exchanges(Workload.ECHO),
    Row("echo-32x64B-after-large", Workload.ECHO, 32, 64, after_large=True),
    Row("echo-256B-threads", Workload.ECHO, 1, 256, loop="threads"),
    Row("echo-32x64B-threads", Workload.ECHO, 32, 64, loop="threads"),
    *_exchanges(Workload.CLIENT),
    Row("fan-out-500", Workload.FAN_OUT, 500, 64),
    Row("fan-out-500-uvloop", Workload.FAN_OUT, 500, 64, loop="uvloop"),
    Row("fan-out-500-deflate", Workload.FAN_OUT, 500, 64, text=True, deflate=True),
    Row("handshakes", Workload.HANDSHAKES, 32),
    Row("handshakes-uvloop", Workload.HANDSHAKES, 32, loop="uvloop"),
    Row("handshakes-tls", Workload.HANDSHAKES, 4, tls=True),
    Row("idle", Workload.IDLE, 1000),
    Row("idle-deflate", Workload.IDLE, 1000, deflate=True),
    Row("import", Workload.IMPORT),
)

# The rows of the plot and of the first table, in their order.
MAIN = {
    "echo-256B": "Echo 256 B",
    "echo-8KiB": "Echo 8 KiB",
    "echo-100KiB": "Echo 100 KiB",
    "echo-1MiB": "Echo 1 MiB",
    "echo-32x64B": "Echo 64 B, 32 connections",
    "echo-32x64B-after-large": "… after messages of 1 MiB",
    "echo-32x64Bx16": "… and 16 in flight on each",
    "client-256B": "Client 256 B",
    "client-32x64B": "Client 64 B, 32 connections",
    "fan-out-500": "Fan-out to 500, 64 B",
    "fan-out-500-deflate": "Fan-out with deflate",
    "handshakes": "Opening handshakes",
    "idle": "Memory per idle connection",
}

# These rows cover every workload, both loops, compression on and off, and every peer.
QUICK = (
    "echo-256B,echo-100KiB,echo-32x64B,echo-32x64B-uvloop,echo-256B-deflate,client-32x64B,"
    "fan-out-500,handshakes,handshakes-tls,idle,import"
)


@dataclass(frozen=True)
class Target:
    """A target for the ratio of ``program`` in ``row`` to ``peer`` in ``peer_row``.

    The ratio must be at least ``bound``. ``peer_row`` defaults to ``row``. Without a peer, the
    figure of the program itself must be at most ``bound``.
    """

    row: str
    program: str
    bound: float
    peer: str | None = None
    peer_row: str | None = None


def _targets(rows: str, program: str, **peers: float) -> list[Target]:
    return [
        Target(row, program, bound, peer) for row in rows.split() for peer, bound in peers.items()
    ]


TARGETS = (
    *_targets("echo-16B echo-256B", PURE, websockets=1.1, aiohttp=1.0, picows=0.97),
    *_targets("echo-32x64B", PURE, websockets=3.0, aiohttp=2.3, picows=0.75),
    *_targets("echo-32x64B-uvloop", SPEED, picows=1.0),
    *_targets("echo-32x64Bx16", PURE, websockets=2.8, aiohttp=1.7, picows=1.3),
    *_targets("echo-100KiB echo-1MiB", PURE, websockets=0.55),
    *_targets("echo-100KiB echo-1MiB", SPEED, websockets=1.0, aiohttp=1.0),
    *_targets("client-16B client-256B client-8KiB", PURE, websockets=1.15, aiohttp=1.15),
    *_targets("client-100KiB client-1MiB", PURE, websockets=1.0, aiohttp=1.0),
    *_targets("client-32x64B client-32x64Bx16", PURE, websockets=2.0, aiohttp=2.0),
    *_targets("fan-out-500", PURE, websockets=1.2, picows=1.0),
    *_targets("fan-out-500-deflate", PURE, websockets=3.0),
    *_targets("handshakes", PURE, websockets=2.0),
    *_targets("echo-256B-threads echo-32x64B-threads", PURE, websockets=1.0),
    Target("idle", PURE, 8 * KIB),
    Target("idle-deflate", PURE, 10 * KIB),
    # The UTF-8 validation of text may cost 5%.
    *(
        Target(row.name, PURE, 0.95, PURE, peer_row=row.name.removesuffix("-text"))
        for row in ROWS
        if row.name.endswith("-text")
    ),
)


def select_rows(patterns: Sequence[str]) -> list[Row]:
    """Return the rows that match one of ``patterns``, such as ``echo-*``, in the table's order.

    Raises:
        ValueError: a pattern matches no row.
    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(row.name, pattern) for row in ROWS):
            raise ValueError(f"no row matches {pattern!r}")
    return [row for row in ROWS if any(fnmatch.fnmatchcase(row.name, p) for p in patterns)]


def select_peers(names: Sequence[str]) -> list[Peer]:
    """Return the peers of these names, in the table's order.

    Raises:
        ValueError: no peer has such a name.
    """
    for name in names:
        if all(peer.name != name for peer in PEERS):
            known = ", ".join(peer.name for peer in PEERS)
            raise ValueError(f"no peer is named {name!r}; the peers are {known}")
    return [peer for peer in PEERS if peer.name in names]


def runs(peer: Peer, row: Row) -> bool:
    """Return whether the peer takes part in the row."""
    if row.deflate and not peer.compresses:
        return False
    if row.workload is Workload.IMPORT:
        return peer.distribution is not None and peer.name != SPEED
    if row.loop == "threads" and not peer.threads:
        return False
    if not (peer.connects if row.workload is Workload.CLIENT else peer.serves):
        return False
    if peer.name == SPEED:
        return row.loop == "uvloop" or row.size >= _NUMPY_SIZE
    # The canned answers ignore the message type, and do not support TLS or two message sizes.
    return not (peer.name == "raw" and (row.text or row.tls or row.after_large))


def batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Group the rows to measure in the same rounds: text with binary, every other row alone.

    A ratio between rows of a batch is then as reliable as one between peers.
    """
    together: dict[object, list[Row]] = {}
    for row in rows:
        paired = replace(row, name="", text=False)
        together.setdefault(paired if row.exchanges else row, []).append(row)
    return list(together.values())
