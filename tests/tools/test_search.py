"""files.search and text.count, in bounded time whatever the pattern."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.tools import Tool
from ringfence.tools.pattern import Pattern, scan
from ringfence.tools.search import CountTextArgs, _is_quick

Call = Callable[..., Any]


async def test_search_gives_path_line_and_text(call: Call) -> None:
    assert await call("files.search", pattern="code=57") == {"matches": ["logs/app.log:58: ERROR user=u1 code=57"]}


async def test_small_letters_match_any_case_and_capitals_are_meant(call: Call) -> None:
    assert len((await call("files.search", pattern="DISK FULL"))["matches"]) == 1  # of nothing exact, any case is shown
    assert "without minding capital letters" in (await call("files.search", pattern="DISK FULL"))["note"]
    assert (await call("files.search", pattern="disk full"))["matches"] == ["runbooks/disk.md:1: # Disk full"]


async def test_search_says_how_many_there_were(call: Call, box: Path) -> None:
    (box / "logs/b.log").write_text("ERROR again\n" * 300)
    result = await call("files.search", pattern="ERROR")
    assert result["note"].startswith(
        f"showing {len(result['matches'])} of 320 matching lines (logs/b.log 300, logs/app.log 20)"
    )
    assert result["first match"] == "logs/app.log:1: ERROR user=u0 code=0"
    assert result["last match"] == "logs/b.log:300: ERROR again"
    assert sum(map(len, result["matches"])) <= 4_000


async def test_search_for_nothing_points_to_find(call: Call) -> None:
    assert "files.find" in (await call("files.search", pattern="kangaroo"))["note"]


@pytest.mark.parametrize("pattern", ["code=(57", "[", "*.log", "a{2,1}"])
async def test_a_pattern_that_is_no_regex_is_searched_as_text(call: Call, box: Path, pattern: str) -> None:
    (box / "logs/odd.log").write_text(f"x {pattern} y\n")
    result = await call("files.search", pattern=pattern)
    assert result["matches"] == [f"logs/odd.log:1: x {pattern} y"]
    assert "searched as text" in result["note"]


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"a*a*a*a*a*a*a*b", r"(?:a?){40}a{40}"])
def test_a_pattern_that_blows_up_ends_in_its_time(pattern: str) -> None:
    texts = [("evil.txt", "a" * 5_000 + "!")]
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"did not end within 0\.4 s") as caught:
        scan(Pattern.read(pattern), texts, seconds=0.4)
    assert "plain words" in caught.value.todo
    assert time.monotonic() - began < 5


async def test_a_pattern_that_blows_up_does_not_stop_the_others(
    call: Call, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "logs/evil.log").write_text("a" * 5_000 + "!\n")
    assert scan.__kwdefaults__
    monkeypatch.setitem(scan.__kwdefaults__, "seconds", 0.5)
    search = asyncio.create_task(call("files.search", pattern="(a+)+$"))
    began, turned = time.monotonic(), set()
    while not search.done():
        await asyncio.sleep(0)
        turned.add(int((time.monotonic() - began) / 0.05))
    with pytest.raises(ToolError, match="did not end within"):
        await search
    all_of_it = (time.monotonic() - began) / 0.05
    assert len(turned) > all_of_it / 4, "the loop stood still"


def test_the_worker_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(
        "raise SystemExit(3)"
    )  # neither the environment nor the folder reaches its imports
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert scan(Pattern.read("a+"), [("x", "aa")])[1]["lines"] == 1


PATTERNS = st.sampled_from(["a", "ab|b", "a+", "[ab]{2}", "(a)b", r"\w+", "^a", "b$", "", r"a.b", "Ab", "(?i)ab"])
TEXT = st.text(alphabet="abA \n\r", max_size=60)


@settings(max_examples=60)
@given(pattern=PATTERNS, text=TEXT)
def test_counts_are_those_of_re(pattern: str, text: str) -> None:
    _, found = scan(Pattern.read(pattern), [("x", text)])
    flags = re.IGNORECASE if pattern == pattern.lower() else 0
    raw = text.removesuffix("\n").split("\n") if text else []
    lines = [line.removesuffix("\r") for line in raw]
    matching = [line for line in lines if re.search(pattern, line, flags)]
    assert found["lines"] == len(matching)
    assert found["total"] == len(lines)
    if pattern:
        assert found["occurrences"] == sum(len(list(re.finditer(pattern, line, flags))) for line in matching)


async def test_count_of_matching_lines_and_matches(call: Call) -> None:
    result = await call("text.count", path="app.log", pattern="ERROR")
    assert result == {
        "path": "logs/app.log", "pattern": "ERROR", "matching_lines": 20, "of_lines": 60,
        "most often as user": "u0 5, u3 5, u2 5, u1 5",
        "first": "line 1: ERROR user=u0 code=0", "last": "line 58: ERROR user=u1 code=57",
    }  # fmt: skip


async def test_a_word_that_is_the_value_of_a_field_is_counted_apart(call: Call, box: Path) -> None:
    lines = ['10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /404 HTTP/1.1" 200 404'] * 5
    lines += ['10.0.0.2 - - [01/Jan/2026:00:00:01 +0000] "GET / HTTP/1.1" 404 12'] * 2
    (box / "logs/web.log").write_text("\n".join(lines))
    result = await call("text.count", path="web.log", pattern="404")
    assert list(result)[2:5] == ["lines whose status is 404", "lines whose bytes is 404", "of_lines"]
    assert (result["lines whose status is 404"], result["lines whose bytes is 404"]) == (2, 5)
    assert result["first"].startswith("line 6: 10.0.0.2")
    assert "2 more lines" in result["elsewhere"]
    found = await call("files.search", path="web.log", pattern="404")
    assert len(found["lines whose status is 404"]) == 2
    assert "5 more lines have 404 elsewhere" in found["note"]


@pytest.mark.parametrize(("by", "top"), [("status", ["200", 5]), ("ip", ["10.0.0.1", 5]), ("level", ["INFO", 1])])
async def test_lines_are_grouped_by_the_fields_of_a_log(call: Call, box: Path, by: str, top: list[object]) -> None:
    lines = ['10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5'] * 5
    (box / "logs/web.log").write_text("\n".join([*lines, "2026-01-01 INFO restarted"]))
    assert (await call("text.count", path="web.log", group_by=by))["top"] == [top]


async def test_count_over_all_files_tells_them_apart(call: Call) -> None:
    result = await call("text.count", pattern="the")
    assert result["matching_lines"] == 1
    assert result["files"] == [["runbooks/disk.md", 1]]


@pytest.mark.parametrize("by", ["user", "field2", "word 2"])
async def test_the_most_frequent_values_come_first(call: Call, by: str, box: Path) -> None:
    (box / "logs/app.log").write_text("x user=ann\nx user=bob\nx user=ann\n")
    key = "" if by == "user" else "user="
    result = await call("text.count", path="app.log", group_by=by)
    assert result["top"] == [[f"{key}ann", 2], [f"{key}bob", 1]]
    assert result["distinct"] == 2


async def test_values_of_a_group_of_json_and_of_the_match(call: Call, box: Path) -> None:
    (box / "logs/app.log").write_text('{"level": "warn", "n": 3}\n{"level": "info", "n": 30}\n{"level":"warn"}\n')
    assert (await call("text.count", path="app.log", group_by="level"))["top"] == [["warn", 2], ["info", 1]]
    assert (await call("text.count", path="app.log", pattern='"n": (\\d)'))["top"] == [["3", 2]]
    assert (await call("text.count", path="app.log", pattern="warn|info", group_by="match"))["top"][0] == ["warn", 2]
    (box / "logs/app.log").write_text("".join(f'{{"n": {n}}}\n' for n in range(12)))
    assert (await call("text.count", path="app.log", group_by="n", top=1))["note"].startswith("showing the 10 most")


async def test_a_group_that_no_line_has_is_an_error(call: Call) -> None:
    with pytest.raises(ToolError, match="no matching line has 'colour'"):
        await call("text.count", path="app.log", group_by="colour")


async def test_a_given_text_is_counted_in_process(call: Call) -> None:
    result = await call("text.count", text="a b\na a\nb", pattern="a")
    assert (result["matching_lines"], result["matches"], result["of_lines"]) == (2, 3, 3)


async def test_without_folders_text_works_on_given_text_alone(
    tmp_path: Path, make: Callable[..., list[Tool]], act: Call
) -> None:
    tools = make("text", tmp_path)
    assert (await act(tools, "text.count", text="x\ny\n"))["lines"] == 2
    assert "path" not in tools[0].spec.schema["properties"]


@settings(max_examples=30)
@given(words=st.lists(st.sampled_from(["ann", "bob", "eve"]), min_size=1, max_size=30))
def test_values_are_counted_as_a_counter_does(words: list[str]) -> None:
    text = "\n".join(f"user={word}" for word in words)
    found = scan(Pattern.read(""), [("x", text)], by="user", top=9)[1]
    assert dict(map(tuple, found["values"])) == Counter(words)


async def test_a_word_that_is_part_of_longer_ones_is_told_apart(call: Call, box: Path) -> None:
    (box / "logs/gate.log").write_text("ALARM-TEST ok\n" * 3 + "ALARM item=1\n" * 5)
    result = await call("text.count", path="gate.log", pattern="ALARM")
    assert result["lines with the word ALARM"] == 5
    assert result["lines with the word ALARM-TEST"] == 3
    assert result["lines with ALARM anywhere"] == 8


async def test_matching_lines_are_spread_by_the_words_they_differ_in(call: Call, box: Path) -> None:
    lines = [f"10:00:{n:02d} sco-{1 + n % 3 % 2} error R40 not readable" for n in range(30)]
    (box / "logs/gate.log").write_text("\n".join(lines))
    result = await call("text.count", path="gate.log", pattern="R40")
    assert result["most often as word 2"] == "sco-1 20, sco-2 10"


async def test_a_group_of_one_comes_with_the_whole_ranking(call: Call, box: Path) -> None:
    (box / "logs/gate.log").write_text("user=ann\n" * 2 + "user=bob\n" * 3)
    result = await call("text.count", path="gate.log", pattern="ann", group_by="user")
    assert result["top"] == [["ann", 2]]
    assert result["top of all lines"] == [["bob", 3], ["ann", 2]]


async def test_words_that_nowhere_stand_together_are_counted_one_by_one(call: Call) -> None:
    result = await call("text.count", path="app.log", pattern="grade ERROR")
    assert (result["matching_lines"], result["nowhere together, but"]) == (0, {"lines with ERROR": 20})
    assert "nowhere together, but" not in await call("text.count", path="app.log", pattern="ajar")


DAYS = """2025-06-02 08:00:00 [INFO] worker-1: user bob logged in
2025-06-03 08:00:00 [ERROR] worker-2: user bob was refused
2025-06-03 09:00:00 [INFO] worker-2: user ann logged in
2025-06-03 10:00:00 [ERROR] worker-1: connection refused
2025-06-04 10:00:00 [ERROR] worker-1: user bob was refused
"""


@pytest.fixture
def days(box: Path) -> None:
    (box / "logs/days.log").write_text(DAYS)


async def test_of_words_that_stand_apart_in_one_line_these_lines_are_told(call: Call, days: None) -> None:
    result = await call("text.count", path="days.log", pattern="2025-06-03 ERROR")
    assert (result["matching_lines"], result["lines with 2025-06-03 and ERROR"]) == (0, 2)
    assert result["the first of them"] == "line 2: 2025-06-03 08:00:00 [ERROR] worker-2: user bob was refused"
    assert result["the last of them"] == "line 4: 2025-06-03 10:00:00 [ERROR] worker-1: connection refused"
    found = await call("files.search", path="days.log", pattern="ERROR 2025-06-03")
    assert found["matches"] == []
    assert [line.split(":")[1] for line in found["lines with ERROR and 2025-06-03"]] == ["2", "4"]
    assert found["note"] == "no line matches ERROR 2025-06-03 as it stands; these have all of its words"
    (many,) = {await _count_of(call, "2025-06-03 INFO"), await _count_of(call, "INFO.*2025-06-03")}
    assert many == 1


async def _count_of(call: Call, pattern: str) -> object:
    result = await call("text.count", path="days.log", pattern=pattern)
    (count,) = [value for key, value in result.items() if key.startswith("lines with")]
    return count


async def test_a_pattern_that_would_grow_too_long_is_left_as_it_is(call: Call, days: None) -> None:
    long = " ".join(letter * 90 + ".x" * 15 for letter in "abcd")
    assert (await call("text.count", path="days.log", pattern=long))["matching_lines"] == 0
    with pytest.raises(ToolError, match="no matching line has"):
        await call("text.count", path="days.log", pattern=f"ERROR|{'x' * 480}", group_by="worker")


def test_what_may_ask_a_worker_is_not_quick() -> None:
    given = {"text": "level=ERROR"}
    assert _is_quick(CountTextArgs.model_validate({**given, "pattern": "ERROR"}))
    assert not _is_quick(CountTextArgs.model_validate({**given, "pattern": "level ERROR"}))
    assert not _is_quick(CountTextArgs.model_validate({**given, "pattern": "ERROR", "group_by": "level"}))


async def test_more_lines_that_have_all_words_than_are_shown_are_counted(call: Call, box: Path) -> None:
    (box / "logs/many.log").write_text("a b ERROR c disk\n" * 25)
    found = await call("files.search", path="many.log", pattern="disk ERROR")
    assert len(found["lines with disk and ERROR"]) == 10
    assert found["lines with disk and ERROR, in all"] == 25


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("[ERROR]", 3),
        ("[error]", 3),
        ("[Error]", 3),  # as one word, in any case, before it is a set of letters
        (r"\[ERROR\]", 3),
        ("[ERROR].*worker-1", 2),
        ("[ERROR]|[INFO]", 5),
        ("[xyz]", 0),  # nobody writes it so: a set of letters
        ("[aeiou]ser", 4),
    ],
)
async def test_a_word_in_brackets_is_what_stands_there(call: Call, days: None, pattern: str, count: int) -> None:
    result = await call("text.count", path="days.log", pattern=pattern)
    assert result["matching_lines"] == count
    assert ("as it stands" in result.get("note", "")) is (
        count > 0 and "rror]" in pattern.lower() and "\\" not in pattern
    )


async def test_brackets_that_are_read_as_such_make_no_costly_pattern_a_quick_one(call: Call, box: Path) -> None:
    (box / "logs/a.log").write_text(f"[ERROR] {'a' * 40}!\n")
    with pytest.raises(ToolError, match="did not end within"):
        await call("text.count", path="a.log", pattern=r"[ERROR] (a+)+$")


@pytest.mark.parametrize(
    ("pattern", "by", "unit", "top"),
    [
        ("", "worker", "what follows worker", [["1", 3], ["2", 2]]),
        ("ERROR", "worker", "what follows worker", [["1", 2], ["2", 1]]),
        ("refused", "user", "what follows user", [["bob", 2]]),
        (r"user (\w+) logged", "name", "group 1 of the pattern", [["bob", 1], ["ann", 1]]),
    ],
)
async def test_what_follows_a_word_is_grouped_by_where_it_is_no_field(
    call: Call, days: None, pattern: str, by: str, unit: str, top: list[object]
) -> None:
    result = await call("text.count", path="days.log", pattern=pattern, group_by=by)
    assert (result["by"], result["top"]) == (unit, top)


async def test_a_line_that_was_copied_comes_with_the_lines_like_it(call: Call, box: Path) -> None:
    codes = ["OK", "OK", "OK", "JAM", "OK", "JAM", "OK", "JAM", "OK", "OK"]
    lines = [
        f"2025-09-14T0{n}:00:00Z {'INFO' if code == 'OK' else 'ERROR'} code={code} level={300 + n}"
        for n, code in enumerate(codes)
    ]
    (box / "logs/gate.log").write_text("\n".join(lines))
    result = await call("text.count", path="gate.log", pattern="ERROR code=JAM level=305")
    assert (result["matching_lines"], result["lines with code=JAM"]) == (1, 3)
    assert result["first line with code=JAM"] == f"line 4: {lines[3]}"
    assert result["last line with code=JAM"] == f"line 8: {lines[7]}"
    assert not any("with code" in key for key in await call("text.count", path="gate.log", pattern="level=305"))
    found = await call("files.search", path="logs/gate.log", pattern="ERROR code=JAM level=305")
    assert (len(found["matches"]), found["lines with code=JAM"]) == (1, 3)


async def test_lines_are_like_a_copied_one_by_a_word_and_not_by_what_was_measured(call: Call, box: Path) -> None:
    lines = [f"0{n}:00 ERROR code=JAM level={n}" for n in range(4)] + ["05:00 INFO code=OK level=2"]
    (box / "logs/gate.log").write_text("\n".join(lines))
    result = await call("text.count", path="gate.log", pattern="ERROR code=JAM level=2")
    assert result["lines with code=JAM"] == 4
    assert "lines with level=2" not in result
