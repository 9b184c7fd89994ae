"""What `init` says in plain words of a manifest, and the templates it writes."""

from __future__ import annotations

from pathlib import Path

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
    found = {n.path: n.text for n in plain_words(parse(text, "m.yaml")) if n.level == "warn"}
    if "type: mcp" in text:
        assert "ringfence.lock" in found.pop("tools")  # said wherever there is a server and no lock beside the manifest
    return found


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


TOOLS = "inference: {provider: embedded, model: m}\ntools:\n"


def test_a_permission_that_gives_nothing_and_a_shell_without_commands_are_said() -> None:
    text = TOOLS + "- {name: csv, type: builtin, permissions: [read, write]}\n- {name: shell, type: builtin}\n"
    text += "- {name: files, type: builtin, permissions: [write, execute], sandbox: false}\n"
    assert warnings(text) == {
        "tools[0].permissions": "csv has no tool for it: write gives nothing",
        "tools[1].allow": "no command is named: none may be run",
        "tools[2].permissions": "files has no tool for it: execute gives nothing",
        "tools[2].sandbox": (
            "false changes nothing: whatever touches the world is confined; `sandbox` at the top says how"
        ),
    }


def test_what_confines_nothing_is_shouted_before_anything_else() -> None:
    text = "sandbox: unsafe-none\nruntime: {telemetry: true}\ninference: {provider: embedded, model: m}"
    first, *_ = [n for n in plain_words(parse(text, "m.yaml")) if n.level == "warn"]
    assert first.path == "sandbox"
    assert first.text.startswith("UNSAFE: NOTHING CONFINES THE TOOLS.")
    assert "sandbox" not in warnings(text.replace("unsafe-none", "landlock"))


def test_hosts_that_let_more_out_than_they_seem_are_said() -> None:
    hosts = "[{host: '*.example.org', audience: [public]}, {host: wiki, private: true}]"
    text = TOOLS + f"- {{name: web, type: builtin, hosts: {hosts}}}\n"
    text += "- {name: shell, type: builtin, allow: [curl], hosts: [{host: a, paths: [/x], audience: [public]}]}\n"
    assert warnings(text) == {
        "tools[0].hosts[0].host": (
            "*.example.org is every name below it: whoever can make one there can be sent data; name the hosts"
        ),
        "tools[0].hosts[1].audience": (
            "nobody is named who sees what is sent to wiki: it asks before anything of a user's goes there"
        ),
        "tools[0].hosts[1].private": (
            "wiki may lead into your own network: whatever answers there can be asked by the model's calls"
        ),
        "tools[1].hosts[0].paths": (
            "inside a program's own TLS Ringfence sees the host alone: methods and paths are not held there"
        ),
    }


def test_secrets_that_are_not_set_are_said_by_name() -> None:
    text = TOOLS + "- {name: sql, type: builtin, database: '${NEVER_A}'}\n"
    text += "- {name: http, type: builtin, hosts: [{host: a, audience: [public], headers: {X: 'Bearer ${NEVER_B}'}}]}\n"
    text += "- {name: shell, type: builtin, allow: [x], secrets: {T: '${NEVER_C}'}}\n"
    unset = "is not set: set it in the environment or in .env"
    assert warnings(text) == {
        "tools[0].database": f"NEVER_A {unset}",
        "tools[1].hosts[0].headers.X": f"NEVER_B {unset}",
        "tools[2].secrets.T": f"NEVER_C {unset}",
    }


def test_a_grant_without_effects_for_a_tool_that_may_write_is_said() -> None:
    text = TOOLS + "- {name: files, type: builtin, permissions: [read, write]}\n"
    assert warnings(text) == warnings(text + "grant: {effects: [files.write]}") == {}
    assert warnings(text + "grant: {effects: []}") == {
        "grant.effects": "no tool with an effect is in any task: files can change nothing, whatever is approved"
    }


