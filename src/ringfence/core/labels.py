"""Labels: how far to trust a value, and who may read it (DESIGN 6).

A lattice after Denning, "A Lattice Model of Secure Information Flow" (CACM 19:5, 1976): `join` is the only way to
combine labels and can only lower trust and narrow the readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any


class Trust(IntEnum):
    """Whose word a value is. A `TYPED` value is a metadata leaf that the operator's catalogue declares."""

    UNTRUSTED = 0
    TYPED = 1
    USER = 2
    OPERATOR = 3


Clause = frozenset[str]  # any of these may read: {"role:hr", "user:alice"}
Member = frozenset[str]  # one reader, by everything it can show: {"user:alice", "role:ops"}
Audience = frozenset[Member]  # everyone who will see what goes into a sink

ANYONE: Audience = frozenset({frozenset()})  # a member who can show nothing: public content only
NOBODY: Audience = frozenset()  # no one sees it: a pure function


def seen_by(who: Iterable[str]) -> Audience:
    """The audience of those who are named, each a member; "public" is anyone."""
    return frozenset(frozenset[str]() if one == "public" else frozenset({one}) for one in who)


@dataclass(frozen=True, slots=True)
class Label:
    """Trust x readers. `readers` is a conjunction of clauses; no clause means everyone.

    Clauses are kept in normal form (a clause that another one implies is dropped), so equal labels compare equal.
    """

    trust: Trust
    readers: frozenset[Clause] = frozenset()

    def __post_init__(self) -> None:
        if len(self.readers) > 1:
            minimal = frozenset(c for c in self.readers if not any(other < c for other in self.readers))
            object.__setattr__(self, "readers", minimal)

    def join(self, other: Label) -> Label:
        """The label of something made from both: lowest trust, union of the clauses."""
        if self == other:
            return self
        return Label(min(self.trust, other.trust), self.readers | other.readers)

    def readable_by(self, member: Member) -> bool:
        """Whether `member` satisfies every clause."""
        return all(not clause.isdisjoint(member) for clause in self.readers)

    def broken_by(self, audience: Audience) -> frozenset[Clause]:
        """The clauses that someone in the audience does not satisfy."""
        return frozenset(c for c in self.readers if any(c.isdisjoint(member) for member in audience))

    def flows_to(self, clearance: Trust, audience: Audience) -> bool:
        """Whether content so labelled may enter a sink: trusted enough, and readable by all who will see it."""
        return self.trust >= clearance and not self.broken_by(audience)

    def to_json(self) -> dict[str, Any]:
        """`{"readers": [["role:ops"]], "trust": "user"}`, sorted."""
        return _to_json(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Label:
        """Inverse of `to_json`; raises KeyError on an unknown trust."""
        return cls(Trust[value["trust"].upper()], frozenset(frozenset(clause) for clause in value["readers"]))


@lru_cache(maxsize=1024)
def _to_json(label: Label) -> dict[str, Any]:
    return {"readers": sorted(sorted(clause) for clause in label.readers), "trust": label.trust.name.lower()}


IDENTITY = Label(Trust.OPERATOR)  # join(IDENTITY, x) == x


def join_all(labels: Iterable[Label]) -> Label:
    """The join of any number of labels; of none, `IDENTITY`."""
    result = IDENTITY
    for label in labels:
        result = result.join(label)
    return result
