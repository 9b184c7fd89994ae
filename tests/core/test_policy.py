"""An allow and a refusal for each rule and each profile; a refusal beats a question; approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.grants import Approval, approval_digest
from ringfence.core.labels import ANYONE, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Policy, Profile, Role, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import Action, Allow, Ask, Decision, Deny, Principal

from .kit import ALICE, PUBLIC, USER, acting, policy, reader, record, writer

OPS = Label(Trust.USER, frozenset({frozenset({"role:ops"})}))
HR = Label(Trust.USER, frozenset({frozenset({"role:hr"})}))


def decide(
    spec: SinkSpec, turn: Turn, *, label: Label = USER, profile: Profile = Profile.DEFAULT, **args: Any
) -> Decision:
    return policy(spec, profile=profile).decide(Action(spec.name, args, label), turn, now=1000)


def code(decision: Decision) -> str:
    match decision:
        case Allow(rule=rule):
            return f"allow {rule}"
        case Ask(rule=rule, code=why):
            return f"ask {rule} {why}"
        case Deny(rule=rule, code=why):
            return f"deny {rule} {why}"


def test_pol_1_a_sink_that_is_not_in_the_catalogue_is_denied() -> None:
    turn = acting("tool:read", "tool:other")
    assert code(decide(reader(), turn)) == "allow POL-8"
    unknown = policy(reader()).decide(Action("tool:other", {}, USER), turn, now=1000)
    assert unknown == Deny("POL-1", "unknown-sink", "there is no 'tool:other'")


def test_pol_2_a_principal_without_the_role_is_denied() -> None:
    turn = acting("tool:read")
    assert code(decide(reader(callers=frozenset({"role:ops", "role:hr"})), turn)) == "allow POL-8"
    assert code(decide(reader(callers=frozenset({"user:alice"})), turn)) == "allow POL-8"
    assert code(decide(reader(callers=frozenset({"role:hr"})), turn)) == "deny POL-2 wrong-role"
    assert code(decide(reader(callers=frozenset()), turn)) == "deny POL-2 wrong-role"


def test_pol_3_outside_the_grant_is_denied_and_no_approval_lifts_it() -> None:
    assert code(decide(writer(), acting("tool:write"))) == "allow POL-8"
    turn = acting("tool:read")
    assert code(decide(writer(), turn)) == "deny POL-3 outside-grant"
    _approve(turn, writer(), {})
    assert code(decide(writer(), turn)) == "deny POL-3 outside-grant"


def _needs_x(args: Mapping[str, Any]) -> Mapping[str, Any]:
    if "x" not in args:
        raise ValueError("x is missing")
    return args


def test_pol_4_arguments_match_the_schema() -> None:
    turn = acting("tool:read")
    assert code(decide(reader(check=_needs_x), turn, x=1)) == "allow POL-8"
    assert decide(reader(check=_needs_x), turn, y=1) == Deny("POL-4", "bad-arguments", "x is missing")


KINDS = {"to": "email", "n": "number", "at": "street"}


def test_pol_4_a_control_argument_comes_from_the_user_as_a_whole_and_as_its_kind() -> None:
    turn, spec = acting("tool:write", task="send 7 to a@b.example on 2024-05-03"), writer(types=KINDS)
    assert code(decide(spec, turn, to="a@b.example", n=7)) == "allow POL-8"
    assert code(decide(spec, turn, to=["a@b.example"], n=7.0)) == "allow POL-8"
    assert code(decide(spec, turn, n=8)) == "ask POL-4 no-provenance"
    assert code(decide(spec, acting("tool:write", task="mail them"), to="a@b.example")) == "ask POL-4 no-provenance"
    assert code(decide(spec, turn, at="2024-05-03")) == "ask POL-4 no-provenance"  # a date is no street
    assert code(decide(spec, turn, n=True)) == "ask POL-4 no-provenance"
    assert decide(writer(), acting("tool:write"), to="x") == Ask(
        "POL-4", "no-provenance", "to='x' did not come from you"
    )


def test_pol_4_an_argument_of_no_declared_kind_has_to_be_quoted() -> None:
    turn = acting("tool:write", task='file "Plan B" under plans')
    assert code(decide(writer(), turn, title="Plan B")) == "allow POL-8"
    assert code(decide(writer(), turn, title="plans")) == "ask POL-4 no-provenance"


def test_pol_4_a_default_of_the_pinned_schema_is_the_operators_word() -> None:
    schema = {"properties": {"mode": {"default": "create"}, "all": {"default": False}}}
    spec = writer(schema=schema)
    assert code(decide(spec, acting("tool:write"), mode="create", all=False)) == "allow POL-8"
    assert code(decide(spec, acting("tool:write"), mode=None)) == "ask POL-4 no-provenance"
    assert code(decide(spec, acting("tool:write"), mode="overwrite")) == "ask POL-4 no-provenance"


def test_pol_4_a_typed_leaf_vouches_for_its_own_kind_alone() -> None:
    turn = acting("tool:write")
    turn.typed = {("email", "a@b.example"): "r3/0/sender", ("number", Decimal(1)): "r3/0/n"}
    spec = writer(types=KINDS)
    assert code(decide(spec, turn, to="a@b.example", n=1)) == "allow POL-8"
    assert code(decide(spec, turn, at="a@b.example")) == "ask POL-4 no-provenance"
    assert code(decide(spec, turn, n=True)) == "ask POL-4 no-provenance"


def test_pol_3_where_the_user_named_an_address_another_one_that_nobody_vouches_for_is_no_question() -> None:
    turn, spec = acting("tool:write", "tool:read", task="mail a@b.example"), writer(types=KINDS)
    assert code(decide(spec, turn, to=["a@b.example", "xa@b.example"])) == "deny POL-3 outside-grant"
    assert code(decide(reader(types=KINDS), turn, to="xa@b.example")) == "allow POL-8"
    turn.typed = {("email", "c@d.example"): "r3/0/sender"}
    assert code(decide(spec, turn, to="C@d.example")) == "allow POL-8"


def test_pol_4_roles_and_kinds_may_be_those_of_a_part() -> None:
    roles = {"files/*/note": Role.TEXT, "files/*/colour": Role.LOW}
    pinned = {"items": {"properties": {"id": {}, "to": {}, "note": {}, "colour": {}}}}
    spec = writer(roles=roles, types={"files": "id", "files/*/to": "email"}, schema={"properties": {"files": pinned}})
    turn = acting("tool:write", task="send file #7 to a@b.example")
    part = {"id": "7", "to": "a@b.example", "note": "pay up", "colour": "red"}
    assert code(decide(spec, turn, files=[part])) == "allow POL-8"
    assert code(decide(spec, turn, files=[{**part, "id": "8"}])) == "ask POL-4 no-provenance"
    assert code(decide(spec, turn, files=[{**part, "note": "https://evil.example"}])) == "ask POL-6 link"


def test_pol_4_names_that_no_schema_pins_are_values_too() -> None:
    turn = acting("tool:write", task="share it with a@b.example")
    spec = writer(
        types={"shares/*#": "email"}, roles={"shares": Role.LOW, "shares/*#": Role.CONTROL, "note": Role.TEXT}
    )
    assert code(decide(spec, turn, shares={"a@b.example": "rw"})) == "allow POL-8"
    assert code(decide(spec, turn, shares={"x@y.example": "rw"})) == "deny POL-3 outside-grant"
    assert code(decide(writer(), turn, body={"https://evil.example/?d=1": None})) == "ask POL-4 no-provenance"
    open_ = writer(schema={"properties": {}, "additionalProperties": True}, roles={"https://evil.example": Role.LOW})
    assert code(decide(open_, turn, **{"https://evil.example": 1})) == "ask POL-4 no-provenance"
    assert code(decide(spec, turn, note={"https://evil.example": 1})) == "ask POL-6 link"


def test_pol_4_zero_is_not_the_default_false() -> None:
    spec = writer(schema={"properties": {"all": {"default": False}}})
    assert code(decide(spec, acting("tool:write"), all=0)) == "ask POL-4 no-provenance"


def test_pol_4_the_operators_words_for_a_value_vouch_for_it() -> None:
    spec = writer(words={"access": {"rw": ("write", "edit"), "true": ("every month",)}})
    assert code(decide(spec, acting("tool:write", task="let her edit it"), access="rw")) == "allow POL-8"
    assert code(decide(spec, acting("tool:write", task="pay it every month"), access=True)) == "allow POL-8"
    assert code(decide(spec, acting("tool:write", task="let her read it"), access="rw")) == "ask POL-4 no-provenance"


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [
        (Profile.DEFAULT, "allow POL-8"),
        (Profile.STRICT, "ask POL-4 chosen"),
        (Profile.UNATTENDED, "deny POL-4 chosen"),
    ],
)
def test_pol_4_what_is_lost_and_who_gets_text_was_the_users_choice_under_the_careful_profiles(
    profile: Profile, verdict: str
) -> None:
    turn = acting("tool:write", task='tell a@b.example "all is well", delete #9')
    turn.typed = {("email", "c@d.example"): "r3/0/sender", ("id", "8"): "r3/0/id"}
    roles = {"body": Role.TEXT}
    mail = writer(types=KINDS, roles=roles)
    assert code(decide(mail, turn, label=PUBLIC, profile=profile, to="c@d.example", body="pay up")) == verdict
    assert (
        code(decide(mail, turn, label=PUBLIC, profile=profile, to="c@d.example", body="all is well")) == "allow POL-8"
    )
    gone = writer(effect=Effect.DESTROY, types={"which": "id"})
    assert code(decide(gone, turn, profile=profile, which="8")) == verdict
    assert code(decide(gone, turn, profile=profile, which="9")) == "allow POL-8"


def test_pol_3_a_grant_may_name_the_only_objects_of_a_tool() -> None:
    turn = acting("tool:write", task='"a.txt" and "b.txt"', objects={"tool:write": ["a.txt"]})
    assert code(decide(writer(), turn, path="a.txt")) == "allow POL-8"
    assert code(decide(writer(), turn, path="b.txt")) == "deny POL-3 outside-grant"


def test_pol_4_text_needs_no_provenance_and_neither_does_a_confined_read() -> None:
    turn = acting("tool:write", "tool:read")
    roles = {"body": Role.TEXT, "colour": Role.LOW, "to": Role.CONTROL}
    assert code(decide(writer(roles=roles), turn, body="x", colour="red")) == "allow POL-8"
    assert code(decide(writer(roles=roles), turn, to="x")) == "ask POL-4 no-provenance"
    assert code(decide(reader(), turn, path="x")) == "allow POL-8"
    assert code(decide(reader(confined=False), turn, path="x")) == "ask POL-4 no-provenance"
    assert code(decide(writer(confined=True), turn, path="x")) == "ask POL-4 no-provenance"


def test_pol_5_every_member_of_the_audience_may_read() -> None:
    turn = acting("tool:read")
    ops_room = frozenset({frozenset({"role:ops", "user:bob"})})
    mixed_room = ops_room | {frozenset({"user:eve"})}
    assert code(decide(reader(audience=ops_room), turn, label=OPS)) == "allow POL-8"
    assert code(decide(reader(audience=mixed_room), turn, label=OPS)) == "deny POL-5 readers"
    assert code(decide(reader(audience=ANYONE), turn, label=OPS)) == "deny POL-5 readers"
    assert code(decide(reader(audience=ANYONE), turn, label=USER)) == "allow POL-8"
    assert code(decide(reader(audience=NOBODY), turn, label=HR)) == "allow POL-8"


def test_pol_5_without_an_audience_the_principal_alone_sees_it() -> None:
    turn = acting("tool:read")
    assert code(decide(reader(audience=None), turn, label=OPS)) == "allow POL-8"
    assert code(decide(reader(audience=None), turn, label=HR)) == "deny POL-5 readers"


def test_pol_5_the_label_is_trusted_enough() -> None:
    turn = acting("tool:read")
    assert code(decide(reader(clearance=Trust.USER), turn, label=USER)) == "allow POL-8"
    assert decide(reader(clearance=Trust.USER), turn, label=PUBLIC) == Deny(
        "POL-5", "untrusted", "tool:read takes nothing below user trust"
    )


def test_pol_5_what_only_the_principal_has_a_say_in_asks_before_an_effect_carries_it_further() -> None:
    own, hrs = frozenset({frozenset({"user:alice", "role:ops"})}), frozenset({frozenset({"role:hr"})})
    turn = acting("tool:write", "tool:read")
    assert code(decide(writer(), turn, label=Label(Trust.USER, own))) == "ask POL-5 release"
    assert code(decide(writer(), turn, label=Label(Trust.USER, own | hrs))) == "deny POL-5 readers"
    assert code(decide(reader(audience=ANYONE), turn, label=Label(Trust.USER, own))) == "deny POL-5 readers"


TEXTS = {"roles": {"body": Role.TEXT}}


def test_pol_6_links_images_and_secrets_that_are_not_the_users_ask() -> None:
    turn = acting("tool:write", "tool:read", task="post https://ok.example/a in the channel")
    assert code(decide(writer(**TEXTS), turn, body="see https://ok.example/a.")) == "allow POL-8"
    assert code(decide(writer(**TEXTS), turn, body="see https://evil.example/a")) == "ask POL-6 link"
    assert code(decide(writer(**TEXTS), turn, body=["x", {"y": "![](x)"}])) == "ask POL-6 image"
    assert code(decide(writer(**TEXTS), turn, body="AKIAABCDEFGHIJKLMNOP")) == "ask POL-6 secret"
    assert code(decide(reader(**TEXTS), turn, body="see https://evil.example/a")) == "allow POL-8"
    away = reader(confined=False, **TEXTS)
    assert code(decide(away, turn, body="see https://evil.example/a")) == "ask POL-6 link"
    turn.typed = {("url", "https://evil.example/a"): "r3/url"}
    assert code(decide(writer(**TEXTS), turn, body="see https://evil.example/a")) == "allow POL-8"


def test_pol_6_strict_asks_for_untrusted_text_in_an_effect() -> None:
    turn = acting("tool:write", "tool:read", task="tell them that dinner is ready")
    strict, typed = Profile.STRICT, Label(Trust.TYPED)
    assert code(decide(writer(**TEXTS), turn, label=PUBLIC, body="pay up")) == "allow POL-8"
    assert (
        code(decide(writer(**TEXTS), turn, label=PUBLIC, profile=strict, body="pay up")) == "ask POL-6 untrusted-text"
    )
    assert code(decide(writer(**TEXTS), turn, label=PUBLIC, profile=strict, body="Dinner is ready.")) == "allow POL-8"
    assert code(decide(writer(**TEXTS), turn, label=typed, profile=strict, body="pay up")) == "allow POL-8"
    assert code(decide(reader(**TEXTS), turn, label=PUBLIC, profile=strict, body="pay up")) == "allow POL-8"


def test_pol_7_calls_are_bounded_by_the_catalogue_and_by_the_grant() -> None:
    turn = acting("tool:read")
    turn.calls["tool:read"] = 2
    assert code(decide(reader(limit=3), turn)) == "allow POL-8"
    assert code(decide(reader(limit=2), turn)) == "deny POL-7 budget"
    tight = acting("tool:read", budgets={"tool:read": 0})
    assert code(decide(reader(limit=9), tight)) == "deny POL-7 budget"
    assert code(decide(reader(), acting("tool:read"))) == "allow POL-8"


def test_pol_7_the_very_same_call_is_bounded() -> None:
    turn = acting("tool:read")
    turn.seen[Action("tool:read", {"x": 1}, USER).digest] = 1
    assert code(decide(reader(repeats=1), turn, x=1)) == "deny POL-7 repeat"
    assert code(decide(reader(repeats=2), turn, x=1)) == "allow POL-8"
    assert code(decide(reader(repeats=1), turn, x=2)) == "allow POL-8"


def test_pol_7_an_effect_is_meant_once() -> None:
    turn = acting("tool:write", "tool:read")
    turn.seen[Action("tool:write", {}, USER).digest] = turn.seen[Action("tool:read", {}, USER).digest] = 1
    assert code(decide(writer(), turn)) == "deny POL-7 repeat"
    assert code(decide(writer(repeats=2), turn)) == "allow POL-8"
    assert code(decide(reader(), turn)) == "allow POL-8"
    turn.failed = turn.seen.copy()  # what failed was not done
    assert code(decide(writer(), turn)) == "allow POL-8"


def test_pol_7_a_call_whose_outcome_a_crash_hid_was_counted_already() -> None:
    turn = acting("tool:read")
    intent = {"call": 0, "args": {"x": 1}}
    turn.apply(record(3, Kind.INTENT, view={"sink": "tool:read", "rule": "POL-8"}, body=intent))
    spec = reader(repeats=1, limit=1)
    assert code(decide(spec, turn, x=1)) == "allow POL-8"
    assert code(decide(spec, turn, x=2)) == "deny POL-7 budget"
    turn.apply(record(4, Kind.OUTCOME, view={"of": 3, "ok": True, "ms": 1}, body={"value": 1}))
    assert code(decide(spec, turn, x=1)) == "deny POL-7 budget"
    assert code(decide(reader(repeats=1), turn, x=1)) == "deny POL-7 repeat"


def test_pol_8_a_sink_may_want_a_yes_and_unattended_nobody_is_there_to_give_it() -> None:
    turn = acting("tool:write")
    assert code(decide(writer(), turn, profile=Profile.UNATTENDED)) == "allow POL-8"
    assert code(decide(writer(ask=True), turn)) == "ask POL-8 ask"
    assert decide(writer(ask=True), turn, profile=Profile.UNATTENDED) == Deny(
        "POL-8", "ask", "tool:write wants a human's yes, and nobody is here to ask"
    )


def test_a_denial_beats_every_question_and_the_first_question_counts() -> None:
    turn = acting("tool:write")
    spec = writer(ask=True, audience=ANYONE)
    assert code(decide(spec, turn, label=HR, to="x")) == "deny POL-5 readers"
    assert code(decide(spec, turn, to="x")) == "ask POL-4 no-provenance"


def _approve(turn: Turn, spec: SinkSpec, args: dict[str, Any], *, label: Label = USER, expires: int = 1001) -> None:
    key = approval_digest(Action(spec.name, args, label), pin=spec.pin, run=turn.run, policy="p1")
    turn.approvals[key] = Approval(key, "user:bob", expires)


def test_pol_9_an_approval_lifts_the_questions_of_one_action() -> None:
    turn, spec = acting("tool:write"), writer(ask=True)
    _approve(turn, spec, {"to": "x"})
    assert code(decide(spec, turn, to="x")) == "allow POL-9"


@pytest.mark.parametrize(
    "other",
    [
        {"args": {"to": "y"}},
        {"label": PUBLIC},
        {"spec": writer(ask=True, pin="v2")},
        {"policy": "p2"},
        {"run": "r2"},
        {"now": 1001},
    ],
    ids=lambda other: next(iter(other)),
)
def test_pol_9_an_approval_is_worth_nothing_for_anything_else_or_later(other: dict[str, Any]) -> None:
    turn = acting("tool:write")
    _approve(turn, writer(ask=True), {"to": "x"})
    turn.run = other.get("run", turn.run)
    spec = other.get("spec", writer(ask=True))
    rules = Policy({spec.name: spec}, digest=other.get("policy", "p1"))
    action = Action(spec.name, other.get("args", {"to": "x"}), other.get("label", USER))
    assert isinstance(rules.decide(action, turn, now=other.get("now", 1000)), Ask)


def test_pol_9_unattended_an_approval_counts_for_nothing() -> None:
    turn, spec = acting("tool:write"), writer(ask=True)
    _approve(turn, spec, {})
    assert code(decide(spec, turn, profile=Profile.UNATTENDED)) == "deny POL-8 ask"


def test_a_sink_that_nobody_described_is_a_commit_whose_every_argument_is_control() -> None:
    spec = SinkSpec("tool:x")
    assert (spec.effect, spec.reads, spec.redo, spec.audience, spec.output) == (
        Effect.COMMIT,
        False,
        False,
        ANYONE,
        PUBLIC,
    )
    assert code(decide(spec, acting("tool:x"), anything=1)) == "ask POL-4 no-provenance"
    assert SinkSpec("tool:x", idempotent=True).redo
    assert reader().redo


def test_pol_9_who_may_approve() -> None:
    turn, bob, lead = acting("tool:write"), Principal("user:bob"), Principal("user:cy", frozenset({"role:lead"}))
    alone, eyes = policy(), replace(policy(), approvers=frozenset({"role:lead", "user:alice"}), four_eyes=True)
    assert [alone.may_approve(who, turn) for who in (ALICE, bob, lead)] == [True, False, False]
    assert [eyes.may_approve(who, turn) for who in (ALICE, bob, lead)] == [False, False, True]
    two = replace(eyes, four_eyes=False)
    assert [two.may_approve(who, turn) for who in (ALICE, bob, lead)] == [True, False, True]


@pytest.mark.parametrize("args", [{"n": float("nan")}, {"n": 2**60}, {"n": "\ud800"}, {"n": b"x"}], ids=str)
def test_pol_4_what_cannot_be_recorded_is_denied(args: Any) -> None:
    assert code(decide(reader(), acting("tool:read"), **args)) == "deny POL-4 bad-arguments"


def test_pol_4_neither_is_what_is_nested_without_end() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    assert code(decide(reader(), acting("tool:read"), n=deep)) == "deny POL-4 bad-arguments"
