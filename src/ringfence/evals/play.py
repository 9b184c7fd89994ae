"""Cases played through an agent, one at a time, each in a folder of its own where the suite says how to make one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from ringfence import app
from ringfence.core.errors import BackendError, ContextOverflow, JournalError, ManifestError
from ringfence.engine.result import Result
from ringfence.manifest.loader import load as load_manifest
from ringfence.manifest.types import Manifest

from .judge import judge
from .measure import Measured, later, whole
from .suite import Case, Expected, Suite, expected_of

SETUP_S = 300  # seconds that making one folder may take
EXPECT = "expect.json"  # what a setup may write into the folder; it is taken away before the agent starts
_ANSWERS = 100  # questions of one run that are answered with yes, at most
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")

Build = Callable[[Manifest], app.Agent]
Ready = Callable[[Manifest], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Side:
    """What is measured: a manifest, with another model in its first tier where `model` says so."""

    label: str
    manifest: Path
    model: str = ""

    def load(self, path: Path | None = None) -> Manifest:
        """Its manifest, or the one that was put in its place; raises ManifestError."""
        manifest = load_manifest(path or self.manifest)
        if not self.model:
            return manifest
        first, *others = manifest.inference.tiers
        tiers = (first.model_copy(update={"model": self.model}), *others)
        return manifest.model_copy(update={"inference": manifest.inference.model_copy(update={"tiers": tiers})})


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of one case, and what it cost.

    wrong      each thing that was expected and did not come; empty for a right run
    steps      of the model; `valid` of them could be read and their calls passed the schema
    served     model calls of runs that worked for it; what it cost is with them
    again      prompt tokens of all steps but the first, `again_cached` of which the server had evaluated before
    rungs      steps by the rung of the ladder that they were read on
    tiers      model calls by the tier that answered
    models     what the server of each tier calls its model
    """

    side: str
    case: str
    seed: int
    wrong: tuple[str, ...]
    status: str
    answer: str
    run_id: str
    seconds: float
    steps: int
    valid: int
    calls: tuple[str, ...] = ()
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    again: int = 0
    again_cached: int = 0
    rungs: dict[str, int] = field(default_factory=dict)
    tiers: dict[str, int] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    served: int = 0
    folder: str = ""

    @property
    def asked(self) -> int:
        """Model calls in all."""
        return self.steps + self.served

    @property
    def right(self) -> bool:
        """Whether nothing was wrong."""
        return not self.wrong

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is a run of."""
        return self.side, self.case, self.seed


@dataclass(frozen=True, slots=True)
class Room:
    """Where a run takes place, and what its setup says is right there."""

    agent: app.Agent
    root: Path
    expected: Mapping[str, Expected]
    values: Mapping[str, str]
    kept: str = ""


class Player:
    """Plays cases. `build` makes the agent of a manifest; `ready` is awaited before, to fetch what is missing.

    With `keep`, the folders of runs stay there, as CASE/SEED below the side's label.
    """

    def __init__(self, suite: Suite, *, build: Build = app.from_manifest, ready: Ready | None = None,
                 keep: Path | None = None) -> None:  # fmt: skip
        self._suite, self._build, self._ready, self._keep = suite, build, ready, keep
        self._shared: dict[str, app.Agent] = {}
        self._seen: set[str] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Player:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def play(self, side: Side, case: Case, seed: int) -> tuple[Trial, str]:
        """One run, and why the model's server never answered in it, if it never did.

        Raises ManifestError for a manifest or setup that cannot be meant, BackendError for a model that is not here.
        """
        async with self._room(side, case, seed) as room:
            expected = case.with_expected(room.expected.get(case.id, Expected()))
            if expected.empty:
                what = f"case {case.id!r}: expected something to check, got none in the suite, and none in {EXPECT}"
                raise ManifestError(what, todo="add answer, calls or files to the case, or let the setup write them")
            task = _filled(case, room.values if self._suite.setup else None)
            began = time.monotonic()
            result, said = await _run(room.agent, task, approve=case.approve)
            seconds = time.monotonic() - began
            ran = whole(room.agent.journal.log, result.run_id)
            wrong = judge(
                expected, case.budget,
                status=result.status, answer=result.answer or result.summary if result.status != "waiting" else "",
                seconds=seconds, ran=ran, root=room.root,
            )  # fmt: skip
            if result.status == "waiting":  # nobody will answer it any more
                await room.agent.cancel(result.run_id)
            trial = _trial(side, case, seed, result, ran, (*said, *wrong), seconds, room.kept)
            return trial, ran.faults[-1][1] if ran.faults and not ran.steps and _absent(ran) else ""

    @asynccontextmanager
    async def _room(self, side: Side, case: Case, seed: int) -> AsyncIterator[Room]:
        if not self._suite.lone:
            agent = await self._agent_of(side)
            yield Room(agent, agent.manifest.root, {}, {})
            return
        async with AsyncExitStack() as stack:
            folder = self._folder(stack, side, case, seed)
            path = await furnish(self._suite, side, folder, seed)
            expected, values = expected_of(folder / EXPECT)
            (folder / EXPECT).unlink(missing_ok=True)  # the agent must not read what is right
            if strays := set(expected) - {one.id for one in self._suite.cases}:
                what = f"{EXPECT} of the setup: expected ids of cases, got {', '.join(sorted(strays))}"
                raise ManifestError(what, todo="correct the setup script of the suite")
            manifest = side.load(path)
            await self._get_ready(side, manifest)
            agent = await stack.enter_async_context(self._build(manifest))
            yield Room(agent, manifest.root, expected, values, str(folder) if self._keep else "")

    def _folder(self, stack: AsyncExitStack, side: Side, case: Case, seed: int) -> Path:
        if self._keep is None:
            return Path(stack.enter_context(TemporaryDirectory(prefix="ringfence-eval-", ignore_cleanup_errors=True)))
        folder = self._keep / re.sub(r"[^\w.-]+", "_", side.label) / case.id / str(seed)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder.absolute()

    async def _agent_of(self, side: Side) -> app.Agent:
        if side.label not in self._shared:
            manifest = side.load()
            await self._get_ready(side, manifest)
            self._shared[side.label] = await self._stack.enter_async_context(self._build(manifest))
        return self._shared[side.label]

    async def _get_ready(self, side: Side, manifest: Manifest) -> None:
        if self._ready is not None and side.label not in self._seen:
            await self._ready(manifest)
        self._seen.add(side.label)


def _absent(ran: Measured) -> bool:
    """Whether it was the model's server that failed, and not a prompt that it cannot hold."""
    return ran.faults[-1][0] != ContextOverflow.__name__


