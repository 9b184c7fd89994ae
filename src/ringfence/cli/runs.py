"""`ringfence runs`: what is on the record beside a manifest, and how a run goes on or ends."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import stores
from ..core.chain import Kind, Record
from ..core.errors import JournalError, ManifestError
from ..stores.vault import Sealed
from .exits import Exit
from .screen import console
from .text import duration, one_line, plain
from .timeline import tree

if TYPE_CHECKING:
    from ..stores.reader import SqliteLog
    from ..stores.remote import SocketLog

JOURNAL = Path(".ringfence", "journal.db")  # beside the manifest


def open_log(manifest: Path) -> SqliteLog | SocketLog:
    """The journal beside a manifest, for reading, or that of the recorder that it names."""
    if (recorder := recorder_of(manifest)) is not None:
        return stores.read_recorder(recorder)
    path = manifest.parent / JOURNAL
    if not path.exists():
        raise JournalError(
            f"no journal at {path}: nothing has been run with {manifest} yet",
            todo='run something: ringfence run "...", or name another manifest with --manifest FILE',
        )
    if (path.parent / "keys" / "operator.key").exists():
        return stores.open_log(path)
    from ..app import record  # the manifest says where the operator's key is
    from ..manifest.loader import load

    try:
        return record.open_log(load(manifest))
    except ManifestError:
        return stores.open_log(path)


def recorder_of(manifest: Path) -> Path | None:
    """The socket of the recorder that a manifest names. One that says nothing of a recorder is not even loaded."""
    if not manifest.is_file() or b"recorder" not in manifest.read_bytes():
        return None
    from ..manifest.loader import load

    loaded = load(manifest)
    return None if loaded.audit.recorder is None else loaded.root / loaded.audit.recorder


def list_runs(manifest: Path, *, limit: int, as_json: bool) -> None:
    """The newest runs, one a line."""
    with open_log(manifest) as log:
        rows = log.runs(limit)
    if as_json:
        for row in rows:
            print(json.dumps({"run_id": row.run, "started_ms": row.started, "ended_ms": row.ended, "status": row.state,
                              "principal": row.principal, "task": row.task, "records": row.records}))  # fmt: skip
        return
    for row in rows:
        when = datetime.fromtimestamp(row.started / 1000).strftime("%Y-%m-%d %H:%M")
        took = duration(row.ended - row.started)
        print(f"{row.run}  {when}  {one_line(row.state):<9}  {took:>12}  {one_line(row.task, limit=80)}")


def show(manifest: Path, run_id: str, *, full: bool, seqs: bool = False) -> None:
    """The timeline of a run as a tree, its answer and what that cites."""
    from . import cited

    with open_log(manifest) as log:
        run = log.find(run_id)
        try:
            records = log.read(run)
        except Sealed as error:
            print(f"{plain(error.what)}; this is the view of readers without a key", file=sys.stderr)
            records = list(map(_legible, log.views(run)))
    console().print(tree(records, full=full, seqs=seqs))
    if records[-1].body.get("answer"):
        print("\n" + plain(records[-1].body["answer"]))
        cited.show(cited.of_records(records))


def _legible(record: Record) -> Record:
    """A record without its content, with what the timeline looks at."""
    view, body = record.view, {**record.body}
    match record.kind:
        case Kind.STARTED:
            body = {"task": "", **body, "grant": {"sinks": view.get("effects", ()), "budgets": {}}}
        case Kind.INTENT if view["sink"].startswith("model:"):
            body = {"prompt": ""}
        case Kind.INTENT | Kind.DECISION:
            body = {"args": {}, "why": "", **body}
        case Kind.MESSAGE:
            body = {"text": "", **body}
        case Kind.APPROVAL:
            body = {"by": view.get("by", ""), **body}
        case Kind.OUTCOME:
            body = {"value": {"text": "", "error": ""}, **body}
        case Kind.FINISHED:
            body = {"status": view["status"], **body}
    return replace(record, body=body)


def export(manifest: Path, run_id: str, out: Path | None) -> None:
    """The records of a run as JSON lines, to a file that only its owner may read, or to stdout."""
    with open_log(manifest) as log:
        lines = (json.dumps(record) + "\n" for record in log.export(log.find(run_id)))
        if out is None:
            sys.stdout.writelines(lines)
            return
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)  # one that was there may have been for others to read
            file.writelines(lines)
    print(f"wrote {out}", file=sys.stderr)


def cancel(manifest: Path, run_id: str) -> Exit:
    """End a run for good."""
    import asyncio

    from .approvals import driven
    from .interrupt import interruptible

    async def work() -> str:
        async with driven(manifest) as agent:
            return (await agent.cancel(run_id)).run_id

    print(f"run {asyncio.run(interruptible(work()))} is cancelled")
    return Exit.DONE
