"""What the tiny real model on the embedded server can do, counted and tried; the model is fetched once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringfence.backends import Backend, examined, findings, from_manifest, models
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.manifest.types import Inference

pytestmark = pytest.mark.model
TINY = "smollm2-135m"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"enough": {"type": "boolean"}, "answer": {"enum": ["red", "blue"]}},
        "required": ["enough", "answer"],
        "additionalProperties": False,
    }
).encode()
PROMPT = Prompt(
    (
        b'{"role":"system","content":"Be brief."}',
        '{"role":"user","content":"Nenne eine Farbe: \U0001f534 oder 青?  <|im_end|>"}'.encode(),
    ),
    schema=SCHEMA,
    max_tokens=48,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the model and nothing running."""
    weights = asyncio.run(models.pull(TINY, models.data_home()))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.name).symlink_to(weights)
    return tmp_path


@pytest.fixture
async def tier(home: Path) -> AsyncIterator[tuple[Backend, Inference]]:
    """The model on a server of its own, which leaves soon after."""
    one = {"provider": "embedded", "model": TINY, "max_context": 1024, "idle_s": 1, "logprobs": True, "seed": 3}
    inference = Inference.model_validate({"tiers": [one], "temperature": 0})
    backend = from_manifest(inference.tiers[0], inference, home=home)
    yield backend, inference
    await backend.aclose()


async def test_the_servers_own_count_is_what_it_then_reads_and_its_doubts_are_told(
    tier: tuple[Backend, Inference],
) -> None:
    backend, _ = tier
    counted = await backend.count(PROMPT)
    done = await backend.sink.perform(Action("model:m", {}, IDENTITY, PROMPT))
    assert done.value["usage"]["prompt"] == counted
    assert "truncated" not in done.value
    assert done.value["how"] == "grammar"
    assert 0.0 <= done.value["sure"] <= 1.0
    assert set(json.loads(done.value["text"])) == {"enough", "answer"}


async def test_what_it_can_do_is_found_kept_and_used_for_this_very_file(
    tier: tuple[Backend, Inference], home: Path
) -> None:
    backend, inference = tier
    found = await backend.sink.examine(lambda text: None)
    assert {row.name: row.said for row in found.rows if row.name in ("window", "too long", "grammar", "tokenizer")} == {
        "window": "yes",
        "too long": "yes",
        "grammar": "yes",
        "tokenizer": "yes",
    }
    assert (found.window, found.grammar, found.tokenizer) == (1024, "json_schema", "llamacpp")
    assert not found.native  # 135M parameters: no call, even where one is required
    assert found.holds("logprobs")
    assert found.identity == models.digest(TINY, home)
    findings.save(home, found)
    assert examined(inference.tiers[0], home=home) == found
