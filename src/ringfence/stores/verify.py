"""Recompute a log from its bytes: every header, leaf, root, body and index, and that its heads are of this log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from ..core import chain
from ..core.chain import Kind
from ..core.errors import JournalError
from ..core.values import JSON
from . import starts
from .log import Finding, VerifyReport, conversation_of
from .parcels import Parcels, proven, split
from .rows import MARK_BYTES, Chunk, Squeeze, parse, record_of
from .story import Story, Wrong, misplaced, named
from .vault import Sealed, Vault

if TYPE_CHECKING:
    from .signed import Claim, Heads

_WIDE = (1 << 64) - 1


@dataclass
class Against:
    """What a log is held against.

    heads  signed heads, its own and others'; None to look at the log alone
    since  what came before so many records is not read again: a root that was kept has to lead to a head of that size
    """

    heads: Heads | None = None
    since: int = 0


def verify(
    db: apsw.Connection, log: str, squeeze: Squeeze, vault: Vault | None, against: Against | None = None
) -> VerifyReport:
    """Memory is bounded by the runs that are open at once, never by the length of the log.

    Without a `vault` no body is looked at: the headers alone are what is signed.
    """
    against = against or Against()
    check = _Check(db, log, squeeze, vault, against)
    found: list[Finding] = list(against.heads.findings) if against.heads else []
    try:
        check.all()
    except Wrong as wrong:
        found.append(wrong.finding)
    return VerifyReport(
        check.frontier.size,
        check.story.runs,
        check.frontier.root().hex(),
        (*found, *check.broken(), *check.story.findings),
        check.story.due,
        check.signed,
        check.anchored,
        check.sealed,
        check.destroyed,
    )


class _Check:
    def __init__(self, db: apsw.Connection, log: str, squeeze: Squeeze, vault: Vault | None, against: Against) -> None:
        self._db = db
        self._log = log
        self._squeeze = squeeze
        self._parcels = Parcels(log, squeeze, vault) if vault is not None else None
        self._since = against.since
        claims = against.heads.claims if against.heads else []
        self._claims = sorted(claims, key=lambda claim: claim.size, reverse=True)
        self._held: list[Claim] = []
        self._broken: list[Claim] = []
        self._places = self._talks = (0, 0)  # rows that the records make: how many, and a sum of their hashes
        self._runs = (0, 0)
        self._begun: dict[str, tuple[str, int]] = {}  # of the runs that have not ended
        self._newest = -1
        self._whole = False
        self.story = Story()
        self.frontier = chain.Frontier()
        self.signed = self.anchored = self.sealed = self.destroyed = 0

    def all(self) -> None:
        """Raises Wrong for the first thing that is wrong."""
        begin = self._begin()
        snapshots = self._db.execute("SELECT size, root, peaks FROM snapshots WHERE size > ? ORDER BY size", (begin,))
        due = snapshots.fetchone()
        self._hold()
        for row in self._db.execute("SELECT * FROM chunks WHERE idx >= ? ORDER BY idx", (begin,)):
            self._chunk(self._row(row))
            while due is not None and due[0] <= self.frontier.size:
                self._snapshot(*due)
                due = snapshots.fetchone()
        self._whole = True
        if due is not None:
            size = self.frontier.size
            raise Wrong("cut-tail", f"the log ends after {size} records, but it had {due[0]}: its end was removed")
        if not begin:
            self._indices()

    def broken(self) -> Iterator[Finding]:
        """What the heads say against the log, as far as it could be read."""
        from .signed import beyond, broken

        for claim in self._broken:
            yield broken(claim, others_hold=any(h.size >= claim.size and not h.anchored for h in self._held))
        if self._whole:
            yield from (beyond(claim, self.frontier.size) for claim in self._claims)

    def _begin(self) -> int:
        """Where to begin: at a snapshot before the head that is trusted, else at 0."""
        row = self._db.execute(
            "SELECT size, peaks FROM snapshots WHERE size <= ? AND EXISTS (SELECT 1 FROM chunks WHERE idx = size)"
            " ORDER BY size DESC LIMIT 1",
            (self._since,),
        ).fetchone()
        if row is None or not self._since:
            return 0
        self.frontier = chain.Frontier(row[0], tuple(row[1][at : at + 32] for at in range(0, len(row[1]), 32)))
        newest = self._db.execute("SELECT newest FROM chunks WHERE idx < ? ORDER BY idx DESC LIMIT 1", (row[0],)).get
        self._newest = -1 if newest is None else newest
        while self._claims and self._claims[-1].size < row[0]:
            self._claims.pop()
        begin: int = row[0]
        return begin

    def _hold(self) -> None:
        """Hold the tree as it is now against the heads of its size."""
        while self._claims and self._claims[-1].size <= self.frontier.size:
            claim = self._claims.pop()
            if claim.size == self.frontier.size and claim.root == self.frontier.root():
                self._held.append(claim)
                self.signed = max(self.signed, claim.size)
                self.anchored = max(self.anchored, claim.size if claim.anchored else 0)
            else:
                self._broken.append(claim)

    def _row(self, row: tuple[object, ...]) -> Chunk:
        try:
            return Chunk.of(row)
        except JournalError as error:
            raise Wrong("damaged", f"after {self.frontier.size} records: {error.what}") from error

    def _snapshot(self, size: int, root: bytes, peaks: bytes) -> None:
        frontier = self.frontier
        if size != frontier.size or root != frontier.root() or peaks != b"".join(frontier.peaks):
            raise Wrong("rewritten", f"the root over the first {size} records is not the one that was kept with them")

    def _chunk(self, chunk: Chunk) -> None:
        if chunk.index != self.frontier.size:
            code = "cut" if chunk.index > self.frontier.size else "duplicate"
            raise Wrong(
                code, f"after {self.frontier.size} records comes one with index {chunk.index}: records are missing"
            )
        try:
            lines = chunk.lines(self._squeeze)
            heads = list(map(parse, lines))
        except JournalError as error:
            last = chunk.index + max(len(chunk), 1) - 1
            raise Wrong("damaged", f"records {chunk.index} to {last}: {error.what}") from error
        self._headers(chunk, lines, heads)
        if self._parcels is not None:
            self._bodies(chunk, heads, self._parcels)
        self._rows(chunk, heads)

    def _headers(self, chunk: Chunk, lines: list[bytes], heads: list[dict[str, JSON]]) -> None:
        """Each header is of this log and place, hashes to its mark, and continues its run."""
        frontier, story, marks, sha256 = self.frontier, self.story, chunk.marks, hashlib.sha256
        midway = self._since > 0
        if [head.get("index") for head in heads] != list(range(chunk.index, chunk.index + len(heads))):
            self._misplaced(chunk, lines, heads)
        for at, (line, head) in enumerate(zip(lines, heads, strict=True)):
            leaf = sha256(b"\0" + line).digest()
            if leaf[:MARK_BYTES] != marks[at * MARK_BYTES : (at + 1) * MARK_BYTES]:
                raise Wrong(
                    "edited",
                    f"{_claimed(head, chunk.index + at)}: its header was changed (it does not hash to its mark)",
                )
            if head["log"] != self._log:
                raise Wrong("other-log", f"{named(head)}: it was written to another log, {head['log']}")
            try:
                story.follow(head, midway=midway)
            except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
                raise Wrong(
                    "edited",
                    f"{_claimed(head, chunk.index + at)}: its header is not one that was ever written ({error!r})",
                ) from error
            frontier.append(leaf)
            if self._claims and self._claims[-1].size <= frontier.size:
                self._hold()

    def _misplaced(self, chunk: Chunk, lines: list[bytes], heads: list[dict[str, JSON]]) -> None:
        other = next((head for head in heads if head.get("log") != self._log), None)
        if any(type(head.get("index")) is not int for head in heads):
            raise Wrong("edited", f"records {chunk.index} to {chunk.index + len(heads) - 1}: an index is no number")
        if other is not None:
            raise Wrong(
                "other-log", f"{_claimed(other, chunk.index)}: it was written to another log, {other.get('log')}"
            )
        raise misplaced([head["index"] for head in heads], chunk.index, lines)

    def _bodies(self, chunk: Chunk, heads: list[dict[str, JSON]], parcels: Parcels) -> None:
        """Each body is the one that its header commits to, as far as there are keys."""
        try:
            for number, parcel in enumerate(split(chunk)):
                try:
                    for at, body, key in parcels.opened(chunk, number, parcel):
                        self.destroyed += not body
                        if body and heads[at]["seq"] == 0:
                            self._talk(heads[at], body, parcels.vault)
                        if not proven(body, key, heads[at]["body"]):
                            where = named(heads[at])
                            raise Wrong("body", f"{where}: its body was changed (its header commits to another)")
                except Sealed as error:
                    if error.destroyed:
                        self.destroyed += len(parcel.records)
                    else:
                        self.sealed += len(parcel.records)
        except JournalError as error:
            raise Wrong("body", f"records {chunk.index} to {chunk.index + len(heads) - 1}: {error.what}") from error

    def _talk(self, head: dict[str, JSON], body: bytes, vault: Vault) -> None:
        name = conversation_of(record_of(head, body))
        if name is not None:
            count, total = self._talks
            self._talks = count + 1, total + hash((vault.tag(name), head["index"], head["run"]))

    def _rows(self, chunk: Chunk, heads: list[dict[str, JSON]]) -> None:
        """The rows of the indices that lead to these records."""
        spans: dict[str, list[int]] = {}
        for head in heads:
            spans.setdefault(head["run"], [head["seq"], head["seq"]])[1] = head["seq"]
        count, total = self._places
        self._places = (
            count + len(spans),
            total + sum(hash((run, first, last, chunk.index)) for run, (first, last) in spans.items()),
        )
        for head in heads:
            self._run(head)
        if any(first == 0 for first, _ in spans.values()):
            self._newest = chunk.index
        if chunk.newest != self._newest:
            raise Wrong(
                "index", f"record {chunk.index}: it says that the newest run before it starts elsewhere than it does"
            )

    def _run(self, head: dict[str, JSON]) -> None:
        """What the index of runs says of one that begins or ends here."""
        (count, total), run = self._runs, head["run"]
        if head["seq"] == 0:
            self._begun[run] = row = str(head["principal"]), head["index"]  # a forged one may be anything
            self._runs = count + 1, total + hash((*row, run, 1))
        if head["kind"] == Kind.FINISHED and (found := self._begun.pop(run, None)) is not None:
            self._runs = self._runs[0], self._runs[1] - hash((*found, run, 1)) + hash((*found, run, 0))

    def _indices(self) -> None:
        """The indices hold the rows that the records make, and no others: by a sum of (keyed) hashes of their rows."""
        made = {"places (run, seq, last, idx)": self._places, "subjects (run, subject)": self.story.subjects}
        if self._parcels is not None and not (self.sealed or self.destroyed):
            made["conversations (conversation, idx, run)"] = self._talks
        if starts.there(self._db):
            made["starts (principal, idx, run, open)"] = self._runs
        for index, (count, total) in made.items():
            table, _, columns = index.partition(" ")
            rows = [hash(row) for row in self._db.execute(f"SELECT {columns.strip('()')} FROM {table}")]
            if len(rows) != count:
                raise Wrong("index", f"the index {table} has {len(rows)} rows, and the records make {count}")
            if (sum(rows) - total) & _WIDE:
                raise Wrong("index", f"the index {table} does not lead to the records")


def _claimed(head: dict[str, Any], at: int) -> str:
    """Whose record it claims to be, as far as it can be read."""
    said = ", ".join(f"{key} {head[key]}" for key in ("run", "seq", "kind") if key in head)
    return f"record {at} (it says: {said})"
