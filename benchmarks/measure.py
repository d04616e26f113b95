"""The measurement of rows in rounds, in which the programs take turns."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from .contenders import FAILURES, Plan, Turn, prepare
from .peers import Peer
from .results import Outcome
from .rows import Row, Workload, runs

# Seconds that a turn takes in addition to the measured time, on two cores of 2.6 GHz.
_OVERHEAD = {
    Workload.ECHO: 0.45,
    Workload.CLIENT: 0.55,
    Workload.FAN_OUT: 0.5,
    Workload.HANDSHAKES: 0.45,
    Workload.IDLE: 1.1,
    Workload.IMPORT: 0.2,
}


def estimate(row: Row, plan: Plan) -> float:
    """Return the approximate seconds of one turn."""
    overhead = _OVERHEAD[row.workload]
    return overhead + plan.seconds if row.is_rate else overhead


def measure(
    batch: Sequence[Row], peers: Sequence[Peer], plan: Plan, step: Callable[[Row, Peer, int], None]
) -> dict[Row, dict[str, Outcome]]:
    """Measure rows in the same rounds.

    A program that fails is excluded from the rest of its row, and the reason is recorded. The
    others continue.

    Args:
        batch: the rows.
        peers: the selected peers; those that support a row take part in it.
        plan: rounds, seconds and cores.
        step: called before each turn with the row, the peer and the round's number, from 1.
    """
    # The rows of a peer are adjacent: text and binary differ by a few percent, while the speed of
    # the machine varies by more from minute to minute.
    contenders = [(row, peer) for peer in peers for row in batch if runs(peer, row)]
    outcomes: dict[Row, dict[str, Outcome]] = {row: {} for row in batch}
    turns: list[tuple[Row, Peer, Turn]] = []
    with ExitStack() as stack:
        for row, peer in contenders:
            outcome = outcomes[row][peer.name] = Outcome()
            try:
                turns.append((row, peer, stack.enter_context(prepare(row, peer, plan))))
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
    """Return the order of a round: each starts with another turn, and every other is reversed.

    So no program is always first, and none always follows the same program.
    """
    step = 1 if number % 2 else -1
    return [turns[(number + step * place) % len(turns)] for place in range(len(turns))]
