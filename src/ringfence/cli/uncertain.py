"""`ringfence runs uncertain | settle`: calls of which nobody knows whether they were done, and a person's word."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import app
from ..core.errors import ManifestError
from ..engine.ledger import Unsettled
from ..engine.result import Result
from ..engine.step import TOOL
from ..manifest.loader import load
from . import approvals, exits
from .exits import Exit
from .interrupt import interruptible
from .question import find_out, folded, option
from .screen import console
from .text import decoded, duration, one_line, plain

VALUE_CHARS = 2_000  # of one argument on the screen


def list_uncertain(manifest: Path, *, as_json: bool) -> Exit:
    """Each of them with what a person needs to find out; with `as_json`, an object a line."""

    async def work() -> None:
        async with app.from_manifest(load(manifest)) as agent:
            approvals.shout(agent)
            for one in agent.uncertain():
                todo = list(ways(one, agent, manifest))
                if as_json:
                    print(json.dumps(_object(one, todo)))
                    continue
                out = console()
                for line in folded(_screen(one), out.width):
                    print(line, file=out.file)
                print("\n".join(f"  -> {way}" for way in todo) + "\n")

    asyncio.run(interruptible(work()))
    return Exit.DONE


def settle(
    manifest: Path,
    run_id: str,
    *,
    done: bool,
    call: int | None = None,
    result: str | None = None,
    why: str = "",
    resume: bool = True,
) -> Exit:
    """Put a person's word on record; then the run goes on here, unless it is not to."""
    if result is not None and not done:
        raise ManifestError("expected no --result beside --not-done, got one", todo="say why with --why TEXT")
    if why and done:
        raise ManifestError("expected no --why beside --done, got one", todo="say what it answered with --result")

    async def work() -> Result | None:
        async with approvals.driven(manifest) as agent:
            run = agent.turn(run_id).run
            seq = await agent.settle(run, done, call=call, result=read(result), why=decoded(why))
            print(f"call {seq} of run {run} was {'done' if done else 'not done'}: on record", file=sys.stderr)
            if not resume:
                print(f"go on with: ringfence run --resume {run}{option(manifest)}", file=sys.stderr)
                return None
            here = approvals.at_terminal()
            return await approvals.follow(agent, agent.stream_resume(run), [run], console(stderr=True), ask=here)

    ended = asyncio.run(interruptible(work()))
    if ended is None:
        return Exit.DONE
    if ended.answer:
        print(plain(ended.answer))
    if ended.status == "uncertain":
        print(find_out(ended.summary, manifest), file=sys.stderr)
    return exits.of_status(ended.status)


def of_run(agent: app.Agent, run: str, manifest: Path) -> list[dict[str, object]]:
    """Those of one run, as JSON."""
    return [_object(one, list(ways(one, agent, manifest))) for one in agent.uncertain() if one.run == run]


def read(result: str | None) -> Any:
    """What a person says the call answered: JSON, or else the text as it is; None for nothing."""
    if result is None:
        return None
    try:
        return json.loads(decoded(result))
    except (ValueError, RecursionError):
        return decoded(result)


def ways(one: Unsettled, agent: app.Agent, manifest: Path) -> Iterator[str]:
    """The commands that settle it."""
    said, other = agent.manifest.catalogue.get(one.sink.removeprefix(TOOL)), option(manifest)
    if said is not None and said.reconcile is not None:
        yield f"ringfence runs resume {one.run}{other}   # asks {plain(said.reconcile.by)} once more"
    yield f"ringfence runs settle {one.run} --call {one.seq} --done --result JSON{other}"
    yield f"ringfence runs settle {one.run} --call {one.seq} --not-done --why TEXT{other}"


def _screen(one: Unsettled) -> Iterator[str]:
    ago = duration(max(0, app.now_ms() - one.when))
    yield f"run {one.run}, call {one.seq}: was {one_line(one.sink.removeprefix(TOOL))} done?"
    yield f"  task    {one_line(one.task)}"
    yield f"  made    {datetime.fromtimestamp(one.when / 1000).astimezone().isoformat(timespec='seconds')}, {ago} ago"
    yield f"  why     {one_line(one.why)}"
    yield f"  key     {one.key}"
    for name, value in one.args.items():
        yield f"  {one_line(name)} = {one_line(json.dumps(value, ensure_ascii=False), limit=VALUE_CHARS)}"


def _object(one: Unsettled, todo: list[str]) -> dict[str, object]:
    return {
        "run_id": one.run, "call": one.seq, "tool": one.sink.removeprefix(TOOL), "args": dict(one.args),
        "made_ms": one.when, "key": one.key, "why": one.why, "task": one.task, "todo": todo,
    }  # fmt: skip
