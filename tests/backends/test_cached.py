"""Answers that are kept: only those that could be no other, never across a label, never for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ringfence import tracing
from ringfence.backends.cached import Cached, Replies
from ringfence.core.errors import BackendError
from ringfence.core.labels import IDENTITY, Label, Trust
from ringfence.core.values import Action, Outcome, Prompt
from ringfence.testing.clock import FakeClock
from ringfence.testing.scripted import ScriptedModel
from ringfence.tracing import Trace

OPS = Label(Trust.USER, frozenset({frozenset({"role:ops"})}))
ASK = Action("model:small", {}, OPS, Prompt((b'{"role":"user","content":"hi"}',), schema=b"{}"))


def named(name: str) -> Callable[[], Awaitable[str]]:
    async def identity() -> str:
        return name

    return identity


def kept(*answers: str | BackendError, clock: FakeClock | None = None, **bounds: int) -> tuple[Cached, ScriptedModel]:
    model = ScriptedModel(list(answers))
    return Cached(model, Replies(clock or FakeClock(), **bounds), identity=named("m"), sampling=[0]), model


async def test_the_same_request_is_answered_once_and_says_that_it_was_kept() -> None:
    cached, model = kept("one", "two")
    first, again = await cached.perform(ASK), await cached.perform(ASK)
    assert "cached_reply" not in first.value
    assert again.value == {
        "text": "one", "finish": "stop", "model": "scripted", "cached_reply": True,
        "usage": {"prompt": 0, "completion": 0, "cached": 0},
    }  # fmt: skip
    assert again.label == first.label
    assert len(model.prompts) == 1
    assert first.value["usage"]["prompt"] > 0  # what was said first is not changed by saying it again


async def test_what_was_kept_was_not_sent_again() -> None:
    cached, _ = kept("one")
    outcome = await cached.perform(ASK)
    outcome.value["sent"] = 1234
    assert (await cached.perform(ASK)).value["sent"] == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, label=Label(Trust.UNTRUSTED, OPS.readers)),
        replace(ASK, label=OPS.join(Label(Trust.USER, frozenset({frozenset({"role:hr"})})))),
        replace(ASK, label=IDENTITY),
        replace(ASK, sink="model:large"),
        replace(ASK, prompt=replace(ASK.prompt or Prompt(()), schema=b'{"type":"object"}')),
        replace(ASK, prompt=replace(ASK.prompt or Prompt(()), schema=None)),
        replace(ASK, prompt=replace(ASK.prompt or Prompt(()), max_tokens=99)),
        replace(ASK, prompt=replace(ASK.prompt or Prompt(()), messages=(b'{"role":"user","content":"ho"}',))),
    ],
    ids=["trust", "readers", "public", "tier", "schema", "no schema", "length", "words"],
)
async def test_another_request_is_asked_anew(other: Action) -> None:
    cached, _ = kept("one", "two")
    assert [(await cached.perform(action)).value["text"] for action in (ASK, other, ASK)] == ["one", "two", "one"]


async def test_what_not_everybody_may_read_is_kept_for_each_principal_apart() -> None:
    for action, texts in ((ASK, ["one", "two", "one"]), (replace(ASK, label=IDENTITY), ["one", "one", "one"])):
        cached, _ = kept("one", "two")
        said = []
        for who in ("user:alice", "user:bob", "user:alice"):
            with tracing.following("r", who, Trace.new()):
                said.append((await cached.perform(action)).value["text"])
        assert said == texts


async def test_another_model_or_another_sampling_is_another_request() -> None:
    replies, model = Replies(FakeClock()), ScriptedModel(["one", "two", "three"])
    ways = [("m", [0]), ("m2", [0]), ("m", [0, 0.5]), ("m", [0])]
    sinks = [Cached(model, replies, identity=named(name), sampling=sampling) for name, sampling in ways]
    assert [(await sink.perform(ASK)).value["text"] for sink in sinks] == ["one", "two", "three", "one"]


async def test_a_failure_and_half_an_answer_are_not_kept() -> None:
    cached, _ = kept(BackendError("gone"), "", "one")
    with pytest.raises(BackendError):
        await cached.perform(ASK)
    assert [(await cached.perform(ASK)).value["text"] for _ in range(3)] == ["", "one", "one"]

    class Half:
        async def perform(self, action: Action) -> Outcome:
            return Outcome({"text": "so", "finish": "length", "usage": {}})

    replies = Replies(FakeClock())
    await Cached(Half(), replies, identity=named("m"), sampling=[]).perform(ASK)
    assert len(replies) == 0


async def test_a_kept_answer_streams_whole() -> None:
    cached, _ = kept("one")
    heard: list[str] = []
    for _ in range(2):
        await cached.perform(replace(ASK, progress=heard.append))
    assert heard == ["one", "one"]


async def test_what_is_kept_is_bounded_in_number_in_bytes_and_in_time() -> None:
    def ask(n: int) -> Action:
        return replace(ASK, prompt=Prompt((b'"%d"' % n,)))

    clock = FakeClock()
    cached, model = kept(*"abcdefgh", clock=clock, max_replies=2)
    for n in (0, 1, 0, 2, 0, 1):  # 0 was used last when 2 came, so 1 went
        await cached.perform(ask(n))
    assert len(model.prompts) == 4
    clock.advance(3_600_000)
    await cached.perform(ask(0))
    assert len(model.prompts) == 5

    replies = Replies(FakeClock(), max_bytes=100)
    for n in range(3):
        replies.put(str(n), Outcome("x" * 38))
    assert (len(replies), replies.get("0")) == (2, None)
    replies.put("big", Outcome("x" * 200))
    assert (len(replies), replies.get("big")) == (2, None)
    replies.put("2", Outcome("y"))
    assert replies.get("2") == Outcome("y")
    replies.clear()
    assert (len(replies), replies.get("1")) == (0, None)
