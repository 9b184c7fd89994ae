"""The real model on the real example, through the command line: what `make run` shows a newcomer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.backends import models
from ringfence.core.chain import Kind
from ringfence.engine.ladder import read as parse
from ringfence.stores import open_log

pytestmark = pytest.mark.model
ROOT = Path(__file__).parents[2]
MODEL = "qwen2.5-coder-1.5b"
QUESTION, ANSWER = "How many requests in logs/access.log were answered with status 502?", "19"


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, so that its journal is this test's own; the weights are fetched once and kept."""
    home = models.data_home()
    try:
        models.path(MODEL, home)
    except Exception:
        subprocess.run([sys.executable, "-m", "ringfence.cli", "models", "pull", MODEL], check=True)
    folder = tmp_path_factory.mktemp("ops") / "ops"
    subprocess.run(["cp", "-r", str(ROOT / "examples" / "ops"), str(folder)], check=True)
    return folder


def test_the_real_model_answers_from_real_files(ops: Path) -> None:
    arguments = ["run", QUESTION, "--json", "--manifest", str(ops / "ringfence.yaml")]
    command = [sys.executable, "-m", "ringfence.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "NO_COLOR": "1"})
    result = json.loads(done.stdout)
    assert (done.returncode, result["status"]) == (0, "done"), done.stderr
    assert ANSWER in result["answer"]
    assert result["steps"]  # never an answer without a tool
    with open_log(ops / ".ringfence" / "journal.db") as log:
        records = log.read(result["run_id"])
        assert log.verify().ok
    thoughts = [r.body["value"]["text"] for r in records if r.kind is Kind.OUTCOME and "usage" in r.view]
    assert thoughts
    for text in thoughts:
        parse(text)  # every step of the model was a valid step
