"""The lattice laws, exhaustively over a universe of two readers, and over three with chance."""

from __future__ import annotations

from itertools import combinations, product
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.labels import ANYONE, IDENTITY, NOBODY, Audience, Label, Member, Trust, join_all, seen_by

T = TypeVar("T")


def _subsets(items: list[T]) -> list[frozenset[T]]:
    return [frozenset(c) for n in range(len(items) + 1) for c in combinations(items, n)]


CLAUSES = _subsets(["role:a", "role:b"])  # the empty clause, which nobody satisfies, among them
LABELS = [Label(trust, readers) for trust in Trust for readers in _subsets(CLAUSES)]
DISTINCT = sorted(set(LABELS), key=repr)
MEMBERS: list[Member] = list(CLAUSES)
AUDIENCES: list[Audience] = _subsets(MEMBERS)


def test_join_is_commutative_and_idempotent() -> None:
    for a, b in product(DISTINCT, repeat=2):
        assert a.join(b) == b.join(a)
    assert all(a.join(a) == a for a in DISTINCT)


def test_join_is_associative() -> None:
    for a, b, c in product(DISTINCT, repeat=3):
        assert a.join(b).join(c) == a.join(b.join(c))


def test_the_identity_changes_nothing() -> None:
    assert all(IDENTITY.join(a) == a == a.join(IDENTITY) for a in DISTINCT)


def test_what_is_made_from_both_flows_exactly_where_both_may_flow() -> None:
    for a, b in product(DISTINCT, repeat=2):
        joined = a.join(b)
        for clearance, audience in product(Trust, AUDIENCES):
            both = a.flows_to(clearance, audience) and b.flows_to(clearance, audience)
            assert joined.flows_to(clearance, audience) is both


def test_a_larger_audience_or_a_higher_clearance_only_refuses_more() -> None:
    for label, clearance in product(DISTINCT, Trust):
        for small, large in product(AUDIENCES, repeat=2):
            if small <= large and label.flows_to(clearance, large):
                assert label.flows_to(clearance, small)
                assert all(label.flows_to(lower, large) for lower in Trust if lower <= clearance)


def test_equal_meaning_is_equal_label() -> None:
    def meaning(label: Label) -> tuple[Trust, frozenset[Member]]:
        return label.trust, frozenset(m for m in MEMBERS if label.readable_by(m))

    for a, b in product(LABELS, repeat=2):
        assert (a == b) is (meaning(a) == meaning(b))


def test_a_clause_that_another_implies_is_dropped() -> None:
    narrow, wide = frozenset({"role:a"}), frozenset({"role:a", "role:b"})
    assert Label(Trust.USER, frozenset({narrow, wide})).readers == {narrow}


def test_public_content_alone_reaches_a_member_who_can_show_nothing() -> None:
    assert [a for a in DISTINCT if a.flows_to(Trust.UNTRUSTED, ANYONE)] == [a for a in DISTINCT if not a.readers]
    assert all(a.flows_to(Trust.UNTRUSTED, NOBODY) for a in DISTINCT)


def test_trust_is_ordered_as_the_design_says() -> None:
    assert Trust.OPERATOR > Trust.USER > Trust.TYPED > Trust.UNTRUSTED


def test_a_label_survives_its_json() -> None:
    for label in LABELS:
        assert Label.from_json(label.to_json()) == label
    assert Label(Trust.USER, frozenset({frozenset({"b", "a"})})).to_json() == {"readers": [["a", "b"]], "trust": "user"}
    with pytest.raises(KeyError):
        Label.from_json({"trust": "divine", "readers": []})


@given(st.lists(st.sampled_from(DISTINCT), max_size=6), st.randoms())
def test_the_join_of_many_does_not_depend_on_their_order(labels: list[Label], chance: object) -> None:
    shuffled = sorted(labels, key=lambda label: hash((str(chance), label)))
    assert join_all(labels) == join_all(shuffled) == join_all(labels + labels)
    assert join_all([]) == IDENTITY


def test_those_who_are_named_are_each_a_member_and_public_is_anyone() -> None:
    assert seen_by(["role:hr", "user:ann"]) == {frozenset({"role:hr"}), frozenset({"user:ann"})}
    assert seen_by(["public"]) == ANYONE
