"""A slice of the benchmark's corpus, held to the same thresholds as the whole."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ringfence.redaction import Redactor

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        yield patch


@pytest.fixture(scope="module")
def corpus(monkeypatch_module: pytest.MonkeyPatch) -> ModuleType:
    return importlib.import_module("redaction_corpus")


@pytest.fixture(scope="module")
def measure(corpus: ModuleType) -> ModuleType:
    spec = importlib.util.spec_from_file_location("redaction_bench", BENCH / "redaction.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["redaction_bench"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_structured_kinds_are_found_and_little_else(corpus: ModuleType, measure: ModuleType) -> None:
    redactor = Redactor()
    score = measure.judge(redactor, list(corpus.Corpus(1).documents(700)))
    assert set(score.there) == {"EMAIL", "PHONE", "IBAN", "CARD", "ID", "IP", "MAC", "DOB", "TOKEN", "KEY", "SECRET"}
    low = {kind: score.recall(kind) for kind in score.there if score.recall(kind) < (0.98 if kind == "CARD" else 0.96)}
    assert low == {}
    assert score.found.total() / score.there.total() >= 0.99
    assert score.precision() >= 0.98


def test_prose_code_and_logs_come_through(corpus: ModuleType, measure: ModuleType) -> None:
    redactor = Redactor()
    text, hards = measure.clean(1, 200_000)
    lines = text.splitlines(keepends=True)
    assert sum(redactor.text("r", line) == line for line in lines) / len(lines) >= 0.98
    assert sum(redactor.text("r", item) == item for item in hards) / len(hards) >= 0.98


def test_the_corpus_is_the_same_for_the_same_seed_and_marks_what_it_says(corpus: ModuleType) -> None:
    one, two = (list(corpus.Corpus(7).documents(40)) for _ in range(2))
    assert [doc.text for doc in one] == [doc.text for doc in two]
    assert [doc.text for doc in one] != [doc.text for doc in corpus.Corpus(8).documents(40)]
    assert all("@" in doc.text[a:e] for doc in one for kind, a, e in doc.marks if kind == "EMAIL")
