"""The suite of every Index, part two: who may read what, and that nobody can tell what others may read.

What a member gets is held against an index that was built of the documents alone that they may read: every list, every
text, every count, every hit with its ranks and scores has to be the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from ringfence.core.labels import Label, Member, Trust
from ringfence.knowledge.ports import Document, Index, Query, Vectors

from ..knowledge.rights_battery import Tally, World, compare, survey
from .indexes import ANN, BOB, DIM, EVE, EVERYONE, MODEL, STRANGER, Store, axis, doc, for_, found, halves, plain, put
from .indexes import words as endless

LABELS = {
    "public": EVERYONE,
    "ops": for_("role:ops"),
    "ops or hr": for_("role:ops role:hr"),
    "ops and ann": for_("role:ops", "user:ann"),
    "ops and hr": for_("role:ops", "role:hr"),
    "any and hr": for_("role:ops role:hr user:eve", "role:hr"),
    "eve": for_("user:eve"),
    "nobody": Label(Trust.USER, frozenset({frozenset()})),
}
MAY = {
    ANN: {"public", "ops", "ops or hr", "ops and ann"},
    BOB: {"public", "ops or hr", "any and hr"},
    EVE: {"public", "eve"},
    STRANGER: {"public"},
    frozenset({"role:ops", "role:hr"}): {"public", "ops", "ops or hr", "ops and hr", "any and hr"},
    frozenset({"role:op", "ROLE:OPS", "ops", "role:ops ", "role:ops role:hr", "%", "public", ""}): {"public"},
}


@pytest.mark.parametrize("member", MAY, ids=lambda member: ",".join(sorted(member)) or "stranger")
async def test_every_clause_has_to_be_met_by_any_of_its_readers(index: Index, member: Member) -> None:
    for name, label in LABELS.items():
        await put(index, doc(name, f"harbour {name}", label), axis(0))
    may = MAY[member]
    assert {one.path for one in await index.documents(member)} == may
    assert {one.path: one.label for one in await index.documents(member)} == {name: LABELS[name] for name in may}
    for name in LABELS:
        document = await index.read(member, "house", name)
        assert (document is not None) == (name in may)
        assert bool(await index.chunks(member, "house", name)) == (name in may)
    for text, vector in (("harbour", None), ("", axis(0)), ("harbour", axis(0))):
        assert set(await found(index, text, member, vector=vector, limit=100)) == may
    assert [status.documents for status in await index.status(member)] == [len(may)]


async def test_a_full_answer_however_much_there_is_that_suits_better(index: Index) -> None:
    for n in range(120):
        await put(index, doc(f"hidden/{n}", "harbour harbour crane", for_("role:hr")), axis(0))
    for n in range(5):
        await put(
            index, doc(f"mine/{n}", "a long text about the harbour among other things", for_("role:ops")), axis(4)
        )
    for text, vector in (("harbour crane", None), ("", axis(0)), ("harbour crane", axis(0))):
        assert sorted(await found(index, text, ANN, vector=vector, limit=5)) == [f"mine/{n}" for n in range(5)]


async def test_rights_that_were_taken_away_hold_at_once(index: Index) -> None:
    await put(index, doc("a.md", "harbour", for_("role:ops")), axis(0))
    assert await found(index, "harbour", ANN) == ["a.md"]
    await put(index, doc("a.md", "harbour", for_("role:hr")), axis(0))
    assert await found(index, "harbour", ANN, vector=axis(0)) == []
    assert await index.read(ANN, "house", "a.md") is None
    assert await found(index, "harbour", BOB, vector=axis(0)) == ["a.md"]


async def test_a_collection_that_a_member_may_read_nothing_of_is_not_there(index: Index) -> None:
    await put(index, doc("a.md", "harbour"), axis(0))
    await put(index, doc("pay.md", "payroll", for_("role:hr"), collection="payroll"), axis(1))
    assert [status.collection for status in await index.status(ANN)] == ["house"]
    assert [status.collection for status in await index.status(BOB)] == ["house", "payroll"]
    assert await found(index, "payroll", ANN, collections=frozenset({"payroll"}), vector=axis(1)) == []


async def test_that_others_have_vectors_is_not_told(index: Index) -> None:
    await put(index, doc("plain.md", "harbour"))
    await put(index, doc("pay.md", "harbour", for_("role:hr")), axis(1))
    [status] = await index.status(ANN)
    assert (status.model, status.dim, status.documents) == ("", 0, 1)
    assert await found(index, "harbour", ANN, vector=np.ones(3, np.float32)) == ["plain.md"]
    [status] = await index.status(BOB)
    assert (status.model, status.dim, status.documents) == (MODEL, DIM, 2)


async def test_how_rare_a_word_is_among_others_documents_changes_no_score(index: Index) -> None:
    for n in range(6):
        await put(index, doc(f"{n}.md", f"harbour crane {'tide ' * n}"))
    query = Query("crane tide harbour")
    before = plain(await index.search(query, ANN))
    for n in range(40):
        await put(index, doc(f"hidden/{n}.md", "tide " * (n + 1) + "lantern" * n, for_("role:hr")), axis(n))
    assert plain(await index.search(query, ANN)) == before
    await index.remove("house", [f"hidden/{n}.md" for n in range(40)])
    assert plain(await index.search(query, ANN)) == before


@dataclass(frozen=True, slots=True)
class _Put:
    document: Document
    parts: int
    vectors: Vectors | None

    async def into(self, index: Index) -> None:
        chunks = halves(self.document.text, self.parts)
        await index.put(self.document, chunks, self.vectors, model=MODEL if self.vectors is not None else "")


def _world(seed: int, size: int) -> list[_Put]:
    """Documents of a few words and directions, so that much is alike; rights, tags and days at random."""
    random, text = np.random.default_rng(seed), endless(seed)
    labels, world = list(LABELS.values()), []
    for n in range(size):
        parts = int(random.integers(1, 4))
        vectors = random.integers(-2, 3, (parts, DIM)).astype(np.float32) + np.float32(0.01)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        document = Document(
            str(random.choice(["house", "yard"])), f"{random.integers(2024, 2027)}/{n}.md",
            " ".join(next(text) for _ in range(int(random.integers(3, 30)))), labels[int(random.integers(len(labels)))],
            version=str(n), title=f"No. {n}", tags=frozenset(random.choice(["fact", "old", "x"], 2).tolist()),
            expires=int(random.integers(0, 4)), subjects=(f"user:{n % 5}",), meta={"n": n},
        )  # fmt: skip
        world.append(_Put(document, parts, vectors if random.random() < 0.8 else None))
    return world


def _queries(seed: int) -> list[Query]:
    random, text = np.random.default_rng(seed), endless(seed + 1)
    queries = []
    for n in range(24):
        vector = random.integers(-2, 3, DIM).astype(np.float32) + np.float32(0.02)
        query = Query(
            " ".join(next(text) for _ in range(int(random.integers(0, 5)))),
            vector / np.linalg.norm(vector) if n % 3 else None, limit=int(random.integers(1, 30)),
        )  # fmt: skip
        if n % 4 == 1:
            query = replace(query, collections=frozenset({"yard"}), now=2)
        if n % 4 == 2:
            query = replace(query, paths=("2025/*",), without=frozenset({"old"}))
        if n % 4 == 3:
            query = replace(query, tags=frozenset({"fact"}))
        queries.append(query)
    return queries


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_member_gets_what_an_index_of_what_they_may_read_gives(store: Store, seed: int) -> None:
    world, whole = _world(seed, 60), store.open("whole")
    for one in world:
        await one.into(whole)
    for n, member in enumerate((ANN, BOB, EVE, STRANGER)):
        theirs, alone = [one for one in world if one.document.label.readable_by(member)], store.open(f"only{n}")
        assert 0 < len(theirs) < len(world)
        for one in reversed(theirs):  # in another order: it is not to matter either
            await one.into(alone)
        await _same(whole, alone, member, world, _queries(seed))


async def _same(whole: Index, alone: Index, member: Member, world: list[_Put], queries: list[Query]) -> None:
    assert list(await whole.documents(member)) == list(await alone.documents(member))
    assert list(await whole.status(member)) == list(await alone.status(member))
    for one in world:
        named = one.document.collection, one.document.path
        assert await whole.read(member, *named) == await alone.read(member, *named)
        assert list(await whole.chunks(member, *named)) == list(await alone.chunks(member, *named))
    for query in queries:
        assert plain(await whole.search(query, member)) == plain(await alone.search(query, member)), query


@pytest.mark.parametrize("seed", [11, 12])
async def test_the_battery_of_rights_finds_no_leak(store: Store, seed: int) -> None:
    world, tally, whole = World(seed), Tally(), store.open("whole")
    await world.fill(whole)
    for n, member in enumerate(world.members(5)):
        alone = store.open(f"alone{n}")
        await world.project(alone, member)
        await survey(whole, alone, world, member, tally)
        await compare(whole, alone, member, [world.query() for _ in range(30)], tally)
    assert tally.leaks[:1] == []
    assert tally.pairs == 150
    assert tally.hits > 200
