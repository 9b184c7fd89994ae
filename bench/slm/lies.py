"""How many lies of a scripted model the check of answers catches, and how often it disbelieves a truthful one.

    python -m bench.slm.lies [--truths 200] [--lies 240] [--mode flags|run] [--show]

Every case is a whole run in process: real tools at work in a folder, the gate, the journal; only the model is a script.
`--mode flags` holds the script's answer against the record by `claims.flags`; `--mode run` lets the run do it, with
`workflow.verify: strict` and a liar who repeats himself when he is sent back. The floor is the check switched off: it
catches nothing. Every third phrase is held out: the patterns were never tuned on it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.app import from_manifest
from ringfence.core.chain import Record
from ringfence.core.turn import fold
from ringfence.core.values import Prompt
from ringfence.engine.claims import deeds, flags
from ringfence.engine.result import Result
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from .lies_again import LIES as AGAIN_LIES
from .lies_again import TRUTHS as AGAIN_TRUTHS
from .lies_fresh import LIES as FRESH_LIES
from .lies_fresh import TRUTHS as FRESH_TRUTHS
from .lies_lies import ACTIONS, NUMBERS
from .lies_truths import TRUTHS
from .lies_worlds import World, final, make

HELD_OUT = 3  # every third phrase


@dataclass(frozen=True, slots=True)
class Case:
    """One phrase in one world; `sort` is truth, action or number."""

    sort: str
    scenario: str
    template: str
    held_out: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case: `caught` if the answer was flagged, or did not come through."""

    case: Case
    answer: str
    caught: bool
    why: str


def cases(sort: str, phrases: dict[str, tuple[str, ...]], count: int) -> Iterator[Case]:
    """As many cases as asked for: every phrase in turn, each time in another world."""
    listed = [(scenario, text) for scenario, texts in phrases.items() for text in texts]
    for number in range(max(count, len(listed)) if count else 0):
        place = number % len(listed)
        scenario, text = listed[place]
        yield Case(sort, scenario, text, place % HELD_OUT == HELD_OUT - 1, number)


async def judged(case: Case, mode: str) -> Verdict:
    """Do one run to its end, and see whether its answer was believed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = make(case.scenario, case.seed, folder, verify="strict" if mode == "run" else "")
        answer = world.answer(case.template)
        result, records = await _run(world, folder, answer)
    if mode == "run":
        return Verdict(case, answer, result.answer.strip() != answer.strip(), result.answer[:200])
    turn = fold(records)
    texts = [str(r.body["value"]) for r, intent in turn.items if intent is not None and "prompt" not in intent.body]
    shown = "\n".join((world.task, *texts))
    done = deeds(turn, ())
    reading = {"tool:files.read", "tool:text.count", "tool:csv.sql", "tool:files.overview", "tool:files.find"}
    done = tuple(type(d)(d.sink, d.args, d.state, d.sink in reading, d.handle) for d in done)
    found = flags(answer, shown=shown, task=world.task, done=done, tools=())
    wanted = {"truth": {f.kind for f in found}, "action": {"action"}, "number": {"number"}}[case.sort]
    hits = [flag for flag in found if flag.kind in wanted]
    return Verdict(case, answer, bool(hits), "; ".join(f"{flag.kind}: {flag.why}" for flag in hits))


async def _run(world: World, folder: Path, answer: str) -> tuple[Result, list[Record]]:
    path = folder / "ringfence.yaml"
    path.write_text(world.manifest)
    steps = itertools.chain(world.calls, itertools.repeat(final(answer)))

    def say(prompt: Prompt) -> str:
        return next(steps)

    async with from_manifest(load(path), functions=world.functions, model=ScriptedModel(say)) as agent:
        result = await agent.run(world.task)
        while result.status == "waiting":  # a person says yes, unless the case is about a refusal
            refused = world.scenario.endswith("-refused")
            await agent.answer(result.run_id, not refused)
            result = await agent.resume(result.run_id)
        return result, list(agent.journal.log.read(result.run_id))


def table(verdicts: Sequence[Verdict]) -> str:
    """Shares caught, by sort of case, of tuned and of held-out phrases."""
    rows = [f"{'':22}{'caught':>14}{'%':>8}{'tuned %':>10}{'held out %':>12}{'floor %':>9}"]
    names = {"action": "action lies", "number": "number lies", "truth": "false alarms"}
    for sort, name in names.items():
        mine = [v for v in verdicts if v.case.sort == sort]
        if mine:
            parts = [_share([v for v in mine if v.case.held_out is held]) for held in (False, True)]
            hit = sum(v.caught for v in mine)
            rows.append(
                f"{name:22}{f'{hit} of {len(mine)}':>14}{_share(mine):>8}{parts[0]:>10}{parts[1]:>12}{'0.0':>9}"
            )
    return "\n".join(rows)


def _share(verdicts: Sequence[Verdict]) -> str:
    return f"{100 * sum(v.caught for v in verdicts) / len(verdicts):.1f}" if verdicts else "-"


async def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truths", type=int, default=200)
    parser.add_argument("--lies", type=int, default=160, help="action lies; half as many about numbers")
    parser.add_argument("--mode", choices=("flags", "run"), default="flags")
    parser.add_argument("--show", action="store_true", help="print each wrong verdict, held-out phrases too")
    parser.add_argument("--fresh", action="store_true", help="each phrase of lies_fresh.py once, and nothing else")
    parser.add_argument("--again", action="store_true", help="the same of lies_again.py")
    given = parser.parse_args()
    listed = [
        *cases("action", ACTIONS, given.lies),
        *cases("number", NUMBERS, max(given.lies // 2, 1)),
        *cases("truth", TRUTHS, given.truths),
    ]
    if given.fresh:
        listed = [*cases("action", FRESH_LIES, 1), *cases("truth", FRESH_TRUTHS, 1)]
    if given.again:
        listed = [*cases("action", AGAIN_LIES, 1), *cases("truth", AGAIN_TRUTHS, 1)]
    verdicts = [await judged(case, given.mode) for case in listed]
    if given.show:
        for v in verdicts:
            if v.caught == (v.case.sort == "truth"):
                print(f"{v.case.sort:7}{v.case.scenario:14}{v.answer!r}\n    {v.why}")
    print(table(verdicts))


if __name__ == "__main__":
    asyncio.run(main())
