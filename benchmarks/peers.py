"""The programs under test: the library, its peers, and the canned answers as the limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A program under test and its capabilities.

    Attributes:
        name: name on the command line and in the tables.
        distribution: installed package whose version is reported; None if it has none.
        serves: True if it is measured as a server.
        connects: True if it is measured as a client.
        compresses: True if it has permessage-deflate.
        threads: True if it has a server with threads, without an event loop.
        hides_numpy: True if it runs without numpy even if numpy is installed.
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
