"""The conditions of a query are those of its task."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.engine.aggregates import averaged, counted, greatest
from ringfence.engine.conditions import all_of_it
from ringfence.tools.files import ReadArgs
from ringfence.tools.table import QueryArgs

from .conftest import Build, House, final, step

TASK = "How many members joined in August 2025, and what is their average age?"
READS = SinkSpec("files.read", schema=ReadArgs.model_json_schema())
_CSV_QUERY = SinkSpec("csv.query", schema=QueryArgs.model_json_schema())
ANY: Any = {"type": "array", "items": {"properties": {"column": {"x-any": "*"}}}}
CONDITIONS: Any = {"schema": {"type": "object", "properties": {"where": ANY, "limit": {}}}}


def where(column: str, value: str, op: str = "=") -> Any:
    return step(("query", {"where": [{"column": column, "op": op, "value": value}]}))


@pytest.fixture
def members(house: Build) -> Any:
    def build(*script: Any, opening: Any = None) -> House:
        tools = {"query": lambda args: {"rows": [["Ann", 3]], "seen": "lifeboat"}, "find": lambda args: opening}
        return house([*script, final("3")], tools=tools, specs={"query": CONDITIONS, "find": {"opens": "question"}})

    return build


def made(agent: House) -> list[list[tuple[str, str, str]]]:
    """The conditions of each call that was made."""
    calls = [call["where"] for call in agent.tools["query"].calls]
    return [[(one["column"], one["op"], one["value"]) for one in where] for where in calls]


async def test_a_condition_from_nowhere_is_left_out(members: Any) -> None:
    agent = members(where("paid", "no"))
    await agent.run(TASK)
    assert made(agent) == [[]]


@pytest.mark.parametrize(("thought", "kept"), [("Who owes us has paid = no.", 1), ("I look it up.", 0), ("", 1)])
async def test_what_a_model_gives_a_reason_for_is_asked_for(members: Any, thought: str, kept: int) -> None:
    """A larger model knows the column for it, and says so; a native call comes without any thought."""
    call = ("query", {"where": [{"column": "paid", "op": "=", "value": "no"}]})
    agent = members(step(call, thought=thought))
    await agent.run("How many members still owe us something?")
    assert len(made(agent)[0]) == kept


async def test_a_model_that_asks_again_after_an_answer_is_asked_for_nothing(members: Any) -> None:
    agent = members(where("paid", "no"), where("paid", "no"))
    await agent.run(TASK)
    assert made(agent) == [[], [("paid", "=", "no")]]


@pytest.mark.parametrize(
    ("column", "op", "value"),
    [
        ("ages", ">", "17"),  # by its column, however it is inflected
        ("since", "=", "2025-08"),  # by the month
        ("kind", "=", "full member, joined"),  # by a part of the value
        ("left", "!=", ""),  # nothing is named, and nothing left out
    ],
)
async def test_a_condition_that_the_task_speaks_of_is_asked(members: Any, column: str, op: str, value: str) -> None:
    agent = members(where(column, value, op))
    await agent.run(TASK if value else f"{TASK} Not those who have gone.")
    assert made(agent) == [[(column, op, value)]]


@pytest.mark.parametrize(("note", "kept"), [({}, 1), ({"note": "a sample"}, 0)])
async def test_what_a_passage_says_may_be_asked_for_and_a_mere_sample_tells_nothing(
    members: Any, note: Any, kept: int
) -> None:
    passage = {"path": "notes.md", "text": "the lifeboat crew", **note}
    agent = members(where("crew", "lifeboat"), opening={"passages": [passage]})
    await agent.run(TASK)
    assert len(made(agent)[0]) == kept


@pytest.mark.parametrize(("more", "op"), [("", "="), (" Except for August 2025.", "!="), (" They haven't paid.", "!=")])
async def test_what_a_task_names_is_not_left_out_unless_it_says_so(members: Any, more: str, op: str) -> None:
    agent = members(where("joined", "2025-08", "!="))
    await agent.run(TASK + more)
    assert made(agent) == [[("joined", op, "2025-08")]]


async def test_of_two_that_were_left_out_the_first_is_asked_for(members: Any) -> None:
    both = [{"column": "joined", "op": "!=", "value": value} for value in ("2025-08", "2025-07")]
    agent = members(step(("query", {"where": both})))
    await agent.run("How many more members joined in August 2025 than in July 2025?")
    assert made(agent)[0] == [("joined", "=", "2025-08")]


@pytest.mark.parametrize(
    ("task", "condition"),
    [
        ("How many nurses are there?", ("role", "=", "nurse")),  # however it is inflected
        ("How many women are there?", ("sex", "=", "F")),  # a code
        ("Which accounts are overdrawn?", ("balance", "<", "0")),  # a bound says what a word means
        ("How many came since March?", ("admitted", ">=", "2025-03-01")),
        ("How many customers live outside Berlin?", ("city", "!=", "Berlin")),
        ("Count the beds, apart from those of the ICU", ("ward", "!=", "ICU")),
        ("How many accounts are there that Berlin does not have?", ("city", "!=", "Berlin")),
        ("How many accounts are in Berlin?", ("city", "!=", "Berlin")),  # a model of its own mind
    ],
)
async def test_what_a_task_means_in_other_words_is_asked(members: Any, task: str, condition: Any) -> None:
    column, op, value = condition
    agent = members(where(column, value, op))
    await agent.run(task)
    assert made(agent) == [[condition]]


async def test_a_value_of_the_tables_own_sample_is_no_name_from_nowhere(members: Any) -> None:
    table = {"path": "patients.csv", "text": "id,name,ward,status\n1,Ann Lee,Cardiology,Discharged", "note": "a sample"}
    log = {"path": "ward.log", "text": "Monday: two patients gone to the ward", "note": "a sample"}
    asked = {"path": "patients.csv", "where": [{"column": "status", "op": "=", "value": "Discharged"}]}
    agent = members(step(("query", asked)), opening={"passages": [table, log]})
    await agent.run("How many patients of the ward have the status of gone home?")
    assert agent.tools["query"].calls == [asked]


HIRES = "data/hires.csv"
SUM = {"path": HIRES, "aggregate": "sum", "column": "hours", "group_by": ""}


@pytest.mark.parametrize(
    ("task", "more", "kind"),
    [
        ("Who made the largest single donation, and how much was it?", {}, "max"),
        ("What is the cheapest hire?", {}, "min"),
        ("What is the total of the largest hires?", {}, "sum"),
        ("Which share is the largest hire of all?", {}, "sum"),
        ("How many hours were the hires?", {}, "sum"),
        ("Which boat had the highest hours?", {"group_by": "boat"}, "sum"),
        ("What did the largest boat bring?", {"where": [{"column": "boat", "op": "=", "value": "Merlin"}]}, "sum"),
        ("Which is the longest hire?", {"aggregate": "avg"}, "avg"),
        ("what's the priciest hire?", {"aggregate": "", "limit": 1}, "max"),  # and not the first one
        ("what's the priciest hire?", {"aggregate": "", "limit": 1, "sort_by": "hours"}, ""),
        ("what's the priciest hire?", {"aggregate": "", "limit": 20}, ""),
        ("what's the first hire?", {"aggregate": "", "limit": 1}, ""),
    ],
)
def test_the_largest_is_not_what_all_come_to(task: str, more: Any, kind: str) -> None:
    args = SUM | more
    assert greatest(args, _CSV_QUERY, task) == args | {"aggregate": kind}
    assert greatest(args, replace(_CSV_QUERY, schema={"properties": {}}), task) == args


async def test_the_largest_single_amount_is_of_one_row_and_no_sum(house: Build) -> None:
    summed = {"path": "d.tsv", "group_by": "donor", "aggregate": "sum", "select": ["donor"], "sort_by": "eur"}
    for task, asked in (
        (
            "Who made the largest single donation, and how much was it?",
            {**summed, **dict.fromkeys(("group_by", "aggregate"), ""), "select": []},
        ),
        ("Who gave the most in all?", summed),
    ):
        agent = house(
            [step(("query", summed)), final("Ann")],
            tools={"query": lambda args: {"rows": [["Ann"]]}},
            specs={"query": {"schema": _CSV_QUERY.schema}},
        )
        await agent.run(task)
        assert agent.tools["query"].calls[0] == asked


@pytest.mark.parametrize(
    ("task", "more", "kind"),
    [
        ("How long is a hire on average?", {}, "avg"),
        ("Wie lange dauert eine Miete im Durchschnitt?", {"group_by": "boat"}, "avg"),
        ("How many hours are that in total, and on average?", {}, "sum"),
        ("What are the average hours per day?", {"group_by": "date"}, "sum"),
        ("How long are all hires together?", {}, "sum"),
        ("What is the average?", {"aggregate": "max"}, "max"),
        ("What is the average length of a hire?", {}, "avg"),
        ("How much was paid by clients whose average order is above 100?", {}, "sum"),
        ("What's the amount of the fees? I mean, of ward A.", {}, "sum"),
        ("How much did average-rated suppliers bill us?", {}, "sum"),
        ("By how much did the fees rise above the average?", {}, "sum"),
    ],
)
def test_an_average_is_not_what_all_come_to(task: str, more: Any, kind: str) -> None:
    args = SUM | more
    assert averaged(args, _CSV_QUERY, task) == args | {"aggregate": kind}
    assert averaged(args, replace(_CSV_QUERY, schema={"properties": {}}), task) == args


@pytest.mark.parametrize(
    ("task", "more", "counts"),
    [
        ("How many more hires were there in July 2025 than in June 2025?", {}, True),
        ("How many hires were there?", {"aggregate": "max"}, True),
        ("How many hires were there, and how much did they bring?", {}, False),
        ("How many hours were the hires?", {}, False),  # a column of it
        ("How many litres were sold?", {}, False),  # whatever the rows are, they are no litres
        ("How many hires were there?", {"path": "data/orders.csv"}, False),
        ("How many hires were there?", {"column": "stock_qty"}, False),  # each row is many
        ("How many hires were there?", {"column": "places"}, False),  # and here
        ("How many beds are there in the hospital?", {"path": "beds.csv", "column": "capacity"}, False),
        ("What did the hires bring?", {}, False),
    ],
)
def test_the_rows_are_counted_where_their_number_is_asked_for(task: str, more: Any, counts: bool) -> None:
    args = SUM | more
    assert counted(args, _CSV_QUERY, task) == (args | {"aggregate": "count", "column": ""} if counts else args)
    assert counted(args, replace(_CSV_QUERY, schema={"properties": {}}), task) == args


async def test_a_call_counts_what_is_asked_for(house: Build) -> None:
    tools = {"query": lambda args: {"rows": [[3]]}}
    agent = house([step(("query", SUM)), final("3")], tools=tools, specs={"query": {"schema": _CSV_QUERY.schema}})
    await agent.run("How many hires were there?")
    assert agent.tools["query"].calls == [SUM | {"aggregate": "count", "column": ""}]


SAMPLE = {"path": "radio.log", "text": "EIDER: we are taking on water, members", "note": "a sample"}


async def test_a_name_that_nothing_about_the_task_says_is_asked_for_once(members: Any) -> None:
    """It stood in the overview of another table, or nowhere."""
    jackdaw = where("member", "Jackdaw")
    table = {"path": "members.csv", "text": "members,joined,average,age", "note": "a sample"}
    agent = members(jackdaw, where("member", "Eider"), opening={"passages": [SAMPLE, table]})
    await agent.run(TASK)
    assert made(agent) == [[("member", "=", "Eider")]]
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
    jackdaw = where("member", "Jackdaw")
    agent = members(jackdaw, jackdaw, opening={"passages": [SAMPLE | {"text": closest}]})
    await agent.run(TASK)
    assert made(agent) == [[("member", "=", taken)]]


async def test_a_name_in_a_statement_about_a_file_is_held_against_the_same(house: Build) -> None:
    passages = [SAMPLE, {"path": "boats.csv", "text": "boat,berth", "note": "a sample"}]
    tools = {"find": lambda args: {"passages": passages}, "ask": lambda args: {"rows": [{"berth": "C13"}]}}
    schema: Any = {"type": "object", "properties": {"path": {}, "sql": {}}}
    call = step(("ask", {"path": "boats.csv", "sql": "select berth from boats where boat = 'Jackdaw'"}))
    specs: Any = {"find": {"opens": "question"}, "ask": {"schema": schema}}
    agent = house([call, call, final("C13")], tools=tools, specs=specs)
    await agent.run("Which berth has the boat that takes on water? Look it up in boats.csv.")
    assert [made["sql"] for made in agent.tools["ask"].calls] == ["select berth from boats where boat = 'EIDER'"]


async def test_a_condition_without_an_operator_is_one_of_equality(members: Any) -> None:
    """It may be left out, and what is beside the condition stays as it is."""
    call = {"where": [{"column": "member", "value": "Jackdaw"}], "limit": 5}
    agent = members(step(("query", call)), step(("query", call)), opening={"passages": [SAMPLE]})
    await agent.run(TASK)
    assert agent.tools["query"].calls == [{"where": [{"column": "member", "value": "EIDER"}], "limit": 5}]
    agent = members(step(("query", {"where": [{"column": "paid", "value": "no"}]})))
    await agent.run(TASK)
    assert agent.tools["query"].calls == [{"where": []}]


async def test_of_a_sample_the_lines_about_the_task_say_which_name_it_is(members: Any) -> None:
    """The model took the boat of the file's first line."""
    lines = "GODWIT: radio check, please\nEIDER: we are taking on water, members of average age"
    agent = members(
        where("member", "Godwit"), where("member", "Eider"), opening={"passages": [SAMPLE | {"text": lines}]}
    )
    await agent.run(TASK)
    assert made(agent) == [[("member", "=", "Eider")]]
    agent = members(where("member", "Godwit"), opening={"passages": [SAMPLE | {"text": lines.partition("\n")[0]}]})
    await agent.run(TASK)
    assert made(agent) == [[("member", "=", "Godwit")]]


