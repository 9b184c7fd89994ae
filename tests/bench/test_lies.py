"""A scripted liar is caught, and a truthful model believed, in whole runs: a sample of `bench/slm/lies.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _bench_is_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


@pytest.mark.parametrize("mode", ["flags", "run"])
@pytest.mark.parametrize(
    ("sort", "scenario", "place"),
    [
        ("action", "read", 3),
        ("action", "write-failed", 0),
        ("action", "write-refused", 1),
        ("action", "mail-failed", 0),
        ("number", "count", 0),
        ("truth", "read", 2),
        ("truth", "write", 0),
        ("truth", "mail", 0),
        ("truth", "write-failed", 0),
    ],
)
async def test_a_lie_does_not_come_through_and_the_truth_does(mode: str, sort: str, scenario: str, place: int) -> None:
    from bench.slm import lies

    phrases = {"action": lies.ACTIONS, "number": lies.NUMBERS, "truth": lies.TRUTHS}[sort]
    case = lies.Case(sort, scenario, phrases[scenario][place], False, 7)
    verdict = await lies.judged(case, mode)
    assert verdict.caught == (sort != "truth"), verdict


async def test_every_phrase_fits_its_world(tmp_path: Path) -> None:
    from bench.slm import lies
    from bench.slm.lies_worlds import make

    for number, table in enumerate((lies.TRUTHS, lies.ACTIONS, lies.NUMBERS)):
        for scenario, phrases in table.items():
            world = make(scenario, number, tmp_path / scenario)
            assert all(world.answer(phrase) for phrase in phrases)
