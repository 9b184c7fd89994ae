"""What `init` says in plain words of a manifest, and the templates it writes."""

from __future__ import annotations

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import parse
from ringfence.manifest.templates import template, templates
from ringfence.manifest.words import Notice, plain_words

FOREIGN = """\
runtime: {name: a, version: "1", log_level: info, telemetry: false}
inference: {provider: ollama, endpoint: "http://127.0.0.1:11434", model: m, max_context: 8192, temperature: 0.1}
tools:
  - {name: reader, type: mcp, server_url: "http://localhost:8090/mcp", permissions: [read], target_paths: [/srv]}
  - {name: runner, type: mcp, server_url: "http://localhost:8091/mcp", sandbox: true, max_file_size_mb: 5}
workflow: {max_steps: 15, checkpoint_interval: 3, error_handling: retry_with_context, output_format: structured_json}
"""


def warnings(text: str) -> dict[str, str]:
    return {n.path: n.text for n in plain_words(parse(text, "m.yaml")) if n.level == "warn"}


def test_every_key_that_was_written_is_said_with_its_value_and_meaning() -> None:
    said = {n.path: n.text for n in plain_words(parse(FOREIGN, "m.yaml")) if n.level == "info"}
    assert said["runtime.version"] == "1: your version of this manifest; each run's record carries it"
    assert said["runtime.telemetry"].startswith("false: nothing is ever sent home")
    assert said["workflow.max_steps"] == "15: model calls of one run, at most"
    assert said["workflow.error_handling"].endswith(
        "fail: the run ends at the first tool that fails, or step that cannot be read"
    )
    assert said["tools[0].permissions"] == "read: which of its tools may be called; checked on our side of the wire"
    assert len(said) == 4 + 5 + 5 + 5 + 4
    assert all(text.partition(": ")[2] for text in said.values())


def test_a_sandbox_around_a_server_of_somebody_else_cannot_be_promised() -> None:
    assert warnings(FOREIGN)["tools[1].sandbox"] == (
        "Ringfence cannot put a sandbox around a server that it does not start; its permissions and paths are enforced"
        " on our side of the wire"
    )
    assert "tools[0].sandbox" not in warnings(FOREIGN)


def test_what_this_release_does_not_have_is_said() -> None:
    text = """\
inference: {provider: embedded, model: m}
tools:
  - {name: shell, type: builtin, allow: [df]}
  - {name: mine, type: python, function: a:b}
  - {name: started, type: mcp, command: [x], sandbox: true}
  - {name: files, type: builtin, permissions: [read, write]}
knowledge: {collections: [{name: a, path: b}]}
"""
    assert warnings(text) == {
        "tools[0]": "shell is read, but not available in this release: it cannot be called",
        "tools[1]": (
            "a function named in a manifest is read, but not available in this release: give it in code,"
            " ringfence.load(path, functions=[...])"
        ),
        "tools[2]": "an MCP server is read, but not available in this release: started cannot be called",
        "tools[3].permissions": "the tools of this release only read: write gives nothing",
        "knowledge": "knowledge is read, but not available in this release: the agent searches no collection",
    }


def test_a_tier_that_is_never_asked_is_said() -> None:
    tiers = ", ".join(f"{{name: {name}, provider: ollama, model: m}}" for name in ("small", "large", "huge"))
    assert warnings(f"inference: {{tiers: [{tiers}]}}") == {
        f"inference.tiers[{n}]": (
            f"{name} is read, but never asked in this release (escalation comes later): every step goes to small"
        )
        for n, name in ((1, "large"), (2, "huge"))
    }


def test_a_model_server_elsewhere_without_an_audience_takes_public_content_only() -> None:
    text = "inference: {provider: openai, endpoint: 'http://gpu-01/v1', model: m, api_key: '${NEVER_SET_HERE}'}"
    assert warnings(text) == {
        "inference.tiers[0].audience": (
            "http://gpu-01/v1 is another machine and nobody is named who can see it: takes public content only"
        ),
        "inference.tiers[0].endpoint": (
            "what is sent to http://gpu-01/v1 and the key can be read on the way: use https, or a network you trust"
        ),
        "inference.tiers[0].api_key": "NEVER_SET_HERE is not set: set it in the environment or in .env",
    }


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.8.8.8", "[::1]:80"])
def test_a_server_on_loopback_is_not_elsewhere(host: str) -> None:
    assert warnings(f"inference: {{provider: vllm, model: m, endpoint: 'http://{host}/v1'}}") == {}


@pytest.mark.parametrize("host", ["localhost.example", "10.0.0.1", "127.0.0.1.example"])
def test_a_server_that_only_looks_like_loopback_is_elsewhere(host: str) -> None:
    said = warnings(f"inference: {{provider: vllm, model: m, endpoint: 'https://{host}/v1'}}")
    assert list(said) == ["inference.tiers[0].audience"]


def test_telemetry_cannot_be_switched_on() -> None:
    said = warnings("runtime: {telemetry: true}\ninference: {provider: embedded, model: m}")
    assert said == {"runtime.telemetry": "there is no telemetry that could be switched on: nothing is sent"}


def test_a_notice_is_a_value() -> None:
    assert Notice("info", "a", "b") == Notice("info", "a", "b")


def test_the_templates_load_and_name_the_tools_of_this_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert templates() == ["default", "ollama", "openai-compatible"]
    for name in templates():
        manifest = parse(template(name), f"{name}.yaml")
        assert {tool.name for tool in manifest.tools} == {"files", "text", "csv", "calc", "time"}
        assert [n for n in plain_words(manifest) if n.level == "warn"] == []
        assert "#" in template(name)
    assert parse(template("default"), "d.yaml").inference.tiers[0].model == "qwen2.5-coder-1.5b"


def test_an_unknown_template_names_the_known_ones() -> None:
    with pytest.raises(ManifestError) as caught:
        template("../types.py")
    assert str(caught.value) == (
        "expected a template, got '../types.py'\n"
        "  -> use one of default, ollama, openai-compatible: ringfence init --template NAME"
    )
