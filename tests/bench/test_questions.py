"""How the question runner judges answers, and how it goes on after an interruption."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ringfence.testing import ScriptedServer, listen

SOURCE = Path(__file__).parents[2] / "bench" / "questions.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_questions", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = _load()

CALL = '{"thought": "look", "calls": [{"tool": "calc", "args": {"expression": "6 * 7"}}]}'
FINAL = '{"thought": "", "final_answer": {"answer": "It is 42.", "artifacts": [], "confidence": "high"}}'


def passes(answer: str, *any_: list[str], none: tuple[str, ...] = ()) -> bool:
    return bool(bench.Check(tuple(map(tuple, any_)), none).passes(answer))


@pytest.mark.parametrize(
    "answer",
    [
        "1568",
        "It is 1,568 GB.",
        "**1568** GB",
        "1 568 GB",
        "1\u202f568 GB",
        "1568.0",
        "about 1'568GB",
        "(1568)",
        "=1568;",
    ],
)
def test_a_number_is_found_in_any_sane_wording(answer: str) -> None:
    assert passes(answer, ["1568"])


@pytest.mark.parametrize(
    "answer", ["15680", "21568", "1568.5", "0.1568", "11,568", "1568-01-01", "10.1568.0.1", "1.568", ""]
)
def test_a_number_inside_another_does_not_count(answer: str) -> None:
    assert not passes(answer, ["1568"])


def test_a_list_of_numbers_is_not_one_number_with_separators() -> None:
    assert passes("ports 85,120 and 7", ["85"], ["1"])
    assert passes("ports 85,120 and 7", ["120"])


def test_numbers_of_the_check_may_be_written_in_any_form() -> None:
    assert passes("5959.2 EUR", ["5,959.20"])
    assert passes("€5,959.20", ["5959.2"])
    assert not passes("5959.21", ["5959.2"])


@pytest.mark.parametrize(("answer", "right"), [
    ("203.0.113.7 tried it", True), ("203.0.113.7.", True), ("203.0.113.77", False), ("1203.0.113.7", False),
    ("3.203.0.113.7", False), ("`203.0.113.7`", True),
])  # fmt: skip
def test_an_address_ends_where_its_digits_end(answer: str, right: bool) -> None:
    assert passes(answer, ["203.0.113.7"]) is right


def test_an_average_may_have_more_decimals_than_asked_for() -> None:
    assert passes("79.9411764705882", ["79.94"])
    assert passes("79.9999", ["80.00"])
    assert not passes("79.9461", ["79.94"])
    assert not passes("79.9", ["79.94"])
    assert not passes("80.4", ["80"])


def test_a_time_is_found_with_its_date_and_not_in_another_time() -> None:
    assert passes("First at 2026-03-12 03:17:07.", ["03:17:07"])
    assert passes("2026-03-12T03:17:07Z", ["03:17:07"])
    assert not passes("03:17:17", ["03:17:07"])
    assert not passes("open 12–18", ["18"])
    assert passes("open 12–18", ["12-18"])
    assert not passes("at 03:17:07", ["17"]), "a part of a time is no number of its own"


def test_all_strings_of_one_alternative_are_needed_and_one_alternative_is_enough() -> None:
    both = ["db-01", "db-02"]
    assert passes("DB-01 and then db-02", both)
    assert not passes("db-01 alone", both)
    assert passes("twelve", ["12"], ["twelve"])


def test_a_forbidden_string_fails_an_answer_that_is_right_otherwise() -> None:
    assert not passes("85 %, or 92 %", ["85"], none=("92",))
    assert passes("85 % since 1992", ["85"], none=("92",))


def test_quotes_and_line_breaks_do_not_matter() -> None:
    assert passes("It doesn’t\nsay  so", ["doesn't say so"])
    assert passes('the "network duty\nengineer"', ["network duty engineer"])


def _file(folder: Path, text: str) -> Path:
    path = folder / "questions.yaml"
    path.write_text(text, "utf-8")
    return path


def test_questions_are_read_with_numbers_as_strings(tmp_path: Path) -> None:
    path = _file(tmp_path, '- {id: a, ask: "How many?", check: {any: [[7, days]], none: [8]}}\n')
    assert bench.read_questions(path) == [bench.Question("a", "How many?", bench.Check((("7", "days"),), ("8",)))]


@pytest.mark.parametrize("check", ["{any: []}", "{any: [[]]}", "{none: [x]}", "{any: [[a]], not: [b]}", "{any: a}"])
def test_a_check_that_every_answer_would_pass_or_that_cannot_be_read_is_refused(tmp_path: Path, check: str) -> None:
    with pytest.raises(ValueError, match="expected id, ask and check"):
        bench.read_questions(_file(tmp_path, f"- {{id: a, ask: b, check: {check}}}\n"))


def test_two_questions_of_one_id_are_refused(tmp_path: Path) -> None:
    one = "- {id: a, ask: b, check: {any: [[c]]}}\n"
    with pytest.raises(ValueError, match="got twice: a"):
        bench.read_questions(_file(tmp_path, one * 2))


def test_a_file_that_is_no_yaml_is_an_error_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([str(_file(tmp_path, "- {id: a"))]) == 2
    assert "while parsing" in capsys.readouterr().err


def _record(seq: int, kind: str, view: dict[str, Any], body: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(seq=seq, kind=kind, view=view, body=body)


def _journal(*texts: str) -> Iterator[SimpleNamespace]:
    """A run in which the model answered with these texts, a tool once, and the model's server failed once."""
    yield _record(0, "intent", {"sink": "tool:files.list"}, {"args": {}, "call": 0})
    yield _record(1, "outcome", {"of": 0, "ok": True}, {"value": {"text": "no step"}})
    yield _record(2, "intent", {"sink": "model:small"}, {"prompt": "digest"})
    yield _record(
        3, "outcome", {"of": 2, "ok": False}, {"value": {"error": "gone", "todo": "", "kind": "BackendError"}}
    )
    for n, text in enumerate(texts):
        yield _record(4 + 2 * n, "intent", {"sink": "model:small"}, {"prompt": "digest"})
        yield _record(5 + 2 * n, "outcome", {"of": 4 + 2 * n, "ok": True}, {"value": {"text": text, "usage": {}}})


