"""The programs under test as servers: ``python -m benchmarks.servers PEER --workload echo``.

Each peer's module has ``serving(options)``, a context manager that listens on a free port of
127.0.0.1 and gives the port; that of a server with threads has ``_threads`` behind its name. It is
written as that library's own documentation would have it.
"""

from dataclasses import dataclass
from ssl import SSLContext

# The limit of a received message, in bytes: 64 MiB pass, also where a message must be shorter.
MAX_SIZE = (64 << 20) + 1


@dataclass(frozen=True)
class Options:
    """What a server is to do.

    Attributes:
        fan_out: send each message to every connection, instead of back to its sender.
        deflate: agree to permessage-deflate.
        tls: speak TLS; None for plain TCP.
        size: of the payloads that come, in bytes: what one needs to know that does not look.
    """

    fan_out: bool = False
    deflate: bool = False
    tls: SSLContext | None = None
    size: int = 0
