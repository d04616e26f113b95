"""The results as text tables: figures, ratios, targets, latency, CPU time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from .peers import PEERS
from .results import BUSY_LIMIT, Outcome, Results, Spread
from .rows import MAIN, PURE, SPEED, TARGETS, Row, Target, Workload

MET = "met"
MISSED = "MISSED"

# Cells of a program that does not take part, and of one that failed.
ABSENT = "–"
FAILED = "failed"

# Marks a row in which the load generator may be the limit.
BOUNDED = "†"


@dataclass(frozen=True)
class Table:
    """A text table; ``note`` describes the cells, ``aside`` marks a secondary table."""

    title: str
    note: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    aside: bool = False


def tables(results: Results) -> list[Table]:
    """Return all tables that have at least one line."""
    found = [
        _main(results),
        _targets(results),
        *(_figures(results, title, rows) for title, rows in _groups(results).items()),
        *(_ratios(results, program) for program in (PURE, SPEED)),
        _latency(results),
        _cpu(results),
    ]
    return [table for table in found if table.lines]


def _main(results: Results) -> Table:
    """Return the medians of the main rows; empty unless all of them were measured."""
    rows = [row for name in MAIN if (row := results.row(name))]
    peers = _peers(results, rows)
    lines = [
        [MAIN[row.name], *(_cell(results, row, peer, partial(_median, row)) for peer in peers)]
        for row in rows
    ]
    note = "Medians: messages/s, handshakes/s; bytes per idle connection, where less is better."
    return Table("Main rows", note, ["", *peers], lines if len(rows) == len(MAIN) else [])


def _groups(results: Results) -> dict[str, list[Row]]:
    """Group the rows by kind; the keys are the headings."""
    groups: dict[str, list[Row]] = {}
    for row in results.rows:
        groups.setdefault(_heading(row), []).append(row)
    return groups


def _heading(row: Row) -> str:
    if row.exchanges:
        role = "Echo server" if row.workload is Workload.ECHO else "Client of an echo server"
        kind = "permessage-deflate, text" if row.deflate else ("text" if row.text else "binary")
        return f"{role}: {row.loop}, {kind}"
    return {
        Workload.FAN_OUT: "Fan-out to 500 connections, 64 B",
        Workload.HANDSHAKES: "Opening handshakes",
        Workload.IDLE: "Memory per idle connection",
        Workload.IMPORT: "Import",
    }[row.workload]


def _figures(results: Results, title: str, rows: Sequence[Row]) -> Table:
    """Return the medians of a group of rows and the highest busy share of the generator."""
    peers = _peers(results, rows)
    lines = []
    for row in rows:
        busy = results.generator(row)
        mark = f" {BOUNDED}" if busy is not None and busy > BUSY_LIMIT else ""
        write = partial(_median, row)
        cells = [_cell(results, row, peer, write) for peer in peers]
        lines.append([row.name + mark, *cells, ABSENT if busy is None else f"{busy:.0%}"])
    less = "" if rows[0].is_rate else "; less is better"
    note = f"Medians, {_unit(rows[0])}{less}."
    if any(line[0].endswith(BOUNDED) for line in lines):
        limit = f"{BUSY_LIMIT:.0%}"
        note += (
            f" {BOUNDED} The load generator was more than {limit} busy with the fastest program:"
            " the row is bounded by the generator."
        )
    return Table(title, note, ["row", *peers, "generator busy"], lines)


def _ratios(results: Results, program: str) -> Table:
    """Return the ratios of one of our programs to every peer, in all its rows."""
    rows = [row for row, peers in results.rows.items() if row.is_rate and program in peers]
    peers = [name for name in _peers(results, rows) if name not in (PURE, SPEED)]
    lines = []
    for row in rows:
        ratios = [results.ratio(row, program, name) for name in peers]
        lines.append([row.name, *(_spread(ratio) for ratio in ratios)])
    note = "Medians of the ratios of each round, with the lowest and the highest; more is better."
    return Table(f"{program} against", note, ["row", *peers], lines if peers else [])


def _targets(results: Results) -> Table:
    lines = []
    for target in TARGETS:
        measured = results.judge(target)
        if measured is not None:
            verdict = MET if is_met(target, measured) else MISSED
            lines.append([target.row, target.program, *_aim(target, measured), verdict])
    note = "Ratios of messages per second, or bytes; medians with the lowest and the highest round."
    columns = ["row", "program", "against", "target", "measured", ""]
    return Table("Targets", note, columns, lines)


def is_met(target: Target, measured: Spread) -> bool:
    """Return whether a target is met by the median."""
    if target.peer is None:
        return measured.median <= target.bound
    return measured.median >= target.bound


def _aim(target: Target, measured: Spread) -> list[str]:
    """Return three cells: the peer, the target and the measured figure."""
    if target.peer is None:
        extremes = f"{measured.median:,.0f} ({measured.low:,.0f} to {measured.high:,.0f})"
        return [ABSENT, f"at most {target.bound:,.0f}", extremes]
    against = f"{target.peer} in {target.peer_row}" if target.peer_row else target.peer
    # A third digit tells a near miss from a hit.
    return [against, f"at least {target.bound:.2f}", _spread(measured, 3)]


def _latency(results: Results) -> Table:
    def times(outcome: Outcome) -> str:
        p50, p99 = outcome.median("p50"), outcome.median("p99")
        return ABSENT if p50 is None or p99 is None else f"{_micro(p50)} / {_micro(p99)}"

    note = "Round trip or handshake, microseconds: median / 99th percentile; medians of the rounds."
    rows = [row for row in results.rows if row.is_rate]
    return _outcomes(results, "Latency", note, rows, times)


def _cpu(results: Results) -> Table:
    note = "Medians of messages or handshakes per second of CPU time of the program under test."
    rows = [row for row in results.rows if row.is_rate]
    return _outcomes(
        results,
        "Per second of CPU time",
        note,
        rows,
        lambda outcome: _significant(outcome.median("per_cpu_second")),
    )


def _outcomes(
    results: Results, title: str, note: str, rows: Sequence[Row], write: Callable[[Outcome], str]
) -> Table:
    peers = _peers(results, rows)
    lines = [[row.name, *(_cell(results, row, peer, write) for peer in peers)] for row in rows]
    return Table(title, note, ["row", *peers], lines, aside=True)


def _cell(results: Results, row: Row, peer: str, write: Callable[[Outcome], str]) -> str:
    outcome = results.rows[row].get(peer)
    if outcome is None:
        return ABSENT
    return FAILED if outcome.failure else write(outcome)


def _peers(results: Results, rows: Iterable[Row]) -> list[str]:
    """Return the names of the peers that took part in one of the rows."""
    present = {name for row in rows for name in results.rows[row]}
    return [peer.name for peer in PEERS if peer.name in present]


def _median(row: Row, outcome: Outcome) -> str:
    return figure(row, outcome.median())


def _unit(row: Row) -> str:
    return "milliseconds" if row.workload is Workload.IMPORT else row.unit


def figure(row: Row, value: float | None) -> str:
    """Format a figure of a row to three significant digits."""
    if value is not None and row.workload is Workload.IMPORT:
        value *= 1000
    return _significant(value)


def _significant(value: float | None) -> str:
    if value is None:
        return ABSENT
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def _micro(seconds: float) -> str:
    return _significant(seconds * 1e6)


def _spread(ratio: Spread | None, digits: int = 2) -> str:
    if ratio is None:
        return ABSENT
    return f"{ratio.median:.{digits}f} ({ratio.low:.{digits}f} to {ratio.high:.{digits}f})"
