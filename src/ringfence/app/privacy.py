"""What is held of a person, and its end: each erasure is on the record, and proven by a signed certificate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ManifestError
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label, Trust
from ringfence.core.values import JSON, Principal
from ringfence.manifest.types import Manifest
from ringfence.proof import note as notes
from ringfence.stores import erasure, file
from ringfence.stores.erasure import DAY_MS, Rule, Shredder, Trail

from . import record
from .ids import new_run_id, now_ms
from .knowing import forgetting
from .knowing.forgetting import About, Gone

if TYPE_CHECKING:
    import apsw

    from ringfence.stores.sqlite import SqliteJournal


@dataclass(frozen=True, slots=True)
class Kept:
    """What retention did: `bodies`, `keys` and `memories` that were destroyed."""

    bodies: int
    keys: int
    memories: int


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about somebody. `records`: each header with its content, None where it was destroyed."""

    records: Sequence[dict[str, JSON]]
    index: About


def held(manifest: Manifest, subject: str) -> Held:
    """The records about a subject, and what is remembered of them, whoever may read it.

    Raises JournalError without a log or its keys, KnowledgeError where the index cannot be read.
    """
    if not record.journal_path(manifest).exists() and forgetting.there(manifest):
        return Held([], forgetting.held(manifest, (subject,)))
    with record.open_log(manifest) as log:
        records = list(erasure.held(log, subject))
        return Held(records, forgetting.held(manifest, (subject, log.vault.known(subject) or subject)))


def erase(manifest: Manifest, subject: str, *, by: Principal, notice: Callable[[str], None] = lambda _: None) -> str:
    """Destroy the keys of a subject for good, the documents about them in the index, and what is remembered of them.

    The certificate, as a note signed with the key of the log. Raises ManifestError for a subject that nothing is held
    about; JournalError while a run about them goes on, or if the certificate could not be signed: nothing is destroyed
    then; KnowledgeError where the index cannot be changed, with the keys as they were.
    """
    elsewhere = forgetting.there(manifest)  # documents may be about somebody whom no run was about
    with _journal(manifest, notice, new=elsewhere) as journal, _writing(journal) as db:
        _erasable(journal, subject, also=elsewhere)
        signer = record.signer_of(manifest, journal)
        notes.sign("ringfence/erasure\nto come\n", signer)
        alias = journal.vault.known(subject) or subject
        with recorded(journal, by, f"erase {alias}", {"privacy": "erase", "subject": alias}) as done:
            gone = forgetting.forget(manifest, (subject, alias))
            with erasure.exclusive(db):  # no run about them begins meanwhile
                found = _erasable(journal, subject, also=bool(gone.documents or gone.memories))
                keys = journal.vault.destroy(now_ms(), subject=subject)
            done |= {"keys": keys, "records": found.records, "documents": gone.documents, "memories": gone.memories}
        return notes.sign(_certificate(journal, subject, found, keys, gone), signer)


def _erasable(journal: SqliteJournal, subject: str, *, also: bool = False) -> Trail:
    """Where they are; `also`: something may be held about them elsewhere than in the log."""
    found = erasure.trail(journal.log, subject)
    if not (found.records or also):
        raise ManifestError(
            f"nothing is held about {subject}", todo="subjects are named like user:alice or patient:4711"
        )
    if found.open:
        runs = ", ".join(sorted(found.open)[:5])
        raise JournalError(
            f"runs about {subject} have not ended: {runs}", todo="let them end, or `ringfence runs cancel ID` each"
        )
    return found


