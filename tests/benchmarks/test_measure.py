"""The rounds: the order of turns, the samples, and the effect of failures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import contenders, load, measure
from benchmarks.contenders import Plan, Turn
from benchmarks.message import Message
from benchmarks.peers import Peer
from benchmarks.processes import ProgramFailed
from benchmarks.results import Outcome, Sample
from benchmarks.rows import MIB, Row, Workload, runs, select_peers, select_rows

PLAN = Plan(rounds=3, seconds=0.1, program_core=None, load_core=None, certificate=Path("none"))
PEERS = select_peers(["ws6455", "websockets", "aiohttp"])


class Bench:
    """Fake programs: logs starts, turns and ends; some of them fail."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.turns: list[tuple[str, str, float]] = []
        self.refuses: set[str] = set()
        self.fails_at: dict[str, int] = {}
        self.error: BaseException = ProgramFailed("ended with status 3")

    @contextmanager
    def prepare(self, row: Row, peer: Peer, plan: Plan) -> Iterator[Turn]:
        if peer.name in self.refuses:
            raise self.error
        self.log.append(f"+{peer.name}")
        taken = 0

        def turn(seconds: float) -> Sample:
            nonlocal taken
            if self.fails_at.get(peer.name) == taken:
                raise self.error
            taken += 1
            self.turns.append((row.name, peer.name, seconds))
            return Sample(taken)

        try:
            yield turn
        finally:
            self.log.append(f"-{peer.name}")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    fake = Bench()
    monkeypatch.setattr(measure, "prepare", fake.prepare)
    return fake


def measured(names: str = "echo-256B", steps: list[int] | None = None) -> dict[str, Outcome]:
    """Measure and return the outcomes of the first row."""

    def step(row: Row, peer: Peer, number: int) -> None:
        if steps is not None:
            steps.append(number)

    rows = select_rows(names.split(","))
    return measure.measure(rows, PEERS, PLAN, step)[rows[0]]


def test_every_turn_is_a_sample(bench: Bench) -> None:
    outcomes = measured()
    assert list(outcomes) == ["ws6455", "websockets", "aiohttp"]
    for outcome in outcomes.values():
        assert [sample.value for sample in outcome.samples] == [1, 2, 3]
    assert [seconds for _, _, seconds in bench.turns] == [0.1] * 9


def test_programs_take_turns_and_none_is_always_first(bench: Bench) -> None:
    measured()
    rounds = [[peer for _, peer, _ in bench.turns[at : at + 3]] for at in (0, 3, 6)]
    assert [sorted(turns) for turns in rounds] == [["aiohttp", "websockets", "ws6455"]] * 3
    assert len({turns[0] for turns in rounds}) == 3
    # No program always follows the same one: each direction has three pairs of neighbours.
    assert len({pair for turns in rounds for pair in pairwise(turns)}) > 3


def test_the_rows_of_a_batch_take_turns_in_every_round(bench: Bench) -> None:
    measured("echo-256B,echo-256B-text")
    for at in (0, 6, 12):
        assert {row for row, _, _ in bench.turns[at : at + 6]} == {"echo-256B", "echo-256B-text"}


def test_a_batch_in_which_none_starts_has_no_rounds(bench: Bench) -> None:
    bench.refuses = {peer.name for peer in PEERS}
    assert [outcome.failure for outcome in measured().values()] == ["ended with status 3"] * 3


def test_all_programs_start_before_the_first_round_and_end_after_the_last(bench: Bench) -> None:
    measured()
    assert bench.log == [
        *("+ws6455", "+websockets", "+aiohttp"),
        *("-aiohttp", "-websockets", "-ws6455"),
    ]


def test_one_that_does_not_start_is_out_and_the_others_go_on(bench: Bench) -> None:
    bench.refuses = {"websockets"}
    outcomes = measured()
    assert outcomes["websockets"] == Outcome(failure="ended with status 3")
    assert [len(outcomes[name].samples) for name in ("ws6455", "aiohttp")] == [3, 3]


@pytest.mark.parametrize("error", [ProgramFailed("gone"), load.LoadFailed("gone")])
def test_one_that_fails_in_a_round_takes_no_further_turn(bench: Bench, error: Exception) -> None:
    bench.error, bench.fails_at = error, {"aiohttp": 1}
    steps: list[int] = []
    outcomes = measured(steps=steps)
    assert outcomes["aiohttp"] == Outcome([Sample(1)], failure="gone")
    assert [len(outcomes[name].samples) for name in ("ws6455", "websockets")] == [3, 3]
    assert steps == [1, 1, 1, 2, 2, 2, 3, 3]


