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
from ringfence.manifest.types import TOOLS_OF, BuiltinTool, Entry, Grant, Host, Manifest, Sampling, Tier, Workflow

_QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


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
        "web", "sql", "web.fetch", "shell.run", "host", "hosts", "h:1", "secrets", "headers", "database", "rate",
        "3/minute", "args", "output", "/a/*", "[key]", "control", "effect", "egress", "confined", "effects", "budgets",
        "planned", "approvers", "four_eyes", "role:a", "keys", "require_signature", "unsafe-none", "Bearer ${A}",
    ]
)  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**18), st.floats(), WORDS, st.text(max_size=8))
KEYS = st.one_of(
    st.sampled_from(
        sorted(
            {"type", "tiers"}.union(*(part.model_fields for part in (Tier, Workflow, BuiltinTool, Host, Entry, Grant)))
        )
    ),
    WORDS,
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


@_QUIET
@given(
    st.dictionaries(
        st.sampled_from([*Manifest.model_fields, "x", "[key]"]),
        TREES
        | st.lists(st.dictionaries(KEYS, TREES, max_size=5), max_size=3)
        | st.dictionaries(KEYS, TREES, max_size=5),
    )
)
def test_any_tree_of_known_words_in_the_wrong_places(tree: dict[str, Any]) -> None:
    _manifest_or_error(yaml.safe_dump(tree, allow_unicode=True))


@_QUIET
@given(
    st.sampled_from(["catalogue", "grant", "approvals", "plugins", "sandbox", "hosts", "secrets", "database", "rate"]),
    TREES | st.dictionaries(KEYS, TREES, max_size=3) | st.lists(TREES, max_size=3),
)
def test_any_tree_in_a_section_on_safety_of_an_otherwise_good_manifest(key: str, tree: Any) -> None:
    tool = {"name": "web", "type": "builtin", "hosts": ["a"]}
    good: dict[str, Any] = {"inference": {"provider": "ollama", "model": "m"}, "tools": [tool]}
    (tool if key in BuiltinTool.model_fields and key != "sandbox" else good)[key] = tree
    _manifest_or_error(yaml.safe_dump(good, allow_unicode=True))


@_QUIET
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6), st.sampled_from(range(5)))
def test_a_secret_written_out_is_never_repeated(text: str, place: int) -> None:
    """Whatever it looks like: the places of secrets take references, and say so without the value."""
    secret = f"swordfish{text}"
    tools: list[dict[str, Any]] = [
        {"name": "web", "hosts": [{"host": "a", "headers": {"A": secret}}]},
        {"name": "shell", "secrets": {"A": secret}},
        {"name": "shell", "secrets": secret},
        {"name": "web", "hosts": [{"host": "a", "headers": [secret]}]},
        {"name": "sql", "database": f"postgresql://me:{secret}@db/x"},
    ]
    whole = {"inference": {"provider": "ollama", "model": "m"}, "tools": [{**tools[place], "type": "builtin"}]}
    told = _fault(lambda: parse(yaml.safe_dump(whole), "m.yaml"))
    assert told
    assert "swordfish" not in told


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


HOSTS = st.lists(
    st.sampled_from(["a.example:1", "b", "[::1]:8", "*.c"])
    | st.fixed_dictionaries(
        {"host": st.sampled_from(["a", "*.b", "10.0.0.7"])},
        optional={
            "port": st.integers(1, 65535),
            "methods": st.lists(st.sampled_from(["GET", "POST"]), min_size=1, max_size=2),
            "headers": st.just({"Authorization": "Bearer ${MY_KEY}"}),
            "private": st.booleans(),
            "audience": READERS,
        },
    ),
    min_size=1,
    max_size=2,
)
BUILTINS = st.lists(
    st.sampled_from(["sql", "http", "shell"]).flatmap(
        lambda name: st.fixed_dictionaries(
            {
                "name": st.just(name),
                "type": st.just("builtin"),
                **({"database": st.sampled_from(["${B}", "./a.db"])} if name == "sql" else {}),
                **({"hosts": HOSTS} if name != "sql" else {}),
                **({"secrets": st.just({"B": "${MY_KEY}"}), "allow": st.just(["df"])} if name == "shell" else {}),
            },
            optional={"rate": st.sampled_from(["3/minute", "1/10 seconds"])},
        )
    ),
    unique_by=lambda tool: str(tool["name"]),
    max_size=3,
)
ENTRY = _optional(
    effect=st.sampled_from(["read", "write", "commit"]),
    args=st.dictionaries(TEXTS, st.sampled_from(["control", "text", {"role": "low", "type": "id"}]), max_size=2),
    output=st.dictionaries(
        st.sampled_from(["", "/a", "/*/b"]), st.sampled_from(["id", {"type": "a", "readers": ["role:a"]}]), max_size=2
    ),
    confined=st.booleans(),
    audience=st.lists(st.sampled_from(["self", "public", "role:a"]), max_size=2),
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
        "approvals": _optional(approvers=st.just(["role:a"]), four_eyes=st.just(False), valid_s=st.integers(1, 9)),
        "sandbox": st.sampled_from(["auto", "bubblewrap", "landlock", "unsafe-none"]),
        "plugins": st.just({"require_signature": True, "keys": {"us": "A" * 43 + "="}}),
        "workflow": _optional(max_steps=st.integers(1, 10_000), tool_first=st.booleans(), history=st.integers(0, 9)),
    },
)


def _escaped(value: Any) -> Any:
    match value:
        case dict():
            secret = {"api_key", "secrets", "headers", "database"}
            return {key: item if key in secret else _escaped(item) for key, item in value.items()}
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


@_QUIET
@given(BUILTINS, st.lists(ENTRY, max_size=2))
def test_tools_with_hosts_and_their_catalogue_are_dumped_as_they_were_loaded(
    tools: list[dict[str, Any]], entries: list[dict[str, Any]]
) -> None:
    made = [name for tool in tools for name in TOOLS_OF[tool["name"]]]
    tree = {
        "inference": {"provider": "ollama", "model": "m"},
        "tools": tools,
        "catalogue": dict(zip(made, entries, strict=False)),
        "grant": {"effects": made, "budgets": dict.fromkeys(made, 2)},
    }
    manifest = parse(yaml.safe_dump(_escaped(tree), allow_unicode=True), "m.yaml")
    assert list(manifest.grant.effects or ()) == made
    assert parse(dump(manifest), "m.yaml") == manifest