@pytest.mark.parametrize("value", ["yes", "Ann", "17", "Members"])
async def test_a_value_that_is_no_name_or_was_said_is_asked_for(members: Any, value: str) -> None:
    agent = members(where("member", value), opening={"passages": [SAMPLE]})
    await agent.run(TASK)
    assert len(made(agent)) == 1


async def test_the_same_call_again_is_made_for_the_other_month(members: Any) -> None:
    again = where("joined", "2025-08")
    agent = members(again, again, again)
    await agent.run("How many more members joined in August 2025 than in July 2025?")
    assert made(agent)[:2] == [[("joined", "=", "2025-08")], [("joined", "=", "2025-07")]]


def summed(*conditions: tuple[str, str]) -> Any:
    told = [{"column": column, "op": "=", "value": value} for column, value in conditions]
    return step(("query", {"where": told, "aggregate": "sum", "column": "invoice_eur"}))


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("Bookkeeping: what do we still owe Veltin Carbonic? Sum up what isn't settled.", "Veltin Carbonic"),
        ("How many hours did Rita Kowal work in all?", "Rita Kowal"),
        ('The sum of kWh of the meter "brewhouse".', "brewhouse"),
    ],
)
async def test_a_sum_is_of_whom_the_task_names_in_whatever_column_that_is(members: Any, task: str, name: str) -> None:
    agent = members(summed(("settled", "no")))
    await agent.run(task)
    assert made(agent)[0][-1] == ("*", "=", name)