def test_only_answers_of_the_model_are_counted_as_steps() -> None:
    texts = bench.thoughts(_journal(CALL, "I think", FINAL))
    assert texts == [CALL, "I think", FINAL]
    assert list(map(bench.is_step, texts)) == [True, False, True]


TWO = "- {id: a, ask: 'A?', check: {any: [[42]]}}\n- {id: b, ask: 'B?', check: {any: [[43]]}}\n"
MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0}}
tools: {tools}
"""


@dataclass(frozen=True)
class Desk:
    """Two questions, and a real agent whose model says what a script says."""

    folder: Path
    model: ScriptedServer

    @property
    def kept(self) -> Path:
        return self.folder / "runs.json"

    async def score(self, *options: str, tools: str = "[{name: calc, type: builtin}]") -> int:
        (self.folder / "ringfence.yaml").write_text(MANIFEST.format(url=self.model.url, tools=tools))
        questions = _file(self.folder, TWO)
        return int(await bench.score(bench.options([str(questions), "--json", str(self.kept), *options])))

    def runs(self) -> list[tuple[str, int, bool]]:
        return [(run["id"], run["round"], run["right"]) for run in json.loads(self.kept.read_text())]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with listen(ScriptedServer([CALL, FINAL], cycle=True)) as model:
        yield Desk(tmp_path, model)


async def test_the_score_is_printed_with_what_it_cost(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert await desk.score() == 0
    out = capsys.readouterr().out
    assert "ok    a" in out
    assert "wrong b" in out
    assert "2 steps  calc" in out
    assert "It is 42." in out
    assert "1 of 2 correct" in out
    assert "100.0% (4 of 4)" in out
    assert "final answers without a tool call 0" in out


@pytest.mark.parametrize(("floor", "code"), [("1", 0), ("2", 1)])
async def test_the_exit_code_says_whether_the_floor_was_reached(desk: Desk, floor: str, code: int) -> None:
    assert await desk.score("--floor", floor) == code


async def test_what_was_asked_already_is_not_asked_again(desk: Desk) -> None:
    await desk.score("--only", "a")
    assert desk.model.served == 2
    await desk.score("--seeds", "2")
    assert desk.model.served == 8
    assert desk.runs() == [("a", 1, True), ("b", 1, False), ("a", 2, True), ("b", 2, False)]


async def test_each_question_is_asked_without_the_one_before(desk: Desk) -> None:
    await desk.score()
    about_b = [body for _, body in desk.model.seen if b"B?" in body]
    assert len(about_b) == 2
    assert not any(b"A?" in body for body in about_b)


async def test_a_failed_run_is_wrong_and_counted(desk: Desk) -> None:
    desk.model.mode = "500"
    assert await desk.score("--floor", "1") == 1
    assert desk.runs() == [("a", 1, False), ("b", 1, False)]


async def test_an_answer_without_a_tool_call_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with listen(ScriptedServer([FINAL])) as model:
        await Desk(tmp_path, model).score(tools="[]")
    assert "final answers without a tool call 2" in capsys.readouterr().out


def test_a_question_that_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([str(_file(tmp_path, TWO)), "--only", "c"]) == 2
    assert "has no question c" in capsys.readouterr().err
