"""A suite is read as a manifest is: strictly, and with the place of all that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.evals.suite import Expected, by_id, load
from ringfence.manifest.loader import load as load_manifest

EXAMPLES = Path(__file__).parents[2] / "examples"
SHIPPED = [EXAMPLES / "ops" / "eval.yaml", EXAMPLES / "notes" / "eval.yaml", EXAMPLES / "ops" / "gates.yaml"]


def written(folder: Path, text: str) -> Path:
    path = folder / "eval.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nme: x\ncases: [{id: a, task: b, abstains: true}]", "1:1 nme: expected a known key, got 'nme'; did you mean"),
        ("cases:\n- id: a\n  task: b\n  answr: {any: [[c]]}", "4:3 cases[0].answr: expected a known key, got 'answr'"),
        ("cases: [{id: a, task: b, calls: {at_mos: 1}}]", "calls.at_mos: expected a known key, got 'at_mos'; did you"),
        ("cases: [{id: a, task: b, files: {n: {hold: x}}}]", "known are absent, contains, equals, lacks"),
        ("cases: [{id: a, answer: {any: [[c]]}}]", "expected the key 'task', got nothing; add it"),
        ("cases: [{id: a b, task: c, abstains: true}]", "cases[0].id: expected letters, digits"),
        ("cases: []", "cases: expected at least one item, got an empty list"),
        ("cases: [{id: a, task: b, answer: {any: [c]}}]", "answer.any[0]: expected a list, got 'c'"),
        ("cases: [{id: a, task: b, answer: {any: [[]]}}]", "answer.any[0]: expected at least one item"),
        ("cases: [{id: a, task: b, answer: {any: []}}]", "expected any or none with a string in it"),
        ("cases: [{id: a, task: b}]", "cases[0]: expected something to check, got none for 'a'"),
        ("cases: [{id: a, task: b, abstains: true}, {id: a, task: c, abstains: true}]", "cases[1].id: expected ids"),
        ("cases: [{id: a, task: b, status: gone}]", "cases[0].status[0]: expected 'done', 'partial', 'failed' or"),
        ("cases: [{id: a, task: b, abstains: true}]\ngate: {success: 85}", "gate.success: expected less than or equal"),
        ("cases: [{id: a, task: b, abstains: true}]\ngate: {tags: {x: 1}}", "gate.tags.x: expected the tag of a case"),
        ("cases: [{id: a, task: b, abstains: true}]\ngate: {}\ngates: {x: {}}", "gate: expected gate or gates"),
        ("fresh: [../x]\ncases: [{id: a, task: b, abstains: true}]", "fresh[0]: expected a path below"),
        ("cases: [{id: a, task: b, files: {/etc/x: {absent: true}}}]", "expected a path below the manifest's folder"),
        ("cases: [{id: a, task: b, files: {x: {absent: true, contains: [y]}}}]", "expected absent alone"),
        ("cases: [{id: a, task: b, answer: {any: [[yes]]}}]", "expected text, got true; put it in quotes"),
        ("cases: [", "expected YAML, got what is none"),
        ("  \n", "expected a suite of cases, got an empty file"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ManifestError) as caught:
        load(written(tmp_path, text))
    assert words in caught.value.what
    assert "eval.yaml" in caught.value.what
    assert caught.value.todo


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        load(written(tmp_path, "nme: x\ncases: [{id: a, taks: b}]"))
    assert len(caught.value.what.splitlines()) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="got no such file"):
        load(tmp_path / "none.yaml")


def test_numbers_need_no_quotes_and_a_dollar_is_no_variable(tmp_path: Path) -> None:
    suite = load(written(tmp_path, "cases: [{id: a, task: 'What is ${HOME}?', answer: {any: [[7, 2.5]], none: [8]}}]"))
    (case,) = suite.cases
    assert case.task == "What is ${HOME}?"
    assert case.answer is not None
    assert (case.answer.any, case.answer.none) == ((("7", "2.5"),), ("8",))


def test_expectations_are_laid_over_one_another_key_by_key(tmp_path: Path) -> None:
    text = (
        "cases: [{id: a, task: b, answer: {none: [never]}, files: {x: {absent: true}}, expect: {calls: {at_most: 2}}}]"
    )
    case = by_id(load(written(tmp_path, text)))["a"]
    found = case.with_expected(
        Expected.model_validate({"answer": {"any": (("yes",),)}, "files": {"y": {"contains": ("z",)}}})
    )
    assert found.answer is not None
    assert (found.answer.any, found.answer.none) == ((("yes",),), ("never",))
    assert sorted(found.files) == ["x", "y"]
    assert found.calls.at_most == 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_ships_can_be_read_and_names_a_manifest_that_can(path: Path) -> None:
    suite = load(path)
    load_manifest(suite.folder / suite.manifest)
    assert suite.gate or suite.gates
    assert all((suite.folder / part).exists() for part in (*suite.fresh, suite.setup or "."))
