"""The suite of every Index, part three: writers at once, of several handles and of several processes."""

from __future__ import annotations

import asyncio

import pytest

from ringfence.core.labels import Trust
from ringfence.knowledge.ports import Index, Query

from .indexes import ANN, STRANGER, Store, axis, doc, for_, put


async def test_writers_at_once_lose_nothing(store: Store) -> None:
    handles = [store.open() for _ in range(3)]

    async def write(writer: int, index: Index) -> None:
        for n in range(8):
            label = for_(f"role:r{n % 3}", "role:all")
            await put(
                index, doc(f"{writer}/{n}.md", f"harbour {writer} {n}", label, version=str(n)), axis(n), axis(writer)
            )

    async with asyncio.timeout(60):
        await asyncio.gather(*(write(writer, index) for writer, index in enumerate(handles)))
    reader = store.open()
    member = frozenset({"role:r0", "role:r1", "role:r2", "role:all"})
    assert len(await reader.versions("house")) == len(await reader.documents(member)) == 24
    assert [(status.documents, status.chunks) for status in await reader.status(member)] == [(24, 48)]
    assert len(await reader.search(Query("harbour", axis(0), limit=100), member)) == 48


async def test_of_writers_of_one_document_one_wins_whole(store: Store) -> None:
    handles = [store.open() for _ in range(3)]

    async def write(writer: int, index: Index) -> None:
        for n in range(6):
            text = f"crane{writer} " * (6 + 6 * writer)
            vectors = [axis(writer)] * (writer + 1)
            await put(
                index, doc("a.md", text, for_("role:ops", trust=Trust(writer)), version=f"{writer}.{n}"), *vectors
            )

    async with asyncio.timeout(60):
        await asyncio.gather(*(write(writer, index) for writer, index in enumerate(handles)))
    document = await handles[0].read(ANN, "house", "a.md")
    assert document is not None
    winner = int(document.version[0])
    assert document.text == f"crane{winner} " * (6 + 6 * winner)
    assert len(await handles[0].chunks(ANN, "house", "a.md")) == winner + 1
    hits = await handles[0].search(Query("crane0 crane1 crane2", axis(winner)), ANN)
    assert [hit.similarity for hit in hits] == pytest.approx([1.0] * (winner + 1), abs=1e-5)
    assert all(f"crane{winner}" in hit.text for hit in hits)


async def test_who_searches_while_others_write_sees_whole_documents(store: Store) -> None:
    writer, reader = store.open(), store.open()
    texts = {"crane " * 12, "harbour " * 40}
    await put(writer, doc("a.md", "crane " * 12), axis(0))
    done = asyncio.Event()

    async def write() -> None:
        for n in range(12):
            text = sorted(texts)[n % 2]
            await put(writer, doc("a.md", text), *[axis(n % 2)] * (1 + n % 2))
        done.set()

    async def look() -> int:
        looks = 0
        while not done.is_set() or not looks:
            looks += 1
            document = await reader.read(STRANGER, "house", "a.md")
            assert document is not None
            assert document.text in texts
            hits = await reader.search(Query("crane harbour", axis(0)), STRANGER)
            assert {hit.text.split()[0] for hit in hits} in ({"crane"}, {"harbour"})
            assert len(hits) == (1 if hits[0].text.startswith("crane") else 2)
        return looks

    async with asyncio.timeout(60):
        _, looks = await asyncio.gather(write(), look())
    assert looks
