"""Runs in a file: what is there is not played again, and what does not belong together is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.evals.kept import Kept
from ringfence.evals.suite import Suite

from .conftest import MANIFEST, Desk

TWO = "cases: [{id: a, task: 'A?', answer: {any: [[42]]}}, {id: b, task: 'B?', answer: {any: [[42]]}}]\n"
FRESH = "fresh: [ringfence.yaml, notes]\n"


def kept(desk: Desk, suite: Suite, *labels: str) -> Kept:
    return Kept(desk.folder / "runs.json", suite, [desk.side(label) for label in labels or ("one",)])


async def test_what_was_played_is_not_played_again(desk: Desk) -> None:
    suite = desk.write(FRESH + TWO)
    await desk.play(suite, kept=kept(desk, suite))
    assert len(desk.built) == 2
    trials = await desk.play(suite, seeds=2, kept=kept(desk, suite))
    assert len(desk.built) == 4
    assert [(trial.case, trial.seed) for trial in trials] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


async def test_runs_read_from_a_file_are_the_runs_that_were_written(desk: Desk) -> None:
    suite = desk.write(FRESH + TWO)
    assert await desk.play(suite, kept=kept(desk, suite)) == kept(desk, suite).trials


async def test_other_cases_gates_tags_and_runs_may_come_and_go(desk: Desk) -> None:
    suite = desk.write(FRESH + TWO)
    await desk.play(suite, kept=kept(desk, suite))
    more = TWO.replace("task: 'A?'", "tags: [t], task: 'A?'").replace("]\n", ", {id: c, task: 'C?', abstains: true}]\n")
    now = desk.write(FRESH + "runs: 3\ngate: {success: 1}\n" + more)
    assert len(kept(desk, now).trials) == 2
    assert len(kept(desk, desk.write(FRESH + TWO), "two").trials) == 2


def other_manifest(desk: Desk) -> None:
    (desk.folder / "ringfence.yaml").write_text(MANIFEST.replace("scripted", "another"))


def other_note(desk: Desk) -> None:
    (desk.folder / "notes" / "a.txt").write_text("all is well\n")


@pytest.mark.parametrize(
    ("change", "text", "words"),
    [
        (None, TWO.replace("B?", "D?"), "case b"),
        (None, TWO.replace("42", "43", 1), "case a"),
        (other_manifest, TWO, "the manifest or model of one"),
        (other_note, TWO, "the setup"),
    ],
)
async def test_runs_from_before_a_change_are_refused(desk: Desk, change: object, text: str, words: str) -> None:
    suite = desk.write(FRESH + TWO)
    await desk.play(suite, kept=kept(desk, suite))
    if callable(change):
        change(desk)
    with pytest.raises(ManifestError, match=f"from before .*{words}.* changed") as caught:
        kept(desk, desk.write(FRESH + text))
    assert "--json" in caught.value.todo


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1, "runs": [{}]}', '{"runs": [{"side": 1}]}'])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(desk: Desk, content: str) -> None:
    path = desk.folder / "runs.json"
    path.write_text(content)
    with pytest.raises(ManifestError, match="expected runs that `ringfence eval --json` wrote"):
        kept(desk, desk.write(TWO))
    assert path.read_text() == content


def test_runs_of_another_format_are_refused(desk: Desk) -> None:
    suite = desk.write(TWO)
    kept(desk, suite).write(desk.folder / "runs.json")
    data = json.loads((desk.folder / "runs.json").read_text())
    (desk.folder / "runs.json").write_text(json.dumps({**data, "format": 9}))
    with pytest.raises(ManifestError, match="got format 9"):
        kept(desk, suite)


def test_nothing_is_written_where_no_file_is_named(desk: Desk, tmp_path: Path) -> None:
    suite = desk.write(TWO)
    before = sorted(tmp_path.rglob("*"))
    assert Kept(None, suite, [desk.side()]).trials == []
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_server_that_changes_its_model_under_us_is_found_out(desk: Desk) -> None:
    suite = desk.write(FRESH + TWO)
    (first, _) = await desk.play(suite, kept=kept(desk, suite))
    assert first.models == {"main": "scripted"}
    again = kept(desk, suite)
    with pytest.raises(ManifestError, match="expected scripted from tier main, as before, got another"):
        again.add(replace(first, seed=2, models={"main": "another"}))
    again.add(replace(first, seed=2, models={"large": "another"}))
    assert len(kept(desk, suite).trials) == 3
