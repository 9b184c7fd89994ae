"""Sources under an answer, and a passage in its context."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringfence.cli import cited
from ringfence.engine.passages import Passage

from .conftest import Out, Serve, Shell, final, step

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
knowledge:
  collections:
    - {{name: house, path: ./house, vectors: false}}
"""
TASK = "In which hall is the red pump, and when is it oiled?"
ANSWER = final("The red pump is oiled every 14 days. It is in hall 3 [7].")


@pytest.fixture
def house(folder: Path, serve: Serve) -> Path:
    (folder / "house").mkdir()
    (folder / "house/pump.md").write_text(
        "# Pumps\n\nThe red pump stands in hall 3.\n\n## Oil\n\nThe red pump is oiled every 14 days, never later.\n"
    )
    serve(ANSWER, ANSWER, manifest=MANIFEST)
    return folder


def asked(ringfence: Shell, *more: str) -> Out:
    shown = ringfence("run", TASK, "--quiet", *more)
    assert shown.code == 0, shown.err
    return shown


def test_sources_stand_under_the_answer(ringfence: Shell, house: Path) -> None:
    lines = asked(ringfence).out.splitlines()
    assert lines[0].startswith("The red pump is oiled every 14 days [1].")
    assert "[7]" not in lines[0]
    assert lines[1] == ""
    assert lines[2].startswith("[1] house/pump.md")


def test_json_has_the_sources_and_the_passage_that_was_opened(ringfence: Shell, house: Path) -> None:
    result = json.loads(asked(ringfence, "--json", "--open", "1").out)
    first = result["sources"][0]
    assert (first["n"], first["document"]) == (1, "house/pump.md")
    start, end = map(int, first["at"].split("-"))
    assert first["quote"] in ("The red pump is oiled every 14 days, never later.", "The red pump stands in hall 3.")
    assert len(first["quote"]) == end - start
    pieces = dict(result["opened"]["text"])
    assert pieces["quote"] == first["quote"]


def test_a_passage_is_opened_from_the_record_though_its_file_is_gone(ringfence: Shell, house: Path) -> None:
    run = json.loads(asked(ringfence, "--json").out)["run_id"]
    (house / "house/pump.md").rename(house / "gone.md")
    shown = ringfence("runs", "show", run, "--open", "1")
    assert shown.code == 0
    assert shown.out.startswith("[1] house/pump.md")
    assert "| The red pump is oiled every 14 days, never later." in shown.out
    assert "[1] house/pump.md" in ringfence("runs", "show", run).out


def test_control_characters_of_a_document_are_escaped_and_what_is_around_it_is_told_apart() -> None:
    def of(n: int, start: int, text: str) -> Passage:
        return Passage(n, "a\x1b[2J.md", text, start=start, end=start + len(text))

    found = {1: of(1, 0, "one \x1b[31mtwo "), 2: of(2, 13, "three\n\n\u202efour"), 3: of(3, 24, " five")}
    assert cited.around(found[2], found) == ("one \x1b[31mtwo ", " five")
    pieces = [
        ("around", "zero\none "),
        ("passage", "two\n\n\x1b[31m"),
        ("quote", "\u202efour"),
        ("around", " five\nsix"),
    ]
    lines = [line.plain for line in cited.lines(pieces)]
    assert lines == ["  zero", "| one two", "| ", "| \\x1b[31m\\u202efour five", "  six"]
    assert cited.line(found[1]) == "[1] a\\x1b[2J.md"


def test_a_passage_that_a_run_has_not_is_told_with_those_that_it_has(ringfence: Shell, house: Path) -> None:
    shown = ringfence("run", TASK, "--quiet", "--open", "99")
    assert shown.out.startswith("The red pump is oiled")
    assert "was shown no passage [99]" in shown.err
    assert "[1]" in shown.err
    lost = json.loads(asked(ringfence, "--json", "--open", "99").out)
    assert "no passage [99]" in lost["opened"]["error"]


def test_a_chat_prints_sources_and_opens_a_passage(ringfence: Shell, house: Path) -> None:
    shown = ringfence("chat", stdin=f"{TASK}\n/open 1\n/open x\n")
    assert "\n[1] house/pump.md" in shown.out
    assert "| The red pump is oiled every 14 days" in shown.out
    assert "no command /open x" in shown.err


def test_an_answer_without_documents_has_no_sources(ringfence: Shell, serve: Serve) -> None:
    serve(step("files.read", path="notes/a.txt"), final("The disk is full."))
    assert ringfence("run", "what is wrong?", "--quiet").out == "The disk is full.\n"
