"""ws6455.protocol.server: the Date of a response comes from a clock that is passed in."""

import pytest

from tests.protocol.heads import request_with
from ws6455 import Headers, Response
from ws6455.protocol.server import ServerProtocol

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def sent(server: ServerProtocol) -> str:
    return b"".join(server.data_to_send()).decode("latin-1")


def answered(response: Response | None = None, date: str | None = DATE) -> str:
    """Return the head and body that a server sends for a request."""
    server = ServerProtocol(date=None if date is None else lambda: date)
    server.receive_data(request_with())
    assert server.request is not None
    server.send_response(response or server.accept(server.request))
    return sent(server)


def test_an_accepting_response_has_a_date_first() -> None:
    assert answered().startswith(f"HTTP/1.1 101 Switching Protocols\r\nDate: {DATE}\r\n")


@pytest.mark.parametrize("status", [200, 403, 500])
def test_any_other_response_has_one(status: int) -> None:
    assert answered(Response.text(status, "")).count(f"\r\nDate: {DATE}\r\n") == 1


def test_a_date_of_its_own_is_kept() -> None:
    response = Response.text(200, "")
    response.headers["Date"] = "Mon, 07 Nov 1994 08:49:37 GMT"
    head = answered(response)
    assert "Mon, 07 Nov" in head
    assert DATE not in head


def test_the_refusal_of_a_malformed_request_has_one() -> None:
    server = ServerProtocol(date=lambda: DATE)
    server.receive_data(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
    head = sent(server)
    assert head.startswith("HTTP/1.1 400 ")
    assert f"\r\nDate: {DATE}\r\n" in head


def test_without_a_clock_there_is_no_date() -> None:
    assert "Date:" not in answered(date=None)
    assert "Date:" not in answered(Response.text(403, ""), date=None)


def test_a_response_that_is_sent_many_times_gets_the_date_of_each() -> None:
    page = Response(200, "OK", Headers(), b"")
    for date in (DATE, "Sun, 06 Nov 1994 08:49:38 GMT"):
        assert f"\r\nDate: {date}\r\n" in answered(page, date)
    assert "Date" not in page.headers