@pytest.mark.parametrize(
    "task",
    [
        "I'm Anna Berg from accounting, what is the sum of all invoices?",
        "Anna Berg here. What is the sum of all invoices?",
        "What is the sum of Monday Morning, March April?",
        "Was ist die Summe der Rechnungen an die Firma Veltin Carbonic, und wie viele sind es?",
        "What is the sum of the invoices? I have to tell Anna Berg.",
        'Put the sum into "out/sum.txt".',
        "Our director, Anna Berg, wants the sum of all patients.",
        "As my colleague Anna Berg asked, how many patients do all units have?",
        "A question by Anna Berg asked how many there are.",
        "How much did we spend in total, leaving out the Red Cross?",
        "How many patients are there without those of Emergency Room?",
        "What share of all patients is of Emergency Room?",
        "How many more patients has Maternity than those of Emergency Room?",
        "How many hours did Rita Kowal and Leo Hale work?",
        "How many patients does each unit of Emergency Room have?",
        "",
    ],
)
async def test_a_name_that_may_be_no_condition_is_none(members: Any, task: str) -> None:
    agent = members(summed())
    await agent.run(task or f"{'x ' * 600}What do we owe Veltin Carbonic?")
    assert made(agent) == [[]]


FULL = {"column": "a", "op": "=", "value": "b"}


