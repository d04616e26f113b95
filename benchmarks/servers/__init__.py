"""The programs under test as servers: ``python -m benchmarks.servers PEER --workload echo``.

Each peer's module has ``serving(options)``, a context manager that listens on a free port of
127.0.0.1 and yields the port. Modules of servers with threads end in ``_threads``. Each follows the
style of that library's documentation.
"""

from dataclasses import dataclass
from ssl import SSLContext

# The limit of a received message, in bytes: 64 MiB pass even if the limit is exclusive.
MAX_SIZE = (64 << 20) + 1


@dataclass(frozen=True)
class Options:
    """Options of a server.

    Attributes:
        fan_out: send each message to every connection instead of its sender only.
        deflate: accept permessage-deflate.
        tls: TLS context; None for plain TCP.
        size: payload size of the received messages, in bytes; needed by the canned answers.
    """

    fan_out: bool = False
    deflate: bool = False
    tls: SSLContext | None = None
    size: int = 0
