"""The programs that are measured side by side: the library, its peers, and the limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One program under test, and what it can do.

    Attributes:
        name: as on the command line and in the tables.
        distribution: the installed package whose version is reported; None if it has none.
        serves: whether it is measured as a server.
        connects: whether it is measured as a client.
        compresses: whether it has permessage-deflate.
        threads: whether it has a server without an event loop.
        hides_numpy: whether it has to do without numpy even if that is installed.
    """

    name: str
    distribution: str | None
    serves: bool = True
    connects: bool = True
    compresses: bool = True
    threads: bool = False
    hides_numpy: bool = False

    @property
    def module(self) -> str:
        """The name of its module in ``benchmarks.servers`` and ``benchmarks.clients``."""
        return self.name.partition("+")[0]


PEERS = (
    Peer("ws6455", "ws6455", threads=True, hides_numpy=True),
    Peer("ws6455+speed", "ws6455"),
    Peer("websockets", "websockets", threads=True),
    Peer("aiohttp", "aiohttp"),
    Peer("picows", "picows", compresses=False),
    Peer("wsproto", "wsproto"),
    Peer("tornado", "tornado"),
    Peer("raw", None, connects=False, compresses=False),
)