@pytest.mark.parametrize(
    "more",
    [{"aggregate": "max"}, {"aggregate": ""}, {"group_by": "unit"}, {"where": [FULL] * 10}],
)
async def test_of_groups_extremes_and_full_lists_nobody_is_remembered(members: Any, more: Any) -> None:
    asked = {"where": [], "aggregate": "sum", "column": "invoice_eur", **more}
    agent = members(step(("query", asked)))
    await agent.run("What do we still owe Veltin Carbonic? Sum up a and b.")
    assert len(made(agent)[0]) == len(asked["where"])


async def test_a_tool_that_does_not_say_so_is_given_no_name(house: Build) -> None:
    told = {"properties": {"where": {"type": "array", "description": "x-any"}}}
    agent = house(
        [summed(), final("3")], tools={"query": lambda args: {"rows": [3]}}, specs={"query": {"schema": told}}
    )
    await agent.run("What do we still owe Veltin Carbonic?")
    assert agent.tools["query"].calls[0]["where"] == []


async def test_a_name_that_is_asked_for_or_was_found_before_is_not_asked_for_again(members: Any) -> None:
    task = "What do we still owe Veltin Carbonic? Sum it up."
    agent = members(summed(("supplier", "Veltin")))
    await agent.run(task)
    assert made(agent) == [[("supplier", "=", "Veltin")]]
    agent = members(where("supplier", "Veltin Carbonic"), summed(("supplier_no", "12")))
    await agent.run(task)
    assert len(made(agent)) == 2
    assert made(agent)[1] == [("supplier_no", "=", "12")]


