"""A run that was cut off while the model was asked goes on, whatever has changed until then."""

from __future__ import annotations

import pytest

from ringfence.core.chain import Kind
from ringfence.core.turn import State, fold
from ringfence.engine.settings import Settings

from .conftest import Build, final, step


@pytest.mark.parametrize(
    ("now", "status"),
    [({"window": 600}, "failed"), ({"settings": Settings(max_steps=1)}, "partial")],
    ids=["a smaller window", "fewer steps"],
)
async def test_a_run_cut_off_in_thought_ends_in_words_under_narrower_bounds(
    house: Build, now: dict[str, object], status: str
) -> None:
    before = house([step(("look", {"of": "x"})), final("it is 42")])
    await before.run()
    asked = [r.seq for r in before.records() if r.kind is Kind.INTENT and r.view["sink"] == "model:main"]
    kept = before.records()[: asked[1] + 1]
    turn = fold(kept)
    assert turn.state is State.THINKING
    after = house([final("it is 42")], **now)
    for record in kept:
        after.journal.append(record)
    result = await after.engine.drive(turn)
    assert (result.status, turn.state) == (status, State.DONE)
    assert fold(after.records()).end == turn.end
