"""BFCL's bench: what counts as a call, for each arm, and how the figures are made."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.testing.scripted import ScriptedModel

ROOT = Path(__file__).parents[2]
BENCH = str(ROOT / "bench" / "slm")
AREA = {
    "name": "shape.area",
    "description": "Area of a rectangle.",
    "parameters": {
        "type": "dict",
        "properties": {
            "width": {"type": "float", "description": "Its width."},
            "height": {"type": "float"},
            "corners": {"type": "tuple", "items": {"type": "integer"}},
        },
        "required": ["width", "height"],
    },
}
FITS, NOT = '{"fits": true}', '{"fits": false}'


@pytest.fixture(scope="module")
def bench() -> Iterator[Callable[[str], Any]]:
    sys.path.insert(0, BENCH)
    yield importlib.import_module
    sys.path.remove(BENCH)


@pytest.fixture
def case(bench: Callable[[str], Any]) -> Any:
    answer = [{"shape.area": {"width": [2.0], "height": [3.0], "corners": [""]}}]
    return bench("bfcl_data").Case("simple_0", "simple", "The area of a rectangle of 2 by 3?", [AREA], answer)


@pytest.fixture
def two(bench: Callable[[str], Any]) -> Any:
    return bench("bfcl_data").Case("parallel_0", "parallel", "The area of 2 by 3, and then of 4 by 5?", [AREA], [])


def step(*calls: dict[str, Any]) -> str:
    return json.dumps({"thought": "", "calls": [{"tool": "shape_area", "args": args} for args in calls]})


def test_a_function_becomes_a_tool_in_words_of_json_schema(case: Any) -> None:
    (tool,) = case.tools
    assert tool.name == "shape_area"
    properties = tool.schema["properties"]
    assert properties["width"] == {"type": "number", "description": "Its width. This is a float type value."}
    assert properties["corners"] == {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('```json\n{"name": "shape_area", "arguments": {"width": 2}}\n```', 1),
        ('so:\n```\n[{"name": "shape.area", "parameters": {}}, {"tool": "shape_area", "args": {}}]\n```', 2),
        ('```json\n{"name": "shape_area", "arguments": {}}\n{"name": "shape_area", "arguments": {}}\n```', 2),
        (
            '```json\n{"name": "shape_area", "arguments": {}}\n```\n\n```\n{"name": "shape_area", "args": {}}\n```',
            2,
        ),
        ('{"function": {"name": "shape_area", "arguments": "{\\"width\\": 2}"}}', 1),
        ('{"name": "other", "arguments": {}}', 0),
        ('{"name": "shape_area", "arguments": "{"}', 0),
        ("It is 6.", 0),
        ("", 0),
        ("[1, null, {}]", 0),
    ],
)
def test_json_in_a_fence_or_alone_is_read_as_a_user_would(
    bench: Callable[[str], Any], case: Any, text: str, count: int
) -> None:
    arms = bench("bfcl_arms")
    assert len(arms.fenced(arms.Reply([], [text]), case)) == count


def test_a_native_call_is_taken_as_it_is(bench: Callable[[str], Any], case: Any) -> None:
    arms = bench("bfcl_arms")
    native = [("shape_area", {"width": 1})]
    assert arms.fenced(arms.Reply(native, ['{"name": "shape_area", "arguments": {}}']), case) == native


async def test_the_calls_of_the_ladder_are_those_that_got_through_the_gate(
    bench: Callable[[str], Any], two: Any
) -> None:
    model = ScriptedModel([FITS, step({"width": 2, "height": 3}, {"width": 4, "height": 5})])
    reply = await bench("bfcl_arms").Ladder(two, model).run()
    assert reply.calls == [("shape_area", {"width": 2, "height": 3}), ("shape_area", {"width": 4, "height": 5})]


async def test_what_no_tool_fits_is_declined_without_asking_for_calls(bench: Callable[[str], Any]) -> None:
    case = bench("bfcl_data").Case("irrelevance_0", "irrelevance", "Who won the world cup?", [AREA], [])
    model = ScriptedModel([NOT])
    assert (await bench("bfcl_arms").Ladder(case, model).run()).calls == []
    assert len(model.prompts) == 1


async def test_a_call_that_cannot_be_run_is_asked_for_once_more_with_what_is_wrong(
    bench: Callable[[str], Any], case: Any
) -> None:
    model = ScriptedModel([FITS, step({"width": 2}), step({"width": 2, "height": 3})])
    reply = await bench("bfcl_arms").Ladder(case, model).run()
    assert reply.calls == [("shape_area", {"width": 2, "height": 3})]
    assert b"height" in model.prompts[-1].messages[-1]


async def test_after_a_second_fault_there_is_no_call(bench: Callable[[str], Any], case: Any) -> None:
    model = ScriptedModel([FITS, "nothing", '{"tool": "rm", "args": {}}'])
    assert (await bench("bfcl_arms").Ladder(case, model).run()).calls == []
    assert len(model.prompts) == 3


async def test_a_server_that_ignores_the_grammar_is_read_by_its_dialect(bench: Callable[[str], Any], case: Any) -> None:
    printed = '```json\n{"name": "shape_area", "arguments": {"width": "2", "height": 3}}\n```'
    reply = await bench("bfcl_arms").Ladder(case, ScriptedModel([FITS, printed])).run()
    assert reply.calls == [("shape_area", {"width": 2, "height": 3})]
    assert reply.notes["mended"] == 1
    assert reply.notes["dialect"]


def test_intervals_are_those_of_the_textbook(bench: Callable[[str], Any]) -> None:
    bfcl = bench("bfcl")
    assert bfcl.interval(0, 0) == (0, 1)
    assert bfcl.interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe (1998), table I
    share, low, high = bfcl.difference([True] * 10 + [False] * 10, [False] * 10 + [True] * 5 + [False] * 5)
    assert share == 0.25
    assert low < 0.25 < high


@pytest.fixture(scope="module")
def wheel(bench: Callable[[str], Any]) -> Path:
    data, folder = bench("bfcl_data"), bench("bfcl").cache()
    if not (folder / data.WHEEL).exists():
        pytest.skip("the wheel of bfcl-eval is not here; python bench/slm/bfcl.py fetches it")
    found: Path = data.fetched(folder)
    return found


def _taken(options: list[Any]) -> Any:
    value = next(one for one in options if one != "")
    return {name: _taken(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("category", ["simple", "multiple", "parallel"])
def test_the_checker_takes_the_packages_own_answers_and_no_call_too_few(
    bench: Callable[[str], Any], wheel: Path, category: str
) -> None:
    data = bench("bfcl_data")
    cases = [
        case for case in data.load(wheel, category, "test", 100) if "dict" not in json.dumps(case.functions[0])[99:]
    ]
    for case in cases:
        calls = [
            (name, {key: _taken(options) for key, options in args.items() if "" not in options})
            for one in case.answer
            for name, args in one.items()
        ]
        assert data.verdict(wheel, case, calls) == "" or case.id in ("simple_python_17", "simple_python_200")
        assert data.verdict(wheel, case, calls[1:]) != ""
        assert data.verdict(wheel, case, [(name + "x", args) for name, args in calls]) != ""


def test_the_splits_share_no_case(bench: Callable[[str], Any], wheel: Path) -> None:
    data = bench("bfcl_data")
    for category in data.CATEGORIES:
        dev, test = ({case.id for case in data.load(wheel, category, split, 1000)} for split in ("dev", "test"))
        assert not dev & test
        assert len(test) >= 100


def test_no_call_is_right_where_no_tool_fits(bench: Callable[[str], Any], wheel: Path) -> None:
    data = bench("bfcl_data")
    case = data.load(wheel, "irrelevance", "test", 1)[0]
    assert data.verdict(wheel, case, []) == ""
    assert data.verdict(wheel, case, [("anything", {})]) == "called"


def test_answers_go_on_behind_a_line_that_was_cut_off(bench: Callable[[str], Any], tmp_path: Path) -> None:
    bfcl, file = bench("bfcl"), tmp_path / "answers.jsonl"
    assert bfcl.read_answers(file) == {}
    file.write_text('{"id": "simple_0"}\n{"id": "simple_1"}\n{"id": "simp')
    assert list(bfcl.read_answers(file)) == ["simple_0", "simple_1"]
    assert file.read_text() == '{"id": "simple_0"}\n{"id": "simple_1"}\n'


@pytest.mark.parametrize(
    ("request_", "args", "left"),
    [
        ("5 Tesla, once in 4 seconds and once in 10 seconds", {"b": 5, "t": 4}, ["10"]),
        ("5% of 7,000 euros, twice", {"rate": 0.05, "of": 7000}, []),
        ("a family of four in 2024", {"members": 4, "day": "2024-01-31"}, []),
        ("the roots of x^2 + 3x = 0", {"b": 3}, []),
        ("a P125 piano", {"name": "piano"}, []),
    ],
)
def test_what_a_request_says_and_no_call_has(
    bench: Callable[[str], Any], request_: str, args: dict[str, Any], left: list[str]
) -> None:
    assert bench("grounds").left_out(request_, [args]) == left


async def test_what_the_request_says_and_no_call_has_is_asked_for(bench: Callable[[str], Any], two: Any) -> None:
    first, second = {"width": 2, "height": 3}, {"width": 4, "height": 5}
    model = ScriptedModel([FITS, step(first), step(first, second)])
    reply = await bench("bfcl_arms").Ladder(two, model).run()
    assert reply.calls == [("shape_area", first), ("shape_area", second)]
    assert b"They leave out 4, 5" in model.prompts[-1].messages[-1]


async def test_who_has_nothing_more_to_call_is_not_asked_for_ever(bench: Callable[[str], Any], two: Any) -> None:
    first = {"width": 2, "height": 3}
    model = ScriptedModel([FITS, step(first), step(first), step(first)])
    assert (await bench("bfcl_arms").Ladder(two, model).run()).calls == [("shape_area", first)]
    assert len(model.prompts) == 3


async def test_a_call_that_has_more_than_one_before_stands_instead_of_it(bench: Callable[[str], Any]) -> None:
    case = bench("bfcl_data").Case("simple_1", "simple", "The area of a rectangle of 2 by 3, 44 corners?", [AREA], [])
    whole = {"width": 2, "height": 3, "corners": [44]}
    model = ScriptedModel([FITS, step({"width": 2, "height": 3}), step(whole)])
    assert (await bench("bfcl_arms").Ladder(case, model).run()).calls == [("shape_area", whole)]


async def test_what_is_called_again_beside_what_is_new_stays(bench: Callable[[str], Any]) -> None:
    case = bench("bfcl_data").Case("parallel_1", "parallel", "The area of 5 by 5, and of 5 by 77?", [AREA], [])
    first, second = {"width": 5, "height": 5}, {"width": 5, "height": 77}
    model = ScriptedModel([FITS, step(first), step(first, second)])
    assert [args for _, args in (await bench("bfcl_arms").Ladder(case, model).run()).calls] == [first, second]
