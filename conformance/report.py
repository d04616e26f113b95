"""The results of a role: collected from all jobs, as a table and as an HTML page."""

import html
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .cases import SECTIONS, section

# The name of the library in the suite's results.
AGENT = "ws6455"


class Verdict(StrEnum):
    """The verdict on a case; the columns of the table, from good to bad."""

    OK = "OK"
    INFORMATIONAL = "INFORMATIONAL"
    NON_STRICT = "NON-STRICT"
    FAILED = "FAILED"
    DID_NOT_RUN = "did not run"

    @property
    def passed(self) -> bool:
        """True if a case with this verdict passes."""
        return self in (Verdict.OK, Verdict.INFORMATIONAL)


@dataclass(frozen=True)
class Result:
    """The suite's two judgements of a case that ran, as the suite spells them."""

    behavior: str
    behavior_close: str

    @property
    def verdict(self) -> Verdict:
        """The worse of the two judgements; all but the first three verdicts count as failures."""
        judgements = {self.behavior, self.behavior_close}
        for verdict in (Verdict.OK, Verdict.INFORMATIONAL, Verdict.NON_STRICT):
            judgements.discard(verdict.value)
            if not judgements:
                return verdict
        return Verdict.FAILED


@dataclass(frozen=True)
class Report:
    """The results of one role by case. A case of ``cases`` without a result did not run."""

    role: str
    cases: Sequence[str]
    results: dict[str, Result]

    def verdict(self, case: str) -> Verdict:
        """Return the verdict on one case."""
        result = self.results.get(case)
        return Verdict.DID_NOT_RUN if result is None else result.verdict

    @property
    def passed(self) -> int:
        """The number of cases that pass."""
        return sum(self.verdict(case).passed for case in self.cases)

    def table(self) -> str:
        """Return a text table that counts the verdicts by section."""
        counts: dict[int, Counter[Verdict]] = {}
        for case in self.cases:
            counts.setdefault(section(case), Counter())[self.verdict(case)] += 1
        rows = [(f"{number} {SECTIONS[number]}", counts[number]) for number in counts]
        rows.append(("all", sum(counts.values(), Counter())))
        lines = [f"{self.role:<26}" + "".join(f"  {verdict}" for verdict in Verdict)]
        for name, count in rows:
            columns = (f"  {count[verdict]:>{len(verdict)}}" for verdict in Verdict)
            lines.append(f"{name:<26}" + "".join(columns))
        return "\n".join(lines)

    def failures(self) -> list[str]:
        """Return a line for each case that does not pass."""
        lines = []
        for case in self.cases:
            if not self.verdict(case).passed:
                result = self.results.get(case)
                outcome = (
                    f"{result.behavior}, close {result.behavior_close}" if result else "did not run"
                )
                lines.append(f"{self.role} {case}: {outcome}")
        return lines


def collect(role: str, cases: Sequence[str], outputs: Iterable[Path], folder: Path) -> Report:
    """Collect the files that wstest wrote to ``outputs``, one folder per job, in ``folder``.

    Afterwards ``folder`` contains the suite's pages and data files of each case, one
    ``index.json`` in the format of wstest, and an ``index.html`` with a link to every page.
    """
    index: dict[str, dict[str, str]] = {}
    for output in outputs:
        index |= _read_index(output)
        for file in output.glob(f"{AGENT}_case_*"):
            file.replace(folder / file.name)
    index = {case: index[case] for case in cases if case in index}
    results = {
        case: Result(entry["behavior"], entry["behaviorClose"]) for case, entry in index.items()
    }
    report = Report(role, cases, results)
    (folder / "index.json").write_text(json.dumps({AGENT: index}, indent=3))
    (folder / "index.html").write_text(_page(report, folder), encoding="utf-8")
    return report


def clear(folder: Path) -> None:
    """Remove the files of an earlier ``collect`` from ``folder``, and nothing else."""
    for pattern in (f"{AGENT}_case_*", "index.json", "index.html"):
        for file in folder.glob(pattern):
            file.unlink()


def _read_index(output: Path) -> dict[str, dict[str, str]]:
    """Read the results of a job; empty if its wstest was killed before it wrote them."""
    try:
        index: dict[str, dict[str, dict[str, str]]] = json.loads(
            (output / "index.json").read_text()
        )
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return index.get(AGENT, {})


_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222 }
pre { font-size: 13px } h2 { font-size: 17px; margin: 1.5em 0 .3em }
.cases { display: flex; flex-wrap: wrap; gap: 4px }
.cases > * { padding: 2px 8px; border-radius: 3px; color: inherit; text-decoration: none }
.OK { background: #c8ecc8 } .INFORMATIONAL { background: #cfe2f8 }
.NON-STRICT { background: #ffe9a8 } .FAILED { background: #f8b8b0 }
.did-not-run { background: #ddd }
"""


def _page(report: Report, folder: Path) -> str:
    """Return an HTML page with a link to each case's page, coloured by verdict."""
    title = f"Autobahn test suite: {AGENT} as {report.role}"
    lines = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        f"<pre>{html.escape(report.table())}</pre>",
    ]
    for number in dict.fromkeys(map(section, report.cases)):
        lines.append(f'<h2>{number} {SECTIONS[number]}</h2><div class="cases">')
        lines += [_entry(report, case, folder) for case in report.cases if section(case) == number]
        lines.append("</div>")
    return "\n".join([*lines, "</body></html>\n"])


def _entry(report: Report, case: str, folder: Path) -> str:
    verdict, result = report.verdict(case), report.results.get(case)
    kind = verdict.replace(" ", "-")
    outcome = f"{result.behavior}, close {result.behavior_close}" if result else verdict
    page = f"{AGENT}_case_{case.replace('.', '_')}.html"
    if not (folder / page).exists():
        return f'<span class="{kind}" title="{html.escape(outcome)}">{case}</span>'
    return f'<a class="{kind}" title="{html.escape(outcome)}" href="{page}">{case}</a>'
