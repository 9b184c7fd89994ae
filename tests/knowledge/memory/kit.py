"""A memory for tests: an index in a dict, vectors of words, and a clock that is set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ringfence.core.labels import Label, Member, Trust
from ringfence.core.values import digest
from ringfence.knowledge.memory import Memories, Saying, Scope
from ringfence.knowledge.memory.locking import locked
from ringfence.knowledge.memory.wording import _words
from ringfence.knowledge.ports import Chunk, Document, Hit, Query, Status, Vectors

ALICE: Member = frozenset({"user:alice", "role:ops"})
BOB: Member = frozenset({"user:bob", "role:ops"})
CAROL: Member = frozenset({"user:carol", "role:hr"})
DAVE: Member = frozenset({"user:dave", "role:hr", "role:ops"})
DIM = 256


class Words:
    """Vectors of the words of a text: texts with the same words are alike, and texts with none in common are not."""

    model, dim = "words/1", DIM

    async def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIM), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _words(text):
                row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:2], "big") % DIM] += 1.0
            row /= max(float(np.linalg.norm(row)), 1e-9)
        return rows

    async def embed_query(self, text: str) -> np.ndarray:
        return (await self.embed([text]))[0]

    def count(self, text: str) -> int:
        return len(text.split())

    async def aclose(self) -> None: ...


@dataclass
class Shelf:
    """An Index in a dict: exact, slow, and with every right checked before anything is ranked."""

    kept: dict[tuple[str, str], tuple[Document, tuple[Chunk, ...], Vectors | None]] = field(default_factory=dict)

    async def put(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors | None, *, model: str) -> None:
        self.kept[document.collection, document.path] = (document, tuple(chunks), vectors)

    async def remove(self, collection: str, paths: Sequence[str]) -> int:
        return sum(self.kept.pop((collection, path), None) is not None for path in paths)

    async def erase(self, subject: str) -> Sequence[tuple[str, str]]:
        gone = [key for key, (document, *_) in self.kept.items() if subject in document.subjects]
        for key in gone:
            del self.kept[key]
        return gone

    async def versions(self, collection: str) -> Mapping[str, str]:
        return {path: one[0].version for (name, path), one in self.kept.items() if name == collection}

    async def vectors_of(self, digests: Sequence[bytes], *, model: str) -> Mapping[bytes, Vectors]:
        return {}

    def _readable(self, member: Member, collections: frozenset[str], tags: frozenset[str], without: frozenset[str],
                  now: int) -> list[tuple[Document, Vectors | None]]:  # fmt: skip
        return [
            (document, vectors)
            for _, (document, _, vectors) in sorted(self.kept.items())
            if (not collections or document.collection in collections)
            and tags <= document.tags
            and without.isdisjoint(document.tags)
            and not (now and document.expires and document.expires <= now)
            and document.label.readable_by(member)
        ]

    async def documents(
        self,
        member: Member,
        *,
        collections: frozenset[str] = frozenset(),
        tags: frozenset[str] = frozenset(),
        without: frozenset[str] = frozenset(),
        now: int = 0,
    ) -> Sequence[Document]:
        return [replace(one, text="") for one, _ in self._readable(member, collections, tags, without, now)]

    async def read(self, member: Member, collection: str, path: str) -> Document | None:
        found = self.kept.get((collection, path))
        return found[0] if found is not None and found[0].label.readable_by(member) else None

    async def chunks(self, member: Member, collection: str, path: str) -> Sequence[Chunk]:
        return self.kept[collection, path][1] if await self.read(member, collection, path) else ()

    async def search(self, query: Query, member: Member) -> Sequence[Hit]:
        asked, hits = set(_words(query.text)), []
        for document, vectors in self._readable(member, query.collections, query.tags, query.without, query.now):
            common = len(asked & set(_words(document.text)))
            alike = float(vectors[0] @ query.vector) if vectors is not None and query.vector is not None else 0.0
            if common or alike > 0:
                score = common + alike
                hits.append(Hit(replace(document, text=""), Chunk(0, len(document.text)), document.text, score,
                                int(common > 0), int(alike > 0), alike))  # fmt: skip
        return sorted(hits, key=lambda hit: (-hit.score, hit.document.path))[: query.limit]

    async def status(self, member: Member) -> Sequence[Status]:
        return ()

    async def drop(self, collection: str) -> None:
        for key in [key for key in self.kept if key[0] == collection]:
            del self.kept[key]

    async def aclose(self) -> None: ...


@dataclass
class World:
    """Memories with a clock at `now` (milliseconds), and a short way to say who says what."""

    memories: Memories
    shelf: Shelf
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


def world(folder: Path, *, embedder: Words | None = None, agent: str = "desk", shelf: Shelf | None = None) -> World:
    now, index = [1_764_000_000_000], shelf if shelf is not None else Shelf()
    redact = lambda text: text.replace("4111 1111 1111 1111", "<CARD_1>")  # noqa: E731
    memories = Memories(
        index, embedder, redact, lambda: now[0], agent=agent, expires_days=30, lock=lambda: locked(folder)
    )
    return World(memories, index, now)
