"""The real model plans a grant from the user's words alone, before it has read anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.backends import models
from ringfence.stores import open_log

pytestmark = pytest.mark.model
NOTES = Path(__file__).parents[2] / "examples" / "notes"
MODEL = "qwen2.5-coder-1.5b"
TASK = "Write 'call the plumber' to data/todo.md"


def test_a_task_that_writes_is_granted_writing_and_nothing_that_it_does_not_ask_for(tmp_path: Path) -> None:
    try:
        models.path(MODEL, models.data_home())
    except Exception:
        subprocess.run([sys.executable, "-m", "ringfence.cli", "models", "pull", MODEL], check=True)
    folder = tmp_path / "notes"
    shutil.copytree(NOTES, folder, ignore=shutil.ignore_patterns(".ringfence"))
    manifest = folder / "ringfence.yaml"
    manifest.write_text(manifest.read_text().replace("grant:\n", "grant:\n  planned: true\n").replace("8\n", "2\n"))
    command = [sys.executable, "-m", "ringfence.cli", "run", TASK, "--json", "--manifest", str(manifest)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "NO_COLOR": "1"})
    run = json.loads(done.stdout)["run_id"]
    with open_log(folder / ".ringfence" / "journal.db") as log:
        plan, start = log.read(f"plan-{run}"), log.read(run)[0]
    assert plan[-1].body["status"] == "done", done.stderr
    assert start.body["grant"]["sinks"].count("tool:files.write") == 1
    assert "tool:files.patch" not in start.body["grant"]["sinks"]  # which the manifest does not name
    assert start.body["grant"]["budgets"]["tool:files.write"] == min(plan[-1].body["needs"]["tool:files.write"], 3)
    assert "may also call " in done.stderr
