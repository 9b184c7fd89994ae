"""Whether anybody is ever told anything by what they may not read.

    python bench/knowledge/rights.py [--pairs 200000] [--large 2000] [--folder .ringfence/bench-knowledge]

Small worlds: random right graphs (roles, users, teams, conjunctions, public documents), random members and questions;
each answer is held, to the last bit, against that of an index which really holds this member's documents alone. Large
index: the hundred rings of `search.py` (build it first), and members of one to three of them. It goes on where it was
cut off: worlds that are done are in `rights.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import synthetic

from ringfence.core.labels import Member
from ringfence.knowledge.ports import Query
from ringfence.knowledge.sqlite import SqliteIndex
from tests.knowledge.rights_battery import Tally, battle, compare

RINGS = 100
MEMBERS = 10  # of the large index, each with an index of their own
MODEL = "synthetic"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # small worlds need no disk


def kept(path: Path) -> dict[int, Tally]:
    """Worlds that are done."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {one.pop("seed"): Tally(**one) for one in map(json.loads, lines)}


async def small(pairs: int, path: Path) -> Tally:
    done, seed, began = kept(path), 0, time.monotonic()
    while sum(tally.pairs for tally in done.values()) < pairs:
        if seed not in done:
            with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
                tally = Tally()
                await battle(Path(folder), seed, tally, members=10, queries=200)
            done[seed] = tally
            with path.open("a") as file:
                file.write(json.dumps({"seed": seed, **asdict(tally)}) + "\n")
            if len(done) % 10 == 0:
                total = sum(tally.pairs for tally in done.values())
                print(f"  {total:,} pairs, {time.monotonic() - began:.0f} s", flush=True)
        seed += 1
    total = Tally()
    for tally in done.values():
        total.pairs += tally.pairs
        total.other += tally.other
        total.hits += tally.hits
        total.leaks += tally.leaks
    return total


async def large(pairs: int, chunks: int, folder: Path) -> Tally:
    """Members of one to three of the hundred rings, each against an index of their documents alone."""
    index, dice, tally = SqliteIndex(folder / str(chunks) / "rings"), random.Random(5), Tally()
    for n in range(MEMBERS):
        rings = dice.sample(range(RINGS), dice.randint(1, 3))
        member: Member = frozenset(f"role:{ring}" for ring in rings)
        place = folder / f"alone-{n}"
        shutil.rmtree(place, ignore_errors=True)
        alone = SqliteIndex(place)
        for number in sorted((n for n in range(chunks // synthetic.CHUNKS) if n % RINGS in rings), reverse=True):
            made = synthetic.document(number, frozenset({frozenset({f"role:{number % RINGS}"})}))
            await alone.put(made.document, made.chunks, made.vectors, model=MODEL, digests=made.digests)
        queries = []
        for number in range(pairs // MEMBERS):
            asked = synthetic.question(number * MEMBERS + n)
            paths = dice.choice([(), (), ("4*",), ("*7.md", "01/*")])
            vector = dice.choice([asked.vector, asked.vector, None])
            queries.append(Query(asked.text, vector, paths=paths, limit=dice.choice([1, 8, 50, 100])))
        await compare(index, alone, member, queries, tally)
        tally.other += 2
        if await index.status(member) != await alone.status(member):
            tally.leaks.append(f"{sorted(member)}: status")
        if await index.documents(member) != await alone.documents(member):
            tally.leaks.append(f"{sorted(member)}: documents")
        await alone.aclose()
        shutil.rmtree(place)
        print(f"  large index: {tally.pairs:,} pairs, {len(tally.leaks)} leaks", flush=True)
    await index.aclose()
    return tally


def said(name: str, tally: Tally) -> str:
    compared = f"{tally.hits:,} hits and {tally.other:,} lists, counts and texts"
    return f"{name}: {tally.pairs:,} (member, question) pairs with {compared} compared: {len(tally.leaks)} leaks"


async def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--pairs", type=int, default=200_000)
    parse.add_argument("--large", type=int, default=2_000)
    parse.add_argument("--chunks", type=int, default=100_000)
    parse.add_argument("--folder", type=Path, default=Path(".ringfence/bench-knowledge"))
    asked = parse.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    tallies = {
        "small worlds": await small(asked.pairs, asked.folder / "rights.jsonl"),
        f"{asked.chunks:,} chunks": await large(asked.large, asked.chunks, asked.folder) if asked.large else Tally(),
    }
    print()
    for name, tally in tallies.items():
        print(said(name, tally))
        for leak in tally.leaks[:3]:
            print("  ", leak)
    sys.exit(any(tally.leaks for tally in tallies.values()))


if __name__ == "__main__":
    asyncio.run(main())
