"""Signed heads as the journal makes them: when, over what, and what happens when they cannot be made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.app.notary import Notary
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ManifestError
from ringfence.proof import keys
from ringfence.proof import note as notes
from ringfence.proof.keys import Cosigner, KeySigner
from ringfence.stores.log import Head
from ringfence.stores.signed import Heads
from ringfence.stores.sqlite import SqliteJournal
from ringfence.stores.verify import Against

from . import test_journal_contract as kit
from .test_journal_contract import record, write

NOW = 1_763_640_000_000

KEY = KeySigner("notes", bytes(31) + b"1")
WITNESS = Cosigner(KeySigner("witness", bytes(31) + b"2"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


def run_of(name: str, *, end: bool = True) -> list[Record]:
    return later(kit.run_of(name, end=end), NOW)


class Kept:
    """An anchor: what it was given, and why it refuses."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.refuses = ""

    def __call__(self, note: str) -> tuple[str, list[str]]:
        if self.refuses:
            return note, [self.refuses]
        self.notes.append(note)
        return note, []


def journal_of(
    path: Path,
    publish: Callable[[str], tuple[str, list[str]]] | None = None,
    *,
    signer: Callable[[], KeySigner] = lambda: KEY,
    required: bool = False,
    every_s: float = 3600,
) -> SqliteJournal:
    notary = Notary(signer, required=required, every_s=every_s, publish=publish)
    journal = SqliteJournal(path, notary=notary)
    notary.cosigned = journal.cosigned
    return journal


def sizes(journal: SqliteJournal) -> list[int]:
    return [head.size for head in journal.log.heads()]


def put(journal: SqliteJournal, *records: Record, anchored: bool = False) -> None:
    async def work() -> None:
        for each in records:
            journal.append(each)
        await journal.flush(anchored=anchored)

    asyncio.run(work())


def later(records: list[Record], ms: int) -> list[Record]:
    return [replace(each, time=each.time + ms) for each in records]


def test_the_first_commit_and_the_end_of_each_run_make_a_head(path: Path) -> None:
    with journal_of(path) as journal:
        put(journal, *run_of("a")[:1])
        put(journal, *run_of("a")[1:2])
        assert sizes(journal) == [1]
        put(journal, *run_of("a")[2:])
        assert sizes(journal) == [1, 3]


def test_between_them_a_head_is_made_every_so_often_by_the_clock_of_the_records(path: Path) -> None:
    with journal_of(path, every_s=10) as journal:
        for n, at in enumerate((0, 9_000, 10_001, 10_500, 20_100)):
            put(journal, *later(run_of(f"r{n}")[:1], at))
        assert sizes(journal) == [1, 3, 5]


def test_closing_makes_a_head_over_what_none_is_over_and_hands_it_on(path: Path) -> None:
    kept = Kept()
    with journal_of(path, kept) as journal:
        put(journal, *run_of("a", end=False)[:1])
        put(journal, *run_of("a", end=False)[1:])
    with journal_of(path) as journal:
        assert sizes(journal) == [1, 2]
        assert notes.Checkpoint.parse(notes.unverified(kept.notes[-1])).size == 2


def test_a_journal_that_wrote_nothing_makes_no_head(path: Path) -> None:
    with journal_of(path) as journal:
        put(journal, *run_of("a"))
    with journal_of(path):
        pass
    with journal_of(path) as journal:
        assert sizes(journal) == [3]


def test_what_witnesses_have_signed_is_kept_with_the_head(path: Path) -> None:
    def publish(note: str) -> tuple[str, list[str]]:
        return notes.add(note, notes.signature_line(notes.unverified(note), WITNESS)), []

    with journal_of(path, publish, required=True) as journal:
        put(journal, *run_of("a"), anchored=True)  # who does not wait may find that only the newest head went out
        put(journal, *run_of("b"), anchored=True)
    with journal_of(path) as journal:
        signed = [notes.opened(head.note, [KEY.verifier, WITNESS.verifier])[1] for head in journal.log.heads()]
    assert signed == [[KEY.verifier, WITNESS.verifier]] * len(signed)
    assert signed


def test_a_head_that_hands_the_log_over_is_not_lost_to_another_one_of_its_size(path: Path) -> None:
    other = KeySigner("notes", bytes(31) + b"3")
    with journal_of(path) as journal:
        put(journal, *run_of("a"))
        (plain,) = journal.log.heads()
        journal.hand_over(
            lambda size, root: notes.head(journal.log.id, size, root, 5, KEY, other, next_key=other.verifier)
        )
        journal.cosigned(3, notes.add(plain.note, notes.signature_line(notes.unverified(plain.note), WITNESS)))
        put(journal, *run_of("b"))
        first, handed, *_ = journal.log.heads()
    assert WITNESS.verifier.name in first.note
    assert "next-key" in handed.note


def gone() -> KeySigner:
    raise ManifestError("the key audit.key cannot be read: No such file", todo="restore it")


