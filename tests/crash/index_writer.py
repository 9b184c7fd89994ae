"""Puts, replaces and removes documents in an index, and says on stdout what was acknowledged. Gets killed.

    python index_writer.py FOLDER NAME [COUNT]

What a document says is a function of its path and version, so whoever looks afterwards knows what has to be there.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

import numpy as np

from ringfence.core.labels import Label, Trust
from ringfence.knowledge.ports import Chunk, Document, Vectors
from ringfence.knowledge.sqlite import SqliteIndex, writer

DIM = 16


def made(path: str, version: str) -> tuple[Document, list[Chunk], Vectors | None]:
    """The document of a path and a version."""
    dice, rng = random.Random(f"{path} {version}"), np.random.default_rng(sum(f"{path} {version}".encode()))
    parts = [f"{path} v{version} " + " ".join(f"w{dice.randrange(300)}" for _ in range(40)) for _ in range(3)]
    ends = [0, *np.cumsum([len(part) for part in parts]).tolist()]
    rows = rng.normal(size=(3, DIM))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    document = Document("c", path, "".join(parts), Label(Trust.UNTRUSTED), version)
    return document, [Chunk(ends[n], ends[n + 1]) for n in range(3)], None if dice.random() < 0.2 else vectors


async def main(folder: Path, name: str, count: int) -> None:
    writer.PENDING, writer.SPARE = 12, 60  # type: ignore[attr-defined]  so that kills meet the rarer steps as well
    index, dice = SqliteIndex(folder), random.Random(name)
    os.write(1, b"ready\n")
    for number in range(count):
        path = f"{name}{dice.randrange(25):02}"
        if number % 7 == 6:
            await index.remove("c", [path])
            os.write(1, f"{path} -\n".encode())
        else:
            await index.put(*made(path, str(number)), model="m")
            os.write(1, f"{path} {number}\n".encode())
    await index.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000))
