"""The command line in a folder of its own, in process where that is enough and as a process where it is not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli import main
from ringfence.testing.server import Mode, running

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes]}}
  - {{name: calc, type: builtin}}
"""


def step(tool: str, thought: str = "I look", **args: Any) -> str:
    """A model answer that asks for one call."""
    return json.dumps({"thought": thought, "calls": [{"tool": tool, "args": args}]})


def final(answer: str, *artifacts: str, confidence: str = "high") -> str:
    """A model answer that ends a run."""
    end = {"answer": answer, "artifacts": artifacts, "confidence": confidence}
    return json.dumps({"thought": "done", "final_answer": end})


@dataclass(frozen=True)
class Out:
    """What a command left behind."""

    code: int
    out: str
    err: str


Shell = Callable[..., Out]
Serve = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two notes, and a home of its own."""
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("RINGFENCE_DEBUG", raising=False)
    work = tmp_path / "work"
    (work / "notes").mkdir(parents=True)
    (work / "notes" / "a.txt").write_text("the disk is full\nthe fan is loud\n")
    (work / "notes" / "b.txt").write_text("all is well\n")
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def ringfence(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run a command in process; whatever it is given, it never leaves with a traceback."""

    def shell(*arguments: str, stdin: str | bytes = "") -> Out:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        with pytest.raises(SystemExit) as left:
            main(arguments)
        caught = capsys.readouterr()
        assert "Traceback" not in caught.out + caught.err
        assert isinstance(left.value.code, int)
        return Out(int(left.value.code), caught.out, caught.err)

    return shell


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    """Start a scripted model server and write a manifest for it; returns the server's address."""
    with ExitStack() as stack:

        def start(*steps: str, mode: Mode = "ok", delay_ms: float = 0.0, manifest: str = MANIFEST) -> str:
            url = stack.enter_context(running(steps or [final("nothing to say")], mode=mode, delay_ms=delay_ms))
            (folder / "ringfence.yaml").write_text(manifest.format(url=url))
            return url

        yield start


def process(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    """The command as a process of its own, its output in pipes."""
    command = [sys.executable, "-m", "ringfence.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, **more)
