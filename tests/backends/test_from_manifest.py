"""Tiers of a manifest become backends with the right audience."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends import Backend, findings, from_manifest, identity
from ringfence.core.errors import BackendError
from ringfence.core.labels import ANYONE, IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.manifest.types import Inference
from ringfence.testing import ScriptedServer, listen

ACTION = Action("model:main", {}, IDENTITY, Prompt((b'{"role":"user","content":"hi"}',)))


def backend(home: Path, **tier: Any) -> Backend:
    inference = Inference.model_validate({"tiers": [{"model": "m", **tier}], "temperature": 0.5})
    return from_manifest(inference.tiers[0], inference, home=home)


@pytest.mark.parametrize(
    ("tier", "audience"),
    [
        ({"provider": "embedded"}, None),
        ({"provider": "ollama"}, None),
        ({"provider": "openai", "endpoint": "http://127.9.9.9:1/v1"}, None),
        ({"provider": "openai", "endpoint": "http://[::1]:1/v1"}, None),
        ({"provider": "openai", "endpoint": "http://localhost:1"}, None),
        ({"provider": "openai", "endpoint": "http://gpu-01:8000/v1"}, ANYONE),
        ({"provider": "openai", "endpoint": "http://127.0.0.1.example.com/v1"}, ANYONE),
        ({"provider": "openai", "endpoint": "http://gpu:1", "audience": ["role:ops"]}, {frozenset({"role:ops"})}),
        ({"provider": "ollama", "audience": ["public"]}, ANYONE),
        ({"provider": "ollama", "audience": ["role:a", "user:b"]}, {frozenset({"role:a"}), frozenset({"user:b"})}),
    ],
)
def test_the_audience_is_the_declared_one_or_follows_from_where_the_server_is(
    tmp_path: Path, tier: dict[str, Any], audience: Any
) -> None:
    assert backend(tmp_path, **tier).audience == audience


async def identified(home: Path, **tier: Any) -> str:
    made = backend(home, **tier)
    try:
        return await identity(Inference.model_validate({"tiers": [{"model": "m", **tier}]}).tiers[0], made, home)
    finally:
        await made.aclose()


async def test_a_model_is_told_from_another_one_under_its_name_by_what_its_server_says_of_it(tmp_path: Path) -> None:
    async def told(provider: str, pages: dict[str, Any]) -> str:
        async with listen(ScriptedServer(["x"], model="m", pages=pages)) as server:
            said = await identified(tmp_path, provider=provider, endpoint=server.url)
        return said.replace(server.url, "")

    tags = [{"/api/tags": {"models": [{"name": "m:latest", "digest": digest}, "?"]}} for digest in ("a", "a", "b")]
    one, same, other = [await told("ollama", pages) for pages in tags]
    assert one == same != other
    paths = [{"/props": {"model_path": path}} for path in ("/a.gguf", "/a.gguf", "/b.gguf")]
    one, same, other = [await told("llamacpp", pages) for pages in paths]
    assert one == same != other


async def test_a_server_that_lists_no_models_is_known_by_its_name_and_the_models(tmp_path: Path) -> None:
    where = "http://127.0.0.1:9/v1"
    assert await identified(tmp_path, provider="openai", endpoint=where) == f"openai {where} m "


async def test_the_seed_of_the_manifest_is_sent_and_probabilities_are_asked_for_where_the_tier_says_so(
    tmp_path: Path,
) -> None:
    async with listen(ScriptedServer(["x"])) as server:
        for more in ({"seed": 7, "logprobs": True}, {"seed": 0}):
            made = backend(tmp_path, provider="openai", endpoint=server.url, **more)
            await made.sink.perform(ACTION)
            await made.aclose()
    first, second = (body for _, body in server.seen)
    assert b'"seed":7' in first
    assert b'"logprobs":true' in first
    assert b'"seed":0' in second
    assert b"logprobs" not in second


@pytest.mark.parametrize(("tiers", "asks"), [(1, False), (2, True)])
async def test_a_tier_with_a_next_one_asks_for_probabilities_where_its_server_was_proved_to_tell_them(
    tmp_path: Path, tiers: int, asks: bool
) -> None:
    async with listen(ScriptedServer(["x"])) as server:
        one = {"name": "one", "provider": "openai", "endpoint": server.url, "model": "m"}
        inference = Inference.model_validate({"tiers": [one, {**one, "name": "two", "model": "n"}][:tiers]})
        made = from_manifest(inference.tiers[0], inference, home=tmp_path)
        told = (await made.probe()).identity
        await made.aclose()
        rows = (findings.Finding("logprobs", "yes", "told"),)
        url = str(inference.tiers[0].endpoint)
        findings.save(tmp_path, findings.Findings("openai", url, "m", told, 1, 1, rows))
        made = from_manifest(inference.tiers[0], inference, home=tmp_path)
        await made.sink.perform(ACTION)
        await made.aclose()
    assert (b'"logprobs":true' in server.seen[-1][1]) is asks


async def test_a_tier_takes_what_it_does_not_say_from_the_manifest_and_its_key_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPU_KEY", "k1")
    async with listen(ScriptedServer(["x"])) as server:
        made = backend(tmp_path, provider="openai", endpoint=server.url, top_p=0.9, api_key="${GPU_KEY}")
        await made.sink.perform(ACTION)
        await made.aclose()
    head, body = server.seen[-1]
    assert b'"temperature":0.5' in body
    assert b'"top_p":0.9' in body
    assert b"Bearer k1" in head


@pytest.mark.parametrize(("value", "said"), [("", "is not set"), ("k\nX-Other: 1", "characters that no key has")])
async def test_a_key_that_cannot_be_one_is_named_and_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("GPU_KEY", value)
    async with listen(ScriptedServer(["x"])) as server:
        made = backend(tmp_path, provider="openai", endpoint=server.url, api_key="${GPU_KEY}")
        with pytest.raises(BackendError, match=f"GPU_KEY.* {said}"):
            await made.sink.perform(ACTION)
        await made.aclose()
    assert server.requests == 0


async def test_an_embedded_model_that_is_not_here_says_how_to_fetch_it(tmp_path: Path) -> None:
    made = backend(tmp_path, provider="embedded", model="smollm2-135m")
    with pytest.raises(BackendError, match="ringfence models pull smollm2-135m"):
        await made.sink.perform(ACTION)


async def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    (tmp_path / "run").write_text("a file where a folder belongs")
    with pytest.raises(BackendError, match="state cannot be kept") as caught:
        await backend(tmp_path, provider="embedded", model=str(tmp_path / "own.gguf")).probe()
    assert "RINGFENCE_HOME" in caught.value.todo


async def test_without_the_local_extra_the_embedded_model_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr("ringfence.backends.embedded.find_spec", lambda name: None)
    with pytest.raises(BackendError, match="needs the package xllamacpp") as caught:
        await backend(tmp_path, provider="embedded", model=str(tmp_path / "own.gguf")).probe()
    assert "ringfence[local]" in caught.value.todo


def test_importing_the_package_loads_neither_a_client_nor_a_parser() -> None:
    heavy = "('aiohttp', 'pydantic', 'xllamacpp')"
    code = f"import sys, ringfence.backends.models; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
