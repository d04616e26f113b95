"""Tests of ws6455.framing.deflate, against zlib and a second implementation."""

import itertools
import random
import time
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.extensions import permessage_deflate as theirs
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode as TheirOpcode

from ws6455.exceptions import (
    ProtocolError,
)
from ws6455.framing.deflate import PerMessageDeflate

TAIL = b"\x00\x00\xff\xff"
RANDOM = random.Random(7692).randbytes(3000)
MESSAGES = [
    b"Hello",
    b"",
    b"Hello",
    b"",
    b"",
    RANDOM,
    RANDOM,
    b"a" * 100_000,
    b"Hello" * 900,
    b"\0",
]
BITS = range(8, 16)


def unlimited() -> int:
    return 0


def extension(
    remote_no_context: bool = False,
    local_no_context: bool = False,
    remote_bits: int = 15,
    local_bits: int = 15,
    **settings: Any,
) -> PerMessageDeflate:
    return PerMessageDeflate(
        remote_no_context, local_no_context, remote_bits, local_bits, settings or None
    )


def inflate(deflate: PerMessageDeflate, *pieces: bytes) -> bytes:
    """Decompress a whole message that arrives in pieces."""
    data = b"".join(
        inflated for piece in (*pieces, TAIL) for inflated in deflate.inflate(piece, unlimited)
    )
    deflate.end_inflated_message()
    return data


# Compressing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("no_context", [False, True])
def test_zlib_reads_what_is_compressed(bits: int, no_context: bool) -> None:
    deflate = extension(local_no_context=no_context, local_bits=bits)
    # A decompressor with exactly this window, 8 bits included.
    reader = zlib.decompressobj(wbits=-bits)
    for message in MESSAGES:
        if no_context:
            reader = zlib.decompressobj(wbits=-bits)
        assert reader.decompress(deflate.compress(message) + TAIL) == message


@pytest.mark.parametrize("bits", BITS)
def test_no_reference_leaves_the_window(bits: int) -> None:
    # zlib's decompressor enforces its window only between calls, so each byte is one call.
    for period in ((1 << bits) + 1, 3 << (bits - 1)):
        once = random.Random(period).randbytes(period)
        wire = extension(local_bits=bits).compress(once + once) + TAIL
        reader = zlib.decompressobj(wbits=-bits)
        received = b""
        while wire:
            received += reader.decompress(wire, 1)
            wire = reader.unconsumed_tail
        assert received == once + once


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("no_context", [False, True])
def test_fragments_of_every_kind(bits: int, no_context: bool) -> None:
    sender = extension(local_no_context=no_context, local_bits=bits)
    receiver = extension(remote_no_context=no_context, remote_bits=bits)
    for message in ([b"a", b"", b"b"], [b"", b""], [b"a" * 999, b""], [b"", b"a"], [b""] * 3):
        for _ in range(2):
            pieces = [sender.compress(piece, fin=False) for piece in message[:-1]]
            pieces.append(sender.compress(message[-1]))
            assert inflate(receiver, *pieces) == b"".join(message)


def test_without_context_takeover_an_empty_last_fragment_forgets_as_well() -> None:
    sender = extension(local_no_context=True)
    receiver = extension(remote_no_context=True)
    for _ in range(3):
        pieces = sender.compress(RANDOM, fin=False), sender.compress(b"")
        assert inflate(receiver, *pieces) == RANDOM


def test_context_takeover_saves_and_its_absence_costs() -> None:
    kept, forgotten = extension(), extension(local_no_context=True)
    sizes = [(len(kept.compress(RANDOM)), len(forgotten.compress(RANDOM))) for _ in range(2)]
    assert sizes[1][0] < 100
    assert sizes[0][1] == sizes[1][1] > 3000


def test_the_rfc_s_examples() -> None:
    # RFC 7692 §7.2.3: one block, two messages that share a window, a stored block, a final
    # block, two blocks.
    hello = "f248cdc9c90700"
    deflate = extension()
    assert deflate.compress(b"Hello").hex() == hello
    assert deflate.compress(b"Hello").hex() == "f200110000"
    for wire in (hello, "000500faff48656c6c6f00", "f348cdc9c9070000", "f24805000000ffffcac9c90700"):
        receiver = extension()
        assert inflate(receiver, bytes.fromhex(wire)) == b"Hello"
        assert inflate(receiver, bytes.fromhex(wire)) == b"Hello"
    receiver = extension()
    assert inflate(receiver, bytes.fromhex(hello)) == b"Hello"
    assert inflate(receiver, bytes.fromhex("f200110000")) == b"Hello"


