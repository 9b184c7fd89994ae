"""What is held about a subject, and how it is destroyed: their keys, or the bodies that were kept long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import apsw

from ..core.chain import Kind
from ..core.errors import JournalError
from ..core.values import JSON
from . import file, tasks
from .parcels import Parcels
from .reader import SqliteLog
from .rows import SHOWN, Chunk, Squeeze, parse
from .vault import Vault, month_of

DAY_MS = 86_400_000
_AT_ONCE = 256  # chunks that are rewritten in one transaction
_MODEL = "model:"
_OURS = "privacy"  # in the views of a run that is an erasure or a retention: it needs no body to go on


@dataclass
class Trail:
    """Where a subject is in a log: records by run; runs about them that go on; headers that keep a redacted view."""

    runs: dict[str, list[int]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    views: int = 0

    @property
    def records(self) -> int:
        """How many records are about them."""
        return sum(map(len, self.runs.values()))


@dataclass(frozen=True, slots=True)
class Rule:
    """What is destroyed: bodies of some classes (messages, model, tools), of one or all, from before a time."""

    before: int  # milliseconds since 1970
    classes: frozenset[str]
    subject: str = ""


def trail(log: SqliteLog, subject: str) -> Trail:
    """All that is about a subject: by name in a run's records, or as the principal of a run about nobody else."""
    names = {subject, log.vault.known(subject) or subject}
    found, about = Trail(), dict[str, set[str]]()
    for line in log.headers():
        head = parse(line)
        run = head["run"]
        whom = about.setdefault(run, set())
        whom.update(head["view"].get("subjects", ()))
        if names & (whom or {head["principal"]}):
            found.runs.setdefault(run, []).append(head["seq"])
            found.views += SHOWN in head["view"]
        if head["kind"] == Kind.FINISHED or _OURS in head["view"]:
            about.pop(run)
    found.open = found.runs.keys() & about.keys()
    return found


def held(log: SqliteLog, subject: str) -> Iterator[dict[str, JSON]]:
    """The records about a subject: header and content, None where it was destroyed."""
    for run, seqs in trail(log, subject).runs.items():
        for head, content in log.contents(run, frozenset(seqs)):
            yield {**head, "content": content}


class Shredder:
    """Destroys bodies that were kept long enough. Runs that go on keep theirs: they are needed to resume."""

    def __init__(self, db: apsw.Connection, vault: Vault, rules: Sequence[Rule]) -> None:
        self._db = db
        log, preset = file.meta(db)
        self._squeeze = Squeeze(preset)
        self._parcels = Parcels(log, self._squeeze, vault)
        self._vault = vault
        self._rules = [(rule, {rule.subject, vault.known(rule.subject) or ""} - {""}) for rule in rules]
        self._last = 0  # the time of a record in the newest chunk that was looked at
        self._until = max((rule.before for rule in rules), default=0)
        self._about: dict[str, set[str]] = {}
        self._sinks: dict[tuple[str, int], str] = {}  # of intents that nothing answered yet

    def bodies(self) -> int:
        """Destroy the bodies; how many there were."""
        going_on, count, place = set(self._started()), 0, -1
        while True:
            with exclusive(self._db):  # two that destroy at once do not bring back each other's
                rows = self._db.execute(
                    "SELECT * FROM chunks WHERE idx > ? ORDER BY idx LIMIT ?", (place, _AT_ONCE)
                ).fetchall()
                count += sum(self._without(chunk, going_on) for chunk in map(Chunk.of, rows))
            if not rows or self._last > self._until + DAY_MS:
                break
            place = int(str(rows[-1][0]))
        busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        if busy:  # the file beside the journal, or old pages of the journal itself, hold it yet
            raise JournalError(
                f"{count} contents were destroyed, but another process reads the journal, so its file has copies yet",
                todo="let it end, then run `ringfence privacy retention` again",
            )
        return count

    def _without(self, chunk: Chunk, going_on: set[str]) -> int:
        heads = list(map(parse, chunk.lines(self._squeeze)))
        self._last = heads[0]["time"]
        doomed = {at for at, head in enumerate(heads) if self._due(head) and head["run"] not in going_on}
        bodies, destroyed = self._parcels.without(chunk, doomed) if doomed else (b"", 0)
        tasks.destroy(self._db, [chunk.index + at for at in doomed])
        if destroyed:
            self._db.execute("UPDATE chunks SET bodies = ? WHERE idx = ?", (bodies, chunk.index))
        return destroyed

    def keys(self, now: int) -> int:
        """Destroy the keys of whole months that a rule for everything has passed; how many. Open runs keep theirs."""
        count, oldest = 0, min(self._started().values(), default=None)
        for rule, _ in self._rules:
            if rule.classes >= {"messages", "model", "tools"}:
                month = min(month_of(rule.before), month_of(oldest) if oldest is not None else "9999-12")
                count += self._vault.destroy(now, subject=rule.subject, before=month)
        return count

    def _due(self, head: dict[str, JSON]) -> bool:
        whom = self._about.setdefault(head["run"], set())
        whom.update(head["view"].get("subjects", ()))
        kind = self._class(head)
        names = whom or {head["principal"]}
        return any(
            head["time"] < rule.before and kind in rule.classes and (not subject or subject & names)
            for rule, subject in self._rules
        )

    def _class(self, head: dict[str, JSON]) -> str:
        view, run = head["view"], head["run"]
        sink: Any = view.get("sink", "")
        if head["kind"] == Kind.INTENT:
            self._sinks[run, head["seq"]] = sink
        elif head["kind"] == Kind.OUTCOME:
            sink = self._sinks.pop((run, view["of"]), "")
        if not sink:
            return "messages"
        return "model" if sink.startswith(_MODEL) else "tools"

    def _started(self) -> dict[str, int]:
        """The runs that have not ended, and when they began."""
        started: dict[str, int] = {}
        for (heads,) in self._db.execute("SELECT heads FROM chunks ORDER BY idx"):
            for line in self._squeeze.unpack(heads):
                head = parse(line)
                if head["kind"] == Kind.FINISHED or _OURS in head["view"]:
                    started.pop(head["run"], None)
                else:
                    started.setdefault(head["run"], head["time"])
        return started


@contextmanager
def exclusive(db: apsw.Connection) -> Iterator[None]:
    """Nobody else writes the journal within the block; all that the block wrote is durable after it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        file.rollback(db)
