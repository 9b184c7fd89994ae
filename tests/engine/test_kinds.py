"""Answers of another kind than what is asked for, of before it changed, or of a page whose link was not followed."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.engine.course import NOT_FOUND
from ringfence.engine.kinds import of_another_kind

from .conftest import Build, final, step

MAIL = "I need the e-mail address of Greystone Clays, our supplier. What is it?"


@pytest.mark.parametrize(
    ("answer", "task", "another"),
    [
        ("0555 492 2125", MAIL, True),
        ("office@greystone.example", MAIL, False),
        ("No e-mail address is known.", MAIL, False),
        ("Ann Lee", "What is the phone number of the office?", True),
        ("0555 492", "What is the phone number of the office?", False),
        ("12", "How many members have an e-mail address?", False),
        ("Ann and Bo", "Which e-mail addresses are missing?", False),
        ("It is set.", "Set the e-mail address of Ann to a@b.example.", False),
        ("written", "Find the e-mail address of Ann and write it into out/a.txt", False),
    ],
)
def test_an_answer_of_another_kind(answer: str, task: str, another: bool) -> None:
    assert bool(of_another_kind(answer, task)) is another


async def test_who_keeps_to_a_telephone_number_has_found_no_address(house: Build) -> None:
    tools = {"find": lambda args: {"passages": [{"path": "a.md", "text": "Greystone Clays: 0555 492 2125, e-mail us"}]}}
    agent = house([final("0555 492 2125")] * 2, tools=tools, specs={"find": {"opens": "question"}})
    assert (await agent.run(MAIL)).answer == NOT_FOUND


NEW = "From 1 March 2025 a place in the raku course costs 83 euros. The list shows the old price."
MATINEE = "From October on the family matinee starts at 11:50."


@pytest.mark.parametrize(
    ("task", "answer", "closest", "sent_back"),
    [
        ("How many euros does a place in the raku course cost now?", "68", [NEW], True),
        ("How many euros does a place in the raku course cost now?", "83", [NEW], False),
        ("How many euros does a place in the raku course cost now?", "68", [NEW, "another line of 68"], False),
        ("How many euros did a place in the raku course cost?", "68", [NEW], False),
        ("When does the family matinee start nowadays?", "10:10", [MATINEE], True),
        ("When does the family matinee start nowadays?", "11:50", [MATINEE], False),
        ("When does the family matinee start now? Say nothing but the time.", "10:10", [MATINEE], True),
        ("How many euros does a place in the raku course cost now?", "68", ["A place in the raku course: 83"], False),
    ],
)
async def test_what_was_so_before_is_not_what_is_so_now(
    house: Build, task: str, answer: str, closest: list[str], sent_back: bool
) -> None:
    older = "- Course: Raku; Price in euros: 68\n- Saturday: family matinee at 10:10"
    passages = [{"path": "a.md", "text": f"{NEW}\n{MATINEE}"}, {"path": "b.md", "text": older}]
    tools = {"find": lambda args: {"passages": passages, "closest lines": [f"- {line}" for line in closest]}}
    agent = house([final(answer), final("83")], tools=tools, specs={"find": {"opens": "question"}})
    await agent.run(task)
    told = [r.body["text"] for r in agent.records() if "doubt" in r.body]
    assert [closest[0] in why for why in told] == [True] * sent_back


@pytest.mark.parametrize(
    ("task", "sent_back"),
    [
        ('Open {} and follow the link of the concert "Northern Skies" to its own page. Who is the soloist?', True),
        ('Open {}. Who is the soloist of "Northern Skies"?', False),
        ('Open {} and follow the link of "Southern Seas". Who is the soloist?', False),
    ],
)
async def test_a_link_that_is_to_be_followed_is_fetched_first(house: Build, task: str, sent_back: bool) -> None:
    page: Any = {
        "url": "http://a.example/c",
        "links": [
            {"text": name, "url": f"http://a.example/{n}"} for n, name in enumerate(("Northern Skies", "Harvest"))
        ],
        "text": "Our concerts",
    }
    agent = house(
        [step(("fetch", {"of": "c"})), final("the bass"), step(("fetch", {"of": "0"})), final("Dario")],
        tools={"fetch": lambda args: page if args["of"] == "c" else {"text": "Soloist: Dario"}},
    )
    await agent.run(task.format("http://a.example/c"))
    told = [r.body["text"] for r in agent.records() if "doubt" in r.body]
    assert ["Northern Skies: http://a.example/0" in why for why in told][:1] == [True] * sent_back


@pytest.mark.parametrize(("line", "old", "now"), [(MATINEE, "10:10", "11:50"), (NEW, "68", "83")])
async def test_who_says_the_older_figure_again_is_given_the_one_of_now(
    house: Build, line: str, old: str, now: str
) -> None:
    older = "- Course: Raku; Price in euros: 68\n- Saturday: family matinee at 10:10"
    passages = [{"path": "a.md", "text": line}, {"path": "b.md", "text": older}]
    tools = {"find": lambda args: {"passages": passages, "closest lines": [f"- {line}"]}}
    agent = house([*[final(f"It is {old}.")] * 3], tools=tools, specs={"find": {"opens": "question"}})
    task = "When does the family matinee start, and what does a place in the raku course cost nowadays?"
    assert (await agent.run(task)).answer == f"It is {now}."


@pytest.mark.parametrize(
    ("task", "now", "older", "answer"),
    [
        ("How long is the yoga course now?", "The yoga course was raised to 95 euros.", "Yoga takes 10 weeks.",
         "10 weeks"),
        ("Where is the yoga course held now?", "Yoga course: from now on 8 weeks", "Yoga is upstairs in room 4.",
         "Room 4"),
        ("What time does the library close on Fridays now?", "The library now opens at 10:00 on Fridays.",
         "Library: shuts 18:00", "18:00"),
        ("What does a day ticket cost today, in euros?", "The day ticket will be raised to 9 euros from January on.",
         "Day ticket: 8 euros", "8 euros"),
        ("How many seats does the school bus have now?", "The school bus now leaves from stop 14.",
         "The bus takes 52 pupils.", "52"),
    ],
)  # fmt: skip
async def test_a_figure_of_something_else_is_no_older_one(
    house: Build, task: str, now: str, older: str, answer: str
) -> None:
    passages = [{"path": "a.md", "text": now}, {"path": "b.md", "text": older}]
    tools = {"find": lambda args: {"passages": passages, "closest lines": [f"- {now}"]}}
    agent = house([*[final(answer)] * 3], tools=tools, specs={"find": {"opens": "question"}})
    assert (await agent.run(task)).answer == answer
