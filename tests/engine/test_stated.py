"""Where words of a question are in nothing that its answer cites, the model is asked again whether that states it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.turn import fold
from ringfence.core.values import JSON, Outcome
from ringfence.engine.answering import Cite
from ringfence.engine.grounding import grounded
from ringfence.engine.mapreduce import spent
from ringfence.engine.passages import Passage
from ringfence.engine.settings import Settings
from ringfence.engine.stated import WHY, read, thin
from ringfence.engine.unanswered import UNKNOWN

from .conftest import Build, House, final, step

CAR = "Each kilometre in a private car is paid with 0.30 euros. Parking is paid, fines are not."
ASKED = "How much is paid for each kilometre on a private bicycle?"
SAID = "0.30 euros [1]."
SEARCH = step(("kb.search", {"of": "x"}))
YES, NO = '{"stated": "yes"}', '{"stated": "no"}'


def agent(
    house: Build, *said: str, cite: Cite = Cite.STRICT, unknown: tuple[str, ...] = (), most: int = 200_000, **how: Any
) -> House:
    passage: dict[str, JSON] = {"n": 1, "document": "handbook/travel.md", "chars": f"0-{len(CAR)}", "text": CAR}
    value: dict[str, JSON] = {"passages": [passage]} | ({UNKNOWN: list(unknown)} if unknown else {})
    tools = {"kb.search": lambda args: value, **how.pop("tools", {})}
    search = step(("kb.search", {"of": how.pop("task", ASKED)}))
    return house([search, *said], settings=Settings(cite=cite, max_tokens=most), tools=tools, **how)


def checks(made: House) -> list[str]:
    """The runs that looked again."""
    return [run.run for run in made.journal.runs(50) if run.run.startswith("check-")]


async def test_what_the_cited_passage_does_not_state_is_no_answer_under_strict(house: Build) -> None:
    made = agent(house, final(SAID), NO, unknown=("bicycle",))
    result = await made.run(ASKED)
    assert (result.status, result.answer) == ("done", "Not in the documents. Looked in handbook/travel.md.")
    assert (result.sources, result.confidence) == ((), "low")
    assert result.flags[0].startswith("unsupported: 0.30 euros")
    assert WHY in result.flags[0]


async def test_what_it_states_stands_and_goes_back_no_more(house: Build) -> None:
    made = agent(house, final(SAID), YES, unknown=("bicycle",))
    result = await made.run(ASKED)
    assert (result.status, result.answer, result.flags) == ("done", SAID, ())
    assert [source.n for source in result.sources] == [1]
    assert len(made.model.prompts) == 3


async def test_the_second_look_is_a_run_of_its_own_that_shows_the_passage_and_may_call_nothing(house: Build) -> None:
    made = agent(house, final(SAID), NO, unknown=("bicycle",))
    await made.run(ASKED)
    [run] = checks(made)
    first, *_, last = made.records(run)
    assert (first.kind, first.body["checks"], first.body["grant"]["sinks"]) == (Kind.STARTED, "run1", ["model:main"])
    assert (last.kind, last.body["answer"]) == (Kind.FINISHED, WHY)
    assert not [r for r in made.records(run) if r.view.get("sink", "").startswith("tool:")]
    shown = "\n".join(message.decode() for message in made.model.prompts[2].messages)
    assert CAR[:60] in shown
    assert ASKED in shown
    assert json.loads(made.model.prompts[2].schema or b"")["properties"]["stated"] == {"enum": ["yes", "no"]}


@pytest.mark.parametrize("said", ["I think so", '{"stated": "maybe"}', "[]"])
async def test_a_second_look_that_cannot_be_read_leaves_it_to_the_model(house: Build, said: str) -> None:
    made = agent(house, final(SAID), said, final("not in the documents"), unknown=("bicycle",))
    result = await made.run(ASKED)
    assert result.answer == "not in the documents"
    assert "No document mentions bicycle" in "\n".join(m.decode() for m in made.model.prompts[3].messages)


async def test_an_answer_whose_words_are_all_there_is_not_looked_at_again(house: Build) -> None:
    made = agent(house, final(SAID), task="What is paid for each kilometre in a private car?")
    result = await made.run("What is paid for each kilometre in a private car?")
    assert (result.answer, checks(made), len(made.model.prompts)) == (SAID, [], 2)


async def test_under_warn_it_is_flagged_and_stays(house: Build) -> None:
    made = agent(house, final(SAID), NO, final(SAID), NO, cite=Cite.WARN, unknown=("bicycle",))
    result = await made.run(ASKED)
    assert (result.answer, result.confidence) == (SAID, "low")
    assert WHY in result.flags[0]


async def test_the_tokens_of_a_second_look_that_sends_an_answer_back_count_for_those_of_the_run(house: Build) -> None:
    said, how = (final(SAID), NO, final("not in the documents")), {"cite": Cite.WARN, "unknown": ("bicycle",)}
    made = agent(house, *said, **how)
    await made.run(ASKED)
    [run] = checks(made)
    used = made.records(run)[-1].view["usage"]
    [back] = [r for r in made.records() if "doubt" in r.body]
    assert back.body["tokens"] == used["prompt"] + used["completion"] == spent(fold(made.records())) > 0
    before = fold(made.records()[: back.seq]).usage
    stopped = await agent(house, *said, **how, most=before["prompt"] + before["completion"] + 1).run(ASKED)
    assert (stopped.status, stopped.usage["steps"]) == ("partial", 2)
    assert "tokens, the limit of this run" in stopped.answer


async def test_an_order_is_no_question_and_is_not_looked_at_again(house: Build) -> None:
    task = "Summarise the rules about bicycles, scooters and skateboards in one sentence."
    made = agent(house, final("Each kilometre in a private car is paid with 0.30 euros [1]."), task=task)
    result = await made.run(task)
    assert (checks(made), [source.n for source in result.sources]) == ([], [1])


@pytest.mark.parametrize(
    ("task", "weak"),
    [
        (ASKED, True),
        ("What is paid for parking a private car abroad?", False),  # one word of five
        ("What is the fine for a parked lorry abroad?", True),
        ("What is paid for parking?", False),
        ("Which insurance do riders have?", True),
        ("How much is it per mile?", True),
        ("How many euros is it for each kilometre?", False),
    ],
)
def test_words_of_the_question_that_are_in_nothing_cited_make_an_answer_weak(task: str, weak: bool) -> None:
    there = {1: Passage(1, "handbook/travel.md", CAR, "", end=len(CAR))}
    assert thin(task, grounded(SAID, there, task).sources, there) is weak


def test_what_a_document_is_called_does_not_say_what_stands_in_it() -> None:
    text = "Damages owed by the supplier do not exceed 100 % of the fee of one year."
    called = Passage(1, "c/C-12.pdf", text, "Contract C-12 on forklift lease", end=len(text))
    task = "What penalty for delay does the supplier owe in the contract on the forklift lease?"
    assert thin(task, grounded("100 % of the fee of one year [1].", {1: called}, task).sources, {1: called})


@pytest.mark.parametrize(("sure", "stated"), [(0.9, True), (0.5, False), (None, True)])
def test_a_yes_that_is_hardly_likelier_than_a_no_is_none(sure: float | None, stated: bool) -> None:
    more = {} if sure is None else {"sure": sure}
    assert read(Outcome({"text": YES, **more})) is stated
    assert read(Outcome({"text": NO, **more})) is False
