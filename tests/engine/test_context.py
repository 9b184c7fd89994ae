"""How a result is shown to a model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.engine.context import render
from ringfence.engine.nearest import between, named_before, of_it_elsewhere, of_the_day, of_the_name, of_the_value, sole

from .conftest import Build, final, step


def test_rows_stand_in_lines_of_their_own_however_deep_they_are() -> None:
    page = {"url": "u", "json": {"updated": "today", "berths": [{"at": "A", "free": 3}, {"at": "B", "free": 4}]}}
    assert render(page) == "url: u\njson:\nupdated: today\nberths:\n- at: A, free: 3\n- at: B, free: 4"
    assert render({"json": {"a": {"b": 1}}}) == 'json: {"a": {"b": 1}}'  # nothing that takes lines
    deep: object = [1]
    for _ in range(500):
        deep = {"in": deep}
    assert render({"json": deep}).count("\n") < 10


def test_what_is_for_the_loop_alone_is_not_shown() -> None:
    assert render({"passages": [{"path": "a.log", "text": "x"}], "partial": True}) == "passages:\n- path: a.log\nx"
    assert render({"partial": True, "rows": 3}) == "partial: true\nrows: 3"  # another tool's own word


ROWS = [["Ibis", 38], ["Curlew", 15], ["Curlew sandpiper", 3], ["2025-08", 9]]


@pytest.mark.parametrize(
    ("rows", "told", "row"),
    [
        (ROWS, {"curlew", "laid"}, "Curlew, 15"),
        ([dict(zip(("boat", "count"), row, strict=True)) for row in ROWS], {"curlew"}, "Curlew, 15"),
        (ROWS, {"curlew", "ibi"}, ""),  # more than one
        (ROWS, {"2025", "boat"}, ""),
        (ROWS[:3], {"curlew"}, ""),  # few rows are read as they are
        ([1, 2, 3, 4], {"curlew"}, ""),
        ("rows", {"curlew"}, ""),
    ],
)
def test_of_many_rows_the_one_that_was_named_before_is_said_once_more(rows: Any, told: set[str], row: str) -> None:
    assert named_before({"rows": rows}, told) == row


def test_of_many_groups_the_one_whose_code_the_task_has_is_said_once_more() -> None:
    top = [["INV-09", 13], ["INV-10", 11], ["INV-01", 9], ["INV-1", 2], ["2025-08", 1]]
    assert named_before({"top": top}, {"inv"}, "How many faults has INV-01?") == "INV-01, 9"
    assert named_before({"top": top}, {"inv"}, "How many faults have INV-01 and INV-09?") == ""
    assert named_before({"top": top}, {"inv"}, "How many faults in 2025-08?") == ""  # a month is no code


async def test_a_model_is_shown_the_row_of_what_a_result_before_has_named(house: Build) -> None:
    tools = {"fetch": lambda args: {"text": "The Curlew is laid up."}, "count": lambda args: {"rows": ROWS}}
    agent = house([step(("fetch", {"of": "x"})), step(("count", {"of": "y"})), final("15")], tools=tools)
    await agent.run("How often was she hired?")
    assert "of these, named before: Curlew, 15" in json.loads(agent.model.prompts[2].messages[-1])["content"]


NIGHTS = "updated: 2025-08-18\n" + "\n".join(f"- night: 2025-08-{day}, free: {day % 7}" for day in range(24, 31))


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ("Have we any rooms left for the night of 29 August? I need the number.", "night: 2025-08-29, free: 1"),
        ("How many are free on August 29th?", "night: 2025-08-29, free: 1"),
        ("How many are free on 29 August 2025?", "night: 2025-08-29, free: 1"),
        ("How many are free on 2025-08-29?", "night: 2025-08-29, free: 1"),
        ("How many are free on 29 August 2024?", ""),
        ("How many are free in August 2025?", ""),
        ("Are more free on 28 August or on 29 August?", ""),
        ("How many are free on 12 August?", ""),
        ("How many were free before 29 August?", ""),
        ("How many are free from 29 August on?", ""),
        ("How many are free on each day until the 29th of August?", ""),
        ("How many are free?", ""),
    ],
)
def test_of_many_days_the_one_that_is_asked_for_is_said_once_more(task: str, line: str) -> None:
    assert of_the_day(NIGHTS, task) == line
    assert (
        of_the_day(NIGHTS.replace("-08-29, free", "-08-29 a\n- night: 2025-08-29, free"), task) == ""
    )  # or the other?
    assert of_the_day("- night: 2025-08-29, free: 1", task) == ""  # few lines are read as they are


PRICES = """# Prices
Play | A | B
Play: Salt Road | A: 43.00 | B: 37.00
Play: Two Left Gloves | A: 27.50 | B: 23.00
Play: The Glass Orchard | A: 41.50 | B: 36.00
The studio has A and B only."""


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ("What is a category B seat for The Glass Orchard?", "Play: The Glass Orchard | A: 41.50 | B: 36.00"),
        ("what's a seat for the glass orchard and for salt road", ""),  # two of them
        ("What is a seat for The Glass House?", ""),
        ("What does a seat cost?", ""),
    ],
)
def test_the_line_of_a_page_of_the_name_that_is_asked_for(task: str, line: str) -> None:
    assert of_the_name(PRICES, task) == line
    assert of_the_name("Play: The Glass Orchard | A: 41.50", task) == ""  # few lines are read as they are


PLANTS = "time: today\nplants:\n" + "\n".join(
    f"- plant: {name}, status: {status}, kw: 0"
    for name, status in [("Library", "online"), ("Old Mill", "standby"), ("Town Hall", "offline"), ("Depot", "online")]
)


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ('Which plant has the status "offline"?', "plant: Town Hall, status: offline, kw: 0"),
        ("Which plant is on standby?", "plant: Old Mill, status: standby, kw: 0"),
        ("What is the status of the Library?", "plant: Library, status: online, kw: 0"),
        ("Which plants are online?", ""),  # two of them
        ("Which plants are offline or on standby?", ""),
        ("Which plants are off?", ""),
        ("Which plant is not offline?", ""),
        ("Which are the off-line ones?", ""),
    ],
)
def test_of_many_lines_the_one_with_a_value_that_the_task_says_is_said_once_more(task: str, line: str) -> None:
    assert of_the_value(PLANTS, task) == line
    assert of_the_value("\n".join(PLANTS.split("\n")[:5]), task) == ""  # few lines are read as they are


async def test_a_model_is_shown_the_line_of_the_name_that_is_asked_for(house: Build) -> None:
    agent = house([step(("look", {"of": "it"})), final("36.00")], tools={"look": lambda args: {"text": PRICES}})
    await agent.run("What is a category B seat for The Glass Orchard?")
    said = json.loads(agent.model.prompts[1].messages[-1])["content"]
    assert "of these, of the name that is asked for: Play: The Glass Orchard" in said


async def test_a_model_is_shown_the_line_of_the_day_that_is_asked_for(house: Build) -> None:
    nights = [{"night": f"2025-08-{day}", "free": day % 7} for day in range(24, 31)]
    agent = house([step(("look", {"of": "x"})), final("1")], tools={"look": lambda args: {"json": {"nights": nights}}})
    await agent.run("How many rooms are free on 29 August?")
    said = json.loads(agent.model.prompts[1].messages[-1])["content"]
    assert "of these, of the day that is asked for: night: 2025-08-29, free: 1" in said


ROOFS = [
    ("notes/roofs.md", "Roof: Library; Owner: Irene Wolff; Key holder: Walter Pinto"),
    ("notes/roofs.md", "Roof: Sports Arena; Owner: Leon Nunes; Key holder: Elena Dietz"),
    ("notes/storms.md", "In May the roof of the Old Mill is looked at first, then the Library."),
]
HATCH = "2026-05-10 20:27:22 | Sports Arena | HATCH | roof hatch open"
ASKED = "A HATCH alarm was recorded on 10 May 2026. Who holds the key of that roof?"


@pytest.mark.parametrize(
    ("line", "task", "told"),
    [
        (HATCH, ASKED, f"of Sports Arena, notes/roofs.md says: {ROOFS[1][1]}"),
        (HATCH, f"{ASKED} Not of the Sports Arena.", ""),  # the task has the name itself
        (HATCH.replace("Sports Arena", "Library"), ASKED, ""),  # two lines have it
        (HATCH.replace("Sports Arena", "Town Hall"), ASKED, ""),  # none
        (HATCH.replace("Sports Arena", "Sports Arena, Old Mill"), ASKED, ""),  # two names, a line each
        ("May 10 roof hatch open", ASKED, ""),  # a month is no name
        ("of Sports Arenas", ASKED, ""),
        ("Library: hatch open", ASKED, ""),  # one word alone may begin any sentence
        ("", ASKED, ""),
    ],
)
def test_what_another_place_says_of_the_thing_that_a_line_is_about(line: str, task: str, told: str) -> None:
    assert of_it_elsewhere(line, ROOFS, task) == told


WHOLE = "56 are full by then, and number 57 is the first that is more"


@pytest.mark.parametrize(
    ("result", "task", "line"),
    [
        ("56.3008", "After how many full months?", f"of whole ones: {WHOLE}"),
        ("56.3008", "After how many months?", ""),
        ("47.5", "A whole order is 19 boxes at 2.5 euros each: what is the total?", ""),
        ("56", "After how many full months?", ""),
        ("56.000", "After how many full months?", ""),
        (None, "After how many full months?", ""),
    ],
)  # fmt: skip
def test_the_whole_numbers_beside_a_result_are_told_where_they_are_asked_for(result: Any, task: str, line: str) -> None:
    assert between({"result": result}, task) == line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"rows": [["Ibis", 38]]}, "Ibis, 38"),
        ({"rows": [{"boat": "Ibis", "n": 38}]}, "Ibis, 38"),
        ({"matches": ["gate.log:3: Ibis"]}, "gate.log:3: Ibis"),
        ({"rows": ROWS}, ""),
        ({"rows": "Ibis"}, ""),
        ("Ibis", ""),
    ],
)
def test_the_only_row_or_line(value: Any, line: str) -> None:
    assert sole(value) == line


@pytest.mark.parametrize(("given", "told"), [({"path": "logs/alarms.log"}, True), ({"path": "notes/roofs.md"}, False)])
async def test_a_model_is_told_what_another_place_says_of_what_it_has_found(
    house: Build, given: Any, told: bool
) -> None:
    passages = [{"path": "notes/roofs.md", "text": "\n".join(f"- {line}" for _, line in ROOFS[:2])}]
    tools = {"find": lambda args: {"passages": passages}, "search": lambda args: {"matches": [HATCH]}}
    script = [step(("search", given)), final("Elena Dietz")]
    agent = house(script, tools=tools, specs={"find": {"opens": "question"}, "search": {"suits": r"\.log\b"}})
    await agent.run(f"{ASKED} See logs/alarms.log.")
    said = json.loads(agent.model.prompts[1].messages[-1])["content"]
    assert ("of Sports Arena, notes/roofs.md says: Roof: Sports Arena" in said) is told  # and not of the place itself


async def test_the_closest_line_is_told_by_what_it_says_and_not_by_where_it_stands(house: Build) -> None:
    task = "When did the gate jam first? See logs/gate.log."
    first, other = "line 3: 10:00 gate jammed", "logs/gate.log:9: 12:00 gate jammed"
    tools = {"look": lambda args: {"first": first, "matches": [other]}}
    agent = house([step(("look", {"of": "x"})), final(task), final(task)], tools=tools)
    assert f"first: {first}" in (await agent.run(task)).answer


async def test_how_a_result_was_come_by_is_no_closest_line(house: Build) -> None:
    task = "What do all the extras of the guest come to?"
    value = {"ran": "SELECT extras, guest FROM come", "mended": "guest is come.guest", "rows": [{"extras": 46}]}
    agent = house([step(("look", {"of": "x"})), final(task), final("46")], tools={"look": lambda args: value})
    await agent.run(task)
    assert not any(b'shows: \\"ran' in message for prompt in agent.model.prompts for message in prompt.messages)
    assert any(b'shows: \\"extras: 46' in message for prompt in agent.model.prompts for message in prompt.messages)
