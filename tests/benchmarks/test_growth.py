"""benchmarks.growth: the fit and the verdicts on made-up curves, and a small real run."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import growth
from benchmarks.growth import exponent, judge, worst_step
from benchmarks.growth_client import fragmented_message, masked_frame
from benchmarks.growth_curves import KIB, Curve, Plan, Point
from ws6455 import Frame, Opcode, ServerProtocol, State

ROOT = Path(__file__).parent.parent.parent
COUNTS = [4**power for power in range(2, 13)]
TINY = Plan(size=4 * KIB, connections=32, fragments=16, dribbled=256, rounds=1, seconds=0.001)


def nothing(_: int) -> float:
    return 0


def curve(
    seconds: Callable[[int], float],
    memory: Callable[[int], float] = nothing,
    copies: float | None = 1.125,
) -> Curve:
    points = [Point(n, seconds(n), int(memory(n)), n if copies else 0) for n in COUNTS]
    return Curve("panel", "name", "byte", copies, 512 * KIB, points)


def linear(n: int) -> float:
    return 1e-5 + 1e-9 * n


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_is_that_of_the_power(power: float) -> None:
    assert exponent(COUNTS, [3e-6 * n**power for n in COUNTS]) == pytest.approx(power)


def test_the_worst_step_is_of_time_per_unit() -> None:
    points = [Point(n, seconds, 0, 0) for n, seconds in ((1, 1), (4, 4), (16, 24), (64, 96))]
    assert worst_step(points) == 1.5


def test_linear_time_passes_whatever_the_constant() -> None:
    verdict = judge(curve(linear))
    assert verdict.complaints == []
    assert 0.9 < verdict.exponent <= 1.0


@pytest.mark.parametrize(
    "seconds",
    [
        lambda n: 1e-9 * n**1.3,
        lambda n: 1e-9 * n**2,
        lambda n: 1e-5 + 1e-9 * n + 1e-15 * n**2,  # hidden until the last points
    ],
)
def test_time_that_grows_faster_is_caught(seconds: Callable[[int], float]) -> None:
    (complaint,) = judge(curve(seconds)).complaints
    assert complaint.startswith("time grows with the power of ")


@pytest.mark.parametrize(
    ("memory", "complaints"),
    [
        (lambda n: 300 * KIB + n, 0),
        (lambda n: 1.1 * n, 0),
        (lambda n: 2.0 * n, 1),
        (lambda n: 600 * KIB, 1),
        (lambda n: n + 1e-7 * n**2, 1),
    ],
)
def test_memory_is_the_payload_and_a_constant(
    memory: Callable[[int], float], complaints: int
) -> None:
    verdict = judge(curve(linear, memory))
    assert len(verdict.complaints) == complaints
    assert all(text.startswith("memory is ") for text in verdict.complaints)


def test_the_memory_reported_is_that_of_the_last_point() -> None:
    assert judge(curve(linear, lambda n: 2.5 * n)).memory == pytest.approx(2.5)
    per_connection = judge(curve(linear, lambda n: 9000 * n, copies=None))
    assert per_connection.memory == pytest.approx(9000)
    assert per_connection.complaints == []


def test_memory_for_each_connection_must_not_grow_with_their_number() -> None:
    verdict = judge(curve(linear, lambda n: 10 * n**1.5, copies=None))
    assert verdict.complaints == ["memory grows with the power of 1.50"]


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 65535, 65536, 70001])
@pytest.mark.parametrize("text", [True, False])
def test_the_frames_sent_are_what_they_should_be(size: int, text: bool) -> None:
    protocol = ServerProtocol(state=State.OPEN)
    protocol.receive_data(masked_frame(size, text))
    opcode = Opcode.TEXT if text else Opcode.BINARY
    assert protocol.events_received() == [Frame(opcode, b"a" * size)]


@pytest.mark.parametrize("fragments", [1, 2, 3, 70])
def test_the_fragments_sent_are_so_many(fragments: int) -> None:
    protocol = ServerProtocol(state=State.OPEN)
    protocol.receive_data(fragmented_message(fragments, 16))
    events = protocol.events_received()
    assert [event.data for event in events if isinstance(event, Frame)] == [b"a" * 16] * fragments
    assert [event.fin for event in events if isinstance(event, Frame)] == [False] * (
        fragments - 1
    ) + [True]


def test_a_run_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert growth.main(["--output", str(tmp_path)], TINY) in (
        0,
        1,
    )  # such a small run is mostly noise
    out = capsys.readouterr().out
    found = json.loads((tmp_path / "growth.json").read_text())
    curves = {f"{curve['panel']}: {curve['name']}": curve for curve in found["curves"]}
    counts = {name: [point["count"] for point in curve["points"]] for name, curve in curves.items()}
    sizes = [16, 64, 256, 1024, 4096]
    assert counts == {
        "message size: receive binary": sizes,
        "message size: receive text": sizes,
        "message size: send": sizes,
        "message size: echo": sizes,
        "connections: open": [1, 4, 16, 32],
        "fragments in a message: 16 B each": [1, 4, 16],
        "message, one byte per read: binary": [16, 64, 256],
        "message, one byte per read: text": [16, 64, 256],
    }
    for name, curve in curves.items():
        assert name in out
        assert all(point["seconds"] > 0 for point in curve["points"]), name
    dribbled = curves["message, one byte per read: binary"]["points"]
    assert all(point["memory"] > point["payload"] for point in dribbled)
    assert ET.parse(tmp_path / "growth.svg").getroot().tag.endswith("svg")


def test_the_status_is_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curves = [curve(linear, lambda n: n)]
    monkeypatch.setattr(growth, "measure", lambda plan: iter(curves))
    assert growth.main(["--output", str(tmp_path)]) == 0
    curves.append(curve(lambda n: 1e-9 * n**2, lambda n: n))
    assert growth.main(["--output", str(tmp_path)]) == 1
    verdicts = [
        found["verdict"] for found in json.loads((tmp_path / "growth.json").read_text())["curves"]
    ]
    assert [len(verdict["complaints"]) for verdict in verdicts] == [0, 1]


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (ConnectionResetError("gone"), 1)]
)
def test_what_is_not_whole_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    def broken(plan: Plan) -> object:
        yield curve(linear, lambda n: n)
        raise error

    monkeypatch.setattr(growth, "measure", broken)
    assert growth.main(["--output", str(tmp_path)]) == status
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_ends_with_status_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", "--frobnicate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "unrecognized arguments: --frobnicate" in done.stderr
