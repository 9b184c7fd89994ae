"""Each kind of tampering with a log is found on a copy, offline, with the public key alone, and told from the rest."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ringfence.app.notary import Notary
from ringfence.cli.exits import Exit
from ringfence.cli.verify import Wanted, execute
from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label, Trust
from ringfence.proof import keys
from ringfence.proof import note as notes
from ringfence.proof.keys import Cosigner
from ringfence.stores import open_log
from ringfence.stores.sqlite import SqliteJournal

from .forger import Forger, Lines

LABEL = Label(Trust.USER, frozenset({frozenset({"user:alice"})}))
MINUTE = 60_000
NOW = 1_763_640_000_000


def of(run: str, seq: int, kind: Kind, view: dict[str, object], time: int) -> Record:
    body = {"task": "count", "principal": {"subject": "user:alice"}} if seq == 0 else {"text": f"{run} {seq}"}
    return Record(run, seq, time, kind, "user:alice", LABEL, view, body)


def run_of(run: str, time: int, *, effect: str = "tool:send") -> list[Record]:
    return [
        of(run, 0, Kind.STARTED, {"policy": "p"}, time),
        of(run, 1, Kind.INTENT, {"sink": "model:main", "rule": "POL-8"}, time + 1),
        of(run, 2, Kind.OUTCOME, {"of": 1, "ok": True}, time + 2),
        of(run, 3, Kind.INTENT, {"sink": effect, "rule": "POL-8", "key": f"{run}-3"}, time + 3),
        of(run, 4, Kind.OUTCOME, {"of": 3, "ok": True}, time + 4),
        of(run, 5, Kind.FINISHED, {"status": "done"}, time + 5),
    ]


@dataclass
class House:
    """A log with its keys, and what its anchor has kept."""

    folder: Path
    key: str
    witness: str = ""

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    @property
    def anchor(self) -> Path:
        return self.folder / "anchor.txt"

    def write(self, *runs: list[Record], anchored: bool = True, witnessed: bool = False) -> None:
        signer = keys.load(self.folder / "audit.key")
        cosigner = Cosigner(keys.load(self.folder / "witness.key"))

        def publish(note: str) -> tuple[str, list[str]]:
            if witnessed:
                note = notes.add(note, notes.signature_line(notes.unverified(note), cosigner))
            if anchored:
                with self.anchor.open("a") as file:
                    file.write(note)
            return note, []

        notary = Notary(lambda: signer, required=False, every_s=0, publish=publish)
        with SqliteJournal(self.journal, notary=notary) as journal:
            notary.cosigned = journal.cosigned
            for run in runs:
                for record in run:
                    journal.append(record)
                asyncio.run(journal.flush())

    def copy(self, folder: Path) -> House:
        """All of it elsewhere."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def forger(self) -> Forger:
        return Forger(self.journal)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A log of five runs, a chunk and a head each, the first four anchored as well; its keys lie elsewhere."""
    folder = tmp_path / "house"
    signer = keys.make(folder / "audit.key", name="notes")
    witness = Cosigner(keys.make(folder / "witness.key", name="witness"))
    made = House(folder, str(signer.verifier), str(witness.verifier))
    made.write(*(run_of(f"run{n}", NOW + n * MINUTE) for n in range(4)))
    made.write(run_of("run4", NOW + 4 * MINUTE), anchored=False)
    return made


def found(house: House, capsys: pytest.CaptureFixture[str], *, anchor: bool = False, key: str = "") -> tuple[int, dict]:
    """Exit code and finding codes with their texts, of a copy without the keys of its contents."""
    lonely = house.folder.parent / "audited"
    lonely.mkdir(exist_ok=True)
    for file in house.folder.glob("journal.db*"):
        shutil.copy(file, lonely / file.name)
    capsys.readouterr()
    anchors = (house.anchor,) if anchor else ()
    code = execute(
        Wanted(Path("none.yaml"), lonely / "journal.db", (key or house.key, house.witness), anchors, "", True, True)
    )
    report = json.loads(capsys.readouterr().out)
    shutil.rmtree(lonely)
    findings: dict[str, str] = {}
    for finding in report["findings"]:
        findings[finding["code"]] = "\n".join(filter(None, (findings.get(finding["code"]), finding["text"])))
    return code, findings


def test_a_log_that_nobody_touched_is_good_with_the_public_key_alone(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found(house, capsys, anchor=True) == (Exit.DONE, {})


def _edited(lines: Lines) -> Lines:
    return [lines[0], *(line.replace(b'"tool:send"', b'"tool:read"') for line in lines[1:])]


def _deleted(lines: Lines) -> Lines:
    return [*lines[:2], *lines[3:]]


def _inserted(lines: Lines) -> Lines:
    forged = lines[2].replace(b'"ok":true', b'"ok":false')
    return [*lines[:3], forged, *lines[3:]]


def _doubled(lines: Lines) -> Lines:
    return [*lines[:3], lines[2], *lines[3:]]


def _reordered(lines: Lines) -> Lines:
    return [lines[0], lines[1], lines[3], lines[2], *lines[4:]]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (_edited, "edited", "record 9 .*its header was changed"),
        (_deleted, "deleted", "at place 8 of the log stands a record that says 9: 1 records before it are missing"),
        (_inserted, "inserted", "it is not the one that is record 8"),
        (_doubled, "duplicate", "it is a copy of record 8"),
        (_reordered, "reordered", "records were put in another order"),
    ],
)
def test_a_chunk_that_was_changed_is_found_without_any_key(
    house: House, capsys: pytest.CaptureFixture[str], change: Callable[[Lines], Lines], code: str, words: str
) -> None:
    import re

    house.forger().chunk(6, change, marks=change is not _edited)
    exit_code, findings = found(house, capsys)
    assert exit_code == Exit.UNANSWERED
    assert re.search(words, findings[code]), findings


def test_records_cut_out_of_the_middle_are_missing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.forger().sql("DELETE FROM chunks WHERE idx = 12")
    assert found(house, capsys)[1]["cut"] == "after 12 records comes one with index 18: records are missing"


def test_a_tail_that_was_cut_off_is_missed_by_what_is_kept_with_the_log(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forger().sql("DELETE FROM chunks WHERE idx = 24; DELETE FROM places WHERE idx = 24")
    assert "the log ends after 24 records, but it had 30" in found(house, capsys)[1]["cut-tail"]
    house.forger().sql("DELETE FROM snapshots WHERE size > 24")
    assert "head 5 of the log is over 30 records, and the log has 24" in found(house, capsys)[1]["cut-tail"]


def test_a_log_that_was_rolled_back_with_all_that_told_is_found_by_an_anchor(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forger().sql(
        "DELETE FROM chunks WHERE idx >= 18; DELETE FROM places WHERE idx >= 18; DELETE FROM snapshots WHERE size > 18;"
        "DELETE FROM heads WHERE size > 18; DELETE FROM starts WHERE idx >= 18"
    )
    assert found(house, capsys) == (Exit.DONE, {})  # nothing local can tell, and we say so
    code, findings = found(house, capsys, anchor=True)
    assert code == Exit.UNANSWERED
    assert "is over 24 records, and the log has 18: it was rolled back" in findings["rollback"]


def _harmless(heads: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every trace of an effect made harmless, as well as it can be done without the key."""
    for head in heads:
        view = head["view"]
        if isinstance(view, dict) and view.get("sink") == "tool:send":
            view["sink"] = "tool:read"
    return heads


