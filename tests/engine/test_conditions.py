"""The conditions of a query are those of its task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.engine.conditions import all_of_it
from ringfence.tools.files import ReadArgs
from ringfence.tools.table_sql import SelectArgs

from .conftest import Build, House, final, step

TASK = "How many members joined in August 2025, and what is their average age?"
MEMBERS = "tables/members.csv"
READS = SinkSpec("files.read", schema=ReadArgs.model_json_schema())
SELECTS = SinkSpec("csv.sql", schema=SelectArgs.model_json_schema())
STATEMENT: Any = {"schema": {"type": "object", "properties": {"path": {}, "sql": {}}}}


def where(conditions: str, *, thought: str = "so") -> Any:
    sql = f"select count(*) from members where {conditions}"
    return step(("query", {"path": MEMBERS, "sql": sql}), thought=thought)


@pytest.fixture
def members(house: Build) -> Any:
    def build(*script: Any, opening: Any = None) -> House:
        tools = {"query": lambda args: {"rows": [{"n": 3}], "seen": "lifeboat"}, "find": lambda args: opening}
        return house([*script, final("3")], tools=tools, specs={"query": STATEMENT, "find": {"opens": "question"}})

    return build


def made(agent: House) -> list[str]:
    """The conditions of each call that was made."""
    return [call["sql"].partition(" where ")[2] for call in agent.tools["query"].calls]


async def test_a_condition_from_nowhere_is_left_out(members: Any) -> None:
    agent = members(where("age > 17 and kind = 'workshop'"))
    await agent.run(TASK)
    assert made(agent) == ["age > 17"]


@pytest.mark.parametrize(
    ("thought", "kept"), [("Who owes us is of kind workshop.", True), ("I look it up.", False), ("", True)]
)
async def test_what_a_model_gives_a_reason_for_is_asked_for(members: Any, thought: str, kept: bool) -> None:
    """A larger model knows the column for it, and says so; a native call comes without any thought."""
    agent = members(where("owes > 0 and kind = 'workshop'", thought=thought))
    await agent.run("How many members still owe us something?")
    assert ("workshop" in made(agent)[0]) is kept


async def test_a_model_that_asks_again_after_an_answer_is_asked_for_nothing(members: Any) -> None:
    asked = "age > 17 and kind = 'workshop'"
    agent = members(where(asked), where(asked))
    await agent.run(TASK)
    assert made(agent) == ["age > 17", asked]


@pytest.mark.parametrize(
    ("task", "condition"),
    [
        (TASK, "ages = '17'"),  # by its column, however it is inflected
        (TASK, "since = '2025-08'"),  # by the month
        (TASK, "kind = 'full member, joined'"),  # by a part of the value
        ("How many nurses are there?", "role = 'nurse'"),  # however it is inflected
        ("How many women are there?", "g = 'F'"),  # a code
        ("How many of them have no home?", "town = ''"),  # of what is not there
        ("Which accounts are overdrawn?", "balance < '0'"),  # a bound says what a word means
        ("How many customers live outside Berlin?", "city != 'Berlin'"),
        ("Wie viele sind es?", "kind = 'workshop'"),  # in another language than the table any word may be meant
    ],
)
async def test_what_a_task_speaks_of_in_whatever_words_is_asked(members: Any, task: str, condition: str) -> None:
    asked = f"n > 1 and {condition}"
    agent = members(where(asked))
    await agent.run(task)
    assert made(agent) == [asked]


@pytest.mark.parametrize(("note", "kept"), [({}, True), ({"note": "a sample"}, False)])
async def test_what_a_passage_says_may_be_asked_for_and_a_mere_sample_tells_nothing(
    members: Any, note: Any, kept: bool
) -> None:
    passage = {"path": "notes.md", "text": "the lifeboat crew", **note}
    agent = members(where("age > 17 and crew = 'lifeboat'"), opening={"passages": [passage]})
    await agent.run(TASK)
    assert ("lifeboat" in made(agent)[0]) is kept


async def test_a_statement_about_a_database_is_left_as_it_is(house: Build) -> None:
    """A table may be called there as a column is in a file."""
    asked = {"sql": "select count(*) from members where age > 17 and kind = 'workshop'"}
    agent = house(
        [step(("query", asked)), final("3")], tools={"query": lambda args: {"rows": [3]}}, specs={"query": STATEMENT}
    )
    await agent.run(TASK)
    assert agent.tools["query"].calls == [asked]


async def test_a_value_of_the_tables_own_sample_is_no_name_from_nowhere(members: Any) -> None:
    table = {"path": "patients.csv", "text": "id,name,ward,kind\n1,Ann Lee,Cardiology,Discharged", "note": "a sample"}
    log = {"path": "ward.log", "text": "Monday: two patients gone to the ward", "note": "a sample"}
    asked = {"path": "patients.csv", "sql": "select count(*) from patients where kind = 'Discharged'"}
    agent = members(step(("query", asked)), opening={"passages": [table, log]})
    await agent.run("How many patients of the ward have the kind of gone home?")
    assert agent.tools["query"].calls == [asked]


SAMPLE = {"path": "radio.log", "text": "EIDER: we are taking on water, members", "note": "a sample"}
JACKDAW = where("member = 'Jackdaw'")


async def test_a_name_that_nothing_about_the_task_says_is_asked_for_once(members: Any) -> None:
    """It stood in the overview of another table, or nowhere."""
    table = {"path": MEMBERS, "text": "members,joined,average,age", "note": "a sample"}
    agent = members(JACKDAW, where("member = 'Eider'"), opening={"passages": [SAMPLE, table]})
    await agent.run(TASK)
    assert made(agent) == ["member = 'Eider'"]
    told = json.loads(agent.model.prompts[1].messages[-1])["content"]
    assert f'nothing about the task says Jackdaw. The closest is: "{SAMPLE["text"]}"' in told
    assert b'"const":"query"' in (agent.model.prompts[1].schema or b"")


@pytest.mark.parametrize(
    ("closest", "taken"),
    [
        (SAMPLE["text"], "EIDER"),
        ("we are taking on water, members", "Jackdaw"),  # it names none
        ("EIDER to TERN: we are taking on water, members", "Jackdaw"),  # or two
    ],
)
async def test_whoever_asks_for_it_again_gets_the_one_name_of_the_closest_line(
    members: Any, closest: str, taken: str
) -> None:
    agent = members(JACKDAW, JACKDAW, opening={"passages": [SAMPLE | {"text": closest}]})
    await agent.run(TASK)
    assert made(agent) == [f"member = '{taken}'"]


async def test_of_a_sample_the_lines_about_the_task_say_which_name_it_is(members: Any) -> None:
    """The model took the boat of the file's first line."""
    lines = "GODWIT: radio check, please\nEIDER: we are taking on water, members of average age"
    godwit = where("member = 'Godwit'")
    agent = members(godwit, where("member = 'Eider'"), opening={"passages": [SAMPLE | {"text": lines}]})
    await agent.run(TASK)
    assert made(agent) == ["member = 'Eider'"]
    agent = members(godwit, opening={"passages": [SAMPLE | {"text": lines.partition("\n")[0]}]})
    await agent.run(TASK)
    assert made(agent) == ["member = 'Godwit'"]


