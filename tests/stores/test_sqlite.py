"""The journal file: what is in it, who may write it, what damage is found and how it is named."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core import chain
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import Label, Trust
from ringfence.stores import file, open_journal, open_log
from ringfence.stores.parcels import Parcels, split
from ringfence.stores.rows import Chunk, Entry, Squeeze, dictionary
from ringfence.stores.sqlite import SqliteJournal
from ringfence.stores.vault import Vault

from .test_journal_contract import record, run_of, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


FLIPS = int(os.environ.get("FLIPS", "100"))


def fill(path: Path, *names: str) -> None:
    with open_journal(path) as journal:
        for name in names:
            asyncio.run(write(journal, run_of(name, conversation="talk")))


def edit(path: Path, sql: str, *values: Any) -> None:
    db = apsw.Connection(str(path))
    db.execute(sql, values).fetchall()
    db.close()


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    each=st.builds(
        Record,
        run=st.text(min_size=1),
        seq=st.integers(0, 2**30),
        time=st.integers(0, 2**45),
        kind=st.sampled_from(Kind),
        principal=st.text(min_size=1),
        label=st.builds(Label, st.sampled_from(Trust), st.frozensets(st.frozensets(st.text(), min_size=1), max_size=3)),
        view=_json,
        body=_json,
    ),
    index=st.integers(0, 2**40),
)
def test_the_head_made_in_two_steps_is_the_header_of_the_kernel(each: Record, index: int) -> None:
    expected = chain.header(each, log="l", index=index, body=b"\x07" * 32)
    assert Entry.of(each, "l").head(index, b"\x07" * 32) == expected
    squeeze = Squeeze(dictionary("l"))
    assert squeeze.unpack(squeeze.pack([expected, expected])) == [expected, expected]


def test_the_file_is_ours_alone(path: Path) -> None:
    with open_journal(path) as journal:
        asyncio.run(write(journal, run_of("a")))
        files = list(path.parent.iterdir())
        assert len(files) >= 2  # the write-ahead log is beside it
        keys = path.parent / "keys"
        files = [*(each for each in files if each != keys), *keys.iterdir()]
        assert {each.name for each in files} >= {"journal.db", "subjects.db", "operator.key"}
        assert {oct(each.stat().st_mode & 0o777) for each in files} == {"0o600"}
    assert {each.stat().st_mode & 0o777 for each in (path.parent, keys)} == {0o700}


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    open_journal(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_commit_is_synced_in_full(path: Path) -> None:
    db = file.connect(path, write=True)
    assert (db.pragma("journal_mode"), db.pragma("synchronous")) == ("wal", 2)
    db.close()


def test_what_is_queued_is_committed_although_nobody_waits(path: Path) -> None:
    async def scene(journal: SqliteJournal) -> None:
        journal.append(record("a", 0, Kind.STARTED))
        while not journal.log.read("a"):  # noqa: ASYNC110 - an event would have to come from the journal itself
            await asyncio.sleep(0)

    with open_journal(path) as journal:
        asyncio.run(asyncio.wait_for(scene(journal), 60))


def test_runs_that_wait_at_once_share_commits(path: Path) -> None:
    async def one(journal: SqliteJournal, name: str) -> None:
        for each in run_of(name):
            journal.append(each)
            await journal.flush()

    async def all_of_them(journal: SqliteJournal) -> None:
        await asyncio.gather(*(one(journal, f"run{n}") for n in range(100)))

    with open_journal(path) as journal:
        asyncio.run(all_of_them(journal))
        chunks = journal.log._rows("SELECT count(*) FROM chunks")[0][0]
    assert chunks < 60  # 300 if each flush had a commit of its own


def test_closing_commits_what_is_queued(path: Path) -> None:
    journal = open_journal(path)
    journal.append(record("a", 0, Kind.STARTED))
    journal.close()
    journal.close()
    assert len(open_log(path).read("a")) == 1
    with pytest.raises(JournalError, match="is closed"):
        journal.append(record("a", 1))


def test_a_record_is_written_as_it_was_when_it_was_appended(path: Path) -> None:
    body = {"args": ["before"]}
    with open_journal(path) as journal:
        journal.append(record("a", 0, Kind.STARTED, body=body))
        body["args"][0] = "after"
        asyncio.run(journal.flush())
        assert journal.log.read("a")[0].body == {"args": ["before"]}


@pytest.mark.parametrize("odd", [float("nan"), 2**53, "\ud800", {1}, {1: 2}])
def test_content_that_json_cannot_carry_is_refused_and_harms_nobody_else(path: Path, odd: Any) -> None:
    with open_journal(path) as journal:
        with pytest.raises(JournalError, match=r"run a: record 0 .* cannot be written"):
            journal.append(record("a", 0, Kind.STARTED, body={"value": odd}))
        asyncio.run(write(journal, run_of("b")))


def test_opening_reads_a_bounded_tail_again(path: Path) -> None:
    fill(path, *(f"run{n:04}" for n in range(200)))
    db = apsw.Connection(str(path))
    kept = [size for (size,) in db.execute("SELECT size FROM snapshots ORDER BY size")]
    db.close()
    assert kept[-1] == 600  # at the end
    assert all(after - before <= 256 + 64 for before, after in zip([0, *kept], kept, strict=False))
    edit(path, "DELETE FROM snapshots WHERE size = 600")  # as if it had been killed
    fill(path, "next")
    report = open_log(path).verify()
    assert (report.problem, report.records, report.runs) == ("", 603, 201)


def test_two_journals_on_one_file_take_turns(path: Path) -> None:
    async def some(journal: SqliteJournal, name: str) -> None:
        for n in range(60):
            await write(journal, run_of(f"{name}{n}"))

    async def both(one: SqliteJournal, two: SqliteJournal) -> None:
        await asyncio.gather(some(one, "one"), some(two, "two"))

    with open_journal(path) as one, open_journal(path) as two:
        asyncio.run(both(one, two))
        report = one.log.verify()
        assert (report.problem, report.records, report.runs) == ("", 360, 120)
        assert len(two.log.runs(limit=500)) == 120


def test_processes_that_open_one_file_at_once_all_write_to_it(path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from tests.stores.test_sqlite import *;"
        "j = open_journal(Path(sys.argv[1]));"
        "[asyncio.run(write(j, run_of(f'{sys.argv[2]}-{n}'))) for n in range(20)]; j.close()"
    )
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen([sys.executable, "-c", code, path, str(n)], cwd=root) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    report = open_log(path).verify()
    assert (report.problem, report.records, report.runs) == ("", 180, 60)


def test_a_second_writer_of_one_run_is_fenced_out_and_stays_out(path: Path) -> None:
    with open_journal(path) as one, open_journal(path) as two:
        asyncio.run(write(one, [record("a", 0, Kind.STARTED), record("a", 1)]))
        asyncio.run(write(two, [record("a", 2), record("a", 3)]))
        with pytest.raises(JournalError, match="run a is being written by another process") as caught:
            asyncio.run(write(one, [record("a", 2, body={"text": "mine"})]))
        assert "let the other one finish" in caught.value.todo
        with pytest.raises(JournalError, match="run a is being written by another process"):
            one.append(record("b", 0, Kind.STARTED))
        asyncio.run(write(two, [record("a", 4)]))
        assert [each.body["text"] for each in two.log.read("a")] == [f"a/{n}" for n in range(5)]


def test_a_lock_that_is_held_too_long_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BUSY_S", 0.01)
    fill(path, "a")
    with open_journal(path) as journal:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=r"another process has kept the journal .* locked"):
            asyncio.run(write(journal, run_of("b")))
        other.close(True)


def test_a_lock_that_is_let_go_in_time_is_waited_for(path: Path) -> None:
    fill(path, "a")
    with open_journal(path) as journal:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")

        async def scene() -> None:
            for each in run_of("b"):
                journal.append(each)
            waiting = asyncio.ensure_future(journal.flush())
            await asyncio.sleep(0)
            await asyncio.to_thread(other.execute, "ROLLBACK")
            await waiting

        asyncio.run(scene())
        other.close()


def test_the_window_of_a_long_conversation_costs_what_it_costs_in_a_short_one(path: Path) -> None:
    def steps(log: Any) -> int:
        counted = [0]
        log._db.set_progress_handler(lambda: counted.__setitem__(0, counted[0] + 1) or False, 1)
        assert len(log.window("talk", 5)) == 5
        return counted[0]

    fill(path, *(f"early{n}" for n in range(10)))
    with open_log(path) as log:
        short = steps(log)
    with open_journal(path) as journal:
        for n in range(20):
            runs = [run_of(f"run{n}-{m}", conversation="talk") for m in range(50)]
            asyncio.run(write(journal, *runs))
    with open_log(path) as log:
        assert steps(log) <= short * 1.5


# What is wrong is named: the record, and what about it.


def rewrite(path: Path, index: int, change: Callable[[list[bytes], list[bytes]], None]) -> None:
    """Change the lines of a chunk, and pack them again."""
    db = apsw.Connection(str(path))
    squeeze = Squeeze(file.meta(db)[1])
    [row] = db.execute("SELECT * FROM chunks WHERE idx = ?", (index,)).fetchall()
    chunk = Chunk.of(row)
    parcels, [parcel] = Parcels(file.meta(db)[0], squeeze, Vault(path.parent / "keys")), split(chunk)
    lock = parcels.vault.opened(parcel.ids)  # as whoever has the operator's key could
    heads, bodies = squeeze.unpack(chunk.heads), [body for _, body, _ in parcels.bodies(chunk)]
    change(heads, bodies)
    marks = b"".join(chain.leaf(head)[:8] for head in heads) if getattr(change, "marks", False) else chunk.marks
    row = (marks, squeeze.pack(heads), parcels.pack(bodies, [lock] * len(bodies), index), index)
    db.execute("UPDATE chunks SET marks = ?, heads = ?, bodies = ? WHERE idx = ?", row)
    db.close()


def _body(heads: list[bytes], bodies: list[bytes]) -> None:
    bodies[1] = bodies[1].replace(b"b/1", b"b/2")


def _view(heads: list[bytes], bodies: list[bytes]) -> None:
    heads[2] = heads[2].replace(b'"done"', b'"fail"')


def _view_and_mark(heads: list[bytes], bodies: list[bytes]) -> None:
    _view(heads, bodies)


_view_and_mark.marks = True  # type: ignore[attr-defined]


def _spaced(heads: list[bytes], bodies: list[bytes]) -> None:
    heads[0] = heads[0].replace(b'"v":1', b'"v": 1')


_spaced.marks = True  # type: ignore[attr-defined]


def _lost(heads: list[bytes], bodies: list[bytes]) -> None:
    del heads[1], bodies[1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_body, r"record 4 \(run b, seq 1, message\): its body was changed"),
        (_view, r"record 5 .*run b, seq 2, kind run\.finished.*: its header was changed"),
        (_view_and_mark, "the root over the first 6 records is not the one"),
        (_spaced, "the root over the first 6 records is not the one"),
        (_lost, "records 3 to 5: a part of the journal is damaged: a chunk holds 2 headers"),
    ],
)
def test_changed_content_is_named(path: Path, change: Callable[..., None], problem: str) -> None:
    fill(path, "a")
    fill(path, "b")  # a snapshot is kept when a journal is closed
    rewrite(path, 3, change)
    report = open_log(path).verify()
    assert not report.ok
    assert re.search(problem, report.problem), report.problem


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DELETE FROM chunks WHERE idx = 3", "after 3 records comes one with index 6: records are missing"),
        ("DELETE FROM chunks WHERE idx = 6", "the log ends after 6 records, but it had 9: its end was removed"),
        ("UPDATE chunks SET idx = 9 WHERE idx = 6", "after 6 records comes one with index 9"),
        ("UPDATE chunks SET newest = 0 WHERE idx = 3", "record 3: it says that the newest run"),
        ("UPDATE chunks SET heads = x'00' WHERE idx = 3", "records 3 to 5: a part of the journal is damaged"),
        ("UPDATE chunks SET marks = x'' WHERE idx = 3", "records 3 to 3: a part of the journal is damaged"),
        ("DELETE FROM places WHERE run = 'b'", "the index places has 2 rows, and the records make 3"),
        ("UPDATE places SET last = 1 WHERE run = 'b'", "the index places does not lead to the records"),
        ("INSERT INTO places VALUES ('x', 0, 1, 2)", "the index places has 4 rows, and the records make 3"),
        ("DELETE FROM conversations WHERE run = 'b'", "the index conversations has 2 rows, and the records make 3"),
        ("INSERT INTO conversations VALUES ('x', 0, 'b')", "the index conversations has 4 rows"),
        ("UPDATE conversations SET run = 'a' WHERE run = 'b'", "the index conversations does not lead to the records"),
        ("DELETE FROM starts WHERE run = 'b'", "the index starts has 2 rows, and the records make 3"),
        ("UPDATE starts SET open = 1 WHERE run = 'b'", "the index starts does not lead to the records"),
        ("UPDATE starts SET principal = 'user:bob' WHERE run = 'b'", "the index starts does not lead to the records"),
        ("INSERT INTO subjects VALUES ('a', 'subject:x', 0)", "the index subjects has 1 rows, and the records make 0"),
        ("UPDATE snapshots SET root = zeroblob(32) WHERE size = 9", "the root over the first 9 records"),
        (
            "UPDATE meta SET value = 'other' WHERE name = 'log'",
            "record 0 (run a, seq 0, run.started): it was written to another log",
        ),
    ],
)
def test_changed_tables_are_named(path: Path, sql: str, problem: str) -> None:
    fill(path, "a", "b", "c")
    assert open_log(path).verify().ok
    edit(path, sql)
    report = open_log(path).verify()
    assert problem in report.problem, report.problem


def test_an_index_that_says_a_run_is_somebody_elses_shows_it_to_nobody(path: Path) -> None:
    fill(path, "a", "b")
    edit(path, "UPDATE starts SET principal = 'user:bob' WHERE run = 'b'")
    with open_log(path) as log, pytest.raises(JournalError, match=r"run b is of user:bob, and it is not"):
        log.runs(principal="user:bob")


def test_a_journal_of_before_the_index_of_runs_is_read_as_it_is_and_gets_one_when_it_is_written(path: Path) -> None:
    fill(path, "a", "b", "c")
    with SqliteJournal(path) as journal:
        for each in run_of("d", end=False):
            journal.append(each)
    edit(path, "DROP TABLE starts")

    def listed() -> tuple[list[str], list[str], str]:
        with open_log(path) as log:
            mine = [one.run for one in log.runs(principal="user:alice")]
            return mine, [one.run for one in log.unfinished()], log.verify().problem

    expected = (["d", "c", "b", "a"], ["d"], "")
    assert listed() == expected
    SqliteJournal(path).close()
    assert listed() == expected
    edit(path, "DELETE FROM starts WHERE run = 'd'")  # as after an earlier version has written a run
    SqliteJournal(path).close()
    assert listed() == expected


@pytest.mark.parametrize("change", [_body, _view, _lost])
def test_a_run_is_never_read_from_records_that_are_not_as_they_were_written(
    path: Path, change: Callable[..., None]
) -> None:
    fill(path, "a", "b", "c")
    rewrite(path, 3, change)
    with open_log(path) as log:
        with pytest.raises(JournalError, match="damaged"):
            log.read("b")
        assert [r.seq for r in log.read("a")] == [0, 1, 2]


def test_a_damaged_list_of_runs_ends_in_words_and_not_in_a_circle(path: Path) -> None:
    fill(path, "a", "b")
    with open_journal(path) as journal:
        for seq in (0, 1, 2):
            asyncio.run(write(journal, [record("c", seq)]))
    edit(path, "UPDATE chunks SET newest = 7 WHERE idx < 8")  # a chunk behind, in which no run starts
    with open_log(path) as log, pytest.raises(JournalError, match="damaged"):
        log.runs()


def test_no_byte_can_be_flipped_to_pass_for_another_record(path: Path) -> None:
    fill(path, *(f"run{n}" for n in range(20)))
    good, dice = path.read_bytes(), random.Random(7)
    with open_log(path) as log:
        expected = [log.read(f"run{n}") for n in range(20)]
    found = 0
    for _ in range(FLIPS):
        at = dice.randrange(100, len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << dice.randrange(8)]) + good[at + 1 :])
        try:
            with open_log(path) as log:
                if log.verify().ok:
                    assert [log.read(f"run{n}") for n in range(20)] == expected
                    continue
        except JournalError:
            pass
        found += 1
    assert found > FLIPS / 3  # the others, about half, hit bytes that hold nothing


# Files that are no journal, and disks that do not take one.


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("minutes of the meeting\n" * 100)
    with pytest.raises(JournalError, match="is no SQLite database") as caught:
        open_journal(path)
    assert "move it aside" in caught.value.todo
    assert path.read_text().startswith("minutes")


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    edit(path, "CREATE TABLE books(title)")
    with pytest.raises(JournalError, match="is a database, but no journal of Ringfence"):
        open_journal(path)


def test_a_journal_of_a_newer_version_is_refused(path: Path) -> None:
    fill(path, "a")
    edit(path, "PRAGMA user_version = 3")
    with pytest.raises(JournalError, match="newer version") as caught:
        open_journal(path)
    assert "upgrade" in caught.value.todo


def test_a_journal_with_a_damaged_middle_is_refused_in_words(path: Path) -> None:
    fill(path, *(f"run{n}" for n in range(50)))
    data = bytearray(path.read_bytes())
    data[512:] = os.urandom(len(data) - 512)
    path.write_bytes(data)
    with pytest.raises(JournalError, match="damaged") as caught:
        open_journal(path)
    assert "backup" in caught.value.todo


def test_a_log_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal at"):
        open_log(path)
    assert not path.parent.exists()


@pytest.mark.parametrize("where", ["file/journal.db", "folder"])
def test_a_place_that_cannot_hold_a_journal_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalError, match="cannot be written") as caught:
        open_journal(tmp_path / where)
    assert "may write to" in caught.value.todo


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(JournalError, match="cannot be written"):
        open_journal(tmp_path / "journal.db")


def test_records_of_many_threads_all_arrive(path: Path) -> None:
    with open_journal(path) as journal:
        work = [threading.Thread(target=asyncio.run, args=(write(journal, run_of(f"t{n}")),)) for n in range(8)]
        for each in work:
            each.start()
        for each in work:
            each.join()
        report = journal.log.verify()
        assert (report.problem, report.runs) == ("", 8)


def test_a_record_of_another_principal_has_another_key(path: Path) -> None:
    with open_journal(path) as journal:
        runs = [[replace(each, principal=who) for each in run_of(who)] for who in ("user:a", "user:b")]
        asyncio.run(write(journal, *runs))
        one, two = (next(iter(journal.log.export(who)))["body"] for who in ("user:a", "user:b"))
    assert one != two
