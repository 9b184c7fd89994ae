"""P3 on bad disks and bad clocks: no effect is lost, none is repeated, and the error says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest

from .battery import Tally
from .disk_battery import Bench, bench, leaping

SEED = os.environ.get("SEED", "20")
Kind = Literal["ENOSPC", "EIO", "torn"]
KINDS: tuple[Kind, ...] = ("ENOSPC", "EIO", "torn")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def spread(count: int, of: int) -> Sequence[int]:
    """So many numbers from 1 to `of`, evenly."""
    return range(1, of + 1, max(1, of // count))


def boundaries(made: Bench) -> list[str]:
    """Where a run can be cut: before each record, and after each flush."""
    records, flushes, _ = made.measure()
    return [f"before:{n}" for n in range(1, records)] + [f"flushed:{n}" for n in range(flushes)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_loses_no_effect_and_the_error_says_what_to_do(made: Bench, kind: Kind) -> None:
    tally, (_, _, operations) = Tally(), made.measure()
    for at in spread(12, operations):
        made.fails(tally, kind, at)
    assert tally.clean, tally
    assert tally.cut - tally.whole >= 8


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_at_any_write_loses_no_effect(made: Bench, kind: Kind) -> None:
    tally, (_, _, operations) = Tally(), made.measure()
    for at in range(1, operations + 1):
        made.fails(tally, kind, at)
    assert tally.clean, tally
    assert tally.hidden > 0


def test_a_loss_of_power_loses_no_effect_and_repeats_none(made: Bench) -> None:
    """Writes that were not synced are gone: an effect was done only if its intent was."""
    tally = Tally()
    for stop in boundaries(made)[::4]:
        made.loses_power(tally, stop)
    assert tally.clean, tally
    assert tally.cut > 10


@pytest.mark.slow
def test_a_loss_of_power_at_any_record_loses_no_effect_and_repeats_none(made: Bench) -> None:
    tally = Tally()
    for stop in boundaries(made):
        made.loses_power(tally, stop)
    assert tally.clean, tally
    assert tally.hidden >= 6


def test_a_clock_that_leaps_changes_nothing(made: Bench) -> None:
    tally = Tally()
    for n, stop in enumerate(boundaries(made)[::5]):
        made.jumps(tally, stop, leaping(f"{SEED}-{n}"))
    assert tally.clean, tally
    assert tally.cut > 10
