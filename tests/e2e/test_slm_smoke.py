"""A few of the forty tasks of `bench/slm` on the real model, as `ringfence eval` plays them: its smoke."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.model
SUITE = Path(__file__).parents[2] / "bench" / "slm" / "tasks.yaml"
CASES = "hires-boat,kernel,write-sign"  # a table, this machine, a file that is written; test_real_task has a log


def test_the_real_model_does_everyday_tasks_in_valid_steps_and_the_servers_cache_is_used(tmp_path: Path) -> None:
    kept = tmp_path / "runs.json"
    command = (sys.executable, "-m", "ringfence.cli", "eval", str(SUITE))
    options = ("--runs", "1", "--only", CASES, "--json", str(kept), "--keep", str(tmp_path))
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=900, env={**os.environ})
    assert done.returncode in (0, 1), done.stderr  # the gate of the suite is for all of it
    runs = json.loads(kept.read_text())["runs"]
    assert len(runs) == len(CASES.split(","))
    assert sum(not run["wrong"] for run in runs) >= len(runs) - 1, done.stdout
    assert all(run["valid"] == run["steps"] for run in runs), done.stdout
