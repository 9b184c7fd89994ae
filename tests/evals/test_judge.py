"""What was expected, held against what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.evals.judge import judge
from ringfence.evals.measure import Called, Measured, ModelStep
from ringfence.evals.suite import Budget, Expected

RAN = Measured(
    steps=[ModelStep("{}", prompt=1000, completion=50)] * 3,
    calls=[Called("files.find", True, True), Called("text.count", True, False), Called("shell.run", False, False)],
    decided=[("outside-grant", "POL-3", "deny")],
)


def wrong(
    root: Path, budget: Budget | None = None, status: str = "done", answer: str = "19", **expected: Any
) -> list[str]:
    given = Expected.model_validate_json(Expected.model_validate(expected).model_dump_json())
    return judge(given, budget or Budget(), status=status, answer=answer, seconds=12.0, ran=RAN, root=root)


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ({"any": ("text.count",)}, ""),
        ({"any": ("csv.sum", "text.*")}, ""),
        (
            {"any": ("csv.sum", "csv.max")},
            "expected an answered call of csv.sum or csv.max, got files.find, text.count",
        ),
        ({"any": ("shell.run",)}, "shell.run (failed)"),
        ({"all": ("files.find", "text.count")}, ""),
        ({"all": ("files.find", "csv.sum")}, "expected an answered call of csv.sum"),
        ({"none": ("files.*",)}, ""),
        ({"none": ("shell.*",)}, "expected no call of shell.*"),
        ({"at_most": 2}, ""),
        ({"at_most": 1}, "expected at most 1 calls, got 2"),
    ],
)
def test_calls(tmp_path: Path, calls: dict[str, Any], told: str) -> None:
    found = wrong(tmp_path, calls=calls)
    assert len(found) == bool(told)
    assert told in "".join(found)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"contains": ("1568",)}, ""),
        ({"contains": ("1569",)}, "expected '1569' in a.txt, got 'total 1,568'"),
        ({"lacks": ("total",)}, "expected a.txt without 'total', got it"),
        ({"lacks": ("sum",)}, ""),
        ({"equals": "total 1,568"}, ""),
        ({"equals": "total 1568"}, "expected a.txt to be 'total 1568'"),
        ({"absent": True}, "expected no file a.txt, got one"),
    ],
)
def test_files(tmp_path: Path, state: dict[str, Any], told: str) -> None:
    (tmp_path / "a.txt").write_text("total 1,568\n")
    found = wrong(tmp_path, files={"a.txt": state})
    assert len(found) == bool(told)
    assert told in "".join(found)


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert wrong(tmp_path, files={"b": {"contains": ("x",)}}) == ["expected the file b, got: no such file or directory"]
    assert wrong(tmp_path, files={"b": {"absent": True}}) == []


@pytest.mark.parametrize("word", ["outside-grant", "POL-3", "deny"])
def test_a_decision_goes_by_its_code_its_rule_or_its_verdict(tmp_path: Path, word: str) -> None:
    assert wrong(tmp_path, records={"any": (word,)}) == []
    assert wrong(tmp_path, records={"none": (word,)}) == [
        f"expected no decision {word} on record, got deny POL-3 outside-grant"
    ]
    assert wrong(tmp_path, records={"any": ("denied",)}) != []


def test_a_budget_bounds_model_calls_tokens_and_seconds(tmp_path: Path) -> None:
    assert wrong(tmp_path, Budget(steps=3, tokens=3150, seconds=12)) == []
    assert wrong(tmp_path, Budget(steps=2, tokens=3149, seconds=11.5)) == [
        "expected at most 2 model calls, got 3",
        "expected at most 3149 tokens, got 3150",
        "expected at most 11.5 seconds, got 12",
    ]


def test_an_end_that_was_not_expected_says_how_it_ended_and_not_what_the_answer_lacks(tmp_path: Path) -> None:
    given = Expected.model_validate({"answer": {"any": (("19",),)}})
    found = judge(given, Budget(), status="failed", answer="No answer: it broke", seconds=1, ran=RAN, root=tmp_path)
    assert found == ["expected the run to end done or partial, got failed: 'No answer: it broke'"]


def test_an_answer_that_guesses_does_not_abstain(tmp_path: Path) -> None:
    assert wrong(tmp_path, abstains=True) == ["expected an answer that says it is not there, got '19'"]
    assert wrong(tmp_path, abstains=True, answer="It is not in the notes.") == []
