"""Sealed bodies in the journal's file: each belongs to its place, and nothing opens them but their keys."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.stores import open_journal, open_log
from ringfence.stores.parcels import Parcel, _joined, split
from ringfence.stores.rows import Chunk, Squeeze, dictionary
from ringfence.stores.sqlite import SqliteJournal
from ringfence.stores.vault import Sealed, Vault, _lock

from .test_journal_contract import LABEL, record, run_of, write

SECRET = "the patient has a broken leg"


def said(run: str, seq: int, kind: Kind, principal: str, *subjects: str, text: str = SECRET) -> Record:
    view = {"status": "done"} if kind is Kind.FINISHED else {"n": seq}
    body = {"task": text} if kind is Kind.STARTED else {"text": text}
    return Record(
        run, seq, 1_000 + seq, kind, principal, LABEL, view | ({"subjects": [*subjects]} if subjects else {}), body
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


def append(path: Path, *runs: list[Record]) -> None:
    with open_journal(path) as journal:
        for run in runs:
            asyncio.run(write(journal, run))


def chunks(path: Path) -> list[Chunk]:
    db = apsw.Connection(str(path))
    found = [Chunk.of(row) for row in db.execute("SELECT * FROM chunks ORDER BY idx").fetchall()]
    db.close()
    return found


async def keep(journal: SqliteJournal, last: Record, state: bytes) -> None:
    """Append a record with what its run had become; in a loop, where no commit takes the one before the other."""
    journal.append(last)
    journal.keep_state(last.run, last.seq, state)
    await journal.flush()


def put(path: Path, index: int, bodies: bytes) -> None:
    db = apsw.Connection(str(path))
    db.execute("UPDATE chunks SET bodies = ? WHERE idx = ?", (bodies, index))
    db.close()


def test_no_file_of_the_journal_shows_a_body(path: Path) -> None:
    append(path, [said("a", 0, Kind.STARTED, "user:alice", "subject:1"), said("a", 1, Kind.MESSAGE, "user:alice")])
    with open_log(path) as log:
        assert log.read("a")[1].body == {"text": SECRET}
    held = b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())
    assert SECRET.encode() not in held
    (chunk,) = chunks(path)
    with open_log(path) as log, pytest.raises(JournalError):  # nor is it merely deflated
        Squeeze(dictionary(log.id)).unpack(split(chunk)[0].sealed)


def test_a_run_is_about_whom_it_came_to_be_about_from_there_on(path: Path) -> None:
    records = [
        said("a", 0, Kind.STARTED, "user:alice"),
        said("a", 1, Kind.MESSAGE, "user:alice", "subject:1"),
        said("a", 2, Kind.MESSAGE, "user:alice"),
        said("a", 3, Kind.MESSAGE, "user:alice", "subject:2"),
        said("a", 4, Kind.FINISHED, "user:alice"),
    ]
    append(path, records)
    vault = Vault(path.parent / "keys")
    (chunk,) = chunks(path)
    names = {one: name for name in ("user:alice", "subject:1", "subject:2") for one in vault.ids(name)}
    found = {parcel.records: [names[one] for one in parcel.ids] for parcel in split(chunk)}
    assert found == {(0,): ["user:alice"], (1, 2): ["subject:1"], (3, 4): ["subject:1", "subject:2"]}


def test_a_run_that_another_process_goes_on_with_stays_about_the_same(path: Path) -> None:
    append(path, [said("a", 0, Kind.STARTED, "user:alice", "subject:1")])
    append(path, [said("a", 1, Kind.MESSAGE, "user:alice")])
    assert {parcel.ids for chunk in chunks(path) for parcel in split(chunk)} == {
        tuple(Vault(path.parent / "keys").ids("subject:1"))
    }


def test_a_subject_that_is_named_twice_is_one(path: Path) -> None:
    append(path, [said("a", 0, Kind.STARTED, "user:alice", "subject:1", "subject:1"), said("a", 1, Kind.FINISHED, "u")])
    with open_log(path) as log:
        assert (log.verify().findings, len(log.read("a"))) == ((), 2)


Tamper = Callable[[Path], None]


def moved(path: Path) -> None:
    """The parcel of one chunk stands at another one's place."""
    first, second = chunks(path)[:2]
    put(path, first.index, second.bodies)
    put(path, second.index, first.bodies)


