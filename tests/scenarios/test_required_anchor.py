"""`audit.required`: no effect before its head is out of reach; and without it, an anchor that fails stops nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ringfence.app import record
from ringfence.manifest.loader import load
from ringfence.proof import note as notes

from ..cli.conftest import Out, Serve, Shell, final, step

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools: [{{name: files, type: builtin, permissions: [read, write], target_paths: [./notes]}}]
audit: {{required: %s, anchors: [{{directory: ../heads}}]}}
"""
READ, WRITE = step("files.read", path="notes/a.txt"), step("files.write", path="notes/new.txt", text="checked")
TASK = "write checked into notes/new.txt"


@pytest.fixture
def heads(folder: Path) -> Path:
    """Where the heads should go; the disk is not mounted yet."""
    return folder.parent / "heads"


@pytest.fixture
def new(folder: Path) -> Path:
    """What the effect makes."""
    return folder / "notes" / "new.txt"


def run_id(out: Out) -> str:
    found = re.search(r"run ([0-9a-z]{20})", out.err)
    assert found, out.err
    return found[1]


def kept(heads: Path) -> list[int]:
    return sorted(notes.Checkpoint.parse(notes.unverified(file.read_text())).size for file in heads.glob("*.note"))


def test_an_effect_whose_head_cannot_be_kept_does_not_happen_and_does_once_it_can(
    ringfence: Shell, serve: Serve, heads: Path, new: Path
) -> None:
    serve(WRITE, final("written"), manifest=MANIFEST % "true")
    out = ringfence("run", TASK)
    assert out.code == 6
    assert "audit.required is set, and the head over this is not everywhere" in out.err
    assert str(heads.name) in out.err
    assert "mend the anchor" in out.err
    assert "ringfence run --resume" in out.err or "ringfence runs resume" in out.err
    assert not new.exists()
    heads.mkdir()
    again = ringfence("runs", "resume", run_id(out))
    assert (again.code, again.out) == (0, "written\n")
    assert new.read_text() == "checked"
    assert ringfence("audit", "verify", "--anchor", str(heads)).code == 0


def test_the_head_over_the_intent_was_kept_before_the_effect(
    ringfence: Shell, serve: Serve, heads: Path, folder: Path
) -> None:
    heads.mkdir()
    serve(WRITE, final("written"), manifest=MANIFEST % "true")
    assert ringfence("run", TASK).code == 0
    with record.open_log(load(folder / "ringfence.yaml")) as log:
        lines = [json.loads(line) for line in log.headers()]
    intent = next(
        n for n, line in enumerate(lines) if line["view"].get("sink") == "tool:files.write" and line["kind"] == "intent"
    )
    outcome = next(
        n for n, line in enumerate(lines) if line["kind"] == "outcome" and line["view"]["of"] == lines[intent]["seq"]
    )
    assert any(intent < size <= outcome for size in kept(heads))


def test_reading_goes_on_though_heads_cannot_be_kept(ringfence: Shell, serve: Serve, heads: Path) -> None:
    serve(READ, final("the disk is full"), manifest=MANIFEST % "true")
    out = ringfence("run", "what is wrong in notes/a.txt?")
    assert (out.code, out.out) == (0, "the disk is full\n")
    assert "its next head goes there again" in out.err
    assert "heads" in out.err
    assert ringfence("runs", "list").code == 0
    assert ringfence("audit", "verify").code == 0


def test_where_it_is_not_required_the_effect_happens_and_somebody_is_told(
    ringfence: Shell, serve: Serve, heads: Path, new: Path
) -> None:
    serve(WRITE, final("written"), manifest=MANIFEST % "false")
    out = ringfence("run", TASK)
    assert (out.code, out.out, new.read_text()) == (0, "written\n", "checked")
    assert "its next head goes there again" in out.err
    assert not heads.exists()  # a disk that is not mounted is not made up
    heads.mkdir()
    serve(READ, final("fine"), manifest=MANIFEST % "false")
    out = ringfence("run", "what is wrong in notes/a.txt?")
    assert "newest head" not in out.err
    assert ringfence("audit", "verify", "--anchor", str(heads)).code == 0


def test_a_signing_key_that_is_gone_stops_effects_where_it_is_required_and_nothing_else(
    ringfence: Shell, serve: Serve, heads: Path, new: Path, folder: Path
) -> None:
    heads.mkdir()
    serve(READ, final("the disk is full"), manifest=MANIFEST % "true")
    assert ringfence("run", "what is wrong in notes/a.txt?").code == 0
    key = folder / ".ringfence" / "keys" / "audit.key"
    saved = key.read_bytes()
    key.unlink()
    serve(READ, final("the disk is full"), manifest=MANIFEST % "true")
    out = ringfence("run", "what is wrong in notes/a.txt?")
    assert (out.code, out.out) == (0, "the disk is full\n")
    assert "no head can be signed" in out.err
    assert not key.exists()  # another one in its place would look like a rewritten log
    serve(WRITE, final("written"), manifest=MANIFEST % "true")
    out = ringfence("run", TASK)
    assert out.code == 6
    assert "audit.required is set, and no head can be signed" in out.err
    assert not new.exists()
    key.write_bytes(saved)
    key.chmod(0o600)
    again = ringfence("runs", "resume", run_id(out))
    assert (again.code, new.read_text()) == (0, "checked")
    assert ringfence("audit", "verify", "--anchor", str(heads)).code == 0
