"""The client against a real server on loopback, in every way it can misbehave."""

import asyncio
import json
import socket
from collections.abc import Callable

import pytest

from ringfence.backends.answers import Place
from ringfence.backends.openai import MAX_BYTES, OpenAIChat
from ringfence.core.errors import BackendError, ContextOverflow
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.testing import ScriptedServer, listen
from ringfence.testing.replies import http

SCHEMA = b'{"type":"object","properties":{"n":{"type":"integer"}}}'
LONG = "a sentence that is long enough to be sent in many pieces, " * 4


def ask(progress: Callable[[str], None] | None = None, *, text: str = "hi", schema: bytes | None = None) -> Action:
    message = json.dumps({"role": "user", "content": text}).encode()
    return Action("model:small", {}, IDENTITY, Prompt((message,), schema=schema, max_tokens=64), progress=progress)


def client(url: str, provider: str = "openai", *, timeout_s: float = 5.0, key: str | None = None) -> OpenAIChat:
    place = Place(provider, url, "scripted", "MODEL_KEY" if key else None)
    return OpenAIChat(place, timeout_s=timeout_s, backoff_s=0.001, key=lambda: key, sampling={"temperature": 0.1})


async def fault_of(
    server: ScriptedServer, progress: Callable[[str], None] | None = None, *, timeout_s: float = 0.2
) -> BackendError:
    async with listen(server):
        chat = client(server.url, timeout_s=timeout_s, key="k-secret")
        try:
            with pytest.raises(BackendError) as caught:
                await chat.perform(ask(progress))
        finally:
            await chat.aclose()
        return caught.value


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_an_answer_has_text_usage_and_model_with_the_endpoint_written_either_way(suffix: str) -> None:
    server = ScriptedServer(["hello there"])
    async with listen(server):
        chat = client(server.url + suffix)
        outcome = await chat.perform(ask())
        await chat.aclose()
    assert outcome.value == {
        "text": "hello there",
        "finish": "stop",
        "usage": {"prompt": 100, "completion": 3, "cached": 64},
        "model": "scripted",
        "how": "text",
        "sent": len(server.seen[-1][1]),
    }


async def test_the_request_carries_messages_schema_sampling_and_key_as_they_were_given() -> None:
    server = ScriptedServer(["{}"])
    async with listen(server):
        chat = client(server.url, "llamacpp", key="k-secret")
        await chat.perform(ask(schema=SCHEMA, text="grüß dich"))
        await chat.aclose()
    head, body = server.seen[-1]
    assert b"Authorization: Bearer k-secret" in head
    assert json.loads(body) == {
        "model": "scripted",
        "temperature": 0.1,
        "cache_prompt": True,
        "max_tokens": 64,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "step", "strict": True, "schema": json.loads(SCHEMA)},
        },
        "messages": [{"role": "user", "content": "grüß dich"}],
    }


async def test_a_stream_is_passed_on_piece_by_piece_and_its_outcome_is_the_same() -> None:
    server, pieces = ScriptedServer([LONG]), list[str]()
    async with listen(server):
        chat = client(server.url)
        streamed = await chat.perform(ask(pieces.append))
        whole = await chat.perform(ask())
        await chat.aclose()
    assert len(pieces) > 10
    assert "".join(pieces) == LONG
    assert {**streamed.value, "sent": 0} == {**whole.value, "sent": 0}  # to ask for a stream takes some more bytes


async def test_connections_are_reused_and_calls_of_several_event_loops_do_not_meet() -> None:
    server = ScriptedServer(["x"])
    async with listen(server):
        chat = client(server.url)
        await chat.perform(ask())

        def elsewhere() -> None:
            async def call() -> None:
                await chat.perform(ask())
                await chat.aclose()

            asyncio.run(call())

        await asyncio.to_thread(elsewhere)
        await chat.perform(ask())
        await chat.aclose()
    assert server.requests == 3
    assert server.connections == 2


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("mode", "said", "todo"),
    [
        ("html", "a web page (HTML)", "check `endpoint`"),
        ("invalid-json", "invalid JSON", "check `endpoint`"),
        ("500", "answered 500: out of memory", "server's log"),
        ("401", "refused the key (401)", "MODEL_KEY"),
        ("404", "has no model 'scripted'; it has scripted", "model"),
        ("redirect", "a redirect to http://192.0.2.1/v1; redirects are never followed", "`endpoint`"),
        ("slow", "no answer within 0.2 s", "timeout_s"),
        ("cut", "cut the connection", "log"),
    ],
)
async def test_each_fault_of_a_server_has_its_own_words(mode: str, said: str, todo: str, streaming: bool) -> None:
    pieces: list[str] = []
    fault = await fault_of(ScriptedServer([LONG], mode=mode), pieces.append if streaming else None)  # type: ignore[arg-type]
    assert said in fault.what
    assert todo in fault.todo
    assert "k-secret" not in str(fault)
    assert pieces == []


@pytest.mark.parametrize(
    ("provider", "todo"), [("ollama", "`ollama serve`"), ("vllm", "`vllm serve"), ("openai", "provider: embedded")]
)
async def test_an_absent_server_is_named_with_the_way_to_start_it(provider: str, todo: str) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    chat = client(url, provider)
    for call in (chat.perform(ask()), chat.perform(ask(print)), chat.probe()):
        with pytest.raises(BackendError, match=f"no model server answers at {url}") as caught:
            await call
        assert todo in caught.value.todo
    await chat.aclose()


