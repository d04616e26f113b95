"""ws6455.client.session: a client's opening handshake (RFC 6455 §4.1), without the waiting."""

from typing import Any

import pytest

from tests.session.fake_io import FakeIO
from ws6455.client.session import BODY_TIMEOUT, ClientSession
from ws6455.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from ws6455.http1.headers import HeadersLike
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.protocol.states import State
from ws6455.testing import opening_response


class Client(ClientSession):
    def __init__(self) -> None:
        protocol = ClientProtocol(parse_uri("ws://localhost/"))
        self.io = FakeIO(protocol)
        super().__init__(protocol, self.io, lambda: 0.0, None, None, None, None)

    def _abort(self) -> None: ...
    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None: ...
    def _reschedule(self) -> None: ...


def request_of(additional: HeadersLike | None = None, agent: str | None = "agent") -> list[str]:
    """Return the lines of the request."""
    client = Client()
    client._send_request(additional, agent)
    return client.io.output.decode("latin-1").split("\r\n")


def test_the_request_has_the_additional_headers() -> None:
    lines = request_of([("X-Token", "a"), ("X-Token", "b")])
    assert lines[0] == "GET / HTTP/1.1"
    assert [line for line in lines if line.startswith("X-Token")] == ["X-Token: a", "X-Token: b"]


@pytest.mark.parametrize(
    ("additional", "agent", "expected"),
    [
        (None, "agent", ["User-Agent: agent"]),
        (None, None, []),
        ({"User-Agent": "mine"}, "agent", ["User-Agent: mine"]),
        ({"user-agent": "mine"}, "agent", ["user-agent: mine"]),
        ({"User-Agent": "mine"}, None, ["User-Agent: mine"]),
    ],
)
def test_user_agent(additional: HeadersLike | None, agent: str | None, expected: list[str]) -> None:
    lines = request_of(additional, agent)
    assert [line for line in lines if line.lower().startswith("user-agent")] == expected


def answered(answer: bytes | None = None) -> Client:
    """Return a client that has received an answer: by default the one that accepts it."""
    client = Client()
    client._send_request(None, None)
    assert not client._is_answered()
    request = client.io.output.decode("latin-1")
    client.protocol.receive_data(opening_response(request) if answer is None else answer)
    return client


def test_an_accepted_client() -> None:
    client = answered()
    assert client._is_answered()
    client._check_accepted()
    assert client.state is State.OPEN
    assert client.response is not None
    assert client.response.status_code == 101


def test_half_an_answer_is_none() -> None:
    client = answered(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert not client._is_answered()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", InvalidStatus),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", InvalidHandshake),
    ],
)
def test_a_client_that_was_not_accepted(answer: bytes, error: type[Exception]) -> None:
    client = answered(answer)
    assert client._is_answered()
    with pytest.raises(error) as caught:
        client._check_accepted()
    assert client.protocol.handshake_exc is caught.value
    client.protocol.drop_handshake_exc()  # its traceback refers to the connection
    assert client.protocol.handshake_exc is None


class TimedClient(Client):
    """A client with a clock that the test sets."""

    def __init__(self, left: float | None) -> None:
        super().__init__()
        self.now = 100.0
        self._clock = lambda: self.now
        self.limit_opening(left)
        self._send_request(None, None)

    def refuse(self, head: bytes) -> None:
        self.protocol.receive_data(head)
        if self.protocol.has_events:
            self._process_events()


UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nwhy"


@pytest.mark.parametrize(
    ("left", "deadline"), [(None, 100 + BODY_TIMEOUT), (10, 100 + BODY_TIMEOUT), (0.5, 100.25)]
)
def test_the_body_of_a_refusal_has_a_deadline(left: float | None, deadline: float) -> None:
    client = TimedClient(left)
    assert client._next_deadline() is None
    client.refuse(UNAUTHORIZED)
    assert client._next_deadline() == deadline
    assert not client._is_answered()
    client.protocol.receive_data(b" now")
    client._process_events()
    assert client._next_deadline() == deadline  # it is one deadline, whatever arrives


def test_nothing_waits_for_the_body_of_a_redirect() -> None:
    client = TimedClient(10)
    client.refuse(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nhe")
    assert client._is_answered()
    with pytest.raises(InvalidStatus) as caught:
        client._check_accepted()
    assert caught.value.response.body == b"he"


def test_the_lifetime_ends_with_the_connection() -> None:
    client = TimedClient(10)
    request = client.io.output.decode("latin-1")
    client.protocol.receive_data(opening_response(request))
    client.now = 103.0
    client._start()
    client.now = 105.0
    assert client.lifetime == 2.0
    client.protocol.receive_data(b"\x88\x02\x03\xe8")  # a Close frame
    client._process_events()
    client.now = 150.0
    assert client.lifetime == 2.0
    client._lose_transport(None)
    assert client.lifetime == 2.0
