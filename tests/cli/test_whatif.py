"""`ringfence runs fork`, `replay` and `diff`: through the command line, on a real journal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ringfence import stores
from ringfence.core.chain import Kind, Record
from ringfence.engine.snapshot import mismatches

from .conftest import MANIFEST, Serve, Shell, final, step

LOOK = step("files.read", path="notes/a.txt")
OTHER = step("files.read", path="notes/b.txt")
WRITES = (
    MANIFEST.replace("./notes]}", "./notes], permissions: [read, write]}") + "workflow: {{checkpoint_interval: 1}}\n"
)
WRITE = step("files.write", path="notes/new.txt", text="checked")
TASK = "write checked into notes/new.txt"
FULL = "The disk is full."


def ran(ringfence: Shell, task: str = "what is wrong?") -> str:
    return str(json.loads(ringfence("run", task, "--json").out)["run_id"])


def read(folder: Path, run: str) -> list[Record]:
    with stores.open_log(folder / ".ringfence" / "journal.db") as log:
        return log.read(log.find(run))


def newest(folder: Path) -> str:
    with stores.open_log(folder / ".ringfence" / "journal.db") as log:
        return log.runs(1)[0].run


def test_a_fork_goes_on_at_once_and_says_where_it_came_from(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(LOOK, final(FULL), OTHER, final("All is well."))
    origin = ran(ringfence)
    begun = next(r.seq for r in read(folder, origin) if r.view.get("sink") == "model:main") - 1
    forked = ringfence("runs", "fork", origin[:16], "--at", str(begun))
    assert (forked.code, forked.out) == (0, "All is well.\n")
    run = newest(folder)
    assert run != origin
    shown = ringfence("runs", "show", run, "--seq").out
    assert f"begins with records 0 to {begun} of run {origin}  record 0\n" in shown
    assert read(folder, run)[0].view["forked"] == {"run": origin, "seq": begun}


def test_a_fork_that_is_not_resumed_prints_its_id_and_how_to_go_on(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(LOOK, final(FULL), final("It is full."))
    origin = ran(ringfence)
    at = next(r.seq for r in read(folder, origin) if "of" in r.view and "usage" in r.view) + 2
    forked = ringfence("runs", "fork", origin, "--at", str(at), "--no-resume")
    run = forked.out.strip()
    assert (forked.code, forked.err) == (0, f"go on with it: ringfence run --resume {run}\n")
    assert [r.seq for r in read(folder, run)] == list(range(at + 1))
    gone_on = ringfence("runs", "resume", run, "--json")
    assert json.loads(gone_on.out)["answer"] == "It is full."


def test_a_fork_for_a_program_is_an_object_and_a_task_of_nothing_is_none(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(LOOK, final(FULL))
    origin = ran(ringfence)
    empty = ringfence("runs", "fork", origin, "--at", "1", "--task", " ")
    assert (empty.code, newest(folder)) == (2, origin)
    assert "expected a task, got an empty one" in empty.err
    forked = json.loads(ringfence("runs", "fork", origin, "--at", "1", "--no-resume", "--json").out)
    assert forked == {"run_id": newest(folder), "resume": f"ringfence run --resume {newest(folder)}"}


def test_an_effect_before_the_fork_is_not_done_again_and_a_task_may_be_another(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(
        WRITE, final("Written."), step("files.write", path="notes/two.txt", text="seen"), final("Two."), manifest=WRITES
    )
    origin = ran(ringfence, TASK)
    records = read(folder, origin)
    wrote = next(r.seq for r in records if r.view.get("sink") == "tool:files.write")
    done = next(r.seq for r in records if r.view.get("of") == wrote)
    (folder / "notes" / "new.txt").unlink()
    forked = ringfence("runs", "fork", origin, "--at", str(done), "--task", "write seen into notes/two.txt")
    assert forked.code == 0
    assert not (folder / "notes" / "new.txt").exists()
    assert (folder / "notes" / "two.txt").read_text() == "seen"
    copies = read(folder, newest(folder))
    assert mismatches(copies) == []
    assert [r.view.get("copied") for r in copies[: done + 1]] == [None, *[origin] * done]
    assert not any("copied" in r.view for r in copies[done + 1 :])
    assert mismatches(records) == []
    with stores.open_log(folder / ".ringfence" / "journal.db") as log:
        assert log.verify().problem == ""


@pytest.mark.parametrize("at", ["-1", "2", "99"])
def test_a_place_that_nothing_can_go_on_from_is_an_error_that_names_others(
    ringfence: Shell, serve: Serve, folder: Path, at: str
) -> None:
    serve(LOOK, final(FULL))
    origin = ran(ringfence)
    shown = ringfence("runs", "fork", origin, f"--at={at}")
    assert (shown.code, shown.out) == (6, "")
    assert f"run {origin} cannot be forked at record {at}" in shown.err
    assert "-> records that it can be forked at: 0-1, " in shown.err
    assert newest(folder) == origin


def test_a_replay_of_an_unchanged_manifest_finds_nothing_and_reaches_and_writes_nothing(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    url = serve(WRITE, final("Written."), manifest=WRITES)
    run = ran(ringfence, TASK)
    (folder / "notes" / "new.txt").unlink()
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.db")}
    (folder / "ringfence.yaml").write_text(
        WRITES.format(url=url)
    )  # the script has run out: an answer would be an error
    shown = ringfence("runs", "replay", run[:16])
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(run)
    assert shown.out.endswith("decisions, 2 prompts: no difference\n")
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.db")} == before
    assert not (folder / "notes" / "new.txt").exists()


def test_a_policy_that_has_changed_shows_the_first_decision_that_would_be_otherwise(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    url = serve(WRITE, final("Written."), LOOK, final(FULL), manifest=WRITES)
    run, other = ran(ringfence, TASK), ran(ringfence)
    (folder / "ringfence.yaml").write_text(WRITES.format(url=url) + "grant: {budgets: {files.write: 0}}\n")
    shown = ringfence("runs", "replay", run)
    assert shown.code == 1
    assert ': files.write(path="notes/new.txt", text="checked", mode="create")\n' in shown.out
    assert "    on record  allow POL-8\n    now        deny POL-7 budget\n" in shown.out
    assert "  note: recorded under policy " in shown.out
    every = ringfence("runs", "replay", "--all")
    assert every.code == 1
    first, second, count = every.out.splitlines()
    assert first.startswith(run)
    assert first.endswith("tool:files.write: allow POL-8 -> deny POL-7 budget")
    assert second.startswith(other)
    assert second.endswith(": no difference")
    assert count == "2 runs: 1 would go otherwise"
    (row,) = map(json.loads, ringfence("runs", "replay", run, "--json").out.splitlines())
    assert (row["run_id"], [d["now"] for d in row["differences"]]) == (run, ["deny POL-7 budget"])


def test_a_prompt_that_would_differ_is_no_decision(ringfence: Shell, serve: Serve, folder: Path) -> None:
    url = serve(LOOK, final(FULL))
    run = ran(ringfence)
    fewer = MANIFEST.replace("  - {{name: calc, type: builtin}}\n", "")
    (folder / "ringfence.yaml").write_text(fewer.format(url=url))
    shown = ringfence("runs", "replay", run)
    assert shown.code == 1
    assert ": the prompt would differ  (1 more of this kind)\n" in shown.out
    assert "now        allow" not in shown.out
    assert ringfence("runs", "replay", run, "--decisions").code == 0


@pytest.mark.parametrize("words", [[], ["--all", "1m"]], ids=["nothing", "both"])
def test_a_replay_of_nothing_or_of_both_is_a_mistake(ringfence: Shell, serve: Serve, words: list[str]) -> None:
    serve()
    shown = ringfence("runs", "replay", *words)
    assert shown.code == 2
    assert "expected the ids of runs, or --all" in shown.err


@pytest.mark.parametrize("command", [["fork", "zzz", "--at", "1"], ["replay", "zzz"], ["diff", "zzz", "zzz"]])
def test_an_unknown_run_is_said_to_be_unknown(ringfence: Shell, serve: Serve, command: list[str]) -> None:
    serve(final(FULL))
    ran(ringfence)
    shown = ringfence("runs", *command)
    assert shown.code == 6
    assert "'zzz'" in shown.err


def test_two_runs_are_compared_from_where_they_part(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(LOOK, OTHER, final(FULL), LOOK, step("files.read", path="../secret"), final("Nothing is wrong."))
    a, b = ran(ringfence), ran(ringfence)
    shown = ringfence("runs", "diff", a, b)
    assert shown.code == 1
    assert shown.out.startswith(
        f"A  {a}  done  what is wrong?\nB  {b}  done  what is wrong?\nthey part at step 2\nstep 2\n"
    )
    assert '    A  files.read(path="notes/b.txt", first=1, last=0): answered\n' in shown.out
    assert '    B  files.read(path="../secret", first=1, last=0): failed\n' in shown.out
    assert "step 3\n  another answer\n    A  The disk is full.\n    B  Nothing is wrong.\n" in shown.out
    found = json.loads(ringfence("runs", "diff", a, b, "--json").out)
    assert [(d["what"], d["a_step"], d["b_step"]) for d in found["differences"]] == [("call", 2, 2), ("answer", 3, 3)]


def test_a_run_does_not_differ_from_itself(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, final(FULL))
    run = ran(ringfence)
    shown = ringfence("runs", "diff", run, run)
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "no difference")
    assert json.loads(ringfence("runs", "diff", run, run, "--json").out)["differences"] == []


def test_another_result_another_end_and_a_step_more_are_told_apart(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    bell = "the fan is \x1b]0;loud\x07\u202e\n"
    serve(LOOK, OTHER, final(FULL), LOOK, final(FULL))
    a = ran(ringfence)
    (folder / "notes" / "a.txt").write_text(bell)
    b = ran(ringfence)
    shown = ringfence("runs", "diff", a, b)
    assert "step 1\n  the same call, and another result\n" in shown.out
    assert "step 2 of A\n  another call\n" in shown.out
    assert "    B  (nothing)\n" in shown.out
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    assert "\\x1b]0;loud" in shown.out
    (folder / "notes" / "a.txt").unlink()
    serve(LOOK, final(FULL))
    gone = ringfence("runs", "diff", b, ran(ringfence))
    assert 'files.read(path="notes/a.txt", first=1, last=0): answered' in gone.out
    assert 'files.read(path="notes/a.txt", first=1, last=0): failed' in gone.out


def test_a_run_that_waits_is_replayed_and_compared_like_any_other(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(WRITE, WRITE, final("Written."), manifest=WRITES)
    asked = json.loads(ringfence("run", "write a note", "--json").out)
    assert asked["status"] == "waiting"
    assert ringfence("runs", "replay", asked["run_id"]).code == 0
    done = ran(ringfence, TASK)
    shown = ringfence("runs", "diff", asked["run_id"], done)
    assert "ask POL-4 no-provenance" in shown.out
    (asking,) = [r for r in read(folder, asked["run_id"]) if r.kind is Kind.DECISION]
    wrong = ringfence("runs", "fork", asked["run_id"], "--at", str(asking.seq))
    assert wrong.code == 6


def test_an_export_of_contents_is_for_its_owner_whatever_lay_there_before(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(LOOK, final(FULL))
    run = ran(ringfence)
    (folder / "run.jsonl").write_text("old")
    (folder / "run.jsonl").chmod(0o644)
    assert ringfence("runs", "export", run, "--out", "run.jsonl").code == 0
    assert (folder / "run.jsonl").stat().st_mode & 0o777 == 0o600
