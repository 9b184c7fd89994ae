"""Grants and approvals."""

from __future__ import annotations

from ringfence.core.grants import Approval, TaskGrant, approval_digest, expired
from ringfence.core.labels import IDENTITY, Label, Trust
from ringfence.core.values import Action


def test_a_grant_survives_its_json() -> None:
    grant = TaskGrant(frozenset({"tool:b", "tool:a"}), {"tool:a": 2}, {"tool:a": ["x", 1]}, version=3)
    plain = {"budgets": {"tool:a": 2}, "objects": {"tool:a": ["x", 1]}, "sinks": ["tool:a", "tool:b"], "version": 3}
    assert grant.to_json() == plain
    assert TaskGrant.from_json(grant.to_json()) == grant


def test_an_approval_ends_at_its_time() -> None:
    approval = Approval("d", "user:bob", expires=100)
    assert [expired(approval, now=now) for now in (99, 100, 101)] == [False, True, True]


def test_an_approval_is_bound_to_pin_arguments_labels_run_and_policy() -> None:
    action = Action("tool:a", {"x": 1}, IDENTITY)
    base = approval_digest(action, pin="v1", run="r", policy="p")
    others = [
        approval_digest(action, pin="v2", run="r", policy="p"),
        approval_digest(action, pin="v1", run="s", policy="p"),
        approval_digest(action, pin="v1", run="r", policy="q"),
        approval_digest(Action("tool:a", {"x": 2}, IDENTITY), pin="v1", run="r", policy="p"),
        approval_digest(Action("tool:b", {"x": 1}, IDENTITY), pin="v1", run="r", policy="p"),
        approval_digest(Action("tool:a", {"x": 1}, Label(Trust.USER)), pin="v1", run="r", policy="p"),
    ]
    assert len({base, *others}) == 7
    assert base == approval_digest(Action("tool:a", {"x": 1}, IDENTITY, call=4), pin="v1", run="r", policy="p")
