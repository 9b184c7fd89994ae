"""Heads of a real journal: what a rotation, a witness and a key that is gone leave of them, and what a proof costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.app.notary import Notary
from ringfence.core import chain
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import IDENTITY
from ringfence.proof import keys, merkle
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, Signer, add, signature_line
from ringfence.stores.reader import SqliteLog
from ringfence.stores.sqlite import SqliteJournal

from .kit import OTHER


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "audit.key"
    keys.make(path, name="ops")
    return path


def journal(tmp_path: Path, signer: Callable[[], Signer], *, required: bool = False) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.db", notary=Notary(signer, required=required, every_s=10.0))


def write(to: SqliteJournal, run: str, *, records: int = 3) -> None:
    async def work() -> None:
        for seq in range(records):
            kind = Kind.STARTED if seq == 0 else Kind.FINISHED if seq == records - 1 else Kind.MESSAGE
            to.append(Record(run, seq, 1_000 + seq, kind, "user:a", IDENTITY, {}, {"task": "t"} if seq == 0 else {}))
        await to.flush(anchored=True)  # as before an effect

    asyncio.run(work())


def test_what_a_witness_signs_goes_under_its_own_head_and_a_hand_over_of_that_size_stays(
    tmp_path: Path, file: Path
) -> None:
    with journal(tmp_path, lambda: keys.load(file)) as to:
        write(to, "a")
        with keys.rotating(file) as (old, new):
            handover = to.hand_over(
                lambda size, root: notes.head(to.log.id, size, root, 5, old, new, next_key=new.verifier)
            )
        first = to.log.heads()[0]
        cosigned = add(first.note, signature_line(notes.unverified(first.note), OTHER))
        to.cosigned(first.size, cosigned)
        write(to, "b")
        kept = [head.note for head in to.log.heads()]
    assert kept[:2] == [cosigned, handover]
    assert notes.opened(kept[2], [new.verifier])[1] == [new.verifier]


def test_a_proof_from_a_kept_frontier_is_the_same_and_costs_what_came_since(tmp_path: Path, file: Path) -> None:
    with journal(tmp_path, lambda: keys.load(file)) as to:
        for n in range(30):
            write(to, f"run{n:02d}", records=40)
    with SqliteLog(tmp_path / "journal.db") as log:
        for old in (0, 1, 256, 700, 1199, 1200):
            start, asked = log.frontier(old), 0
            assert old - 300 < start.size <= old

            def leaves(begin: int) -> object:
                nonlocal asked
                for header in log.headers(begin, 1200):
                    asked += 1
                    yield chain.leaf(header)

            quick = merkle.consistency(leaves(start.size), old, 1200, start=start)  # type: ignore[arg-type]
            assert asked <= 1200 - start.size
            assert quick == merkle.consistency(leaves(0), old, 1200)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [b"", b"x" * 31, b"x" * 320, None])
def test_a_frontier_that_was_damaged_is_not_begun_at(tmp_path: Path, file: Path, broken: bytes | None) -> None:
    import apsw

    with journal(tmp_path, lambda: keys.load(file)) as to:
        write(to, "a", records=300)
    db = apsw.Connection(str(tmp_path / "journal.db"))
    if broken is None:
        db.execute("DELETE FROM snapshots").fetchall()
    else:
        db.execute("UPDATE snapshots SET peaks = ?", (broken,)).fetchall()
    db.close()
    with SqliteLog(tmp_path / "journal.db") as log:
        assert log.frontier(300).size == 0


@pytest.mark.parametrize("spoil", ["mode", "gone"])
def test_a_key_that_is_not_fit_any_more_stops_effects_only_where_heads_are_required(
    tmp_path: Path, file: Path, spoil: str
) -> None:
    with journal(tmp_path, lambda: keys.load(file)) as to:
        write(to, "a")
        file.chmod(0o644) if spoil == "mode" else file.unlink()
        write(to, "b")
        assert [Checkpoint.parse(notes.unverified(head.note)).size for head in to.log.heads()] == [3]
    strict = journal(tmp_path, lambda: keys.load(file), required=True)
    with pytest.raises(JournalError, match=r"^audit.required is set, and no head can be signed: .*the key "):
        write(strict, "c")
    strict.close()
