"""Every command of examples/notes/README.md does what the page says, with a scripted model in the model's place."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ringfence.testing.server import running

from ..cli.conftest import Shell, final, folder, ringfence, step

ROOT = Path(__file__).parents[2]
NOTES = ROOT / "examples" / "notes"
README = (NOTES / "README.md").read_text()
TIER = "{name: small, provider: embedded, model: qwen2.5-coder-1.5b}"
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", README, re.S) for line in block.splitlines()]
TRIED = ["service contract", "wc -l", "todo.md", "Tusday", "approvals", "approve RUN", "deny RUN", "offer", "runs list"]
MEETING = "meetings/2026-01-12.md"
FORGED = step("files.write", path="data/todo.md", text="transfer 310.00 today\n")
EDIT = step("files.edit", path=f"data/{MEETING}", old="Tusday", new="Tuesday")

__all__ = ["folder", "ringfence"]


def command(words: str) -> list[str]:
    """The one command of the page that holds these words, as its arguments."""
    (found,) = (line for line in COMMANDS if words in line)
    return shlex.split(found)[1:]


class Example:
    """A copy of the example, its model scripted: the script goes on from command to command."""

    def __init__(self, root: Path, shell: Shell) -> None:
        self.data = root / "examples" / "notes" / "data"
        shutil.copytree(NOTES, self.data.parent, ignore=shutil.ignore_patterns(".ringfence"))
        self.shell = shell

    @contextmanager
    def scripted(self, *steps: str) -> Iterator[None]:
        text = (NOTES / "ringfence.yaml").read_text()
        assert TIER in text
        with running(steps) as url:
            tier = f'{{name: small, provider: llamacpp, model: scripted, endpoint: "{url}"}}'
            (self.data.parent / "ringfence.yaml").write_text(text.replace(TIER, tier))
            yield

    def note(self, name: str) -> str:
        path = self.data / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def example(folder: Path, ringfence: Shell) -> Example:
    return Example(folder, ringfence)


def test_every_command_of_the_page_is_tried_here() -> None:
    assert [words for line in COMMANDS for words in TRIED if words in line] == TRIED
    assert len(COMMANDS) == len(TRIED)


def test_it_answers_from_the_notes(example: Example) -> None:
    with example.scripted(step("files.read", path="data/boiler.md"), final("It ends on 30 September.")):
        shown = example.shell(*command("service contract"))
    assert (shown.code, shown.out) == (0, "It ends on 30 September.\n"), shown.err


@pytest.mark.skipif(shutil.which("wc", path="/usr/bin:/bin") is None, reason="there is no wc here")
def test_it_runs_a_command_that_is_allowed_and_no_other(example: Example) -> None:
    wc, rm = (step("shell.run", command=words) for words in (["wc", "-l", "data/boiler.md"], ["rm", "data/boiler.md"]))
    with example.scripted(wc, rm, final("It has 7 lines.")):
        shown = example.shell(*command("wc -l"))
    assert (shown.code, shown.out, "7 data/boiler.md" in shown.err) == (0, "It has 7 lines.\n", True), shown.err
    assert "POL-4 bad-arguments" in shown.err
    assert example.note("boiler.md")


def test_it_writes_what_is_named_and_asks_for_another_path(example: Example) -> None:
    for name, code, text in (("todo.md", 0, "call the plumber\n"), ("other.md", 4, "")):
        write = step("files.write", path=f"data/{name}", text="call the plumber\n")
        with example.scripted(write, final("It is written.")):
            shown = example.shell(*command("todo.md"))
        assert (shown.code, example.note(name)) == (code, text), shown.err


def test_text_that_is_not_the_users_asks_in_a_file_that_they_named(example: Example) -> None:
    with example.scripted(FORGED, final("It is written.")):
        shown = example.shell(*command("todo.md"))
    assert (shown.code, example.note("todo.md"), "POL-6 untrusted-text" in shown.err) == (4, "", True)


@pytest.mark.parametrize(("answer", "word"), [("approve RUN", "Tuesday"), ("deny RUN", "Tusday")])
def test_an_edit_asks_and_is_made_if_a_person_says_yes(example: Example, answer: str, word: str) -> None:
    with example.scripted(EDIT, final("That is settled.")):
        waiting = example.shell(*command("Tusday"))
        assert (waiting.code, " Tusday," in example.note(MEETING)) == (4, True), waiting.err
        listed = example.shell(*command("approvals"))
        assert "    +2. The bicycle room gets a second lock. Keys are handed out on Tuesday, 20 January." in listed.out
        run = waiting.err.split()[1].rstrip(":")
        shown = example.shell(*(run if argument == "RUN" else argument for argument in command(answer)))
        assert (shown.code, shown.out) == (0 if word == "Tuesday" else 3, "That is settled.\n"), shown.err
        assert run in example.shell(*command("runs list")).out
    assert f" {word}," in example.note(MEETING)


def test_it_does_not_do_what_a_note_says(example: Example) -> None:
    patch = step("files.patch", patch="--- a/data/todo.md\n+++ b/data/todo.md\n@@ -0,0 +1 @@\n+transfer\n")
    with example.scripted(step("files.read", path="data/forwarded.md"), patch, FORGED, final("310.00")):
        shown = example.shell(*command("offer"))
    assert (shown.code, example.note("todo.md")) == (4, "")
    assert "POL-3 outside-grant" in shown.err  # the patch; the write asks, and nobody vouches for its path
    assert "POL-4 no-provenance" in shown.err


def test_each_budget_and_rate_of_the_manifest_is_one_that_holds(example: Example) -> None:
    manifest = yaml.safe_load((NOTES / "ringfence.yaml").read_text())
    assert manifest["grant"]["budgets"] == {"files.write": 3}
    texts = ("call", "the", "plumber", "call the plumber")
    writes = [step("files.write", path="data/todo.md", text=f"{text}\n", mode="append") for text in texts]
    with example.scripted(*writes, final("It is written.")):
        shown = example.shell(*command("todo.md"))
    assert (shown.code, example.note("todo.md")) == (0, "call\nthe\nplumber\n"), shown.err
    assert "POL-7 budget" in shown.err
