"""Figures computed from samples: medians, ratios by round, targets."""

import json
from collections.abc import Callable

from benchmarks.peers import PEERS
from benchmarks.results import Outcome, Results, Sample, Spread, conditions
from benchmarks.rows import ROWS, Target

Make = Callable[..., Results]


def test_a_ratio_is_taken_round_by_round(results: Make) -> None:
    # The ratio of the medians, 20 and 40, would be 0.5.
    found = results({"echo-256B": {"ws6455": [10, 20, 90], "picows": [40, 10, 90]}})
    (row,) = found.rows
    assert found.ratio(row, "ws6455", "picows") == Spread(1.0, 0.25, 2.0)


def test_a_ratio_may_be_to_another_row(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [10, 20]}, "echo-256B-text": {"ws6455": [9, 20]}})
    target = Target("echo-256B-text", "ws6455", 0.95, "ws6455", peer_row="echo-256B")
    assert found.judge(target) == Spread(0.95, 0.9, 1.0)


def test_there_is_no_ratio_without_figures(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [10], "picows": "refused"}})
    (row,) = found.rows
    assert found.ratio(row, "ws6455", "picows") is None
    assert found.ratio(row, "picows", "ws6455") is None
    assert found.ratio(row, "ws6455", "aiohttp") is None


def test_a_target_without_a_peer_is_the_figure_itself(results: Make) -> None:
    found = results({"idle": {"ws6455": [7000, 9000, 8000]}})
    assert found.judge(Target("idle", "ws6455", 8192)) == Spread(8000, 7000, 9000)
    assert found.judge(Target("idle-deflate", "ws6455", 10240)) is None
    assert found.judge(Target("idle", "ws6455+speed", 8192)) is None


def test_a_failure_after_some_rounds_leaves_no_median() -> None:
    outcome = Outcome([Sample(1.0)], failure="ended with status 1")
    assert outcome.median() is None


def test_what_a_workload_does_not_have_has_no_median() -> None:
    outcome = Outcome([Sample(1.0), Sample(3.0)])
    assert outcome.median() == 2.0
    assert outcome.median("p50") is None


def test_the_generator_counts_with_the_program_that_asks_most_of_it() -> None:
    row = ROWS[0]
    found = Results({}, {})
    found.rows[row] = {
        "raw": Outcome([Sample(9.0, busy=0.8)]),
        "ws6455": Outcome([Sample(3.0, busy=0.3)]),
    }
    assert found.generator(row) == 0.8


def test_failures_are_lines_with_their_reasons(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [10], "picows": "refused"}})
    assert found.failures() == ["echo-256B: picows: refused"]


def test_everything_goes_into_json(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [10, 30, 20], "picows": "refused"}})
    (row,) = json.loads(json.dumps(found.as_json()))["rows"]
    assert row["name"] == "echo-256B"
    assert row["unit"] == "messages/s"
    assert row["peers"]["ws6455"]["median"] == 20
    assert [sample["value"] for sample in row["peers"]["ws6455"]["samples"]] == [10, 30, 20]
    assert row["peers"]["picows"]["failure"] == "refused"


def test_conditions_name_the_machine_and_every_version() -> None:
    found = conditions(PEERS, {"rounds": 5})
    versions = found["versions"]
    assert isinstance(versions, dict)
    assert {"ws6455", "websockets", "aiohttp", "picows", "wsproto", "tornado"} < set(versions)
    assert {"numpy", "uvloop"} < set(versions)
    assert versions["ws6455"]
    assert found["cpu"]
    assert found["options"] == {"rounds": 5}
