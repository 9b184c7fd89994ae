"""The fuzz of rights: whatever a member is told must be what an index of their documents alone would tell.

A `World` is a small right graph with documents: roles, users and teams, labels of up to three clauses, public documents
among them. For each member it really builds that other index, in another order of putting, and compares everything that
the port says, to the last bit of each score. The tests run some thousand pairs, `bench/knowledge/rights.py` many more.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ringfence.core.labels import Label, Member, Trust
from ringfence.knowledge.ports import Chunk, Document, Index, Query
from ringfence.knowledge.sqlite import SqliteIndex

DIM = 6
NAMES = [f"role:r{n}" for n in range(4)] + [f"user:u{n}" for n in range(5)] + [f"team:t{n}" for n in range(2)]
_TEXT = "restart the database cluster of unit web-02 after ERR-4711 and tell nobody salaries merger 日本語 café"
WORDS = _TEXT.split()
COLLECTIONS = ("alpha", "beta")


@dataclass
class Tally:
    """How many (member, query) pairs were compared, and every difference."""

    pairs: int = 0
    other: int = 0  # comparisons of lists, counts, texts
    hits: int = 0
    leaks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Put:
    """What was put last under a name."""

    document: Document
    chunks: Sequence[Chunk]
    vectors: NDArray[np.float32] | None


class World:
    """Documents of random rights, the members, and what was put."""

    def __init__(self, seed: int, documents: int = 24) -> None:
        self.dice = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.there: dict[tuple[str, str], Put] = {}
        self.size = documents
        self._old = self._vectors(3)

    def members(self, count: int) -> list[Member]:
        """One who can show nothing, one who can show everything, and others."""
        drawn = [frozenset(self.dice.sample(NAMES, self.dice.randint(1, 5))) for _ in range(count - 2)]
        return [frozenset(), frozenset(NAMES), *drawn]

    async def fill(self, index: Index) -> None:
        """Put documents, replace some under other rights, remove some."""
        for number in range(self.size):
            await self._put(index, f"{number % 3}/d{number:02}.md")
        for _ in range(self.size // 3):
            collection, path = self.dice.choice(sorted(self.there))
            if self.dice.random() < 0.6:
                await self._put(index, path, collection)
            else:
                del self.there[collection, path]
                assert await index.remove(collection, [path]) == 1

    async def project(self, index: Index, member: Member) -> None:
        """Put what a member may read, and nothing else, in any order."""
        mine = [put for put in self.there.values() if put.document.label.readable_by(member)]
        self.dice.shuffle(mine)
        for put in mine:
            await index.put(put.document, put.chunks, put.vectors, model="m")

    def query(self) -> Query:
        """Any question: words that some know and some do not, a vector or none, filters or none."""
        dice = self.dice
        known = dice.choice(list(self.there.values())).document.text.split() or ["nothing"]
        words = dice.choices(WORDS, k=dice.randint(0, 4)) + dice.choices(known, k=dice.randint(0, 2))
        vector = dice.choice([None, self._vectors(1)[0], self._old[0], self._old[1]])
        return Query(
            " ".join(words) + dice.choice(["", ' " OR NEAR(*', "?"]),
            vector,
            dice.choice([frozenset(), frozenset(), frozenset({dice.choice(COLLECTIONS)})]),
            dice.choice([(), (), ("0/*",), ("*1*", "2/d0?.md")]),
            dice.choice([frozenset(), frozenset(), frozenset({"fact"})]),
            dice.choice([frozenset(), frozenset(), frozenset({"quarantined"})]),
            dice.choice([1, 2, 5, 8, 100]),
            dice.choice([0, 0, 500, 1_000]),
        )

    async def _put(self, index: Index, path: str, collection: str = "") -> None:
        dice, collection = self.dice, collection or self.dice.choice(COLLECTIONS)
        words = dice.choices(WORDS, k=dice.randint(0, 30)) + [f"secret{dice.randint(0, 30)}"] * dice.randint(0, 2)
        text = " ".join(words)
        cuts = sorted({0, len(text), *(dice.randint(0, len(text)) for _ in range(dice.randint(0, 3)))})
        chunks = [Chunk(a, b, page=n) for n, (a, b) in enumerate(pairwise(cuts))]
        clauses = (dice.sample(NAMES, dice.randint(1, 3)) for _ in range(dice.choice([0, 1, 1, 2, 3])))
        label = Label(dice.choice(list(Trust)), frozenset(frozenset(clause) for clause in clauses))
        tags = frozenset(dice.sample(["fact", "quarantined", "note"], dice.randint(0, 2)))
        document = Document(
            collection, path, text, label, f"v{dice.random()}", dice.choice(["", "A title"]), tags,
            dice.choice([0, 0, 400, 900]), meta={"n": dice.randint(0, 9)},
        )  # fmt: skip
        vectors = None if dice.random() < 0.2 else self._vectors(len(chunks))
        if vectors is not None and len(vectors) and dice.random() < 0.3:
            vectors[:] = dice.choice(list(self._old))  # equals, for the order of ties
        await index.put(document, chunks, vectors, model="m")
        self.there[collection, path] = Put(document, chunks, vectors)

    def _vectors(self, count: int) -> NDArray[np.float32]:
        drawn = self.numbers.normal(size=(count, DIM))
        unit: NDArray[np.float32] = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return unit


async def compare(index: Index, alone: Index, member: Member, queries: Sequence[Query], tally: Tally) -> None:
    """Hold searches of one index against those of the other."""
    for query in queries:
        found, expected = await index.search(query, member), await alone.search(query, member)
        tally.pairs += 1
        tally.hits += len(expected)
        if repr(found) != repr(expected):
            tally.leaks.append(f"{sorted(member)} {query}: {found} instead of {expected}")


async def survey(index: Index, alone: Index, world: World, member: Member, tally: Tally) -> None:
    """Hold everything else that the port says against the other index: lists, counts, texts."""

    def same(what: str, found: object, expected: object) -> None:
        tally.other += 1
        if repr(found) != repr(expected):
            tally.leaks.append(f"{sorted(member)} {what}: {found} instead of {expected}")

    same("status", await index.status(member), await alone.status(member))
    for now in (0, 500):
        for tags in (frozenset[str](), frozenset({"fact"})):
            wanted = {"collections": frozenset[str](), "tags": tags, "without": frozenset({"note"} if now else ())}
            found = await index.documents(member, now=now, **wanted)
            same("documents", found, await alone.documents(member, now=now, **wanted))
    for collection, path in [*world.there, ("alpha", "none"), ("none", "0/d00.md")]:
        same("read", await index.read(member, collection, path), await alone.read(member, collection, path))
        same("chunks", await index.chunks(member, collection, path), await alone.chunks(member, collection, path))
    for collection in (*COLLECTIONS, "none"):
        query = replace(Query(" ".join(WORDS)), collections=frozenset({collection}), limit=100)
        same("all of it", await index.search(query, member), await alone.search(query, member))


async def battle(folder: Path, seed: int, tally: Tally, *, members: int = 8, queries: int = 40) -> None:
    """One world: every member's answers against those of their own index."""
    world = World(seed)
    async with AsyncExitStack() as stack:
        index = SqliteIndex(folder / "all")
        stack.push_async_callback(index.aclose)
        await world.fill(index)
        for n, member in enumerate(world.members(members)):
            alone = SqliteIndex(folder / f"alone-{n}")
            stack.push_async_callback(alone.aclose)
            await world.project(alone, member)
            await survey(index, alone, world, member, tally)
            await compare(index, alone, member, [world.query() for _ in range(queries)], tally)
