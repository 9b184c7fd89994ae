# ruff: noqa: E501 (the manifests are written out)
"""The JSON Schema for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped,unused-ignore]

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import parse, schema
from ringfence.manifest.templates import template, templates

SKETCH = """\
inference:
  tiers: [{name: a, provider: embedded, model: m}, {name: b, provider: vllm, model: m, audience: [role:ops]}]
  temperature: 0.15
tools:
  - {name: files, type: builtin, target_paths: [./logs], sandbox: {cpu_s: 10}}
  - {name: scanner, type: mcp, server_url: "http://127.0.0.1:8090/mcp", permissions: [read, grep], sandbox: true}
knowledge: {collections: [{name: a, path: b}]}
workflow: {limits: {files.search: 2}}
"""
SAFETY = """\
inference: {provider: embedded, model: m}
tools:
  - name: http
    type: builtin
    hosts: [docs.example.com:8443, {host: "*.example.org", methods: [GET], headers: {Authorization: "Bearer ${T}"}}]
    rate: 30/minute
  - {name: sql, type: builtin, database: "${DATABASE_URL}"}
  - {name: shell, type: builtin, allow: [df], secrets: {TOKEN: "${T}"}}
catalogue:
  shell.run: {effect: commit, args: {argv: control, note: {role: text, type: path}}, output: {/a: id, /b: {type: date}}}
grant: {effects: [shell.run], budgets: {http.call: 2}, planned: true}
approvals: {approvers: [role:lead], four_eyes: true}
sandbox: bubblewrap
plugins: {require_signature: true, keys: {us: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
"""


def _valid(text: str) -> bool:
    return bool(Draft202012Validator(schema()).is_valid(yaml.safe_load(text)))


def test_it_is_a_schema_of_the_2020_draft_and_plain_json() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("text", [SKETCH, SAFETY, *map(template, templates())])
def test_what_loads_is_valid(text: str) -> None:
    parse(text, "m.yaml")
    assert _valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "runtime: {name: a}",
        "inference: {provider: olama, model: m}",
        "inference: {provider: ollama, model: m, temprature: 1}",
        "inference: {provider: ollama, model: m, api_key: swordfish}",
        "inference: {provider: ollama, model: m}\nsource: x",
        "inference: {provider: ollama, model: m}\nworkflow: {max_steps: 0}",
        "inference: {provider: ollama, model: m}\ntools: [{name: m, type: foo}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: files, type: builtin, server_url: 'http://x'}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: web, type: builtin, hosts: [7]}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: web, type: builtin, hosts: [{host: 'http://x'}]}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: web, type: builtin, hosts: [{host: a, headers: {A: b}}]}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: shell, type: builtin, secrets: {A: swordfish}}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: calc, type: builtin, rate: often}]",
        "inference: {provider: ollama, model: m}\ntools: [{name: calc, type: builtin}]\ncatalogue: {calc: {args: {a: b}}}",
        "inference: {provider: ollama, model: m}\ntools: [{name: calc, type: builtin}]\ncatalogue: {calc: {output: {a: b}}}",
        "inference: {provider: ollama, model: m}\nsandbox: none",
        "inference: {provider: ollama, model: m}\ngrant: {effects: files.write}",
    ],
)
def test_what_an_editor_can_see_is_wrong_is_invalid_in_both(text: str) -> None:
    assert not _valid(text)
    with pytest.raises(ManifestError):
        parse(text, "m.yaml")


def test_a_variable_may_stand_for_a_number_and_for_a_choice() -> None:
    assert _valid(
        "inference: {provider: '${P:-ollama}', model: m, temperature: '${T:-1}'}\nworkflow: {max_steps: '${N}'}"
    )


def test_inference_is_flat_or_tiered() -> None:
    choices = schema()["properties"]["inference"]["anyOf"]
    assert choices == [{"$ref": "#/$defs/Flat"}, {"$ref": "#/$defs/Inference"}]


def test_a_shorthand_is_one_choice_beside_the_mapping() -> None:
    parts = schema()["$defs"]
    host = parts["BuiltinTool"]["properties"]["hosts"]["items"]
    assert host == {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Host"}]}
    leaf = next(iter(parts["Entry"]["properties"]["output"]["patternProperties"].values()))
    role = parts["Entry"]["properties"]["args"]["additionalProperties"]
    for choices, full in ((leaf, "Leaf"), (role, "Argument")):
        assert {"$ref": f"#/$defs/{full}"} in choices["anyOf"]
        assert len(choices["anyOf"]) == 2


def _keys(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner in (part, *part["$defs"].values()):
        yield from owner.get("properties", {}).items()


def test_every_key_is_described() -> None:
    assert [key for key, told in _keys(schema()) if not told.get("description") and key != "type"] == []
