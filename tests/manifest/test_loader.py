# ruff: noqa: E501 (the manifests are written as they came)
"""Manifests that load: the sketch of the design, those written for other agents, flat and tiered, there and back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ringfence.app.house import furnish
from ringfence.engine.mapreduce import SPEC as READ_ALL
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.manifest.loader import dump, load, parse
from ringfence.manifest.types import ALWAYS_THERE, TOOLS_OF, Manifest, McpTool, Sandbox

SKETCH = """\
runtime: {name: ops-assistant, profile: default, telemetry: false}
inference:
  tiers:
    - {name: small, provider: embedded, model: qwen2.5-coder-1.5b}
    - {name: large, provider: openai, endpoint: "http://gpu-01:8000/v1", model: llama3.1:8b, audience: [role:ops]}
  temperature: 0.15
  max_context: 8192
tools:
  - {name: files, type: builtin, permissions: [read, grep], target_paths: [./runbooks, ./logs], callers: [role:ops]}
  - {name: shell, type: builtin, allow: [df, uptime, "kubectl get"], sandbox: {cpu_s: 10, memory_mb: 256}}
  - {name: code-scanner, type: mcp, server_url: "http://127.0.0.1:8090/mcp", permissions: [read, grep]}
  - {name: patch-applier, type: mcp, command: [python, server.py], permissions: [write], sandbox: true, max_file_size_mb: 5}
knowledge:
  collections: [{name: runbooks, path: ./runbooks, readers: [role:ops]}]
workflow: {max_steps: 20, checkpoint_interval: 5, error_handling: retry_with_context, output_format: structured_json,
           limits: {files.search: 2}, tool_first: true, max_tokens: 20000}
"""

PRODUCTION = """\
# production-agent-config.yaml
runtime:
  name: prod-tool-agent
  log_level: info
  telemetry: false

inference:
  provider: ollama
  endpoint: http://127.0.0.1:11434
  model: llama3.1:8b-instruct-q4_K_M
  max_context: 8192
  temperature: 0.15
  top_p: 0.9

tools:
  - name: code-scanner
    type: mcp
    server_url: http://127.0.0.1:8090
    permissions: [read, grep]
    target_paths: ["/workspace/src", "/workspace/tests"]
  - name: patch-applier
    type: mcp
    server_url: http://127.0.0.1:8091
    permissions: [write]
    sandbox: true
    max_file_size_mb: 5

workflow:
  max_steps: 20
  checkpoint_interval: 5
  error_handling: retry_with_context
  output_format: structured_json
"""

SOVEREIGN = """\
# agent-manifest.yaml
runtime:
  name: sovereign-agent
  version: "1.2.0"

inference:
  provider: ollama
  endpoint: http://localhost:11434
  model: qwen2.5-coder:7b-instruct
  max_tokens: 4096
  temperature: 0.2

tools:
  - name: filesystem-reader
    type: mcp
    server_url: http://localhost:8090/mcp
    permissions: [read]
  - name: command-executor
    type: mcp
    server_url: http://localhost:8091/mcp
    permissions: [execute]
    sandbox: true

workflow:
  max_steps: 15
  checkpoint_interval: 3
  error_handling: retry_with_context
"""


def test_the_sketch_of_the_design_loads() -> None:
    manifest = parse(SKETCH, "ringfence.yaml")
    small, large = manifest.inference.tiers
    assert (small.provider, small.endpoint, large.audience) == ("embedded", None, ("role:ops",))
    assert manifest.tools[0].target_paths == (Path("runbooks"), Path("logs"))
    assert manifest.tools[1].sandbox == Sandbox(cpu_s=10, memory_mb=256)
    assert manifest.workflow.limits == {"files.search": 2}
    assert manifest.knowledge.collections[0].readers == ("role:ops",)


def test_the_values_beside_the_tiers_are_defaults_of_each_tier() -> None:
    text = """\
inference:
  temperature: 0.5
  max_context: 4096
  tiers:
    - {name: a, provider: embedded, model: m, temperature: 0.1}
    - {name: b, provider: vllm, model: m}
