"""ws6455.http1.caches: shared results, with bounds on their number and on the size of keys."""

import pytest

from ws6455.exceptions import InvalidMessage
from ws6455.http1 import head, headers
from ws6455.http1.caches import MAX_SHARED_NAMES, SHARED_LINE_SIZE

CACHES = (
    headers._check_name,
    headers._shared_index,
    headers._parse_shared_line,
    head._parse_shared_request_line,
)


@pytest.mark.parametrize("cache", CACHES, ids=lambda cache: cache.__name__)
def test_every_cache_has_a_bound(cache: object) -> None:
    bound = cache.cache_info().maxsize  # type: ignore[attr-defined]  # of functools.lru_cache
    assert bound is not None
    assert bound <= 256


def test_short_lines_are_parsed_once_and_long_ones_are_not_kept() -> None:
    cache = headers._parse_shared_line
    short = b"X-Short: " + b"s" * (SHARED_LINE_SIZE - 9)
    headers.parse_fields([short])
    before = cache.cache_info()
    headers.parse_fields([short])
    assert cache.cache_info().hits == before.hits + 1
    headers.parse_fields([short + b"x"])
    assert cache.cache_info().currsize == before.currsize


def test_the_index_of_many_names_is_not_kept() -> None:
    cache = headers._shared_index
    lines = [b"X-%d: x" % number for number in range(MAX_SHARED_NAMES + 1)]
    before = cache.cache_info().currsize
    assert len(headers.parse_fields(lines)) == MAX_SHARED_NAMES + 1
    assert cache.cache_info().currsize == before


def test_a_malformed_line_is_malformed_every_time() -> None:
    for _ in range(3):
        with pytest.raises(InvalidMessage):
            headers.parse_fields([b"no colon"])
