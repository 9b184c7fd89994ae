"""P3 on bad disks and bad clocks: no effect is lost, none is repeated, and the error says what to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .disk_battery import Bench, Fault, bench, leaping

SEED = os.environ.get("SEED", "20")
KINDS: tuple[Fault, ...] = ("ENOSPC", "EIO", "torn")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def leaps(n: int) -> Callable[[], int]:
    return leaping(f"{SEED}-{n}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_loses_no_effect_and_the_error_says_what_to_do(made: Bench, kind: Fault) -> None:
    tally = made.every_failure(kind, 12)
    assert tally.clean, tally
    assert tally.cut - tally.whole >= 8


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_at_any_write_loses_no_effect(made: Bench, kind: Fault) -> None:
    tally = made.every_failure(kind)
    assert tally.clean, tally
    assert tally.hidden > 0


def test_a_loss_of_power_loses_no_effect_and_repeats_none(made: Bench) -> None:
    """Writes that were not synced are gone: an effect was done only if its intent was."""
    tally = made.every_loss_of_power(step=4)
    assert tally.clean, tally
    assert tally.cut > 10


@pytest.mark.slow
def test_a_loss_of_power_at_any_record_loses_no_effect_and_repeats_none(made: Bench) -> None:
    tally = made.every_loss_of_power()
    assert tally.clean, tally
    assert tally.hidden >= 6


def test_a_clock_that_leaps_changes_nothing(made: Bench) -> None:
    tally = made.every_leap(leaps, step=5)
    assert tally.clean, tally
    assert tally.cut > 10


@pytest.mark.slow
def test_a_clock_that_leaps_changes_nothing_at_any_record(made: Bench) -> None:
    tally = made.every_leap(leaps)
    assert tally.clean, tally
    assert tally.hidden >= 6
