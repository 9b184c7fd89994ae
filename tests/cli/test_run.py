"""`ringfence run`: a task from the command line or a pipe, the timeline on stderr, the answer on stdout."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

import pytest

from .conftest import MANIFEST, Serve, Shell, final, process, step

LOOK = step("files.read", "the note says it", path="notes/a.txt")
DONE = final("The disk is full.", "notes/a.txt")


def test_the_answer_goes_to_stdout_and_the_timeline_to_stderr(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    lines = shown.err.splitlines()
    assert re.fullmatch("run [0-9a-z]{20}: what is wrong\\?", lines[0])
    thought = next(line for line in lines if line.startswith("1  the note says it"))
    call = next(line for line in lines if line.startswith('  files.read(path="notes/a.txt"'))
    assert re.search(r"\d{3,} \+ \d+ tokens$", thought)
    assert re.search(r" \d+ ms$", call)
    assert "the disk is full" in lines[lines.index(call) + 1]
    assert lines[-1].startswith("done: answered in 2 steps with ")
    assert lines[-1].endswith(" tokens")


def test_json_is_one_object_with_everything_in_it(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    shown = ringfence("run", "what is wrong?", "--json", "--quiet")
    result = json.loads(shown.out)
    keys = {"summary", "answer", "artifacts", "steps", "usage", "run_id", "status", "confidence", "warnings"}
    keys |= {"rungs", "flags", "notes", "sources"}
    assert set(result) == keys
    assert (result["status"], result["answer"], result["confidence"]) == ("done", "The disk is full.", "high")
    assert result["artifacts"] == ["notes/a.txt"]
    last = result["steps"][-1]
    assert (last["tool"], last["args"]["path"], last["ok"]) == ("files.read", "notes/a.txt", True)
    assert result["usage"]["steps"] == 2
    assert shown.err == ""


@pytest.mark.parametrize("arguments", [["run"], ["run", "-"]])
def test_a_task_can_come_through_a_pipe(ringfence: Shell, serve: Serve, arguments: list[str]) -> None:
    serve(LOOK, DONE)
    shown = ringfence(*arguments, stdin="what is wrong?\n")
    assert shown.out == "The disk is full.\n"
    assert ": what is wrong?\n" in shown.err


@pytest.mark.parametrize("task", ["", "  \n"])
def test_an_empty_task_is_a_usage_error(ringfence: Shell, serve: Serve, task: str) -> None:
    shown = ringfence("run", "-", stdin=task)
    assert shown.code == 2
    assert "expected a task, got an empty one" in shown.err


def test_a_task_that_is_no_text_is_taken_as_far_as_it_is(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    assert ringfence("run", stdin=b"what \xff is wrong?").code == 0


def test_an_endless_pipe_is_refused(ringfence: Shell) -> None:
    shown = ringfence("run", stdin="x" * 1_000_001)
    assert shown.code == 2
    assert "longer than 1,000,000 bytes" in shown.err


def test_without_a_manifest_the_next_step_is_init(ringfence: Shell) -> None:
    shown = ringfence("run", "x")
    assert shown.code == 2
    assert shown.err.startswith("error: ringfence.yaml: ")
    assert "ringfence init" in shown.err


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("inference: [", "ringfence.yaml"),
        ("inference: {provider: openai, modle: x}", "modle"),
        (MANIFEST.format(url="http://127.0.0.1:1") + "  - {name: flies, type: builtin}\n", "flies"),
        (MANIFEST.format(url="http://127.0.0.1:1") + "  - {name: csv, type: builtin, target_paths: [gone]}\n", "gone"),
        ("inference: {provider: embedded, model: no-such-model}", "no-such-model"),
    ],
)
def test_a_manifest_that_cannot_be_meant_is_named_in_the_error(
    ringfence: Shell, folder: Path, manifest: str, said: str
) -> None:
    (folder / "ringfence.yaml").write_text(manifest)
    shown = ringfence("run", "x")
    assert shown.code in (2, 5)
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert "\n  -> " in shown.err


def test_a_server_that_is_down_is_a_backend_error_with_a_next_step(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:1"))
    shown = ringfence("run", "x")
    assert shown.code == 5
    assert "no model server answers at http://127.0.0.1:1" in shown.err
    assert "\n  -> " in shown.err


def test_json_is_one_object_for_an_error_too(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url="http://127.0.0.1:1"))
    shown = ringfence("run", "x", "--json")
    assert shown.code == 5
    value = json.loads(shown.out)
    assert value["status"] == "error"
    assert "127.0.0.1:1" in value["error"]
    assert value["todo"]


@pytest.mark.parametrize("mode", ["500", "html", "404", "401", "cut"])
def test_a_server_that_misbehaves_ends_in_words(ringfence: Shell, serve: Serve, mode: str) -> None:
    serve(LOOK, DONE, mode=mode)
    shown = ringfence("run", "x")
    assert shown.code in (1, 5)
    assert shown.err


def test_a_run_that_hits_its_bound_is_partial(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, step("calc", expression="1+1"), step("calc", expression="1+2"))
    shown = ringfence("run", "x", "--max-steps", "2")
    assert shown.code == 3
    assert "No answer" in shown.out


@pytest.mark.parametrize("value", ["0", "1001", "many"])
def test_a_bound_that_cannot_be_meant_is_a_usage_error(ringfence: Shell, value: str) -> None:
    assert ringfence("run", "x", "--max-steps", value).code == 2


def test_what_a_model_or_a_file_says_cannot_drive_the_terminal(ringfence: Shell, serve: Serve, folder: Path) -> None:
    (folder / "notes" / "evil.txt").write_text("a\x1b[2Jb\u202ec\n")
    serve(step("files.read", "\x1b]0;owned\x07\u202e", path="notes/evil.txt"), final("clean\x1b[31m\u202e[bold]up"))
    shown = ringfence("run", "\u202elook\x1b[2J")
    assert shown.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.out + shown.err)
    assert shown.out == "clean\\x1b[31m\\u202e[bold]up\n"
    tree = ringfence("runs", "show", shown.err.split()[1].rstrip(":"), "--full")
    assert not {"\x1b", "\x07", "\u202e"} & set(tree.out + tree.err)
    assert r"a\x1b[2Jb\u202ec" in tree.out


def test_a_task_with_bytes_that_are_no_text_is_still_a_task(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    shown = ringfence("run", "what \udcff is wrong?", "--json")
    assert json.loads(shown.out)["status"] == "done"
    assert ringfence("runs", "show", "\udcff").code == 2


def test_a_run_that_is_stopped_before_it_began_says_that(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=f"http://127.0.0.1:{server.getsockname()[1]}"))
        running = process("run", "x", "--json")
        asked, _ = server.accept()  # it asks for the window, and nobody answers
        with asked:
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "\nstopped before the run began\n")
    assert json.loads(out) == {"status": "interrupted", "run_id": "", "resume": ""}


def test_a_resumed_run_takes_no_task(ringfence: Shell) -> None:
    assert ringfence("run", "x", "--resume", "01").code == 2


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_says_how_to_resume_it_and_can_be(
    ringfence: Shell, serve: Serve, signum: signal.Signals, code: int
) -> None:
    serve(LOOK, DONE, delay_ms=60_000)
    running = process("run", "what is wrong?")
    assert running.stderr is not None
    first = running.stderr.readline()  # the run has begun
    running.send_signal(signum)
    out, err = running.communicate(timeout=60)
    run_id = first.split()[1].rstrip(":")
    assert running.returncode == code, err
    assert f"resume with: ringfence run --resume {run_id}\n" in err
    assert "Traceback" not in err
    assert out == ""
    serve(LOOK, DONE)
    again = ringfence("run", "--resume", run_id[:-2])
    assert (again.code, again.out) == (0, "The disk is full.\n")
    assert again.err.startswith(f"run {run_id}: what is wrong?\n")


def test_a_finished_run_gives_its_result_again(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    run_id = json.loads(ringfence("run", "x", "--json").out)["run_id"]
    again = ringfence("runs", "resume", run_id, "--json")
    assert json.loads(again.out)["answer"] == "The disk is full."
