"""`ringfence approvals | approve | deny`, and the same question inline, where the run waits."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import termios
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from .. import app
from ..core.errors import JournalError
from ..core.turn import State
from ..engine.consent import Question
from ..engine.result import Result
from ..manifest.loader import load
from ..stores.hold import Held
from . import exits
from .exits import Exit
from .interrupt import interruptible
from .question import as_json, find_out, folded, option, screen, ways
from .screen import Live, console
from .text import decoded, duration, plain

if TYPE_CHECKING:
    from ..stores.sqlite import SqliteJournal

_POLL_S = 0.3  # how often a prompt looks whether somebody else has answered
_LINE_BYTES = 4096  # a terminal hands over no longer line (N_TTY)
CHOICES = "[y]es, this call once   [t]rust its values for this run too   [n]o, and why   [l]ater"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said; `trust`: the values that nobody vouches for hold for the rest of the run."""

    yes: bool
    trust: bool = False
    why: str = ""


def parse(line: str) -> Answer | None:
    """A typed line: `y`, `t`, `n` or `n, because ...`; None for no answer. Only a whole word is a yes."""
    word, _, rest = decoded(line).strip().partition(" ")
    match word.rstrip(",:;.").casefold():
        case "y" | "yes" if not rest:
            return Answer(True)
        case "t" | "trust" if not rest:
            return Answer(True, trust=True)
        case "n" | "no":
            return Answer(False, why=rest.strip())
        case _:
            return None


def list_waiting(manifest: Path, *, as_objects: bool) -> Exit:
    """Every question that is open, with all that a person has to see; with `as_objects`, a JSON object a line."""

    async def work() -> None:
        async with app.from_manifest(load(manifest)) as agent:
            shout(agent)
            asked: Question
            for asked in agent.waiting():
                preview = await agent.preview(asked)
                if as_objects:
                    print(json.dumps({**as_json(asked, preview), "warnings": agent.warnings}))
                    continue
                _print(screen(asked, preview), console())
                print(f"  asked   {duration(max(0, app.now_ms() - asked.asked))} ago{_until(asked)}")
                print("\n".join(f"  -> {way}" for way in ways(asked, manifest)) + "\n")

    asyncio.run(interruptible(work()))
    return Exit.DONE


def answer(
    manifest: Path, run_id: str, said: Answer, *, digest: str = "", endorse: tuple[str, ...] = (), resume: bool = True
) -> Exit:
    """Answer from another terminal; then the run goes on where it is held, or else here."""

    async def work() -> Result | None:
        async with driven(manifest) as agent:
            run = agent.turn(run_id).run
            await tell(agent, run, said, digest=digest.lower(), endorse=endorse)
            print(f"{'approved' if said.yes else 'denied'}: run {run}", file=sys.stderr)
            if not resume:
                print(f"go on with: ringfence run --resume {run}{option(manifest)}", file=sys.stderr)
                return None
            try:
                return await follow(agent, agent.stream_resume(run), [run], console(stderr=True), ask=at_terminal())
            except Held:
                print("it goes on where it waits", file=sys.stderr)
                return None

    result = asyncio.run(interruptible(work()))
    if result is None:
        return Exit.DONE
    if result.answer:
        print(plain(result.answer))
    if result.status == "uncertain":
        print(find_out(result.summary, manifest), file=sys.stderr)
    return exits.of_status(result.status)


@asynccontextmanager
async def driven(manifest: Path) -> AsyncIterator[app.Agent]:
    """An agent that puts something on record: it keeps the log, and says what it has to at its beginning and end."""
    loaded = load(manifest)
    app.keep_log(loaded)
    async with app.from_manifest(loaded) as agent:
        shout(agent)
        yield agent
    warn(agent)


def shout(agent: app.Agent) -> None:
    """What every output has to say, where it does not get into the data."""
    for warning in agent.warnings:
        console(stderr=True).print(warning, style="bold red", soft_wrap=True)


def warn(closed: app.Agent | SqliteJournal) -> None:
    """Say what became of the heads of the log, which go out until it is closed."""
    for trouble in closed.troubles:
        print(plain(f"warning: {trouble}; the log is kept, and its next head goes there again"), file=sys.stderr)