def test_a_key_that_is_gone_stops_no_record_and_somebody_is_told(path: Path) -> None:
    with journal_of(path, Kept(), signer=gone) as journal:
        put(journal, *run_of("a"), anchored=True)
        assert journal.troubles == ("no head can be signed: the key audit.key cannot be read: No such file",)
        assert (len(journal.log.read("a")), sizes(journal)) == (3, [])


def test_where_it_is_required_a_key_that_is_gone_stops_who_waits_for_a_head_and_nobody_else(path: Path) -> None:
    with journal_of(path, Kept(), signer=gone, required=True) as journal:
        put(journal, *run_of("a")[:2])
        with pytest.raises(JournalError, match=r"audit\.required is set, and no head can be signed: the key") as caught:
            put(journal, record("a", 2), anchored=True)
        assert caught.value.todo == "restore it; then `ringfence runs resume ID`"
        put(journal, record("a", 3))
        assert len(journal.log.read("a")) == 4


def test_where_it_is_required_an_anchor_that_fails_stops_who_waits_and_nobody_else(path: Path) -> None:
    kept = Kept()
    kept.refuses = "file heads.txt: no space left"
    with journal_of(path, kept, required=True) as journal:
        put(journal, *run_of("a")[:2])
        with pytest.raises(JournalError, match=r"not everywhere: file heads.txt: no space left") as caught:
            put(journal, record("a", 2), anchored=True)
        assert "mend the anchor" in caught.value.todo
        put(journal, record("a", 3))
        kept.refuses = ""
        put(journal, record("a", 4), anchored=True)
        assert notes.Checkpoint.parse(notes.unverified(kept.notes[-1])).size == 5


def test_who_waits_goes_on_when_the_head_over_their_record_is_kept_and_not_before(path: Path) -> None:
    order: list[str] = []
    asked, answer = threading.Event(), threading.Event()

    def publish(note: str) -> tuple[str, list[str]]:
        if notes.Checkpoint.parse(notes.unverified(note)).size == 3:
            asked.set()
            assert answer.wait(30)
            order.append("kept")
        return note, []

    async def work(journal: SqliteJournal) -> None:
        journal.append(record("a", 2))
        waiting = asyncio.create_task(journal.flush(anchored=True))
        await asyncio.to_thread(asked.wait, 30)
        assert not waiting.done()
        answer.set()
        await waiting
        order.append("went on")

    with journal_of(path, publish, required=True) as journal:
        put(journal, *run_of("a")[:2])
        asyncio.run(work(journal))
    assert order == ["kept", "went on"]


def test_an_anchor_that_is_not_required_keeps_nobody_waiting(path: Path) -> None:
    answer = threading.Event()

    def publish(note: str) -> tuple[str, list[str]]:
        assert answer.wait(30)
        return note, ["anchor: down"]

    journal = journal_of(path, publish)
    put(journal, *run_of("a"), anchored=True)
    answer.set()
    journal.close()
    assert journal.troubles == ("anchor: down",)


def test_two_writers_make_heads_of_one_log_that_all_hold(path: Path) -> None:
    with journal_of(path, every_s=0) as one, journal_of(path, every_s=0) as two:
        for n in range(6):
            asyncio.run(write(one if n % 2 else two, run_of(f"r{n}")))
        heads = Heads(one.log.id, [KEY.verifier])
        heads.own(head.note for head in one.log.heads())
        report = one.log.verify(Against(heads))
    assert (report.findings, report.signed, report.records) == ((), 18, 18)


def test_a_rotation_while_another_process_writes_leaves_a_log_that_holds(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "audit.key"
    first = keys.make(file, name="notes").verifier
    with journal_of(path, signer=lambda: keys.load(file)) as running:  # type: ignore[arg-type, return-value]
        put(running, *run_of("a"))
        with journal_of(path) as rotator, keys.rotating(file) as (before, after):
            rotator.hand_over(
                lambda size, root: notes.head(running.log.id, size, root, 5, before, after, next_key=after.verifier)
            )
        put(running, *run_of("b"))
        heads = Heads(running.log.id, [first])
        heads.own(head.note for head in running.log.heads())
        report = running.log.verify(Against(heads))
        kept = running.log.heads()
    assert (report.findings, report.signed) == ((), 6)
    assert notes.opened(kept[-1].note, [keys.load(file).verifier])


def test_a_head_is_over_the_records_of_its_own_commit(path: Path) -> None:
    with journal_of(path) as journal:
        put(journal, *run_of("a"))
        (head,) = journal.log.heads()
        checkpoint = notes.Checkpoint.parse(notes.unverified(head.note))
        assert head == Head(3, head.note)
        assert (checkpoint.size, checkpoint.root.hex()) == (3, journal.log.verify().root)


def test_finished_is_what_makes_a_head() -> None:
    assert run_of("a")[-1].kind is Kind.FINISHED  # what the tests above build on
