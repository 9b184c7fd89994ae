"""What a search costs on 100,000 chunks, beside the bare arithmetic in the same run.

    python bench/knowledge/search.py [--chunks 100000] [--queries 500] [--folder .ringfence/bench-knowledge]

Two indexes of the same documents: `public`, which everybody may read, and `rings`, where each document is for one of a
hundred roles. The floor is numpy's exact product over the same vectors in memory with the best 200 picked, and FTS5's
bm25() over the same chunks in one table, both without any rights. Building takes some minutes; it goes on where it was
cut off.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import synthetic
from numpy.typing import NDArray

from ringfence.core.labels import Member
from ringfence.knowledge.ports import Query
from ringfence.knowledge.sqlite import SqliteIndex

RINGS = 100
MODEL = "synthetic"
EVERYONE: Member = frozenset()
ALL: Member = frozenset(f"role:{n}" for n in range(RINGS))
ONE: Member = frozenset({"role:42"})


async def build(index: SqliteIndex, documents: int, *, rings: bool, name: str) -> None:
    known = await index.versions("house")
    began, done = time.perf_counter(), 0
    for number in range(documents):
        readers = frozenset({frozenset({f"role:{number % RINGS}"})}) if rings else frozenset()
        if f"{number % 100:02}/{number:06}.md" in known:
            continue
        made = synthetic.document(number, readers)
        await index.put(made.document, made.chunks, made.vectors, model=MODEL, digests=made.digests)
        done += 1
        if done % 500 == 0:
            rate = done * synthetic.CHUNKS / (time.perf_counter() - began)
            print(f"  {name}: {number + 1:,} of {documents:,} documents, {rate:,.0f} chunks/s", flush=True)


class Took(list[float]):
    """Milliseconds of each search, and those of CPU, all threads': on a busy machine these tell more."""

    def __init__(self) -> None:
        self.cpu: list[float] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        began, used = time.perf_counter(), time.process_time()
        yield
        self.append((time.perf_counter() - began) * 1000)
        self.cpu.append((time.process_time() - used) * 1000)


async def timed(index: SqliteIndex, member: Member, questions: Sequence[synthetic.Asked], **more: Any) -> Took:
    took = Took()
    for one in questions:
        query = Query(one.text, one.vector, **more)
        with took.one():
            hits = await index.search(query, member)
        assert len(hits) == query.limit
    return took


class Floor:
    """The arithmetic alone: the same vectors in memory, the same chunks in one FTS5 table."""

    def __init__(self, folder: Path, documents: int) -> None:
        self.rows = np.concatenate([synthetic.document(n, frozenset()).vectors for n in range(documents)])
        path = folder / "floor.db"
        self.db = apsw.Connection(str(path))
        self.db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000").fetchall()
        self.db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(x, content='', tokenize='porter unicode61')")
        if not self.db.execute("SELECT 1 FROM t('the') LIMIT 1").fetchone():
            with self.db:
                for number in range(documents):
                    made = synthetic.document(number, frozenset())
                    texts = ((made.document.text[c.start : c.end],) for c in made.chunks)
                    self.db.executemany("INSERT INTO t(x) VALUES (?)", texts)

    def meaning(self, question: NDArray[np.float32]) -> NDArray[np.int64]:
        found = self.rows @ question
        best = np.argpartition(found, len(found) - 200)[-200:]
        chosen: NDArray[np.int64] = best[np.argsort(-found[best])]
        return chosen

    def words(self, text: str) -> None:
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(text.split()))
        self.db.execute("SELECT rowid FROM t(?) ORDER BY rank LIMIT 200", (match,)).fetchall()

    def timed(self, questions: Sequence[synthetic.Asked]) -> tuple[Took, Took, Took]:
        meaning, words, both = Took(), Took(), Took()
        for one in questions:
            with both.one():
                with meaning.one():
                    self.meaning(one.vector)
                with words.one():
                    self.words(one.text)
        return meaning, words, both


