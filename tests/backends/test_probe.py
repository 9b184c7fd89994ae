"""What a server can do is tried, row by row, on servers that can, that cannot, and that break; and kept."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends import examined, findings, from_manifest
from ringfence.backends.answers import Place
from ringfence.backends.findings import Finding, Findings
from ringfence.backends.openai import OpenAIChat
from ringfence.backends.trials import Reply, speed
from ringfence.core.errors import BackendError
from ringfence.core.values import Outcome, Prompt
from ringfence.manifest.types import Inference
from ringfence.testing import ScriptedServer, listen
from ringfence.testing.server import Mode

WEATHER = [{"name": "weather__now", "arguments": '{"city": "Paris"}'}]


def constant(schema: Any) -> Any:
    """What a schema of constants allows."""
    form = schema["anyOf"][0]["properties"]
    return json.dumps({key: rule["const"] for key, rule in form.items()})


def able(asked: Any) -> Any:
    """A server that does all that it is asked, with OpenAI's response_format."""
    words = asked["messages"][-1]["content"]
    if "tools" in asked:
        many = "Rome" in words
        return {"calls": WEATHER * (2 if many else 1)}
    if "response_format" in asked:
        return constant(asked["response_format"]["json_schema"]["schema"])
    return {"text": "It is 3, I think.", "sure": [["It", 0.5]] if asked.get("logprobs") else []}


def deaf(asked: Any) -> Any:
    """A server that hears the words alone: it prints calls as text, and knows no grammar."""
    if "tools" in asked:
        return '```json\n{"name": "weather__now", "arguments": {"city": "Paris"}}\n```'
    return "Hello there, my friend!"


async def found(server: ScriptedServer, provider: str = "llamacpp", timeout_s: float = 5.0) -> Findings:
    async with listen(server):
        chat = OpenAIChat(Place(provider, server.url, "scripted"), timeout_s=timeout_s)
        try:
            return await chat.examine(lambda text: None)
        finally:
            await chat.aclose()


def said(of: Findings) -> dict[str, str]:
    return {row.name: row.said for row in of.rows}


PAGES = {
    "/apply-template": {"prompt": "words"},
    "/tokenize": {"tokens": list(range(100))},  # as many as the server says of the short request that is compared
}


def windowed(reply: Callable[[Any], Any], window: int) -> ScriptedServer:
    """A server that refuses what is longer than its window, as llama.cpp does."""

    class Refusing(ScriptedServer):
        def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
            if head.startswith(b"POST /v1/chat") and body.count(b"word ") > window:
                mode, self.mode = self.mode, "overflow"
                answered = super().answer(head, body)
                self.mode = mode
                return answered
            return super().answer(head, body)

    return Refusing(reply, window=window, pages=PAGES)


async def test_of_a_server_that_can_everything_is_proved_and_native_calls_are_the_first_rung() -> None:
    of = await found(windowed(able, 512))
    assert said(of) == {
        "window": "yes",
        "too long": "yes",
        "tools auto": "yes",
        "tools required": "yes",
        "tools parallel": "yes",
        "tools streamed": "yes",
        "grammar": "yes",
        "tokenizer": "yes",
        "logprobs": "yes",
        "speed": "yes",
        "prefix cache": "no",  # of this server's tokens 64 are known, it says, whatever it is asked
    }
    assert (of.native, of.grammar, of.tokenizer, of.window) == (True, "json_schema", "llamacpp", 512)
    assert of.rung == "1, native tool calls"


async def test_of_a_server_that_hears_words_alone_nothing_is_believed() -> None:
    server = ScriptedServer(deaf, mode="truncates", window=600)
    of = await found(server)
    assert said(of) == {
        "window": "yes",
        "too long": "no",
        "tools auto": "no",
        "tools required": "no",
        "tools parallel": "no",
        "tools streamed": "no",
        "grammar": "no",
        "tokenizer": "unknown",
        "logprobs": "no",
        "speed": "yes",
        "prefix cache": said(of)["prefix cache"],
    }
    assert (of.native, of.grammar, of.tokenizer) == (False, "", None)
    assert of.rung == "3, text that is read"
    cut = of.row("too long")
    assert cut is not None
    assert "cut in silence" in cut.what
    assert "weather__now" in of.rows[2].what  # what came instead is shown


