"""ws6455.session.io: progress of bytes that had to wait."""

from tests.session.fake_io import FakeIO
from ws6455 import ServerProtocol


def test_a_new_connection_can_send_and_has_no_addresses() -> None:
    io = FakeIO(ServerProtocol())
    assert (io.writing_paused, io.sending_ended, io.lost) == (False, False, False)
    assert io.local_address is io.remote_address is None


def test_bytes_that_wait_are_not_sent() -> None:
    io = FakeIO(ServerProtocol())
    io.send(1000)
    io.unsent = 600
    assert io.sent_bytes() == 400
    io.unsent = 0
    assert io.sent_bytes() == 1000
