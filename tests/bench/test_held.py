"""The suites that others wrote: what each world expects is what its files say, and the check of that can fail."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.evals.suite import by_id, expected_of, load

HELD = Path(__file__).parents[2] / "bench" / "held"
SUITES = (
    "clinic", "plant", "depot", "school", "museum", "hotel", "theatre", "bikes", "solar", "bakery", "orchard", "ferry",
    "library", "pottery", "choir", "vet", "cinema",
    "toolshed", "printshop", "airfield",
)  # fmt: skip
CHANGED = {  # a file of each world, a number in it, and the task that asks for it
    "clinic": ("settings/reminders.toml", r"hours_before = \d+", "hours_before = 99", "reminder-hours"),
    "plant": ("binder/gaerkeller.txt", r"mindestens \d+", "mindestens 99", "vent-minutes"),
    "depot": ("handbook/loading-rules.md", r"upper(.*) at most \d+", r"upper\1 at most 99", "pallet-height"),
    "school": ("config/bells.ini", r"lesson_minutes = \d+", "lesson_minutes = 99", "lesson-minutes"),
    "museum": ("settings/scanner.ini", r"(negatives\]\ndpi) = \d+", r"\1 = 99", "negative-dpi"),
    "hotel": ("setup/wellness.toml", r"(\[sauna\]\n.*) = \d+", r"\1 = 99", "sauna"),
    "theatre": ("systems/ticketing.ini", r"(online\]\nhold_minutes) = \d+", r"\1 = 99", "hold-minutes"),
    "bikes": ("config/rental.toml", r"(cargo_bike\]\nmax_days) = \d+", r"\1 = 99", "cargo-days"),
    "solar": (
        "settings/monitoring.toml",
        r"offline_after_minutes = \d+",
        "offline_after_minutes = 99",
        "offline-minutes",
    ),
    "bakery": ("config/till.env", r"PRINTER_PORT=\d+", "PRINTER_PORT=99", "printer-port"),
    "orchard": ("config/frost.yaml", r"on_below_c: [\d.]+", "on_below_c: 99", "frost-sprinklers"),
    "ferry": (
        "settings/ticket-machine.toml",
        r"start_screen_seconds = \d+",
        "start_screen_seconds = 99",
        "screen-seconds",
    ),
    "library": (
        "config/selfcheck.json",
        r'("session": \{\s*"timeout_seconds"): \d+',
        r"\1: 99",
        "session-timeout",
    ),
    "pottery": ("config/kiln.toml", r"(glaze_firing\]\ntop_c) = \d+", r"\1 = 99", "kiln-top"),
    "choir": ("config/tickets.toml", r"hold_minutes = \d+", "hold_minutes = 99", "hold-minutes"),
    "vet": ("config/reminder-sms.toml", r"hours_before = \d+", "hours_before = 99", "sms-hours"),
    "cinema": ("config/screens.toml", r"trailers_minutes = \d+", "trailers_minutes = 99", "trailer-minutes"),
    "toolshed": ("config/loans.toml", r"(power_tools\]\nmax_days) = \d+", r"\1 = 99", "power-tool-days"),
    "printshop": ("config/print.ini", r"(poster\]\ndpi) = \d+", r"\1 = 99", "poster-dpi"),
    "airfield": ("config/winch.toml", r"max_crosswind_kt = \d+", "max_crosswind_kt = 99", "crosswind"),
}


@pytest.fixture(
    params=[(suite, seed) for suite in SUITES for seed in (2, 3)], ids=lambda given: f"{given[0]}-{given[1]}"
)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A suite and a world of it, which was checked while it was made."""
    suite, seed = request.param
    folder = tmp_path / "world"
    script, port = HELD / suite / "make_world.py", folder / "site.port"
    command = [sys.executable, str(script), str(folder), "--seed", str(seed), "--idle", "300", "--check"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        yield suite, folder
    finally:
        port.unlink(missing_ok=True)  # which ends its server


def wrong(suite: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the check says of a world."""
    monkeypatch.syspath_prepend(HELD)
    spec = importlib.util.spec_from_file_location(f"held_{suite}", HELD / suite / "again.py")
    assert spec is not None
    assert spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    found: list[str] = importlib.import_module("world").check(folder, again.again)
    return found


def test_each_case_has_an_answer_and_each_placeholder_a_value_in_every_world(made: tuple[str, Path]) -> None:
    suite, folder = made
    cases = by_id(load(HELD / suite / "tasks.yaml"))
    expected, words = expected_of(folder / "expect.json")
    assert len(cases) == 24
    assert cases.keys() == expected.keys()
    assert {name for case in cases.values() for name in re.findall(r"\{(\w+)\}", case.task)} == words.keys()


def test_a_number_that_is_changed_in_a_file_is_reported_and_nothing_else(
    made: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suite, folder = made
    name, before, after, case = CHANGED[suite]
    other = shutil.copytree(folder, tmp_path / "other")
    text = (other / name).read_text("utf-8")
    (other / name).write_text(re.sub(before, after, text), "utf-8")
    assert wrong(suite, folder, monkeypatch) == []
    (found,) = wrong(suite, other, monkeypatch)
    have = json.loads((folder / "expect.json").read_text("utf-8"))[case]["answer"]["any"]
    assert found == f"{case}: {have} in expect.json, [['99']] in the files"
