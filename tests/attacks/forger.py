"""Whoever may write the journal's file, and has none of its keys: changes records, and all that leads to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import apsw

from ringfence.core import chain
from ringfence.core.values import canonical
from ringfence.stores import file
from ringfence.stores.rows import MARK_BYTES, Chunk, Squeeze

Lines = list[bytes]


class Forger:
    """`change` gets the headers of each chunk. `careful`: what is computed from headers is computed again."""

    def __init__(self, path: Path) -> None:
        self.db = apsw.Connection(str(path))
        self.log, preset = file.meta(self.db)
        self._squeeze = Squeeze(preset)

    def chunk(self, index: int, change: Callable[[Lines], Lines], *, marks: bool = False) -> None:
        """Change the headers of one chunk; with `marks`, those too."""
        chunk = self._chunks(index)[0]
        lines = change(chunk.lines(self._squeeze))
        made = b"".join(chain.leaf(line)[:MARK_BYTES] for line in lines)
        kept = made if marks or len(lines) != len(chunk) else chunk.marks
        self.db.execute(
            "UPDATE chunks SET heads = ?, marks = ? WHERE idx = ?", (self._squeeze.pack(lines), kept, chunk.index)
        )

    def rewrite(self, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
        """Lay the whole log out anew: dense indices, new marks, roots and places. Nothing but a head tells."""
        heads = [json.loads(line) for chunk in self._chunks() for line in chunk.lines(self._squeeze)]
        self.db.execute("DELETE FROM chunks; DELETE FROM places; DELETE FROM snapshots; DELETE FROM conversations")
        frontier, newest, spans = chain.Frontier(), -1, dict[str, list[int]]()
        for index, head in enumerate(change(heads)):
            head = {**head, "index": index}
            line = canonical(head)
            leaf = chain.leaf(line)
            newest = index if head["seq"] == 0 else newest
            bodies = bytes([1, 0, 1, *b"whatever", 0, 0, 0, 0])  # one parcel, under a key that nobody has
            row = (index, newest, leaf[:MARK_BYTES], self._squeeze.pack([line]), bodies)
            self.db.execute("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", row)
            self.db.execute("INSERT INTO places VALUES (?, ?, ?, ?)", (head["run"], head["seq"], head["seq"], index))
            spans.setdefault(str(head["run"]), []).append(index)
            frontier.append(leaf)
        row2 = (frontier.size, frontier.root(), b"".join(frontier.peaks))
        self.db.execute("INSERT INTO snapshots VALUES (?, ?, ?)", row2)

    def sql(self, statements: str) -> None:
        """Anything else."""
        self.db.execute(statements).fetchall()

    def starts(self) -> list[int]:
        """Where the chunks begin."""
        return [chunk.index for chunk in self._chunks()]

    def _chunks(self, index: int = -1) -> list[Chunk]:
        where = "" if index < 0 else f"WHERE idx = {index}"
        return [Chunk.of(row) for row in self.db.execute(f"SELECT * FROM chunks {where} ORDER BY idx").fetchall()]
