"""The world: invariants under every sequence of joins, leaves and moves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.box.colors import NAMED, shade
from apps.box.world import (
    MAX_PLAYERS,
    MAX_X,
    MAX_Y,
    STEP_PIXELS,
    STEPS_PER_SECOND,
    Player,
    World,
    WorldFullError,
)

COORDINATES = st.integers(-800, 800)
MOVES = st.tuples(COORDINATES, COORDINATES)
# Pairs of a move and its number of steps: walks that reach the border, and rests.
WAYS = st.sampled_from([(0, 0), (5, 5), (-5, 5), (5, -5), (-5, -5), (800, -800)])
INPUTS = st.lists(st.tuples(WAYS | MOVES, st.integers(1, 100)), min_size=1, max_size=10)


def steps(world: World, player: Player, moves: list[tuple[int, int]]) -> None:
    for move in moves:
        world.step({player.id: move})


def test_field_is_what_the_first_programs_know() -> None:
    assert (MAX_X, MAX_Y) == (740, 540)
    assert STEP_PIXELS * STEPS_PER_SECOND == 300


def test_first_players_have_the_named_colours_in_order() -> None:
    world = World()
    assert [world.join().color for _ in NAMED] == [
        "green",
        "blue",
        "red",
        "yellow",
        "purple",
        "orange",
        "pink",
        "cyan",
    ]


def test_64_players_have_64_colours_and_the_65th_is_refused() -> None:
    world = World()
    players = [world.join() for _ in range(64)]
    assert len({player.color for player in players}) == 64
    assert len({shade(player.color) for player in players}) == 64
    with pytest.raises(WorldFullError, match="64 players"):
        world.join()
    assert len(world.players) == 64


def test_no_two_boxes_touch_at_the_start() -> None:
    world = World()
    players = [world.join() for _ in range(64)]
    for player in players:
        assert 0 <= player.x <= MAX_X
        assert 0 <= player.y <= MAX_Y
        for other in players:
            assert other is player or abs(other.x - player.x) > 50 or abs(other.y - player.y) > 50


def test_a_colour_returns_when_its_player_leaves() -> None:
    world = World()
    players = [world.join() for _ in range(MAX_PLAYERS)]
    left = players[17]
    world.leave(left.id)
    successor = world.join()
    assert successor.color == left.color
    assert successor.id not in {player.id for player in players}


@given(st.lists(st.one_of(st.none(), st.integers(0, 63)), max_size=200))
def test_ids_and_colours_stay_unique(events: list[int | None]) -> None:
    """Join for each None and leave for each number in `events`."""
    world = World()
    ids: list[str] = []
    for event in events:
        if event is None and len(world.players) < MAX_PLAYERS:
            ids.append(world.join().id)
        elif event is not None and world.players:
            world.leave(list(world.players)[event % len(world.players)])
        colors = [player.color for player in world.players.values()]
        assert len(set(colors)) == len(colors)
    assert len(set(ids)) == len(ids)


@given(INPUTS)
@settings(max_examples=60)
def test_no_box_ever_leaves_the_field(inputs: list[tuple[tuple[int, int], int]]) -> None:
    world = World()
    player = world.join()
    for move, count in inputs:
        for _ in range(count):
            world.step({player.id: move})
            assert 0 <= player.x <= 740
            assert 0 <= player.y <= 540


def test_a_held_key_ends_at_the_border() -> None:
    world = World()
    player = world.join()
    for move, corner in (
        ((-5, -5), (0, 0)),
        ((5, 0), (740, 0)),
        ((0, 5), (740, 540)),
        ((-5, 0), (0, 540)),
    ):
        steps(world, player, [move] * 200)
        assert (player.x, player.y) == corner


@given(INPUTS, st.data())
@settings(max_examples=60)
def test_no_flood_is_faster_than_300_pixels_a_second(
    inputs: list[tuple[tuple[int, int], int]], data: st.DataObject
) -> None:
    """Check the path on each axis between two arbitrary steps; allows a burst of 30 pixels."""
    world = World()
    player = world.join()
    places = [(player.x, player.y)]
    for move, count in inputs:
        for _ in range(count):
            world.step({player.id: move})
            places.append((player.x, player.y))
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, len(places) - 1))
    for axis in (0, 1):
        path = sum(abs(places[i + 1][axis] - places[i][axis]) for i in range(first, last))
        assert path <= 5 * (last - first) + 30


def test_a_flood_after_a_rest_gains_30_pixels_once() -> None:
    world = World()
    player = world.join()
    start = player.x
    steps(world, player, [(0, 0)] * 600 + [(800, 0)] * 60)
    assert player.x == start + 60 * 5 + 25


def test_a_flood_from_the_start_gains_nothing() -> None:
    world = World()
    player = world.join()
    start = player.x
    steps(world, player, [(800, 0)] * STEPS_PER_SECOND)
    assert player.x == start + 300


@given(st.lists(st.integers(0, 5), min_size=1, max_size=100))
def test_an_honest_player_loses_nothing_to_100_ms_of_jitter(delays: list[int]) -> None:
    """Send one move a step; each arrives up to five steps late, in order."""
    world = World()
    player = world.join()
    start = player.x
    arrivals: dict[int, int] = {}
    earliest = 0
    for sent, delay in enumerate(delays):
        earliest = max(earliest, sent + delay)
        arrivals[earliest] = arrivals.get(earliest, 0) + STEP_PIXELS
    for step in range(earliest + 1):
        world.step({player.id: (arrivals.get(step, 0), 0)})
    assert player.x == min(start + STEP_PIXELS * len(delays), MAX_X)


def test_a_step_tells_whether_a_box_moved() -> None:
    world = World()
    player = world.join()
    assert world.step({}) is False
    assert world.step({player.id: (5, 0)}) is True
    assert world.step({player.id: (0, 0)}) is False
    assert world.step({"nobody": (5, 5)}) is False


def test_moves_of_one_player_move_no_other() -> None:
    world = World()
    one, other = world.join(), world.join()
    before = (other.x, other.y)
    steps(world, one, [(5, -5)] * 100)
    assert (other.x, other.y) == before


@given(st.lists(st.dictionaries(st.sampled_from("123"), MOVES), max_size=100))
@settings(max_examples=30)
def test_the_same_steps_give_the_same_world(inputs: list[dict[str, tuple[int, int]]]) -> None:
    worlds = [World(), World()]
    for world in worlds:
        for name in ("a", "b", "c"):
            world.join(name)
        for moves in inputs:
            world.step(moves)
    assert worlds[0].players == worlds[1].players