def test_a_server_without_a_lock_or_on_another_machine_is_said(tmp_path: Path) -> None:
    text = TOOLS + "- {name: a, type: mcp, server_url: 'http://10.0.0.7/mcp'}\ncatalogue: {a.b: {confined: true}}\n"

    def said() -> dict[str, str]:
        return {n.path: n.text for n in plain_words(parse(text, tmp_path / "m.yaml")) if n.level == "warn"}

    assert said() == {
        "tools[0].server_url": (
            "http://10.0.0.7/mcp is another machine: arguments of its tools leave this one, and it can be read on the"
            " way: use https"
        ),
        "catalogue.a.b.confined": (
            "you vouch that nothing leaves by it, though it may reach beyond this machine: its arguments may then"
            " come from anywhere"
        ),
        "tools": (
            "there is no ringfence.lock: no tool of an MCP server can be called before a person accepts it;"
            " `ringfence lock`"
        ),
    }
    (tmp_path / "ringfence.lock").touch()
    assert "tools" not in said()


def test_what_approvals_hold_and_do_not_is_said() -> None:
    text = "inference: {provider: embedded, model: m}\napprovals: {approvers: [role:lead], four_eyes: true}\n"
    assert list(warnings(text)) == ["approvals.four_eyes"]
    assert warnings(text + "runtime: {profile: unattended}") == {
        "approvals": "under profile: unattended nobody is asked: whatever would ask is refused"
    }
    assert warnings("inference: {provider: embedded, model: m}\napprovals: {approvers: []}") == {
        "approvals.approvers": "nobody is named who may say yes: whatever asks is refused"
    }


def test_every_part_of_a_catalogue_is_said_by_its_name() -> None:
    text = TOOLS + "- {name: mail, type: mcp, command: [x]}\n"
    text += "catalogue: {mail.send: {effect: egress, args: {to: control}, output: {/id: id}}}\n"
    said = {n.path: n.text for n in plain_words(parse(text, "m.yaml")) if n.level == "info"}
    assert said["catalogue.mail.send.effect"] == "egress: what a call does to the world"
    assert said["catalogue.mail.send.args.to.role"].startswith("control: control: who, what, where, how much")
    assert said["catalogue.mail.send.output./id.type"].startswith("id: the kind of value")


def test_a_tier_that_is_never_asked_is_said() -> None:
    tiers = ", ".join(f"{{name: {name}, provider: ollama, model: m}}" for name in ("small", "large", "huge"))
    text = f"inference: {{tiers: [{tiers}]}}\n"
    assert warnings(text) == {}
    assert warnings(text + "routing: {classes: {complex: [large]}}") == {}
    classes = "{simple: [small], tool: [small], complex: [large, small]}"
    assert warnings(text + f"routing: {{classes: {classes}}}") == {
        "inference.tiers[2]": "no class of task names huge: it is never asked"
    }


def test_a_price_without_a_bound_is_said() -> None:
    tier = "name: cloud, provider: ollama, model: m, price: {input: 3, output: 15}"
    assert warnings(f"inference: {{tiers: [{{{tier}}}]}}") == {
        "inference.tiers[0].price": "it costs money, and nothing bounds how much: budgets: {money_per_day: ...}"
    }
    assert warnings(f"inference: {{tiers: [{{{tier}, budgets: {{money_per_day: 2}}}}]}}") == {}


@pytest.mark.parametrize("off", ["at_most: 0", "when: []"])
def test_that_nothing_goes_upstairs_is_said_where_there_is_an_upstairs(off: str) -> None:
    one = "{name: small, provider: ollama, model: m}"
    routing = f"\nrouting: {{escalate: {{{off}}}}}"
    assert warnings(f"inference: {{tiers: [{one}]}}{routing}") == {}
    assert warnings(f"inference: {{tiers: [{one}, {one.replace('small', 'large')}]}}{routing}") == {
        "routing.escalate": "a step never goes to the next tier, whatever comes back"
    }


def test_a_cache_that_keeps_nothing_is_said() -> None:
    both = "inference: {cache: true, tiers: [{provider: ollama, model: m, temperature: %s}]}"
    assert warnings(both % "0.15") == {
        "inference.cache": "nothing is kept of main: an answer can only be the same again at temperature: 0"
    }
    assert warnings(both % "0") == {}


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
