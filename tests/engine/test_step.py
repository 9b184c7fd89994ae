"""What is made of tools alone is made once for all runs, and is what it would have been if it were made anew."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ringfence.core.policy import Effect, SinkSpec
from ringfence.engine import step
from ringfence.engine.step import closed, grammar, signature, signatures


def tool(name: str, **properties: Any) -> SinkSpec:
    return SinkSpec(f"tool:{name}", summary=f"does {name}. More.", schema=closed(properties), effect=Effect.READ)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "_GRAMMARS", {})
    monkeypatch.setattr(step, "_SIGNATURES", {})


def test_the_grammar_of_the_same_tools_is_made_once() -> None:
    tools = [tool("grep", pattern={"type": "string"}), tool("calc", expression={"type": "string"})]
    first = grammar(tools, final=True, parallel=3)
    assert grammar(list(tools), final=True, parallel=3) is first
    assert [call["properties"]["tool"]["const"] for call in _calls(first)] == ["grep", "calc"]


def test_whatever_else_it_depends_on_makes_another_one() -> None:
    tools = [tool("grep", pattern={"type": "string"})]
    made = {
        grammar(tools, final=final, parallel=parallel, goals=goals, says=says)
        for final in (True, False)
        for parallel in (1, 2)
        for goals in ((), (1,), (1, 2))
        for says in ("", "not found in the files")
    }
    assert len(made) == 2 * 3 + 2 * 3 * 2  # what an answer may say is of no matter where there can be none
    again = grammar(tools, final=True, parallel=1, goals=(1, 2), says="not found in the files")
    assert json.loads(again)["anyOf"][1]["properties"]["final_answer"]["properties"]["answer"] == {
        "const": "not found in the files"
    }


def test_a_tool_that_was_declared_anew_is_another_one() -> None:
    old = tool("grep", pattern={"type": "string"})
    new = replace(old, schema=closed({"words": {"type": "string"}}), summary="finds words.")
    assert grammar([old], final=False, parallel=1) != grammar([new], final=False, parallel=1)
    assert signatures([old]) != signatures([new])
    assert [call["properties"]["args"]["required"] for call in _calls(grammar([new], final=False, parallel=1))] == [
        ["words"]
    ]


def test_what_a_run_has_seen_is_in_its_own_grammar_alone() -> None:
    spec = tool("read", path={"type": "string", "x-from": {"key": "path"}})
    plain = grammar([spec], final=False, parallel=1)
    seen = grammar([spec], final=False, parallel=1, choices={"path": ["a.txt"]})
    assert "a.txt" in seen.decode()
    assert grammar([spec], final=False, parallel=1) is plain
    assert "a.txt" not in plain.decode()


def test_the_folder_of_a_known_file_may_be_named_where_folders_may() -> None:
    known = {"path": ["notes/a.md", "notes/b.md", "c.txt", "logs/old/d.log"]}
    for more, choices in (({}, []), ({"folders": True}, ["notes", "logs", "logs/old"])):
        spec = tool("stat", path={"type": "string", "x-from": {"key": "path", **more}, "default": ""})
        (call,) = _calls(grammar([spec], final=False, parallel=1, choices=known))
        assert call["properties"]["args"]["properties"]["path"] == {"enum": ["", *known["path"], *choices]}


def test_a_list_of_known_values_has_at_most_as_many_of_them() -> None:
    """A small model repeats the last column until its tokens are used up."""
    items = {"type": "string", "x-from": {"key": "path"}}
    spec = tool("read", paths={"type": "array", "items": items, "maxItems": 20})
    for known, most in ((["a.txt", "b.txt"], 2), ([f"{n}.txt" for n in range(30)], 20)):
        (call,) = _calls(grammar([spec], final=False, parallel=1, choices={"path": known}))
        assert call["properties"]["args"]["properties"]["paths"] == {
            "type": "array", "items": {"enum": known}, "maxItems": most,
        }  # fmt: skip
    (call,) = _calls(grammar([spec], final=False, parallel=1, choices={"other": ["a"]}))
    assert call["properties"]["args"]["properties"]["paths"]["maxItems"] == 20


def test_tools_are_shown_one_a_line_in_full_or_in_short() -> None:
    tools = [tool("grep", pattern={"type": "string", "description": "what"}), tool("calc")]
    for short in (False, True):
        assert signatures(tools, short=short) == "\n".join(signature(spec, short=short) for spec in tools)
    assert signatures([]) == ""


def test_no_more_is_kept_than_a_bound() -> None:
    for n in range(3 * step._MOST_KEPT):
        grammar([tool(f"t{n}")], final=False, parallel=1)
        assert len(step._GRAMMARS) <= step._MOST_KEPT


def _calls(data: bytes) -> list[dict[str, Any]]:
    """The calls that a grammar allows."""
    whole = json.loads(data)
    form = whole["anyOf"][0] if "anyOf" in whole else whole
    return form["properties"]["calls"]["items"]["anyOf"]  # type: ignore[no-any-return]
