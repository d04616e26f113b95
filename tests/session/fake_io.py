"""I/O without a transport: it keeps what is written, and the tests set the rest."""

from ws6455.protocol.roles import AnyProtocol
from ws6455.session.io import ConnectionIO

__all__ = ["FakeIO"]


class FakeIO(ConnectionIO):
    """Notes what is written, and whether reading is paused.

    Attributes:
        written: what was written, in order.
        reading: False while reading is paused.
        unsent: number of bytes that wait for room.
    """

    def __init__(self, protocol: AnyProtocol) -> None:
        super().__init__(protocol)
        self.written: list[bytes] = []
        self.reading = True
        self.unsent = 0

    @property
    def output(self) -> bytes:
        """All that was written."""
        return b"".join(self.written)

    def flush(self) -> None:
        """Write what the protocol has to send."""
        self.written += self._protocol.take_writes()

    def pause_reading(self) -> None:
        """Stop reading."""
        self.reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self.reading = True

    def unsent_bytes(self) -> int:
        """Return what the test has set."""
        return self.unsent

    def send(self, size: int) -> None:
        """Count as many bytes as sent, of those that had to wait."""
        self._given += size
