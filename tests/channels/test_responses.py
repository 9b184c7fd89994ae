"""Responses, with OpenAI's own client."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest

from ringfence import tool
from ringfence.channels import telling

from .kit import ALICE, ANSWER, ended, served
from .online import Aloud, Online, online
from .test_openai import AS_ALICE, FILES, LOOK, PAY, said, shown_to


def before(here: Online, response: str) -> list[object]:
    """What the run of a response was shown of its conversation."""
    log = here.service.agent.journal.log
    return list(log.read(response.removeprefix("resp_"))[0].body.get("before", ()))


async def test_a_task_is_answered_and_can_be_had_again(tmp_path: Path) -> None:
    async with online(tmp_path) as here, here.openai() as client:
        done = await client.responses.create(model="kit", input="six times seven?", metadata={"ticket": "88"})
        assert done.output_text == "42"
        assert done.status == "completed"
        assert done.usage is not None
        assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens > 0
        again = await client.responses.retrieve(done.id)
        assert (again.id, again.output_text, again.metadata) == (done.id, "42", {"ticket": "88"})
        async with here.openai("bob") as bob:
            with pytest.raises(openai.NotFoundError):
                await bob.responses.retrieve(done.id)
            with pytest.raises(openai.NotFoundError):
                await bob.responses.create(model="kit", input="go on", previous_response_id=done.id)


async def test_the_events_of_a_stream_make_up_the_response(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_text("the code is 1234")
    model = Aloud([LOOK, said("The code is 1234.")])
    async with (
        online(tmp_path, model=model, manifest=FILES) as here,
        here.openai() as client,
        client.responses.stream(model="kit", input="what is the code in docs/a.txt?") as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_text.delta") > 1
    assert final.output_text == "The code is 1234."
    assert [item.type for item in final.output] == ["reasoning", "message"]
    steps = "".join(event.delta for event in events if event.type == "response.reasoning_summary_text.delta")
    assert "✓ files.read: " in steps
    assert final.output[0].summary[0].text == steps  # type: ignore[union-attr]
    numbers = [event.sequence_number for event in events if hasattr(event, "sequence_number")]
    assert numbers == sorted(set(numbers))


async def test_a_response_goes_on_from_the_one_that_it_names_and_no_other(tmp_path: Path) -> None:
    steps = [said("In Bonn."), said("many"), said("few")]
    async with online(tmp_path, steps) as here, here.openai() as client:
        first = await client.responses.create(model="kit", input="where is the office?")
        second = await client.responses.create(model="kit", input="how many?", previous_response_id=first.id)
        assert [one["content"] for one in shown_to(here)[1:3]] == ["where is the office?", "In Bonn."]
        again = await client.responses.create(model="kit", input="how few?", previous_response_id=first.id)
        run = first.id.removeprefix("resp_")
        assert before(here, second.id) == before(here, again.id) == [run], "what was said on the other branch is not"
        third = await client.responses.create(model="kit", input="x", previous_response_id=second.id)
        assert before(here, third.id) == [run, second.id.removeprefix("resp_")]


async def test_items_and_instructions_are_what_a_client_says_and_no_more(tmp_path: Path) -> None:
    async with online(tmp_path) as here, here.openai() as client:
        await client.responses.create(
            model="kit", instructions="Be the director.",
            input=[
                {"role": "user", "content": "who am I?"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "The director."}]},
                {"type": "function_call_output", "call_id": "1", "output": "all doors open"},
                {"role": "user", "content": [{"type": "input_text", "text": "six times seven?"}]},
            ],
        )  # fmt: skip
        shown = shown_to(here)
        assert "Be the director." not in shown[0]["content"]
        assert "(The program that sends this task adds, and not the user:)\nBe the director." in shown[1]["content"]
        assert shown[3]["content"] == "(The program that sends this task says that a tool returned:)\nall doors open"
        run = here.service.runs(ALICE)[0].run
        assert str(here.service.agent.turn(run).label.trust.name) == "UNTRUSTED"


async def test_a_response_in_the_background_is_asked_for_until_it_is_there(tmp_path: Path) -> None:
    async with online(tmp_path, model=Aloud([said("42")])) as here, here.openai() as client:
        begun = await client.responses.create(model="kit", input="six times seven?", background=True)
        assert begun.status == "in_progress"
        await here.service.result(ALICE, begun.id.removeprefix("resp_"))
        done = await client.responses.retrieve(begun.id)
        assert (done.status, done.output_text) == ("completed", "42")


async def test_a_response_that_asks_a_person_is_incomplete_and_can_be_cancelled(tmp_path: Path) -> None:
    @tool("write", roles={"amount": "control"}, audience=["self"], ask=True)
    def pay(amount: int) -> str:
        """Pay an amount."""
        raise AssertionError

    async with online(tmp_path, [PAY, PAY], functions=[pay]) as here, here.openai() as client:
        asks = await client.responses.create(model="kit", input="pay 30 for me")
        assert asks.status == "incomplete"
        assert asks.incomplete_details is not None
        assert str(asks.incomplete_details.reason) == "approval"
        assert "/#/runs/" in asks.output_text
        with pytest.raises(openai.BadRequestError, match="no answer yet"):
            await client.responses.create(model="kit", input="go on", previous_response_id=asks.id)
        ended = await client.responses.cancel(asks.id)
        assert ended.status == "cancelled"
        stream = await client.responses.create(model="kit", input="pay 30 for me", stream=True)
        assert [event.type async for event in stream][-1] == "response.incomplete"


async def test_a_run_that_fails_is_a_failed_response(tmp_path: Path) -> None:
    async with online(tmp_path, []) as here, here.openai() as client:
        failed = await client.responses.create(model="kit", input="six times seven?")
        assert failed.status == "failed"
        assert failed.error is not None
        assert "the script has 0 steps" in failed.error.message
        stream = await client.responses.create(model="kit", input="six times seven?", stream=True)
        assert [event.type async for event in stream][-1] == "response.failed"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}}, "text"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0"),
        ({"input": [{"role": "assistant", "content": "x"}]}, "messages.0"),
        ({"previous_response_id": "resp_x", "conversation": "c"}, "conversation"),
        ({"previous_response_id": "resp_"}, "response_id"),
        ({"stream": True, "background": True}, "background"),
    ],
)
async def test_what_cannot_be_done_is_refused(tmp_path: Path, more: dict[str, object], param: str) -> None:
    async with served(tmp_path) as (client, app):
        told = await client.post("/v1/responses", json={"model": "kit", "input": "x", **more}, headers=AS_ALICE)
        assert told.status_code in (400, 404), told.text
        assert told.json()["error"]["param"] == param
        assert app.state.service.runs(ALICE) == []


async def test_a_stream_that_nobody_reads_any_more_ends_its_run(tmp_path: Path) -> None:
    async with online(tmp_path, model=Aloud([said("x" * 5_000)])) as here:
        async with here.openai() as client:
            stream = await client.responses.create(model="kit", input="say x for ever", stream=True)
            async for event in stream:
                if event.type == "response.output_text.delta":
                    break
            await stream.close()
        [run] = here.service.runs(ALICE)
        async for _ in here.service.events(ALICE, run.run):
            pass
        await telling.settled()
        assert here.service.agent.journal.log.read(run.run)[-1].body["status"] == "cancelled"
        assert json.dumps(here.service.runs(ALICE)[0].state) == '"cancelled"'


async def test_a_conversation_that_no_header_can_carry_begins_nothing_or_is_not_carried(tmp_path: Path) -> None:
    name = "Urlaub \u2013 2026"
    async with served(tmp_path, [ANSWER, ANSWER]) as (client, _):
        asked = {"model": "kit", "input": "do it", "conversation": name}
        refused = await client.post("/v1/responses", json=asked, headers=AS_ALICE)
        assert refused.status_code == 400
        assert (await client.get("/v1/runs", headers=AS_ALICE)).json()["data"] == []
        begun = await client.post("/v1/runs", json={"task": "do it", "conversation": name}, headers=AS_ALICE)
        run = begun.json()["id"]
        await ended(client, run, AS_ALICE)
        after = {"model": "kit", "input": "go on", "previous_response_id": f"resp_{run}"}
        told = await client.post("/v1/responses", json=after, headers=AS_ALICE)
        assert (told.status_code, "x-ringfence-conversation" in told.headers) == (200, False)
