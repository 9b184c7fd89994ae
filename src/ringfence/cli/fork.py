"""`ringfence runs fork`: what if a run had gone on otherwise from some record."""

from __future__ import annotations

import asyncio
import json
import sys

from . import approvals, run
from .exits import Exit
from .interrupt import interruptible


def execute(wanted: run.Wanted, *, resume: bool) -> Exit:
    """Make the fork and go on with it, or print its id and how to."""
    if resume:
        return run.execute(wanted)
    run_id = asyncio.run(interruptible(_fork(wanted)))
    hint = run.resume_hint(run_id, wanted.manifest)
    if wanted.as_json:
        print(json.dumps({"run_id": run_id, "resume": hint}))
        return Exit.DONE
    print(run_id)
    print(f"go on with it: {hint}", file=sys.stderr)
    return Exit.DONE


async def _fork(wanted: run.Wanted) -> str:
    assert wanted.at is not None
    async with approvals.driven(wanted.manifest) as agent:
        return await agent.fork(wanted.resume, at=wanted.at, task=wanted.task)
