"""benchmarks.places: the plain ways do the same work, and the command measures them."""

import functools
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import places
from benchmarks.places import PLACES, Figures, Place, measure, works

ROOT = Path(__file__).parent.parent.parent


def by_name(place: Place) -> str:
    return place.name


@pytest.mark.parametrize("place", PLACES, ids=by_name)
def test_the_plain_way_gives_the_same_result(place: Place) -> None:
    with works(place) as (fast, plain):
        results = [place.result(work()) for work in (fast, plain, fast, plain)]
    assert results[0]
    assert results == results[:1] * 4


@pytest.mark.parametrize("place", PLACES, ids=by_name)
def test_the_place_is_in_the_library(place: Place) -> None:
    file, _, name = place.where.partition(":")
    module = importlib.import_module("ws6455." + file.removesuffix(".py").replace("/", "."))
    assert callable(functools.reduce(getattr, name.split("."), module))


@pytest.mark.parametrize("place", PLACES, ids=by_name)
def test_the_plain_way_differs(place: Place) -> None:
    assert place.edits or place.names or not place.slots


def test_names_of_places_are_unique() -> None:
    assert len({place.name for place in PLACES}) == len(PLACES)


def test_a_wrong_plain_way_is_seen() -> None:
    (place,) = (place for place in PLACES if place.name == "masking 64 B: one integer")
    wrong = Place(
        place.name,
        place.where,
        place.workload,
        names={"framing.masking": {"apply_mask": lambda data, key: data}},
    )
    with works(wrong) as (fast, plain):
        assert fast() != plain()


def test_a_slower_plain_way_is_a_gain() -> None:
    (place,) = (place for place in PLACES if place.name == "masking 64 B: one integer")
    figures = measure(place, rounds=3, seconds=0.001)
    assert len(figures.gains) == 3
    assert figures.gains[1] > 2  # about 8


def test_gains_are_ratios_of_rounds() -> None:
    assert Figures([1, 2, 1], [3, 2, 2]).gains == [1, 2, 3]


def test_the_command_measures_every_place() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.places", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    names = [line[:36].strip() for line in done.stdout.splitlines()[2:]]
    assert names == [place.name for place in PLACES]


def test_a_pattern_selects_places(capsys: pytest.CaptureFixture[str]) -> None:
    assert places.main(["--quick", "--places", "shared*"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line[:36].strip() for line in lines] == ["shared header lines", "shared header names"]


def test_an_unknown_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert places.main(["--places", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
