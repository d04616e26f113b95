"""The tables of rows and targets, and the programs that run in each row."""

import pytest

from benchmarks.peers import PEERS
from benchmarks.rows import (
    PURE,
    QUICK,
    ROWS,
    SPEED,
    TARGETS,
    Row,
    Workload,
    batches,
    runs,
    select_peers,
    select_rows,
)

NAMED = {row.name: row for row in ROWS}


def running(row: str) -> list[str]:
    return [peer.name for peer in PEERS if runs(peer, NAMED[row])]


def test_names_are_unique() -> None:
    assert len(NAMED) == len(ROWS)


def test_the_grid_is_whole() -> None:
    shapes = ["16B", "256B", "8KiB", "100KiB", "1MiB", "32x64B", "32x64Bx16"]
    variants = ["", "-text", "-uvloop", "-deflate"]
    for role in ("echo", "client"):
        rows = [row for row in ROWS if row.workload == role]
        names = {row.name for row in rows if row.loop != "threads" and not row.after_large}
        assert names == {f"{role}-{shape}{variant}" for shape in shapes for variant in variants}


def test_names_say_what_the_rows_are() -> None:
    row = NAMED["client-32x64Bx16-deflate"]
    assert row == Row(row.name, Workload.CLIENT, 32, 64, 16, text=True, deflate=True)
    assert NAMED["echo-1MiB-uvloop"].size == 1 << 20
    assert NAMED["echo-1MiB-uvloop"].loop == "uvloop"


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["idle"], ["idle"]),
        (["idle*", "handshakes"], ["handshakes", "idle", "idle-deflate"]),
        (["client-256B-????*"], [f"client-256B-{kind}" for kind in ("text", "uvloop", "deflate")]),
    ],
)
def test_patterns_select_rows_in_the_order_of_the_table(
    patterns: list[str], names: list[str]
) -> None:
    assert [row.name for row in select_rows(patterns)] == names


def test_a_pattern_without_a_row_is_named() -> None:
    with pytest.raises(ValueError, match=r"no row matches 'sync-\*'"):
        select_rows(["echo-*", "sync-*"])


def test_peers_are_selected_in_the_order_of_the_table() -> None:
    assert [peer.name for peer in select_peers(["raw", "ws6455"])] == ["ws6455", "raw"]
    with pytest.raises(ValueError, match=r"no peer is named 'ws'; the peers are ws6455, "):
        select_peers(["raw", "ws"])


@pytest.mark.parametrize(
    ("row", "absent"),
    [
        ("echo-256B", {SPEED}),
        ("echo-8KiB", set()),
        ("echo-256B-uvloop", set()),
        ("echo-256B-threads", {peer.name for peer in PEERS} - {"ws6455", "websockets"}),
        ("echo-8KiB-text", {"raw"}),
        ("echo-32x64B-after-large", {SPEED, "raw"}),
        ("echo-8KiB-deflate", {"raw", "picows"}),
        ("client-8KiB", {"raw"}),
        ("fan-out-500", {SPEED}),
        ("handshakes", {SPEED}),
        ("handshakes-tls", {SPEED, "raw"}),
        ("idle", {SPEED}),
        ("idle-deflate", {SPEED, "raw", "picows"}),
        ("import", {SPEED, "raw"}),
    ],
)
def test_who_runs_where(row: str, absent: set[str]) -> None:
    assert running(row) == [peer.name for peer in PEERS if peer.name not in absent]


def test_every_target_can_be_judged() -> None:
    for target in TARGETS:
        assert target.program in running(target.row)
        if target.peer is not None:
            assert target.peer in running(target.peer_row or target.row)


def test_text_is_held_against_binary_in_the_same_rounds() -> None:
    together = {
        row.name: {other.name for other in batch} for batch in batches(ROWS) for row in batch
    }
    text = [target for target in TARGETS if target.row.endswith("-text")]
    assert len(text) == 14
    for target in text:
        assert (target.program, target.peer, target.bound) == (PURE, PURE, 0.95)
        assert target.peer_row in together[target.row]
        assert target.peer_row != target.row


def test_batches_hold_every_row_once_and_mix_nothing_else() -> None:
    found = batches(ROWS)
    assert sorted(row.name for batch in found for row in batch) == sorted(NAMED)
    for batch in found:
        assert len({(row.workload, row.loop, row.deflate, row.size) for row in batch}) == 1
        assert len(batch) <= 2


def test_a_quick_run_has_every_workload_and_every_peer() -> None:
    rows = select_rows(QUICK.split(","))
    assert {row.workload for row in rows} == set(Workload)
    assert {peer for row in rows for peer in running(row.name)} == {peer.name for peer in PEERS}
    assert {row.loop for row in rows} == {"asyncio", "uvloop"}
    assert any(row.deflate for row in rows)
    assert any(row.tls for row in rows)
