"""Verdicts, their counts, and the collection of results from the jobs."""

import json
from pathlib import Path

import pytest

from conformance.report import AGENT, Report, Result, Verdict, clear, collect


@pytest.mark.parametrize(
    ("behavior", "behavior_close", "verdict", "passed"),
    [
        ("OK", "OK", Verdict.OK, True),
        ("OK", "INFORMATIONAL", Verdict.INFORMATIONAL, True),
        ("INFORMATIONAL", "OK", Verdict.INFORMATIONAL, True),
        ("INFORMATIONAL", "INFORMATIONAL", Verdict.INFORMATIONAL, True),
        ("NON-STRICT", "OK", Verdict.NON_STRICT, False),
        ("OK", "NON-STRICT", Verdict.NON_STRICT, False),
        ("NON-STRICT", "INFORMATIONAL", Verdict.NON_STRICT, False),
        ("OK", "WRONG CODE", Verdict.FAILED, False),
        ("OK", "UNCLEAN", Verdict.FAILED, False),
        ("OK", "FAILED BY CLIENT", Verdict.FAILED, False),
        ("OK", "FAILED", Verdict.FAILED, False),
        ("FAILED", "OK", Verdict.FAILED, False),
        ("NON-STRICT", "FAILED", Verdict.FAILED, False),
        ("UNIMPLEMENTED", "OK", Verdict.FAILED, False),
        ("NO_CLOSE", "OK", Verdict.FAILED, False),
        ("a word of the future", "OK", Verdict.FAILED, False),
        ("did not run", "OK", Verdict.FAILED, False),
    ],
)
def test_a_case_counts_as_the_worse_of_its_two_judgements(
    behavior: str, behavior_close: str, verdict: Verdict, passed: bool
) -> None:
    result = Result(behavior, behavior_close)
    assert result.verdict is verdict
    assert result.verdict.passed is passed


@pytest.fixture
def report() -> Report:
    results = {
        "1.1.1": Result("OK", "OK"),
        "3.2": Result("NON-STRICT", "OK"),
        "7.1.5": Result("OK", "WRONG CODE"),
        "7.1.6": Result("INFORMATIONAL", "INFORMATIONAL"),
    }
    return Report("server", ["1.1.1", "1.1.2", "3.2", "7.1.5", "7.1.6"], results)


def test_the_table_counts_by_section(report: Report) -> None:
    rows = [line.split()[-5:] for line in report.table().splitlines()[1:]]
    names = [line[:26].strip() for line in report.table().splitlines()]
    assert names == ["server", "1 Framing", "3 Reserved bits", "7 Close handling", "all"]
    assert rows == [
        ["1", "0", "0", "0", "1"],
        ["0", "0", "1", "0", "0"],
        ["0", "1", "0", "1", "0"],
        ["1", "1", "1", "1", "1"],
    ]
    assert {len(line) for line in report.table().splitlines()} == {78}


def test_every_case_that_does_not_pass_is_named(report: Report) -> None:
    assert report.passed == 2
    assert report.failures() == [
        "server 1.1.2: did not run",
        "server 3.2: NON-STRICT, close OK",
        "server 7.1.5: OK, close WRONG CODE",
    ]


def write_output(folder: Path, index: dict[str, tuple[str, str]]) -> Path:
    folder.mkdir()
    said = {
        case: {"behavior": behavior, "behaviorClose": close, "duration": 1}
        for case, (behavior, close) in index.items()
    }
    (folder / "index.json").write_text(json.dumps({AGENT: said}))
    for case in index:
        name = f"{AGENT}_case_{case.replace('.', '_')}"
        (folder / f"{name}.html").write_text(f"page of {case}")
        (folder / f"{name}.json").write_text("{}")
    return folder


def test_the_jobs_results_are_gathered_in_one_folder(tmp_path: Path) -> None:
    first = write_output(tmp_path / "a", {"1.1.1": ("OK", "OK"), "9.1.1": ("FAILED", "OK")})
    second = write_output(tmp_path / "b", {"1.1.2": ("OK", "UNCLEAN")})
    folder = tmp_path / "server"
    folder.mkdir()
    cases = ["1.1.1", "1.1.2", "1.1.3", "9.1.1"]
    report = collect("server", cases, [first, second], folder)
    assert [report.verdict(case) for case in cases] == [
        Verdict.OK,
        Verdict.FAILED,
        Verdict.DID_NOT_RUN,
        Verdict.FAILED,
    ]
    index = json.loads((folder / "index.json").read_text())
    assert list(index[AGENT]) == ["1.1.1", "1.1.2", "9.1.1"]
    page = (folder / "index.html").read_text()
    for case in ("1_1_1", "1_1_2", "9_1_1"):
        assert f'href="{AGENT}_case_{case}.html"' in page
        assert (folder / f"{AGENT}_case_{case}.html").exists()
        assert (folder / f"{AGENT}_case_{case}.json").exists()
    assert '<span class="did-not-run" title="did not run">1.1.3</span>' in page


@pytest.mark.parametrize("left", [None, "", '{"ws6455": {"1.1', "{}"])
def test_a_job_cut_off_leaves_its_cases_as_not_run(tmp_path: Path, left: str | None) -> None:
    output = tmp_path / "results"
    output.mkdir()
    if left is not None:
        (output / "index.json").write_text(left)
    report = collect("client", ["1.1.1"], [output, tmp_path / "missing"], tmp_path)
    assert report.verdict("1.1.1") is Verdict.DID_NOT_RUN
    assert report.passed == 0


def test_results_of_cases_that_were_not_asked_for_do_not_count(tmp_path: Path) -> None:
    output = write_output(tmp_path / "a", {"1.1.1": ("OK", "OK"), "2.1": ("FAILED", "FAILED")})
    report = collect("client", ["1.1.1"], [output], tmp_path)
    assert report.failures() == []
    assert list(report.results) == ["1.1.1"]


def test_clearing_removes_an_earlier_report_and_nothing_else(tmp_path: Path) -> None:
    output = write_output(tmp_path / "a", {"1.1.1": ("OK", "OK")})
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    collect("server", ["1.1.1"], [output], folder)
    clear(folder)
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]
