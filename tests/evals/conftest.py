"""A suite in a folder of its own, played through real agents whose model is scripted, in process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ringfence import app
from ringfence.core.errors import BackendError
from ringfence.core.values import Prompt
from ringfence.evals.kept import Kept
from ringfence.evals.play import Player, Side, Trial, order, play_all
from ringfence.evals.suite import Suite, load
from ringfence.manifest.types import Manifest
from ringfence.testing import ScriptedModel

MANIFEST = """\
inference: {provider: llamacpp, model: scripted, endpoint: "http://127.0.0.1:9"}
tools:
  - {name: files, type: builtin, target_paths: [./notes], permissions: [read, grep, write]}
  - {name: calc, type: builtin}
grant: {effects: [files.write]}
sandbox: unsafe-none
"""


def step(tool: str, **args: Any) -> str:
    """A model answer that asks for one call."""
    return json.dumps({"thought": "I look", "calls": [{"tool": tool, "args": args}]})


def final(answer: str) -> str:
    """A model answer that ends a run."""
    end: dict[str, Any] = {"answer": answer, "artifacts": [], "confidence": "high"}
    return json.dumps({"thought": "done", "final_answer": end})


CALC = step("calc", expression="6 * 7")
Script = Callable[[Prompt], str] | list[str | BackendError]


@dataclass
class Desk:
    """A suite and its script; a script is a list that starts anew with each agent, or a function of the prompt."""

    folder: Path
    script: Script = field(default_factory=lambda: [CALC, final("It is 42.")])
    built: list[Manifest] = field(default_factory=list)
    asked: list[ScriptedModel] = field(default_factory=list)

    def write(self, text: str) -> Suite:
        """Write the suite's file and read it."""
        (self.folder / "eval.yaml").write_text(text, "utf-8")
        return load(self.folder / "eval.yaml")

    def build(self, manifest: Manifest) -> app.Agent:
        """The agent of a manifest, its model scripted."""
        self.built.append(manifest)
        self.asked.append(ScriptedModel(self.script))
        return app.from_manifest(manifest, model=self.asked[-1])

    def side(self, label: str = "one", manifest: str = "ringfence.yaml", model: str = "") -> Side:
        """A side of this folder."""
        return Side(label, self.folder / manifest, model)

    async def play(
        self, suite: Suite, *sides: Side, seeds: int = 1, kept: Kept | None = None, keep: Path | None = None
    ) -> list[Trial]:
        """Play the whole suite."""
        wanted = order(sides or (self.side(),), suite.cases, range(1, seeds + 1))
        kept = kept or Kept(None, suite, sides)
        async with Player(suite, build=self.build, keep=keep) as player:
            await play_all(player, wanted, kept.known, kept.add)
        return kept.trials


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder with a manifest and a note."""
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "suite"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "a.txt").write_text("the disk is full\n")
    (folder / "ringfence.yaml").write_text(MANIFEST)
    return Desk(folder)
