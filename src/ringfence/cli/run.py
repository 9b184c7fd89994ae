"""`ringfence run`: one task, its timeline on stderr, its answer on stdout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from .. import app
from ..core.errors import ManifestError
from ..engine.result import Result
from ..manifest.loader import load
from ..manifest.types import Manifest
from . import approvals, cited, exits, uncertain
from .exits import Exit, Interrupted
from .interrupt import interruptible
from .question import find_out, option
from .screen import console
from .text import decoded, plain

MAX_TASK_BYTES = 1_000_000


@dataclass(slots=True)
class Wanted:
    """What the command line asked for."""

    manifest: Path
    task: str = ""
    resume: str = ""
    max_steps: int | None = None
    as_json: bool = False
    quiet: bool = False
    offline: bool = False
    about: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # of the caller's, those that count; all if none is named
    open: int | None = None  # a passage to show in context
    at: int | None = None  # fork the run to be resumed behind this record, under `task` where it is given


def read_task(given: str | None) -> str:
    """The task from the command line or, for `-` or nothing, from stdin; raises ManifestError if there is none."""
    if given is None and sys.stdin.isatty():
        raise ManifestError(
            "expected a task, got none", todo='say what to do: ringfence run "how many errors are in the log?"'
        )
    if given is None or given == "-":
        data = sys.stdin.buffer.read(MAX_TASK_BYTES + 1)
        if len(data) > MAX_TASK_BYTES:
            raise ManifestError(
                f"the task on stdin is longer than {MAX_TASK_BYTES:,} bytes",
                todo="put the text in a file under a tool's target_paths and name the file in the task",
            )
        given = data.decode("utf-8", "replace")
    if not given.strip():
        raise ManifestError("expected a task, got an empty one", todo='say what to do: ringfence run "..."')
    return decoded(given).strip()


def bounded(manifest: Manifest, max_steps: int | None) -> Manifest:
    """The manifest with another bound on model calls."""
    if max_steps is None:
        return manifest
    return manifest.model_copy(update={"workflow": manifest.workflow.model_copy(update={"max_steps": max_steps})})


def caller() -> dict[str, str]:
    """Where a task comes from, as whoever started us says (W3C Trace Context in the environment)."""
    names = ("traceparent", "tracestate")
    return {name: value for name in names if (value := os.environ.get(name.upper(), ""))}


def execute(wanted: Wanted) -> Exit:
    """Do it; the exit code says how it went. With `as_json`, stdout is one JSON object whatever happens."""
    seen: list[str] = []
    try:
        result, more = asyncio.run(interruptible(_run(wanted, seen)))
    except Interrupted as stopped:
        hint = resume_hint(seen[0], wanted.manifest) if seen else ""
        print("\nstopped" + (f"; resume with: {hint}" if hint else " before the run began"), file=sys.stderr)
        if wanted.as_json:
            _print_json({"status": "interrupted", "run_id": seen[0] if seen else "", "resume": hint})
        return Exit(stopped.code)
    except Exception as error:
        if not wanted.as_json:
            raise
        what, todo = exits.words(error)
        _print_json({"status": "error", "error": what, "todo": todo, "run_id": seen[0] if seen else ""})
        return exits.complain(error)
    if wanted.as_json:
        _print_json({**asdict(result), "sources": [source.to_json() for source in result.sources], **more})
    elif result.answer or result.status != "waiting":
        print(plain(result.answer), flush=True)
        cited.show(result.sources)
        if wanted.open is not None:
            print()
            cited.open_passage(wanted.manifest, result.run_id, wanted.open)
    if result.status == "uncertain":
        print(find_out(result.summary, wanted.manifest), file=sys.stderr)
    return exits.of_status(result.status)


def resume_hint(run_id: str, manifest: Path) -> str:
    """The command that goes on with a run."""
    return f"ringfence run --resume {run_id}{option(manifest)}"


async def _run(wanted: Wanted, seen: list[str]) -> tuple[Result, dict[str, object]]:
    """Stream the run to stderr; the result, and what belongs beside it in JSON: warnings, and what it waits for.

    `seen` gets the run's id as soon as there is one.
    """
    from .models import fetch_missing

    out = console(stderr=True)
    manifest = bounded(load(wanted.manifest), wanted.max_steps)
    wanted.as_json = wanted.as_json or manifest.workflow.output_format == "structured_json"
    app.keep_log(manifest)
    await fetch_missing(manifest, out, offline=wanted.offline)
    async with app.from_manifest(manifest, roles=wanted.roles, notice=_note(wanted, out)) as agent:
        if wanted.at is not None:
            seen.append(await agent.fork(wanted.resume, at=wanted.at, task=wanted.task))
        elif wanted.resume:
            seen.append(agent.turn(wanted.resume).run)
        events = agent.stream_resume(seen[0]) if seen else agent.stream(wanted.task, about=wanted.about, **caller())
        approvals.shout(agent)
        ask = approvals.at_terminal() and not wanted.as_json
        result = await approvals.follow(agent, events, seen, out, ask=ask, quiet=wanted.quiet)
        more: dict[str, object] = {}
        if result.status == "waiting":
            more["question"] = await approvals.undecided(agent, result.run_id, wanted.manifest)
        if wanted.open is not None and wanted.as_json:
            more["opened"] = cited.opened(agent.journal.log.read(result.run_id), wanted.open)
        if result.status == "uncertain":
            more["uncertain"] = uncertain.of_run(agent, result.run_id, wanted.manifest)
    approvals.warn(agent)
    return result, {**more, "warnings": [*agent.warnings, *agent.troubles]}


def _note(wanted: Wanted, out: Console) -> Callable[[str], None]:
    """Why the start takes long, for who looks on."""
    return lambda text: None if wanted.quiet else out.print(plain(text), soft_wrap=True)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None))
