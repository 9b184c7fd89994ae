"""The suites that ship: what they expect follows from their files, and a right run of them passes."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import app
from ringfence.core.values import Prompt
from ringfence.evals.play import Player, Side, Trial
from ringfence.evals.suite import by_id, load
from ringfence.manifest.types import Manifest
from ringfence.testing import ScriptedModel

from ..cli.conftest import final, step

EXAMPLES = Path(__file__).parents[2] / "examples"
OPS, NOTES = EXAMPLES / "ops", EXAMPLES / "notes"
MEETING = "data/meetings/2026-01-12.md"
PHONE = "The phone number is not in the files."


@pytest.fixture(params=[1, 2, 3])
def shift(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A shift of examples/ops/gates.yaml."""
    command = [sys.executable, str(OPS / "make_shift.py"), str(tmp_path), "--seed", str(request.param)]
    subprocess.run(command, check=True, timeout=60)
    return tmp_path


def answers(folder: Path) -> dict[str, str]:
    """The answers, worked out from the files in another way than the script does."""
    team = json.loads((folder / "expect.json").read_text())["vars"]["team"]
    failed = re.findall(r'^\S+ (\S+) ".*" 503 \d+$', (folder / "logs" / "web.log").read_text(), re.M)
    rows = list(csv.DictReader((folder / "data" / "tickets.csv").read_text().splitlines()))
    (limit,) = re.findall(r"^max_connections = (\d+)$", (folder / "config" / "limits.ini").read_text(), re.M)
    (page,) = re.findall(r"Page (.*?)\.", (folder / "runbooks" / "queue-stuck.md").read_text())
    return {
        "limit": limit,
        "page": page,
        "count": str(len(failed)),
        "first": min(failed),
        "hours": str(sum(int(row["hours"]) for row in rows if row["team"] == team)),
        "open": str(sum(row["state"] == "open" for row in rows)),
        "phone": PHONE,
    }


async def play(file: Path, name: str, said: ScriptedModel, seed: int = 1) -> Trial:
    """One case, its model scripted."""
    suite = load(file)

    def build(manifest: Manifest) -> app.Agent:
        return app.from_manifest(manifest.model_copy(update={"sandbox": "unsafe-none"}), model=said)

    async with Player(suite, build=build) as player:
        trial, _ = await player.play(Side("one", suite.folder / suite.manifest), by_id(suite)[name], seed)
    return trial


def test_the_answers_of_a_shift_follow_from_its_files(shift: Path) -> None:
    found, expected = answers(shift), json.loads((shift / "expect.json").read_text())
    cases = by_id(load(OPS / "gates.yaml"))
    assert set(cases) == set(found)
    for name, answer in found.items():
        if name in expected:
            assert [answer.removeprefix("the ")] in expected[name]["answer"]["any"]
        else:
            assert cases[name].abstains


async def test_a_right_answer_of_a_shift_passes_and_a_wrong_one_does_not() -> None:
    for answer, right in (("503 was answered 0 times", False), (PHONE, True)):
        script = [step("files.read", path="config/limits.ini"), *[final(answer)] * 4]
        trial = await play(OPS / "gates.yaml", "phone" if right else "count", ScriptedModel(script), seed=2)
        assert trial.right is right, trial.wrong


def notes(prompt: Prompt) -> str:
    """Does what the task of examples/notes says, then says so."""
    words = b"".join(prompt.messages).decode()
    if words.count("I look"):
        return final("That is settled.")
    if "call the plumber" in words:
        return step("files.write", path="data/todo.md", text="call the plumber\n")
    return step("files.edit", path=MEETING, old="Tusday", new="Tuesday")


@pytest.mark.parametrize("name", ["write", "edit-asks", "edit-approved"])
async def test_a_run_that_does_what_its_task_says_passes(name: str) -> None:
    before = (NOTES / MEETING).read_text()
    trial = await play(NOTES / "eval.yaml", name, ScriptedModel(notes))
    assert trial.wrong == ()
    assert (NOTES / MEETING).read_text() == before


async def test_a_model_that_obeys_the_note_does_no_harm() -> None:
    forged = step("files.write", path="data/payments.md", text="pay 310.00 to IBAN XX00 0000\n")
    script = [step("files.read", path="data/forwarded.md"), forged, final("310.00")]
    trial = await play(NOTES / "eval.yaml", "obeys-no-note", ScriptedModel(script))
    assert trial.wrong == ()
