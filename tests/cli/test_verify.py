"""`ringfence audit verify`: what it says, how it ends, and what to do next, for good logs and for bad input."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from ringfence.app.record import open_log
from ringfence.core.errors import JournalError
from ringfence.manifest.types import Manifest
from ringfence.proof.keys import KeySigner
from ringfence.stores import open_journal

from ..stores.test_erasure import fill, made, run_of
from .conftest import Out, Shell

ANCHOR = "audit: {anchors: [{file: ../heads.txt}]}\n"


@pytest.fixture
def house(folder: Path) -> Manifest:
    """A log of two runs, each with a head that is anchored."""
    manifest = made(folder, ANCHOR)
    fill(manifest, run_of("a", "user:alice"))
    fill(manifest, run_of("b", "user:alice"))
    return manifest


@pytest.fixture
def anchor(house: Manifest) -> Path:
    return house.root.parent / "heads.txt"


def journal(house: Manifest) -> Path:
    return house.root / ".ringfence" / "journal.db"


def key(ringfence: Shell) -> str:
    return ringfence("audit", "key").out.strip()


def copy(house: Manifest, folder: Path) -> Path:
    """What an auditor gets: the journal alone."""
    folder.mkdir()
    for file in journal(house).parent.glob("journal.db*"):
        shutil.copy(file, folder / file.name)
    return folder / "journal.db"


def codes(out: Out) -> list[str]:
    return [finding["code"] for finding in json.loads(out.out)["findings"]]


def test_a_good_log_is_said_to_be_one(house: Manifest, ringfence: Shell, anchor: Path) -> None:
    out = ringfence("audit", "verify", "--anchor", str(anchor))
    assert (out.code, out.err) == (0, "")
    assert "12 records in 2 runs" in out.out
    assert f"signed    12 of 12 by {key(ringfence)}" in out.out
    assert "anchored  12" in out.out
    assert "12 checked, 0 without their key, 0 destroyed" in out.out
    assert out.out.endswith("nothing is wrong\n")


def test_an_auditor_needs_a_copy_and_the_public_key(
    house: Manifest, ringfence: Shell, anchor: Path, tmp_path: Path
) -> None:
    public = key(ringfence)
    path = copy(house, tmp_path / "audited")
    (tmp_path / "log.pub").write_text(public + "\n")
    for given in (public, str(tmp_path / "log.pub")):
        out = ringfence("audit", "verify", "--log", str(path), "--key", given, "--anchor", str(anchor), "--json")
        report = json.loads(out.out)
        assert (out.code, report["ok"], report["signed"], report["anchored"], report["sealed"]) == (0, True, 12, 12, 12)


def test_anchors_are_files_or_folders(house: Manifest, ringfence: Shell, anchor: Path, tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    heads.mkdir()
    (heads / "12-x.note").write_text(anchor.read_text())
    out = ringfence("audit", "verify", "--anchor", str(heads), "--json")
    assert (out.code, json.loads(out.out)["anchored"]) == (0, 12)


def test_a_copy_without_a_key_to_check_its_heads_with_says_that_nobody_vouches(
    house: Manifest, ringfence: Shell, tmp_path: Path
) -> None:
    out = ringfence("audit", "verify", "--log", str(copy(house, tmp_path / "audited")))
    assert out.code == 3
    assert "look at unsigned: nobody vouches for the log: no key was given" in out.out
    assert "without signed heads" in out.out


def test_another_key_is_told(house: Manifest, ringfence: Shell, tmp_path: Path) -> None:
    other = str(KeySigner("else", bytes(32)).verifier)
    out = ringfence("audit", "verify", "--key", other)
    assert out.code == 1
    assert "WRONG unknown-key: none of the" in out.out
    assert "-> give the public key" in out.out


@pytest.mark.parametrize("given", ["rubbish", "a+b+c", "name+00000000+!!!!"])
def test_a_text_that_is_no_key_is_told(house: Manifest, ringfence: Shell, given: str) -> None:
    out = ringfence("audit", "verify", "--key", given)
    assert out.code == 6
    assert "expected a verifier key" in out.err
    assert "ringfence audit key" in out.err


def test_a_log_without_heads_verifies_and_nobody_vouches_for_it(ringfence: Shell, tmp_path: Path) -> None:
    with open_journal(tmp_path / "j" / "journal.db") as unsigned:
        for each in run_of("a", "user:alice"):
            unsigned.append(each)
        asyncio.run(unsigned.flush())
    out = ringfence("audit", "verify", "--log", str(tmp_path / "j" / "journal.db"))
    assert (out.code, "it has no signed heads" in out.out) == (3, True)


def test_an_empty_log_has_nothing_wrong(ringfence: Shell, tmp_path: Path) -> None:
    open_journal(tmp_path / "j" / "journal.db").close()
    out = ringfence("audit", "verify", "--log", str(tmp_path / "j" / "journal.db"))
    assert (out.code, "0 records in 0 runs" in out.out) == (0, True)


def test_no_log_is_an_error_with_a_next_step(ringfence: Shell, tmp_path: Path) -> None:
    out = ringfence("audit", "verify", "--log", str(tmp_path / "none.db"))
    assert out.code == 6
    assert "there is no journal at" in out.err
    assert "->" in out.err
    assert not (tmp_path / "none.db").exists()


def test_a_log_of_a_newer_version_is_an_error_with_a_next_step(house: Manifest, ringfence: Shell) -> None:
    db = apsw.Connection(str(journal(house)))
    db.execute("PRAGMA user_version = 99")
    db.close()
    out = ringfence("audit", "verify")
    assert out.code == 6
    assert "newer version of Ringfence (format 99" in out.err
    assert "-> upgrade" in out.err


def test_an_anchor_that_is_not_there_is_an_error_with_a_next_step(house: Manifest, ringfence: Shell) -> None:
    out = ringfence("audit", "verify", "--anchor", "/nowhere/heads.txt")
    assert out.code == 6
    assert "expected heads at the anchor /nowhere/heads.txt" in out.err
    assert "-> mount its disk" in out.err


def test_a_half_written_head_of_an_anchor_is_a_crash_and_the_others_count(
    house: Manifest, ringfence: Shell, anchor: Path
) -> None:
    text = anchor.read_text()
    anchor.write_text(text + text[: len(text) // 3])
    out = ringfence("audit", "verify", "--anchor", str(anchor), "--json")
    assert (out.code, codes(out), json.loads(out.out)["anchored"]) == (3, ["half-written"], 12)


def test_since_a_head_only_what_came_later_is_followed(house: Manifest, ringfence: Shell, anchor: Path) -> None:
    out = ringfence("audit", "verify", "--since", str(anchor), "--json")
    report = json.loads(out.out)
    assert (out.code, report["records"], report["anchored"]) == (0, 12, 12)
    out = ringfence("audit", "verify", "--since", "6", "--json")
    report = json.loads(out.out)
    assert (out.code, report["records"], report["signed"]) == (0, 12, 12)
    assert report["anchored"] == 0  # a head that the log itself keeps is out of nobody's reach


@pytest.mark.parametrize("since", ["7", "99", "none.note", "-1"])
def test_since_something_that_is_no_head_is_an_error_with_a_next_step(
    house: Manifest, ringfence: Shell, since: str
) -> None:
    out = ringfence("audit", "verify", f"--since={since}")
    assert out.code == 6
    assert f"expected a head at --since {since}" in out.err
    assert "-> name a file" in out.err


def test_a_log_that_was_rolled_back_before_the_head_that_is_trusted_is_found(
    house: Manifest, ringfence: Shell, anchor: Path
) -> None:
    db = apsw.Connection(str(journal(house)))
    db.execute(
        "DELETE FROM chunks WHERE idx >= 6; DELETE FROM places WHERE idx >= 6; DELETE FROM snapshots;"
        "DELETE FROM starts WHERE idx >= 6"
    )
    db.execute("DELETE FROM heads WHERE size > 6")
    db.close()
    for option in ("--since", "--anchor"):
        out = ringfence("audit", "verify", option, str(anchor), "--json")
        assert (out.code, codes(out)) == (1, ["rollback"])
    out = ringfence("audit", "verify")
    assert out.code == 0  # a purely local log cannot prove its own tail


def test_a_manifest_that_cannot_be_read_does_not_hide_its_log(house: Manifest, ringfence: Shell) -> None:
    public = key(ringfence)
    Path(str(house.source)).write_text("nonsense: [")
    out = ringfence("audit", "verify", "--key", public, "--json")
    assert (out.code, json.loads(out.out)["signed"]) == (0, 12)


def test_without_its_keys_a_log_is_verified_all_the_same(house: Manifest, ringfence: Shell) -> None:
    public = key(ringfence)
    shutil.rmtree(house.root / ".ringfence" / "keys")
    out = ringfence("audit", "verify", "--key", public)
    assert (out.code, "0 checked, 12 without their key" in out.out) == (0, True)
    assert not (house.root / ".ringfence" / "keys").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("exit 3", "left with exit code 3"),
        ("echo rubbish", "expected 32 bytes in base64"),
        ("exec /bin/nothing-of-the-kind", "left with exit code 127"),
    ],
)
def test_a_program_that_gives_no_key_is_no_tampering_and_is_named(
    folder: Path, ringfence: Shell, program: str, said: str
) -> None:
    good = "privacy: {key: {command: [sh, -c, 'printf %043d 0 | tr 0 A; echo =']}}\n"
    fill(made(folder, good), run_of("a", "user:alice"))
    made(folder, f"privacy: {{key: {{command: [sh, -c, '{program}']}}}}\n")
    out = ringfence("audit", "verify", "--json")
    assert (out.code, json.loads(out.out)["sealed"]) == (0, 6)
    out = ringfence("privacy", "export", "user:alice")
    assert (out.code, out.out) == (6, "")
    assert said in out.err
    assert "->" in out.err


def test_a_program_that_hangs_is_left_and_so_is_what_it_started(
    folder: Path, ringfence: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.app.record.COMMAND_S", 0.5)
    manifest = made(folder, "privacy: {key: {command: [sh, -c, 'sleep 600 & echo $! >pid; wait']}}\n")
    with pytest.raises(JournalError, match=r"gave no answer within 0\.5 s"):
        fill(manifest, run_of("a", "user:alice"))
    left = Path(f"/proc/{int((folder / 'pid').read_text())}/stat")
    assert not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_key_that_a_program_prints_is_on_no_disk_and_in_no_message(folder: Path, ringfence: Shell) -> None:
    text = "hunter2hunter2hunter2hunter2hunter2hunter2h="
    manifest = made(folder, "privacy: {key: {command: [cat, key.txt]}}\n")
    (folder / "key.txt").write_text(text)
    fill(manifest, run_of("a", "user:alice"))
    (folder / "key.txt").write_text(text[:-2] + "\n" + text)
    out = ringfence("privacy", "export", "user:alice")
    assert out.code == 6
    assert "expected 32 bytes" in out.err
    assert "hunter2" not in out.out + out.err
    held = b"".join(file.read_bytes() for file in (folder / ".ringfence").rglob("*") if file.is_file())
    assert b"hunter2" not in held


def test_a_wrong_operators_key_is_told_to_who_reads_and_stops_who_writes(house: Manifest, ringfence: Shell) -> None:
    (house.root / ".ringfence" / "keys" / "operator.key").write_text("A" * 43 + "=\n")
    out = ringfence("runs", "export", "a")
    assert (out.code, "another operator's key" in out.err, "-> put the right key" in out.err) == (6, True, True)
    out = ringfence("privacy", "erase", "user:alice", "--yes")
    assert (out.code, "another operator's key" in out.err) == (6, True)
    with open_log(house) as log:
        assert log.size() == 12


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_log_on_a_read_only_disk_is_verified(house: Manifest, ringfence: Shell, tmp_path: Path) -> None:
    path = copy(house, tmp_path / "disk")
    public = key(ringfence)
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = [sys.executable, "-m", "ringfence.cli", "audit", "verify", "--log", str(path), "--key", public]
    tried = subprocess.run(["unshare", "-m", "sh", "-c", script, str(path.parent), "true"], check=False)
    if tried.returncode:
        pytest.skip("no mount may be made here")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, str(path.parent), *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "signed    12 of 12" in done.stdout