def swapped(path: Path) -> None:
    """Two records of one parcel say that they are each other's: the parcels of a chunk are exchanged."""
    chunk = next(chunk for chunk in chunks(path) if len(split(chunk)) == 2)
    one, two = split(chunk)
    put(path, chunk.index, _joined([two, one], len(chunk)))


def claimed(path: Path) -> None:
    """Two parcels keep their places, and each says that the other one's records are its own."""
    chunk = next(chunk for chunk in chunks(path) if len(split(chunk)) == 2)
    one, two = split(chunk)
    put(
        path,
        chunk.index,
        _joined([Parcel(one.ids, two.records, one.sealed), Parcel(two.ids, one.records, two.sealed)], 3),
    )


def bent(path: Path) -> None:
    """One bit of what was sealed is another one."""
    chunk = chunks(path)[0]
    (parcel,) = split(chunk)
    sealed = bytes([parcel.sealed[0], *parcel.sealed[1:-1], parcel.sealed[-1] ^ 1])
    put(path, chunk.index, _joined([Parcel(parcel.ids, parcel.records, sealed)], len(chunk)))


def foreign(path: Path) -> None:
    """The parcel of another log, at the same place, under keys that are the same."""
    other = path.parent / "other" / "journal.db"
    with open_journal(other, vault=Vault(path.parent / "keys")) as journal:
        asyncio.run(write(journal, run_of("a")))
    put(path, 0, chunks(other)[0].bodies)


def short(path: Path) -> None:
    """A byte less than there was."""
    chunk = chunks(path)[0]
    put(path, chunk.index, chunk.bodies[:-1])


def emptied(path: Path) -> None:
    """As if retention had destroyed the bodies, by somebody without a key: sealed with what anybody can make."""
    chunk = chunks(path)[0]
    with open_log(path) as log:
        sealed = _lock([]).seal(log._squeeze.pack([b""] * len(chunk)), b"%s/0/0" % log.id.encode())
    put(path, 0, _joined([Parcel((), tuple(range(len(chunk))), sealed)], len(chunk)))


@pytest.mark.parametrize("tamper", [moved, swapped, claimed, bent, foreign, short, emptied])
def test_a_body_that_is_not_where_it_was_sealed_is_found_and_not_read(path: Path, tamper: Tamper) -> None:
    mixed = [
        said("c", 0, Kind.STARTED, "user:alice"),
        said("c", 1, Kind.MESSAGE, "user:alice", "subject:1", text="new"),
    ]
    append(path, run_of("a"), run_of("b"), [*mixed, said("c", 2, Kind.FINISHED, "user:alice")])
    with open_log(path) as log:
        assert log.verify().findings == ()
    tamper(path)
    with open_log(path) as log:
        assert [finding.code for finding in log.verify().findings] == ["body"]
        with pytest.raises(JournalError):
            [log.read(run) for run in ("a", "b", "c")]


def test_without_the_folder_of_keys_headers_are_read_and_bodies_are_not(path: Path) -> None:
    append(path, run_of("a"))
    shutil.rmtree(path.parent / "keys")
    with open_log(path) as log:
        assert len(log.views("a")) == log.size() == 3
        assert (log.verify().findings, log.verify().sealed) == ((), 3)
        assert [summary.run for summary in log.runs()] == ["a"]
        with pytest.raises(Sealed, match="run a: there are no keys at") as caught:
            log.read("a")
        assert "redacted views" in caught.value.todo
    assert not (path.parent / "keys").exists()


