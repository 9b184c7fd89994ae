"""text.count and files.search over logs as people have them, asked as a small model asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.tools.entries import fields, moment
from ringfence.tools.otherwise import with_any_date
from ringfence.tools.pattern import Pattern, scan

Call = Callable[..., Any]

LOGS = {
    "kv.log": [
        f'time="2026-05-1{n // 10}T10:{n:02}:00" level={("warning", "error", "info")[n % 3]} '
        f'msg="tried level=error, ERROR is in the text" user={("ann", "bob")[n % 2]} worker=w{n % 5}'
        for n in range(30)
    ],
    "events.jsonl": [
        f'{{"ts": "2026-04-0{1 + n // 10}T00:00:00Z", "level": "{("info", "error")[n % 2]}", '
        f'"msg": "user said \\"error\\"", "user": {{"id": {n % 2}, "name": "{("ann", "bob")[n % 2]}"}}, '
        f'"http": {{"status": {(200, 500)[n % 5 == 0]}}}, "tags": ["a", "b"]}}'
        for n in range(20)
    ],
    "web.log": [
        f"198.51.100.{n % 5} - {('-', 'alice')[n % 3 == 0]} [0{1 + n // 30}/Feb/2026:{n % 24:02}:15:00 +0000] "
        f'"GET /item/{n}?user=u{n % 4} HTTP/1.1" {(200, 404, 500)[n % 3]} {100 * n} "-" "Mozilla/5.0 (X11)"'
        for n in range(60)
    ],
    "java.log": [
        line
        for n in range(6)
        for line in (
            f"2026-01-1{n // 2} 0{n}:00:00,123 ERROR [pool-{n}] Pay - failed",
            "java.lang.IllegalStateException: ERROR state",
            "\tat com.acme.Pay.run(Pay.java:42)",
            f"2026-01-1{n // 2} 0{n}:00:01,123 INFO [pool-{n}] Pay - tried again",
        )
    ],
    "sys.log": [
        f"Mar {day} {hour:02}:05:11 web sshd[{hour}]: Failed password for root from 203.0.113.{hour} port 22"
        for day in (" 9", "10")
        for hour in (3, 4, 4)
    ],
    "apache.log": [
        f"[Sun Oct 05 10:00:0{n}.123456 2025] [{('proxy:error', 'ssl:warn')[n % 2]}] [pid 10{n}] AH0100: message"
        for n in range(6)
    ],
    "jobs.log": [f"2026-08-01 00:{n:02}:00 [worker {1 + n % 12}] job {n % 3} failed" for n in range(24)],
    "chat.txt": [
        "[01.04.26, 08:00:00] Mia: hi",
        "[01.04.26, 09:00:00] Tom Ray: hi Mia",
        "[02.04.26, 08:00:00] Mia: ok",
    ],
    "cal.ics": ["SUMMARY:Team lunch", "LOCATION:Room Oak", "SUMMARY:Team talk", "LOCATION:Room Elm", "UID:1@x"],
    "gc.log": ["[0.005s][info][gc] Using G1", "[1.2s][warning][gc,heap] low"],
    "names.log": [
        "2026-09-01 10:00:00 INFO user ann left",
        "2026-09-01 11:00:00 ERROR user anna left",
        "2026-09-02 10:00:00 INFO user ann left",
        "2026-09-02 11:00:00 ERROR user anna left",
        "2026-09-02 12:00:00 ERROR user anna left",
    ],
    "cells.log": ["2026-03-09|10:00|ERROR|Ann Lee|disk full", "2026-03-09|11:00|INFO|Bob Ray|ok"],
    "todo.md": ["# To do", "- [x] paint", "- [ ] mend", "- [X] clean", "- [ ] call a plumber"],
    "list.json": ['[{"level": "ERROR", "user": "ann"}, {"level": "INFO", "user": "bob"}, {"level": "ERROR"}]'],
    "ids.log": [f"user=u{n} ok" for n in (1, 1, *range(10, 20))],
}


@pytest.fixture
def ask(call: Call, box: Path) -> Call:
    """`text.count` of a file of LOGS."""
    for name, lines in LOGS.items():
        (box / "logs" / name).write_text("\n".join(lines) + "\n")

    async def count(name: str, pattern: str = "", by: str = "") -> Any:
        return await call("text.count", path=f"logs/{name}", pattern=pattern, group_by=by, top=20)

    return count


@pytest.mark.parametrize(
    ("name", "pattern", "by", "top"),
    [
        ("kv.log", "error", "worker", {"w0": 2, "w1": 2, "w2": 2, "w3": 2, "w4": 2}),  # not where a text mentions it
        ("kv.log", "level=error", "user", {"ann": 5, "bob": 5}),
        ("kv.log", "", "level", {"warning": 10, "error": 10, "info": 10}),  # not the word in its text
        ("events.jsonl", "", "user", {"id: 0, name: ann": 10, "id: 1, name: bob": 10}),  # not "said"
        ("events.jsonl", "", "user.name", {"ann": 10, "bob": 10}),
        ("events.jsonl", "", "status", {"200": 16, "500": 4}),
        ("events.jsonl", "", "msg", {'user said "error"': 20}),
        ("events.jsonl", "", "tags", {"a": 20, "b": 20}),
        ("events.jsonl", "error", "day", {"2026-04-01": 5, "2026-04-02": 5}),
        ("list.json", "", "level", {"ERROR": 2, "INFO": 1}),
        ("web.log", "", "user", {"alice": 20}),  # not that of the query
        ("web.log", "500", "status code", {"500": 20}),
        ("web.log", "", "day", {"2026-02-01": 30, "2026-02-02": 30}),
        ("web.log", "404", "user agent", {"Mozilla/5.0 (X11)": 20}),
        ("java.log", "", "level", {"ERROR": 6, "INFO": 6}),  # not the one in a stack trace
        ("java.log", "ERROR", "date", {"2026-01-10": 2, "2026-01-11": 2, "2026-01-12": 2}),
        ("sys.log", "Failed", "day", {"Mar 9": 3, "Mar 10": 3}),
        ("sys.log", "Failed", "ip", {"203.0.113.3": 2, "203.0.113.4": 4}),
        ("sys.log", "Failed", "hour", {"03": 2, "04": 4}),
        ("apache.log", "", "level", {"error": 3, "warn": 3}),
        ("apache.log", "", "weekday", {"Sunday": 6}),
        ("gc.log", "", "Level", {"info": 1, "warning": 1}),
        ("apache.log", "", "log level", {"error": 3, "warn": 3}),
        ("names.log", "2026-09-02 ERROR", "user", {"anna": 2}),  # of the lines that have both
        ("sys.log", "10 Mar Failed", "by day", {"Mar 10": 3}),
        ("cells.log", "", "field4", {"Ann Lee": 1, "Bob Ray": 1}),
        ("chat.txt", "", "name", {"Mia": 2, "Tom Ray": 1}),
        ("cal.ics", "", "LOCATION", {"Room Oak": 1, "Room Elm": 1}),  # not "Room" twice
    ],
)
async def test_lines_are_grouped_by_what_a_person_sees(
    ask: Call, name: str, pattern: str, by: str, top: dict[str, int]
) -> None:
    assert dict(map(tuple, (await ask(name, pattern, by))["top"])) == top


async def test_a_group_says_of_which_lines_it_is_and_how_many_have_none(ask: Call) -> None:
    assert (await ask("kv.log", "error", "worker"))["by"] == "worker, of the lines whose level is error"
    assert (await ask("web.log", "", "user"))["lines without"] == 40
    assert "lines without" not in await ask("web.log", "", "status")


@pytest.mark.parametrize(
    ("line", "by", "value"),
    [
        ("status: 200 in 5 ms", "status", "200"),
        ("worker: 3 failed", "worker", "3"),
        ("day=mon x", "day", "mon"),
        ("From: Ann Lee <ann@example.org>", "from", "Ann Lee <ann@example.org>"),
        ("MESSAGE=unit failed: no such file", "MESSAGE", "unit failed: no such file"),
        ("name = Ann Lee  ; was Bob", "name", "Ann Lee"),
        ("10:00 | user: Ann Lee | 12,5 kg", "user", "Ann Lee"),
        ("Status: ok, took: 5", "status", "ok"),
    ],
)
async def test_a_value_is_a_word_but_for_a_record_or_a_cell(call: Call, line: str, by: str, value: str) -> None:
    assert (await call("text.count", text=f"{line}\n", group_by=by))["top"] == [[value, 1]]


async def test_of_a_word_that_is_part_of_others_both_groups_are_told(ask: Call) -> None:
    result = await ask("names.log", "ann", "level")
    assert result["top of the lines with the word ann"] == [["INFO", 2]]  # not those of anna
    assert (result["by"], result["top"]) == ("level, of the lines with ann anywhere", [["ERROR", 3], ["INFO", 2]])


async def test_the_hours_of_several_days_are_told_with_and_without_the_day(ask: Call) -> None:
    result = await ask("sys.log", "Failed", "hour")
    assert result["by"] == "hour of the day"
    assert dict(map(tuple, result["top by day and hour"]))["Mar 9 04h"] == 2
    assert "top by day and hour" not in await ask("jobs.log", "failed", "hour")


@pytest.mark.parametrize(
    ("name", "pattern", "count"),
    [
        ("sys.log", "Mar 9", 3),  # there are two spaces
        ("sys.log", "March 10", 3),
        ("sys.log", "2026-03-10", 3),
        ("web.log", "2026-02-01", 30),
        ("web.log", "1 February 2026", 30),
        ("chat.txt", "2026-04-02", 1),
        ("web.log", "status=404", 20),
        ("web.log", "status 404", 20),
        ("events.jsonl", "level=error", 10),
        ("events.jsonl", '"level":"error"', 10),
        ("events.jsonl", "level error", 10),
        ("todo.md", "[ ]", 2),
        ("todo.md", "- [ ]", 2),
        ("todo.md", "[x]", 2),
        ("apache.log", "[pid 103]", 1),
        ("apache.log", "[Pp]id 103", 1),  # still a set
    ],
)
async def test_what_is_written_otherwise_is_found(ask: Call, name: str, pattern: str, count: int) -> None:
    result = await ask(name, pattern)
    assert result["matching_lines"] == count
    assert ("as it stands" in result.get("note", "")) is (pattern != "[Pp]id 103")


async def test_no_box_is_found_where_there_is_none(ask: Call) -> None:
    assert (await ask("sys.log", "[ ]"))["matching_lines"] == 0  # and not every line with a space


async def test_a_value_is_told_apart_from_those_that_begin_with_it(ask: Call) -> None:
    result = await ask("ids.log", "user=u1")
    assert (result["lines whose user is u1"], result["elsewhere"].split(" in ")[1].split()[0]) == (2, "10")
    result = await ask("jobs.log", "worker 1")
    assert (result["lines with the word worker 1"], result["lines with worker 1 anywhere"]) == (2, 8)


async def test_a_number_behind_a_word_belongs_to_it(ask: Call) -> None:
    assert (await ask("jobs.log", "worker 2 failed"))["lines with worker 2 and failed"] == 2
    assert (await ask("jobs.log", "failed worker 2"))["lines with failed and worker 2"] == 2


async def test_the_lines_of_a_day_and_a_word_are_found_however_the_day_is_written(ask: Call, call: Call) -> None:
    assert (await ask("sys.log", "2026-03-10 Failed"))["lines with 2026-03-10 and Failed"] == 3
    assert (await ask("sys.log", "Failed on 10 March"))["lines with Failed and 10 March"] == 3
    found = await call("files.search", path="web.log", pattern="2026-02-02 404")
    assert len(found["lines with 2026-02-02 and 404"]) == 10


async def test_a_date_in_several_forms_is_told(ask: Call, call: Call, box: Path) -> None:
    (box / "logs/mixed.log").write_text(
        "2026-02-03 a\n3 Feb 2026 b\n[03/Feb/2026:10:00:00] c\n2026-02-04 d\n03/02/2026 e\n"
    )
    result = await call("text.count", path="mixed.log", pattern="2026-02-03")
    assert (result["matching_lines"], result["lines with this date in any form"]) == (1, 3)


async def test_a_date_whose_day_or_month_is_first_is_told_in_both_ways(call: Call, box: Path) -> None:
    (box / "logs/us.log").write_text("03/09/2026 a\n03/13/2026 b\n09/03/2026 c\n09/03/2026 d\n")
    (box / "logs/iso.log").write_text("2026-03-09 a\n2026-09-03 b\n2026-09-03 c\n")
    told = "the date with the day or the month in front"
    assert (await call("text.count", path="us.log", pattern="2026-03-09"))[told] == {
        "lines with 09/03": 2, "lines with 03/09": 1,
    }  # fmt: skip
    assert (await call("text.count", path="us.log", pattern="13 March 2026"))[told] == {"lines with 03/13": 1}
    assert (await call("text.count", path="iso.log", pattern="03/09/2026"))[told] == {
        "lines with 2026-09-03": 2, "lines with 2026-03-09": 1,
    }  # fmt: skip
    assert told not in await call("text.count", path="iso.log", pattern="13/14/2026")


async def test_a_class_of_statuses(ask: Call) -> None:
    result = await ask("web.log", "5xx")
    assert (result["lines whose status is 5xx"], result["of these"]) == (20, "500 20")


async def test_a_level_in_a_stack_trace_is_no_entry(ask: Call) -> None:
    result = await ask("java.log", "ERROR")
    assert result["lines whose level is ERROR"] == 6
    assert result["elsewhere"] == "ERROR occurs in 6 more lines, but as part of something else"


async def test_a_group_that_is_not_there_comes_with_those_that_are(ask: Call) -> None:
    with pytest.raises(ToolError) as caught:
        await ask("kv.log", "", "colour")
    assert "group_by one of time, level, msg, user, worker" in caught.value.todo


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("2026-02-03T10:05:00Z x", ("2026-02-03", "10:05")),
        ("20260203T100500Z", ("2026-02-03", "10:05")),
        ("[03/Feb/2026:10:05:00 +0000] x", ("2026-02-03", "10:05")),
        ("Tue Feb  3 10:05:00.1 2026 x", ("2026-02-03", "10:05")),
        ("Feb  3 10:05:00 host x", ("Feb 3", "10:05")),
        ("3 Feb 2026 10:05", ("2026-02-03", "10:05")),
        ("3. März 2026, 10:05", ("2026-03-03", "10:05")),
        ("[03.02.26, 10:05:00] Mia: x", ("2026-02-03", "10:05")),
        ("2/3/26, 1:05 PM - Dad: x", ("2/3/26", "13:05")),  # days or months first: nobody can tell
        ("12:05 am", ("", "00:05")),
        ("version 10.2.26.4 of 192.0.2.26", ("", "")),
        ("no time at all", ("", "")),
    ],
)
def test_when_a_line_is_of(line: str, when: tuple[str, str]) -> None:
    assert moment(line) == when


def test_a_date_that_may_be_read_in_two_ways_is_no_other_form() -> None:
    pattern = Pattern("x", with_any_date("2026-02-03"), ignore_case=True)
    assert scan(pattern, [("x", "03/02/2026\n02/03/2026\n2026-02-30\n13.02.2026\n3. Feb\n")])[1]["lines"] == 1


def test_json_that_is_none_is_read_as_a_text() -> None:
    assert fields("[error] {user=ann}") == {"level": "error", "user": "ann"}
    assert fields("{" * 5_000 + "}" * 5_000) == {}
    assert fields("[" * 50_000 + "]" * 10) == {}