"""
    a, b = parse(text, "m.yaml").inference.tiers
    assert [(t.temperature, t.max_context, t.top_p) for t in (a, b)] == [(0.1, 4096, None), (0.5, 4096, None)]


def test_the_manifests_of_another_agent_load_unchanged() -> None:
    production, sovereign = parse(PRODUCTION, "production.yaml"), parse(SOVEREIGN, "sovereign.yaml")
    (tier,) = production.inference.tiers
    assert (tier.name, tier.top_p, tier.max_context) == ("main", 0.9, 8192)
    scanner = production.tools[0]
    assert isinstance(scanner, McpTool)
    assert scanner.server_url == "http://127.0.0.1:8090"  # without a path it is used as it is
    assert sovereign.runtime.version == "1.2.0"
    assert sovereign.inference.tiers[0].max_tokens == 4096


@pytest.mark.parametrize(
    ("provider", "endpoint"),
    [
        ("ollama", "http://127.0.0.1:11434"),
        ("llamacpp", "http://127.0.0.1:8080"),
        ("vllm", "http://127.0.0.1:8000"),
        ("lmstudio", "http://127.0.0.1:1234"),
        ("embedded", None),
    ],
)
def test_a_well_known_server_has_its_usual_address(provider: str, endpoint: str | None) -> None:
    manifest = parse(f"inference: {{provider: {provider}, model: m}}", "m.yaml")
    assert manifest.inference.tiers[0].endpoint == endpoint


@pytest.mark.parametrize("text", [SKETCH, PRODUCTION, SOVEREIGN])
def test_what_is_dumped_loads_to_the_same_manifest(text: str) -> None:
    manifest = parse(text, "m.yaml")
    assert parse(dump(manifest), "m.yaml") == manifest


def test_a_manifest_is_read_from_a_file_and_its_folder_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_bytes(b"\xef\xbb\xbf" + SOVEREIGN.encode())
    manifest = load(tmp_path / "m.yaml")
    assert manifest.root == tmp_path
    assert manifest == load(str(tmp_path / "m.yaml"))


def test_a_relative_path_is_made_absolute_so_that_the_root_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.yaml").write_text(SOVEREIGN)
    monkeypatch.chdir(tmp_path)
    manifest = load("m.yaml")
    monkeypatch.chdir("/")
    assert manifest.root == tmp_path


def test_an_alias_stands_for_what_it_names() -> None:
    text = (
        "inference: {provider: embedded, model: m}\ntools:\n- {name: files, type: builtin, target_paths: &p [a, b]}\n"
    )
    text += "- {name: csv, type: builtin, target_paths: *p}\n"
    files, csv = parse(text, "m.yaml").tools
    assert files.target_paths == csv.target_paths == (Path("a"), Path("b"))


def test_a_number_with_a_colon_is_text_and_a_quoted_number_too() -> None:
    text = 'runtime: {version: 1:30}\ninference: {provider: embedded, model: "7"}\n'
    manifest = parse(text, "m.yaml")
    assert (manifest.runtime.version, manifest.inference.tiers[0].model) == ("1:30", "7")


def test_a_manifest_is_loaded_within_twenty_milliseconds() -> None:
    """On a machine where PyYAML alone takes eight or less; a slower one is given as many times as long."""

    def took(what: Callable[[], object]) -> float:
        began = time.process_time()
        what()
        return time.process_time() - began

    rounds = [(took(lambda: yaml.safe_load(SKETCH)), took(lambda: parse(SKETCH, "m.yaml"))) for _ in range(9)]
    floor, ours = (min(times) for times in zip(*rounds, strict=True))
    assert ours < max(0.020, 2.5 * floor), f"{ours * 1000:.1f} ms, PyYAML alone {floor * 1000:.1f} ms"


def test_a_manifest_in_code_is_checked_as_one_in_a_file() -> None:
    with pytest.raises(ValueError, match="got neither"):
        McpTool(name="x", type="mcp")
    assert (
        Manifest.model_validate({"inference": {"tiers": [{"provider": "embedded", "model": "m"}]}}).root == Path.cwd()
    )


def test_a_limit_may_name_any_tool_there_can_be() -> None:
    """Those of the listed groups, the runtime's own, and whatever a server of somebody else may have."""
    text = """\
inference: {provider: embedded, model: m}
tools:
  - {name: files, type: builtin}
  - {name: calc, type: builtin}
  - {name: tickets, type: mcp, server_url: "http://localhost:1/mcp"}
workflow: {limits: {files.find: 1, calc: 2, read_more: 3, tickets.anything: 4}}
"""
    assert sum(parse(text, "m.yaml").workflow.limits.values()) == 10


def test_the_tools_that_a_limit_may_name_are_those_that_are_made(tmp_path: Path) -> None:
    needs = {
        "files": "target_paths: [.], permissions: [read, grep, write]",
        "text": "target_paths: [.]",
        "csv": "target_paths: [.]",
        "shell": "allow: [df], permissions: [execute]",
        "web": "hosts: [docs.example.com]",
        "http": "hosts: [docs.example.com]",
        "sql": "database: ./data.db",
        "python": "permissions: [execute]",
    }
    sqlite3.connect(tmp_path / "data.db").close()
    groups = [f"{{name: {name}, type: builtin, {needs.get(name, '')}}}" for name in TOOLS_OF]
    text = f"inference: {{provider: ollama, model: m}}\ntools: [{', '.join(groups)}]\n"
    text += "knowledge: {collections: [{name: k, path: .}]}\n"
    house = furnish(parse(text, tmp_path / "m.yaml"), [], clock=lambda: 0)
    made = {name.removeprefix("tool:") for name in house.specs if name.startswith("tool:")}
    assert made == {name for names in TOOLS_OF.values() for name in names} | set(ALWAYS_THERE)
    assert {READ_MORE.name, READ_ALL.name} < {f"tool:{name}" for name in ALWAYS_THERE}
