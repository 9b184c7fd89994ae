"""`inference.cache`: an answer that could be no other is given again by the whole agent, and says so on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.app import from_manifest
from ringfence.core.chain import Kind
from ringfence.manifest.loader import parse
from ringfence.testing import ScriptedServer, listen
from ringfence.testing.scripted import ScriptedModel

from ..cli.conftest import final

TEXT = "inference: {{provider: llamacpp, model: m, cache: {cache}, temperature: {temperature}}}\n"


@pytest.mark.parametrize(("cache", "temperature", "asked"), [("true", "0", 1), ("true", "0.15", 2), ("false", "0", 2)])
async def test_a_task_that_is_given_again_is_answered_from_memory_where_that_is_meant(
    tmp_path: Path, cache: str, temperature: str, asked: int
) -> None:
    manifest = parse(TEXT.format(cache=cache, temperature=temperature), tmp_path / "ringfence.yaml")
    model = ScriptedModel(lambda prompt: final("it is so"))
    async with from_manifest(manifest, model=model) as agent:
        first, again = await agent.run("Is it so?"), await agent.run("Is it so?")
        assert (first.answer, again.answer) == ("it is so", "it is so")
        assert len(model.prompts) == asked
        records = agent.journal.log.read(again.run_id)
    said = next(r for r in records if r.kind is Kind.OUTCOME and "usage" in r.view)
    assert said.body["value"].get("cached_reply", False) is (asked == 1)
    assert (said.view["usage"] == {"prompt": 0, "completion": 0, "cached": 0}) is (asked == 1)
    assert (again.usage["prompt"] == 0) is (asked == 1)


async def test_weights_that_were_exchanged_behind_a_name_give_no_old_answer(tmp_path: Path) -> None:
    tags, said = {"models": [{"name": "m", "digest": "old"}]}, iter(("old", "new"))
    server = ScriptedServer(lambda asked: final(f"{next(said)} weights say so"), model="m", pages={"/api/tags": tags})
    async with listen(server):
        text = TEXT.replace("llamacpp", "ollama").format(cache="true", temperature="0")
        manifest = parse(text.replace("model: m", f'model: m, endpoint: "{server.url}"'), tmp_path / "ringfence.yaml")
        async with from_manifest(manifest) as agent:
            before = [(await agent.run("Is it so?")).answer for _ in range(2)]
            tags["models"][0]["digest"] = "new"
            after = (await agent.run("Is it so?")).answer
    assert (before, after) == (["old weights say so"] * 2, "new weights say so")


def test_another_agent_keeps_nothing_of_it(tmp_path: Path) -> None:
    manifest = parse(TEXT.format(cache="true", temperature="0"), tmp_path / "ringfence.yaml")
    model = ScriptedModel(lambda prompt: final("it is so"))
    for _ in range(2):
        from_manifest(manifest, model=model).run_sync("Is it so?")
    assert len(model.prompts) == 2
    assert not list(tmp_path.rglob("*cache*"))  # nothing of it lies on the disk
