"""A log that somebody made to be read: whatever its headers hold, readers end in words and drive no terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli import exporting, runs, verify
from ringfence.cli.exits import Exit
from ringfence.cli.verify import Wanted
from ringfence.core.chain import Kind
from ringfence.core.errors import RingfenceError

from ..stores.test_erasure import fill, made, run_of
from .forger import Forger

KEYS = ("run", "seq", "time", "kind", "principal", "label", "log", "index", "body", "v", "view")
VIEW = ("status", "of", "sink", "rule", "usage", "ok", "subjects", "shown", "effects", "egress", "uncertain", "trace")
VALUES = (None, -1, 1.5, True, 10**400, "\x1b[2J", "a\nnothing is wrong", "\u202e", "\ud800", [["x"]], {"a": 1})
DEEP = b"[" * 100_000 + b"]" * 100_000


def commands(manifest: Path) -> dict[str, Callable[[], Any]]:
    """What reads a log without writing to it."""
    folder, journal = manifest.parent, manifest.parent / ".ringfence" / "journal.db"
    made = {
        form: lambda form=form: exporting.export(manifest, form=form, out=folder / form) for form in ("csv", "ocsf")
    }
    return {
        "verify": lambda: verify.execute(Wanted(manifest, journal, (), (), "", True, False, True)),
        "list": lambda: runs.list_runs(manifest, limit=20, as_json=False),
        "tail": lambda: exporting.tail(manifest, last=20, follow=False, as_json=False),
        "stats": lambda: exporting.stats(manifest, as_json=False),
        **made,
    }


def changed(line: bytes, key: str, value: Any) -> bytes:
    """A header with another value under a key of its own or, with a dot, of its view."""
    head = json.loads(line)
    (head["view"] if key.startswith(".") else head)[key.removeprefix(".")] = value
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("key", [*KEYS, *(f".{name}" for name in VIEW)])
def test_no_header_gets_past_the_words_of_its_readers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    manifest = made(tmp_path)
    fill(manifest, run_of("a", "user:alice"))
    forger = Forger(tmp_path / ".ringfence" / "journal.db")
    good: list[bytes] = []
    forger.chunk(0, lambda lines: good.extend(lines) or lines)  # type: ignore[func-returns-value]
    for value in VALUES:
        for at in range(len(good)):
            forger.chunk(0, lambda _, at=at, value=value: put(good, at, changed(good[at], key, value)), marks=True)  # type: ignore[misc]
            for name, command in commands(tmp_path / "ringfence.yaml").items():
                try:
                    code = command()
                except RingfenceError:
                    code = None
                said = capsys.readouterr().out
                assert not {"\x1b", "\u202e"} & set(said), (name, value, at)
                if name == "verify":
                    assert code is not Exit.DONE
                    assert "nothing is wrong" not in said.splitlines()


def put(lines: list[bytes], at: int, line: bytes) -> list[bytes]:
    """The lines with another one in a place."""
    return [*lines[:at], line, *lines[at + 1 :]]


@pytest.mark.parametrize("tail", [b',"zz":' + DEEP + b"}", b"\xff}"])
def test_a_header_that_no_parser_takes_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tail: bytes
) -> None:
    fill(made(tmp_path), run_of("a", "user:alice"))
    forger = Forger(tmp_path / ".ringfence" / "journal.db")
    forger.chunk(0, lambda lines: put(lines, 1, lines[1][:-1] + tail), marks=True)
    for name, command in commands(tmp_path / "ringfence.yaml").items():
        if name == "verify":
            assert command() is Exit.UNANSWERED
            assert "WRONG damaged" in capsys.readouterr().out
        else:
            with pytest.raises(RingfenceError):
                command()


def test_what_a_writer_may_say_falsely_hides_nothing_that_was_done_to_the_records_behind_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = made(tmp_path)
    lies = [replace(r, view={**r.view, "rule": ""}) if r.kind is Kind.INTENT else r for r in run_of("a", "user:alice")]
    fill(manifest, lies)  # as a client of a recorder could append them to a run of its own
    fill(manifest, run_of("b", "user:alice"))
    forger = Forger(tmp_path / ".ringfence" / "journal.db")
    last = max(forger.starts())
    forger.chunk(last, lambda lines: put(lines, 2, changed(lines[2], ".ms", 1)))
    out = verify.execute(
        Wanted(tmp_path / "none.yaml", tmp_path / ".ringfence" / "journal.db", (), (), "", False, True)
    )
    report = json.loads(capsys.readouterr().out)
    assert out is Exit.UNANSWERED
    assert {"undecided", "edited"} <= {finding["code"] for finding in report["findings"]}
