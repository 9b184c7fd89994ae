"""A long run: a step late in it costs what an early one does, and what is kept of it is what its records say."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.labels import Label, Trust
from ringfence.core.turn import Turn, fold
from ringfence.core.values import JSON, Prompt
from ringfence.engine.context import Said, Transcript, _Part
from ringfence.engine.folds import folded
from ringfence.engine.plan import Planning
from ringfence.engine.settings import Settings

from .conftest import Build, final, step

STEPS = 1200
TASK = "Look at every pump. Then count the pumps that leak."
LONG = Settings(max_steps=STEPS + 10, max_tokens=10**9, planning=Planning.LIGHT)


def shows(args: Mapping[str, JSON]) -> JSON:
    next_one = int(str(args["of"]).split()[1]) + 1
    return {"text": f"pump {args['of']}: its calls and seals are fine. The next is number {next_one}", "n": args}


class Times:
    """A model that looks at one thing after another, and takes the time of its thread at each step."""

    def __init__(self, tool: str, steps: int) -> None:
        self.tool, self.steps = tool, steps
        self.at: list[float] = []

    def __call__(self, prompt: Prompt) -> str:
        self.at.append(time.thread_time())
        n = len(self.at)
        return step((self.tool, {"of": f"number {n}"})) if n <= self.steps else final("not found")

    def cost(self, first: int, last: int) -> float:
        """The median of the CPU that a step took, in seconds."""
        return statistics.median(b - a for a, b in zip(self.at[first:last], self.at[first + 1 : last + 1], strict=True))


@pytest.mark.parametrize("grounded", [(), ("of",)], ids=["plain", "with figures that are looked for"])
async def test_a_step_late_in_a_run_costs_what_an_early_one_does(house: Build, grounded: tuple[str, ...]) -> None:
    model = Times("look", STEPS)
    made = house(model, tools={"look": shows}, settings=LONG, specs={"look": {"grounded": grounded}})
    result = await made.run(TASK)
    assert result.usage["steps"] > STEPS
    assert len(made.tools["look"].calls) == STEPS, "each was made, and none refused"
    early, late = model.cost(50, 200), model.cost(STEPS - 150, STEPS)
    assert late < 2 * early, f"{early * 1000:.2f} ms a step at first, {late * 1000:.2f} ms in the end"


async def test_a_run_that_goes_on_is_asked_what_it_would_have_been_asked(house: Build) -> None:
    settings = Settings(max_steps=200, max_tokens=10**9, planning=Planning.LIGHT)
    whole = house(Times("look", 130), tools={"look": shows}, settings=settings, window=2000)
    await whole.run(TASK)
    asked = [r.seq for r in whole.records() if r.kind is Kind.INTENT and r.view["sink"] == "model:main"]
    for at in (1, 60, 115):
        model = Times("look", 130)
        model.at = [0.0] * at
        rest = house(model, tools={"look": shows}, settings=settings, window=2000)
        kept = whole.records()[: asked[at]]
        for record in kept:
            rest.journal.append(record)
        await rest.engine.drive(fold(kept))
        told, again = whole.model.prompts[at:], rest.model.prompts
        assert [p.schema for p in again] == [p.schema for p in told]
        # how many bytes a token has is learned anew; whatever both have is the same to the byte, and so is the last
        assert [p.messages[-1] for p in again] == [p.messages[-1] for p in told]
        assert again[-1].messages[-5:] == told[-1].messages[-5:]


def dropped(parts: list[int], over: int) -> list[int]:
    """The rule, step by step: the oldest pair after what opened the run, and that one last."""
    left = [*range(len(parts)), -1]
    while over > 0 and len(left) > 1:
        oldest = 1 if len(left) > 3 else 0
        over -= parts[left.pop(oldest)] + parts[left.pop(oldest)]
    return left[:-1]


@pytest.mark.parametrize("pairs", range(5))
def test_trimming_by_bisection_drops_what_the_rule_says(pairs: int) -> None:
    sizes = [7, 3, 11, 2, 5, 13, 1, 9][: 2 * pairs]
    transcript = Transcript("", (), result_chars=1000)
    for size in sizes:
        transcript._append(_Part(b"x" * size, ()))
    for over in range(-1, sum(sizes) + 3):
        left = transcript._since(over)
        assert [transcript._parts.index(part) for part in left] == dropped(sizes, over)


def test_the_newest_of_the_conversation_keep_their_share_while_older_steps_go() -> None:
    transcript = Transcript("", [Said("user", "x" * 200, Label(Trust.USER))] * 20, result_chars=1000)
    for _ in range(12):
        transcript._append(_Part(b"y" * 500, ()))
    last, said = _Part(b"z" * 100, ()), len(transcript._history[0].data)
    seen = set()
    for room in range(700, 20 * said + 7000, 50):
        parts, left_out = transcript._fit(last, room)
        talk, steps = parts.count(transcript._history[0]), sum(part.data[:1] == b"y" for part in parts)
        assert sum(len(part.data) for part in parts) <= room
        assert left_out == 32 - talk - steps
        share = int(room / 8 / said)
        assert talk >= share if steps == 12 else talk == share if steps > 1 else talk <= share
        seen.add((talk == 20, talk > share, talk == share > 0, steps == 12, steps > 1))
    assert len(seen) > 4


class _Seqs:
    def __init__(self) -> None:
        self.seqs: list[int] = []

    def take(self, record: Any, intent: Any) -> None:
        self.seqs.append(record.seq)


async def test_a_fold_takes_each_item_once_and_is_made_again_where_items_are_gone(house: Build) -> None:
    made = house([step(("look", {"of": "x"})), final("it is 42")])
    await made.run()
    turn, seqs = Turn(), list[int]()
    for record in made.records():
        turn.apply(record)
        seqs = [r.seq for r, _ in turn.items]
        assert folded(turn, _Seqs).seqs == seqs
    assert folded(turn, _Seqs) is folded(turn, _Seqs)
    turn.items.pop()
    assert folded(turn, _Seqs).seqs == seqs[:-1]
