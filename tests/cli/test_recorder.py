"""An agent whose manifest names a recorder: its records go there, and without it nothing happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MANIFEST, Serve, Shell, final, process, step


@pytest.fixture
def recorder(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A recorder at work; the socket."""
    sock = tmp_path / "r.sock"
    serving = process("audit", "recorder", "--socket", str(sock), "--journal", str(tmp_path / "far" / "journal.db"))
    assert serving.stderr
    assert serving.stderr.readline().startswith("recording ")
    yield sock
    serving.terminate()
    _, err = serving.communicate(timeout=60)
    assert serving.returncode == 143
    assert "Traceback" not in err


def test_a_run_is_recorded_read_and_exported_by_way_of_the_recorder(
    ringfence: Shell, serve: Serve, folder: Path, recorder: Path
) -> None:
    manifest = MANIFEST + f"audit: {{{{recorder: {recorder}}}}}\n"
    serve(step("files.read", path="notes/a.txt"), final("The disk is full."), manifest=manifest)
    shown = ringfence("run", "what is wrong?", "--json")
    assert shown.code == 0, shown.err
    run = json.loads(shown.out)["run_id"]
    assert not (folder / ".ringfence" / "journal.db").exists()
    assert ringfence("runs", "list").out.startswith(run)
    assert "files.read" in ringfence("runs", "show", run).out
    exported = ringfence("audit", "export", "--run", run).out.splitlines()
    assert {json.loads(line)["header"]["run"] for line in exported} == {run}
    assert len(ringfence("audit", "tail", "-n", "3").out.splitlines()) == 3
    assert json.loads(ringfence("audit", "stats", "--json").out)["runs"] == 1


def test_a_recorder_with_a_manifest_holds_the_keys_and_signs_the_heads(
    ringfence: Shell, serve: Serve, folder: Path, tmp_path: Path
) -> None:
    sock, far = tmp_path / "signed.sock", tmp_path / "owner"
    far.mkdir()
    heads = far / "heads"
    serve(step("files.read", path="notes/a.txt"), final("x"), manifest=MANIFEST + f"audit: {{{{recorder: {sock}}}}}\n")
    mine = (folder / "ringfence.yaml").read_text().partition("audit:")[0]
    (far / "notes").mkdir()
    (far / "ringfence.yaml").write_text(mine + "audit: {anchors: [{file: ./heads}], every_s: 0}\n")
    serving = process("audit", "recorder", "--socket", str(sock), "--manifest", str(far / "ringfence.yaml"))
    try:
        assert serving.stderr
        assert serving.stderr.readline().startswith("recording ")
        shown = ringfence("run", "what is wrong?", "--json")
        assert shown.code == 0, shown.err
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
    assert heads.read_text().count("\u2014 ") >= 1
    assert not list((folder / ".ringfence").rglob("*.key"))
    assert list((far / ".ringfence").rglob("*.key"))


def test_without_its_recorder_an_agent_does_nothing_and_says_what_to_do(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(final("nothing"), manifest=MANIFEST + "audit: {{recorder: ./r.sock}}\n")
    for words in (["run", "x"], ["runs", "list"], ["audit", "export"]):
        shown = ringfence(*words)
        assert (shown.code, "ringfence audit recorder" in shown.err) == (6, True), shown.err
    assert not (folder / ".ringfence" / "journal.db").exists()


def test_a_recorder_needs_a_group_that_exists_and_a_path_that_it_may_use(ringfence: Shell, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal.db")
    shown = ringfence("audit", "recorder", "--socket", str(tmp_path / "s"), "--journal", journal, "--group", "no-such")
    assert (shown.code, "no group" in shown.err) == (2, True)
    shown = ringfence("audit", "recorder", "--socket", str(tmp_path / "s"))
    assert (shown.code, "--journal or --manifest" in shown.err) == (2, True)
    shown = ringfence("audit", "recorder", "--socket", str(tmp_path / "absent" / "s"), "--journal", journal)
    assert (shown.code, "cannot be made" in shown.err) == (6, True)
