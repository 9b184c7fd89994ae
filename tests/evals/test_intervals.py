"""Intervals against published values, and at their edges."""

from __future__ import annotations

import pytest

from ringfence.evals.intervals import Cluster, clustered, paired, wilson


def once(right: int, count: int) -> list[Cluster]:
    return [[n < right] for n in range(count)]


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_of_newcombe_1998_table_1(right: int, count: int, low: float, high: float) -> None:
    found = wilson(right, count)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_wilson_of_nothing_knows_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_a_share_of_one_has_a_lower_end_below_it() -> None:
    found = wilson(12, 12)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(12 / (12 + 1.959964**2))  # n / (n + z * z)


def test_one_run_a_case_is_wilson() -> None:
    found, plain = clustered(once(9, 12)), wilson(9, 12)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_runs_that_only_repeat_their_case_count_once() -> None:
    found, plain = clustered([[n < 9] * 5 for n in range(12)]), wilson(9, 12)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_runs_that_differ_within_their_case_count_each() -> None:
    found, plain = clustered([[True, False] for _ in range(12)]), wilson(12, 24)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_a_case_without_runs_is_left_out() -> None:
    assert clustered([[True], [], [False]]) == clustered([[True], [False]])


def test_seeds_that_all_agree_make_no_interval_of_no_width() -> None:
    found = clustered([[True] * 3] * 10)
    assert (found.low, found.high) == (wilson(10, 10).low, 1.0)


def pairs(both: int, first: int, second: int, neither: int) -> list[tuple[Cluster, Cluster]]:
    counts = [((True, True), both), ((True, False), first), ((False, True), second), ((False, False), neither)]
    return [([one], [other]) for (one, other), count in counts for _ in range(count)]


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((36, 12, 2, 0), 0.0569, 0.3404), ((36, 14, 0, 0), 0.1528, 0.4167)],
)
def test_paired_gives_the_values_of_method_10(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    found = paired(pairs(*cells))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_sides_that_never_agree_differ_by_one_less_both_errors() -> None:
    found = paired(pairs(0, 54, 0, 0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - 2**0.5 * wilson(0, 54).high)


def test_sides_that_agree_in_every_case_differ_by_nothing() -> None:
    found = paired(pairs(30, 0, 0, 10))
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert found.high < 0.1


def test_a_case_that_one_side_did_not_play_is_left_out() -> None:
    assert paired([*pairs(3, 2, 1, 1), ([True], [])]) == paired(pairs(3, 2, 1, 1))
