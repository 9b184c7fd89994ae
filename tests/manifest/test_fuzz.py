"""Whatever a file holds, it is a manifest or a ManifestError; and what is dumped is what was loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import dump, load, parse
from ringfence.manifest.types import Sampling, Tier, Workflow

_QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def _fault(load_it: Callable[[], object]) -> str:
    """What a ManifestError told, or nothing; any other exception fails the test."""
    try:
        load_it()
    except ManifestError as error:
        return str(error)
    return ""


def _told_well(told: str) -> bool:
    return "expected" in told and "->" in told and not any(w in told for w in ("pydantic", "Input should", "valid "))


def _manifest_or_error(text: str) -> None:
    told = _fault(lambda: parse(text, "m.yaml"))
    if told:
        assert _told_well(told), told
    else:
        manifest = parse(text, "m.yaml")
        assert parse(dump(manifest), "m.yaml") == manifest


@_QUIET
@given(st.binary())
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.yaml").write_bytes(data)
    told = _fault(lambda: load(tmp_path / "m.yaml"))
    assert _told_well(told), told  # no manifest is found by chance


@given(st.text(alphabet=st.sampled_from(list("abc:-&*!|>%@`'\"{}[],?#~<=$ \n\t01.\\xuU_/é"))))
def test_any_text_of_the_characters_that_mean_something_in_yaml(text: str) -> None:
    _manifest_or_error(text)


WORDS = st.sampled_from(
    [
        "name", "type", "builtin", "mcp", "python", "files", "calc", "shell", "provider", "embedded", "ollama",
        "openai", "model", "endpoint", "tiers", "role:ops", "public", "http://x:1/v1", "a:b", "max_steps", "limits",
        "temperature", "api_key", "${A}", "${A:-3}", "$${A}", "true", "7", "-1", "0.5", "null", "cpu_s", "sandbox",
    ]
)  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**18), st.floats(), WORDS, st.text(max_size=8))
KEYS = st.one_of(st.sampled_from(sorted({*Tier.model_fields, *Workflow.model_fields, "type", "tiers"})), WORDS)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


@_QUIET
@given(
    st.dictionaries(
        st.sampled_from(["runtime", "inference", "tools", "knowledge", "workflow", "source", "x"]),
        TREES
        | st.lists(st.dictionaries(KEYS, TREES, max_size=5), max_size=3)
        | st.dictionaries(KEYS, TREES, max_size=5),
    )
)
def test_any_tree_of_known_words_in_the_wrong_places(tree: dict[str, Any]) -> None:
    _manifest_or_error(yaml.safe_dump(tree, allow_unicode=True))


def _optional(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=parts)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ["${A}", "$${A}", "7", "1.5", "yes", "null", "1:30", "2020-01-01", " a ", "a\nb", "#a", "-", "{", "a: b", "~"]
)
READERS = st.lists(st.sampled_from(["role:ops", "user:alice", "team:a", "public"]), max_size=2)
SAMPLING = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0.01, 1),
    "max_context": st.integers(100_000, 200_000),
    "max_tokens": st.integers(16, 4096),
}
TIER = st.fixed_dictionaries(
    {"provider": st.sampled_from(["ollama", "vllm"]), "model": TEXTS},
    optional={
        **SAMPLING,
        "audience": READERS,
        "api_key": st.sampled_from(["${MY_KEY}", "${B}"]),
        "timeout_s": st.floats(0.1, 1e6),
        "endpoint": st.sampled_from(["http://h:1", "https://[::1]/v1"]),
    },
)
TOOL = st.fixed_dictionaries(
    {"type": st.just("mcp"), "command": st.lists(TEXTS, min_size=1, max_size=3)},
    optional={
        "target_paths": st.lists(TEXTS, max_size=2),
        "readers": READERS,
        "sandbox": st.booleans() | _optional(cpu_s=st.floats(0.1, 100), memory_mb=st.integers(16, 10**6)),
        "max_file_size_mb": st.floats(0.001, 1e9),
    },
)


def _named(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": f"n{n}", **item} for n, item in enumerate(items)]


MANIFESTS = st.fixed_dictionaries(
    {
        "inference": TIER
        | st.fixed_dictionaries({"tiers": st.lists(TIER, min_size=1, max_size=3).map(_named)}, optional=SAMPLING)
    },
    optional={
        "runtime": _optional(name=NAMES, version=TEXTS, profile=st.sampled_from(["strict", "default"])),
        "tools": st.lists(TOOL, max_size=3).map(_named),
        "workflow": _optional(max_steps=st.integers(1, 1000), tool_first=st.booleans(), history=st.integers(0, 9)),
    },
)


def _escaped(value: Any) -> Any:
    match value:
        case dict():
            return {key: item if key == "api_key" else _escaped(item) for key, item in value.items()}
        case list():
            return [_escaped(item) for item in value]
        case str():
            return value.replace("${", "$${")
    return value


@_QUIET
@given(MANIFESTS)
def test_what_is_dumped_loads_to_the_same_manifest(tree: dict[str, Any]) -> None:
    manifest = parse(yaml.safe_dump(_escaped(tree), allow_unicode=True), "m.yaml")
    assert manifest.inference.tiers[0].model == (tree["inference"].get("tiers") or [tree["inference"]])[0]["model"]
    assert parse(dump(manifest), "m.yaml") == manifest
    assert dump(parse(dump(manifest), "m.yaml")) == dump(manifest)


def test_a_manifest_cannot_be_changed() -> None:
    sampling: Any = Sampling()
    with pytest.raises(ValueError, match="frozen"):
        sampling.temperature = 1.0
