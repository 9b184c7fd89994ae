"""`ringfence approvals | approve | deny`, and the same question inline: what a person sees before they say yes."""

from __future__ import annotations

import asyncio
import json
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import app
from ..core.errors import JournalError
from ..engine.consent import Question
from ..engine.result import Result
from ..engine.step import TOOL
from ..manifest.loader import load
from . import exits
from .exits import Exit
from .interrupt import interruptible
from .screen import Live, console
from .text import duration, one_line, plain

_POLL_S = 0.5  # how often a prompt looks whether somebody else has answered
_VALUE_CHARS = 2_000  # of one value on the screen; a yes is bound to all of it
CHOICES = "[y]es, this call once   [t]rust its values for this run too   [n]o   [l]ater"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said; `trust`: the values that nobody vouches for hold for the rest of the run."""

    yes: bool
    trust: bool = False
    why: str = ""


def screen(asked: Question, preview: str) -> Iterator[str]:
    """The question, line by line: resolved values, where each comes from, what would change. All of it escaped."""
    yield f"run {asked.run} asks: may it call {asked.action.sink.removeprefix(TOOL)}?"
    yield f"  task    {one_line(asked.task)}"
    yield f"  why     {asked.rule}: {one_line(asked.why)}"
    control = {origin.argument.partition("/")[0] for origin in asked.origins}
    for origin in asked.origins:
        kind = f", as {origin.kind}" if origin.kind else ""
        yield f"  {origin.argument} = {_shown(origin.value)}   ({_source(origin.source)}{kind})"
    for name, text in asked.texts:
        yield f"  {name} (free text):"
        yield from (f"    | {line}" for line in plain(_cut(text)).splitlines())
    shown = control | {name for name, _ in asked.texts}
    for name, value in asked.action.args.items():
        if name not in shown:
            yield f"  {name} = {_shown(value)}"
    if asked.action.label.readers:
        clauses = (" or ".join(sorted(clause)) for clause in asked.action.label.readers)
        yield f"  made from what may be read by {'; and '.join(sorted(clauses))}"
    if preview:
        yield "  it would change:"
        yield from (f"    {line}" for line in plain(preview).splitlines())
    if asked.stale:
        yield "  the policy has changed since: resume the run, and it asks anew"
    yield f"  digest  {asked.digest[:16]}"


def _source(source: str) -> str:
    match source:
        case "":
            return "NOBODY VOUCHES FOR IT"
        case "you":
            return "you wrote it"
        case _ if source.startswith("r"):
            return f"from result {plain(source)}"
        case _:
            return f"trusted by {plain(source)}"


def _shown(value: object) -> str:
    return plain(_cut(json.dumps(value, ensure_ascii=False)))


def _cut(text: str) -> str:
    return (
        text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]} [and {len(text) - _VALUE_CHARS} characters more]"
    )


def list_waiting(manifest: Path, *, as_json: bool) -> Exit:
    """Every question that is open, with all that a person has to see."""

    async def work() -> None:
        async with app.from_manifest(load(manifest)) as agent:
            for asked in agent.waiting():
                if as_json:
                    print(json.dumps(_as_json(asked)))
                    continue
                print("\n".join(screen(asked, await agent.preview(asked))))
                print(f"  asked   {duration(max(0, app.now_ms() - asked.asked))} ago\n")

    asyncio.run(interruptible(work()))
    return Exit.DONE


def _as_json(asked: Question) -> dict[str, object]:
    origins = [
        {"argument": o.argument, "value": o.value, "type": o.kind, "origin": o.source or None} for o in asked.origins
    ]
    return {
        "run_id": asked.run, "tool": asked.action.sink.removeprefix(TOOL), "args": dict(asked.action.args),
        "rule": asked.rule, "why": asked.why, "digest": asked.digest, "asked_ms": asked.asked, "stale": asked.stale,
        "origins": origins, "task": asked.task,
    }  # fmt: skip


def answer(
    manifest: Path, run_id: str, said: Answer, *, digest: str = "", endorse: tuple[str, ...] = (), resume: bool = True
) -> Exit:
    """Answer from another terminal; then the run goes on where it is held, or else here."""

    async def work() -> Result | None:
        async with app.from_manifest(load(manifest)) as agent:
            run = agent.turn(run_id).run
            await tell(agent, run, said, digest=digest, endorse=endorse)
            if not resume:
                return None
            with Live(console(stderr=True)) as live:
                live.recall(agent.journal.log.read(run))
                return await live.follow(agent.stream_resume(run), [run])

    word = "approved" if said.yes else "denied"
    try:
        result = asyncio.run(interruptible(work()))
    except JournalError as error:
        if "another process" not in error.what:
            raise
        print(f"{word}; the run goes on where it waits")
        return Exit.DONE
    if result is None:
        print(f"{word}; go on with: ringfence run --resume {run_id}")
        return Exit.DONE
    print(plain(result.answer))
    return exits.of_status(result.status)


async def tell(agent: app.Agent, run: str, said: Answer, *, digest: str = "", endorse: tuple[str, ...] = ()) -> None:
    """Put an answer on record."""
    if said.yes and said.trust and not endorse:
        endorse = tuple(origin.argument for origin in agent.asks(run).origins if not origin.source)
    await agent.answer(run, said.yes, digest=digest, endorse=endorse, why=said.why)


async def inline(agent: app.Agent, run: str) -> bool:
    """Ask the person at this terminal; whether the run can go on. Somebody else's answer counts just as well."""
    asked = agent.asks(run)
    print("\n" + "\n".join(screen(asked, await agent.preview(asked))), file=sys.stderr)
    with agent.holding(run):  # whoever answers from another terminal leaves the run to this one
        while True:
            print(f"{CHOICES} > ", end="", file=sys.stderr, flush=True)
            line = await asyncio.to_thread(_line, agent, run)
            if line is None:
                print("answered elsewhere", file=sys.stderr)
                return True
            match line.strip().lower()[:1]:
                case "y" | "t" as yes:
                    await tell(agent, run, Answer(True, trust=yes == "t"), digest=asked.digest)
                    return True
                case "n":
                    why = line.strip()[1:].strip(" o:,")
                    await tell(agent, run, Answer(False, why=why), digest=asked.digest)
                    return True
                case "l" | "":
                    return False


def _line(agent: app.Agent, run: str) -> str | None:
    """A line of the terminal, "" at its end; None once the question was answered elsewhere."""
    while not select.select([sys.stdin], [], [], _POLL_S)[0]:
        if agent.turn(run).question is None:
            return None
    return sys.stdin.readline()
