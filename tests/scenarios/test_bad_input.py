"""What people and disks do to a run: each time words that say what happened and what to do, and never a traceback.

What a single command does with a bad manifest or an absent server is in tests/cli; here are files, servers and disks.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.stores import open_log

from ..cli.conftest import Out, Serve, Shell, final, process, step

LOOK, DONE = step("files.read", path="notes/a.txt"), final("The disk is full.")
MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 0.5}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes]}}
  - {{name: text, type: builtin, target_paths: [./notes]}}
  - {{name: csv, type: builtin, target_paths: [./notes]}}
"""


def failures(shown: Out) -> dict[str, str]:
    """What each failed call of a run said, by the call."""
    lines = [line.strip() for line in shown.err.splitlines()]
    said = itertools.pairwise(lines)
    return {call: words.removeprefix("failed: ") for call, words in said if words.startswith("failed: ")}


def finished(child: subprocess.Popen[str]) -> Out:
    out, err = child.communicate(timeout=60)
    assert "Traceback" not in out + err
    return Out(child.returncode, out, err)


def sparse_gigabyte(file: Path) -> None:
    file.touch()
    os.truncate(file, 2**30)


ODD: list[tuple[str, Callable[[Path], object], dict[str, str]]] = [
    ("binary", lambda file: file.write_bytes(bytes(range(256)) * 20), {"*": "is a binary file, not text"}),
    ("empty", lambda file: file.touch(), {"csv.sql": "is empty: it has no header and no rows"}),
    ("huge", sparse_gigabyte, {"files.read": "binary", "text.count": "binary", "csv.sql": "1.0 GB, more"}),
    ("folder", lambda file: file.mkdir(), {"files.read": "folder", "csv.sql": "folder"}),
    ("absent", lambda file: None, {"*": "there is no file"}),
    ("pipe", lambda file: os.mkfifo(file), {"files.read": "is a pipe", "csv.sql": "is a pipe"}),
]


@pytest.mark.parametrize(("make", "said"), [each[1:] for each in ODD], ids=[each[0] for each in ODD])
def test_a_file_that_is_none_for_a_tool_is_told_to_the_model_and_the_run_goes_on(
    ringfence: Shell, serve: Serve, folder: Path, make: Callable[[Path], object], said: dict[str, str]
) -> None:
    make(folder / "notes" / "odd.csv")
    serve(
        step("files.read", path="notes/odd.csv"),
        step("text.count", path="notes/odd.csv", pattern="x"),
        step("csv.sql", path="notes/odd.csv", sql="select * from odd"),
        DONE,
        manifest=MANIFEST.replace("0.5", "20"),
    )
    shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    told = {call.partition("(")[0]: words for call, words in failures(shown).items()}
    for name in ("files.read", "text.count", "csv.sql"):
        if words := said.get(name, said.get("*")):
            assert words in told[name]
            assert "notes/odd.csv" in told[name]


def test_a_file_that_may_not_be_read_is_told(ringfence: Shell, serve: Serve, folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder / "notes" / "mine.txt").touch(mode=0)
    serve(step("files.read", path="notes/mine.txt"), DONE)
    shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    assert "notes/mine.txt" in "".join(failures(shown).values())


