"""`ringfence eval`: a suite of cases through an agent; progress on stderr, the table on stdout."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import app
from ..core.errors import BackendError, ManifestError
from ..evals.kept import Kept
from ..evals.play import Player, Side, Trial, order, play_all
from ..evals.report import Report, as_json, line, markdown, report, text
from ..evals.suite import Case, Suite, load
from ..manifest.fields import nearest
from ..manifest.loader import load as load_manifest
from ..manifest.types import Manifest
from . import exits
from .exits import Exit, Interrupted
from .interrupt import interruptible
from .screen import console
from .text import plain


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for; what is empty or None is as the suite says."""

    file: Path
    runs: int | None = None
    seed: int = 1
    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    compare: Path | None = None
    gate: str = ""
    json: Path | None = None
    markdown: Path | None = None
    keep: Path | None = None
    minutes: float | None = None
    quiet: bool = False
    offline: bool = False


def execute(wanted: Wanted) -> Exit:
    """Play the suite and print what came of it: 0 if the gate is reached, 1 if not, 2 if it cannot be played."""
    suite = load(wanted.file)
    cases, sides = chosen(suite, wanted.only, wanted.tags), sides_of(suite, wanted.models, wanted.compare)
    if wanted.gate and wanted.gate not in suite.gates:
        todo = nearest(wanted.gate, suite.gates) if suite.gates else "the suite has no gates by name"
        raise ManifestError(f"{wanted.file} has no gate {wanted.gate!r}", todo=todo)
    for file in (wanted.json, wanted.markdown):
        if file is not None and not file.absolute().parent.is_dir():
            raise ManifestError(f"{file}: expected a file in a folder that is there", todo=f"make {file.parent} first")
    kept = Kept(wanted.json, suite, sides)
    seeds = range(wanted.seed, wanted.seed + (wanted.runs or suite.runs))
    asked = order(sides, cases, seeds)
    counted = {(side.label, case.id, seed) for side, case, seed in asked}

    def found() -> Report:
        trials = [trial for trial in kept.trials if trial.key in counted]
        return report(suite, [side.label for side in sides], trials, cases, wanted.gate)

    try:
        asyncio.run(interruptible(_play(wanted, suite, asked, kept)))
    except Interrupted as stopped:
        _stopped(wanted, found(), len(kept.known & counted), len(counted))
        return Exit(stopped.code)
    except BackendError as error:  # the suite says nothing about the model then, and neither does the exit code
        exits.complain(error)
        _left(wanted, len(kept.known & counted), len(counted))
        return Exit.USAGE
    if counted - kept.known:  # the time is up
        _stopped(wanted, found(), len(kept.known & counted), len(counted))
        return Exit.USAGE
    whole = found()
    if wanted.json is not None:
        kept.write(wanted.json, as_json(whole))
    if wanted.markdown is not None:
        wanted.markdown.write_text(markdown(whole), "utf-8")
    _print(whole)
    return Exit.DONE if whole.passed else Exit.UNANSWERED


def chosen(suite: Suite, only: Sequence[str] = (), tags: Sequence[str] = ()) -> list[Case]:
    """The cases of these ids and of any of these tags; raises ManifestError for one that there is not."""
    ids, known = [case.id for case in suite.cases], sorted({tag for case in suite.cases for tag in case.tags})
    if strays := [name for name in only if name not in ids]:
        raise ManifestError(f"{suite.source.name} has no case {strays[0]!r}", todo=nearest(strays[0], ids))
    if strays := [tag for tag in tags if tag not in known]:
        todo = nearest(strays[0], known) if known else "its cases have no tags"
        raise ManifestError(f"{suite.source.name} has no case with the tag {strays[0]!r}", todo=todo)
    found = [case for case in suite.cases if (not only or case.id in only) and (not tags or set(tags) & set(case.tags))]
    if not found:
        raise ManifestError("expected a case to play, got none that has both the ids and the tags", todo="name fewer")
    return found


def sides_of(suite: Suite, models: Sequence[str] = (), compare: Path | None = None) -> list[Side]:
    """What is played: the suite's manifest and the one to compare with, each with each of the models.

    A side is called by its model and, where there are two manifests, by its file. Raises ManifestError for a manifest
    that cannot be meant; the suite's own may be one that its setup makes.
    """
    files = [(suite.folder / suite.manifest, str(suite.manifest))]
    if compare is not None:
        files.append((compare.absolute(), str(compare)))
    found = []
    for file, shown in files:
        made = suite.setup is not None and file == files[0][0] and not file.exists()
        model = "" if made else load_manifest(file).inference.tiers[0].model
        for name in dict.fromkeys(models or ("",)):
            label = ", ".join(filter(None, (name or model or shown, shown if len(files) > 1 else "")))
            found.append(Side(label, file, name))
    if len({side.label for side in found}) < len(found):
        raise ManifestError("expected another manifest to compare with, got the suite's own", todo="name another")
    return found


async def _play(wanted: Wanted, suite: Suite, asked: list[tuple[Side, Case, int]], kept: Kept) -> None:
    from .models import fetch_missing

    out, number = console(stderr=True), len(kept.known & {(s.label, c.id, n) for s, c, n in asked})

    async def ready(manifest: Manifest) -> None:
        app.keep_log(manifest)
        await fetch_missing(manifest, out, offline=wanted.offline)

    def told(trial: Trial) -> None:
        nonlocal number
        number += 1
        kept.add(trial)
        if not wanted.quiet:
            side = f"{trial.side}: " if len({s.label for s, _, _ in asked}) > 1 else ""
            shown = f"{number:>{len(str(len(asked)))}}/{len(asked)} {side}{line(trial)}"
            print(plain(shown), file=sys.stderr, flush=True)

    async with Player(suite, build=app.from_manifest, ready=ready, keep=wanted.keep) as player:
        until = float("inf") if wanted.minutes is None else time.monotonic() + 60 * wanted.minutes
        await play_all(player, asked, kept.known, told, until=until)


def _print(found: Report, *, whole: bool = True) -> None:
    print(plain("\n".join(text(found, whole=whole))))


def _stopped(wanted: Wanted, found: Report, done: int, of: int) -> None:
    print(file=sys.stderr)
    if done:
        _print(found, whole=False)
    print("stopped", file=sys.stderr)
    _left(wanted, done, of)


def _left(wanted: Wanted, done: int, of: int) -> None:
    if wanted.json is not None and done:
        hint = f"{wanted.json} has them; the same command goes on"
    else:
        hint = "--json FILE keeps them, and goes on from there"
    print(f"{done} of {of} runs are done; {hint}", file=sys.stderr)
