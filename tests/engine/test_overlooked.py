"""An answer that finds nothing is held against the lines that say it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, forms, step

KEYS = "# Who has which key\n\n- Boiler room: Keller\n- Drama cupboard: Hennig\n- Gym store: Birk"
TASK = "Could you see in our notices who has the key to the drama cupboard?"
DENIAL = "No one has the key to the drama cupboard."


@pytest.fixture
def answered(house: Build) -> Any:
    async def run(
        answer: str, *, task: str = TASK, text: str = KEYS, path: str = "notes/keys.md"
    ) -> tuple[str, list[Any]]:
        """The answer of a run whose model first answers this, and what its steps could be."""
        tools = {"find": lambda args: {"passages": [{"path": path, "text": text}]}, "look": lambda args: {"text": "-"}}
        agent = house([final(answer), final("Hennig")], tools=tools, specs={"find": {"opens": "question"}})
        return (await agent.run(task)).answer, forms(agent)

    return run


@pytest.mark.parametrize("answer", [DENIAL, "Nobody has it.", "The notices do not say who has the key.", "not found"])
async def test_a_line_that_says_it_is_shown_again_and_only_an_answer_is_left(answered: Any, answer: str) -> None:
    assert await answered(answer) == ("Hennig", [{"final"}, {"final"}])


@pytest.mark.parametrize(
    "text",
    [
        KEYS.replace("Drama cupboard", "Music cupboard"),
        KEYS.replace("Drama cupboard", "Drama cupboard of the annexe"),  # of another one
        KEYS.replace("Drama cupboard", "Cupboard"),  # one word tells of nothing
        KEYS.replace(": Hennig", ""),
        f"{KEYS}\n- Drama cupboard: Lorimer",  # of two, it may be neither
    ],
)
async def test_what_no_one_line_says_may_be_denied(answered: Any, text: str) -> None:
    assert (await answered(DENIAL, text=text))[0] == DENIAL


@pytest.mark.parametrize(
    ("task", "line", "answer"),
    [
        ("What is the phone number of the front desk?", "Front desk: open till late", "It is not stated."),
        ("Where is the branch office?", "Branch office: No 4 Elm Street", "No 4 Elm Street."),
        ("May one smoke in the plant hall?", "Plant hall: no smoking", "No smoking."),
        ("What is the transfer fee of the savings account?", "Savings account: transfer is free", "No fee applies."),
    ],
)
async def test_a_denial_that_agrees_with_the_line_or_a_line_of_something_else_stands(
    house: Build, task: str, line: str, answer: str
) -> None:
    tools = {"find": lambda args: {"passages": [{"path": "a.md", "text": line}]}, "look": lambda args: {"text": "-"}}
    steps = [final(answer), step(("look", {"of": "it"})), final(answer), final(answer)]
    agent = house(steps, tools=tools, specs={"find": {"opens": "question"}})
    await agent.run(task)
    assert not any(b"It says" in message for prompt in agent.model.prompts for message in prompt.messages)


async def test_a_row_of_a_table_is_no_such_line(answered: Any) -> None:
    assert (await answered(DENIAL, path="tables/keys.csv"))[0] == DENIAL


async def test_who_asks_for_what_is_not_so_may_be_told_that_nothing_is(answered: Any) -> None:
    task, answer = "Who did not give back the key to the drama cupboard?", "Nobody, it hangs in the office."
    assert (await answered(answer, task=task))[0] == answer


STOPS = {
    "matches": ['van.log:1: 10:04 stop="Hotel" minutes=14'],
    "minutes of these 220 lines": 'lowest 2 (van.log:23: 10:12 stop="Travel" minutes=2), '
    'highest 51 (van.log:147: 10:42 stop="Club" minutes=51), average 13.7, sum 3022',
}


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("What was the longest stop: where was it, and how many minutes did it take?", "At 10:04, 14 minutes.", "51"),
        ("What was the longest stop: where was it, and how many minutes did it take?", "At the Club, 51 minutes.", ""),
        (
            "He never waits long. What was the longest stop: where was it, and how many minutes did it take?",
            "At 10:04, 14 minutes.",
            "51",
        ),
        ("What was the shortest stop, in minutes?", "14", "2 (van.log:23"),
        ("What was the longest stop, in minutes?", "That is not known.", ""),
        ("Which stop took the most time?", "Hotel, at 10:04", ""),  # it does not say in what
        ("How many minutes did we stop at the Hotel, the longest of all, altogether?", "14", ""),
        ("How many minutes took the stop at 10:04?", "14", ""),
        ("What was the second longest stop, in minutes?", "44", ""),
        ("How often were the minutes above the longest planned ones?", "3 times", ""),
        ("On which day was the longest stop, in minutes?", "On 5 May 2025", ""),
        ("What was the longest stop on 5 May, in minutes?", "12", ""),
        ("Apart from the Club, where was the longest stop, in minutes?", "24", ""),
    ],
)
async def test_the_highest_and_the_lowest_number_are_those_that_a_call_tells_of(
    house: Build, task: str, answer: str, sent_back: str
) -> None:
    looks = [step(("look", {"n": n})) for n in range(2)]
    agent = house([*looks, *[final(answer)] * 3], tools={"look": lambda args: STOPS})
    await agent.run(task)
    told = [r.body["text"] for r in agent.records() if "doubt" in r.body and "minutes " in r.body["text"]]
    assert len(told) == bool(sent_back)
    assert all(f"minutes {sent_back}" in why for why in told)
