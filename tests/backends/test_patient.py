"""Patience with a model: no sign of an answer in time, and its request is cancelled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ringfence.backends.patient import Patient
from ringfence.core.errors import BackendError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Outcome, Prompt

ASK = Action("model:small", {}, IDENTITY, Prompt((b"{}",)))


class Slow:
    """Says `first` at once if it streams, and never ends before `go` is set."""

    def __init__(self, first: str = "") -> None:
        self.first, self.go, self.cancelled = first, asyncio.Event(), False

    async def perform(self, action: Action) -> Outcome:
        if action.progress is not None:
            action.progress(self.first)
            asyncio.get_running_loop().call_later(0.05, self.go.set)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return Outcome({"text": "done"})


async def test_a_model_that_says_nothing_is_cancelled_and_says_what_to_do() -> None:
    slow = Slow()
    with pytest.raises(BackendError) as caught:
        await Patient(slow, 0.01).perform(ASK)
    assert slow.cancelled
    assert caught.value.what == "model:small said nothing within 0.01 s, which is its patience_s"
    assert "raise patience_s" in caught.value.todo


async def test_a_model_that_has_begun_to_speak_is_waited_for() -> None:
    heard: list[str] = []
    outcome = await Patient(Slow("so"), 0.01).perform(replace(ASK, progress=heard.append))
    assert (outcome.value["text"], heard) == ("done", ["so"])


async def test_an_empty_piece_is_no_word() -> None:
    with pytest.raises(BackendError):
        await Patient(Slow(""), 0.01).perform(replace(ASK, progress=lambda text: None))


async def test_who_answers_in_time_is_not_disturbed_and_a_cancelled_run_stays_cancelled() -> None:
    slow = Slow()
    slow.go.set()
    assert (await Patient(slow, 5).perform(ASK)).value["text"] == "done"
    job = asyncio.create_task(Patient(Slow(), 5).perform(ASK))
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
