"""A run from end to end: its head goes to a witness and the anchors, and its records are proved to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.app import record
from ringfence.audit.anchors import read
from ringfence.proof.note import Checkpoint, Verifier, opened

from ..audit.kit import witness
from ..stores.test_erasure import fill, made, run_of
from .conftest import Serve, Shell, final, step
from .test_proofs import SCRIPT, check

LOOK = step("files.read", "the note says it", path="notes/a.txt")


def test_a_run_leaves_a_head_that_a_witness_signed_and_its_records_are_proved_to_it(
    ringfence: Shell, serve: Serve, folder: Path, tmp_path: Path
) -> None:
    serve(LOOK, final("The disk is full."), LOOK, final("The disk is full."), LOOK, final("It is full."))
    assert ringfence("run", "what is wrong?", "--json").code == 0
    vkey = ringfence("audit", "key").out.strip()
    key = Verifier.parse(vkey)
    manifest = folder / "ringfence.yaml"
    bare = manifest.read_text()
    with witness(tmp_path / "w", key) as peer:
        audit = {
            "required": True,
            "anchors": [{"file": "heads.txt"}, {"directory": "heads"}],
            "witnesses": [{"url": peer.url, "key": str(peer.key)}],
        }
        (folder / "heads").mkdir()
        manifest.write_text(f"{bare}audit: {json.dumps(audit)}\n")
        done = json.loads(ringfence("run", "what is wrong now?", "--json").out)
        assert done["status"] == "done", done
        for place in ("heads.txt", "heads"):
            kept = read(folder / place)
            assert kept.torn == []
            assert all(opened(note, [key, peer.key])[1] == [key, peer.key] for note in kept.notes)
        newest = Checkpoint.parse(opened(read(folder / "heads.txt").notes[-1], [key])[0])
        proved = ringfence("audit", "prove", f"{done['run_id']}:1", "--head", "heads.txt")
        assert proved.code == 0, proved.err
        assert json.loads(proved.out)["size"] == newest.size
        told = check(folder, proved.out, vkey)
        assert (told.returncode, f"run {done['run_id']}, seq 1" in told.stdout) == (0, True), told.stderr

        assert ringfence("audit", "rotate").code == 0
        after = ringfence("audit", "key").out.strip()
        assert after != vkey
        third = json.loads(ringfence("run", "and now?", "--json").out)
        assert third["status"] == "done", third
        assert "was handed over after" in peer.said()
        note = read(folder / "heads.txt").notes[-1]
        assert opened(note, [Verifier.parse(after), peer.key])[1] == [Verifier.parse(after), peer.key]
        proved = ringfence("audit", "prove", f"{third['run_id']}:0", "--key", vkey)
        assert check(folder, proved.out, after).returncode == 0, proved.err
    verified = ringfence("audit", "verify", "--anchor", "heads.txt", "--key", vkey)
    assert verified.code == 0, verified.out + verified.err


@pytest.mark.parametrize("required", [True, False])
def test_a_missing_anchor_stops_effects_only_where_it_is_required_and_never_reads(
    ringfence: Shell, serve: Serve, folder: Path, required: bool
) -> None:
    serve(step("files.write", path="notes/new.txt", text="x"), LOOK, final("The disk is full."))
    manifest = folder / "ringfence.yaml"
    text = manifest.read_text().replace(
        "target_paths: [./notes]", "target_paths: [./notes], permissions: [read, write]"
    )
    text += "grant: {effects: [files.write]}\n"
    text += json.dumps({"audit": {"required": required, "anchors": [{"directory": "gone"}]}})[1:-1] + "\n"
    manifest.write_text(text)
    ringfence("run", 'write "x" to notes/new.txt', "--json")
    assert (folder / "notes" / "new.txt").exists() == (not required)
    assert ringfence("runs", "list").code == 0


def test_the_page_of_python_is_what_the_documentation_names() -> None:
    howto = (SCRIPT.parents[1] / "howto" / "audit-heads.md").read_text()
    assert "docs/security/verify_proof.py" in howto
    done = subprocess.run([sys.executable, "-I", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "expected a proof and a verifier key" in done.stderr) == (1, True)


def test_who_opened_the_log_before_a_rotation_signs_the_first_head_after_it(ringfence: Shell, folder: Path) -> None:
    manifest = made(folder)
    fill(manifest, run_of("a", "user:alice"))  # a first head, by the first key
    with record.open_journal(manifest) as journal:
        assert ringfence("audit", "rotate").code == 0
        for each in run_of("b", "user:alice"):
            journal.append(each)
        asyncio.run(journal.flush())
        assert journal.troubles == ()
    verified = ringfence("audit", "verify", "--json")
    assert verified.code == 0, verified.out
    assert json.loads(verified.out)["signed"] == 12
