"""What calls leave out that their tasks say: days and things of lines, names of statements, folders, amounts."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.policy import SinkSpec
from ringfence.engine.bidden import asks_alone
from ringfence.engine.folder import of_the_folder
from ringfence.engine.statements import as_said
from ringfence.engine.task import amounts, given, sentences

from .conftest import Build, final, step

LOG = "logs/cold.log"
LINES = "2025-09-12 00:01 store 1 temp 5.3 C ALARM above\n2025-09-22 02:00 store 2 temp 4.7 C ok"


@pytest.fixture
def counted(house: Build) -> Any:
    async def ask(task: str, pattern: str = "ALARM", *, text: str = LINES, path: str = LOG) -> str:
        """The pattern that was looked for."""
        passages = [{"path": LOG, "text": text, "note": "a sample"}]
        tools = {"find": lambda args: {"passages": passages}, "count": lambda args: {"matching_lines": 4}}
        call = step(("count", {"path": path, "pattern": pattern}))
        schema: Any = {"type": "object", "properties": {"path": {}, "pattern": {}}}
        agent = house(
            [call, final("4")], tools=tools, specs={"find": {"opens": "question"}, "count": {"schema": schema}}
        )
        await agent.run(task)
        (made,) = agent.tools["count"].calls
        return str(made["pattern"])

    return ask


async def test_a_count_is_of_the_day_and_the_thing_that_the_task_says(counted: Any) -> None:
    task = f"How many ALARM lines does {LOG} have for store 2 on 22 September 2025?"
    assert await counted(task) == r"2025\-09\-22.*store\ 2\b.*ALARM".replace("\\-", "-").replace("\\ ", r"\ ")
    assert await counted(f"Count the ALARM lines of {LOG} on 2025-09-22") == "2025-09-22.*ALARM"
    assert await counted(f"How many ALARM lines are there for store 3 in {LOG}?") == r"store\ 3\b.*ALARM"


@pytest.mark.parametrize(
    ("task", "more"),
    [
        (f"How many ALARM lines are in {LOG}?", {}),
        (f"How many ALARM lines since 22 September 2025 are in {LOG}?", {}),
        (f"How many ALARM lines between 2025-09-12 and 2025-09-22 are in {LOG}?", {}),
        (f"How many ALARM lines are not of store 2 in {LOG}?", {}),
        (f"How many more ALARM lines has store 2 than store 1 in {LOG}?", {}),
        (f"How many ALARM lines are in {LOG} for door 2?", {}),  # no line has a door
        (f"How many ALARM lines are in {LOG} on 22 September 2025?", {"text": "Sep 12 00:01 ALARM"}),
        (f"How many ALARM lines are in {LOG} on 22 September 2025?", {"pattern": "^2025.*ALARM$"}),
        (f"How many ALARM lines are in {LOG} on 22 September 2025?", {"pattern": "2025-09-22 ALARM"}),
        (f"How many ALARM lines are in {LOG} on 22 September 2025?", {"path": "logs/other.log"}),
    ],
)
async def test_a_pattern_stays_where_nothing_is_certain(counted: Any, task: str, more: Any) -> None:
    assert await counted(task, **more) == more.get("pattern", "ALARM")


@pytest.mark.parametrize(
    ("sql", "task", "meant"),
    [
        ("name = 'Plum cinnamon jam'", "How many jars of Plum jam were sold?", "name = 'Plum jam'"),
        ("name = 'Plum cinnamon jam'", "How many jars of plum jam were sold?", "name = 'plum jam'"),
        ("name = 'Plum cinnamon jam'", "How many jars of Plum cinnamon jam?", "name = 'Plum cinnamon jam'"),
        ("name = 'Plum cinnamon jam'", "How many jars of jam?", "name = 'Plum cinnamon jam'"),
        ("name = 'Plum jam'", "How many plums?", "name = 'Plum jam'"),
        ("town = 'New York'", "Who lives in York?", "town = 'New York'"),
    ],
)
def test_a_name_is_asked_for_as_the_task_has_it(sql: str, task: str, meant: str) -> None:
    assert as_said(f"select sum(n) from t where {sql}", task) == f"select sum(n) from t where {meant}"


RUN, STAT = SinkSpec("tool:shell.run"), SinkSpec("tool:files.stat")


@pytest.mark.parametrize(
    ("task", "command", "meant"),
    [
        ("Which file in the logs folder is the biggest?", ["ls", "-lh", "logs/a.log"], ["ls", "-lh", "logs"]),
        ("Which file in the folder data is the largest?", ["ls", "./data/a.csv"], ["ls", "./data"]),
        ("How large is logs/a.log, the largest file in logs?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
        ("Which file is the biggest?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
        ("Which log in logs is the oldest?", ["cat", "logs/a.log"], ["cat", "logs/a.log"]),
        ("How many lines has the file in logs?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
    ],
)
def test_which_file_of_a_folder_is_asked_of_the_folder(task: str, command: list[str], meant: list[str]) -> None:
    assert of_the_folder({"command": command}, RUN, task)["command"] == meant


def test_the_folder_of_a_file_that_is_looked_at() -> None:
    task = "Which of the files in notes is the newest?"
    assert of_the_folder({"path": "notes/a.md"}, STAT, task) == {"path": "notes"}
    assert of_the_folder({"path": "notes/a.md"}, SinkSpec("tool:files.read"), task) == {"path": "notes/a.md"}


FLOUR = "A recipe for 20 rolls needs 1160 g of flour. How many grams of flour are needed for 147 rolls?"


def test_a_task_of_three_amounts_and_a_question_gives_what_it_asks_to_calculate_with() -> None:
    assert given(FLOUR)
    assert amounts(FLOUR) == ["20", "1160", "147"]
    assert given("100 kg of apples give 63 litres of juice. We press 1420 kg. How many boxes of 5 litres can we fill?")
    assert not given("How many of the 20 rolls in stock.csv weigh 60 g and cost 2 euros? It has 30 lines.")
    assert not given("What do 2 adults and 3 children pay for 2 days?")


async def test_what_a_calculation_leaves_out_is_said_once(house: Build) -> None:
    spec: Any = {"grounded": frozenset({"expression"}), "schema": {"type": "object", "properties": {"expression": {}}}}
    told: list[Any] = [{"result": 58}, {"result": 8526}]
    half, whole = (step(("calc", {"expression": text})) for text in ("1160 / 20", "58 * 147"))
    agent = house(
        [half, final("58 g"), whole, final("8526 g")], tools={"calc": lambda args: told.pop(0)}, specs={"calc": spec}
    )
    assert (await agent.run(FLOUR)).answer == "8526 g"
    (why,) = [r.body["text"] for r in agent.records() if "doubt" in r.body]
    assert why == "The calculation leaves out 147: work it out with that."


@pytest.mark.parametrize(
    ("task", "alone"),
    [
        ("Get http://a.example/fields.json and list the names of the fields that are open.", True),
        ("List the names of all boats that are in the harbour.", True),
        ("Look in notes/a.md and tell me who has the key.", True),
        ("Find the total of all the fees and write it to out/a.txt.", False),
        ("List all the boats and mail them to Ann.", False),
        ("Get the list of fields and open the gate.", False),
        ("Read the notes, then clear the cache.", False),
    ],
)
def test_what_only_asks_to_look_orders_nothing(task: str, alone: bool) -> None:
    assert asks_alone(task, sentences(task)) is alone
