"""Tests of ws6455.framing.masking, against the RFC's definition, byte by byte."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.framing import masking
from ws6455.framing.masking import INTEGER_LIMIT, NUMPY_LIMIT, apply_mask, apply_mask_in_place

KEY = b"\x37\xfa\x21\x3d"


@pytest.fixture(autouse=True, params=["numpy", "pure"], scope="module")
def numpy_or_not(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test with numpy, and as if numpy were not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "pure":
            patch.setattr(masking, "_numpy", lambda: None)
        else:
            assert masking._numpy() is not None
        yield


def mask_naively(data: bytes, key: bytes) -> bytes:
    """Octet i of the result is octet i of the data XOR octet i mod 4 of the key (§5.3)."""
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_the_rfc_s_example() -> None:
    assert apply_mask(b"Hello", KEY) == b"\x7f\x9f\x4d\x51\x58"  # §5.7


@pytest.mark.parametrize(
    "sizes",
    [
        range(301),
        range(INTEGER_LIMIT - 9, INTEGER_LIMIT + 10),
        range(NUMPY_LIMIT - 9, NUMPY_LIMIT + 10),
        (65535, 65536, 65537, 1_000_003),
    ],
    ids=["small", "around-the-integers'-limit", "around-numpy's-limit", "large"],
)
def test_every_size(sizes: range | tuple[int, ...]) -> None:
    for size in sizes:
        data = random_bytes(size)
        masked = apply_mask(data, KEY)
        assert type(masked) is bytes
        assert masked == mask_naively(data, KEY)
        assert apply_mask(masked, KEY) == data


@given(st.binary(max_size=2 * INTEGER_LIMIT), st.binary(min_size=4, max_size=4))
@settings(deadline=None)
def test_any_data_and_key(data: bytes, key: bytes) -> None:
    assert apply_mask(data, key) == mask_naively(data, key)


@pytest.mark.parametrize("size", [1, INTEGER_LIMIT, INTEGER_LIMIT + 1, NUMPY_LIMIT, 70_001])
@pytest.mark.parametrize("key", [bytes(4), b"\xff" * 4, b"\x00\x00\x00\xff", b"\xff\x00\x00\x00"])
def test_leading_and_trailing_zeros_stay(size: int, key: bytes) -> None:
    # Leading zeros are lost in an integer.
    for data in (bytes(size), b"\xff" * size):
        assert apply_mask(data, key) == mask_naively(data, key)


@pytest.mark.parametrize("size", [0, 1, 3, 5, 8])
@pytest.mark.parametrize("data", [b"", b"data", bytes(INTEGER_LIMIT + 1)], ids=["0", "4", "large"])
def test_a_key_of_another_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=f"must have 4 bytes, not {size}"):
        apply_mask(data, bytes(size))


# In place ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, NUMPY_LIMIT - 1, NUMPY_LIMIT + 20, 70_001])
@pytest.mark.parametrize("start", range(10))
def test_a_part_is_masked_where_it_stands_and_nothing_else(size: int, start: int) -> None:
    data = random_bytes(start + size + 5)
    payload = bytearray(data)
    with memoryview(payload) as view:
        apply_mask_in_place(view, start, start + size, KEY)
    end = start + size
    assert payload[start:end] == mask_naively(data, KEY)[start:end]
    assert payload[:start] == data[:start]
    assert payload[end:] == data[end:]


@given(st.lists(st.integers(0, 3 * NUMPY_LIMIT), max_size=6))
@settings(deadline=None)
def test_any_split_into_parts_gives_the_same(sizes: list[int]) -> None:
    data = random_bytes(sum(sizes))
    payload = bytearray(data)
    start = 0
    for size in sizes:
        apply_mask_in_place(memoryview(payload), start, start + size, KEY)
        start += size
    assert payload == mask_naively(data, KEY)
