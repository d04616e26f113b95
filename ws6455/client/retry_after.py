"""Delay that a refusal asks for with the header Retry-After.

RFC 9110 §10.2.3 (Retry-After), §5.6.7 (dates).
"""

from __future__ import annotations

import datetime
import email.utils
import re
import time
from collections.abc import Mapping

from ..settings import setting

__all__ = ["MAX_RETRY_AFTER", "retry_after"]

#: Seconds that a refusal can make a client wait.
MAX_RETRY_AFTER = setting("MAX_RETRY_AFTER", 90.0)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait that a refusal asks for, at most :data:`MAX_RETRY_AFTER`.

    A date counts from the Date of the response, since clocks differ; without one, from now.

    Args:
        headers: headers of the response.

    Returns:
        0 if Retry-After is absent, malformed or in the past.
    """
    value = _one(headers, "Retry-After")
    if re.fullmatch("[0-9]+", value) is not None:
        # Digits beyond these exceed any limit, and int() refuses thousands of them.
        return min(float(value[:18]), MAX_RETRY_AFTER)
    at = _parse_date(value)
    if at is None:
        return 0.0
    sent = _parse_date(_one(headers, "Date"))
    return min(max(at - (time.time() if sent is None else sent), 0.0), MAX_RETRY_AFTER)


def _one(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header; an empty string if it is absent or occurs several times."""
    try:
        return headers.get(name, "")
    except LookupError:
        return ""


def _parse_date(value: str) -> float | None:
    """Return the seconds since 1970 of an HTTP date, in any of its forms; None if malformed."""
    try:
        date = email.utils.parsedate_to_datetime(value)
        if date.tzinfo is None:  # the form of asctime() has no zone; all dates are in UTC
            date = date.replace(tzinfo=datetime.UTC)
        return date.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
