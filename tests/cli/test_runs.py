"""`ringfence runs`: what is on the record, without the manifest or the model."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from .conftest import Serve, Shell, final, process, step

LOOK = step("files.read", "the note says it", path="notes/a.txt")


@pytest.fixture
def run_id(ringfence: Shell, serve: Serve, folder: Path) -> str:
    """One finished run with a long result and a refused call in it."""
    with (folder / "notes" / "a.txt").open("a") as note:
        note.write("and so on\n" * 30 + "all of the last line\n")
    serve(LOOK, step("files.remove", path="notes/a.txt"), final("The disk is full."))
    return str(json.loads(ringfence("run", "what is wrong?", "--json").out)["run_id"])


def test_a_run_is_listed_by_its_id_status_and_task(ringfence: Shell, run_id: str) -> None:
    shown = ringfence("runs", "list")
    assert shown.code == 0
    assert shown.out.startswith(run_id)
    assert " done " in shown.out
    assert shown.out.endswith(" what is wrong?\n")


def test_runs_are_listed_as_json_lines_for_programs(ringfence: Shell, run_id: str) -> None:
    (row,) = map(json.loads, ringfence("runs", "list", "--json").out.splitlines())
    assert (row["run_id"], row["status"], row["task"]) == (run_id, "done", "what is wrong?")


def test_a_run_is_shown_as_a_tree_of_steps_calls_decisions_and_results(ringfence: Shell, run_id: str) -> None:
    shown = ringfence("runs", "show", run_id[:12])
    assert shown.code == 0
    assert f"run {run_id}: what is wrong?" in shown.out
    assert "── 1  the note says it" in shown.out
    assert re.search(r'── files\.read\(path="notes/a.txt", first=1, last=0\)  allowed by POL-8, \d+ ms\n', shown.out)
    assert '── files.remove(path="notes/a.txt")' in shown.out
    assert "── refused (POL-1 unknown-sink): " in shown.out
    assert "all of the last line" not in shown.out
    assert shown.out.endswith("\nThe disk is full.\n")


def test_full_shows_the_whole_result(ringfence: Shell, run_id: str) -> None:
    assert "all of the last line" in ringfence("runs", "show", run_id, "--full").out


def test_the_record_can_be_read_when_the_manifest_is_broken(ringfence: Shell, run_id: str, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text("nonsense: [")
    assert ringfence("runs", "show", run_id).code == 0
    assert ringfence("runs", "list").code == 0


def test_an_export_is_json_lines_that_only_the_owner_may_read(ringfence: Shell, run_id: str, folder: Path) -> None:
    piped = ringfence("runs", "export", run_id).out
    assert ringfence("runs", "export", run_id, "--out", "run.jsonl").code == 0
    file = folder / "run.jsonl"
    assert file.read_text() == piped
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    records = [json.loads(line) for line in piped.splitlines()]
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert (records[0]["kind"], records[-1]["kind"]) == ("run.started", "run.finished")
    assert records[-1]["content"]["answer"] == "The disk is full."


def test_an_export_into_a_folder_that_is_not_there_says_so(ringfence: Shell, run_id: str) -> None:
    shown = ringfence("runs", "export", run_id, "--out", "gone/run.jsonl")
    assert shown.code == 2
    assert "gone/run.jsonl" in shown.err


@pytest.mark.parametrize("command", ["show", "export", "resume", "cancel"])
def test_an_unknown_run_is_said_to_be_unknown(ringfence: Shell, run_id: str, command: str) -> None:
    shown = ringfence("runs", command, "zzz")
    assert shown.code == 6
    assert "'zzz'" in shown.err
    assert "ringfence runs list" in shown.err


@pytest.mark.parametrize("command", [["list"], ["show", "0"], ["export", "0"]])
def test_without_a_journal_the_next_step_is_to_run_something(ringfence: Shell, command: list[str]) -> None:
    shown = ringfence("runs", *command)
    assert shown.code == 6
    assert "nothing has been run" in shown.err
    assert "ringfence run" in shown.err


def test_a_journal_that_is_none_is_an_error_in_words(ringfence: Shell, folder: Path) -> None:
    (folder / ".ringfence").mkdir()
    (folder / ".ringfence" / "journal.db").write_bytes(b"not a database at all" * 400)
    shown = ringfence("runs", "list")
    assert shown.code == 6
    assert "journal.db" in shown.err


def test_an_interrupted_run_can_be_cancelled_once(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, delay_ms=60_000)
    running = process("run", "x")
    assert running.stderr is not None
    run_id = running.stderr.readline().split()[1].rstrip(":")
    running.terminate()
    running.communicate(timeout=60)
    assert " open " in ringfence("runs", "list").out
    assert "  no outcome recorded\n" in ringfence("runs", "show", run_id).out
    assert ringfence("runs", "cancel", run_id).code == 0
    assert " cancelled " in ringfence("runs", "list").out
    again = ringfence("runs", "cancel", run_id)
    assert again.code == 6
    assert "has ended already" in again.err
