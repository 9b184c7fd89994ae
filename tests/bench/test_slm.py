"""The forty tasks for small models: each world is its seed's, and each task can be done with the tools there are."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.testing.server import ScriptedServer, listen

from ..cli.conftest import final, step

ROOT = Path(__file__).parents[2]
SLM = ROOT / "bench" / "slm"
CASES = {case["id"]: case for case in yaml.safe_load((SLM / "tasks.yaml").read_text())["cases"]}
OPEN = "select count(*) from orders where closed is null"
COST = "select sum(p.price * o.quantity) from order_parts o join parts p on p.id = o.part_id where o.order_id = {order}"
MECHANIC = "select mechanic, sum(hours) as h from orders group by mechanic order by h desc limit 1"
SETUP = """
import subprocess, sys
from pathlib import Path

subprocess.run([sys.executable, {slm!r} + "/make_world.py", *sys.argv[1:]], check=True)
manifest = Path(sys.argv[1], "ringfence.yaml")
text = manifest.read_text()
manifest.write_text(text.replace("provider: embedded", 'provider: llamacpp, endpoint: "{url}"'))
"""
TOWN = "select town, count(*) as n from members group by town order by n desc limit 1"


def make(folder: Path, seed: int) -> Path:
    command = [sys.executable, str(SLM / "make_world.py"), str(folder), "--seed", str(seed)]
    subprocess.run(command, check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = make(tmp_path_factory.mktemp("slm") / "world", 7)
    yield folder
    (folder / "site.port").unlink()  # which ends its server


@pytest.fixture(scope="module")
def expect(world: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world / "expect.json").read_text())
    return found


@pytest.fixture(scope="module")
def facts() -> Iterator[Any]:
    sys.path.insert(0, str(SLM))
    yield importlib.import_module("facts")
    sys.path.remove(str(SLM))


def ask(path: str, sql: str) -> tuple[str, dict[str, Any]]:
    """The file's table, called t."""
    return "csv.sql", {"path": path, "sql": sql.replace(" from t", f" from {Path(path).stem} t", 1)}


def solutions(words: dict[str, str], known: Any) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """How each task may be done: what is called, one after the other; the last result holds the answer."""
    hires, gate, site, kept = "data/hires.csv", "logs/gate.log", words["site"], known.kept
    month = dict(zip(("May", "June", "July", "August"), ("2025-05", "2025-06", "2025-07", "2025-08"), strict=True))
    months = {name: month[words[name].split()[0]] for name in ("income_month", "more_month", "less_month")}
    counted = {name: sum(hire.day.isoformat().startswith(of) for hire in known.hires) for name, of in months.items()}
    price = next(item.cents for item in known.items if item.name == words["item"]) / 100
    trip = f"({words['adults']} * {kept['adult']} + {words['children']} * {kept['child']}) / 100"
    return {
        "fuel-limit": [("files.search", {"pattern": "euros; ask the treasurer"})],
        "radio-channel": [("files.read", {"path": "notes/committee-2025-06.md", "first": 5, "last": 5})],
        "gate-errors": [("text.count", {"path": gate, "pattern": " ERROR "})],
        "access-404": [("text.count", {"path": "logs/booking-access.log", "pattern": '" 404 '})],
        "first-jam": [("files.search", {"path": gate, "pattern": "code=JAM"})],
        "leak-berth": [
            ("files.search", {"pattern": "taking on water"}),
            ask("data/boats.csv", f"select * from t where boat = '{kept['leaking']}'"),
        ],
        "hires-boat": [ask(hires, f"select count(*) from t where boat = '{words['hired_boat']}'")],
        "hire-income": [ask(hires, f"select sum(amount_eur) from t where date like '{months['income_month']}%'")],
        "top-donor": [ask("data/donations.tsv", "select max(amount_eur) from t")],
        "average-hours": [ask(hires, "select round(avg(hours), 2) from t where skipper = 'yes'")],
        "boats-in-repair": [ask("data/boats.csv", "select boat from t where status = 'repair'")],
        "members-joined": [
            ("sql.query", {"sql": f"select count(*) from members where joined like '{words['joined_year']}%'"})
        ],
        "members-town": [("sql.query", {"sql": TOWN})],
        "unpaid-fees": [("sql.query", {"sql": "select sum(fee) from members where paid = 0"})],
        "order-cost": [("sql.query", {"sql": COST.format(order=words["order"])})],
        "top-mechanic": [("sql.query", {"sql": MECHANIC})],
        "percent": [("calc", {"expression": f"{words['rate']} % of {words['base']}"})],
        "full-tank": [("calc", {"expression": f"{kept['tank']} * {kept['diesel']}"})],
        "item-vat": [("calc", {"expression": f"{words['item_count']} * {price} * 1.19"})],
        "month-difference": [("calc", {"expression": f"{counted['more_month']} - {counted['less_month']}"})],
        "handbook-words": [("shell.run", {"command": ["wc", "-w", "notes/handbook.md"]})],
        "largest-log": [("shell.run", {"command": ["ls", "-lS", "logs"]})],
        "kernel": [("shell.run", {"command": ["uname", "-r"]})],
        "processors": [("shell.run", {"command": ["nproc"]})],
        "season-ticket": [("web.fetch", {"url": f"{site}/prices"})],
        "event-day": [("web.fetch", {"url": f"{site}/events"})],
        "free-berths": [("web.fetch", {"url": f"{site}/api/berths.json"})],
        "school-trip": [("web.fetch", {"url": f"{site}/prices"}), ("calc", {"expression": trip})],
        "notice-hires": [
            ("web.fetch", {"url": f"{site}/notice"}),
            ask(hires, f"select count(*) from t where boat = '{kept['laid_up']}'"),
        ],
    }  # fmt: skip


