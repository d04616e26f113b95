"""The command line: run the suite against one role or both, report, and judge by exit status."""

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
from .report import Report, clear, gather
from .wstest import Wstest, WstestMissing, find

ROLES = ("server", "client")


@dataclass(frozen=True)
class Options:
    """What the command line asks for; ``report`` is an absolute path to a folder that exists."""

    roles: Sequence[str]
    cases: Sequence[str]
    jobs: int
    report: Path


def main() -> int:
    """Run the command line and give the exit status.

    It is 0 when every case passes, 1 when one fails or does not run, 2 for wrong usage, and
    128 + the signal's number after SIGINT or SIGTERM.
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
        help=f"such as '6.*,7.1.1'; may be repeated (default: all {len(CASES)})",
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
        help="where the report goes (default: %(default)s)",
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
    """Run until done or told to end by a signal; all processes are ended before it returns."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    received: list[signal.Signals] = []

    def interrupt(number: signal.Signals) -> None:
        if not received:  # A second signal must not cut the clearing up short.
            received.append(number)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    try:
        return await _conform(options)
    except asyncio.CancelledError:
        if not received:
            raise
        print(f"Ended by {received[0].name}; there is no report.", file=sys.stderr)
        return 128 + received[0]


async def _conform(options: Options) -> int:
    """Run the suite, print what it found and give the exit status."""
    wstest = await find(options.report)
    totals = {role: len(options.cases) for role in options.roles}
    progress = Progress(totals, sys.stderr)
    jobs = [job for role in options.roles for job in _jobs(role, options, wstest, progress)]
    showing = asyncio.create_task(progress.show())
    try:
        async with asyncio.TaskGroup() as group:
            attempts = [group.create_task(_attempt(job)) for job in jobs]
    finally:
        showing.cancel()
        await asyncio.wait([showing])
    problems = [problem for attempt in attempts if (problem := attempt.result())]
    for problem in problems:
        print(problem, file=sys.stderr)
    reports = []
    for role in options.roles:
        outputs = [job.results for job in jobs if job.role == role]
        reports.append(gather(role, options.cases, outputs, options.report / role))
    return 1 if _print(reports, options.report) or problems else 0


def _jobs(role: str, options: Options, wstest: Wstest, progress: Progress) -> list[Job]:
    """Split the cases of a role into jobs, in a folder cleared of an earlier run."""
    folder = options.report / role
    folder.mkdir(exist_ok=True)
    clear(folder)
    for earlier in folder.glob("job-*"):
        shutil.rmtree(earlier)
    return [
        Job(role, cases, folder / f"job-{number}", wstest, progress.begin)
        for number, cases in enumerate(split(options.cases, options.jobs), 1)
    ]


async def _attempt(job: Job) -> str | None:
    """Run a job and give what went wrong: the other jobs go on."""
    try:
        await job.run()
    except JobFailed as error:
        return f"{job.role}: {error}"
    return None


def _print(reports: Sequence[Report], folder: Path) -> int:
    """Print the tables, the complaints and the totals, and give the number of failures."""
    for report in reports:
        print(f"\n{report.table()}")
    print()
    for report in reports:
        for complaint in report.complaints():
            print(complaint)
    for report in reports:
        print(f"Report: {folder / report.role / 'index.html'}")
    passed = sum(report.passed for report in reports)
    failed = sum(len(report.cases) for report in reports) - passed
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