async def furnish(suite: Suite, side: Side, folder: Path, seed: int) -> Path:
    """Fill a folder for one run and return where its manifest is; raises ManifestError with the setup's own words."""
    for part in suite.fresh:
        source, target = suite.folder / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".ringfence"))
            else:
                shutil.copy(source, target)
        except (OSError, shutil.Error) as error:
            what = f"{suite.source}: fresh: expected {part} beside it, got: {error}"
            raise ManifestError(what, todo="correct the path, or take it out of fresh") from None
    if suite.setup is not None:
        script = suite.folder / suite.setup
        if not script.is_file():
            what = f"{suite.source}: setup: expected a Python script, got no such file: {script}"
            raise ManifestError(what, todo="correct the path of setup")
        await _set_up(script, folder, seed)
    outside = suite.manifest.is_absolute() or ".." in suite.manifest.parts
    inside = folder / (suite.manifest.name if outside else suite.manifest)
    own = side.manifest == suite.folder / suite.manifest
    if not (own and inside.exists()):  # another manifest is played in the same folder, in place of the suite's own
        if not side.manifest.exists():
            await asyncio.to_thread(load_manifest, side.manifest)  # raises, with what to do
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(side.manifest, inside)
        if (beside := side.manifest.parent / ".env").is_file():
            shutil.copy(beside, inside.parent / ".env")
    return inside


