"""How a result is shown to a model."""

from __future__ import annotations

from ringfence.engine.context import render


def test_rows_stand_in_lines_of_their_own_however_deep_they_are() -> None:
    page = {"url": "u", "json": {"updated": "today", "berths": [{"at": "A", "free": 3}, {"at": "B", "free": 4}]}}
    assert render(page) == "url: u\njson:\nupdated: today\nberths:\n- at: A, free: 3\n- at: B, free: 4"
    assert render({"json": {"a": {"b": 1}}}) == 'json: {"a": {"b": 1}}'  # nothing that takes lines
    deep: object = [1]
    for _ in range(500):
        deep = {"in": deep}
    assert render({"json": deep}).count("\n") < 10


def test_what_is_for_the_loop_alone_is_not_shown() -> None:
    assert render({"passages": [{"path": "a.log", "text": "x"}], "partial": True}) == "passages:\n- path: a.log\nx"
    assert render({"partial": True, "rows": 3}) == "partial: true\nrows: 3"  # another tool's own word