SUPPLIES = "tables/deliveries.csv"
OWED = "What do we still owe Veltin Carbonic? Sum up the deliveries that aren't settled, tables/deliveries.csv."


def total(*conditions: tuple[str, str], **more: Any) -> Any:
    wheres = [{"column": column, "op": "=", "value": value} for column, value in conditions]
    return step(("query", {"path": SUPPLIES, "aggregate": "sum", "column": "eur", "where": wheres, **more}))


@pytest.mark.parametrize(
    ("task", "again", "calls"),
    [
        (OWED, total(("settled", "no")), 1),
        (OWED, total(("settled", "no"), ("supplier", "Veltin Carbonic"), ("goods", "gas")), 2),  # asks for less
        (OWED, total(("settled", "no"), aggregate="count"), 2),  # of something else
        (f"{OWED} And how much do we owe in all?", total(("settled", "no")), 2),
        (f"{OWED} What share of all is that?", total(("settled", "no")), 2),
        (f"{OWED} Settled or not.", total(("supplier", "Veltin Carbonic")), 2),  # a condition too many is taken back
        ("Which fraction of what is not settled do we owe Veltin Carbonic?", total(("settled", "no")), 2),
        ("Welchen Teil der Rechnungen, die offen sind, schulden wir Veltin Carbonic?", total(("settled", "no")), 2),
    ],
)
async def test_what_was_asked_of_one_is_not_asked_of_all_after_that(
    members: Any, task: str, again: Any, calls: int
) -> None:
    agent = members(total(("settled", "no"), ("supplier", "Veltin Carbonic")), again)
    await agent.run(task)
    assert len(agent.tools["query"].calls) == calls


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
    assert all_of_it(args, _CSV_QUERY, task) == args  # a tool that has no end
    for other in ({**args, "last": 400}, {**args, "last": True}, {**args, "last": "1"}, {"path": "a"}):
        assert all_of_it(other, READS, task) == other


@pytest.mark.parametrize("first", [{"rows": [[""]], "matched": "0 of 75 rows"}, {"rows": [["0"]]}, {"rows": []}])
async def test_of_one_of_whom_nothing_was_found_it_may_be_asked_in_another_way(house: Build, first: Any) -> None:
    tools = {"query": lambda args: first, "find": lambda args: None}
    script = [total(("settled", "no"), ("supplier", "Veltin Carbonic")), total(("settled", "no")), final("0")]
    agent = house(script, tools=tools, specs={"query": CONDITIONS, "find": {"opens": "question"}})
    await agent.run(OWED)
    assert len(agent.tools["query"].calls) == 2


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
