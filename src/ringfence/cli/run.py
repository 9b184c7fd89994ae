"""`ringfence run`: one task, its timeline on stderr, its answer on stdout."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import app
from ..core.errors import ManifestError
from ..engine.result import Result
from ..manifest.loader import load
from ..manifest.types import Manifest
from . import approvals, exits
from .exits import Exit, Interrupted
from .interrupt import interruptible
from .screen import Live, console
from .text import plain

DEFAULT_MANIFEST = Path("ringfence.yaml")
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


def decoded(text: str) -> str:
    """Text that can be encoded: bytes of the command line or a terminal that are no UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def bounded(manifest: Manifest, max_steps: int | None) -> Manifest:
    """The manifest with another bound on model calls."""
    if max_steps is None:
        return manifest
    return manifest.model_copy(update={"workflow": manifest.workflow.model_copy(update={"max_steps": max_steps})})


def execute(wanted: Wanted) -> Exit:
    """Do it; the exit code says how it went. With `as_json`, stdout is one JSON object whatever happens."""
    seen: list[str] = []
    try:
        result = asyncio.run(interruptible(_run(wanted, seen)))
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
        _print_json(asdict(result))
    else:
        print(plain(result.answer))
    if result.status == "waiting":
        print(f"a person has to decide: ringfence approvals, then approve or deny {result.run_id}", file=sys.stderr)
    if result.status == "uncertain":
        print(f"a person has to decide; look with: ringfence runs show {result.run_id}", file=sys.stderr)
    return exits.of_status(result.status)


def resume_hint(run_id: str, manifest: Path) -> str:
    """The command that goes on with a run."""
    other = "" if manifest == DEFAULT_MANIFEST else f" --manifest {shlex.quote(str(manifest))}"
    return f"ringfence run --resume {run_id}{other}"


async def _run(wanted: Wanted, seen: list[str]) -> Result:
    """Stream the run to stderr; `seen` gets the run's id as soon as there is one."""
    from .models import fetch_missing

    out = console(stderr=True)
    manifest = bounded(load(wanted.manifest), wanted.max_steps)
    wanted.as_json = wanted.as_json or manifest.workflow.output_format == "structured_json"
    await fetch_missing(manifest, out, offline=wanted.offline)
    async with app.from_manifest(manifest) as agent:
        if wanted.resume:
            seen.append(agent.turn(wanted.resume).run)
        events = agent.stream_resume(seen[0]) if seen else agent.stream(wanted.task)
        recalled = agent.journal.log.read(seen[0]) if seen else ()
        for warning in agent.warnings:
            out.print(warning, style="bold red", soft_wrap=True)
        while True:
            with Live(out, quiet=wanted.quiet) as live:
                live.recall(recalled)
                result = await live.follow(events, seen)
            here = sys.stdin.isatty() and sys.stderr.isatty() and not wanted.as_json
            if result.status != "waiting" or not here or not await approvals.inline(agent, result.run_id):
                return result
            recalled, events = agent.journal.log.read(result.run_id), agent.stream_resume(result.run_id)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None))
