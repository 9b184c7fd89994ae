"""What calls leave out that their tasks say: days and things of lines, names of statements, folders, amounts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ringfence.core.policy import SinkSpec
from ringfence.engine.bidden import asks_alone
from ringfence.engine.folder import of_the_folder
from ringfence.engine.statements import as_said, without_unasked
from ringfence.engine.task import amounts, given, rated, sentences

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
    assert await counted(task) == r"2025-09-22\b.*store 2\b.*ALARM"
    assert await counted(f"Count the ALARM lines of {LOG} on 2025-09-22") == r"2025-09-22\b.*ALARM"
    assert await counted(f"How many ALARM lines are there for store 3 in {LOG}?") == r"store 3\b.*ALARM"
    entries = f"Count the entries of 22 September 2025 with the level ALARM in {LOG}."
    for pattern in ("22 September 2025", "2025-09-22", "level ALARM"[6:]):
        assert await counted(entries, pattern) == r"2025-09-22\b.*ALARM"
    assert await counted(f"How many ALARM lines are there for store 2 in {LOG}?", "store 2") == r"store 2\b.*ALARM"


JAMS = "2026-11-02 11:08:17 WARN paper jam in tray 1\n2026-11-09 09:56:09 INFO job done, 5 pages"


@pytest.mark.parametrize(
    ("task", "pattern", "text", "meant"),
    [
        ("How often did the copier have a paper jam on 5 November?", "paper jam in tray 5", JAMS,
         r"2026-11-05\b.*paper jam"),
        ("How often did the copier have a paper jam on 5 November?", "paper jam", JAMS, r"2026-11-05\b.*paper jam"),
        ("How often did the copier have a paper jam on 5 November?", "paper jam", f"{JAMS}\n2025-11-05 12:00 WARN",
         "paper jam"),  # of which year?
        ("How often did it have a paper jam in tray 5 on 9 November?", "paper jam in tray 5", JAMS,
         r"2026-11-09\b.*paper jam in tray 5\b"),
        ("How many paper jam lines are there for the rear flap on 5 November?", "paper jam at rear flap", JAMS,
         "paper jam at rear flap"),
        ("How often was there a paper jam on 5 November of 2024?", "paper jam", JAMS, "paper jam"),
        ("How often was there a paper jam on 5 November last year?", "paper jam", JAMS, "paper jam"),
        ("How many deliveries for 12 May Lane are there?", "paper jam", JAMS, "paper jam"),
        ("How often did the copier have a paper jam on 5 November 2025?", "paper jam", JAMS,
         r"2025-11-05\b.*paper jam"),
    ],
)  # fmt: skip
async def test_a_day_without_a_year_is_of_the_year_of_the_lines(
    counted: Any, task: str, pattern: str, text: str, meant: str
) -> None:
    assert await counted(f"{task} See {LOG}.", pattern, text=text) == meant


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
        (f"How many ALARM lines are in {LOG} up to 22 September 2025?", {}),
        (f"How many ALARM lines are in {LOG} in the week starting on 22 September 2025?", {}),
        (f"How many ALARM lines are in {LOG} on 22 September 2025 and later?", {}),
        (f"How many lines of 22 September 2025 are in {LOG}?", {"pattern": "2025-09-22"}),
        (f"How many lines are in {LOG} for store 2, in CET?", {"pattern": "store 2"}),
        (f"Today is 22 September 2025. How many ALARM lines are in {LOG}?", {}),
        (f"How many ALARM lines are in {LOG} in total, and how many on 2025-09-22?", {}),
        (f"How many ALARM lines came after the restart on 2025-09-22 in {LOG}?", {}),
        (f"How many lines of {LOG} name user 4711?", {"pattern": "4711", "text": "user 4711 in\nuser 12 out"}),
        (f"How many ALARM lines has {LOG} on 2025-09-22?", {"pattern": "09-22"}),
        (f"How many ALARM lines has {LOG} for store 2?", {"text": "ALARM store 1\nstore 2 ALARM"}),
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
        ("name = 'Plum cinnamon jam'", "Was hat die Filiale Hauptstraße von Plum jam verkauft?", "name = 'Plum jam'"),
        ("title = 'The Lord of the Rings'", "Who has the rings?", "title = 'The Lord of the Rings'"),
        ("title = 'The Secret Garden'", "Who is in the garden?", "title = 'The Secret Garden'"),
        ("s = 'not fully paid'", "How many are not paid?", "s = 'not fully paid'"),
        ("name = 'Ann B. Lee'", "The total of Joann Lee?", "name = 'Ann B. Lee'"),
        ("name not in ('Plum cinnamon jam')", "Plum jam without cinnamon?", "name not in ('Plum cinnamon jam')"),
        (
            "name = 'Plum cinnamon jam' or name = 'Plum pear jam'",
            "All Plum jam?",
            "name = 'Plum cinnamon jam' or name = 'Plum pear jam'",
        ),
    ],
)
def test_a_name_is_asked_for_as_the_task_has_it(sql: str, task: str, meant: str) -> None:
    assert as_said(f"select sum(n) from t where {sql}", task) == f"select sum(n) from t where {meant}"


def asking(task: str) -> Any:
    return SimpleNamespace(start={"task": task}, items=[])


RUN, STAT = SinkSpec("tool:shell.run"), SinkSpec("tool:files.stat")


@pytest.mark.parametrize(
    ("task", "command", "meant"),
    [
        ("Which file in the logs folder is the biggest?", ["ls", "-lh", "logs/a.log"], ["ls", "-lh", "logs"]),
        ("Which file in the folder data is the largest?", ["ls", "./data/a.csv"], ["ls", "./data"]),
        ("Which csv file in data is the newest?", ["ls", "-t", "data/*.csv"], ["ls", "-t", "data/*.csv"]),
        ("Which file in logs is the largest?", ["ls", "logs/a.log", "logs/b.log"], ["ls", "logs/a.log", "logs/b.log"]),
        ("When was the largest sale in the data files?", ["ls", "data/a.csv"], ["ls", "data/a.csv"]),
        ("Is there a file readme in docs?", ["ls", "-l", "docs/readme.md"], ["ls", "-l", "docs/readme.md"]),
        ("How large is logs/a.log, the largest file in logs?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
        ("Which file is the biggest?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
        ("Which log in logs is the oldest?", ["cat", "logs/a.log"], ["cat", "logs/a.log"]),
        ("How many lines has the file in logs?", ["ls", "-l", "logs/a.log"], ["ls", "-l", "logs/a.log"]),
    ],
)
def test_which_file_of_a_folder_is_asked_of_the_folder(task: str, command: list[str], meant: list[str]) -> None:
    assert of_the_folder({"command": command}, RUN, asking(task))["command"] == meant


def test_the_folder_of_a_file_that_is_looked_at() -> None:
    task = "Which of the files in notes is the newest?"  # and of which is one shown
    assert of_the_folder({"path": "notes/a.md"}, STAT, asking(task)) == {"path": "notes"}
    assert of_the_folder({"path": "notes/a.md"}, SinkSpec("tool:files.read"), asking(task)) == {"path": "notes/a.md"}


@pytest.mark.parametrize(
    ("task", "counted"),
    [
        (
            "Which file in the folder logs has the most lines, and how many lines does it have?",
            ["logs/a.log", "logs/b.log"],
        ),
        ("Which file in the folder notes has the most lines?", ["logs/b.log"]),  # of another folder
        ("How many lines does logs/b.log have?", ["logs/b.log"]),
        ("Which file in logs is the biggest?", ["logs/b.log"]),
    ],
)
async def test_the_file_with_the_most_lines_is_looked_for_among_all(
    house: Build, task: str, counted: list[str]
) -> None:
    files = [{"path": "logs/a.log"}, {"path": "logs/b.log"}, {"path": "notes/a.md"}]
    specs: Any = {"see": {"opens": ""}, "run": {"schema": {"type": "object", "properties": {"command": {}}}}}
    agent = house(
        [step(("run", {"command": ["wc", "-l", "logs/b.log"]})), final("a.log, 9"), final("a.log, 9")],
        tools={"see": lambda args: {"files": files}, "run": lambda args: {"stdout": "9 a.log"}}, specs=specs,
    )  # fmt: skip
    await agent.run(task)
    assert agent.tools["run"].calls == [{"command": ["wc", "-l", *counted]}]


FLOUR = "A recipe for 20 rolls needs 1160 g of flour. How many grams of flour are needed for 147 rolls?"


def test_a_task_of_three_amounts_and_a_question_gives_what_it_asks_to_calculate_with() -> None:
    assert given(FLOUR)
    assert amounts(FLOUR) == ["147"]
    assert given("100 kg of apples give 63 litres of juice. We press 1420 kg. How many boxes of 5 litres can we fill?")
    assert not given("How many of the 20 rolls in stock.csv weigh 60 g and cost 2 euros? It has 30 lines.")
    assert not given("What do 2 adults and 3 children pay for 2 days?")
    assert not given("We are 12 people with 4 dogs and stay 3 nights. What is the check-in time?")
    assert not given("Wir sind 12 Personen, 3 Kinder und 2 Hunde. Wie viele Betten hat die Hütte?")
    distracted = "A recipe for 20 rolls takes 1160 g of flour, bakes 15 minutes at 200 degrees. How much for 40 rolls?"
    assert amounts(distracted) == ["40"]


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
    ("where", "other"),
    [
        ("month(day) = 6", "month(day) = 7"),
        ("strftime('%m', day) = '06'", "strftime('%m', day) = '07'"),
        ("day like '2025-06%'", "day like '2025-07%'"),
        ("day between '2025-06-01' and '2025-06-30'", ""),  # another month has other days
        ("strftime('%m', day) = '06' and day >= '2025-06-01'", ""),
        ("month(day) = 6 and name != 'June'", ""),
    ],
)
async def test_the_same_statement_again_is_asked_of_the_other_month(house: Build, where: str, other: str) -> None:
    call = step(("query", {"sql": f"select count(*) from hires where {where}"}))
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}}
    agent = house([call, call, *[final("3")] * 3], tools={"query": lambda args: {"rows": [[3]]}}, specs=specs)
    await agent.run("How many more hires were there in June 2025 than in July 2025?")
    made = [call["sql"].partition(" where ")[2] for call in agent.tools["query"].calls]
    assert made == [where, *[other] * bool(other)]


LATE = "A reader brings back 7 books 13 days late. The fee per day is in fees.toml. How many euros is that to pay?"


@pytest.mark.parametrize(
    ("task", "counts"),
    [
        (LATE, ["13"]),
        ("What does a stay of 3 nights cost? The price of a night is in the notes.", ["3"]),
        ("Each ticket has its price in fares.csv. What do 4 tickets cost?", ["4"]),
        ("What does 1 night cost per night?", []),
        (
            "One firing uses 49 kilowatt hours, a kilowatt hour costs 35 cents. What do 16 such firings cost?",
            ["49", "16"],
        ),
        ("A customer takes 3 boxes. What does the order cost?", []),
        ("How many hours did Ann work per day in 5 days?", []),  # no money is asked for
        ("A rule of 13 days ago says the price per day.", []),
        ("What does the car cost per day? It has 13 seats.", []),
    ],
)
def test_how_many_there_are_of_what_a_rate_is_for(task: str, counts: list[str]) -> None:
    assert rated(task) == counts


async def test_a_fee_is_worked_out_with_all_its_days(house: Build) -> None:
    spec: Any = {"grounded": frozenset({"expression"}), "schema": {"type": "object", "properties": {"expression": {}}}}
    told: list[Any] = [{"result": 2.45}, {"result": 31.85}]
    one, whole = (step(("calc", {"expression": text})) for text in ("7 * 0.35", "7 * 13 * 0.35"))
    tools = {"look": lambda args: {"text": "per_day_eur = 0.35"}, "calc": lambda args: told.pop(0)}
    agent = house([step(("look", {})), one, final("2.45"), whole, final("31.85")], tools=tools, specs={"calc": spec})
    assert (await agent.run(LATE)).answer == "31.85"


@pytest.mark.parametrize(
    ("task", "alone"),
    [
        ("Get http://a.example/fields.json and list the names of the fields that are open.", True),
        ("Fetch https://a.example/menu and tell me the soup of the day.", True),
        ("http://a.example/berths.json lists the berths of each pontoon. How many are free on pontoon C?", True),
        ("data/a.csv has the prices. What does a ticket cost?", True),
        ("http://a.example/berths.json lists the berths. Book one on pontoon C?", False),
        ("out/total.md has last month's total. It should have that of data/hires.csv now. What is it?", False),
        ("out/total.md is to hold the total of data/hires.csv. What is the total?", False),
        ("out/summary.txt tells the old count and must tell the new one. How many orders are there?", False),
        ("List the names of all boats that are in the harbour.", False),
        ("Get http://a.example/fields.json and open the gate.", False),
        ("Get http://a.example/fields.json and list the boats, then mail them to Ann.", False),
        ("Visit https://a.example/vote and vote for the second candidate.", False),
        ("See that the gate is open.", False),
        ("Count the rows in the table and report the count to Ann.", False),
        ("Answer the guests that the pool is open from 8 to 9. What are their names?", False),
    ],
)
def test_what_only_asks_to_look_orders_nothing(task: str, alone: bool) -> None:
    assert asks_alone(task, sentences(task)) is alone


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        ("select count(*) from t where branch = 'Riverside' and kind = 'workshop'",
         "select count(*) from t where branch = 'Riverside'"),
        ("select n from t where kind = 'a and b' and branch = 'Riverside' group by n order by 'x' limit 1",
         "select n from t where branch = 'Riverside' group by n order by 'x' limit 1"),
        ("select n from t where branch = 'Riverside' and kind = 'workshop' and d is not null",
         "select n from t where branch = 'Riverside' AND d is not null"),
        ("select n from t where branch = 'Riverside' and status = 'workshop'", ""),  # may be said in other words
        ("select n from t where branch = 'Riverside' and kind = 'delivered'", ""),
        ("select n from t where branch = 'Riverside' and vegetarian = 'yes'", ""),  # without meat
        ("select n from t where branch = 'Riverside' and member = 1", ""),
        ("select n from t where branch = 'Riverside' and month = 5", ""),
        ("select n from t where branch = 'Riverside' and returned = 'no'", ""),
        ("select n from t where kind = 'workshop'", ""),  # the only one
        ("select n from t where branch = 'Riverside' or kind = 'workshop'", ""),
        ("select n from t where branch = 'Riverside' and seats > 3", ""),
        ("select n from t where branch = 'Riverside' and lower(kind) = 'workshop'", ""),
        ("select n from t where branch = 'Riverside' and n in (select n from u where kind = 'workshop')", ""),
    ],
)  # fmt: skip
def test_a_condition_that_nobody_spoke_of_is_left_out(sql: str, meant: str) -> None:
    found = without_unasked(sql, lambda column, value: column == "branch")
    assert " ".join(found.split()) == (meant or sql)