async def test_a_request_that_does_not_fit_is_a_context_overflow_and_is_not_retried() -> None:
    server = ScriptedServer(["x"], mode="overflow")
    assert isinstance(await fault_of(server), ContextOverflow)
    assert server.requests == 1


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
        "the input length exceeds the context length",
        "request (4031 tokens) exceeds the available context size (2048 tokens)",
    ],
)
async def test_every_servers_way_to_say_that_it_does_not_fit_is_understood(message: str) -> None:
    server = ScriptedServer(["x"], mode="overflow", complaint=message)
    assert isinstance(await fault_of(server), ContextOverflow)


async def test_a_busy_server_is_asked_again() -> None:
    server = ScriptedServer(["fine"], mode="429-then-ok")
    async with listen(server):
        chat = client(server.url)
        assert (await chat.perform(ask())).value["text"] == "fine"
        await chat.aclose()
    assert server.requests == 2


async def test_retries_are_bounded() -> None:
    server = ScriptedServer(["x"], mode="500")
    await fault_of(server)
    assert server.requests == 3


async def test_a_stream_cut_before_any_text_is_asked_again_and_one_cut_after_is_a_fault() -> None:
    server, pieces = ScriptedServer([LONG], mode="cut-stream"), list[str]()
    fault = await fault_of(server, pieces.append)
    assert "cut the connection before its answer was whole" in fault.what
    assert LONG.startswith("".join(pieces))
    assert pieces
    assert server.requests == 1
    async with listen(server := ScriptedServer([LONG], mode="cut-stream")):
        chat = client(server.url)
        assert (await chat.perform(ask())).value["text"] == LONG  # nothing was passed on: asked again
        await chat.aclose()
    assert server.requests == 2


async def test_a_key_that_the_server_repeats_is_not_in_the_error() -> None:
    server = ScriptedServer(["x"], mode="overflow", complaint="bad key k-secret for this route")
    assert "bad key *** for" in str(await fault_of(server))


class Says(ScriptedServer):
    """A server that gives the same bytes to whatever it is asked."""

    def __init__(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        super().__init__([])
        self.reply = http(status, kind, body)

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        return self.reply, False


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": "bad key k-secret-of-mine"}', "application/json"),
        (b'data: {"error": {"message": "bad key k-secret-of-mine"}}\n\n', "text/event-stream"),
    ],
)
async def test_a_key_that_is_repeated_in_an_answer_is_not_in_the_error(body: bytes, kind: str) -> None:
    async with listen(server := Says(body, kind=kind)):
        chat = client(server.url, key="k-secret-of-mine")
        with pytest.raises(BackendError, match=r"bad key \*\*\*"):
            await chat.perform(ask(print))
        await chat.aclose()


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_is_nested_without_end_is_no_answer(status: int) -> None:
    async with listen(server := Says(b'{"a":' * 100_000, status)):
        chat = client(server.url)
        with pytest.raises(BackendError):
            await chat.perform(ask())
        await chat.aclose()


async def test_an_endless_answer_is_bounded() -> None:
    fault = await fault_of(ScriptedServer(["x" * (MAX_BYTES + 1)]), timeout_s=30.0)
    assert "more than 8388608 bytes" in fault.what


async def test_json_that_is_no_completion_says_what_came() -> None:
    server = ScriptedServer(["x"], mode="no-completion")
    assert "no chat completion: keys ['hello']" in (await fault_of(server)).what


async def test_control_characters_of_a_server_do_not_reach_the_terminal() -> None:
    server = ScriptedServer(["x"], mode="overflow", complaint="a\x1b[31mred\u202ebidi")
    assert "a [31mred bidi" in str(await fault_of(server))


async def test_the_window_and_the_models_are_asked_of_the_server() -> None:
    server = ScriptedServer(["x"], window=6000)
    async with listen(server):
        chat = client(server.url, "llamacpp")
        found = await chat.probe()
        await chat.aclose()
    assert (found.model, found.window, found.models) == ("scripted", 6000, ("scripted",))


@pytest.mark.parametrize("mode", ["html", "invalid-json", "401", "redirect", "slow"])
async def test_a_probe_of_something_else_is_a_fault(mode: str) -> None:
    async with listen(ScriptedServer(["x"], mode=mode)) as server:  # type: ignore[arg-type]
        chat = client(server.url, timeout_s=0.2)
        with pytest.raises(BackendError):
            await chat.probe()
        await chat.aclose()


async def ollama(pages: dict[str, object], model: str = "qwen2.5:7b") -> int | None:
    async with listen(ScriptedServer(["x"], model=model, pages=pages)) as server:
        chat = OpenAIChat(Place("ollama", server.url, model.removesuffix(":latest")))
        found = await chat.probe()
        await chat.aclose()
    assert found.model == model.removesuffix(":latest")
    return found.window


async def test_ollamas_window_is_what_it_runs_with_and_never_more_than_it_loads_by_itself() -> None:
    shown = {"parameters": "stop x\nnum_ctx 16384", "model_info": {"qwen2.context_length": 32768}}
    running = {"models": [{"name": "qwen2.5:7b", "context_length": 8192}]}
    assert await ollama({"/api/ps": running, "/api/show": shown}) == 8192
    assert await ollama({"/api/ps": {"models": []}, "/api/show": shown}) == 16384
    del shown["parameters"]
    assert await ollama({"/api/show": shown}) == 4096
    assert await ollama({"/api/show": shown}, "qwen2.5:latest") == 4096
    assert await ollama({}) is None


async def test_vllms_window_is_in_its_list_of_models() -> None:
    listed = {"data": [{"id": "other", "max_model_len": 1}, {"id": "scripted", "max_model_len": 12000}]}
    async with listen(ScriptedServer(["x"], pages={"/v1/models": listed})) as server:
        chat = client(server.url, "vllm")
        found = await chat.probe()
        await chat.aclose()
    assert (found.window, found.models) == (12000, ("other", "scripted"))
