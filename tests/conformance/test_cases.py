"""The list of cases: complete, selected by pattern, split into jobs."""

import pytest

from conformance.cases import CASES, SECTIONS, section, select, split


def test_the_suite_has_517_cases_in_eleven_sections() -> None:
    assert len(CASES) == len(set(CASES)) == 517
    assert {section(case) for case in CASES} == set(SECTIONS)


def test_no_section_is_left_out_by_default() -> None:
    assert select(["*"]) == list(CASES)
    assert len(select(["12.*"])) == 90
    assert len(select(["13.*"])) == 126


def test_a_pattern_does_not_reach_into_the_next_number() -> None:
    assert select(["1.*"])[-1] == "1.2.8"
    assert select(["6.2.*"]) == ["6.2.1", "6.2.2", "6.2.3", "6.2.4"]


def test_overlapping_patterns_give_each_case_once_in_the_order_of_the_suite() -> None:
    assert select(["7.1.1", "3.*", "3.1"]) == [*(f"3.{n}" for n in range(1, 8)), "7.1.1"]


@pytest.mark.parametrize("pattern", ["8.*", "6", "", "1.1.9"])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="no case matches"):
        select(["1.*", pattern])


@pytest.mark.parametrize("count", [1, 2, 5, 517])
@pytest.mark.parametrize("jobs", [1, 2, 3, 7, 600])
def test_splitting_is_a_partition_without_an_empty_part(count: int, jobs: int) -> None:
    cases = list(CASES[:count])
    parts = split(cases, jobs)
    assert sorted(case for part in parts for case in part) == sorted(cases)
    assert len(parts) == min(jobs, count)
    assert all(parts)


def test_splitting_balances_each_section() -> None:
    first, second = split(list(CASES), 2)
    for number in SECTIONS:
        sizes = [sum(section(case) == number for case in part) for part in (first, second)]
        assert abs(sizes[0] - sizes[1]) <= 1
