"""Whose memory an item is: a person's, a team's, or that of an agent; and so who may read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ringfence.core.labels import Clause, Label, Member, Trust

COLLECTION = "memory"  # of what persons and teams own, in whatever agent they use
ME, AGENT = "me", "agent"
_NAMED = re.compile(r"(?:user|role|team):[^\s:]{1,120}")


@dataclass(frozen=True, slots=True)
class Scope:
    """`name` is user:NAME, role:NAME, team:NAME, or agent:NAME.

    Everybody who may use an agent shares its scope, which adds no reader of its own: an item there is read by whoever
    may read what it was made from. Of persons and teams it is read by these alone, in every agent of the same store.
    """

    name: str

    @classmethod
    def parse(cls, text: str, *, subject: str, agent: str) -> Scope:
        """`me`, `agent`, or a name of one's own; raises ValueError, in words for a model, for what is none."""
        if text in ("", ME):
            return cls(subject)
        if text == AGENT:
            return cls(f"agent:{agent}")
        if not _NAMED.fullmatch(text):
            raise ValueError(f"scope is {ME}, {AGENT}, or one of your own such as role:ops, not {text[:80]!r}")
        return cls(text)

    @property
    def collection(self) -> str:
        """Where its items are: those of one agent are not looked for by another one."""
        return f"{COLLECTION}:{self.name.partition(':')[2]}" if self.of_agent else COLLECTION

    @property
    def of_agent(self) -> bool:
        """Whether it is an agent's."""
        return self.name.startswith("agent:")

    @property
    def readers(self) -> frozenset[Clause]:
        """Who may read all that is in it."""
        return frozenset() if self.of_agent else frozenset({frozenset({self.name})})

    def open_to(self, member: Member) -> bool:
        """Whether a member belongs to it, and so may put something into it."""
        return self.of_agent or self.name in member

    def label(self, made_from: Label, trust: Trust) -> Label:
        """The label of an item: readable by those of the scope who may read all that it was made from."""
        return Label(trust, made_from.readers | self.readers)


def remembered(collection: str) -> bool:
    """Whether a collection is one of memory, and none of documents."""
    return collection.partition(":")[0] == COLLECTION


def collections(agent: str) -> frozenset[str]:
    """Where an agent looks: what persons and teams own, and what is its own."""
    return frozenset({COLLECTION, Scope(f"agent:{agent}").collection})