def line(name: str, took: Took, floor: float = 0.0) -> float:
    p50, p95, p99 = (float(np.percentile(took, p)) for p in (50, 95, 99))
    cpu = float(np.median(took.cpu))
    ratio = f"{cpu / floor:6.2f} x floor" if floor else ""
    print(f"{name:<40} {p50:8.2f} {p95:8.2f} {p99:8.2f} {cpu:8.2f}  {ratio}", flush=True)
    return cpu


async def recall(index: SqliteIndex, floor: Floor, questions: Sequence[synthetic.Asked]) -> float:
    """Of the ten nearest vectors, how many a search by vector alone finds (recall@10)."""
    found = 0
    for one in questions:
        hits = await index.search(Query("", one.vector, limit=10), EVERYONE)
        numbers = {int(hit.document.version) * synthetic.CHUNKS + hit.chunk.page - 1 for hit in hits}
        found += len(numbers & set(floor.meaning(one.vector)[:10].tolist()))
    return found / (10 * len(questions))


async def overhead(rings: SqliteIndex, public: SqliteIndex, questions: Sequence[synthetic.Asked]) -> list[float]:
    """Of each question, how much more CPU it takes with rights; the two in turns, the better of three each."""
    ratios = []
    for n, one in enumerate(questions):
        best = [float("inf"), float("inf")]
        for turn in range(6):
            side = (turn + n) % 2
            index, member = ((public, EVERYONE), (rings, ALL))[side]
            began = time.process_time()
            await index.search(Query(one.text, one.vector), member)
            best[side] = min(best[side], time.process_time() - began)
        ratios.append(best[1] / best[0] - 1)
    return ratios


async def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--chunks", type=int, default=100_000)
    parse.add_argument("--queries", type=int, default=500)
    parse.add_argument("--folder", type=Path, default=Path(".ringfence/bench-knowledge"))
    asked = parse.parse_args()
    folder, documents = asked.folder / str(asked.chunks), asked.chunks // synthetic.CHUNKS
    public, rings = SqliteIndex(folder / "public"), SqliteIndex(folder / "rings")
    await build(public, documents, rings=False, name="public")
    await build(rings, documents, rings=True, name="rings")
    floor = Floor(folder, documents)
    questions = [synthetic.question(n) for n in range(asked.queries)]
    warm, questions_ = questions[:20], questions[20:]
    cold = time.perf_counter()
    await public.search(Query(warm[0].text, warm[0].vector), EVERYONE)
    print(f"first search of a process: {(time.perf_counter() - cold) * 1000:.0f} ms (it reads what the index holds)")
    for index, member in ((public, EVERYONE), (rings, ALL), (rings, ONE)):
        await timed(index, member, warm)
    floor.timed(warm)
    load = os.getloadavg()[0]
    print(f"\n{asked.chunks:,} chunks x {synthetic.DIM}, {len(questions_)} questions, ms; load {load:.1f}")
    print(f"{'':<40} {'p50':>8} {'p95':>8} {'p99':>8} {'CPU p50':>8}")
    meaning, words, all_of_it = floor.timed(questions_)
    line("floor: numpy, exact, in memory", meaning)
    line("floor: FTS5 bm25, one table", words)
    both = line("floor: both", all_of_it)
    line("public: everybody", await timed(public, EVERYONE, questions_), both)
    line("100 rings: a member of all", await timed(rings, ALL, questions_), both)
    line("100 rings: a member of one (1 %)", await timed(rings, ONE, questions_), both)
    line("100 rings: all, within paths 4*", await timed(rings, ALL, questions_, paths=("4*",)), both)
    print(f"\nrecall@10 of the vectors: {await recall(public, floor, questions_[:100]):.4f}")
    ratios = await overhead(rings, public, questions_[:200])
    print(f"rights cost, a member of all beside no rights: {np.median(ratios):+.1%} (median of {len(ratios)})")
    size = sum(path.stat().st_size for path in (folder / "public").iterdir())
    print(f"on disk: {size / 1e6:,.0f} MB, of it vectors {asked.chunks * synthetic.DIM * 4 / 1e6:,.0f} MB")
    await public.aclose()
    await rings.aclose()


if __name__ == "__main__":
    asyncio.run(main())
