"""JSON Lines as a table: asked with a SELECT, told by an overview, refused where a line is no object."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringfence.core.errors import ToolError
from ringfence.engine.step import may_be
from ringfence.tools import objects

from .conftest import built_in, perform

LOG = """{"firing": "F-301", "kind": "bisque", "peak_c": 976, "by": {"name": "Ann", "no": "007"}, "tags": ["a", "b"]}
{"firing": "F-302", "kind": "glaze", "peak_c": 1269, "ok": true, "ended": "2025-01-08T04:05:06"}

{"firing": "F-303", "kind": "bisque", "peak_c": 1005, "by": null, "ok": false, "ended": "2025-01-09T04:05:06"}
"""


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "firings.jsonl").write_text(LOG, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT max(peak_c) m FROM firings WHERE kind = 'bisque'", [{"m": 1005}]),
        ("SELECT by_name, by_no FROM firings WHERE firing = 'F-301'", [{"by_name": "Ann", "by_no": "007"}]),
        ("SELECT tags t FROM firings WHERE tags IS NOT NULL", [{"t": "a, b"}]),
        ("SELECT count(*) n FROM firings WHERE date(ended) = '2025-01-08'", [{"n": 1}]),
        ("SELECT firing FROM firings WHERE ok = 'false'", [{"firing": "F-303"}]),
    ],
)
async def test_json_lines_are_asked_as_a_table(box: Path, sql: str, rows: object) -> None:
    found = await perform(built_in("csv", box, "logs"), "csv.sql", path="logs/firings.jsonl", sql=sql)
    assert found["rows"] == rows


async def test_an_overview_tells_their_columns(box: Path) -> None:
    (told,) = (await perform(built_in("files", box, "logs"), "files.overview"))["files"]
    assert (told["table"], told["columns"][:3]) == ("firings", ["firing", "kind", "peak_c"])
    assert told["of"].startswith("text, text, number")
    (box / "logs" / "firings.jsonl").write_text('{"note": "one\u2028line", "n": 1}\n', "utf-8")
    (told,) = (await perform(built_in("files", box, "logs"), "files.overview"))["files"]
    assert told["columns"] == ["note", "n"]
    (box / "logs" / "firings.jsonl").write_text("no object\n", "utf-8")
    (told,) = (await perform(built_in("files", box, "logs"), "files.overview"))["files"]
    assert told["line"] == "no object"


@pytest.mark.parametrize("text", ["[1, 2]\n", '{"a": 1}\n{"a":', "", "\n\n", "[" * 100_000, '{"a": ' * 5_000])
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match=r"no JSON object|is empty"):
        objects.read_objects("a.jsonl", text, seconds=1.0)


def test_what_is_too_wide_or_too_deep_is_bounded() -> None:
    with pytest.raises(ToolError, match="columns"):
        objects.read_objects("a.jsonl", "{" + ", ".join(f'"c{n}": {n}' for n in range(1_200)) + "}", seconds=1.0)
    (column,), ((cell,),) = objects.read_objects("a.jsonl", '{"a": ' * 12 + "1" + "}" * 12, seconds=1.0)
    assert column == ".".join("a" * 9)
    assert cell == '{"a": {"a": {"a": 1}}}'


@pytest.mark.parametrize(
    ("targets", "asked"),
    [(("logs",), True), (("logs", "data"), True), (("data",), False), ((".",), True)],
)
async def test_only_files_that_the_tool_may_read_are_offered_to_it(
    box: Path, targets: tuple[str, ...], asked: bool
) -> None:
    (box / "data").mkdir()
    (tool,) = built_in("csv", box, *targets)
    path = tool.spec.schema["properties"]["path"]["x-from"]
    assert may_be("logs/firings.jsonl", path) is asked
    assert (re.search(tool.spec.suits, "Count the lines of logs/firings.jsonl") is not None) is asked
    assert not may_be("logs/firings.log", path)
