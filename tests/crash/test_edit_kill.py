"""kill -9 at every line of a change: each file is old or new, never between; a change is whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from . import edit_writer

WRITER = Path(__file__).with_name("edit_writer.py")
OLD = {"a": "one\ntwo\n", "sub/b": "alpha\nbeta\n"}
PATCH = (
    "--- a/conf/a\n+++ b/conf/a\n@@ -1,2 +1,3 @@\n one\n+one\n two\n"
    "--- a/conf/sub/b\n+++ b/conf/sub/b\n@@ -2 +2 @@\n-beta\n+BETA\n"
    "--- /dev/null\n+++ b/conf/sub/c\n@@ -0,0 +1 @@\n+new\n"
)
NEW = {"a": "one\none\ntwo\n", "sub/b": "alpha\nBETA\n", "sub/c": "new\n"}
CALLS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "write": ({"path": "conf/n", "text": "new\n"}, {**OLD, "n": "new\n"}),
    "edit": ({"path": "conf/a", "old": "two", "new": "1.5\ntwo"}, {**OLD, "a": "one\n1.5\ntwo\n"}),  # may be made twice
    "patch": ({"path": "conf", "patch": PATCH}, NEW),
    "undo": ({"path": "conf/a"}, OLD),
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be: thousands of fsyncs are made."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def kills(place: Path, verb: str) -> list[dict[str, Any]]:
    """What the writer saw at each of its kills."""
    begin = place / "begin"
    for name, text in OLD.items():
        path = begin / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if verb == "undo":
        edit_writer.make(begin, "patch", CALLS["patch"][0])
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.edit_writer", place / "box", begin, verb, json.dumps(CALLS[verb][0])],
        capture_output=True, text=True, check=True, timeout=300, cwd=WRITER.parents[2],
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("verb", list(CALLS))
def test_a_change_killed_at_any_line_is_whole_or_not_at_all_and_is_made_once(place: Path, verb: str) -> None:
    before, after = (NEW, OLD) if verb == "undo" else (OLD, CALLS[verb][1])
    told = kills(place, verb)
    assert len(told) > 60, "too few boundaries: is the call still traced?"
    assert [one["killed"] for one in told] == [True] * (len(told) - 1) + [False]
    staged = taken_back = halves = 0
    for one in told:
        killed, later, again = one["seen"]
        temps = {name for name in killed if ".ringfence-" in name}
        staged += bool(temps)
        for name in {*before, *after}:  # never half-written
            assert killed.get(name) in (before.get(name), after.get(name)), f"{name} at line {one['at']}"
        assert killed.keys() - temps <= {*before, *after}
        assert later.pop("z") == again.pop("z") == "z"
        assert later in (before, after), f"half a change at line {one['at']}"  # and no temporary file is left
        taken_back += later == before
        assert again == after, f"not made exactly once after a kill at line {one['at']}"
        halves += (killed["a"], killed["sub/b"]) == (NEW["a"], OLD["sub/b"])
    assert staged
    assert halves or verb != "patch", "no kill fell between two files"
    assert 0 < taken_back < len(told)