@pytest.mark.parametrize("value", ["yes", "Ann", "17", "Members"])
async def test_a_value_that_is_no_name_or_was_said_is_asked_for(members: Any, value: str) -> None:
    agent = members(where(f"member = '{value}'"), opening={"passages": [SAMPLE]})
    await agent.run(TASK)
    assert len(made(agent)) == 1


async def test_the_same_call_again_is_made_for_the_other_month(members: Any) -> None:
    again = where("joined like '2025-08%'")
    agent = members(again, again, again)
    await agent.run("How many more members joined in August 2025 than in July 2025?")
    assert made(agent)[:2] == ["joined like '2025-08%'", "joined like '2025-07%'"]


@pytest.mark.parametrize(
    ("task", "last"),
    [
        ("One of the pumps is leaking, it's in journal/workshop.log. Which one?", 0),
        ("What does the first line of journal/workshop.log say?", 1),
        ("Which entry is the oldest in journal/workshop.log?", 1),
        ("Who wrote the header of journal/workshop.log?", 1),
        ("What is the most recent event in journal/workshop.log?", 1),
        ("Was war der letzte Eintrag in journal/workshop.log?", 1),
        ("Which interpreter does bin/run.sh use?", 1),
    ],
)
def test_the_first_line_alone_is_read_where_it_is_asked_for(task: str, last: int) -> None:
    args = {"path": "journal/workshop.log", "first": 1, "last": 1}
    assert all_of_it(args, READS, task) == {**args, "last": last}
    assert all_of_it(args, SELECTS, task) == args  # a tool that has no end
    for other in ({**args, "last": 400}, {**args, "last": True}, {**args, "last": "1"}, {"path": "a"}):
        assert all_of_it(other, READS, task) == other