async def _set_up(script: Path, folder: Path, seed: int) -> None:
    todo = f"try it: {Path(sys.executable).name} {script} FOLDER --seed {seed}"
    with TemporaryFile() as said:  # no pipe: a server that the setup leaves behind would hold it open
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), str(folder), "--seed", str(seed),
            cwd=script.parent, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=said,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(SETUP_S):
                await process.wait()
        except TimeoutError:
            raise ManifestError(f"setup: {script.name} was not done after {SETUP_S} seconds", todo=todo) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        said.seek(0)
        words = said.read().decode("utf-8", "replace").strip()[-2000:] or "it said nothing"
    if process.returncode:
        raise ManifestError(f"setup: {script.name} ended with exit code {process.returncode}:\n{words}", todo=todo)


def _filled(case: Case, values: Mapping[str, str] | None) -> str:
    """The task with its placeholders filled in; without a setup there are none."""
    if values is None:
        return case.task
    if missing := [name for name in _PLACE.findall(case.task) if name not in values]:
        what = f"case {case.id!r}: expected a value for {{{missing[0]}}}, got none in vars of {EXPECT}"
        raise ManifestError(what, todo="let the setup write it, or write the task without braces")
    return _PLACE.sub(lambda found: values[found[1]], case.task)


async def _run(agent: app.Agent, task: str, *, approve: bool) -> tuple[Result, list[str]]:
    """The run to its end, and what a person who says yes to all it asks could not say yes to."""
    result = await agent.run(task)
    for _ in range(_ANSWERS if approve else 0):
        if result.status != "waiting":
            break
        try:
            await agent.answer(result.run_id, True, digest=agent.asks(result.run_id).digest)
        except JournalError as error:
            return result, [f"expected a yes to count, got: {error.what}"]
        result = await agent.resume(result.run_id)
    return result, []


def _trial(
    side: Side, case: Case, seed: int, result: Result, ran: Measured, wrong: Sequence[str], seconds: float, kept: str
) -> Trial:
    rungs: Mapping[str, Any] = getattr(result, "rungs", {})
    after = list(later(ran.steps))
    return Trial(
        side=side.label,
        case=case.id,
        seed=seed,
        wrong=tuple(wrong),
        status=result.status,
        answer=result.answer or result.summary,
        run_id=result.run_id,
        seconds=round(seconds, 2),
        steps=len(ran.steps),
        valid=sum(step.valid for step in ran.steps),
        calls=tuple(f"{call.tool}{'' if call.ok else '!'}" for call in ran.calls),
        prompt=sum(one.prompt for one in ran.asked),
        completion=sum(one.completion for one in ran.asked),
        cached=sum(one.cached for one in ran.asked),
        again=sum(step.prompt for step in after),
        again_cached=sum(step.cached for step in after),
        rungs=dict(rungs),
        tiers=dict(Counter(one.tier for one in ran.asked)),
        models={one.tier: one.model for one in ran.asked if one.model},
        served=len(ran.served),
        folder=kept,
    )


def order(sides: Sequence[Side], cases: Sequence[Case], seeds: Iterable[int]) -> list[tuple[Side, Case, int]]:
    """What is played, in order: after each seed every side has seen the same cases."""
    return [(side, case, seed) for seed in seeds for side in sides for case in cases]


async def play_all(
    player: Player, wanted: Sequence[tuple[Side, Case, int]], known: set[tuple[str, str, int]],
    told: Callable[[Trial], None], *, until: float = float("inf"),
) -> None:  # fmt: skip
    """Play what has no run yet; `told` gets each run. None is begun at or after `until`, by the monotonic clock.

    Raises BackendError if the model's server cannot be reached at the start, or in two runs one after the other: such
    runs say nothing about the model and are not told.
    """
    answered, held = False, list[Trial]()
    for side, case, seed in wanted:
        if (side.label, case.id, seed) in known:
            continue
        if time.monotonic() >= until:
            break
        trial, why = await player.play(side, case, seed)
        if why and (held or not answered):
            raise BackendError(f"{side.label}: the model did not answer: {why}", todo="then give the command again")
        if why:
            held.append(trial)
            continue
        answered = True
        for one in (*held, trial):
            told(one)
        held.clear()
    for one in held:
        told(one)
