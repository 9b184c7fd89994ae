"""The Messages API, against a server on loopback that answers in the forms of its public reference."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends import from_manifest
from ringfence.backends.answers import Place
from ringfence.backends.anthropic import AnthropicMessages
from ringfence.core.errors import BackendError, ContextOverflow, ManifestError
from ringfence.core.labels import ANYONE, IDENTITY
from ringfence.core.policy import SinkSpec
from ringfence.core.values import Action, Outcome, Prompt
from ringfence.engine.ladder import read as parse
from ringfence.engine.step import grammar
from ringfence.manifest.loader import parse as manifest
from ringfence.manifest.types import Inference
from ringfence.testing import listen
from ringfence.testing.anthropic import ScriptedAnthropic

READ = SinkSpec("tool:files.read", schema={"type": "object", "properties": {"path": {"type": "string"}}})
BOTH, CALLS, FINAL = (grammar([READ] * calls, final=final, parallel=2) for calls, final in ((1, 1), (1, 0), (0, 1)))
CALL = {"text": "I look.", "calls": [{"name": "files__read", "input": {"path": "a.txt"}}]}
SAID = tuple(
    json.dumps({"role": role, "content": text}).encode()
    for role, text in (("system", "Be brief."), ("user", "one"), ("user", "two"), ("assistant", "three"), ("user", "4"))
)


def client(url: str, sampling: Mapping[str, float] | None = None, key: str | None = "k-secret") -> AnthropicMessages:
    place = Place("anthropic", url, "scripted", "ANTHROPIC_API_KEY")
    return AnthropicMessages(place, key=lambda: key, sampling=sampling, timeout_s=30.0, backoff_s=0.001)


async def said(
    server: ScriptedAnthropic,
    schema: bytes | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    messages: tuple[bytes, ...] = SAID,
    times: int = 1,
    sampling: Mapping[str, float] | None = None,
) -> Outcome:
    prompt = Prompt(messages, schema=schema, max_tokens=64)
    async with listen(server):
        api = client(server.url, sampling)
        try:
            for _ in range(times):
                done = await api.perform(Action("model:m", {}, IDENTITY, prompt, progress=progress))
        finally:
            await api.aclose()
    return done


async def test_the_request_has_the_system_text_apart_and_messages_that_alternate() -> None:
    server = ScriptedAnthropic(["hello"])
    done = await said(server, sampling={"temperature": 0.5, "seed": 7})
    head, body = server.seen[-1]
    assert head.startswith(b"POST /v1/messages ")
    assert b"x-api-key: k-secret" in head
    assert b"anthropic-version: 2023-06-01" in head
    assert b"Authorization" not in head
    assert json.loads(body) == {
        "model": "scripted",
        "max_tokens": 64,
        "temperature": 0.5,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "one\n\ntwo"},
            {"role": "assistant", "content": "three"},
            {"role": "user", "content": "4"},
        ],
    }
    assert done.value == {
        "text": "hello",
        "finish": "stop",
        "usage": {"prompt": 100, "completion": 7, "cached": 52},
        "model": "scripted",
        "how": "text",
        "sent": len(body),
    }


async def test_a_conversation_whose_beginning_was_left_out_begins_with_the_user_all_the_same() -> None:
    server = ScriptedAnthropic(["x"])
    await said(server, messages=SAID[3:])
    assert [m["role"] for m in json.loads(server.seen[-1][1])["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_calls_come_back_as_a_step_whole_and_streamed_and_thinking_is_not_kept(streaming: bool) -> None:
    server = ScriptedAnthropic([{**CALL, "thinking": "a secret plan", "calls": CALL["calls"] * 2}])
    pieces: list[str] = []
    done = await said(server, BOTH, progress=pieces.append if streaming else None)
    step = parse(done.value["text"])
    assert done.value["how"] == "native"
    assert done.value["usage"] == {"prompt": 100, "completion": 7, "cached": 52}
    assert step.thought == "I look."
    assert [(call.sink, call.args) for call in step.calls] == [("tool:files.read", {"path": "a.txt"})] * 2
    assert "secret plan" not in str(done.value)
    assert "".join(pieces) == (done.value["text"] if streaming else "")


@pytest.mark.parametrize(
    ("schema", "choice"),
    [(BOTH, {"type": "auto"}), (CALLS, {"type": "any"}), (FINAL, None)],
)
async def test_the_tools_and_the_choice_follow_from_the_grammar(schema: bytes, choice: Any) -> None:
    server = ScriptedAnthropic([CALL if choice else "It is 19."])
    done = await said(server, schema)
    asked = json.loads(server.seen[-1][1])
    assert asked.get("tool_choice") == (choice and {**choice, "disable_parallel_tool_use": False})
    if choice is None:
        assert "tools" not in asked
        assert parse(done.value["text"]).final == {"answer": "It is 19.", "artifacts": [], "confidence": "medium"}
    else:
        assert asked["tools"][0]["name"] == "files__read"
        assert asked["tools"][0]["input_schema"]["type"] == "object"


@pytest.mark.parametrize("refused", ["tool_choice", "temperature"])
async def test_what_newer_models_refuse_is_left_out_and_stays_out(refused: str) -> None:
    server = ScriptedAnthropic([CALL], refuses=(refused,))
    done = await said(server, CALLS, times=2, sampling={"temperature": 0.0})
    assert done.value["how"] == "native"
    assert server.requests == 3
    asked = json.loads(server.seen[-1][1])
    assert ("temperature" in asked) is (refused == "tool_choice")
    assert asked["tool_choice"]["type"] == ("auto" if refused == "tool_choice" else "any")


async def test_text_is_passed_on_as_it_comes() -> None:
    pieces: list[str] = []
    text = "a sentence that comes in several pieces"
    done = await said(ScriptedAnthropic([text]), progress=pieces.append)
    assert done.value["text"] == "".join(pieces) == text
    assert len(pieces) > 3


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("mode", "what", "todo"),
    [
        ("401", "refused the key (401)", "ANTHROPIC_API_KEY"),
        ("403", "refused the key (403)", "ANTHROPIC_API_KEY"),
        ("404", "has no model 'scripted'; it has scripted", "`model`"),
        ("429", "answered 429: Number of request tokens", "limit"),
        ("529", "answered 529: Overloaded", "overloaded"),
        ("billing", "answered 402: Your credit balance", "payment"),
        ("redirect", "a redirect to http://192.0.2.1/v1/messages; redirects are never followed", "`endpoint`"),
    ],
)
async def test_each_error_of_the_api_has_its_own_words(mode: str, what: str, todo: str, streaming: bool) -> None:
    server = ScriptedAnthropic(["x"], mode=mode)
    with pytest.raises(BackendError) as caught:
        await said(server, progress=(lambda piece: None) if streaming else None)
    assert what in caught.value.what
    assert todo in caught.value.todo
    assert "k-secret" not in str(caught.value)
    assert server.requests == (3 if mode in ("429", "529") else 1)


@pytest.mark.parametrize("mode", ["429-then-ok", "529-then-ok"])
async def test_a_busy_api_is_asked_again_when_it_says(mode: str) -> None:
    server = ScriptedAnthropic(["fine"], mode=mode)
    assert (await said(server)).value["text"] == "fine"
    assert server.requests == 2


async def test_what_does_not_fit_is_a_context_overflow() -> None:
    with pytest.raises(ContextOverflow, match="210042 tokens"):
        await said(ScriptedAnthropic(["x"], mode="overflow"))


@pytest.mark.parametrize(("mode", "what"), [("overloaded-stream", "Overloaded"), ("cut-stream", "cut the connection")])
async def test_a_stream_that_breaks_off_is_a_fault(mode: str, what: str) -> None:
    with pytest.raises(BackendError, match=what):
        await said(ScriptedAnthropic(["a text that is long enough"], mode=mode), progress=lambda piece: None)


@pytest.mark.parametrize("streaming", [False, True])
async def test_whitespace_without_end_is_cut_off(streaming: bool) -> None:
    server = ScriptedAnthropic(["x"], mode="whitespace")
    done = await said(server, progress=(lambda piece: None) if streaming else None)
    assert (done.value["text"], done.value["finish"]) == ("", "length")


@pytest.mark.parametrize(
    ("stop", "finish"),
    [("max_tokens", "length"), ("model_context_window_exceeded", "length"), ("refusal", "stop"), ("end_turn", "stop")],
)
async def test_why_it_stopped_is_told(stop: str, finish: str) -> None:
    assert (await said(ScriptedAnthropic([{"text": "x", "stop": stop}]))).value["finish"] == finish


@pytest.mark.parametrize("answer", [{"hello": 1}, {"content": 3}, {"content": ["x"]}])
async def test_json_that_is_no_message_says_so(answer: Any) -> None:
    server = ScriptedAnthropic(["x"])
    server._message = lambda step: answer  # type: ignore[method-assign]
    with pytest.raises(BackendError, match="is no message"):
        await said(server)


async def test_nothing_is_sent_to_count_and_the_probe_asks_for_the_model_alone() -> None:
    server = ScriptedAnthropic(["x"])
    async with listen(server):
        api = client(server.url)
        assert await api.count(Prompt(SAID)) is None
        found = await api.probe()
        await api.aclose()
    assert (found.model, found.window) == ("scripted", None)
    assert [head.split()[1] for head, _ in server.seen] == [b"/v1/models/scripted"]


async def test_what_it_can_do_is_tried_in_few_requests() -> None:
    def able(asked: Any) -> Any:
        if "tools" not in asked:
            return "Item 7 costs 3, I think."
        cities = [city for city in ("Paris", "Rome") if city in asked["messages"][-1]["content"]]
        return {"calls": [{"name": "weather__now", "input": {"city": city}} for city in cities or ["Paris"]]}

    server = ScriptedAnthropic(able)
    async with listen(server):
        api = client(server.url)
        found = await api.examine(lambda text: None)
        await api.aclose()
    assert found.native
    assert {row.name: row.said for row in found.rows} == {
        "window": "unknown",
        "tools auto": "yes",
        "tools required": "yes",
        "tools parallel": "yes",
        "tools streamed": "yes",
        "speed": "yes",
        "prefix cache": "yes",
    }
    assert server.requests <= 8


def test_a_tier_of_it_sees_public_content_alone_unless_the_manifest_names_its_readers(tmp_path: Path) -> None:
    tier = {"provider": "anthropic", "model": "m", "api_key": "${K}"}
    for more, audience in (({}, ANYONE), ({"audience": ["role:ops"]}, {frozenset({"role:ops"})})):
        inference = Inference.model_validate({"tiers": [{**tier, **more}]})
        assert inference.tiers[0].endpoint == "https://api.anthropic.com"
        assert from_manifest(inference.tiers[0], inference, home=tmp_path).audience == audience


@pytest.mark.parametrize(
    ("keys", "said"),
    [("", "expected the API's key"), ('api_key: "${K}", logprobs: true, ', "expected no logprobs")],
)
def test_a_tier_that_cannot_work_is_refused_with_its_place(keys: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        manifest(f"inference: {{provider: anthropic, {keys}model: m}}\n", "ringfence.yaml")
