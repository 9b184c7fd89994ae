"""`ringfence runs replay`: what a policy that has changed would have said to what is on record."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .. import app
from ..core.chain import Record
from ..core.errors import JournalError, ManifestError, RingfenceError
from ..engine.replay import Difference, Replay
from ..manifest.loader import load
from ..stores.reader import SqliteLog
from ..stores.remote import SocketLog
from ..stores.vault import Sealed
from .exits import Exit
from .interrupt import interruptible
from .runs import open_log
from .text import one_line
from .timeline import call

_EVERY = 1 << 62


class _Unwritten:
    """A journal for reading: whatever would be written is a bug, and stops."""

    def __init__(self, log: SqliteLog | SocketLog) -> None:
        self.log = log

    def append(self, record: Record) -> None:
        raise JournalError("a replay writes nothing", todo="please report it")

    async def flush(self, *, anchored: bool = False) -> None:
        """Nothing to wait for."""

    def alias(self, subject: str) -> str:
        """Nobody comes into a run that nothing is done in."""
        return subject

    def close(self) -> None:
        self.log.close()


def execute(manifest: Path, run_ids: Sequence[str], *, every: bool, decisions: bool, as_json: bool) -> Exit:
    """Replay runs, or `every` one; 1 if any differs, by its `decisions` alone or by its prompts too."""
    if every == bool(run_ids):
        raise ManifestError("expected the ids of runs, or --all", todo="list them with: ringfence runs list")
    return asyncio.run(interruptible(_execute(manifest, run_ids, decisions=decisions, as_json=as_json)))


async def _execute(manifest: Path, run_ids: Sequence[str], *, decisions: bool, as_json: bool) -> Exit:
    log = open_log(manifest)
    wanted = [log.find(run) for run in run_ids] or [s.run for s in reversed(log.runs(_EVERY))]
    differ = failed = destroyed = 0
    async with app.from_manifest(load(manifest), journal=_Unwritten(log)) as agent:
        for run in wanted:
            try:
                found = await agent.replay(run)
            except RingfenceError as error:
                if len(wanted) == 1:
                    raise
                if isinstance(error, Sealed) and error.destroyed:  # as it was meant to be
                    destroyed += 1
                    continue
                failed += 1
                print(f"{run}  cannot be replayed: {one_line(error.what)}", file=sys.stderr)
                continue
            if decisions:
                found.differences = [d for d in found.differences if d.what != "prompt"]
            differ += bool(found.differences)
            _show(found, as_json=as_json, alone=len(wanted) == 1)
    if len(wanted) > 1 and not as_json:
        also = f", {destroyed} destroyed" if destroyed else ""
        also += f", {failed} cannot be replayed" if failed else ""
        print(f"{len(wanted)} runs: {differ} would go otherwise{also}")
    return Exit.JOURNAL if failed else Exit.UNANSWERED if differ else Exit.DONE


def _show(found: Replay, *, as_json: bool, alone: bool) -> None:
    """One run: an object, a line, or the first difference of each kind."""
    if as_json:
        differences = [asdict(difference) for difference in found.differences]
        print(json.dumps({"run_id": found.run, "decisions": found.decisions, "prompts": found.prompts,
                          "differences": differences, "notes": found.notes}))  # fmt: skip
        return
    compared = f"{found.decisions} decisions, {found.prompts} prompts"
    if not found.differences:
        print(f"{found.run}  {compared}: no difference")
    elif not alone:
        first = found.differences[0]
        more = f", and {len(found.differences) - 1} more" if len(found.differences) > 1 else ""
        print(f"{found.run}  {compared}: {_said(first)}{more}")
    else:
        print(f"{found.run}  {compared}: {len(found.differences)} would be otherwise")
        for what in ("decision", "call", "prompt"):
            these = [d for d in found.differences if d.what == what]
            if these:
                _first(these[0], len(these) - 1)
    for note in found.notes if alone else ():
        print(f"  note: {one_line(note)}")


def _first(difference: Difference, more: int) -> None:
    """The first difference of its kind, in full."""
    others = f"  ({more} more of this kind)" if more else ""
    if difference.what == "prompt":
        print(f"  record {difference.seq}: the prompt would differ{others}")
    else:
        print(f"  record {difference.seq}: {call(difference.sink, difference.args)}{others}")
    print(f"    on record  {one_line(difference.recorded)}")
    print(f"    now        {one_line(difference.now)}")
    if difference.why:
        print(f"    why        {one_line(difference.why)}")


def _said(difference: Difference) -> str:
    if difference.what == "prompt":
        return f"from record {difference.seq} on the prompt would differ"
    return one_line(f"record {difference.seq}, {difference.sink}: {difference.recorded} -> {difference.now}")