def test_a_wrong_operators_key_is_no_tampering(path: Path) -> None:
    append(path, run_of("a"))
    (path.parent / "keys" / "operator.key").write_text("A" * 43 + "=\n")
    with open_log(path) as log:
        assert (log.verify().findings, log.verify().sealed) == ((), 3)
        with pytest.raises(Sealed, match="another operator's key"):
            log.read("a")


def test_a_reader_that_remembers_a_key_does_not_read_with_it_once_it_is_destroyed(path: Path) -> None:
    append(path, run_of("a"))
    with open_log(path) as log:
        assert log.read("a")
        Vault(path.parent / "keys").destroy(1, subject="user:alice")
        with pytest.raises(Sealed, match="destroyed"):
            log.read("a")


def test_a_writer_that_remembers_a_key_does_not_seal_with_it_once_it_is_destroyed(path: Path) -> None:
    with open_journal(path) as journal:
        asyncio.run(write(journal, run_of("a")))
        Vault(path.parent / "keys").destroy(1, subject="user:alice")
        asyncio.run(write(journal, run_of("b")))
        assert len(journal.log.read("b")) == 3
        with pytest.raises(Sealed, match="destroyed"):
            journal.log.read("a")
        report = journal.log.verify()
    assert (report.findings, report.destroyed) == ((), 3)


def test_a_state_is_sealed_and_the_newest_of_its_run_alone(path: Path) -> None:
    with open_journal(path) as journal:
        for seq in range(3):
            last = record("a", seq, Kind.STARTED if seq == 0 else Kind.CHECKPOINT)
            asyncio.run(keep(journal, last, b'{"state of": "%s"}\n{"n": %d}' % (SECRET.encode(), seq)))
        assert journal.log.state("a") == (2, b'{"state of": "%s"}\n{"n": 2}' % SECRET.encode())
        held = b"".join(file.read_bytes() for file in path.parent.glob("journal.db*"))
        assert SECRET.encode() not in held
        asyncio.run(write(journal, [record("a", 3, Kind.FINISHED, view={"status": "done"})]))
        assert journal.log.state("a") is None


def test_a_state_of_another_run_or_record_is_not_believed(path: Path) -> None:
    with open_journal(path) as journal:
        for run in ("a", "b"):
            asyncio.run(keep(journal, record(run, 0, Kind.STARTED), run.encode()))
        log_id = journal.log.id
    db = apsw.Connection(str(path))
    sealed = dict(db.execute("SELECT run, sealed FROM states").fetchall())
    changes = [
        (0, sealed["b"]),
        (1, sealed["a"]),
        (0, sealed["a"][:-1]),
        (0, b""),
        (0, b"\x01"),
        (0, b"\x00" + _lock([]).seal(Squeeze(dictionary("")).pack([b"a"]), b"%s/a/0" % log_id.encode())),
    ]
    for seq, data in changes:
        db.execute("UPDATE states SET sealed = ?, seq = ? WHERE run = 'a'", (data, seq))
        with open_log(path) as log, pytest.raises(JournalError):
            log.state("a")


def test_a_state_is_gone_with_the_key_of_its_subject(path: Path) -> None:
    with open_journal(path) as journal:
        asyncio.run(keep(journal, said("a", 0, Kind.STARTED, "user:alice", "subject:1"), b"state"))
        journal.vault.destroy(1, subject="subject:1")
        with pytest.raises(Sealed):
            journal.log.state("a")


def test_a_backup_from_before_an_erasure_cannot_be_opened_with_the_keys_as_they_are(path: Path, tmp_path: Path) -> None:
    append(path, run_of("a"))
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    Vault(path.parent / "keys").destroy(1, subject="user:alice")
    with open_log(backup, vault=Vault(path.parent / "keys", write=False)) as log:
        with pytest.raises(Sealed, match="destroyed"):
            log.read("a")
        assert log.verify().findings == ()
