"""Scores, gates, differences and reports of runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.evals.play import Trial
from ringfence.evals.report import Report, as_json, markdown, report, text
from ringfence.evals.score import score, verdict
from ringfence.evals.suite import Gate, Suite, load

CASES = "cases: [{id: a, task: b, abstains: true, tags: [x]}, {id: c, task: d, abstains: true}]\n"
ONE = Trial(
    "m", "a", 1, (), "done", "yes", "run-1", 2.0, steps=2, valid=2, calls=("calc",),
    prompt=1000, completion=100, cached=400, again=500, again_cached=400, rungs={"grammar": 2},
)  # fmt: skip
LOST = replace(ONE, case="c", run_id="run-2", wrong=("expected 5, got 6|7",), seconds=4.0, steps=4, valid=3, calls=())


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return written(tmp_path, CASES)


def written(folder: Path, body: str) -> Suite:
    (folder / "eval.yaml").write_text(body)
    return load(folder / "eval.yaml")


def shown(found: Report) -> str:
    return "\n".join(text(found))


def test_a_score_counts_what_the_runs_say(suite: Suite) -> None:
    found = score("m", [ONE, LOST, replace(ONE, side="other")], suite.cases)
    assert (found.cases, found.runs, found.right, found.rounds) == (2, 2, 1, 1)
    assert (found.success.value, found.tags["x"].value) == (0.5, 1.0)
    assert (found.valid, found.steps, found.calls_median, found.seconds_median) == (5 / 6, 6, 3, 3.0)
    assert (found.tokens_median, found.prompt, found.cached, found.completion) == (1100, 2000, 800, 200)
    assert found.evaluated == pytest.approx(0.2)
    assert (found.rungs, found.unfounded) == ({"grammar": 4}, 1)


def test_a_score_of_no_runs_claims_nothing(suite: Suite) -> None:
    found = score("m", [], suite.cases)
    assert (found.runs, found.valid, found.evaluated, found.success.low, found.success.high) == (0, None, None, 0, 1)


@pytest.mark.parametrize(
    ("gate", "missed"),
    [
        (Gate(success=0.5), ()),
        (Gate(success=0.51), ("success: expected at least 51 %, got 50 %",)),
        (Gate(success_low=0.2), ("lower end of success: expected at least 20 %, got 9.5 %",)),
        (Gate(valid=0.8, calls_median=3, tokens_median=1100, seconds_median=3, evaluated=0.2), ()),
        (Gate(valid=1), ("valid steps: expected at least 100 %, got 83.3 %",)),
        (Gate(calls_median=2.5), ("model calls, median: expected at most 2.5, got 3",)),
        (Gate(evaluated=0.1), ("prompt evaluated again: expected at most 10 %, got 20 %",)),
        (Gate(tags={"x": 1.0}), ()),
        (Gate(runs=3), ("runs of each case: expected at least 3, got 1; give --runs 3",)),
        (None, ("expected every run to be right, got 1 of 2",)),
    ],
)
def test_a_gate_says_what_it_missed(suite: Suite, gate: Gate | None, missed: tuple[str, ...]) -> None:
    found = verdict("g", gate, score("m", [ONE, LOST], suite.cases))
    assert (found.missed, found.passed) == (missed, not missed)


def test_a_gate_that_bounds_what_was_never_measured_is_missed(suite: Suite) -> None:
    assert not verdict("g", Gate(valid=0.1), score("m", [], suite.cases)).passed


def test_gates_by_name_are_all_held_and_the_first_one_counts(tmp_path: Path) -> None:
    suite = written(tmp_path, CASES + "gates: {poc: {success: 0.5}, pilot: {success: 0.9}}\n")
    found = report(suite, ["m"], [ONE, LOST], suite.cases)
    assert [(v.name, v.passed) for v in found.verdicts] == [("poc", True), ("pilot", False)]
    assert found.passed
    assert not report(suite, ["m"], [ONE, LOST], suite.cases, "pilot").passed


def test_a_failed_run_is_told_with_what_was_expected_and_its_run(suite: Suite) -> None:
    out = shown(report(suite, ["m"], [ONE, LOST], suite.cases))
    assert "c (seed 1, run run-2)\n    expected 5, got 6|7" in out
    assert "50 % (1 of 2)" in out
    assert "grammar 4" in out
    assert "80 %" not in out.split("prompt evaluated after the first step")[1].splitlines()[0]


def test_model_calls_are_all_of_them_and_a_row_tells_the_steps_apart(suite: Suite) -> None:
    served = [replace(ONE, served=3), LOST]
    assert score("m", served, suite.cases).calls_median == 4.5
    out = shown(report(suite, ["m"], served, suite.cases))
    assert "model calls: steps / beside them       6 / 3" in out
    assert "beside them" not in shown(report(suite, ["m"], [ONE, LOST], suite.cases))


def test_rungs_are_no_row_where_nothing_counts_them(suite: Suite) -> None:
    assert "rungs" not in shown(report(suite, ["m"], [replace(ONE, rungs={})], suite.cases))


def test_two_sides_are_told_apart_by_the_cases_that_flipped(suite: Suite) -> None:
    other = [replace(ONE, side="n", wrong=("no",)), replace(LOST, side="n", wrong=())]
    found = report(suite, ["m", "n"], [ONE, LOST, *other], suite.cases)
    (difference,) = found.differences
    assert (difference.gained, difference.lost, difference.success.value) == (("c",), ("a",), 0.0)
    assert "n less m: +0.0 points" in shown(found)
    assert "right there and not here: c" in shown(found)


def test_a_seed_that_one_side_did_not_play_is_no_part_of_the_difference(suite: Suite) -> None:
    trials = [ONE, replace(ONE, side="n"), replace(ONE, side="n", seed=2, wrong=("no",))]
    (difference,) = report(suite, ["m", "n"], trials, suite.cases).differences
    assert difference.success.value == 0


def test_markdown_is_a_table_in_which_a_bar_is_no_bar(suite: Suite) -> None:
    out = markdown(report(suite, ["m"], [ONE, LOST], suite.cases))
    assert "| success | 50 % (1 of 2) |" in out
    assert "| c | 1 | m | expected 5, got 6\\|7 | run-2 |" in out
    bars = [line.replace("\\|", "").count("|") for line in out.splitlines() if line.startswith("| c")]
    assert set(bars) <= {3, 6}


def test_json_has_the_numbers(suite: Suite) -> None:
    data = json.loads(json.dumps(as_json(report(suite, ["m"], [ONE, LOST], suite.cases))))
    assert (data["passed"], data["scores"][0]["success"]["value"]) == (False, 0.5)