def toolbox(world: Path, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tools of a world answer."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    command = [sys.executable, str(SLM / "toolbox.py"), str(world)]
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, env=env, timeout=120, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_there_are_forty_tasks_of_six_kinds_and_every_hard_one_among_them() -> None:
    tags = [tag for case in CASES.values() for tag in case["tags"]]
    assert len(CASES) == 40
    assert {tag: tags.count(tag) for tag in ("write", "unanswerable", "misleading")} == {
        "write": 5, "unanswerable": 4, "misleading": 3,
    }  # fmt: skip
    assert tags.count("two-tools") >= 8
    assert {"files", "csv", "sql", "calc", "shell", "web"} <= set(tags)


def test_a_seed_makes_the_same_world_again_and_another_seed_another_one(facts: Any) -> None:
    assert facts.draw(3) == facts.draw(3)
    first, second = facts.draw(3), facts.draw(4)
    assert all(getattr(first, name) != getattr(second, name) for name in vars(first))


def test_every_task_has_an_answer_and_every_placeholder_a_value(expect: dict[str, Any]) -> None:
    assert expect.keys() == {*CASES, "vars"}
    placeholders = {name for case in CASES.values() for name in re.findall(r"\{(\w+)\}", case["task"])}
    assert placeholders <= expect["vars"].keys()


@pytest.mark.parametrize("seed", range(1, 13))
def test_what_is_asked_for_has_one_answer_in_every_world(facts: Any, seed: int) -> None:
    known = facts.draw(seed)
    for old, new in (("fee_old", "fee_new"), ("key_old", "key_new"), ("channel_old", "channel_new")):
        assert known.kept[old] != known.kept[new]
    largest = sorted(gift.cents for gift in known.donations)[-2:]
    assert largest[0] < largest[1]
    assert sum("taking on water" in line for line in known.radio) == 1
    assert sum(boat.status == "repair" for boat in known.boats) == 3
    assert len({boat.berth for boat in known.boats}) == len(known.boats)
    assert any("code=JAM" in line for line in known.gate)


def test_every_task_that_is_no_writing_can_be_done_with_the_tools(
    world: Path, expect: dict[str, Any], facts: Any
) -> None:
    ways = solutions(expect["vars"], facts.draw(7))
    calls = [{"call": tool, "args": args} for way in ways.values() for tool, args in way]
    answers = iter(toolbox(world, calls))
    last = {name: [next(answers) for _ in way][-1] for name, way in ways.items()}
    judged = [{"judge": name, "answer": json.dumps(found.get("result"))} for name, found in last.items()]
    why = {name: verdict["why"] for name, verdict in zip(last, toolbox(world, judged), strict=True)}
    assert {name: (last[name], text) for name, text in why.items() if text} == {}


def test_the_note_that_no_longer_holds_is_found_first_or_reads_as_well(world: Path, facts: Any) -> None:
    known = facts.draw(7).kept
    text = {path.name: path.read_text() for path in (world / "notes").iterdir()}
    for old, new in (("key_old", "key_new"), ("channel_old", "channel_new"), ("fee_old", "fee_new")):
        assert [name for name in sorted(text) if known[old] in text[name]]
        assert [name for name in sorted(text) if known[new] in text[name]]


def test_an_answer_that_is_made_up_is_wrong_and_one_that_says_it_is_not_there_is_right(world: Path) -> None:
    absent = [name for name, case in CASES.items() if case.get("abstains")]
    asked = [{"judge": name, "answer": "It is not recorded anywhere."} for name in absent]
    made_up = ["The number is 0555 123456.", "It is dark green.", "On 3 May 1971.", "Parking costs 4 euros a day."]
    asked += [{"judge": name, "answer": text} for name, text in zip(absent, made_up, strict=True)]
    verdicts = [bool(found["why"]) for found in toolbox(world, asked)]
    assert verdicts == [False] * 4 + [True] * 4


async def test_the_suite_plays_through_ringfence_eval(tmp_path: Path) -> None:
    kernel = os.uname().release
    script = [step("shell.run", command=["uname", "-r"]), final(f"It runs {kernel}.")]
    async with listen(ScriptedServer(script, window=8192)) as server:
        (tmp_path / "make.py").write_text(SETUP.format(slm=str(SLM), url=server.url))
        text = (SLM / "tasks.yaml").read_text()
        assert "setup: make_world.py" in text
        (tmp_path / "tasks.yaml").write_text(text.replace("setup: make_world.py", "setup: make.py"))
        command = [sys.executable, "-m", "ringfence.cli", "eval", "tasks.yaml", "--only", "kernel", "--runs", "1"]
        env, pipe = {**os.environ, "PYTHONPATH": str(ROOT / "src")}, asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, env=env, cwd=tmp_path, stdout=pipe, stderr=pipe)
        out, error = await asyncio.wait_for(process.communicate(), 120)
    assert b"1/1 ok" in error, error + out
    assert b"shell.run" in error


