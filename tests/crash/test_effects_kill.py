"""P3: a run with effects of every kind, killed anywhere, loses none, repeats none, and hides none from a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .battery import kills

SEED = os.environ.get("SEED", "20")


def test_a_run_killed_at_every_record_loses_no_effect_and_repeats_none(tmp_path: Path) -> None:
    with kills(tmp_path) as battery:
        tally = battery.boundaries()
    assert tally.clean, tally
    assert tally.tried == battery.records + battery.flushes
    assert tally.cut > 60
    assert tally.hidden >= 6  # before and after each of the three effects that only a person can know of


def test_a_run_killed_at_random_instants_loses_no_effect_and_repeats_none(tmp_path: Path) -> None:
    with kills(tmp_path) as battery:
        tally = battery.instants(25, seed=SEED)
    assert tally.clean, tally
    assert tally.cut - tally.whole >= 12


@pytest.mark.slow
def test_a_run_killed_at_three_hundred_instants_loses_no_effect_and_repeats_none(tmp_path: Path) -> None:
    with kills(tmp_path) as battery:
        tally = battery.instants(300, seed=SEED)
    assert tally.clean, tally
    assert tally.cut - tally.whole >= 200
    assert tally.hidden > 0
