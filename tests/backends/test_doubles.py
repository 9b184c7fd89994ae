"""The shipped doubles do what they say."""

import asyncio
import json
import urllib.request

import pytest

from ringfence.core.errors import BackendError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.testing import FakeClock, ScriptedModel, ScriptedServer, listen, running

ACTION = Action("model:main", {}, IDENTITY, Prompt((b'{"role":"user","content":"hi"}',)))


async def test_a_scripted_model_answers_in_order_keeps_the_prompts_and_then_has_no_more() -> None:
    model = ScriptedModel(["one", BackendError("down")])
    assert (await model.perform(ACTION)).value["text"] == "one"
    with pytest.raises(BackendError, match="down"):
        await model.perform(ACTION)
    with pytest.raises(BackendError, match="2 steps, and step 3"):
        await model.perform(ACTION)
    assert model.prompts == [ACTION.prompt] * 3


async def test_a_scripted_model_may_be_a_function_and_streams() -> None:
    pieces: list[str] = []
    model = ScriptedModel(lambda prompt: f"{len(prompt.messages)} message")
    action = Action("model:main", {}, IDENTITY, ACTION.prompt, progress=pieces.append)
    assert (await model.perform(action)).value["text"] == "1 message"
    assert pieces == ["1 message"]


def test_a_fake_clock_moves_when_told_and_only_forward() -> None:
    clock = FakeClock(5)
    clock.advance(10)
    assert clock() == 15
    with pytest.raises(ValueError, match="-1"):
        clock.advance(-1)


def test_the_server_runs_in_a_process_of_its_own() -> None:
    with running([{"when": "weather", "text": "rain"}, "else"]) as url:
        for text, said in (("the weather?", "rain"), ("what?", "else")):
            body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
            with urllib.request.urlopen(f"{url}/v1/chat/completions", body, timeout=60) as answer:
                assert json.load(answer)["choices"][0]["message"]["content"] == said


async def test_the_server_reads_a_request_that_comes_in_pieces() -> None:
    async with listen(ScriptedServer(["a", "b"], cycle=True)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"
        for piece in (request[:30], request[30:-2], request[-2:] + request):
            writer.write(piece)
            await writer.drain()
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.close()
        await writer.wait_closed()
    assert [body for _, body in server.seen] == [b"abcd", b"abcd"]