@pytest.mark.parametrize(
    ("task", "may"),
    [
        ("What is the mobile number of Ann?", False),
        ("Who is on call? When does the shift end?", False),
        ("Where is the key kept, and email it to Bob?", True),
        ("Which servers are down, restart them", True),
        ("Have the report sent to Bob", True),
        ("When Ann has answered, forward her mail to Bob", True),
        ("How many tickets are open, and close the stale ones?", True),
        ("Why don't you delete the drafts?", True),
        ("Which file is newest\nrename it to latest.txt", True),
        ("Do the backup", True),
        ("Could you put the number of Ann down for me?", True),
        ("What is the number of Ann? Jot it down in notes/ann.md.", True),
    ],
)
async def test_a_plain_question_is_answered_without_what_changes_something(house: Build, task: str, may: bool) -> None:
    tools = {"look": lambda args: {"text": "0711"}, "put": lambda args: {"text": "done"}}
    put = {"effect": Effect.WRITE, "audience": None, "roles": {"of": Role.LOW}}
    agent = house([step(("look", {"of": "Ann"})), final("0711")], tools=tools, specs={"put": put})
    await agent.run(task)
    offered = [b'"put"' in (prompt.schema or b"") for prompt in agent.model.prompts]
    assert any(offered) is may


@pytest.mark.parametrize(
    ("task", "asked_for", "values", "taken"),
    [
        ("How long does a hire with a skipper last on average?", "Ann", "'no', 'yes'", "yes"),
        ("How long does a hire without skipper last on average?", "Ann", "'no', 'yes'", "no"),
        ("How long does a hire of a skipper last on average?", "Ann", "'no', 'yes'", ""),
        ("How long does a hire with the skipper Ann last on average?", "Ann", "'no', 'yes'", ""),  # whom it cannot tell
        ("How many hires were called off?", "cancelled", "'called off', 'done'", "called off"),
        ("How many hires were called off or done?", "cancelled", "'called off', 'done'", ""),
    ],
)
async def test_what_is_asked_again_is_asked_for_a_value_that_its_column_has(
    house: Build, task: str, asked_for: str, values: str, taken: str
) -> None:
    sql = f"select avg(hours) from hires where skipper = '{asked_for}'"
    note = f"no row of hires has skipper = '{asked_for}'; skipper has the values {values}"
    call = step(("query", {"path": "hires.csv", "sql": sql}))
    tools = {"query": lambda args: {"columns": ["a"], "rows": [{"a": None}], "note": note}}
    agent = house([call, call, *[final("none")] * 3], tools=tools, specs={"query": STATEMENT})
    await agent.run(task)
    assert [call["sql"].rpartition(" = ")[2] for call in agent.tools["query"].calls] == [
        f"'{one}'" for one in (asked_for, taken) if one
    ]
