"""`ringfence runs`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, Offline, Open, Quiet, RunId, group

runs = group("What is on the record: list, show, resume, settle, cancel, export, fork, replay and compare runs.")


@runs.command("list")
def runs_list(
    manifest: Manifest = HERE,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="how many, newest first")] = 20,
    as_json: Json = False,
) -> None:
    """The newest runs."""
    from .. import runs as command

    command.list_runs(manifest, limit=limit, as_json=as_json)


@runs.command("show")
def runs_show(
    run_id: RunId,
    manifest: Manifest = HERE,
    full: Annotated[bool, typer.Option("--full", help="whole thoughts and results")] = False,
    seqs: Annotated[bool, typer.Option("--seq", help="the number of the record behind each line")] = False,
    passage: Open = None,
) -> None:
    """The timeline of a run as a tree; or, with --open, a passage that it was shown."""
    if passage is not None:
        from .. import cited

        cited.open_passage(manifest, run_id, passage)
        return
    from .. import runs as command

    command.show(manifest, run_id, full=full, seqs=seqs)


@runs.command("resume")
def runs_resume(
    run_id: RunId, manifest: Manifest = HERE, as_json: Json = False, quiet: Quiet = False, offline: Offline = False
) -> None:
    """Go on with a run that was interrupted; the same as `run --resume ID`."""
    from .. import run as command

    wanted = command.Wanted(manifest, resume=run_id, as_json=as_json, quiet=quiet, offline=offline)
    raise typer.Exit(command.execute(wanted))


@runs.command("uncertain")
def runs_uncertain(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """Calls of which nobody knows whether they were done, and how to say so."""
    from .. import uncertain as command

    raise typer.Exit(command.list_uncertain(manifest, as_json=as_json))


@runs.command("settle")
def runs_settle(
    run_id: RunId,
    manifest: Manifest = HERE,
    done: Annotated[bool, typer.Option("--done", help="it was done")] = False,
    not_done: Annotated[bool, typer.Option("--not-done", help="it was not: the model may do it again")] = False,
    call: Annotated[int | None, typer.Option(metavar="SEQ", help="which call, where there are several")] = None,
    result: Annotated[str | None, typer.Option(metavar="JSON", help="with --done: what it answered; or a text")] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="with --not-done: the model is told")] = "",
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="go on with the run")] = True,
) -> None:
    """Say whether such a call was done; the run goes on."""
    from .. import uncertain as command

    if done == not_done:
        raise typer.BadParameter("expected --done or --not-done, one of the two: it cannot be taken back")
    raise typer.Exit(command.settle(manifest, run_id, done=done, call=call, result=result, why=why, resume=resume))


@runs.command("cancel")
def runs_cancel(run_id: RunId, manifest: Manifest = HERE) -> None:
    """End an interrupted run for good."""
    from .. import runs as command

    raise typer.Exit(command.cancel(manifest, run_id))


@runs.command("export")
def runs_export(
    run_id: RunId,
    manifest: Manifest = HERE,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write to a file (0600) instead of stdout")] = None,
) -> None:
    """The records of a run as JSON lines: what was hashed, and the content."""
    from .. import runs as command

    command.export(manifest, run_id, out)


@runs.command("fork")
def runs_fork(
    run_id: RunId,
    at: Annotated[int, typer.Option(metavar="SEQ", help="the last record that the new run begins with")],
    task: Annotated[str | None, typer.Option(metavar="TEXT", help="another task in place of the run's")] = None,
    manifest: Manifest = HERE,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="go on with it at once")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
    offline: Offline = False,
) -> None:
    """Begin a new run with the first records of another one: what if it had gone on otherwise?"""
    from .. import fork as command
    from .. import run

    given = "" if task is None else run.read_task(task)
    wanted = run.Wanted(manifest, given, run_id, at=at, as_json=as_json, quiet=quiet, offline=offline)
    raise typer.Exit(command.execute(wanted, resume=resume))


@runs.command("replay")
def runs_replay(
    run_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="runs, by id or beginning")] = None,
    manifest: Manifest = HERE,
    every: Annotated[bool, typer.Option("--all", help="every run on record")] = False,
    decisions: Annotated[bool, typer.Option("--decisions", help="compare decisions alone, not prompts")] = False,
    as_json: Json = False,
) -> None:
    """Decide again, under the manifest as it is now, what runs decided; 1 if anything differs. Nothing is done."""
    from .. import replay as command

    raise typer.Exit(command.execute(manifest, run_ids or (), every=every, decisions=decisions, as_json=as_json))


@runs.command("diff")
def runs_diff(
    run_id: RunId,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="the run to compare it with")],
    manifest: Manifest = HERE,
    as_json: Json = False,
) -> None:
    """Where two runs part, and the calls, results, refusals and answers that differ; 1 if anything does."""
    from .. import compare as command

    raise typer.Exit(command.execute(manifest, run_id, other, as_json=as_json))
