"""The command line: measure the selected rows, show the results and write them to files."""

import argparse
import importlib.util
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from .compiled import CompilerFailed
from .peers import PEERS, Peer
from .rows import QUICK, ROWS, SPEED, Row, batches, runs, select_peers, select_rows

# With these values the whole run takes about 36 minutes.
DEFAULT_ROUNDS, DEFAULT_SECONDS = 5, 0.5
QUICK_ROUNDS, QUICK_SECONDS = 2, 0.3
DEFAULT_OUTPUT = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Options:
    """The parsed command line; nothing is written if ``output`` is None."""

    rows: Sequence[Row]
    peers: Sequence[Peer]
    rounds: int
    seconds: float
    output: Path | None
    list_only: bool


class Interrupted(BaseException):
    """SIGINT or SIGTERM was received; the argument is the signal's number."""


def main() -> int:
    """Run the command line and return the exit status.

    The status is 0 if everything was measured, 1 if a program failed in a row, 2 for wrong usage
    or if a package or the compiler is missing, and 128 + the signal's number after SIGINT or
    SIGTERM.
    """
    options = parse(sys.argv[1:])
    if options.list_only:
        _list(options)
        return 0
    missing = missing_modules(options.rows, options.peers)
    if missing:
        for module, purpose in missing.items():
            print(f"{module} is not installed: {purpose}", file=sys.stderr)
        print(
            "Install with: pip install '.[bench,speed]'\n"
            "or leave programs out with --peers, or rows with --rows.",
            file=sys.stderr,
        )
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return _run(options)
    except CompilerFailed as error:
        print(error, file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        number = signal.Signals(interrupted.args[0])
        print(f"Ended by {number.name}; nothing is written.", file=sys.stderr)
        return 128 + number


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End the run; ignore further signals, which must not interrupt the clean-up."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, _ignore)
    raise Interrupted(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


def parse(arguments: Sequence[str]) -> Options:
    """Parse the command line and create the folder for the results.

    Raises:
        SystemExit: status 2 for wrong usage, after an error on standard error.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the library side by side with its peers, on this machine.",
    )
    parser.add_argument(
        "--rows",
        action="append",
        metavar="PATTERNS",
        help=f"for example 'echo-*,client-256B*'; may be repeated (default: all {len(ROWS)})",
    )
    parser.add_argument(
        "--peers",
        metavar="NAMES",
        default=",".join(peer.name for peer in PEERS),
        help="for example 'ws6455,picows' (default: %(default)s)",
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"turns per program (default: {DEFAULT_ROUNDS})"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help=f"length of a turn (default: {DEFAULT_SECONDS:g})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a selection of rows of every kind, in less than 2 minutes:"
        f" {QUICK_ROUNDS} rounds of {QUICK_SECONDS:g} s",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder for results.json, results.md and results.svg (default: benchmarks/results"
        " if all rows and peers are measured, otherwise nothing is written)",
    )
    parser.add_argument("--list", action="store_true", help="list the rows and their programs")
    given = parser.parse_args(arguments)
    try:
        patterns = ",".join(given.rows or [QUICK if given.quick else "*"])
        rows = select_rows(patterns.split(","))
    except ValueError as error:
        parser.error(f"argument --rows: {error}")
    try:
        peers = select_peers(given.peers.split(","))
    except ValueError as error:
        parser.error(f"argument --peers: {error}")
    rounds, seconds = given.rounds, given.seconds
    if rounds is None:
        rounds = QUICK_ROUNDS if given.quick else DEFAULT_ROUNDS
    if seconds is None:
        seconds = QUICK_SECONDS if given.quick else DEFAULT_SECONDS
    if rounds < 1:
        parser.error("argument --rounds: at least 1")
    if not 0.1 <= seconds <= 60:
        parser.error("argument --seconds: from 0.1 to 60")
    if not any(runs(peer, row) for peer in peers for row in rows):
        parser.error("none of these peers takes part in any of these rows")
    output: Path | None = given.output
    # A partial run must not overwrite the results of a full run.
    if output is None and len(rows) == len(ROWS) and len(peers) == len(PEERS):
        output = DEFAULT_OUTPUT
    if output is not None and not given.list:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"argument --output: {error}")
    return Options(rows, peers, rounds, seconds, output, given.list)


def missing_modules(rows: Iterable[Row], peers: Iterable[Peer]) -> dict[str, str]:
    """Map each required module that is not installed to its purpose."""
    needed = {"rich": "the progress bar and the tables", "matplotlib": "the plot"}
    pairs = [(row, peer) for row in rows for peer in peers if runs(peer, row)]
    for row, peer in pairs:
        if peer.distribution is not None:
            needed[peer.distribution] = f"the peer {peer.name}"
        if peer.name == SPEED:
            needed["numpy"] = f"the peer {peer.name}"
        if row.loop == "uvloop":
            needed["uvloop"] = "the rows on uvloop"
        if row.tls:
            needed["cryptography"] = "the certificate of the rows with TLS"
    return {
        module: purpose
        for module, purpose in needed.items()
        if importlib.util.find_spec(module) is None
    }


def _list(options: Options) -> None:
    for row in options.rows:
        names = ", ".join(peer.name for peer in options.peers if runs(peer, row))
        print(f"{row.name:<26}{names}")


def _run(options: Options) -> int:
    """Measure, show and write the results; return the exit status."""
    # Imported late, since these modules need packages that may be missing.
    from rich.console import Console

    from . import load, report, results
    from .awake import kept_awake
    from .contenders import Plan
    from .measure import measure
    from .progress import ProgressDisplay, expected_seconds, format_duration

    program_core, load_core, placement = choose_cores(os.sched_getaffinity(0))
    messages = Console(stderr=True)
    found: dict[Row, dict[str, results.Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder, kept_awake() as wakefulness:
        placement = f"{placement} {wakefulness}"
        certificate = Path(folder) / "certificate.pem"
        if any(row.tls for row in options.rows):
            load.make_certificate(certificate)
        plan = Plan(options.rounds, options.seconds, program_core, load_core, certificate)
        plans = batches(options.rows)
        total = format_duration(
            sum(expected_seconds(batch, options.peers, plan) for batch in plans)
        )
        print(
            f"Rows: {len(options.rows)}. Expected time: {total} min. {placement}", file=sys.stderr
        )
        conditions = results.conditions(options.peers, _described(options, placement))
        with ProgressDisplay(plans, options.peers, plan, messages) as progress:
            for batch in plans:
                progress.begin(batch)
                found |= measure(batch, options.peers, plan, progress.step)
    measured = results.Results(conditions, {row: found[row] for row in options.rows})
    # Without a terminal the width is unknown: give the tables enough room.
    report.show(measured, Console(width=None if sys.stdout.isatty() else 200))
    if options.output is None:
        print("Not written: not all rows and peers were measured, and --output is not given.")
    else:
        report.write(measured, options.output)
        for name in report.FILES:
            print(f"Written: {options.output / name}")
    return 1 if measured.failures() else 0


def choose_cores(cores: Iterable[int]) -> tuple[int | None, int | None, str]:
    """Choose the cores of the program under test and of the load; describe them in a sentence."""
    first, *others = sorted(cores)
    if not others:
        return None, None, "Not pinned: the program under test and the load share one core."
    return first, others[-1], f"The program under test on core {first}, the load on {others[-1]}."


def _described(options: Options, placement: str) -> dict[str, object]:
    return {
        "command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "placement": placement,
    }


if __name__ == "__main__":
    sys.exit(main())
