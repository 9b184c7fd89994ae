"""A journal with every kind of record in it, and a manifest's folder around it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label, Trust
from ringfence.stores.sqlite import SqliteJournal

LABEL = Label(Trust.USER, frozenset({frozenset({"role:ops", "user:alice"})}))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOON = 1_769_860_800_000  # 2026-01-31T12:00:00Z


def records_of(run: str, *, trace: str = TRACE, principal: str = "user:alice", at: int = NOON) -> list[Record]:
    """A run with a model call, a read, an effect, a failure, a refusal, a question and its approval, and a way out."""
    attempt = {"state": "done", "method": "GET", "host": "example.org", "port": 443, "path": "/a", "run": run,
               "address": "192.0.2.7", "sent": 120, "received": 4096, "why": ""}  # fmt: skip
    started = {"policy": "p" * 16, "profile": "default", "effects": ["tool:files.write"]}
    lines: list[tuple[Kind, Any]] = [
        (Kind.STARTED, started | ({"trace": trace} if trace else {})),
        (Kind.MESSAGE, {"chars": 12}),
        (Kind.INTENT, {"sink": "model:main", "rule": "POL-8", "context": [0, 1], "left_out": 0}),
        (Kind.OUTCOME, {"of": 2, "ok": True, "ms": 210, "usage": {"prompt": 300, "completion": 40, "cached": 0}}),
        (Kind.INTENT, {"sink": "tool:files.read", "rule": "POL-8"}),
        (Kind.OUTCOME, {"of": 4, "ok": True, "ms": 3, "shown": {"text": "mail <EMAIL_1>, größer"}}),
        (Kind.DECISION, {"sink": "tool:files.write", "verdict": "ask", "rule": "POL-4", "code": "provenance"}),
        (Kind.APPROVAL, {"of": 6, "endorsed": 0}),
        (Kind.INTENT, {"sink": "tool:files.write", "rule": "POL-9"}),
        (Kind.OUTCOME, {"of": 8, "ok": False, "ms": 9}),
        (Kind.DECISION, {"sink": "tool:shell.run", "verdict": "deny", "rule": "POL-3", "code": "grant"}),
        (Kind.CHECKPOINT, {"egress": attempt}),
        (Kind.CHECKPOINT, {"egress": attempt | {"state": "refused", "why": "host"}}),
        (Kind.CHECKPOINT, {"steps": 5, "usage": {"prompt": 300, "completion": 40}}),
        (Kind.INTENT, {"sink": "reply:cli", "rule": "POL-8"}),
        (Kind.OUTCOME, {"of": 14, "ok": True, "ms": 0}),
        (Kind.FINISHED, {"status": "done", "usage": {"prompt": 300, "completion": 40}}),
    ]
    body = {"task": "the body is never exported: canary-in-the-body"}
    return [Record(run, seq, at + seq, kind, principal, LABEL, view, body) for seq, (kind, view) in enumerate(lines)]


async def append(journal: SqliteJournal, *runs: list[Record]) -> None:
    for run in runs:
        for record in run:
            journal.append(record)
    await journal.flush()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest that is not read, in a folder whose journal is."""
    return tmp_path / "ringfence.yaml"


@pytest.fixture
def journal(manifest: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(manifest.parent / ".ringfence" / "journal.db") as made:
        yield made


@pytest.fixture
def filled(journal: SqliteJournal) -> SqliteJournal:
    """Two runs, 34 records; the second has no trace."""
    first, second = records_of("run-a"), records_of("run-b", trace="", principal="user:bob", at=NOON + 60_000)
    asyncio.run(append(journal, first, second))
    return journal
