"""How rows are measured: rounds in which the programs take turns."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from .contenders import FAILURES, Plan, Turn, contend
from .peers import Peer
from .results import Outcome
from .rows import Row, Workload, runs

# Seconds that a turn takes beside the time it measures for, as seen on two cores of 2.6 GHz.
_BESIDE = {
    Workload.ECHO: 0.45,
    Workload.CLIENT: 0.55,
    Workload.FAN_OUT: 0.5,
    Workload.HANDSHAKES: 0.45,
    Workload.IDLE: 1.1,
    Workload.IMPORT: 0.2,
}


def estimate(row: Row, plan: Plan) -> float:
    """Give about the seconds of one turn."""
    beside = _BESIDE[row.workload]
    return beside + plan.seconds if row.is_rate else beside


def measure(
    batch: Sequence[Row], peers: Sequence[Peer], plan: Plan, step: Callable[[Row, Peer, int], None]
) -> dict[Row, dict[str, Outcome]]:
    """Measure rows in the same rounds.

    A program that fails is out of its row, with the reason; the others go on.

    Args:
        batch: the rows.
        peers: the peers asked for; those that can take part do.
        plan: how to measure.
        step: called before each turn with the number of the round, from 1.
    """
    # A peer's rows come one after the other: text and binary are to differ by a few percent, and
    # the machine by more from minute to minute.
    contenders = [(row, peer) for peer in peers for row in batch if runs(peer, row)]
    outcomes: dict[Row, dict[str, Outcome]] = {row: {} for row in batch}
    turns: list[tuple[Row, Peer, Turn]] = []
    with ExitStack() as stack:
        for row, peer in contenders:
            outcome = outcomes[row][peer.name] = Outcome()
            try:
                turns.append((row, peer, stack.enter_context(contend(row, peer, plan))))
            except FAILURES as error:
                outcome.failure = str(error)
        for number in range(1, plan.rounds + 1):
            for row, peer, turn in in_order(turns, number):
                outcome = outcomes[row][peer.name]
                if outcome.failure is not None:
                    continue
                step(row, peer, number)
                try:
                    outcome.samples.append(turn(plan.seconds))
                except FAILURES as error:
                    outcome.failure = str(error)
    return outcomes


def in_order(
    turns: Sequence[tuple[Row, Peer, Turn]], number: int
) -> Sequence[tuple[Row, Peer, Turn]]:
    """Give the order of a round: another begins each time, and every other goes backwards.

    So none is always first, and none always comes after the same.
    """
    step = 1 if number % 2 else -1
    return [turns[(number + step * place) % len(turns)] for place in range(len(turns))]
