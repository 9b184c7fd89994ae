"""An answer's value is that of what was asked, and of no other row or entry."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.policy import Effect, Role
from ringfence.engine.course import NOT_FOUND
from ringfence.engine.whose import _KEYED, _VALUE
from ringfence.tools.sql_schema import keyed

from .conftest import Build, House, fail, final, forms, step

TABLE = "tables/batches.csv"
SAMPLE = {"path": TABLE, "note": "a sample", "text": "batch,beer,hl\nB2528,Pils,171.0\nB2540,Saison,280.1"}
TASK = "How many hl are in batch B2527, going by tables/batches.csv?"
QUERY: Any = {"suits": r"\.csv\b", "schema": {"type": "object", "properties": {"path": {}, "sql": {}}}}
LOOK_UP = step(("query", {"path": TABLE, "sql": "select hl from batches where batch = 'B2527'"}))


def doubts(agent: House) -> list[str]:
    """Why answers were sent back."""
    return [r.body["text"] for r in agent.records() if r.kind is Kind.MESSAGE and "doubt" in r.body]


@pytest.fixture
def brewery(house: Build) -> Any:
    def build(*script: Any, rows: Any = (("254.8",),), sample: Any = SAMPLE) -> House:
        tools = {
            "find": lambda args: {"passages": [sample]},
            "query": lambda args: {"columns": ["hl"], "rows": [list(row) for row in rows], "ran": "select hl limit 1"},
        }
        return house(list(script), tools=tools, specs={"find": {"opens": "question"}, "query": QUERY})

    return build


async def test_a_value_that_only_a_sample_shows_is_not_that_of_the_row_which_a_call_has_found(brewery: Any) -> None:
    agent = brewery(LOOK_UP, final("171.0"), final("254.8"))
    result = await agent.run(TASK)
    assert result.answer == "254.8"
    (why,) = doubts(agent)
    assert why.startswith("171.0 is in no result of your calls")


@pytest.mark.parametrize(
    ("answer", "rows", "sample"),
    [
        ("It is 254.8 hl.", [["254.8"]], SAMPLE),
        ("Batch B2527 has 254.80 hl.", [["254.8"]], SAMPLE),  # the same number in another notation
        ("171.0", [], SAMPLE),  # the call found nothing
        (
            "171.0",
            [["254.8"]],
            {"path": "notes/a.md", "text": "Going by this batch, 171.0 hl"},
        ),  # a line about the task
        ("29.01.2025", [["254.8"]], {**SAMPLE, "text": "B2528,29.01.2025"}),  # a day, in what notation ever
    ],
)
async def test_any_other_value_stands(brewery: Any, answer: str, rows: Any, sample: Any) -> None:
    agent = brewery(LOOK_UP, final(answer), final("254.8"), rows=rows, sample=sample)
    assert (await agent.run(TASK)).answer == answer
    assert doubts(agent) == []


KEY = "driver_id is the key of a row of drivers (id, name)"
PAGE = "http://site.test/contacts"
ABOVE = (
    "# Contacts\nFrom outside, dial 0 first.\n\nGatehouse\nextension 272\nWorkshop\nextension 210\nLab\nextension 235"
)
BESIDE = "# Contacts\nGatehouse: 272\nWorkshop: ext. 210\n- Lab: 235"
LISTS: Any = {
    "above": {"text": ABOVE},
    "beside": {"text": BESIDE},
    "json": {
        "json": [{"desk": name, "extension": n} for name, n in (("Gatehouse", 272), ("Workshop", 210), ("Lab", 235))]
    },
}
FETCH: Any = {
    "suits": "https?://", "effect": Effect.EGRESS, "idempotent": True, "audience": None, "roles": {"of": Role.LOW},
}  # fmt: skip


@pytest.fixture
def directory(house: Build) -> Any:
    def build(page: Any, *script: Any) -> House:
        return house(list(script), tools={"fetch": lambda args: page}, specs={"fetch": FETCH})

    return build


@pytest.mark.parametrize("kind", LISTS)
async def test_the_first_of_a_list_that_has_none_of_whom_the_task_asks_is_nobodys_number(
    directory: Any, kind: str
) -> None:
    agent = directory(LISTS[kind], step(("fetch", {"of": PAGE})), final("272"), final("not found"))
    result = await agent.run(f"I want to ring the brewhouse. What extension do they have? Try {PAGE}")
    assert result.answer == "not found"
    assert "the task seems to ask for none of them" in doubts(agent)[0]
    assert "Gatehouse" in doubts(agent)[0]


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (f"What extension does the workshop have? Try {PAGE}", "210"),
        (f"What extension do I ring for the workshops? {PAGE}", "272"),  # wrong, and no business of this check
        (f"Give me all extensions that {PAGE} has", "272, 210, 235"),
        (f"How many extensions are on {PAGE}? The number alone.", "3"),
        (f"Which desk has the highest extension on {PAGE}?", "The Gatehouse, 272"),
        (f"What is on {PAGE}?", "Gatehouse 272, Workshop 210 and Lab 235"),  # asks how nobody is reached
    ],
)
@pytest.mark.parametrize("kind", LISTS)
async def test_an_answer_about_what_the_list_has_stands(directory: Any, kind: str, task: str, answer: str) -> None:
    agent = directory(LISTS[kind], step(("fetch", {"of": PAGE})), final(answer), final("not found"))
    await agent.run(task)
    assert [why for why in doubts(agent) if "The list is of" in why] == []


LOANS = {"path": "config/library.toml", "text": "[loans]\ndays = 21\nrenewals = 2"}


@pytest.mark.parametrize(
    ("answer", "rows", "sent_back"),
    [
        ("Seven Keys, 21 loans", [["Seven Keys"]], True),
        ("Seven Keys, 13 loans", [["Seven Keys", 13]], False),
        ("Seven Keys, 21 loans", [["Seven Keys", 21]], False),
        ("21", [], False),  # the call has found nothing
    ],
)
async def test_a_number_that_no_call_has_found_is_not_taken_from_what_stood_beside(
    brewery: Any, answer: str, rows: Any, sent_back: bool
) -> None:
    agent = brewery(LOOK_UP, final(answer), final(answer), rows=rows, sample=LOANS)
    result = await agent.run(f"Which title of {TABLE} has the most loans, and how many are they?")
    assert ["21 is in no result of your calls" in why for why in doubts(agent)] == [True] * sent_back
    assert (result.answer, result.status) == (answer, "done")  # who says it again may mean it


@pytest.mark.parametrize(
    ("rows", "sent_back"),
    [
        ([["Seven Keys"]], True),
        ([["Seven Keys"], ["Nobody's Kite"]], False),  # somebody has counted them
        ([["notes/a.md:2: Seven Keys"]], True),  # where a line stands is not what it says
        ([["notes/a.yaml:2 [keys.seven]: Seven Keys"]], True),
        ([["Seven Keys\nand a Kite"]], False),
        ([["Keys"], ["Kite"], ["Foxes"], ["Owl"]], False),  # or some of them
    ],
)
async def test_a_figure_may_be_how_many_there_are_in_a_list(brewery: Any, rows: Any, sent_back: bool) -> None:
    agent = brewery(LOOK_UP, final("2 loans"), final("2 loans"), rows=rows, sample=LOANS)
    await agent.run(f"How many loans does {TABLE} have?")
    assert ["2 is in no result of your calls" in why for why in doubts(agent)] == [True] * sent_back


PEOPLE = "Li Wu: 201\nJo Ng: 202\nWard C: 203\nIT-Abteilung: 204"


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("What is Li Wu's phone number?", "201"),
        ("What is the extension of ward C?", "203"),
        ("Durchwahl der IT-Abteilung?", "204"),
        ("How many guests reach the summit at 202?", "202"),
    ],
)
async def test_short_names_are_names(directory: Any, task: str, answer: str) -> None:
    agent = directory({"text": PEOPLE}, step(("fetch", {"of": PAGE})), final(answer), final("not found"))
    await agent.run(f"{task} {PAGE}")
    assert [why for why in doubts(agent) if "The list is of" in why] == []


async def test_who_says_it_again_may_mean_it(directory: Any) -> None:
    agent = directory(LISTS["beside"], step(("fetch", {"of": PAGE})), final("272"), final("272"))
    result = await agent.run(f"What extension does the reception have? {PAGE}")
    assert (result.answer, result.status, result.confidence) == ("272", "done", "high")


PHONES = "Night porter: 272\nStaff canteen: 281\nDr. Weber: 3302\nWard North: 4401\nLost or stolen: 0800 111"


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("What is Dr. Weber's phone number?", "3302"),
        ("What is the phone number of Ward North?", "4401"),
        ("What is the extension of the porter?", "272"),
        ("Which phone number is for a stolen card?", "0800 111"),
        ("What extension does the canteen have?", "281"),
    ],
)
async def test_labels_of_several_words_are_read_in_full(directory: Any, task: str, answer: str) -> None:
    agent = directory({"text": PHONES}, step(("fetch", {"of": PAGE})), final(answer), final("not found"))
    assert (await agent.run(f"{task} {PAGE}")).answer == answer


async def test_whom_another_call_has_named_is_in_the_list(directory: Any) -> None:
    agent = directory(
        {"text": PHONES}, step(("fetch", {"of": PAGE})), step(("fetch", {"of": "http://site.test/head"})), final("3302")
    )
    await agent.run(f"What is the phone number of the head of cardiology? {PAGE}")
    assert doubts(agent) == []


YARD = {"path": "handbook/yard.md", "text": "The weighbridge is open on working days; ask for the ticket there."}
CHARGE = {"path": "handbook/circular.md", "text": "Storage costs 41 euros per pallet and day."}
SCALES = {"path": "handbook/scales.md", "text": "The weighbridge on the north side: 12 euros for a lorry."}


FIRMS = {"path": "a.md", "text": "- Distributor: Ostravik Releasing; Contact: Olga Quarles; Share: 49 %"}
CLEANERS = {"path": "b.md", "text": "The contract with Brightwater runs until 31 March 2026."}


@pytest.mark.parametrize(
    ("name", "second", "answer"),
    [
        ("Ostravik Releasing", "31 March 2026", NOT_FOUND),
        ("Ostravik Releasing", "It is not stated.", "It is not stated."),
        ("Brightwater", "31 March 2026", "31 March 2026"),
        ("Grey Heron Pictures", "31 March 2026", "31 March 2026"),  # of whom nothing is told
    ],
)
async def test_what_is_said_of_another_name_is_not_found(house: Build, name: str, second: str, answer: str) -> None:
    tools = {"find": lambda args: {"passages": [FIRMS, CLEANERS]}}
    agent = house([final("31 March 2026"), *[final(second)] * 2], tools=tools, specs={"find": {"opens": "question"}})
    assert (await agent.run(f"Until what date does our contract with {name} run?")).answer == answer


@pytest.mark.parametrize(
    ("passages", "answer", "word"),
    [
        ([YARD, CHARGE], "41", "weighbridge"),
        ([YARD, CHARGE], "It is not stated.", ""),
        ([CHARGE], "41", ""),  # no passage has the word: another one may say it
        ([YARD, {**SCALES, "text": "The weighbridge is 12 m long."}, CHARGE], "41", ""),  # nor does one alone
        ([{**YARD, "text": f"{YARD['text']} It costs 12 euros."}, CHARGE], "12", ""),
        ([{**YARD, "note": "a sample"}, CHARGE], "41", ""),
        ([{**YARD, "text": "How to keep the weighbridge clean, please look."}, SCALES], "12", ""),
    ],
)
async def test_what_one_passage_says_is_not_said_of_what_another_one_is_about(
    house: Build, passages: Any, answer: str, word: str
) -> None:
    tools = {"find": lambda args: {"passages": passages}, "look": lambda args: {"text": "nothing"}}
    script = [final(answer), step(("look", {"of": "it"})), final(answer), final(answer)]
    agent = house(script, tools=tools, specs={"find": {"opens": "question"}})
    await agent.run("What do they take in euros for a lorry on the weighbridge?")
    said = [why for why in doubts(agent) if "says nothing of" in why]
    assert [f"says nothing of the {word}." in why for why in said] == [True] * bool(word)


@pytest.mark.parametrize(
    ("task", "answer", "word"),
    [
        ("How many solar panels are on the roof of the Library?", "1", "panels"),
        ("How many plants are on the roof of the Library?", "1", ""),  # the table of them is named so
        ("How many names are on the roof of the Library?", "1", ""),  # and a column of one
        ("How many rows are of the Library?", "1", ""),
        ("How many batches are of the Library?", "1", "batches"),
        ("How many solar panels are on the roof of the Library?", "There is 1 panel on that roof.", "panels"),
        ("How many panels does the Library have?", "It is not stated.", ""),
        ("Which plants have panels?", "1", ""),
    ],
)
async def test_how_many_there_are_of_what_nothing_speaks_of_is_told_by_no_count(
    house: Build, task: str, answer: str, word: str
) -> None:
    tools = {
        "tables": lambda args: {"tables": [{"table": "plants", "columns": ["name TEXT"]}]},
        "query": lambda args: {"columns": ["count(*)"], "rows": [{"count(*)": 1}]},
    }
    agent = house(
        [step(("query", {"of": "it"})), final(answer), final("not found")], tools=tools, specs={"tables": {"opens": ""}}
    )
    await agent.run(task)
    said = [why for why in doubts(agent) if "speaks of" in why]
    assert [f"speaks of {word}." in why for why in said] == [True] * bool(word)


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("Which gateway lost its link most often?", "gw-north lost it 9 times.", True),
        ("Which gateway lost its link more often than any other?", "gw-north: 9", True),
        ("Which gateway lost its link most often?", "gw-park, 14 times", False),
        ("Which gateway lost its link most often?", "It is not stated.", False),
        ("How often did gw-north lose its link?", "9", False),
    ],
)
async def test_a_rarer_one_is_not_the_most_frequent(house: Build, task: str, answer: str, sent_back: bool) -> None:
    value: Any = {"by": "host", "top": [["gw-park", 14], ["gw-north", 9], ["gw-hill", 9]]}
    agent = house(
        [step(("look", {"of": "it"})), final(answer), final("gw-park: 14")], tools={"look": lambda args: value}
    )
    await agent.run(task)
    assert doubts(agent) == ["The most frequent is gw-park: 14."] * sent_back


PROVIDED = "If nothing says so, tell me that it is not there."


@pytest.mark.parametrize(
    ("asked", "second", "ends"),
    [
        (PROVIDED, "41", "not found in the files"),  # it was sent back for it, and says it again
        ("", "41", "41"),  # and where the task says nothing of that, it is taken, marked low
        ("If nothing else helps, who has to report it?", "41", "41"),
        ("What do the rules say if a driver does not pay?", "41", "41"),
        ("Tell me which fee applies if there is no scale.", "41", "41"),
        ("Name the amount, or say if it isn't there.", "41", "not found in the files"),
        (PROVIDED, "Nothing is stated.", "Nothing is stated."),
    ],
)
async def test_where_the_task_provides_for_it_what_is_said_of_another_thing_twice_is_no_answer(
    house: Build, asked: str, second: str, ends: str
) -> None:
    tools = {"find": lambda args: {"passages": [YARD, CHARGE]}, "look": lambda args: {"text": "nothing"}}
    agent = house([final("41"), final(second)], tools=tools, specs={"find": {"opens": "question"}})
    assert (await agent.run(f"What do they take in euros for a lorry on the weighbridge? {asked}")).answer == ends


def test_words_without_a_figure_take_time_that_grows_with_the_text() -> None:
    assert _VALUE.findall("a" * 200_000 + " " + "_" * 200_000 + " B2528") == ["B2528"]


BUSES = "Line: 14 | To: Quarry Road | Leaves at: 14:05\nLine: 46 | To: Old Station | Leaves at: 15:20"


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("At what time does bus line 82 leave?", "15:20", True),
        ("At what time does bus line 82 leave?", "It is not found there.", False),
        ("At what time does bus line 46 leave?", "15:20", False),
        ("At what time does tram 82 leave?", "15:20", False),  # there are no trams at all: they may be called so
        ("Where does the 15:20 go?", "Old Station", False),
    ],
)
async def test_of_another_of_its_kind_nothing_is_said(directory: Any, task: str, answer: str, sent_back: bool) -> None:
    agent = directory({"text": BUSES}, step(("fetch", {"of": PAGE})), final(answer), final(answer))
    assert (await agent.run(f"{task} {PAGE}")).answer == answer
    assert ["nothing of line 82" in why for why in doubts(agent)] == [True] * sent_back


@pytest.mark.parametrize(
    ("task", "note", "sent_back"),
    [
        ("Which driver made the most deliveries?", KEY, True),
        ("How many deliveries were there?", KEY, False),
        ("Which driver made the most deliveries?", "no row matches", False),
    ],
)
async def test_the_key_of_a_row_is_no_answer_to_who_it_is(house: Build, task: str, note: str, sent_back: bool) -> None:
    tools = {"query": lambda args: {"rows": [{"driver_id": 2}], "note": note}}
    agent = house([step(("query", {"of": "x"})), final("2"), final("2")], tools=tools)
    await agent.run(task)
    assert [why.startswith(KEY) for why in doubts(agent)] == [True] * sent_back


def test_the_note_is_the_one_that_the_tool_gives() -> None:
    tables = [("deliveries", "id INTEGER\ndriver_id INTEGER"), ("drivers", "id INTEGER\nname TEXT")]
    key = keyed("SELECT driver_id FROM deliveries", ["driver_id"], tables, {})
    assert key is not None
    assert _KEYED in str(key.told([2], [])["note"])


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("Which driver made the most deliveries?", "driver 2", True),
        ("Which driver made the most deliveries?", "It was Ulf Tolland (driver 2).", False),
        ("Who made the most deliveries? The surname.", "Tolland", False),
        ("How many deliveries were there?", "2", False),
    ],
)
async def test_the_name_that_stands_beside_its_key_is_the_answer(
    house: Build, task: str, answer: str, sent_back: bool
) -> None:
    found = {"rows": [{"driver_id": 2}], "named": [{"driver_id": "2", "full_name": "Ulf Tolland"}]}
    agent = house(
        [step(("query", {"of": "x"})), final(answer), final("Ulf Tolland")], tools={"query": lambda args: found}
    )
    await agent.run(task)
    assert doubts(agent) == ["The task asks for the name: Ulf Tolland."] * sent_back
    assert forms(agent)[2:] == [{"final"}] * sent_back


TIMES = (
    "Line: L4 | To: Lyon | Acceptance closes: 18:05 | Departure: 19:45\n"
    "Line: L5 | To: Porto | Acceptance closes: 14:35 | Departure: 16:15"
)


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("At what time does acceptance close for the line to Porto?", "Departure: 16:15", True),
        ("At what time does acceptance close for the line to Porto?", "14:35", False),
        ("When is the departure to Porto?", "16:15", False),
        ("When does the lorry to Porto leave, and when does acceptance close?", "16:15 and 14:35", False),
        ("When does the lorry to Porto leave?", "16:15", False),  # no column is called so
    ],
)
async def test_the_cell_of_another_column_is_not_what_was_asked(
    directory: Any, task: str, answer: str, sent_back: bool
) -> None:
    agent = directory({"text": TIMES}, step(("fetch", {"of": PAGE})), final(answer), final(answer))
    assert (await agent.run(f"{task} {PAGE}")).answer == answer
    assert ['another cell of that row: "Acceptance closes: 14:35"' in why for why in doubts(agent)] == [
        True
    ] * sent_back


async def test_what_no_call_has_found_is_found_by_a_call_and_by_nothing_else(brewery: Any, house: Build) -> None:
    more = step(("query", {"path": TABLE}))
    agent = brewery(LOOK_UP, final("Seven Keys, 21 loans"), more, final("13"), rows=[["Seven Keys"]], sample=LOANS)
    await agent.run(f"Which title of {TABLE} has the most loans, and how many are they?")
    assert forms(agent)[2] == {"calls"}
    tools = {
        "query": lambda args: {"rows": [{"driver_id": 2}], "note": KEY} if args["of"] == "x" else {"rows": ["Ulf"]}
    }
    agent = house([step(("query", {"of": "x"})), final("2"), step(("query", {"of": "y"})), final("Ulf")], tools=tools)
    result = await agent.run("Which driver made the most deliveries?")
    assert (forms(agent)[2], result.answer) == ({"calls"}, "Ulf")


@pytest.mark.parametrize(
    ("page", "task", "answer"),
    [
        (TIMES, "At what time does acceptance close for the line to Porto?", "16:15"),
        (BUSES, "At what time does bus line 82 leave?", "15:20"),
        (BESIDE, "I want to ring the brewhouse. What extension do they have?", "272"),
    ],
)
async def test_what_was_read_whole_is_not_read_again(directory: Any, page: str, task: str, answer: str) -> None:
    agent = directory({"text": page}, step(("fetch", {"of": PAGE})), final(answer), final("not found"))
    await agent.run(f"{task} {PAGE}")
    assert forms(agent)[2] == {"final"}


PATIENT = [{"patient_id": 7, "amount": 480.5}], [{"patient_id": "7", "name": "Ann Meier"}]


@pytest.mark.parametrize(
    ("task", "answer", "rows", "named"),
    [
        ("How much did the patient who was admitted on 2026-05-03 pay?", "480.5", *PATIENT),
        ("Which room number is it?", "12", [{"room_id": 12}], [{"room_id": "12", "name": "North"}]),
        ("Which day was it?", "2026-05-03", [{"n_id": 3, "day": "2026-05-03"}], [{"n_id": "3", "name": "Ann"}]),
        ("Who is on call?", "nurse 3", [{"nurse_id": 3}], [{"nurse_id": "3"}]),  # whose name nobody has written down
        ("Who is on call?", "nurse 3", [{"nurse_id": 3}], [["nurse_id", "Ann"]]),  # of another tool
        ("Who is on call?", "nurse 3", 3, "Ann"),
    ],
)
async def test_what_is_no_key_for_a_name_stands(house: Build, task: str, answer: str, rows: Any, named: Any) -> None:
    found = {"rows": rows, "named": named}
    agent = house([step(("query", {"of": "x"})), final(answer), final("?")], tools={"query": lambda args: found})
    assert (await agent.run(task)).answer == answer
    assert doubts(agent) == []


@pytest.mark.parametrize(
    ("task", "answer", "shown"),
    [
        ("Which amount did which patient pay?", "7 paid 480.5", "7 paid 480.5 (patient_id 7: Ann Meier)"),
        ("Which amount did which patient pay?", "Meier paid 480.5", "Meier paid 480.5"),
        ("How much was it?", "480.5 by 7", "480.5 by 7"),
    ],
)
async def test_a_key_that_is_answered_with_is_told_with_its_name(
    house: Build, task: str, answer: str, shown: str
) -> None:
    found = dict(zip(("rows", "named"), PATIENT, strict=True))
    agent = house([step(("query", {"of": "x"})), final(answer), final(answer)], tools={"query": lambda args: found})
    assert (await agent.run(task)).answer == shown


@pytest.mark.parametrize(
    ("rows", "answer", "sent_back"),
    [
        ([[""]], "The average is 1.00.", True),  # the tool says "limit 1"
        ([[None]], "1", True),
        ([[""]], "No batch is like that.", False),
        ([["1"]], "1.00", False),
        ([["", "1"]], "1.00", False),
    ],
)
async def test_what_was_worked_out_over_no_rows_is_no_number(
    brewery: Any, rows: Any, answer: str, sent_back: bool
) -> None:
    agent = brewery(LOOK_UP, final(answer), LOOK_UP, final(answer), rows=rows)
    await agent.run(f"On average, how many hl does a batch of {TABLE} have?")
    assert ["The call has found nothing" in why for why in doubts(agent)] == [True] * sent_back


async def test_of_several_keys_the_name_of_the_one_that_was_answered_is_told(house: Build) -> None:
    found = {
        "rows": [{"nurse_id": 3, "h": 40}, {"nurse_id": 1, "h": 38}],
        "named": [{"nurse_id": "3", "name": "Cy"}, {"nurse_id": "1", "name": "Ann"}],
    }
    agent = house([step(("query", {"of": "x"})), final("nurse 3"), final("Cy")], tools={"query": lambda args: found})
    await agent.run("Which nurse worked the most?")
    assert doubts(agent) == ["The task asks for the name: Cy."]


async def test_a_call_that_has_to_be_made_does_nothing_that_nobody_has_asked_for(house: Build) -> None:
    tools = {"query": lambda args: {"rows": [{"driver_id": 2}], "note": KEY}, "mail": lambda args: "sent"}
    script = [step(("query", {"of": "x"})), final("driver 2"), final("driver 2")]
    agent = house(script, tools=tools, specs={"mail": {"effect": Effect.EGRESS, "roles": {"of": Role.LOW}}})
    await agent.run("Which driver made the most deliveries?")
    assert forms(agent)[2] == {"calls"}
    assert b'"mail"' not in (agent.model.prompts[2].schema or b"")


async def test_a_call_that_has_to_be_made_and_fails_is_not_asked_for_without_end(house: Build) -> None:
    def query(args: Any) -> Any:
        return {"rows": [{"driver_id": 2}], "note": KEY} if args["of"] == "x" else fail(args)

    script = [step(("query", {"of": "x"})), final("driver 2"), step(("query", {"of": "y"})), final("driver 2")]
    agent = house(script, tools={"query": query})
    assert (await agent.run("Which driver made the most deliveries?")).answer == "driver 2"
    assert forms(agent)[2:] == [{"calls"}, {"calls", "final"}]


@pytest.mark.parametrize("found", [{"zone": 2, "temperature": 21.5}, {"text": "zone 2: 21.5\n" * 300}])
async def test_another_call_may_find_what_this_one_was_not_asked_for(house: Build, found: Any) -> None:
    agent = house(
        [step(("sensor", {"of": "zone 2"})), final("21.5"), step(("sensor", {"of": "zone 7"})), final("18")],
        tools={"sensor": lambda args: {"zone": 7, "temperature": 18} if args["of"] == "zone 7" else found},
    )
    assert (await agent.run("What is the temperature in zone 7?")).answer == "18"
    assert forms(agent)[2] == {"calls", "final"}


async def test_the_row_of_a_sample_that_a_call_has_named_is_about_it(brewery: Any) -> None:
    sample = {"path": "tables/wards.csv", "text": "ward,beds\nICU,12\nER,20"}
    agent = brewery(LOOK_UP, final("The ICU has 12 beds."), rows=[["ICU"]], sample=sample)
    await agent.run(f"Which ward of {TABLE} has the fewest patients, and how many beds?")
    assert doubts(agent) == []


async def test_a_table_may_be_asked_again_for_what_another_condition_finds(brewery: Any) -> None:
    agent = brewery(LOOK_UP, final("line 46"), final("not found"), rows=[["line 46"]])
    await agent.run(f"Which stops does bus line 82 have in {TABLE}?")
    assert len(doubts(agent)) == 1
    assert forms(agent)[2] == {"calls", "final"}


async def test_a_number_beside_whom_a_call_has_named_is_about_them(brewery: Any) -> None:
    sample = {"path": "notes/staff.md", "text": "Bo Ekman can be reached under 3302."}
    agent = brewery(LOOK_UP, final("Bo Ekman, 3302"), rows=[["Bo Ekman"]], sample=sample)
    await agent.run(f"Who stands in for the owner of {TABLE}, and how do I call them?")
    assert doubts(agent) == []


VISIT = "Lockers take a coin of 1 euro. Entry is 8 euros. Cars are left at the weigh house."


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("A visitor is asking what parking costs here", "1 euro", True),
        ("How much is the parking?", "It is 1 euro.", True),
        ("What is the parking fee?", "1 euro", True),
        ("What is the charge for the attic?", "8 euros", True),
        ("How much does it cost to rent a tricycle for one day?", "8 euros", True),
        ("How much does it cost to rent a locker for one day?", "1 euro", False),
        ("How much is a locker?", "1 euro", False),
        ("What is the entry fee?", "8 euros", False),
        ("How much does that cost?", "8 euros", False),
        ("How much are they altogether, parking and entry?", "9 euros", False),  # to be worked out
        ("What does the parking cost?", "not found", False),
    ],
)
async def test_a_price_of_what_nothing_speaks_of_goes_back_once(
    house: Build, task: str, answer: str, sent_back: bool
) -> None:
    tools = {"look": lambda args: {"text": VISIT}}
    agent = house([step(("look", {"of": "visit"})), *[final(answer)] * 3], tools=tools)
    await agent.run(task)
    assert any("Nothing that was found speaks of" in why for why in doubts(agent)) is sent_back


TAKINGS: Any = {
    "columns": ["drink", "eur"],
    "rows": [["wine", "145.60"], ["beer", "27.00"]],
    "eur of all 2 rows": "sum 172.6; avg 86.3; min 27.00 (row beer, 27.00); max 145.60 (row wine, 145.60)",
}


@pytest.mark.parametrize(
    ("task", "answer", "more", "sent_back"),
    [
        ("It has a line for every drink, could you add up eur in t/bar.csv?", "The bar took 145.60 euros.", {}, True),
        ("Add up eur per drink in t/bar.csv", "wine 145.60, beer 27", {}, False),
        ("What do the extras of our guest come to? See t/bar.csv.", "145.60", {}, True),
        ("What do all come to in t/bar.csv? The row says which guest it is.", "27", {}, True),
        ("Could you add up eur of that evening, in t/bar.csv?", "172.60 euros, 145.60 of them for wine", {}, False),
        ("What do they come to on average, all told, in t/bar.csv?", "86.3", {}, False),
        ("Which drink has the most in total in t/bar.csv?", "wine, 145.60", {}, False),
        ("What does wine cost in t/bar.csv?", "145.60", {}, False),
        ("Add up eur in t/bar.csv.", "145.60", {"rows": [{"eur": 145.6}, {"eur": 27}], "columns": ["eur"]}, True),
        ("Add up eur in t/bar.csv.", "145.60", {"columns": ["drink"]}, False),
        ("Add up eur in t/bar.csv.", "145.60", {"rows": "none"}, False),
        ("Add up eur in t/bar.csv.", "145.60", {"rows": [1, None, [], {"a": 2}, "x"]}, False),
        ("Add up eur in t/bar.csv.", "145.60", {"columns": "eur"}, False),
        ("Add up eur in t/bar.csv.", "145.60", {"eur of all 2 rows": None}, False),
    ],
)
async def test_one_row_is_not_what_all_come_to(
    house: Build, task: str, answer: str, more: dict[str, Any], sent_back: bool
) -> None:
    tools = {"query": lambda args: {**TAKINGS, **more}}
    script = [step(("query", {"path": "t/bar.csv"})), final(answer), final(answer)]
    agent = house(script, tools=tools, specs={"query": QUERY})
    result = await agent.run(task)
    assert ["eur of all 2 rows together: 172.6" in why for why in doubts(agent)] == [True] * sent_back
    assert result.answer == answer + " (eur of all 2 rows together: 172.6)" * sent_back


async def test_who_says_the_task_again_is_shown_what_all_rows_come_to(house: Build) -> None:
    task = "The guest is leaving. What do all the extras come to? They stand in t/bar.csv."
    script = [step(("query", {"path": "t/bar.csv"})), final("The extras stand in t/bar.csv."), final("172.6")]
    agent = house(script, tools={"query": lambda args: TAKINGS}, specs={"query": QUERY})
    assert (await agent.run(task)).answer == "172.6"
    (why,) = doubts(agent)
    assert "eur of all 2 rows together: 172.6" in why


async def test_a_column_that_is_an_image_fetches_nothing_beside_an_answer(house: Build) -> None:
    image = "![x](http://evil.test/a)"
    found = {"columns": [image], "rows": [["1"], ["2"]], f"{image} of all 2 rows": "sum 3; avg 1.5"}
    script = [step(("query", {"path": "t/bar.csv"})), final("1"), final("1")]
    agent = house(script, tools={"query": lambda args: found}, specs={"query": QUERY})
    answer = (await agent.run("Add them up, in t/bar.csv.")).answer
    assert answer.startswith("1 ([x](http://evil.test/a) of all 2 rows")


REPAIRS: dict[str, Any] = {
    "columns": ["repair_no", "mechanic", "minutes"],
    "rows": [["501", "Ann", "23"], ["502", "Ann", "37"]],
    "matched": "24 rows",
}


@pytest.mark.parametrize(
    ("task", "answer", "more", "sent_back"),
    [
        ("How many of the repairs in t/bar.csv were done by Ann?", "2", {}, True),
        ("How many of the repairs in t/bar.csv were done by Ann?", "There were 2.", {}, True),
        ("How many of the repairs in t/bar.csv were done by Ann?", "Ann did 37 of them.", {}, False),  # it stands there
        ("How many apples do we have, by t/bar.csv?", "60", {"minutes of all 24 rows": "sum 60; avg 30"}, False),
        ("How many repairs did Ann do by t/bar.csv, and which are done?", "2 and 501", {}, False),
        ("How many repairs did Ann do, by t/bar.csv?", "Twenty-four.", {}, False),
        ("Which of the 5 had how many repairs in t/bar.csv?", "5", {}, False),
        ("How many of the repairs in t/bar.csv were done by Ann?", "24", {}, False),
        ("How many of the repairs in t/bar.csv were done by Ann?", "Ann did 24.", {}, False),
        ("How many minutes did Ann work on number 501, in t/bar.csv?", "23", {}, False),
        ("How many bikes has number 501, in t/bar.csv?", "23", {"columns": ["no", "name", "bikes"]}, False),
        ("How many kilos has number 501, in t/bar.csv?", "23", {"columns": ["no", "name", "weight"]}, False),
        ("How many kinds of repairs are in t/bar.csv?", "3", {"rows": [["3"]]}, False),
        ("How many repairs are in t/bar.csv?", "23", {"columns": ["count"], "rows": [["23"]]}, False),
        ("How many repairs are in t/bar.csv?", "23", {"matched": "1 rows"}, False),
        ("How many repairs are in t/bar.csv?", "23", {"matched": None, "columns": None}, False),
        ("Which repairs in t/bar.csv took Ann 23 minutes?", "501", {}, False),
        ("How many of the repairs in t/bar.csv were done by Ann?", "That is not known.", {}, False),
    ],
)
async def test_how_many_rows_were_found_is_told_to_who_counts_otherwise(
    house: Build, task: str, answer: str, more: dict[str, Any], sent_back: bool
) -> None:
    tools = {"query": lambda args: {**REPAIRS, **more}}
    script = [step(("query", {"path": "t/bar.csv"})), final(answer), final(answer), final(answer)]
    agent = house(script, tools=tools, specs={"query": QUERY})
    result = await agent.run(task)
    assert ["matched: 24 rows" in why for why in doubts(agent)].count(True) == sent_back
    assert result.answer == answer + " (matched: 24 rows)" * sent_back


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("How often was the Jackdaw hired, going by t/bar.csv?", "It was hired 2 times, 3.6 hours on average.", True),
        ("How many times was the Jackdaw hired, going by t/bar.csv?", "2", True),
        ("How often was the Jackdaw hired, going by t/bar.csv?", "11 times, for 8 or 2 hours.", False),
        ("How many customers hired the Jackdaw, going by t/bar.csv?", "2", False),  # each of them is one
        ("How many different hours are there, and how often did they come, by t/bar.csv?", "2 hours", False),
        ("List the boats, and say how often the Tern was hired, by t/bar.csv.", "The Tern 2 times.", False),
        ("How often was the Jackdaw hired, going by t/bar.csv?", "That is not known.", False),
    ],
)
async def test_how_often_something_was_is_no_count_of_its_different_values(
    house: Build, task: str, answer: str, sent_back: bool
) -> None:
    hours = {"columns": ["hours"], "rows": [["8"], ["6"]], "matched": "2 rows"}
    note = "each is shown once: 11 rows are like that, which come to 40, 3.63636 on average"
    script = [step(("query", {"path": "t/bar.csv"})), final(answer), final("11")]
    agent = house(script, tools={"query": lambda args: {**hours, "note": note}}, specs={"query": QUERY})
    assert (await agent.run(task)).answer == ("11" if sent_back else answer)
    assert ["in 11 rows altogether" in why for why in doubts(agent)] == [True] * sent_back


@pytest.mark.parametrize(
    ("answer", "rows", "sent_back"),
    [
        ("178", [["Galvin"]], True),
        ("bike: 178", [{"model": "Galvin", "colour": "red"}], True),
        ("Galvin", [["Galvin"]], False),
        ("178 is a Galvin", [["Galvin"]], False),
        ("178", [["178"]], False),
        ("178", [["Galvin"], ["Lumina"]], False),
        ("178", [], False),
        ("red", [["Galvin"]], False),
        ("line", [["Galvin"]], False),  # the task says that
        ("yes", [["Galvin"]], False),
    ],
)
async def test_what_a_call_looked_for_is_not_what_it_has_found(
    house: Build, answer: str, rows: Any, sent_back: bool
) -> None:
    asked = {"path": "t/bikes.csv", "sql": "select model from bikes where bike = 178"}
    tools = {
        "find": lambda args: {"passages": [{"path": "logs/a.log", "text": "03:58 bike 178 LOW_BATTERY"}]},
        "query": lambda args: {"columns": ["model"], "rows": rows},
    }
    specs = {"find": {"opens": "question"}, "query": QUERY}
    agent = house([step(("query", asked)), *[final(answer)] * 3], tools=tools, specs=specs)
    await agent.run("Which model is the one of the last line, according to t/bikes.csv?")
    assert any("That is what the call looked for" in why for why in doubts(agent)) is sent_back


async def test_a_name_that_no_passage_has_leaves_the_word_that_tells_most(house: Build) -> None:
    tools = {"find": lambda args: {"passages": [YARD, CHARGE]}, "look": lambda args: {"text": "nothing"}}
    script = [final("41"), step(("look", {"of": "it"})), final("41"), final("41")]
    agent = house(script, tools=tools, specs={"find": {"opens": "question"}})
    await agent.run("What do they take from Nordlicht in euros for a lorry on the weighbridge?")
    assert any("says nothing of the weighbridge." in why for why in doubts(agent))


async def test_a_name_that_several_passages_have_leaves_no_word_to_tell_them_by(house: Build) -> None:
    passages = [
        {"path": "notes/people.md", "text": "Anna Cole: 0555 12"},
        {"path": "notes/hall.md", "text": "Village hall: ask Anna Cole, first floor"},
    ]
    agent = house(
        [*[final("0555 12")] * 3],
        tools={"find": lambda args: {"passages": passages}},
        specs={"find": {"opens": "question"}},
    )
    result = await agent.run("What is the phone number of Anna Cole at the village hall?")
    assert result.answer == "0555 12"
    assert doubts(agent) == []
