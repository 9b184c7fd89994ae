"""How a step is asked for on a real server on loopback: natively, by a grammar, in words; and what bad servers do."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends import asking
from ringfence.backends.aliases import Watch, same
from ringfence.backends.answers import Place
from ringfence.backends.findings import Finding, Findings
from ringfence.backends.openai import OpenAIChat
from ringfence.core.errors import BackendError
from ringfence.core.labels import IDENTITY
from ringfence.core.policy import SinkSpec
from ringfence.core.values import Action, Outcome, Prompt, canonical
from ringfence.engine.ladder import read as parse
from ringfence.engine.step import grammar
from ringfence.testing import ScriptedServer, listen
from ringfence.testing.server import Mode

READ = SinkSpec(
    "tool:files.read",
    pin="p",
    schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
STEP = grammar([READ], final=True, parallel=2)
CALL = {"text": "", "calls": [{"name": "files__read", "arguments": '{"path": "a.txt"}'}]}
ID = "f" * 64


def proved(**rows: Any) -> Findings:
    """Findings of a server that was tried: by name with underscores, whether it holds, or what its value is."""
    made = [
        Finding(name.replace("_", " "), "yes" if value else "no", "", value if isinstance(value, str) else None)
        for name, value in rows.items()
    ]
    return Findings("openai", "x", "scripted", ID, 1, 1, tuple(made))


def client(url: str, provider: str = "openai", **more: Any) -> OpenAIChat:
    return OpenAIChat(Place(provider, url, "scripted"), timeout_s=30.0, backoff_s=0.001, **more)


async def said(
    server: ScriptedServer,
    *prompts: Prompt,
    progress: Callable[[str], None] | None = None,
    schema: bytes | None = STEP,
    **more: Any,
) -> list[Outcome]:
    message = b'{"role":"user","content":"hi"}'
    async with listen(server):
        chat = client(server.url, **more)
        try:
            return [
                await chat.perform(Action("model:m", {}, IDENTITY, prompt, progress=progress))
                for prompt in prompts or (Prompt((message,), schema=schema, max_tokens=64),)
            ]
        finally:
            await chat.aclose()


def native(**more: Any) -> dict[str, Any]:
    return {"known": lambda: proved(tools_auto=True, tools_required=True, grammar="json_schema"), "pinned": ID, **more}


@pytest.mark.parametrize("streaming", [False, True])
async def test_native_calls_come_back_as_the_step_that_they_are_whole_and_streamed(streaming: bool) -> None:
    server, pieces = ScriptedServer([{**CALL, "text": "I look.", "calls": CALL["calls"] * 2}]), list[str]()
    (done,) = await said(server, progress=pieces.append if streaming else None, **native())
    step = parse(done.value["text"])
    assert done.value["how"] == "native"
    assert step.thought == "I look."
    assert [(call.sink, call.args) for call in step.calls] == [("tool:files.read", {"path": "a.txt"})] * 2
    assert "".join(pieces) == (done.value["text"] if streaming else "")
    asked = json.loads(server.seen[-1][1])
    assert asked["tool_choice"] == "auto"
    assert asked["parallel_tool_calls"] is True
    assert asked["tools"][0]["function"]["name"] == "files__read"
    assert "response_format" not in asked


async def test_where_only_an_answer_is_left_no_tool_is_offered_and_words_are_the_answer() -> None:
    server = ScriptedServer(["It is 19."])
    (done,) = await said(server, schema=grammar([], final=True, parallel=1), **native())
    assert parse(done.value["text"]).final == {"answer": "It is 19.", "artifacts": [], "confidence": "medium"}
    assert "tools" not in json.loads(server.seen[-1][1])


async def test_where_only_calls_are_allowed_they_are_required() -> None:
    server = ScriptedServer([CALL])
    await said(server, schema=grammar([READ], final=False, parallel=1), **native())
    asked = json.loads(server.seen[-1][1])
    assert (asked["tool_choice"], asked["parallel_tool_calls"]) == ("required", False)


@pytest.mark.parametrize(
    ("rows", "how", "field"),
    [
        ({"tools_auto": True, "tools_required": False, "grammar": "json_schema"}, "grammar", "response_format"),
        (
            {"tools_auto": False, "tools_required": True, "grammar": "structured_outputs"},
            "grammar",
            "structured_outputs",
        ),
        ({"grammar": "guided_json"}, "grammar", "guided_json"),
        ({"grammar": "llamacpp"}, "grammar", "json_schema"),
        ({"grammar": False}, "text", None),
        ({}, "grammar", "response_format"),
    ],
)
async def test_the_first_rung_is_the_one_that_was_proved(rows: dict[str, Any], how: str, field: str | None) -> None:
    server = ScriptedServer(["{}"])
    (done,) = await said(server, known=lambda: proved(**rows), pinned=ID)
    assert done.value["how"] == how
    asked = json.loads(server.seen[-1][1])
    fields = {"response_format", "structured_outputs", "guided_json", "json_schema", "tools"} & set(asked)
    assert fields == ({field} if field else set())


async def test_what_was_proved_of_another_model_is_not_used() -> None:
    server = ScriptedServer([CALL])
    (done,) = await said(server, **native(pinned="e" * 64))
    assert done.value["how"] == "grammar"
    (done,) = await said(server, **native(pinned=""))  # what the server says of its model has another digest
    assert done.value["how"] == "grammar"


async def test_what_was_proved_is_used_once_the_server_has_said_that_it_is_the_same_model() -> None:
    async with listen(ScriptedServer(["x"])) as server:
        chat = client(server.url)
        identity = (await chat.probe()).identity
        await chat.aclose()
    found = Findings("openai", "x", "scripted", identity, 1, 1, (Finding("grammar", "no", ""),))
    (done,) = await said(server, known=lambda: found)
    assert done.value["how"] == "text"


async def test_what_was_proved_of_a_model_goes_with_it() -> None:
    """The server names another model than before: it is asked what it has, and in the usual way."""
    async with listen(ScriptedServer(["x"], mode="other-model")) as server:
        first = client(server.url)
        identity = (await first.probe()).identity
        await first.aclose()
        found = Findings("openai", "x", "scripted", identity, 1, 1, (Finding("grammar", "no", ""),))
        chat = client(server.url, known=lambda: found)
        prompt = Prompt((b'{"role":"user","content":"hi"}',), schema=STEP)
        told = [await chat.perform(Action("model:m", {}, IDENTITY, prompt)) for _ in range(2)]
        found = Findings("openai", "x", "scripted", "e" * 64, 1, 1, found.rows)
        told.append(await chat.perform(Action("model:m", {}, IDENTITY, prompt)))
        await chat.aclose()
    assert [one.value["how"] for one in told] == ["text", "text", "grammar"]
    assert "instead_of" in told[1].value


async def test_calls_that_broke_when_they_streamed_are_asked_for_in_one_piece() -> None:
    pieces: list[str] = []
    rows = {"tools_auto": True, "tools_required": True}
    for streams, asked in ((True, True), (False, None)):
        server = ScriptedServer([CALL])
        known = proved(**rows, tools_streamed=streams)
        (done,) = await said(server, known=lambda found=known: found, pinned=ID, progress=pieces.append)  # type: ignore[misc]
        assert done.value["how"] == "native"
        assert json.loads(server.seen[-1][1]).get("stream") is asked


@pytest.mark.parametrize(("rows", "asks"), [({}, True), ({"tokenizer": False}, False)])
async def test_a_tokenizer_that_was_proved_wrong_is_not_asked(rows: dict[str, Any], asks: bool) -> None:
    async with listen(ScriptedServer(["x"])) as server:
        chat = client(server.url, "llamacpp", known=lambda: proved(**rows), pinned=ID)
        await chat.probe()
        await chat.aclose()
    assert (chat._counter is not None) is asks


async def test_a_window_that_was_seen_to_be_smaller_than_the_server_says_counts() -> None:
    rows = (Finding("window", "yes", "", 8192), Finding("too long", "no", "cut", 1024))
    async with listen(ScriptedServer(["x"])) as server:
        first = client(server.url, "llamacpp")
        found = await first.probe()
        known = Findings("llamacpp", "x", "scripted", found.identity, 1, 1, rows)
        chat = client(server.url, "llamacpp", known=lambda: known)
        assert (found.window or 0) > 1024
        assert (await chat.probe()).window == 1024
        await first.aclose()
        await chat.aclose()


async def test_a_server_that_refuses_the_grammar_is_asked_in_its_next_dialect_and_then_in_words() -> None:
    server = ScriptedServer(["{}"], mode="refuses-grammar")
    first, second = await said(
        server, *[Prompt((b'{"role":"user","content":"hi"}',), schema=STEP)] * 2, provider="vllm"
    )
    assert (first.value["how"], second.value["how"]) == ("text", "text")
    assert server.requests == 5  # three dialects, and then in words at once


async def test_a_server_that_refuses_tools_is_held_by_a_grammar() -> None:
    server = ScriptedServer(["{}"], mode="refuses-tools")
    (done,) = await said(server, **native())
    assert done.value["how"] == "grammar"


def test_each_provider_has_a_first_way_and_ends_in_words() -> None:
    for provider in ("embedded", "openai", "ollama", "llamacpp", "vllm", "lmstudio"):
        ways = asking.ways(provider)
        assert (ways[0], ways[-1]) == ("json_schema", "text")
    assert asking.ways("vllm", native=True, grammar="")[:2] == ("native", "text")


async def test_the_seed_and_the_wish_for_probabilities_are_sent_and_the_decision_is_told() -> None:
    text = '{"thought":"","enough":false,"calls":[]}'
    sure = [['{"thought":"","enough":', 0.9], ["false", 0.25], [',"calls":[]}', 1.0]]
    server = ScriptedServer([{"text": text, "sure": sure}])
    (done,) = await said(server, logprobs=True, sampling={"seed": 7})
    asked = json.loads(server.seen[-1][1])
    assert (asked["seed"], asked["logprobs"]) == (7, True)
    assert asked["top_logprobs"] >= 1  # llama.cpp tells none at 0
    assert done.value["sure"] == pytest.approx(0.25)
    (plain,) = await said(ScriptedServer(["{}"]))
    assert "sure" not in plain.value


@pytest.mark.parametrize(
    ("wish", "rows", "asked"),
    [
        (None, {"logprobs": True}, True),
        (None, {"logprobs": False}, None),
        (None, {}, None),
        (False, {"logprobs": True}, None),
        (True, {"logprobs": False}, True),
    ],
)
async def test_probabilities_are_asked_for_by_themselves_where_the_server_was_proved_to_tell_them(
    wish: bool | None, rows: dict[str, bool], asked: bool | None
) -> None:
    server = ScriptedServer(["{}"])
    await said(server, logprobs=wish, known=lambda: proved(**rows), pinned=ID)
    assert json.loads(server.seen[-1][1]).get("logprobs") is asked


async def test_probabilities_that_were_proved_of_a_model_go_with_it() -> None:
    async with listen(ScriptedServer(["x"], mode="other-model")) as server:
        first = client(server.url)
        found = Findings("openai", "x", "scripted", (await first.probe()).identity, 1, 1, proved(logprobs=True).rows)
        await first.aclose()
        chat = client(server.url, logprobs=None, known=lambda: found)
        prompt = Prompt((b'{"role":"user","content":"hi"}',), schema=STEP)
        for _ in range(2):
            await chat.perform(Action("model:m", {}, IDENTITY, prompt))
        found = Findings("openai", "x", "scripted", "e" * 64, 1, 1, found.rows)
        await chat.perform(Action("model:m", {}, IDENTITY, prompt))
        await chat.aclose()
    told = [json.loads(body) for _, body in server.seen if b"messages" in body]
    assert ["logprobs" in body for body in told] == [True, True, False]


async def test_the_bytes_of_the_request_are_told() -> None:
    server = ScriptedServer(["{}"])
    (done,) = await said(server)
    assert done.value["sent"] == len(server.seen[-1][1])


@pytest.mark.parametrize("streaming", [False, True])
async def test_whitespace_without_end_is_cut_off_and_ends_the_answer(streaming: bool) -> None:
    server, pieces = ScriptedServer(["x"], mode="whitespace"), list[str]()
    (done,) = await said(server, progress=pieces.append if streaming else None)
    assert done.value["finish"] == "length"
    assert done.value["text"] == '{"thought": "'
    assert sum(map(len, pieces)) < 600


async def test_whitespace_without_end_in_the_arguments_of_a_call_is_not_read_on() -> None:
    endless = {"name": "files__read", "arguments": '{"path": "' + " " * 200_000}
    (done,) = await said(ScriptedServer([{"calls": [endless]}]), progress=lambda piece: None, **native())
    assert done.value["finish"] == "length"
    assert len(done.value["text"]) < 1000


async def test_nothing_is_an_empty_text_and_no_usage_still_counts_words() -> None:
    (empty,) = await said(ScriptedServer(["x"], mode="empty"), **native())
    assert empty.value["text"] == ""
    (uncounted,) = await said(ScriptedServer(["x" * 40], mode="no-usage"))
    assert uncounted.value["usage"] == {"prompt": uncounted.value["sent"] // 4, "completion": 10, "cached": 0}
    assert uncounted.value["estimated"] is True


async def test_control_characters_and_lone_surrogates_can_be_recorded() -> None:
    (done,) = await said(ScriptedServer(["x"], mode="control"))
    assert b"\\u0000" in canonical(done.value)


@pytest.mark.parametrize("streaming", [False, True])
async def test_ten_megabytes_are_a_fault_and_not_an_answer(streaming: bool) -> None:
    with pytest.raises(BackendError, match="more than 8388608 bytes"):
        await said(ScriptedServer(["x"], mode="huge"), progress=(lambda piece: None) if streaming else None)


async def test_a_model_that_changes_under_us_is_told_once() -> None:
    prompt = Prompt((b'{"role":"user","content":"hi"}',))
    one, two, three = await said(ScriptedServer(["x"], mode="other-model"), prompt, prompt, prompt)
    assert "instead_of" not in one.value
    assert (two.value["model"], two.value["instead_of"]) == ("another-model", "scripted")
    assert "instead_of" not in three.value


def test_to_ask_a_server_again_what_it_has_hides_no_change() -> None:
    watch = Watch("m")
    told = []
    for name in ("x.gguf", "y.gguf", "y.gguf"):
        watch.also(name)
        told.append(watch.another(name))
    assert told == ["", "m", ""]


async def test_a_server_of_one_model_may_call_it_otherwise_than_the_manifest_does() -> None:
    async with listen(ScriptedServer(["x"], model="its-own-name")) as server:
        chat = client(server.url, "llamacpp")
        assert (await chat.probe()).model == "its-own-name"
        done = await chat.perform(Action("model:m", {}, IDENTITY, Prompt((b'{"role":"user","content":"hi"}',))))
        await chat.aclose()
    assert "instead_of" not in done.value


@pytest.mark.parametrize(
    ("asked", "answered", "one"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
        ("qwen2.5:7b", "qwen2.5:7b", True),
        ("llama3", "llama3:latest", True),
        ("/models/Qwen.gguf", "qwen", True),
        ("org/Model-7B", "Model-7b", True),
        ("qwen2.5:7b", "qwen2.5:14b", False),
        ("a", "b", False),
    ],
)
def test_one_model_has_several_names_and_two_models_are_two(asked: str, answered: str, one: bool) -> None:
    assert same(asked, answered) is one


def long(words: int) -> Prompt:
    content = " ".join(f"word{n}" for n in range(words))
    return Prompt((json.dumps({"role": "user", "content": content}).encode(),))


async def test_a_server_that_dropped_what_is_beyond_its_window_is_found_out_by_what_it_counted() -> None:
    whole, cut = await said(ScriptedServer(["x"], mode="truncates", window=1000), long(100), long(4000))
    assert "truncated" not in whole.value
    lost = cut.value["truncated"]
    assert 2000 < lost < 8000 - 500  # 33 kB: at least 4,000 tokens, and no more than one a byte


LLAMACPP = {
    "/apply-template": lambda body: {"prompt": "<|user|>" + "".join(m["content"] for m in body["messages"])},
    "/tokenize": lambda body: {"tokens": list(range(math.ceil(len(body["content"]) / 3)))},
}


async def test_tokens_are_counted_by_the_servers_tokenizer_with_its_template() -> None:
    prompt = long(10)
    async with listen(ScriptedServer(["x"], pages=LLAMACPP)) as server:
        chat = client(server.url, "llamacpp")
        assert await chat.count(prompt) == math.ceil((8 + len(json.loads(prompt.messages[0])["content"])) / 3)
        assert server.requests == 0
        assert await chat.count(prompt) is not None
        assert server.connections == 1
        await chat.aclose()


async def test_the_tools_of_a_native_request_are_counted_with_it() -> None:
    seen: list[Any] = []
    pages = {**LLAMACPP, "/apply-template": lambda body: seen.append(body) or {"prompt": "x" * 30}}
    async with listen(ScriptedServer(["x"], pages=pages)) as server:
        chat = client(server.url, "llamacpp", **native())
        assert await chat.count(Prompt((b'{"role":"user","content":"hi"}',), schema=STEP)) == 10
        await chat.aclose()
    assert [tool["function"]["name"] for tool in seen[0]["tools"]] == ["files__read"]


async def test_one_schema_that_is_refused_does_not_end_the_way_that_worked_before() -> None:
    class Picky(ScriptedServer):
        def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
            self.mode = "refuses-grammar" if b"odd" in body else "ok"
            return super().answer(head, body)

    message = b'{"role":"user","content":"hi"}'
    fine, odd = (Prompt((message,), schema=schema) for schema in (STEP, b'{"enum":["odd"]}'))
    done = await said(Picky(["{}"]), fine, odd, fine)
    assert [one.value["how"] for one in done] == ["grammar", "text", "grammar"]


async def test_a_field_that_a_model_does_not_take_is_left_out_once_it_was_said() -> None:
    class Newer(ScriptedServer):
        def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
            wrong = next((key for key in (b"temperature", b"max_tokens") if b'"%s"' % key in body), b"")
            self.mode = "overflow" if wrong else "ok"
            self.complaint = {
                b"temperature": "Unsupported value: 'temperature' does not support 0.1 with this model",
                b"max_tokens": "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            }.get(wrong, "")
            return super().answer(head, body)

    server = Newer(["x"])
    await said(server, *[Prompt((b'{"role":"user","content":"hi"}',))] * 2, sampling={"temperature": 0.1, "top_p": 0.5})
    assert server.requests == 4
    assert json.loads(server.seen[-1][1]).keys() == {"model", "top_p", "max_completion_tokens", "messages"}


async def test_vllm_counts_a_conversation_itself() -> None:
    def count(body: Any) -> Any:
        assert body["add_generation_prompt"] is True
        return {"count": 10 * len(body["messages"]), "max_model_len": 4096, "tokens": []}

    async with listen(ScriptedServer(["x"], pages={"/tokenize": count})) as server:
        chat = client(server.url, "vllm")
        assert await chat.count(long(5)) == 10
        await chat.aclose()


@pytest.mark.parametrize("provider", ["openai", "ollama", "llamacpp", "vllm"])
async def test_a_server_without_a_tokenizer_counts_nothing_and_is_asked_once(provider: str) -> None:
    async with listen(ScriptedServer(["x"])) as server:
        chat = client(server.url, provider)
        assert await chat.count(long(5)) is None
        asked = len(server.seen)
        assert await chat.count(long(5)) is None
        assert len(server.seen) == asked
        await chat.aclose()


async def test_a_server_elsewhere_is_not_sent_a_prompt_only_to_count_it() -> None:
    chat = client("http://192.0.2.1:8000", "vllm")
    assert await chat.count(long(5)) is None


async def test_with_a_count_of_its_own_the_server_is_held_to_it_exactly() -> None:
    pages = {**LLAMACPP, "/tokenize": lambda body: {"tokens": [0] * 130}}
    async with listen(ScriptedServer(["x"], pages=pages)) as server:  # says that it read 100
        chat, prompt = client(server.url, "llamacpp"), long(5)
        await chat.count(prompt)
        done = await chat.perform(Action("model:m", {}, IDENTITY, prompt))
        await chat.aclose()
    assert done.value["truncated"] == 30


async def test_a_server_that_cannot_be_scripted_worse_still_ends_in_an_outcome_or_a_fault(tmp_path: Path) -> None:
    modes: list[Mode] = ["ok", "whitespace", "empty", "control", "other-model", "no-usage", "truncates"]
    for mode in modes:
        for more in ({}, native()):
            (done,) = await said(ScriptedServer([CALL], mode=mode), **more)
            canonical(done.value)