def test_a_log_that_was_rewritten_from_its_first_record_to_its_last_is_found_by_its_heads(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forger().rewrite(_harmless)
    code, findings = found(house, capsys)
    assert code == Exit.UNANSWERED
    assert "the first 6 records are not those of head 1 of the log: they were rewritten" in findings["rewritten"]


def test_without_its_heads_a_rewritten_log_is_vouched_for_by_nobody_and_found_by_an_anchor(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    forger = house.forger()
    forger.rewrite(_harmless)
    forger.sql("DELETE FROM heads")
    code, findings = found(house, capsys)
    assert code == Exit.PARTIAL
    assert "nobody vouches for the log" in findings["unsigned"]
    assert "rewritten" in found(house, capsys, anchor=True)[1]


def test_a_head_that_was_taken_away_leaves_ended_runs_that_none_is_over(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forger().sql("DELETE FROM heads WHERE size > 18")
    code, findings = found(house, capsys)
    assert (code, findings["unsigned"]) == (Exit.PARTIAL, "runs ended in the last 12 records, and no head is over them")


def test_two_logs_that_one_key_has_signed_are_a_fork(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = house.copy(tmp_path / "other")
    house.write(run_of("x", NOW + 5 * MINUTE))
    other.write(run_of("y", NOW + 5 * MINUTE), anchored=False)
    assert found(other, capsys) == (Exit.DONE, {})
    kept = replace(other, folder=other.folder)
    shutil.copy(house.anchor, kept.anchor)
    code, findings = found(kept, capsys, anchor=True)
    assert code == Exit.UNANSWERED
    assert "two logs under one name were signed with one key" in findings["fork"]


def test_a_log_that_was_rewritten_with_the_stolen_key_is_found_by_what_a_witness_signed(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = house.copy(tmp_path / "before")
    house.write(run_of("x", NOW + 5 * MINUTE), witnessed=True)
    before.write(run_of("x", NOW + 5 * MINUTE, effect="tool:read"), anchored=False)  # the thief has the key
    shutil.copy(house.anchor, before.anchor)
    code, findings = found(before, capsys, anchor=True)
    assert code == Exit.UNANSWERED
    assert "which a witness signed too: the log was rewritten" in findings["stolen-key"]
    assert "fork" not in findings


def test_the_log_of_another_house_is_not_this_one(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = House(tmp_path / "other", house.key, house.witness)
    shutil.copytree(house.folder, other.folder, ignore=shutil.ignore_patterns("journal.db*", "keys"))
    other.write(*(run_of(f"run{n}", NOW + n * MINUTE) for n in range(4)), anchored=False)
    assert "is of ringfence/" in found(other, capsys, anchor=True)[1]["other-log"]
    with open_log(house.journal) as log:
        line = next(log.headers(6, 7))
    other.forger().chunk(6, lambda lines: [line, *lines[1:]], marks=True)
    assert "it was written to another log" in found(other, capsys)[1]["other-log"]


def test_a_head_by_another_key_counts_for_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    forger = house.forger()
    forger.rewrite(_harmless)
    own = keys.make(house.folder / "thief.key", name="notes")
    with open_log(house.journal) as log:
        root = bytes.fromhex(log.verify(bodies=False).root)
    forger.db.execute("DELETE FROM heads")
    forger.db.execute("INSERT INTO heads(size, note) VALUES (30, ?)", (notes.head(forger.log, 30, root, NOW, own),))
    code, findings = found(house, capsys)
    assert (code, list(findings)) == (Exit.UNANSWERED, ["unknown-key"])
    assert found(house, capsys, key=str(own.verifier))[0] == Exit.DONE  # for whoever trusts that one


def test_a_signature_that_does_not_fit_its_head_is_told_from_an_unknown_key(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forger().sql(
        "UPDATE heads SET note = replace(note, char(10) || '12' || char(10), char(10) || '11' || char(10))"
    )
    code, findings = found(house, capsys)
    assert code == Exit.UNANSWERED
    assert "head 2 of the log: the signature of notes" in findings["bad-signature"]


def test_a_key_that_was_handed_over_signs_nothing_any_more(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    file, old = house.folder / "audit.key", (house.folder / "audit.key").read_bytes()
    with SqliteJournal(house.journal) as journal, keys.rotating(file) as (before, after):
        log = journal.log.id
        journal.hand_over(lambda size, root: notes.head(log, size, root, NOW, before, after, next_key=after.verifier))
    house.write(run_of("x", NOW + 5 * MINUTE), anchored=False)
    assert found(house, capsys, anchor=True) == (Exit.DONE, {})  # from the first key on, over the hand-over
    new = str(keys.load(file).verifier)
    assert found(house, capsys, key=new) == (Exit.DONE, {})  # and from the new one
    file.write_bytes(old)  # whoever kept the old key goes on with it
    house.write(run_of("y", NOW + 6 * MINUTE), anchored=False)
    code, findings = found(house, capsys)
    assert code == Exit.UNANSWERED
    assert "was signed with a key that was handed over at 30" in findings["expired-key"]


def test_after_a_rotation_an_anchor_is_checked_with_the_new_key_alone_as_far_as_it_signed(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteJournal(house.journal) as journal, keys.rotating(house.folder / "audit.key") as (before, after):
        log = journal.log.id
        journal.hand_over(lambda size, root: notes.head(log, size, root, NOW, before, after, next_key=after.verifier))
    new = str(keys.load(house.folder / "audit.key").verifier)
    assert list(found(house, capsys, anchor=True, key=new)[1]) == ["no-head"]  # all that it has is the old key's
    house.write(run_of("x", NOW + 5 * MINUTE))
    assert found(house, capsys, anchor=True, key=new) == (Exit.DONE, {})
    thief = keys.make(house.folder / "thief.key", name="notes")
    with house.anchor.open("a") as file:
        file.write(notes.head(log, 36, b"\0" * 32, NOW, thief))
    assert "unknown-key" in found(house, capsys, anchor=True, key=new)[1]


def test_without_a_key_an_anchor_proves_nothing_and_the_key_is_asked_for(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = Wanted(Path("none.yaml"), house.journal, (), (house.anchor,), "", False, False)
    assert execute(wanted) == Exit.PARTIAL
    assert "with --key" in capsys.readouterr().out


def test_a_clock_that_goes_back_is_told_and_is_no_proof(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.write(run_of("x", NOW - 60 * MINUTE), anchored=False)
    code, findings = found(house, capsys)
    assert code == Exit.PARTIAL
    assert "the clock went back by 3,840 s" in findings["clock"]


def test_an_effect_without_a_decision_is_found(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    later = NOW + 5 * MINUTE
    records = run_of("x", later)
    skipped = [*records[:3], *(replace(record, seq=record.seq - 1) for record in records[4:])]
    house.write(skipped, anchored=False)
    assert "it is the outcome of something that was not decided before" in found(house, capsys)[1]["undecided"]


def test_an_intent_that_no_rule_allowed_is_found(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    records = run_of("x", NOW + 5 * MINUTE)
    records[3] = replace(records[3], view={"sink": "tool:send"})
    house.write(records, anchored=False)
    assert "no rule has allowed it" in found(house, capsys)[1]["undecided"]


def test_a_decision_without_an_outcome_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    records = run_of("x", NOW + 5 * MINUTE)
    house.write([*records[:4], replace(records[5], seq=4)], anchored=False)
    code, findings = found(house, capsys)
    assert code == Exit.PARTIAL
    assert "no outcome says what became of tool:send" in findings["unanswered"]


def test_the_same_call_made_again_after_a_crash_is_no_gap(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    records = run_of("x", NOW + 5 * MINUTE)
    again = [*records[:4], *(replace(record, seq=record.seq + 1) for record in records[3:])]
    again[5] = replace(again[5], view={"of": 4, "ok": True})
    house.write(again, anchored=False)
    assert found(house, capsys) == (Exit.DONE, {})


def test_a_torn_end_of_the_file_is_a_crash_and_no_tampering(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The write-ahead log ends in the middle of a commit, as a loss of power leaves it."""
    signer = keys.load(house.folder / "audit.key")
    journal = SqliteJournal(house.journal, notary=Notary(lambda: signer, required=False, every_s=0))
    for record in run_of("x", NOW + 5 * MINUTE):
        journal.append(record)
    asyncio.run(journal.flush())
    torn = house.folder.parent / "torn"
    torn.mkdir()
    for file in house.folder.glob("journal.db*"):
        shutil.copy(file, torn)
    journal.close()
    wal = torn / "journal.db-wal"
    wal.write_bytes(wal.read_bytes()[:-700])
    code, findings = found(replace(house, folder=torn), capsys)
    assert (code, findings) == (Exit.DONE, {})
    with open_log(torn / "journal.db") as log:
        assert log.size() == 30


def test_since_a_head_only_what_came_after_is_looked_at(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.write(*(run_of(f"more{n}", NOW + (5 + n) * MINUTE) for n in range(60)))
    with open_log(house.journal) as log:
        head = tmp_path / "head.txt"
        head.write_text(next(each.note for each in log.heads() if each.size == 300))

    def since() -> tuple[int, list[str]]:
        wanted = Wanted(Path("none.yaml"), house.journal, (house.key,), (), str(head), False, True)
        code = execute(wanted)
        return code, [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]]

    assert since() == (Exit.DONE, [])
    house.forger().chunk(6, _edited)  # long before
    assert since() == (Exit.DONE, [])
    house.forger().chunk(306, _edited)
    assert since() == (Exit.UNANSWERED, ["edited"])


def test_a_body_that_was_changed_is_found_where_its_key_is(house: House) -> None:
    house.forger().sql("UPDATE chunks SET bodies = (SELECT bodies FROM chunks WHERE idx = 6) WHERE idx = 12")
    with open_log(house.journal) as log:
        report = log.verify()
    assert [finding.code for finding in report.findings] == ["body"]
    with open_log(house.journal) as log:
        assert log.verify(bodies=False).ok