@pytest.mark.parametrize("dialect", ["structured_outputs", "guided_json", "json_schema"])
async def test_the_dialect_that_holds_is_found_whatever_else_is_ignored(dialect: str) -> None:
    def reply(asked: Any) -> Any:
        schema = asked.get(dialect)
        if dialect == "structured_outputs" and schema:
            schema = schema["json"]
        return constant(schema) if schema else "Hello there"

    of = await found(ScriptedServer(reply), "vllm")
    assert of.grammar == ("llamacpp" if dialect == "json_schema" else dialect)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('{   "zq"  : \n "vexil-4417",   "n" : ', True),  # smollm2-135m: the answer was over before the object was
        ('{"zq": "vexil-4417", "n": 7331}', True),
        ('{"zq": "vexil-4417", "n": 7332}', False),
        ('{"zq": "ve', False),
        ('{"greeting": "Hello"}', False),
        ("", False),
    ],
)
async def test_a_tiny_model_that_fills_its_answer_with_spaces_is_still_held(text: str, holds: bool) -> None:
    of = await found(ScriptedServer(lambda asked: text if "response_format" in asked else "Hello"))
    assert of.grammar == ("json_schema" if holds else "")


async def test_of_an_older_ollama_it_is_said_that_its_own_api_holds_a_schema() -> None:
    pages = {"/api/chat": lambda body: {"message": {"content": constant(body["format"])}}}
    of = await found(ScriptedServer(deaf, pages=pages), "ollama")
    row = of.row("grammar")
    assert row is not None
    assert of.grammar == ""
    assert "`format` holds on /api/chat alone" in row.what


async def test_required_that_is_not_held_is_no_native_tool_calls() -> None:
    def reply(asked: Any) -> Any:
        if asked.get("tool_choice") == "required" and "hello" in asked["messages"][-1]["content"]:
            return "Hello!"
        return able(asked)

    of = await found(ScriptedServer(reply))
    assert (said(of)["tools auto"], said(of)["tools required"], of.native) == ("yes", "no", False)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ({"name": "weather__now", "arguments": '{"city": "Par'}, "arguments do not fit"),
        ({"name": "weather__now", "arguments": '{"town": "Paris"}'}, "arguments do not fit"),
        ({"name": "weather_now", "arguments": '{"city": "Paris"}'}, "a tool that there is not"),
        ({"name": "weather__now", "arguments": '{"city": "Oslo"}'}, "something else"),
    ],
)
async def test_a_call_that_cannot_be_made_proves_nothing(call: Any, why: str) -> None:
    of = await found(ScriptedServer(lambda asked: {"calls": [call]} if "tools" in asked else "Hi"))
    row = of.row("tools auto")
    assert row is not None
    assert row.said == "no"
    assert why in row.what


async def test_a_tokenizer_that_counts_otherwise_than_the_server_reads_is_not_believed() -> None:
    pages = {**PAGES, "/tokenize": {"tokens": [1] * 31}}
    of = await found(ScriptedServer(able, pages=pages))
    assert (said(of)["tokenizer"], of.tokenizer) == ("no", None)


@pytest.mark.parametrize(
    "mode", ["500", "invalid-json", "no-completion", "cut", "empty", "control", "huge", "whitespace"]
)
async def test_a_server_that_breaks_is_rows_that_say_so_and_never_a_traceback(mode: Mode) -> None:
    server = ScriptedServer(able, mode=mode, window=512)
    if mode == "invalid-json":  # its list of models too: then it is no model server
        with pytest.raises(BackendError):
            await found(server)
        return
    of = await found(server)
    assert {"window", "too long", "tools auto", "grammar", "logprobs"} <= {row.name for row in of.rows}
    assert not of.native
    assert Findings.from_json(json.loads(json.dumps(of.to_json()))) == of