def at_terminal() -> bool:
    """Whether a person is here who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def tell(agent: app.Agent, run: str, said: Answer, *, digest: str = "", endorse: tuple[str, ...] = ()) -> None:
    """Put an answer on record; raises JournalError for one that cannot count."""
    if said.yes and said.trust and not endorse:
        endorse = tuple(origin.argument for origin in agent.asks(run).origins if not origin.source)
    await agent.answer(run, said.yes, digest=digest, endorse=endorse, why=decoded(said.why))


async def follow(
    agent: app.Agent,
    events: AsyncGenerator[app.Event | Result, None],
    seen: list[str],
    out: Console,
    *,
    ask: bool,
    quiet: bool = False,
) -> Result:
    """Show a run to its end; with `ask`, put what it asks to the person here, and go on once anybody has answered.

    `seen` gets the run's id as soon as there is one; a run that is resumed is in it already.
    """
    live = Live(out, quiet=quiet)
    live.recall(agent.journal.log.read(seen[0]) if seen else ())
    with live:
        result = await live.follow(events, seen)
    while ask and result.status == "waiting":
        try:
            with agent.holding(result.run_id):  # whoever answers from another terminal leaves the run to this one
                return await _answered(agent, result, live)
        except Held:  # they were quicker, and go on with it there: look on until they let go of it
            await asyncio.sleep(_POLL_S)
    return result


async def _answered(agent: app.Agent, result: Result, live: Live) -> Result:
    """Ask, and go on with the run, as long as it asks and is answered."""
    run = result.run_id
    while result.status == "waiting" and await inline(agent, run):
        with live:
            live.catch_up(agent.journal.log.read(run))
            result = await live.follow(agent.stream_resume(run), [run])
    return result


async def inline(agent: app.Agent, run: str) -> bool:
    """Ask the person at this terminal; whether the run can go on. Somebody else's answer counts just as well."""
    try:
        asked = agent.asks(run)
    except JournalError:
        return True  # answered before it could be asked here
    print(file=sys.stderr)
    _print(screen(asked, await agent.preview(asked)), console(stderr=True))
    return await _prompt(agent, asked)


async def _prompt(agent: app.Agent, asked: Question) -> bool:
    while True:
        line = await _typed(agent, asked)
        if line is None:
            late = asked.overdue(app.now_ms())
            print(f"\n{'nobody answered in time' if late else 'answered elsewhere'}", file=sys.stderr)
            return True
        if not line or line.strip().casefold() in ("l", "later"):
            return False
        if (said := parse(line)) is None:
            continue
        try:
            await tell(agent, asked.run, said, digest=asked.digest)  # bound to what was on the screen
        except JournalError as error:
            exits.complain(error)  # somebody who may say yes can still do so elsewhere
        else:
            return True


async def _typed(agent: app.Agent, asked: Question) -> str | None:
    """A line of the terminal, "" at its end; None once the question was answered elsewhere, or has expired.

    What was typed before the prompt was there is dropped: it cannot have been meant as an answer to it.
    """
    loop, terminal, ready = asyncio.get_running_loop(), sys.stdin.fileno(), asyncio.Event()
    termios.tcflush(terminal, termios.TCIFLUSH)
    print(f"{CHOICES} > ", end="", file=sys.stderr, flush=True)
    loop.add_reader(terminal, ready.set)  # no thread: Ctrl-C ends it at once
    try:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), _POLL_S)
            if ready.is_set():
                return _read(terminal)
            if asked.overdue(app.now_ms()) or agent.turn(asked.run).state is not State.WAITING:
                return None
    finally:
        loop.remove_reader(terminal)


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, _LINE_BYTES).decode(errors="replace")
    except OSError:  # the terminal is gone
        return ""


async def undecided(agent: app.Agent, run: str, manifest: Path) -> dict[str, object] | None:
    """What a run waits for, as JSON; how to answer goes to stderr. None if it waits no more."""
    try:
        asked = agent.asks(run)
    except JournalError:
        return None
    print("a person has to decide; `ringfence approvals` shows all of it:", file=sys.stderr)
    for way in ways(asked, manifest):
        print(f"  {way}", file=sys.stderr)
    return as_json(asked, await agent.preview(asked))


def _until(asked: Question) -> str:
    """How long it waits."""
    left = asked.expires - app.now_ms()
    if not asked.expires:
        return ""
    return f", expires in {duration(left)}" if left > 0 else "; it has EXPIRED: no answer counts any more"


def _print(lines: Iterable[str], out: Console) -> None:
    for line in folded(lines, out.width):
        print(line, file=out.file)