async def test_the_plain_loop_calls_a_tool_and_answers_and_its_last_step_can_only_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(SLM)
    asked: list[dict[str, Any]] = []
    calls: list[tuple[str, dict[str, Any]]] = []

    async def call(name: str, args: dict[str, Any]) -> str:
        calls.append((name, args))
        return "42"

    def said(request: dict[str, Any]) -> str:
        asked.append(request)
        forms = request["response_format"]["json_schema"]["schema"]["anyOf"]
        if len(forms) == 1:
            return json.dumps({"thought": "", "answer": request["messages"][-1]["content"]})
        return json.dumps({"thought": "", "tool": "calc", "args": {"expression": "6 * 7"}})

    tools = [{"name": "calc", "summary": "Exact.", "schema": {"type": "object", "properties": {}}}]
    async with listen(ScriptedServer(said)) as server:
        at = {"url": f"{server.url}/v1", "key": "none", "model": "scripted"}
        solve = importlib.import_module("plain_loop").solver(
            tools, call, at, system="Serve.", steps=3, max_tokens=64, seconds=10
        )
        answer = await solve("What is 6 * 7?")
    assert answer == "Result: 42"
    assert calls == [("calc", {"expression": "6 * 7"})] * 2
    assert "Exact." in asked[0]["messages"][0]["content"]
