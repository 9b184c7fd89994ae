"""`ringfence eval`: the table on stdout, progress on stderr, and an exit code that a pipeline can use."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .conftest import Serve, Shell, final, process, step

CALC, SAID = step("calc", expression="6 * 7"), final("It is 42.")
SUITE = """\
cases:
  - {id: a, task: "What is 6 * 7?", answer: {any: [[42]]}, tags: [sum]}
  - {id: b, task: "What is 6 * 8?", answer: {any: [[48]]}}
"""


@pytest.fixture
def suite(folder: Path) -> Path:
    (folder / "eval.yaml").write_text(SUITE)
    return folder / "eval.yaml"


def test_the_table_goes_to_stdout_and_progress_to_stderr(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(*[CALC, SAID] * 2)
    shown = ringfence("eval", str(suite))
    assert shown.code == 1
    assert "50 % (1 of 2)" in shown.out
    assert "every run right: failed" in shown.out
    assert "expected an answer with 48, got 'It is 42.'" in shown.out
    assert "1/2 ok    a" in shown.err
    assert "2/2 wrong b" in shown.err
    assert "ok    a" not in shown.out


@pytest.mark.parametrize(("gate", "code"), [("0.5", 0), ("0.6", 1)])
def test_the_gate_decides_the_exit_code(suite: Path, serve: Serve, ringfence: Shell, gate: str, code: int) -> None:
    suite.write_text(SUITE + f"gate: {{success: {gate}}}\n")
    serve(*[CALC, SAID] * 2)
    shown = ringfence("eval", str(suite), "-q")
    assert (shown.code, shown.err) == (code, "")


def test_a_gate_is_picked_by_its_name(suite: Path, serve: Serve, ringfence: Shell) -> None:
    suite.write_text(SUITE + "gates: {poc: {success: 0.5}, pilot: {success: 0.9}}\n")
    serve(*[CALC, SAID] * 4)
    runs = ("--json", "runs.json", "-q")
    assert ringfence("eval", str(suite), *runs).code == 0
    shown = ringfence("eval", str(suite), *runs, "--gate", "pilot")
    assert (shown.code, "poc" in shown.out) == (1, False)
    assert "success: expected at least 90 %, got 50 %" in shown.out


def test_cases_are_picked_by_id_and_by_tag(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(*[CALC, SAID] * 4)
    for chosen in (("--only", "a"), ("--tag", "sum")):
        shown = ringfence("eval", str(suite), *chosen)
        assert (shown.code, "100 % (1 of 1)" in shown.out) == (0, True), shown.err


def test_runs_are_kept_and_written_as_json_and_markdown(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(*[CALC, SAID] * 3)  # one for each run: a run that is played again finds no answer
    options = ("--json", "runs.json", "--markdown", "report.md")
    ringfence("eval", str(suite), "--only", "a", *options)
    shown = ringfence("eval", str(suite), "--only", "a", "--runs", "3", *options)
    assert shown.code == 0, shown.err
    assert "2/3 ok    a #2" in shown.err
    assert "1/3" not in shown.err
    data = json.loads(Path("runs.json").read_text())
    assert [run["seed"] for run in data["runs"]] == [1, 2, 3]
    assert data["report"]["passed"]
    assert "| success | 100 % (3 of 3) |" in Path("report.md").read_text()


def test_two_models_are_played_and_told_apart(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(*[CALC, SAID] * 4)
    shown = ringfence("eval", str(suite), "--model", "this", "--model", "that")
    assert "that less this: +0.0 points" in shown.out
    assert "4/4 that: wrong b" in shown.err


def test_two_manifests_are_played_and_told_apart(suite: Path, serve: Serve, ringfence: Shell, folder: Path) -> None:
    serve(*[CALC, SAID] * 4)
    text = (folder / "ringfence.yaml").read_text()
    (folder / "lean.yaml").write_text(text + "workflow: {max_steps: 1}\n")
    shown = ringfence("eval", str(suite), "--compare", "lean.yaml", "--only", "a")
    assert "scripted, lean.yaml less scripted, ringfence.yaml" in shown.out


@pytest.mark.parametrize(
    ("options", "what", "todo"),
    [
        (("--only", "z"), "has no case 'z'", "known are a, b"),
        (("--tag", "sun"), "no case with the tag 'sun'", "did you mean 'sum'?"),
        (("--only", "b", "--tag", "sum"), "expected a case to play, got none", "name fewer"),
        (("--gate", "poc"), "has no gate 'poc'", "no gates by name"),
        (("--compare", "none.yaml"), "none.yaml: expected a manifest, got no such file", "--manifest"),
        (("--json", "gone/runs.json"), "expected a file in a folder that is there", "make gone first"),
        (("--compare", "ringfence.yaml"), "expected another manifest to compare with", "name another"),
    ],
)
def test_what_cannot_be_meant_is_an_error_in_words(
    suite: Path, serve: Serve, ringfence: Shell, options: tuple[str, ...], what: str, todo: str
) -> None:
    serve()
    shown = ringfence("eval", str(suite), *options)
    assert (shown.code, shown.out) == (2, "")
    assert what in shown.err
    assert todo in shown.err


def test_a_suite_that_is_wrong_is_told_with_its_line(suite: Path, serve: Serve, ringfence: Shell) -> None:
    suite.write_text(SUITE + "gate: {sucess: 1}\n")
    shown = ringfence("eval", str(suite))
    assert shown.code == 2
    assert "eval.yaml:4:8 gate.sucess: expected a known key, got 'sucess'; did you mean 'success'?" in shown.err


def test_a_manifest_that_is_not_there_is_told(suite: Path, ringfence: Shell) -> None:
    shown = ringfence("eval", str(suite))
    assert (shown.code, "ringfence.yaml: expected a manifest, got no such file" in shown.err) == (2, True)


def test_a_model_that_is_not_here_is_told_and_nothing_is_counted(suite: Path, ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text("inference: {provider: embedded, model: qwen2.5-coder-1.5b}\n")
    shown = ringfence("eval", str(suite), "--offline", "--json", "runs.json")
    assert (shown.code, shown.out) == (2, "")
    assert "ringfence models pull qwen2.5-coder-1.5b" in shown.err
    assert not Path("runs.json").exists()


def test_a_server_that_faults_is_no_failed_case(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(mode="500")
    shown = ringfence("eval", str(suite), "--json", "runs.json")
    assert (shown.code, shown.out) == (2, "")
    assert "the model did not answer" in shown.err
    assert "0 of 2 runs are done" in shown.err


def test_time_that_is_up_leaves_the_rest_for_the_next_call(suite: Path, serve: Serve, ringfence: Shell) -> None:
    serve(*[CALC, SAID] * 2)
    shown = ringfence("eval", str(suite), "--minutes", "0")
    assert (shown.code, "0 of 2 runs are done" in shown.err) == (2, True)


def test_ctrl_c_keeps_what_is_done(suite: Path, serve: Serve, folder: Path) -> None:
    serve(*[CALC, SAID] * 50, delay_ms=150)
    running = process("eval", str(suite), "--runs", "20", "--json", "runs.json", cwd=folder, env=dict(os.environ))
    assert running.stderr is not None
    seen = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert "1/40 ok    a" in seen
    assert (running.returncode, "Traceback" in err) == (130, False), err
    assert "runs.json has them; the same command goes on" in err
    done = len(json.loads((folder / "runs.json").read_text())["runs"])
    assert 0 < done < 40
    assert f"{done} of 40 runs are done" in err
    assert "success" in out
    assert "gate: not every run is done" in out