def test_a_path_outside_is_refused_in_words(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(step("files.read", path="../../../etc/passwd"), step("files.read", path="/etc/passwd"), DONE)
    shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    assert "outside" in "".join(failures(shown).values())
    assert "root:" not in shown.err


@pytest.mark.parametrize(
    ("mode", "code", "said"),
    [
        ("slow", 5, "0.5 s"),
        ("invalid-json", 5, "JSON"),
        ("html", 5, "web page"),
        ("no-completion", 1, "hello"),
        ("overflow", 1, "does not fit the window of scripted"),
        ("redirect", 5, "redirect"),
    ],
)
def test_a_model_server_that_misbehaves_is_named_with_a_next_step(
    ringfence: Shell, serve: Serve, mode: str, code: int, said: str
) -> None:
    url = serve(LOOK, DONE, mode=mode, manifest=MANIFEST)
    shown = ringfence("run", "what is wrong?")
    assert shown.code == code
    assert said in shown.err
    assert url in shown.err or mode == "overflow"
    assert "-> " in shown.err


def test_an_answer_that_is_cut_off_is_asked_for_again_and_what_was_heard_of_it_is_no_part_of_the_next(
    ringfence: Shell, serve: Serve
) -> None:
    serve(LOOK, LOOK, DONE, DONE, mode="cut-stream", manifest=MANIFEST.replace("0.5", "20"))
    shown = ringfence("run", "what is wrong?")
    assert (shown.code, shown.out) == (0, "The disk is full.\n")
    assert "cut the connection" in shown.err


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Callable[[str], None]]:
    """A disk of its own under the journal; the function makes it of another size, such as "64k"."""
    place = folder / ".ringfence"
    place.mkdir(mode=0o700)
    mounted = False

    def size(size: str) -> None:
        nonlocal mounted
        options = f"{'remount,' if mounted else ''}size={size},mode=0700"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True)
        if done.returncode:
            pytest.skip("only root can mount a small disk; tests/crash/test_journal_power.py fills one in a shim")
        mounted = True

    yield size
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_run_on_a_disk_that_fills_up_says_so_and_is_resumed_when_there_is_room(
    ringfence: Shell, serve: Serve, folder: Path, small_disk: Callable[[str], None]
) -> None:
    (folder / "notes" / "long.txt").write_text("".join(f"{os.urandom(30).hex()}\n" for _ in range(2000)))
    reads = [step("files.read", path="notes/long.txt", first=n * 9 + 1, last=n * 9 + 9) for n in range(12)]
    serve(*reads, DONE, manifest=MANIFEST.replace("0.5", "20"))
    small_disk("92k")
    shown = ringfence("run", "what is wrong?", "--json")
    assert shown.code == 6
    told = json.loads(shown.out)
    assert "journal.db is full" in told["error"]
    assert "free some space" in told["todo"]
    assert "nothing that was acknowledged is lost" in told["todo"]
    small_disk("4m")
    serve(DONE, manifest=MANIFEST.replace("0.5", "20"))
    again = ringfence("runs", "resume", told["run_id"])
    assert (again.code, again.out) == (0, "The disk is full.\n"), again.err
    with open_log(folder / ".ringfence" / "journal.db") as log:
        assert log.verify().ok


def test_a_journal_that_may_not_grow_is_told(serve: Serve, folder: Path) -> None:
    """A limit on the size of files, as a quota sets it; the shell counts it in blocks of 512 or 1024 bytes."""
    serve(LOOK, DONE)
    limited = ["sh", "-c", 'ulimit -f 1 && exec "$@"', "sh", sys.executable, "-m", "ringfence.cli", "run", "x"]
    done = subprocess.run(limited, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
    assert "the journal" in done.stderr
    assert "\n  -> " in done.stderr


def test_a_journal_with_a_damaged_middle_is_named_and_left_as_it_is(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(LOOK, DONE)
    run_id = json.loads(ringfence("run", "what is wrong?", "--json").out)["run_id"]
    path = folder / ".ringfence" / "journal.db"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    for command in (["run", "x"], ["runs", "show", run_id], ["runs", "list"], ["runs", "resume", run_id]):
        shown = ringfence(*command)
        assert shown.code == 6, command
        assert "journal.db" in shown.err
        assert "\n  -> " in shown.err
    doctor = ringfence("doctor")
    assert doctor.code == 1
    assert "FAIL  journal" in doctor.out
    assert path.read_bytes() == data


def test_two_processes_run_on_one_journal_at_once(serve: Serve, folder: Path) -> None:
    serve({"when": "the fan is loud", "text": DONE}, LOOK, manifest=MANIFEST.replace("0.5", "20"))
    shown = [finished(child) for child in [process("run", f"task {n}", "--json") for n in range(2)]]
    results = [json.loads(each.out) for each in shown]
    assert [each.code for each in shown] == [0, 0]
    with open_log(folder / ".ringfence" / "journal.db") as log:
        assert {each["run_id"] for each in results} == {summary.run for summary in log.runs()}
        assert log.verify().problem == ""


def test_of_two_that_resume_one_run_one_wins_and_the_other_says_so(serve: Serve, folder: Path) -> None:
    serve(LOOK, DONE, delay_ms=60_000)
    first = process("run", "what is wrong?")
    assert first.stderr is not None
    run_id = first.stderr.readline().split()[1].rstrip(":")
    for line in first.stderr:
        if "files.overview" in line:
            break
    with open_log(folder / ".ringfence" / "journal.db") as log:
        late = time.monotonic() + 60
        while len(log.read(run_id)) < 7:  # until it is on record that the model is asked
            assert time.monotonic() < late
    first.kill()
    first.communicate()
    serve({"when": "the fan is loud", "text": DONE}, LOOK, delay_ms=700, manifest=MANIFEST.replace("0.5", "20"))
    shown = [finished(child) for child in [process("run", "--resume", run_id) for _ in range(2)]]
    lost, won = sorted(shown, key=lambda each: each.out)
    assert (won.code, won.out) == (0, "The disk is full.\n")
    assert (lost.code, lost.out) == (6, "")
    assert f"run {run_id} is under way in another process" in lost.err
    assert "  -> answer it there, or wait until it ends" in lost.err
    with open_log(folder / ".ringfence" / "journal.db") as log:
        assert log.verify().problem == ""
