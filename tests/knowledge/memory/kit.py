"""A memory for tests: vectors of words, and a clock that is set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ringfence.core.labels import Label, Member, Trust
from ringfence.core.values import digest
from ringfence.knowledge.memory import Memories, Saying, Scope
from ringfence.knowledge.memory.locking import locked
from ringfence.knowledge.memory.wording import _words
from ringfence.knowledge.ports import Index, Vectors
from ringfence.knowledge.sqlite import SqliteIndex

ALICE: Member = frozenset({"user:alice", "role:ops"})
BOB: Member = frozenset({"user:bob", "role:ops"})
CAROL: Member = frozenset({"user:carol", "role:hr"})
DAVE: Member = frozenset({"user:dave", "role:hr", "role:ops"})
DIM = 256


class Words:
    """Vectors of the words of a text: texts with the same words are alike, and texts with none in common are not."""

    model, dim = "words/1", DIM

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        rows = np.zeros((len(texts), DIM), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.01  # a text without words has a direction, too
            for word in _words(text):
                row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:2], "big") % DIM] += 1.0
            row /= np.linalg.norm(row)
        return rows

    async def embed_query(self, text: str) -> np.ndarray:
        return (await self.embed([text]))[0]

    def count(self, text: str) -> int:
        return len(text.split())

    async def aclose(self) -> None: ...


@dataclass
class World:
    """Memories with a clock at `now` (milliseconds), and a short way to say who says what."""

    memories: Memories
    index: Index
    now: list[int]

    async def say(
        self, text: str, who: Member = ALICE, *, trust: Trust = Trust.USER, made_from: Label | None = None,
        kind: str = "fact", scope: str = "me", key: str = "", subjects: Sequence[str] = (),
    ):  # type: ignore[no-untyped-def]  # fmt: skip
        subject = next(one for one in who if one.startswith("user:"))
        label = made_from or Label(trust, frozenset({who}))
        saying = Saying("run", 3, key or digest([subject, text, self.now[0]]), subject, "agent", self.now[0], "user")
        named = Scope.parse(scope, subject=subject, agent=self.memories.agent)
        return await self.memories.save(
            text,
            kind,
            named,
            label=label,
            member=who,
            saying=saying,
            subjects=subjects,  # type: ignore[arg-type]
        )

    async def texts(self, question: str, who: Member = ALICE, *, limit: int = 10, **more: object) -> list[str]:
        found = await self.memories.recall(
            question,
            who,
            label=Label(Trust.USER),
            limit=limit,
            **more,  # type: ignore[arg-type]
        )
        return [one.item.text for one in found]


def world(folder: Path, *, embedder: Words | None = None, agent: str = "desk", index: Index | None = None) -> World:
    """The memory of an agent on the index in a folder, which others may share."""
    now, index = [1_764_000_000_000], index or SqliteIndex(folder)
    memories = Memories(
        index, embedder, lambda text: text.replace("4111 1111 1111 1111", "<CARD_1>"), lambda: now[0], agent=agent,
        expires_days=30, lock=lambda: locked(folder),
    )  # fmt: skip
    return World(memories, index, now)