def retain(manifest: Manifest, *, by: Principal, notice: Callable[[str], None] = lambda _: None) -> Kept:
    """Destroy what was kept long enough, by the manifest's rules, and memories that have expired.

    Raises ManifestError where there is no rule and nothing is remembered.
    """
    now = now_ms()
    rules = [
        Rule(now - rule.days * DAY_MS, frozenset(rule.classes), rule.subject or "")
        for rule in manifest.privacy.retention
    ]
    remembers = manifest.memory.enabled and forgetting.there(manifest)
    if not (rules or remembers):
        raise ManifestError("expected rules under privacy.retention, got none", todo="add one: retention: [{days: 90}]")
    task, view = "destroy what was kept long enough", {"privacy": "retention"}
    with (
        _journal(manifest, notice, new=remembers) as journal,
        _writing(journal) as db,
        recorded(journal, by, task, view) as done,
    ):
        named = [(rule, frozenset({rule.subject, journal.vault.known(rule.subject) or ""} - {""})) for rule in rules]
        memories = forgetting.expire(manifest, named, now)
        shredder = Shredder(db, journal.vault, rules)
        kept = Kept(shredder.bodies(), shredder.keys(now), memories)
        done |= {"bodies": kept.bodies, "keys": kept.keys, "memories": kept.memories}
    return kept


@contextmanager
def _journal(manifest: Manifest, notice: Callable[[str], None], *, new: bool = False) -> Iterator[SqliteJournal]:
    """The journal; `new`: one is begun where there is none."""
    path = record.journal_path(manifest)
    if not new and not path.exists():
        raise JournalError(
            f"no journal at {path}: nothing is held about anybody", todo="name the manifest with -m FILE"
        )
    with record.open_journal(manifest) as journal:
        yield journal
    for trouble in journal.troubles:
        notice(trouble)


@contextmanager
def _writing(journal: SqliteJournal) -> Iterator[apsw.Connection]:
    """A connection that may change what is there, which no journal does."""
    db = file.connect(journal.path, write=True)
    try:
        with file.faults(journal.path):
            yield db
    finally:
        db.close(True)


def recorded(
    journal: SqliteJournal, by: Principal, task: str, view: dict[str, JSON], *, run: str = ""
) -> AbstractContextManager[dict[str, JSON]]:
    """A run of its own around what a person does: it is on the record before, and what came of it after.

    `view`, which holds `privacy`, and what is put into the dict are for readers without a key: codes, counts and names.
    """
    run = run or new_run_id(now_ms())

    @contextmanager
    def around() -> Iterator[dict[str, JSON]]:
        label = Label(Trust.OPERATOR, frozenset({by.member}))
        who: JSON = {"subject": by.subject, "roles": sorted(by.roles), "tenant": by.tenant}
        body: JSON = {"task": task, "principal": who, "grant": TaskGrant(frozenset(), {}).to_json(), "destroys": True}
        journal.append(Record(run, 0, now_ms(), Kind.STARTED, by.subject, label, view, body))
        asyncio.run(journal.flush())
        done: dict[str, JSON] = {}
        status = "failed"
        try:
            yield done
            status = "done"
        finally:
            end: JSON = {"status": status, "answer": f"{task}: {status}", **done}
            ended = {**view, "status": status, "usage": {}, **done}
            journal.append(Record(run, 1, now_ms(), Kind.FINISHED, by.subject, label, ended, end))
            asyncio.run(journal.flush())

    return around()


def _certificate(journal: SqliteJournal, subject: str, found: Trail, keys: int, gone: Gone) -> str:
    """The lines that are signed: what is gone, and what remains."""
    report = journal.log.verify(bodies=False)
    lines = [
        "ringfence/erasure",
        f"log {journal.log.id}",
        f"subject {subject}",
        f"time {now_ms()}",
        f"destroyed {keys} keys, and with them the contents of {found.records} records in {len(found.runs)} runs",
        f"destroyed {gone.documents} documents of the knowledge index and {gone.memories} memories",
        "remains the files that documents were read from: read again, they are in the index again",
        f"remains {found.records} headers: times, kinds, codes, digests, who asked",
        f"remains {found.views} redacted views in these headers",
        "remains the records of other subjects, whatever they say",
        "remains what left the log: files, mails, answers, tools' copies to undo a change, exports, forwarded views",
        "remains what was typed into chats at a terminal: .ringfence/history",
        "remains any copy of .ringfence/keys that somebody made: with it, an older copy of the log can be opened",
        f"verified {report.records} records, root {report.root}",
    ]
    return "\n".join(lines) + "\n"
