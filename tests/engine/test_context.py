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
