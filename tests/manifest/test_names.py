"""Names of tools, arguments and parts of results, held against the tools that were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import check_names, load, parse, refusal
from ringfence.manifest.names import pointer_problem

MANIFEST = """\
inference: {provider: embedded, model: m}
tools:
- {name: mail, type: mcp, command: [server]}
- {name: crm, type: mcp, command: [server]}
catalogue:
  mail.send: {args: {to: control}, output: {/items/*/id: id}}
grant:
  effects: [mail.send]
  budgets: {mail.read: 3}
workflow:
  limits: {crm.find: 1, read_more: 2}
"""
ARGUMENTS: Any = {"type": "object", "properties": {"to": {}, "body": {}}}
RESULT: Any = {
    "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}},
    "$defs": {"Item": {"properties": {"id": {}, "by": {}}}},
}
MADE: dict[str, tuple[Any, Any]] = {"mail.send": (ARGUMENTS, RESULT), "mail.read": (None, None), "crm.find": ({}, None)}


def told(text: str, made: dict[str, tuple[Any, Any]], path: Path, absent: tuple[str, ...] = ()) -> list[str]:
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        check_names(load(path), made, absent=absent)
    return caught.value.what.replace(f"{path}:", "").splitlines()


def test_names_that_are_there_are_accepted() -> None:
    check_names(parse(MANIFEST, "m.yaml"), MADE)


def test_a_tool_that_was_not_made_is_named_at_each_place_with_the_nearest_one(tmp_path: Path) -> None:
    text = (
        MANIFEST.replace("mail.read", "mail.raed").replace("crm.find", "crm.fnd").replace("[mail.send]", "[mail.sned]")
    )
    assert told(text, MADE, tmp_path / "m.yaml") == [
        "8:13 grant.effects[0]: expected a tool that there is, got 'mail.sned'; did you mean 'mail.send'?",
        "9:24 grant.budgets.mail.raed: expected a tool that there is, got 'mail.raed'; did you mean 'mail.read'?",
        "11:21 workflow.limits.crm.fnd: expected a tool that there is, got 'crm.fnd'; did you mean 'crm.find'?",
    ]


def test_a_catalogue_of_a_tool_that_was_not_made_is_refused(tmp_path: Path) -> None:
    text = MANIFEST.replace("  mail.send:", "  mail.sendd:")
    assert told(text, MADE, tmp_path / "m.yaml") == [
        "6:15 catalogue.mail.sendd: expected a tool that there is, got 'mail.sendd'; did you mean 'mail.send'?"
    ]


def test_an_argument_and_a_pointer_that_there_are_not_are_refused(tmp_path: Path) -> None:
    text = MANIFEST.replace("{to: control}", "{too: control}").replace("/items/*/id", "/items/*/idd")
    assert told(text, MADE, tmp_path / "m.yaml") == [
        "6:27 catalogue.mail.send.args.too: expected an argument of mail.send, got 'too'; did you mean 'to'?",
        "6:60 catalogue.mail.send.output./items/*/idd: expected a part of the result, got 'idd'; did you mean 'id'?",
    ]


KEYED = MANIFEST.replace(
    "output: {/items/*/id: id}}",
    "idempotency_key: to,\n    reconcile: {by: crm.find, args: {of: $key, what: $args/body}, done: /id}}",
)
FOUND: Any = {**MADE, "crm.find": ({"properties": {"of": {}, "what": {}}}, None)}


def test_keys_and_lookups_that_there_can_be_are_accepted() -> None:
    check_names(parse(KEYED, "m.yaml"), FOUND, acting=["mail.send"])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "key: to",
            "key: too",
            "6:53 catalogue.mail.send.idempotency_key: expected an argument of mail.send, got 'too';",
        ),
        ("by: crm.find", "by: crm.fnd", "7:21 catalogue.mail.send.reconcile.by: expected a tool that there is, got"),
        (
            "by: crm.find",
            "by: mail.send",
            "7:21 catalogue.mail.send.reconcile.by: expected a tool that only reads, got",
        ),
        ("of: $key", "ov: $key", "7:42 catalogue.mail.send.reconcile.args.ov: expected an argument of crm.find, got"),
        ("$key", "$keys", "7:42 catalogue.mail.send.reconcile.args.of: expected $key or $args/NAME, got '$keys';"),
        ("$args/body", "$args/bodi", "7:54 catalogue.mail.send.reconcile.args.what: expected an argument of mail.send"),
        ("$args/body", "$args/to", "7:54 catalogue.mail.send.reconcile.args.what: expected an argument of mail.send"),
    ],
)
def test_a_key_or_a_lookup_that_there_cannot_be_is_refused_where_it_stands(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    text = KEYED.replace(old, new)
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        check_names(load(path), FOUND, acting=["mail.send"])
    assert caught.value.what.replace(f"{path}:", "").startswith(problem)


def test_a_lookup_by_a_tool_that_the_operator_calls_an_effect_is_refused_and_by_one_they_call_a_read_is_not(
    tmp_path: Path,
) -> None:
    text = KEYED.replace("catalogue:\n", "catalogue:\n  crm.find: {effect: EFFECT}\n")
    check_names(parse(text.replace("EFFECT", "read"), "m.yaml"), FOUND, acting=["mail.send", "crm.find"])
    assert "expected a tool that only reads" in told(text.replace("EFFECT", "write"), FOUND, tmp_path / "m.yaml")[0]
    with pytest.raises(ManifestError, match="expected a tool that only reads"):
        check_names(parse(KEYED, "m.yaml"), FOUND, acting=["mail.send", "crm.find"])


def test_a_lookup_by_a_tool_of_no_group_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(ManifestError, match=r"m.yaml:7:21 catalogue.mail.send.reconcile.by: .* got 'nobody'"):
        parse(KEYED.replace("by: crm.find", "by: nobody.find"), "m.yaml")
    with pytest.raises(ManifestError, match=r"m.yaml:7:21 catalogue.mail.send.reconcile.by: .* got 'nobody'"):
        parse(KEYED.replace("by: crm.find", "by: nobody.find").replace("limits:", "limitz:"), "m.yaml")


def test_tools_of_a_server_that_does_not_answer_are_not_judged(tmp_path: Path) -> None:
    without = {name: schemas for name, schemas in MADE.items() if not name.startswith("crm.")}
    check_names(parse(MANIFEST, "m.yaml"), without, absent=["crm"])
    assert told(MANIFEST, without, tmp_path / "m.yaml")[0].startswith("11:22 workflow.limits.crm.find: expected a tool")
    assert told(MANIFEST.replace("mail.read", "mail.raed"), without, tmp_path / "m.yaml", ("crm",))[0].startswith(
        "9:24"
    )


def test_what_is_found_later_has_its_path_when_the_file_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(MANIFEST)
    manifest = load(path)
    path.unlink()
    assert refusal(manifest, [(("grant", "effects", 0), "expected x, got y")]).what == (
        f"{path}:1:1 grant.effects[0]: expected x, got y"
    )


def test_a_place_is_found_again_without_any_variable_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("inference: {provider: embedded, model: '${SOME_MODEL}'}\nruntime: {name: a}\n")
    monkeypatch.setenv("SOME_MODEL", "m")
    manifest = load(path)
    monkeypatch.delenv("SOME_MODEL")
    assert (
        refusal(manifest, [(("runtime", "name"), "expected x, got y")]).what
        == f"{path}:2:17 runtime.name: expected x, got y"
    )


OPEN: Any = {"properties": {"a": {}}, "additionalProperties": True}
CHOICE: Any = {"anyOf": [{"type": "null"}, {"properties": {"x": {"type": "string"}}}]}
LOOP: Any = {"properties": {"next": {"$ref": "#"}}}


@pytest.mark.parametrize(
    ("pointer", "schema", "problem"),
    [
        ("", RESULT, ""),
        ("/items", RESULT, ""),
        ("/items/0/by", RESULT, ""),
        ("/items/*/*", RESULT, ""),
        ("/anything/at/all", None, ""),
        ("/anything", True, ""),
        ("/b/c", OPEN, ""),
        ("/x", CHOICE, ""),
        ("/next/next/next", LOOP, ""),
        ("/a~1b", {"properties": {"a/b": {}}}, ""),
        ("/itemz", RESULT, "expected a part of the result, got 'itemz'; did you mean 'items'?"),
        ("/items/id", RESULT, "expected a part of the result, got 'id'; the result has no such part"),
        ("/y", CHOICE, "expected a part of the result, got 'y'; known are x"),
        ("/x/deeper", CHOICE, "expected a part of the result, got 'deeper'; the result has no such part"),
        ("/next/last", LOOP, "expected a part of the result, got 'last'; known are next"),
        ("/a", {"type": "string"}, "expected a part of the result, got 'a'; the result has no such part"),
        ("/a", {"$ref": "#/$defs/None"}, ""),
        ("/a", {"$ref": "#"}, ""),
    ],
)  # fmt: skip
def test_a_pointer_leads_to_a_part_that_the_schema_has_or_does_not_describe(
    pointer: str, schema: Any, problem: str
) -> None:
    assert pointer_problem(pointer, schema) == problem