def test_an_interruption_ends_every_program(bench: Bench) -> None:
    bench.error, bench.fails_at = KeyboardInterrupt(), {"websockets": 1}
    with pytest.raises(KeyboardInterrupt):
        measured()
    assert bench.log[3:] == ["-aiohttp", "-websockets", "-ws6455"]


def test_the_estimate_grows_with_the_rounds_and_their_time() -> None:
    (row,) = select_rows(["echo-256B"])
    longer = replace(PLAN, seconds=2.1)
    assert measure.estimate(row, longer) - measure.estimate(row, PLAN) == pytest.approx(2.0)


def taken(name: str, peer_name: str, connections: int = 1) -> Sample:
    """Take a real turn in a smaller variant of a row."""
    (row,) = select_rows([name])
    (peer,) = select_peers([peer_name])
    assert runs(peer, row)
    core = min(os.sched_getaffinity(0))
    smaller, pinned = replace(row, connections=connections), replace(PLAN, program_core=core)
    with contenders.prepare(smaller, peer, pinned) as turn:
        return turn(0.1)


@pytest.mark.parametrize("name", ["echo-32x64B", "client-32x64B"])
def test_a_real_exchange_has_every_figure(name: str) -> None:
    sample = taken(name, "ws6455", connections=2)
    assert sample.value > 0
    assert sample.per_cpu_second is None or sample.per_cpu_second > 0
    assert sample.p50 is not None
    assert sample.p99 is not None
    assert 0 < sample.p50 <= sample.p99
    assert sample.busy is not None
    assert 0 <= sample.busy < 2


def test_real_handshakes_over_tls(tmp_path: Path) -> None:
    (row,) = select_rows(["handshakes-tls"])
    (peer,) = select_peers(["ws6455"])
    certificate = tmp_path / "certificate.pem"
    load.make_certificate(certificate)
    with contenders.prepare(row, peer, replace(PLAN, certificate=certificate)) as turn:
        assert turn(0.3).value > 0


def test_a_real_idle_connection_takes_memory() -> None:
    # Less would mean no connection state at all; more would mean a buffer of 64 KiB.
    assert 1_000 < taken("idle", "ws6455", connections=200).value < 60_000


def test_a_real_import_takes_longer_than_none() -> None:
    assert taken("import", "aiohttp").value > 0


def test_a_real_server_that_refuses_says_why() -> None:
    (row,) = select_rows(["echo-256B-deflate"])
    (peer,) = select_peers(["picows"])
    with (
        pytest.raises(ProgramFailed, match=r"status 2: .*picows has no permessage-deflate"),
        contenders.prepare(row, peer, PLAN) as turn,
    ):
        turn(0.1)


def test_each_turn_has_a_fresh_server(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = select_rows(["echo-256B"])
    (peer,) = select_peers(["ws6455"])
    ports = []

    def echo(port: int, *arguments: object, **options: object) -> load.Load:
        ports.append(port)
        return load.Load(1, 1.0, 1.0, 1.0, 1.0)

    monkeypatch.setattr(load, "echo", echo)
    with contenders.prepare(row, peer, PLAN) as turn:
        turn(0.1)
        turn(0.1)
    assert len(set(ports)) == 2


def test_large_messages_go_first_through_the_same_server(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = select_rows(["echo-32x64B-after-large"])
    (peer,) = select_peers(["ws6455"])
    loads = []

    def echo(
        port: int, connections: int, in_flight: int, seconds: float, message: Message, **_: object
    ) -> load.Load:
        loads.append((port, connections, message.size))
        return load.Load(1, 1.0, 1.0, 1.0, 1.0)

    monkeypatch.setattr(load, "echo", echo)
    with contenders.prepare(row, peer, PLAN) as turn:
        turn(0.1)
    (first, *before), (second, *counted) = loads
    assert first == second
    assert (before, counted) == ([4, MIB], [32, 64])


def test_every_workload_has_its_turn() -> None:
    assert {row.workload for row in select_rows(["*"])} == set(Workload)
    for peer in select_peers(["ws6455", "websockets", "aiohttp", "picows", "wsproto", "tornado"]):
        assert contenders.IMPORTS[peer.name]
