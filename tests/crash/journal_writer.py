"""Writes runs to a journal for ever, and says on stdout which records were acknowledged. Gets killed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.stores import open_journal


def record(run: str, seq: int, kind: Kind) -> Record:
    body = {"task": "t", "text": "x" * (seq * 37 % 300)}
    return Record(run, seq, 1_000 + seq, kind, "user:a", IDENTITY, {"n": seq}, body)


async def main(path: Path, name: str) -> None:
    journal = open_journal(path)
    os.write(1, b"ready\n")
    number = 0
    while True:
        run = f"{name}{number:06d}"
        for seq in range(6):
            journal.append(record(run, seq, (Kind.STARTED, *[Kind.MESSAGE] * 4, Kind.FINISHED)[seq]))
            if seq % 2:
                await journal.flush()
                os.write(1, f"{run} {seq}\n".encode())
        number += 1


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
