"""The delay that a refusal asks for."""

import email.utils
import time

import pytest

from ws6455 import Headers
from ws6455.client.retry_after import MAX_RETRY_AFTER, retry_after

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("90", MAX_RETRY_AFTER),
        ("86400", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        # The three forms of a date (RFC 9110 §5.6.7).
        ("Sun, 06 Nov 1994 08:49:49 GMT", 12),
        ("Sunday, 06-Nov-94 08:49:49 GMT", 12),
        ("Sun Nov  6 08:49:49 1994", 12),
        ("Mon, 07 Nov 1994 08:49:49 GMT", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sat, 05 Nov 1994 08:49:37 GMT", 0),
        # Malformed.
        ("", 0),
        ("-3", 0),
        ("1.5", 0),
        ("1e3", 0),
        ("\xb2", 0),
        ("soon", 0),
        ("Sun, 99 Nov 1994 08:49:49 GMT", 0),
        ("Sun, 06 Nov 1994 99:49:49 GMT", 0),
        ("Sun, 06 Nov 99999999999999 08:49:49 GMT", 0),
        (",,,", 0),
        ("Nov", 0),
    ],
)
def test_seconds_and_dates(value: str, seconds: float) -> None:
    assert retry_after(Headers({"Retry-After": value, "Date": DATE})) == seconds


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_date_counts_from_now_if_the_response_has_none(date: str | None) -> None:
    headers = Headers({"Retry-After": email.utils.formatdate(time.time() + 30, usegmt=True)})
    if date is not None:
        headers["Date"] = date
    assert 28 <= retry_after(headers) <= 30


def test_none_or_several_are_no_delay() -> None:
    assert retry_after(Headers()) == 0
    assert retry_after(Headers([("Retry-After", "1"), ("Retry-After", "2")])) == 0