def test_settings_reach_the_compressor() -> None:
    stored = extension(level=0)
    assert len(stored.compress(b"a" * 1000)) > 1000
    assert "level" in repr(stored)


def test_c23_empty_messages() -> None:
    sender, receiver = extension(), extension()
    for _ in range(3):
        assert sender.compress(b"") == b"\x00"
        assert inflate(receiver, b"\x00") == b""
    # As other implementations send them (§7.2.3.6 shows the first).
    for wire in ("00", "0200", "010000ffff00", "030000"):
        assert inflate(extension(), bytes.fromhex(wire)) == b""


@given(st.lists(st.binary(max_size=300), max_size=5), st.sampled_from(BITS), st.booleans())
@settings(deadline=None)
def test_round_trip(messages: list[bytes], bits: int, no_context: bool) -> None:
    sender = extension(local_no_context=no_context, local_bits=bits)
    receiver = extension(remote_no_context=no_context, remote_bits=bits)
    for message in messages:
        assert inflate(receiver, sender.compress(message)) == message


def test_a09_contexts_are_made_at_the_first_message_that_needs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    compressobj, decompressobj = zlib.compressobj, zlib.decompressobj

    def count(kind: str, make: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            made.append(kind)
            return make(*args, **kwargs)

        return counted

    monkeypatch.setattr(zlib, "compressobj", count("out", compressobj))
    monkeypatch.setattr(zlib, "decompressobj", count("in", decompressobj))
    deflate = extension()
    assert deflate.compress(b"") == b"\x00"
    assert made == []
    wire = deflate.compress(b"a")
    deflate.compress(b"b")
    assert made == ["out"]
    inflate(deflate, wire)
    inflate(deflate, b"\x00")
    assert made == ["out", "in"]


# One message for many ---------------------------------------------------------------------------


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("remote_no_context", [False, True])
def test_a_message_compressed_alone_fits_in_between(bits: int, remote_no_context: bool) -> None:
    senders = [
        extension(local_bits=bits, local_no_context=no_context) for no_context in (False, True)
    ]
    assert senders[0].shared_key == senders[1].shared_key
    for sender in senders:
        receiver = extension(
            remote_bits=bits,
            remote_no_context=sender.local_no_context_takeover and remote_no_context,
        )
        for message in (RANDOM[:200], b"", RANDOM[:200]):
            assert inflate(receiver, sender.compress(message)) == message
            alone = senders[0].compress_alone(message)
            assert alone == senders[1].compress_alone(message)
            assert inflate(receiver, alone) == message
            sender.forget_sent()
            assert inflate(receiver, sender.compress(message)) == message


def test_a_key_is_shared_by_those_whose_frames_are_equal() -> None:
    keys = {extension(local_bits=bits).shared_key for bits in BITS}
    assert len(keys) == len(BITS)
    assert extension(remote_bits=9).shared_key == extension().shared_key
    assert extension(level=1).shared_key != extension().shared_key
    assert extension(level=1, memLevel=5).shared_key == extension(memLevel=5, level=1).shared_key


# Inflating --------------------------------------------------------------------------------------


def deflated(data: bytes, flush: int = zlib.Z_SYNC_FLUSH, bits: int = 15) -> bytes:
    compressor = zlib.compressobj(wbits=-bits)
    return compressor.compress(data) + compressor.flush(flush)


@pytest.mark.parametrize("size", [1, 2, 7, 8192, 1 << 20])
def test_messages_in_many_flushes_and_blocks(size: int) -> None:
    compressor = zlib.compressobj(wbits=-15)
    wire = b"".join(
        compressor.compress(RANDOM[start : start + 500]) + compressor.flush(kind)
        for start, kind in zip(
            range(0, 3000, 500),
            itertools.cycle((zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH)),
            strict=False,
        )
    )
    pieces = [wire[start : start + size] for start in range(0, len(wire) - 4, size)]
    pieces[-1] = wire[:-4][(len(pieces) - 1) * size :]
    assert inflate(extension(), *pieces) == RANDOM


@pytest.mark.parametrize("size", [1, 3, 100, 1 << 20])
def test_final_blocks_end_the_stream_and_not_the_message(size: int) -> None:
    # §7.2.3.4
    final = deflated(RANDOM, zlib.Z_FINISH)
    receiver = extension()
    for wire in (final + b"\x00", final * 3 + b"\x00", final + deflated(b"more")[:-4]):
        pieces = [wire[start : start + size] for start in range(0, len(wire), size)]
        expected = RANDOM * 3 if len(wire) > 2 * len(final) else RANDOM
        if wire.endswith(deflated(b"more")[:-4]):
            expected += b"more"
        assert inflate(receiver, *pieces) == expected
    assert inflate(receiver, deflated(b"next")[:-4]) == b"next"


def test_a_flood_of_final_blocks_takes_linear_time() -> None:
    # Two bytes per block. Each block needs a decompressor; none may copy the rest of the input.
    def seconds(count: int) -> float:
        times = []
        for _ in range(2):
            start = time.process_time()
            assert inflate(extension(), b"\x03\x00" * count, b"\x00") == b""
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(1 << 18) < 192 * seconds(1 << 12) + 0.02


@pytest.mark.parametrize("room", [1, 2, 1000, 1 << 20])
def test_pieces_are_no_longer_than_there_is_room(room: int) -> None:
    wire = deflated(bytes(100_000))[:-4]
    pieces = list(extension().inflate(wire, lambda: room))
    assert max(map(len, pieces)) <= room
    assert b"".join(pieces) == bytes(100_000)


def test_nothing_is_held_back_for_lack_of_room() -> None:
    # Frames may end anywhere: the output of a piece must not wait for the next one.
    wire = deflated(bytes(5000) + RANDOM[:300] + bytes(5000))
    ours, plain = extension(), zlib.decompressobj(wbits=-15)
    for index in range(len(wire)):
        piece = wire[index : index + 1]
        assert b"".join(ours.inflate(piece, lambda: 7)) == plain.decompress(piece)


@pytest.mark.parametrize("wire", ["06", "ff", "07", "000500fafe", "0500000000", "4b0400ffff"])
def test_what_is_not_deflate_is_a_protocol_error(wire: str) -> None:
    with pytest.raises(ProtocolError, match="decompression failed"):
        inflate(extension(), bytes.fromhex(wire) + b"\xaa" * 300)


def test_a_reference_beyond_the_window_or_before_the_start_is_a_protocol_error() -> None:
    compressor = zlib.compressobj(wbits=-15)
    first = compressor.compress(RANDOM) + compressor.flush(zlib.Z_SYNC_FLUSH)
    second = compressor.compress(RANDOM) + compressor.flush(zlib.Z_SYNC_FLUSH)
    receiver = extension(remote_no_context=True)
    assert inflate(receiver, first[:-4]) == RANDOM
    with pytest.raises(ProtocolError, match="decompression failed"):
        inflate(receiver, second[:-4])
    receiver = extension(remote_bits=9)
    assert inflate(receiver, first[:-4]) == RANDOM
    with pytest.raises(ProtocolError, match="decompression failed"):
        inflate(receiver, second[:-4])


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_inflated_or_refused(data: bytes) -> None:
    deflate = extension()
    try:
        inflate(deflate, data)
    except ProtocolError:
        return


# Against the second implementation --------------------------------------------------------------


@pytest.mark.parametrize("no_context", [False, True])
@pytest.mark.parametrize("bits", BITS)
def test_both_implementations_read_each_other(bits: int, no_context: bool) -> None:
    our_sender = extension(local_no_context=no_context, local_bits=bits)
    our_receiver = extension(remote_no_context=no_context, remote_bits=bits)
    their_sender = theirs.PerMessageDeflate(False, no_context, 15, max(bits, 9))
    their_receiver = theirs.PerMessageDeflate(no_context, False, bits, 15)
    for message in MESSAGES:
        frame = TheirFrame(TheirOpcode.BINARY, message)
        assert inflate(our_receiver, bytes(their_sender.encode(frame).data)) == message
        frame = TheirFrame(TheirOpcode.BINARY, our_sender.compress(message), rsv1=True)
        assert bytes(their_receiver.decode(frame).data) == message
