"""`ringfence audit prove`, `consistency`, `key`, `rotate`, and the page of Python that checks a proof without us."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.core import chain
from ringfence.core.chain import Frontier, Kind, Record
from ringfence.core.labels import Label, Trust
from ringfence.proof import keys, merkle
from ringfence.proof.keys import KeySigner
from ringfence.proof.note import ORIGIN, Checkpoint, Verifier, head, opened, successor
from ringfence.stores import open_journal, open_log

from .conftest import Shell

SCRIPT = Path(__file__).parents[2] / "docs" / "security" / "verify_proof.py"
RECORDS = 90


@pytest.fixture
def log(folder: Path) -> str:
    """A journal with thirty runs beside a manifest, and the key of its heads; returns the log's id."""
    (folder / "ringfence.yaml").write_text(
        "inference: {provider: llamacpp, model: m, endpoint: 'http://127.0.0.1:1'}\n"
    )
    with open_journal(folder / ".ringfence" / "journal.db") as journal:
        for n in range(RECORDS // 3):
            for seq, kind in enumerate((Kind.STARTED, Kind.MESSAGE, Kind.FINISHED)):
                body = {"task": "tâsk"} if seq == 0 else {}
                label = Label(Trust.USER)
                journal.append(Record(f"run{n:03d}", seq, 1000 + n, kind, "user:zoë", label, {"status": "dône"}, body))
        asyncio.run(journal.flush())
        found = journal.log.id
    keys.make(folder / ".ringfence" / "keys" / "audit.key", name=ORIGIN + found)
    return found


def key(folder: Path) -> KeySigner:
    return KeySigner.parse((folder / ".ringfence" / "keys" / "audit.key").read_text())


def root(folder: Path, size: int) -> bytes:
    frontier = Frontier()
    with open_log(folder / ".ringfence" / "journal.db") as opened_log:
        for each in opened_log.headers(0, size):
            frontier.append(chain.leaf(each))
    return frontier.root()


@pytest.fixture
def anchor(folder: Path, log: str) -> Path:
    """Heads over 7, 41 and 80 records, as an anchor keeps them."""
    file = folder / "heads.txt"
    file.write_text("\n".join(head(log, size, root(folder, size), size, key(folder)) for size in (7, 41, 80)))
    return file


def check(folder: Path, proof: object, vkey: str) -> subprocess.CompletedProcess[str]:
    (folder / "proof.json").write_text(proof if isinstance(proof, str) else json.dumps(proof))
    command = [sys.executable, "-I", SCRIPT, "proof.json", vkey]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def proof(ringfence: Shell, anchor: Path) -> dict[str, Any]:
    made = ringfence("audit", "prove", "run013:1", "--head", "heads.txt")
    assert made.code == 0, made.err
    found: dict[str, Any] = json.loads(made.out)
    return found


def test_a_record_is_proved_to_the_newest_head_over_it(folder: Path, log: str, proof: dict[str, Any]) -> None:
    assert (proof["v"], proof["origin"], proof["index"], proof["size"]) == (1, ORIGIN + log, 40, 80)
    header = proof["header"].encode()
    assert chain.leaf(header).hex() == proof["leaf"]
    assert json.loads(header)["run"] == "run013"
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert merkle.included(chain.leaf(header), 40, 80, path, root(folder, 80))
    assert len(path) <= 7
    assert opened(proof["head"], [key(folder).verifier])


@pytest.mark.parametrize("record", ["0", "6", "79", "run000:0", "run026:1", "run01:0"])
def test_a_record_is_named_by_its_index_or_its_run(ringfence: Shell, folder: Path, anchor: Path, record: str) -> None:
    made = ringfence("audit", "prove", record, "--head", "heads.txt", "--out", "p.json")
    if record == "run01:0":
        assert (made.code, "fits more than one run" in made.err) == (6, True)
        return
    assert (made.code, made.out) == (0, "")
    assert stat.S_IMODE((folder / "p.json").stat().st_mode) == 0o600
    done = check(folder, (folder / "p.json").read_text(), str(key(folder).verifier))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("proved: record ")


def test_the_page_of_python_needs_nothing_and_fits_on_a_page() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 60
    imported = re.findall(r"^(?:import|from) (.*)$", text, re.MULTILINE)
    assert {name for line in imported for name in line.split(", ")} <= set(sys.stdlib_module_names)
    assert "ringfence" not in {name.strip() for line in imported for name in line.split(",")}


def _note(change: Callable[[str], str]) -> Callable[[dict[str, Any], Path], None]:
    def apply(proof: dict[str, Any], folder: Path) -> None:
        before = proof["head"]
        proof["head"] = change(before)
        assert proof["head"] != before

    return apply


def _signature(note: str) -> str:
    text, _, line = note.rpartition(" ")
    data = bytearray(base64.b64decode(line))
    data[-1] ^= 1
    return f"{text} {base64.b64encode(data).decode()}\n"


def _longer(proof: dict[str, Any], folder: Path) -> None:
    proof["path"].append("00" * 32)


def _rewritten(proof: dict[str, Any], folder: Path) -> None:
    """Consistent in itself: another record, its leaf, and the path that was there."""
    proof["header"] = proof["header"].replace("zoë", "eve")
    proof["leaf"] = chain.leaf(proof["header"].encode()).hex()


def _forged(proof: dict[str, Any], folder: Path) -> None:
    """A tree of one record, and a head that another key has signed under the same name."""
    _rewritten(proof, folder)
    proof["header"] = re.sub(r'"index":\d+', '"index":0', proof["header"])
    leaf = chain.leaf(proof["header"].encode())
    thief = KeySigner(key(folder).verifier.name, b"3" * 32)
    log = proof["origin"].removeprefix(ORIGIN)
    proof |= {"leaf": leaf.hex(), "index": 0, "size": 1, "path": [], "head": head(log, 1, leaf, 1, thief)}


TAMPERED: dict[str, tuple[Callable[[dict[str, Any], Path], object], str]] = {
    "leaf": (lambda proof, _: proof.update(leaf="00" * 32), "does not hash to the leaf"),
    "header": (
        lambda proof, _: proof.update(header=proof["header"].replace("zoë", "eve")),
        "does not hash to the leaf",
    ),
    "header and leaf": (_rewritten, "does not lead from the record to the root"),
    "path": (lambda proof, _: proof["path"].__setitem__(0, "00" * 32), "does not lead from the record to the root"),
    "path shorter": (lambda proof, _: proof["path"].pop(), "does not lead from the record to the root"),
    "path longer": (_longer, "the path is too long"),
    "path of no hashes": (lambda proof, _: proof["path"].__setitem__(0, "00"), "something that is no hash"),
    "index": (lambda proof, _: proof.update(index=41), "size or index is not that of the head"),
    "size": (lambda proof, _: proof.update(size=81), "size or index is not that of the head"),
    "size of the head": (_note(lambda note: note.replace("\n80\n", "\n81\n")), "signature is not over this head"),
    "root": (_note(lambda note: note.replace("=\ntime", "=\nTime")), "signature is not over this head"),
    "signature": (_note(_signature), "signature is not over this head"),
    "no signature": (_note(lambda note: note.rpartition("—")[0]), "is not signed by"),
    "another key's head": (_forged, "is not signed by"),
    "other log": (lambda proof, _: proof.update(origin=ORIGIN + "f" * 32), "of another log"),
    "version": (lambda proof, _: proof.update(v=2), "of another log"),
    "nothing there": (lambda proof, _: proof.pop("path"), "expected a proof and a verifier key"),
    "nothing at all": (lambda proof, _: proof.clear(), "expected a proof and a verifier key"),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_the_page_of_python_refuses_whatever_was_tampered_with(folder: Path, proof: dict[str, Any], kind: str) -> None:
    tampered, vkey = copy.deepcopy(proof), str(key(folder).verifier)
    TAMPERED[kind][0](tampered, folder)
    assert tampered != proof
    done = check(folder, tampered, vkey)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("NOT PROVED: ")
    assert TAMPERED[kind][1] in done.stderr
    assert check(folder, proof, vkey).returncode == 0


def test_the_page_of_python_refuses_another_key_and_what_is_none(folder: Path, proof: dict[str, Any]) -> None:
    vkey = str(key(folder).verifier)
    thief = str(KeySigner(key(folder).verifier.name, b"3" * 32).verifier)
    for other, said in (
        (thief, "is not signed by"),
        (vkey.replace("ringfence/", "other/"), "the key is damaged"),
        (vkey[:-1] + ("A" if vkey[-1] != "A" else "B"), "the key is damaged"),
        (vkey[:40], "expected a proof and a verifier key"),
        ("", "expected a proof and a verifier key"),
    ):
        done = check(folder, proof, other)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr, done.stderr
    for broken in ("", "{", "[]", "null", "7"):
        assert check(folder, broken, vkey).returncode == 1


def test_the_page_of_python_counts_no_signature_that_cryptography_does_not(folder: Path, proof: dict[str, Any]) -> None:
    """S + L is the same signature to a verifier that does not check its range (RFC 8032 5.1.7)."""
    text, _, line = proof["head"].rpartition(" ")
    data = base64.b64decode(line)
    larger = int.from_bytes(data[36:], "little") + 2**252 + 27742317777372353535851937790883648493
    if larger < 2**256:
        malleable = data[:36] + larger.to_bytes(32, "little")
        proof["head"] = f"{text} {base64.b64encode(malleable).decode()}\n"
        assert "signature is not over this head" in check(folder, proof, str(key(folder).verifier)).stderr


@pytest.mark.parametrize(
    ("record", "code", "said"),
    [
        ("85", 6, "record 85 is not under a head yet: the newest is over 80 records"),
        ("90", 6, "the log has 90 records"),
        ("run000:7", 6, "run run000 has no record 7"),
        ("nothing:1", 6, "no run starts with 'nothing'"),
        ("nonsense", 2, "expected RUN:SEQ or the index of a record"),
        ("-1", 2, ""),
    ],
)
def test_what_cannot_be_proved_is_told(ringfence: Shell, anchor: Path, record: str, code: int, said: str) -> None:
    done = ringfence("audit", "prove", record, "--head", "heads.txt")
    assert done.code == code
    assert said in done.err


def test_a_head_that_is_not_there_half_written_or_of_another_key_is_told_apart(
    ringfence: Shell, folder: Path, anchor: Path, log: str
) -> None:
    def prove(*more: str) -> tuple[int, str]:
        done = ringfence("audit", "prove", "0", "--head", *more)
        return done.code, done.err

    code, said = prove("gone.txt")
    assert (code, "it is not there" in said) == (6, True)
    (folder / "torn.txt").write_text(anchor.read_text()[:60])
    code, said = prove("torn.txt")
    assert (code, "a half-written head" in said) == (6, True)
    thief = KeySigner(ORIGIN + log, b"3" * 32)
    (folder / "thief.txt").write_text(head(log, 80, root(folder, 80), 1, thief))
    code, said = prove("thief.txt")
    assert (code, f"{thief.verifier.id.hex()}" in said) == (6, True)
    code, said = prove("thief.txt", "--key", str(thief.verifier))
    assert code == 0
    code, said = prove("heads.txt", "--key", "nonsense")
    assert "expected a verifier key" in said


def test_heads_of_other_logs_under_the_same_key_are_passed_over(ringfence: Shell, folder: Path, anchor: Path) -> None:
    anchor.write_text(anchor.read_text() + "\n" + head("f" * 32, 85, b"x" * 32, 1, key(folder)))
    done = ringfence("audit", "prove", "0", "--head", "heads.txt")
    assert (done.code, json.loads(done.out)["size"]) == (0, 80)


def test_a_log_that_was_cut_or_rewritten_proves_nothing(ringfence: Shell, folder: Path, log: str, anchor: Path) -> None:
    anchor.write_text(head(log, 91, b"x" * 32, 1, key(folder)))
    done = ringfence("audit", "prove", "0", "--head", "heads.txt")
    assert (done.code, "its end is gone" in done.err) == (6, True)
    anchor.write_text(head(log, 80, b"x" * 32, 1, key(folder)))
    done = ringfence("audit", "prove", "0", "--head", "heads.txt")
    assert (done.code, "this log is not the one that was signed" in done.err) == (6, True)


def test_two_heads_of_one_log_agree_and_the_proof_shows_it(ringfence: Shell, folder: Path, anchor: Path) -> None:
    (folder / "old.txt").write_text(anchor.read_text().split("\n\nringfence")[0] + "\n")
    done = ringfence("audit", "consistency", "old.txt", "heads.txt")
    shown = json.loads(done.out)
    assert (done.code, shown["consistent"], shown["old"]["size"], shown["new"]["size"]) == (0, True, 7, 80)
    path = [bytes.fromhex(each) for each in shown["path"]]
    assert merkle.consistent(7, 80, root(folder, 7), root(folder, 80), path)
    assert "the first 7 of 80 records are the same" in done.err
    assert ringfence("audit", "consistency", "41", "80").code == 0
    assert ringfence("audit", "consistency", "0", "0").code == 0


def test_heads_that_do_not_agree_are_told(ringfence: Shell, folder: Path, log: str, anchor: Path) -> None:
    (folder / "fork.txt").write_text(head(log, 41, b"x" * 32, 1, key(folder)))
    done = ringfence("audit", "consistency", "fork.txt", "heads.txt")
    assert (done.code, json.loads(done.out)["consistent"]) == (1, False)
    assert "it was rewritten, or one of them is of a fork" in done.err
    done = ringfence("audit", "consistency", "heads.txt", "fork.txt")
    assert (done.code, "expected the smaller head first" in done.err) == (2, True)
    (folder / "other.txt").write_text(head("f" * 32, 41, b"x" * 32, 1, key(folder)))
    done = ringfence("audit", "consistency", "other.txt", "heads.txt")
    assert (done.code, "this log is" in done.err) == (6, True)
    done = ringfence("audit", "consistency", "7", "91")
    assert (done.code, "the log has 90 records, and not 91" in done.err) == (6, True)


def test_the_public_key_is_printed_and_nothing_else(ringfence: Shell, folder: Path, log: str) -> None:
    done = ringfence("audit", "key")
    assert (done.code, done.out) == (0, f"{key(folder).verifier}\n")
    assert Verifier.parse(done.out.strip()) == key(folder).verifier
    (folder / ".ringfence" / "keys" / "audit.key").chmod(0o644)
    done = ringfence("audit", "key")
    assert (done.code, "chmod 600" in done.err) == (2, True)


def test_the_public_key_of_a_command_is_that_of_the_manifest(ringfence: Shell, folder: Path, log: str) -> None:
    manifest = folder / "ringfence.yaml"
    vkey = str(key(folder).verifier)
    manifest.write_text(manifest.read_text() + f"audit: {{key: {{command: [kms], public: {vkey!r}}}}}\n")
    assert ringfence("audit", "key").out == vkey + "\n"
    done = ringfence("audit", "rotate")
    assert (done.code, "only its owner can make it sign" in done.err) == (2, True)


def test_a_rotation_hands_the_log_over_and_proofs_go_on(ringfence: Shell, folder: Path, log: str) -> None:
    old = key(folder)
    done = ringfence("audit", "rotate")
    assert done.code == 0, done.err
    new = key(folder)
    assert done.out == f"{new.verifier}\n"
    assert new.verifier != old.verifier
    assert new.verifier.name == old.verifier.name
    with open_log(folder / ".ringfence" / "journal.db") as opened_log:
        (handover,) = opened_log.heads()
    assert successor(handover.note, [old.verifier]) == new.verifier
    checkpoint = Checkpoint.parse(opened(handover.note, [old.verifier, new.verifier])[0])
    assert (checkpoint.size, checkpoint.root) == (RECORDS, root(folder, RECORDS))
    for given in ([], ["--key", str(old.verifier)]):
        proved = ringfence("audit", "prove", "89", *given)
        assert proved.code == 0, proved.err
        assert check(folder, proved.out, str(new.verifier)).returncode == 0
    again = ringfence("audit", "rotate")
    assert again.code == 0, again.err
    assert ringfence("audit", "prove", "89", "--key", str(old.verifier)).code == 0


def test_a_rotation_whose_head_cannot_be_kept_changes_nothing(ringfence: Shell, folder: Path, log: str) -> None:
    import apsw

    before = key(folder).verifier
    blocker = apsw.Connection(str(folder / ".ringfence" / "journal.db"))
    blocker.execute("CREATE TRIGGER no BEFORE INSERT ON heads BEGIN SELECT RAISE(ABORT, 'no'); END").fetchall()
    blocker.close()
    done = ringfence("audit", "rotate")
    assert done.code == 6
    assert key(folder).verifier == before
