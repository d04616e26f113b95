"""The command line: run the suite against one or both roles and report the results."""

import argparse
import asyncio
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cases import CASES, select, split
from .job import Job, JobFailed
from .progress import Progress
from .report import Report, clear, collect
from .wstest import Wstest, WstestMissing, find

ROLES = ("server", "client")


@dataclass(frozen=True)
class Options:
    """The parsed command line; ``report`` is the absolute path of an existing folder."""

    roles: Sequence[str]
    cases: Sequence[str]
    jobs: int
    report: Path


def main() -> int:
    """Run the command line and return the exit status.

    The status is 0 if every case passes, 1 if a case fails or does not run, 2 for wrong usage,
    and 128 + the signal's number after SIGINT or SIGTERM.
    """
    options = _parse(sys.argv[1:])
    try:
        return asyncio.run(_until_interrupted(options))
    except WstestMissing as error:
        print(error, file=sys.stderr)
        return 1


def _parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m conformance",
        description="Run the Autobahn test suite against the echo server and the echo client.",
    )
    parser.add_argument("--role", choices=[*ROLES, "both"], default="both", help="default: both")
    parser.add_argument(
        "--cases",
        action="append",
        metavar="PATTERNS",
        help=f"for example '6.*,7.1.1'; may be repeated (default: all {len(CASES)})",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=2,
        metavar="N",
        help="wstest processes for each role (default: %(default)s)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("conformance-report"),
        metavar="DIR",
        help="folder of the report (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error("argument --jobs: at least 1")
    try:
        cases = select(",".join(given.cases or ["*"]).split(","))
    except ValueError as error:
        parser.error(f"argument --cases: {error}")
    report: Path = given.report.absolute()
    try:
        report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --report: {error}")
    roles = ROLES if given.role == "both" else (given.role,)
    return Options(roles, cases, given.jobs, report)


async def _until_interrupted(options: Options) -> int:
    """Run the suite; on a signal, stop it. All processes have ended when this returns."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    received: list[signal.Signals] = []

    def interrupt(number: signal.Signals) -> None:
        if not received:  # A second signal must not interrupt the clean-up.
            received.append(number)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    try:
        return await _run_suite(options)
    except asyncio.CancelledError:
        if not received:
            raise
        print(f"Ended by {received[0].name}; there is no report.", file=sys.stderr)
        return 128 + received[0]


async def _run_suite(options: Options) -> int:
    """Run the suite, print the results and return the exit status."""
    wstest = await find(options.report)
    totals = {role: len(options.cases) for role in options.roles}
    progress = Progress(totals, sys.stderr)
    jobs = [job for role in options.roles for job in _jobs(role, options, wstest, progress)]
    showing = asyncio.create_task(progress.show())
    try:
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(_run_job(job)) for job in jobs]
    finally:
        showing.cancel()
        await asyncio.wait([showing])
    errors = [error for run in runs if (error := run.result())]
    for error in errors:
        print(error, file=sys.stderr)
    reports = []
    for role in options.roles:
        outputs = [job.results for job in jobs if job.role == role]
        reports.append(collect(role, options.cases, outputs, options.report / role))
    return 1 if _print_reports(reports, options.report) or errors else 0


def _jobs(role: str, options: Options, wstest: Wstest, progress: Progress) -> list[Job]:
    """Split the cases of a role into jobs; remove the files of an earlier run."""
    folder = options.report / role
    folder.mkdir(exist_ok=True)
    clear(folder)
    for earlier in folder.glob("job-*"):
        shutil.rmtree(earlier)
    return [
        Job(role, cases, folder / f"job-{number}", wstest, progress.begin)
        for number, cases in enumerate(split(options.cases, options.jobs), 1)
    ]


async def _run_job(job: Job) -> str | None:
    """Run a job; return the text of its failure or None, so that the other jobs continue."""
    try:
        await job.run()
    except JobFailed as error:
        return f"{job.role}: {error}"
    return None


def _print_reports(reports: Sequence[Report], folder: Path) -> int:
    """Print the tables, the failed cases and the totals; return the number of failures."""
    for report in reports:
        print(f"\n{report.table()}")
    print()
    for report in reports:
        for line in report.failures():
            print(line)
    for report in reports:
        print(f"Report: {folder / report.role / 'index.html'}")
    passed = sum(report.passed for report in reports)
    failed = sum(len(report.cases) for report in reports) - passed
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
