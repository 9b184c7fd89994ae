"""What can be read from a log: a run, the newest runs, a conversation's tail, and whether it is whole."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.values import JSON

Pair = tuple[Record, Record | None]  # a run's start, and its end if it has one


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in one line.

    index    place of its first record in the log; `runs(before=index)` gives the runs that started earlier
    started  milliseconds since 1970 UTC, as `ended`, the time of the last record so far
    state    "open", "waiting" for a human, "uncertain" whether an effect was done, or what `run.finished` says in its
             view's `status` ("done" if nothing)
    inner    it worked for another run (a plan, a summary, a reading), or says what a person did beside runs
    """

    run: str
    index: int
    started: int
    ended: int
    principal: str
    task: str
    state: str
    records: int
    conversation: str = ""
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head that was kept with the log: a C2SP checkpoint of its first `size` records, as a note."""

    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verifying a log has found.

    code  what kind: "edited", "deleted", "inserted", "reordered", "duplicate", "cut", "cut-tail", "rollback", "fork",
          "other-log", "rewritten", "stolen-key", "unknown-key", "expired-key", "bad-signature", "half-written",
          "no-head", "unsigned", "body", "index", "damaged", "undecided", "unanswered", "clock" or "state"
          (docs/security/audit.md says what each means)
    sure  the log is not what was written; otherwise a person should look
    """

    code: str
    text: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of recomputing a log, up to the first thing that is surely wrong.

    root    Merkle tree hash (RFC 9162 2.1.1) over the records that were found to be good, in hex
    due     records up to the last end of a run, which makes a head
    signed  records that a signed head covers; `anchored` those that a head from elsewhere covers
    sealed  bodies that could not be checked for want of keys; `destroyed` those whose key or content was destroyed
    """

    records: int
    runs: int
    root: str
    findings: tuple[Finding, ...] = ()
    due: int = 0
    signed: int = 0
    anchored: int = 0
    sealed: int = 0
    destroyed: int = 0

    @property
    def problem(self) -> str:
        """The first thing that is surely wrong; empty if nothing is."""
        return next((finding.text for finding in self.findings if finding.sure), "")

    @property
    def ok(self) -> bool:
        """Whether nothing is surely wrong."""
        return not self.problem


class Snapshots(Protocol):
    """The writing side of snapshots, which a journal may have: caches, never evidence."""

    def keep_state(self, run: str, seq: int, state: bytes) -> None:
        """Queue a snapshot, taken before record `seq`, for the commit of what was appended last.

        It takes the place of the run's last one, and goes when `run.finished` is appended.
        """
        ...


class Log(Protocol):
    """The reading side of a journal. Synchronous; safe to call off the event loop."""

    id: str  # of the log, in hex

    def size(self) -> int:
        """Durable records."""
        ...

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The canonical bytes of the durable headers from index `start` to before `stop`, as they were hashed.

        One consistent state of the log, in flat memory; `core.chain.leaf` of each is its leaf of the Merkle tree.
        """
        ...

    def read(self, run: str, start: int = 0, limit: int | None = None) -> list[Record]:
        """The durable records of a run from seq `start`, in order of `seq`, at most `limit` where it is given; empty
        for a run that is not in the log.

        What lies before `start` is not even looked at: the tail of a long run costs what the tail is.
        """
        ...

    def state(self, run: str) -> tuple[int, bytes] | None:
        """The newest durable snapshot of a run, and the seq of the checkpoint that it was taken before; None without.

        Raises JournalError for one that cannot be read. Whether it is the run's own is for the caller to check.
        """
        ...

    def runs(self, limit: int = 50, *, before: int | None = None, principal: str | None = None) -> list[RunSummary]:
        """At most `limit` runs, the newest first; with `before`, those whose first record has a lower index.

        With `principal`, those of this one alone, by the header: nobody else's is opened, or even looked at.
        """
        ...

    def unfinished(self, but: Container[str] = ()) -> list[RunSummary]:
        """The runs that have not ended, the oldest first, but for these. Costs what they are, however long the log is.

        By the headers alone: no task is told.
        """
        ...

    def owner(self, run: str) -> str | None:
        """The principal of a run, by its whole id; None for one that is not in the log. Nothing is opened."""
        ...

    def first(self, run: str) -> Record | None:
        """The first record of a run, by its whole id."""
        ...

    def last(self, run: str) -> Record | None:
        """The last durable record of a run, by its whole id, without its content."""
        ...

    def summary(self, run: str) -> RunSummary | None:
        """One run by its whole id, in one line; None for one that is not in the log. Costs the same for a long one."""
        ...

    def find(self, prefix: str) -> str:
        """The one run whose id starts with `prefix`; raises JournalError if there is none or more than one."""
        ...

    def window(self, conversation: str, limit: int) -> list[Pair]:
        """Start and end of the newest `limit` runs of a conversation, oldest first. Costs the same in a long one."""
        ...

    def intents(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """Every durable intent from `place` in the log on that is no older than `since` (milliseconds since 1970 UTC),
        in order, a few older ones perhaps among them, without their content; and the place to ask from next time.
        """
        ...

    def models(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """Every durable request to a model, and every outcome of one that says what it used; otherwise as `intents`."""
        ...

    def views(self, run: str) -> list[Record]:
        """The records of a run as readers without a key see them: each body is what was kept of it, redacted."""
        ...

    def heads(self) -> list[Head]:
        """The signed heads that are kept with the log, in order."""
        ...

    def verify(self) -> VerifyReport:
        """Recompute everything from the bytes that are stored. Raises nothing for a log that is wrong: it reports."""
        ...

    def export(self, run: str) -> Iterator[dict[str, JSON]]:
        """The records of a run as JSON: the header as it was hashed (`body` is the commitment), and `content`."""
        ...


def summarise(index: int, first: Record, last: Record) -> RunSummary:
    """One line from a run's first and last record."""
    return RunSummary(
        run=first.run,
        index=index,
        started=first.time,
        ended=last.time,
        principal=first.principal,
        task=str(first.body.get("task", "")),
        state=state_of(last),
        records=last.seq + 1,
        conversation=conversation_of(first) or "",
        inner=bool(first.body.get("plans") or first.body.get("destroys")),
    )


def state_of(last: Record) -> str:
    """Where a run stands, from the view of its last record."""
    if last.kind is Kind.FINISHED:
        return str(last.view.get("status", "done"))
    if last.kind is Kind.CHECKPOINT and "uncertain" in last.view:
        return "uncertain"
    asked = last.kind is Kind.DECISION and last.view.get("verdict") == "ask"
    return "waiting" if asked else "open"


def of_model(record: Record) -> bool:
    """Whether a record is a request to a model, or says what one has used. Without its content."""
    if record.kind is Kind.INTENT:
        return str(record.view.get("sink", "")).startswith("model:")
    return record.kind is Kind.OUTCOME and isinstance(record.view.get("usage"), dict)


def conversation_of(record: Record) -> str | None:
    """The conversation that a run belongs to, from its first record."""
    if record.kind is not Kind.STARTED:
        return None
    found = record.body.get("conversation")
    return found if isinstance(found, str) and found else None


def only(prefix: str, found: list[str]) -> str:
    """The single run of `found`; raises JournalError that names the candidates otherwise."""
    if not found or not prefix:
        raise JournalError(f"no run starts with {prefix!r}", todo="list the runs with `ringfence runs list`")
    if len(found) > 1 and prefix not in found:
        more = ", ..." if len(found) > 5 else ""
        raise JournalError(
            f"{prefix!r} fits more than one run: {', '.join(found[:5])}{more}", todo="give more characters of the id"
        )
    return prefix if prefix in found else found[0]
