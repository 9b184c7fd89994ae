"""`ringfence privacy`: what is held, its end with a certificate, and what is destroyed by itself."""

from __future__ import annotations

import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from ringfence.app import privacy
from ringfence.app.record import open_journal, open_log
from ringfence.core.values import Principal
from ringfence.manifest.loader import load
from ringfence.proof import note as notes
from ringfence.proof.note import Verifier

from ..stores.test_erasure import fill, made, run_of
from .conftest import Serve, Shell, final, step

ABOUT = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools: [{{name: files, type: builtin, target_paths: [./notes]}}]
privacy: {{subject: "patient:4711"}}
"""


@pytest.fixture
def cared(serve: Serve, ringfence: Shell) -> None:
    """One real run about a patient."""
    serve(step("files.read", path="notes/a.txt"), final("the disk is full"), manifest=ABOUT)
    assert ringfence("run", "what is in notes/a.txt?").code == 0


def contents(text: str) -> list[object]:
    return [record["content"] for record in json.loads(text)["records"]]


def undigested(text: str) -> str:
    """A text without its digests, in which any four figures may stand."""
    return re.sub(r"[0-9a-f]{16,}", "", text)


def test_a_run_is_about_the_subject_of_the_manifest_and_its_log_never_says_so(
    cared: None, ringfence: Shell, folder: Path
) -> None:
    out = ringfence("privacy", "export", "patient:4711")
    assert out.code == 0
    assert "the disk is full" in out.out
    with open_log(load(folder / "ringfence.yaml")) as log:
        assert len(contents(out.out)) == log.size()
        assert "4711" not in undigested(b"".join(log.headers()).decode())
    assert "4711" not in undigested(ringfence("audit", "export").out)


def test_an_export_to_a_file_is_for_its_owner(cared: None, ringfence: Shell, folder: Path) -> None:
    (folder / "held.json").write_text("old")
    (folder / "held.json").chmod(0o644)
    out = ringfence("privacy", "export", "patient:4711", "--out", "held.json")
    assert (out.code, out.out) == (0, "")
    assert re.fullmatch(r"wrote held.json: \d+ records, 0 memories, 0 documents\n", out.err)
    assert stat.S_IMODE((folder / "held.json").stat().st_mode) == 0o600
    assert json.loads((folder / "held.json").read_text())["subject"] == "patient:4711"


def test_an_erasure_prints_a_certificate_that_the_key_of_the_log_has_signed(
    cared: None, ringfence: Shell, folder: Path
) -> None:
    public = ringfence("audit", "key").out.strip()
    before = len(contents(ringfence("privacy", "export", "patient:4711").out))
    out = ringfence("privacy", "erase", "patient:4711", "--yes", "--out", "certificate.txt")
    assert out.code == 0
    assert out.out == (folder / "certificate.txt").read_text()
    text, _ = notes.opened(out.out, [Verifier.parse(public)])
    lines = text.splitlines()
    assert lines[0] == "ringfence/erasure"
    assert lines[2] == "subject patient:4711"
    assert f"destroyed 1 keys, and with them the contents of {before} records in 1 runs" in lines
    assert f"remains {before} headers: times, kinds, codes, digests, who asked" in lines
    assert [line for line in lines if "redacted views" in line]
    assert lines[-1].startswith("verified ")


def test_after_an_erasure_the_log_verifies_and_the_run_shows_what_remains(cared: None, ringfence: Shell) -> None:
    ringfence("privacy", "erase", "patient:4711", "--yes")
    verified = ringfence("audit", "verify", "--json")
    report = json.loads(verified.out)
    assert (verified.code, report["findings"]) == (0, [])
    assert report["destroyed"] > 0
    assert report["sealed"] == 0
    again = ringfence("privacy", "erase", "patient:4711", "--yes")
    assert (again.code, "nothing is held about patient:4711" in again.err) == (2, True)


def test_a_backup_of_all_but_the_keys_gives_nothing_back(cared: None, ringfence: Shell, folder: Path) -> None:
    backup = folder.parent / "backup"
    shutil.copytree(folder / ".ringfence", backup, ignore=shutil.ignore_patterns("keys"))
    ringfence("privacy", "erase", "patient:4711", "--yes")
    shutil.copytree(backup, folder / ".ringfence", dirs_exist_ok=True)
    out = ringfence("privacy", "export", "patient:4711")
    assert (out.code, contents(out.out)) == (0, [])
    with open_log(load(folder / "ringfence.yaml")) as log:
        run = log.runs()[0].run
        assert {content for _, content in log.contents(run, frozenset(range(99)))} == {None}
    assert b"the disk is full" not in b"".join(file.read_bytes() for file in backup.rglob("*.db*"))


def test_nobody_is_erased_without_a_yes(cared: None, ringfence: Shell) -> None:
    out = ringfence("privacy", "erase", "patient:4711")
    assert (out.code, "expected --yes where nobody can be asked" in out.err) == (2, True)
    assert contents(ringfence("privacy", "export", "patient:4711").out)


def test_a_certificate_that_cannot_be_written_is_printed_all_the_same(cared: None, ringfence: Shell) -> None:
    out = ringfence("privacy", "erase", "patient:4711", "--yes", "--out", "/nowhere/certificate.txt")
    assert out.code == 2
    assert "ringfence/erasure" in out.out


def test_nobody_is_erased_while_their_run_waits_and_a_cancelled_one_does_not(folder: Path, ringfence: Shell) -> None:
    fill(made(folder), run_of("a", "user:bob", "patient:4711", end=False))
    out = ringfence("privacy", "erase", "patient:4711", "--yes")
    assert (out.code, "runs about patient:4711 have not ended: a" in out.err) == (6, True)
    assert "ringfence runs cancel ID" in out.err


@pytest.mark.parametrize("command", [("export", "user:x"), ("erase", "user:x", "--yes"), ("retention",)])
def test_where_there_is_no_log_nothing_is_held_and_none_is_made(
    folder: Path, ringfence: Shell, command: tuple[str, ...]
) -> None:
    made(folder, "privacy: {retention: [{days: 1}]}\n")
    out = ringfence("privacy", *command)
    assert (out.code, "no journal at" in out.err) == (6, True)
    assert not (folder / ".ringfence").exists()


def test_without_keys_an_export_says_so_and_gives_no_empty_promise(folder: Path, ringfence: Shell) -> None:
    fill(made(folder), run_of("a", "user:alice"))
    shutil.rmtree(folder / ".ringfence" / "keys")
    out = ringfence("privacy", "export", "user:alice")
    assert (out.code, out.out) == (6, "")
    assert "there are no keys at" in out.err


def test_retention_says_what_it_destroyed(folder: Path, ringfence: Shell) -> None:
    manifest = made(folder, "privacy: {retention: [{days: 10, classes: [model]}, {days: 50}]}\n")
    fill(manifest, run_of("old", "user:alice", days_ago=99), run_of("new", "user:alice", days_ago=11))
    out = ringfence("privacy", "retention")
    assert (out.code, out.out) == (0, "destroyed 8 contents, 1 keys and 0 memories\n")
    assert ringfence("audit", "verify").code == 0
    assert ringfence("privacy", "retention").out == "destroyed 0 contents, 0 keys and 0 memories\n"


def test_a_manifest_without_rules_says_what_to_write(folder: Path, ringfence: Shell) -> None:
    fill(made(folder), run_of("a", "user:alice"))
    out = ringfence("privacy", "retention")
    assert (out.code, "retention: [{days: 90}]" in out.err) == (2, True)


def test_an_erasure_that_was_cut_off_is_not_gone_on_with_by_a_model(
    cared: None, ringfence: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = load(folder / "ringfence.yaml")
    with open_journal(manifest) as journal:
        held = privacy.recorded(journal, Principal("user:root"), "erase subject:0", {"privacy": "erase"})
        held.__enter__()  # a kill leaves it so
        (run,) = (row.run for row in journal.log.runs() if row.state == "open")
        monkeypatch.setattr(journal, "append", lambda record: None)
        del held
    out = ringfence("runs", "resume", run)
    assert (out.code, out.out) == (6, "")
    assert "give its command again" in out.err
    assert ringfence("runs", "cancel", run).code == 0
