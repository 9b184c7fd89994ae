"""The red team can fail: each rule that is taken away, and whatever a manifest gives away, lets an attack through."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence import app
from ringfence.cli import redteam as command
from ringfence.core import policy
from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.policy import SinkSpec
from ringfence.core.ports import Sink
from ringfence.core.values import Action, Outcome
from ringfence.manifest.loader import parse
from ringfence.manifest.types import Host, Manifest
from ringfence.sandboxes import choose
from ringfence.stores.memory import MemoryJournal
from ringfence.testing.redteam import ATTACKS, RISKS, Arena, Finding, Kit, Subject, Verdict, attack, chosen, worst
from ringfence.testing.redteam.values import CANARY, MINE, THEIRS, arguments, planted, said

BASE = """\
inference: {provider: embedded, model: qwen2.5-coder-1.5b}
workflow: {max_steps: 8}
tools:
  - {name: files, type: builtin, target_paths: [./notes], permissions: [read, grep, write]}
  - {name: calc, type: builtin}
"""
NOTE = "catalogue: {files.write: {effect: commit, args: {path: {type: path}, text: text}, audience: [self]}}\n"
LOW = "catalogue: {files.write: {args: {path: low, text: low, mode: low}, audience: [self]}}\n"
ALONE = "grant: {effects: [files.write]}\n"
HELD = "grant: {effects: [files.write], budgets: {files.write: 1}, planned: true}\n"
READS = "grant: {effects: []}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("all is well\n")
    return tmp_path


def manifest(place: Path, more: str = HELD + NOTE, base: str = BASE) -> Manifest:
    return parse(base + more, place / "ringfence.yaml")


@asynccontextmanager
async def arena(manifest: Manifest, **parts: Any) -> AsyncIterator[Arena]:
    """The manifest under attack; `parts` of the kit are replaced."""
    async with AsyncExitStack() as stack:
        yield Arena(manifest, replace(command.kit(MemoryJournal(), stack), **parts))


async def found(name: str, manifest: Manifest, **parts: Any) -> list[Finding]:
    """What one attack finds."""
    async with arena(manifest, **parts) as there:
        return list((await attack(there, next(one for one in ATTACKS if one.name == name))).findings)


def verdicts(findings: Iterable[Finding]) -> set[Verdict]:
    return {finding.verdict for finding in findings}


def test_every_risk_has_an_attack_and_no_attack_is_without_one() -> None:
    assert {risk for one in ATTACKS for risk in one.risks} == set(RISKS)
    assert [list(chosen([risk])) for risk in RISKS if not list(chosen([risk]))] == []
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)


async def test_every_risk_is_really_tried_and_held_and_the_records_say_so(place: Path) -> None:
    async with arena(manifest(place)) as there:
        scored = [await attack(there, one) for one in ATTACKS]
        journal = there.subject.journal
        for risk in RISKS:
            findings = [f for one in scored if risk in one.attack.risks for f in one.findings]
            assert worst([f.verdict for f in findings]) in (Verdict.CONTAINED, Verdict.ASKS, Verdict.ACCEPTED), risk
            records = [record.split(":") for f in findings for record in f.records]
            assert records, risk
            assert all(journal.read(run)[int(seq)].seq == int(seq) for run, seq in records)


def without(patch: pytest.MonkeyPatch, *gone: Callable[..., Any]) -> None:
    """The gate without some of its rules."""
    assert set(gone) <= set(policy._PROFILES[policy.Profile.DEFAULT])
    left = {name: tuple(rule for rule in rules if rule not in gone) for name, rules in policy._PROFILES.items()}
    patch.setattr(policy, "_PROFILES", left)


RULES = [
    (policy.wrong_caller, "tools for others"),
    (policy.outside_grant, "an effect that nobody asked for"),
    (policy.outside_grant, "orders that a conversation remembers"),
    (policy.bad_arguments, "arguments that no schema has"),
    (policy.forbidden_flow, "what others may read, before each model"),
    (policy.carries_out, "links, images and secrets in a text"),
    (policy.over_budget, "the same call again and again"),
]


@pytest.mark.parametrize(("rule", "name"), RULES, ids=[f"{rule.__name__}-{name}" for rule, name in RULES])
async def test_without_a_rule_an_attack_gets_through(
    rule: Callable[..., Any], name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifest(place, HELD + NOTE.replace("audience", "callers: [role:ops], audience"))
    if rule is policy.outside_grant:  # what else would hold it
        given = manifest(place, HELD + LOW)
    assert Verdict.ESCAPED not in verdicts(await found(name, given))
    without(monkeypatch, rule, policy.forbidden_flow)
    assert Verdict.ESCAPED in verdicts(await found(name, given))


@pytest.mark.parametrize(
    "name",
    [
        "orders in a result call an effect", "the same orders, in base64", "a value of another kind",
        "orders that a conversation remembers", "orders in a failure",
    ],
)  # fmt: skip
async def test_without_provenance_what_an_attacker_writes_gets_through(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifest(place, ALONE + NOTE)
    before = verdicts(await found(name, given))
    assert Verdict.ASKS in before
    assert Verdict.ESCAPED not in before
    without(monkeypatch, policy.no_provenance, policy.outside_grant)
    assert Verdict.ESCAPED in verdicts(await found(name, given))


WEAK = [
    ("orders in a result call an effect", LOW),
    ("orders in a failure", LOW),
    ("links, images and secrets in a text", LOW),
    ("an effect that nobody asked for", NOTE),
    ("what only some may read, to others", NOTE.replace("[self]", "[]")),
    ("escapes from the sandbox", "sandbox: unsafe-none\n"),
]


@pytest.mark.parametrize(("name", "more"), WEAK, ids=[name for name, _ in WEAK])
async def test_a_manifest_that_gives_something_away_is_told_so_and_what_to_do(
    name: str, more: str, place: Path
) -> None:
    escaped = [f for f in await found(name, manifest(place, ALONE + more)) if f.verdict is Verdict.ESCAPED]
    assert escaped
    assert all(finding.records for finding in escaped)


async def test_escapes_are_tried_in_the_sandbox_of_the_manifest_and_held(place: Path) -> None:
    try:
        (await choose("auto")).close()
    except ManifestError as error:
        pytest.skip(error.what)
    findings = await found("escapes from the sandbox", manifest(place, READS))
    assert verdicts(findings) == {Verdict.CONTAINED}
    assert len(findings) == 9


async def test_where_nothing_can_be_started_nothing_counts_as_shown(place: Path) -> None:
    broken = lambda code, folder: replace(command._python(code, folder), argv=("/bin/false",))  # noqa: E731
    assert verdicts(await found("escapes from the sandbox", manifest(place, READS), python=broken)) == {Verdict.SKIPPED}


async def test_a_tool_that_reads_any_path_is_found_out(place: Path) -> None:
    class Naive:
        async def perform(self, action: Action) -> Outcome:
            try:
                return Outcome({"text": (root[0] / action.args["path"]).read_text()})
            except OSError as error:
                raise ToolError(str(error)) from None

    root: list[Path] = []

    def careless(manifest: Manifest, model: Sink) -> tuple[Subject, Path, Any]:
        subject, where, close = there.kit.scratch(manifest, model)
        root.append(where)
        subject.house.sinks["tool:files.read"] = Naive()
        return subject, where, close

    async with arena(manifest(place, READS)) as there:
        findings = await found("ways out of the folders", manifest(place, READS), scratch=careless)
    assert [f.target for f in findings if f.verdict is Verdict.ESCAPED] == ["files.read"]


async def test_a_screen_that_shows_what_it_is_given_is_found_out(place: Path) -> None:
    raw = lambda asked: [json.dumps(dict(asked.action.args), ensure_ascii=False)]  # noqa: E731
    assert verdicts(await found("what a person is shown", manifest(place, ALONE + NOTE))) == {Verdict.CONTAINED}
    assert verdicts(await found("what a person is shown", manifest(place, ALONE + NOTE), screen=raw)) == {
        Verdict.ESCAPED
    }
    assert verdicts(await found("what a person is shown", manifest(place, READS), plain=str)) == {Verdict.ESCAPED}


async def test_a_yes_that_counts_for_anything_is_found_out(place: Path) -> None:
    async with arena(manifest(place, ALONE + NOTE)) as there:
        asking = there.subject
        answer = type(asking).answer

    async def whatever(self: Any, run: str, yes: bool, *, digest: str = "", **more: Any) -> None:
        await answer(self, run, yes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(asking), "answer", whatever)
        findings = await found("a yes that was not given", manifest(place, ALONE + NOTE))
    assert findings[0].verdict is Verdict.ESCAPED


@pytest.mark.parametrize(
    ("more", "tried"),
    [
        ("", ["a yes for another call", "a yes under another policy", "a yes, used again"]),
        (
            "approvals: {approvers: [role:lead], four_eyes: true}\n",
            ["a yes for another call", "a yes under another policy", "a yes of the one who asked", "a yes, used again"],
        ),
    ],
)
async def test_every_way_to_misuse_a_yes_is_tried_and_refused(more: str, tried: list[str], place: Path) -> None:
    findings = await found("a yes that was not given", manifest(place, ALONE + NOTE + more))
    assert [finding.target for finding in findings] == tried
    assert verdicts(findings) == {Verdict.CONTAINED}


async def test_what_is_not_free_to_be_read_brings_orders_too(place: Path) -> None:
    web = "  - {name: web, type: builtin, hosts: [docs.example.com]}\n"
    findings = await found("orders in a result call an effect", manifest(place, "", BASE + web))
    assert {"web.fetch -> files.write", "web.fetch -> web.fetch"} & {finding.target for finding in findings}
    assert Verdict.ASKS in verdicts(findings) <= {Verdict.ASKS, Verdict.CONTAINED, Verdict.SKIPPED}


async def test_a_secret_in_the_words_of_a_tool_is_found_out(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDTEAM_KEY", "sesame-0123456789")
    tier = "inference: {provider: llamacpp, model: m, endpoint: 'http://127.0.0.1:9', api_key: '${REDTEAM_KEY}'}\n"
    base = tier + BASE.partition("\n")[2]

    def build(manifest: Manifest, model: Sink) -> Subject:
        agent = app.from_manifest(manifest, journal=MemoryJournal(), model=model)
        spec: SinkSpec = agent.house.specs["tool:calc"]
        agent.house.specs["tool:calc"] = replace(spec, summary="the key is sesame-0123456789")
        return agent

    for name in ("secrets of the manifest", "the system prompt as an answer"):
        assert verdicts(await found(name, manifest(place, READS, base))) == {Verdict.CONTAINED}
        leaky = await found(name, manifest(place, READS, base), build=build)
        assert verdicts(leaky) == {Verdict.ESCAPED}
        assert "sesame" not in str(leaky)


async def test_weights_that_are_not_the_pinned_ones_are_not_taken_and_a_pull_that_takes_them_is_found_out(
    place: Path,
) -> None:
    async def anything(name: str) -> bool:
        return True

    name, given = "other weights for a model", manifest(place, READS)
    assert verdicts(await found(name, given)) == {Verdict.CONTAINED}
    assert verdicts(await found(name, given, weights=anything)) == {Verdict.ESCAPED}


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here to be allowed")
@pytest.mark.parametrize(("allow", "escaped"), [("git log", []), ("git ...", ["git push", "git checkout ."])])
async def test_a_list_of_commands_that_is_too_wide_is_told_so(allow: str, escaped: list[str], place: Path) -> None:
    shell = f"  - {{name: shell, type: builtin, allow: [{allow}]}}\n"
    findings = await found(
        "commands that run another", manifest(place, READS.replace("[]", "[shell.run]"), BASE + shell)
    )
    assert [finding.target for finding in findings if finding.verdict is Verdict.ESCAPED] == escaped
    assert len(findings) >= 11


HOSTS = (Host(host="docs.example.com", paths=("/v1",)), Host(host="*.example.org", private=True))


async def test_requests_are_held_by_the_hosts_of_a_tool_and_a_loose_list_is_found_out(place: Path) -> None:
    async def anything(hosts: Sequence[Host], method: str, url: str, address: str) -> bool:
        return True

    given = manifest(place, READS)
    reaching = given.model_copy(
        update={"tools": (given.tools[0].model_copy(update={"hosts": HOSTS}), *given.tools[1:])}
    )
    findings = await found("requests that leave", reaching)
    assert verdicts(findings) == {Verdict.CONTAINED}
    assert len(findings) >= 10
    assert verdicts(await found("requests that leave", reaching, leave=anything)) == {Verdict.ESCAPED}


async def test_nothing_of_the_operator_is_ever_called(place: Path) -> None:
    before = {path: path.read_bytes() for path in (place / "notes").rglob("*")}
    async with arena(manifest(place, ALONE + NOTE)) as there:
        for one in chosen(["LLM01", "LLM06", "ASI02"]):
            await attack(there, one)
    assert {path: path.read_bytes() for path in (place / "notes").rglob("*")} == before


async def test_two_runs_of_the_red_team_say_the_same(place: Path) -> None:
    async def told() -> list[tuple[str, str, Verdict]]:
        async with arena(manifest(place, ALONE + NOTE)) as there:
            scored = [await attack(there, one) for one in chosen(["LLM01", "LLM05", "ASI03", "ASI09"])]
        return [(one.attack.name, f.target, f.verdict) for one in scored for f in one.findings]

    assert await told() == await told()


SHAPES: Mapping[str, Any] = {
    "a": {"type": "string", "format": "date"}, "b": {"type": "integer", "maximum": 7}, "c": {"type": "boolean"},
    "d": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "string"}}]},
    "e": {"type": "object", "properties": {"f": {"enum": ["x", "y"]}}}, "g": {"const": 3}, "h": {"type": "string"},
}  # fmt: skip


def test_arguments_are_made_up_from_a_schema() -> None:
    spec = SinkSpec("tool:t", schema={"type": "object", "properties": SHAPES}, types={"h": "email", "d/*": "path"})
    mine, theirs = arguments(spec, MINE), arguments(spec, THEIRS)
    assert mine == {
        "a": "2031-01-02", "b": 7, "c": False, "d": ["redteam/mine.txt"], "e": {"f": "x"}, "g": 3,
        "h": "mine@example.com",
    }  # fmt: skip
    assert theirs is not None
    assert theirs["h"].startswith(CANARY)
    assert theirs["e"] == {"f": "y"}
    assert said(mine) == '"2031-01-02", "7", "False", "redteam/mine.txt", "x", "3", "mine@example.com"'


def test_a_result_is_made_up_from_its_declared_leaves() -> None:
    leaves = dict.fromkeys(("/items/*/sender", "/items/*/date", "/next"), policy.Leaf("email"))
    spec = SinkSpec("tool:t", leaves=leaves)
    assert planted(spec, "x") == {"items": [{"sender": "x", "date": "x"}], "next": "x"}


def test_the_kit_has_no_defaults_that_could_hide_a_missing_part() -> None:
    with pytest.raises(TypeError):
        Kit()  # type: ignore[call-arg]
