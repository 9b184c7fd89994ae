"""`ringfence lock` as a person meets it: what is accepted, what is shown, and what nobody can slip in."""

from __future__ import annotations

import json
import os
import pty
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.cli.exits import Exit
from ringfence.cli.lock import _shown, lock
from ringfence.core.errors import ManifestError
from ringfence.testing import evil_mcp
from ringfence.tools.mcp import Pinned, read

EVIL = Path(evil_mcp.__file__)
MANIFEST = """\
inference: {provider: llamacpp, model: m}
sandbox: unsafe-none
tools:
  - {name: evil, type: mcp, command: [python, server.py, %s], permissions: [execute], timeout_s: 5}
"""
Write = Callable[..., Path]


@pytest.fixture
def manifest(tmp_path: Path) -> Write:
    """Writes a manifest for a copy of the malicious server, which a test may then change."""

    def write(mode: str = "honest", text: str = MANIFEST) -> Path:
        (tmp_path / "server.py").write_text(EVIL.read_text())
        path = tmp_path / "ringfence.yaml"
        path.write_text(text % mode if "%" in text else text)
        return path

    return write


def change(path: Path, before: str, after: str) -> None:
    server = path.parent / "server.py"
    text = server.read_text()
    assert before in text
    server.write_text(text.replace(before, after))


def pins(path: Path) -> dict[str, str]:
    locked = read(path.parent)
    assert locked is not None
    return {name: tool.pin for name, tool in locked.servers["evil"].items()}


def test_the_first_lock_accepts_what_is_there_and_shows_it(manifest: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest()
    assert lock(path) == Exit.DONE
    out = capsys.readouterr().out
    assert "  + echo: Repeats a text." in out
    tools = json.loads((path.parent / "ringfence.lock").read_text())["servers"]["evil"]
    assert set(tools) == {"add", "echo"}
    assert set(tools["echo"]["facts"]) == {"name", "description", "inputSchema", "annotations"}
    assert tools["echo"]["source"]["command"] == ["python", "server.py", "honest"]
    assert set(tools["echo"]["source"]["files"]) == {Path(sys.executable).name, "server.py"}
    assert lock(path) == Exit.DONE
    assert "wrote" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "marks"),
    [
        ("Repeats a text.", "Repeats all texts.", {"~ echo", "~ add"}),  # the file itself is pinned: both differ
        ('"readOnlyHint": True', '"readOnlyHint": False', {"~ echo", "~ add"}),
        ('tool("echo", ', 'tool("ohce", ', {"- echo", "+ ohce", "~ add"}),
    ],
)
def test_a_difference_is_named_and_nothing_of_it_is_accepted(
    manifest: Write, capsys: pytest.CaptureFixture[str], before: str, after: str, marks: set[str]
) -> None:
    path = manifest()
    lock(path)
    accepted = pins(path)
    change(path, before, after)
    assert lock(path) == Exit.UNANSWERED
    out = capsys.readouterr().out
    assert all(mark in out for mark in marks)
    assert "`ringfence lock --review`" in out
    assert pins(path) == accepted


def test_a_review_shows_the_difference_escaped_and_asks_tool_by_tool(
    manifest: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest()
    lock(path)
    accepted = pins(path)
    change(path, "Repeats a text.", "Repeats a text, and mails it to <b>Eve</b>.")
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return "evil.add" in question

    assert lock(path, review=True, ask=ask) == Exit.UNANSWERED
    out = capsys.readouterr().out
    assert "    -Repeats a text.\n    +Repeats a text, and mails it to <b>Eve</b>." in out
    assert asked == ["  accept evil.add as it is now?", "  accept evil.echo as it is now?"]
    assert pins(path)["echo"] == accepted["echo"]
    assert pins(path)["add"] != accepted["add"]
    assert lock(path, review=True, ask=lambda question: True) == Exit.DONE
    assert lock(path) == Exit.DONE


def test_a_tool_that_is_new_or_gone_needs_a_yes_too(manifest: Write) -> None:
    path = manifest()
    lock(path)
    change(path, 'tool("echo", ', 'tool("ohce", ')
    assert lock(path, review=True, ask=lambda question: False) == Exit.UNANSWERED
    assert set(pins(path)) == {"add", "echo"}
    assert lock(path, review=True, ask=lambda question: True) == Exit.DONE
    assert set(pins(path)) == {"add", "ohce"}


def test_what_a_person_cannot_see_is_never_accepted(manifest: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest("invisible")
    assert lock(path) == Exit.DONE
    out = capsys.readouterr().out
    assert set(pins(path)) == {"add", "echo"}
    assert out.count("refused: ") == 8
    assert out.replace("\n", "").isprintable()
    assert "\u202e" not in out


def test_a_review_escapes_what_a_terminal_would_obey() -> None:
    """What a lock of an earlier release may hold: this one accepts nothing of the kind."""
    tool = Pinned({"name": "x", "description": "fine\x1b[2J\u202eenif"}, {"server_url": "http://127.0.0.1/"})
    shown = "\n".join(_shown("evil", "x", tool, None))
    assert "-fine\\x1b[2J\\u202eenif" in shown
    assert shown.replace("\n", "").isprintable()


def test_a_review_needs_a_person_at_a_terminal(manifest: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = manifest()
    with open(os.devnull) as nothing:  # noqa: PTH123  no path at all
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ManifestError, match="a terminal to review in"):
            lock(path, review=True)
    assert not (path.parent / "ringfence.lock").exists()


@pytest.mark.parametrize(
    ("answer", "code"), [(b"y\n", Exit.DONE), (b"\n", Exit.UNANSWERED), (b"\x04", Exit.UNANSWERED)]
)
def test_at_a_terminal_only_a_y_is_a_yes(
    manifest: Write, monkeypatch: pytest.MonkeyPatch, answer: bytes, code: Exit
) -> None:
    path = manifest()
    lock(path)
    change(path, '            tool("echo", "Repeats a text.", annotations={"readOnlyHint": True}),\n', "")
    ours, theirs = pty.openpty()
    writer = threading.Thread(target=os.write, args=(ours, answer * 2))
    writer.start()
    with open(theirs) as terminal:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", terminal)
        assert lock(path, review=True) == code
    writer.join()
    os.close(ours)
    assert set(pins(path)) == ({"add"} if code is Exit.DONE else {"add", "echo"})


def test_a_server_that_does_not_start_costs_nothing_of_what_was_accepted(
    manifest: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest()
    lock(path)
    accepted = pins(path)
    change(path, "    def serve(self) -> None:", "    def serve(self) -> None:\n        sys.exit('\x1b[2Jbroken')\n")
    assert lock(path) == Exit.UNANSWERED
    err = capsys.readouterr().err
    assert "broken" in err
    assert "\x1b" not in err
    assert pins(path) == accepted


def test_a_lock_that_was_written_by_hand_is_refused(manifest: Write) -> None:
    path = manifest()
    lock(path)
    file = path.parent / "ringfence.lock"
    for damage in ("Repeats a text, and obey.", '"'):
        text = file.read_text()
        file.write_text(text.replace("Repeats a text.", damage))
        with pytest.raises(ManifestError, match=r"ringfence\.lock is damaged"):
            lock(path)
        file.write_text(text)


def test_a_manifest_without_servers_has_nothing_to_lock(manifest: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(text="inference: {provider: llamacpp, model: m}\n")
    assert lock(path) == Exit.DONE
    assert "nothing to lock" in capsys.readouterr().out
    assert not (path.parent / "ringfence.lock").exists()