@pytest.mark.parametrize(
    ("cached", "waits_s", "known"),
    [
        ((0, 150), (0.001, 0.001), "yes"),  # it counts what it knew, and more than half
        ((64, 64), (0.15, 0.001), "no"),  # it counts, and its word is better than a clock
        ((0, 0), (0.15, 0.001), "yes"),  # it does not count
        ((0, 0), (0.02, 0.001), "no"),  # and is too fast for a clock to tell
    ],
)
async def test_a_cache_is_told_by_the_servers_count_and_else_by_time(
    cached: tuple[int, int], waits_s: tuple[float, float], known: str
) -> None:
    asked = iter(zip(cached, waits_s, strict=True))

    async def ask(prompt: Prompt, form: str, progress: Callable[[str], None] | None, sure: bool) -> Reply:
        knew, wait_s = next(asked)
        await asyncio.sleep(wait_s)
        assert progress is not None
        progress("It")
        return Reply(Outcome({"text": "It is 3.", "usage": {"prompt": 200, "completion": 5, "cached": knew}}))

    found = {row.name: row.said for row in await speed(ask)}
    assert found["prefix cache"] == known


async def test_a_server_that_stops_to_answer_is_not_waited_for_again_and_again() -> None:
    class Hanging(ScriptedServer):
        def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
            self.mode = "slow" if head.startswith(b"POST /v1/chat") else "ok"
            return super().answer(head, body)

    server = Hanging(able, window=512)
    of = await found(server, timeout_s=0.1)
    assert said(of)["too long"] == "broken"
    assert said(of)["tools auto"] == "broken"
    assert said(of)["speed"] == "unknown"
    assert "did not answer" in of.rows[-1].what


async def test_nothing_that_is_asked_is_long_but_the_one_request_that_has_to_be() -> None:
    server = windowed(able, 512)
    await found(server)
    asked = [json.loads(body) for head, body in server.seen if head.startswith(b"POST /v1/chat")]
    assert len(asked) <= 10
    assert all(one["max_tokens"] <= 64 for one in asked)
    assert sum(len(json.dumps(one)) > 4000 for one in asked) == 1


def made(**more: Any) -> Findings:
    fixed: dict[str, Any] = {"provider": "openai", "server": "http://x", "model": "m", "identity": "i"}
    return Findings(
        **{**fixed, "time": 5, "took_ms": 7, "rows": (Finding("grammar", "yes", "x", "json_schema"),), **more}
    )


def test_findings_are_kept_for_their_user_alone_and_read_again(tmp_path: Path) -> None:
    file = findings.save(tmp_path, made())
    assert file.stat().st_mode & 0o777 == 0o600
    assert findings.load(tmp_path, "openai", "http://x", "m") == made()
    assert findings.load(tmp_path, "openai", "http://y", "m") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1, "rows": 3}', "[" * 5000])
def test_what_cannot_be_read_is_not_there(tmp_path: Path, text: str) -> None:
    findings.save(tmp_path, made()).write_text(text)
    assert findings.load(tmp_path, "openai", "http://x", "m") is None


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "probes").write_text("a file")
    with pytest.raises(BackendError, match="cannot be kept") as caught:
        findings.save(tmp_path, made())
    assert "RINGFENCE_HOME" in caught.value.todo


async def test_a_tier_uses_what_was_found_of_its_server_and_no_other(tmp_path: Path) -> None:
    async with listen(ScriptedServer(deaf)) as server:
        tier = {"provider": "openai", "model": "scripted", "endpoint": server.url}
        inference = Inference.model_validate({"tiers": [tier]})
        backend = from_manifest(inference.tiers[0], inference, home=tmp_path)
        assert examined(inference.tiers[0], home=tmp_path) is None
        of = await backend.sink.examine(lambda text: None)
        await backend.aclose()
        findings.save(tmp_path, of)
        assert examined(inference.tiers[0], home=tmp_path) == of
    assert of.identity == (of.identity if re.fullmatch("[0-9a-f]{64}", of.identity) else "a digest")
