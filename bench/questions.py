"""Ask an agent a file of questions and score its answers: `python bench/questions.py FILE --manifest FILE`.

A question is `{id, ask, check: {any: [[string, ...], ...], none: [string, ...]}}`. An answer is right if all strings of
one list under `any` occur in it and none of those under `none`. Strings are compared without case, quotes or markup; a
number is compared by its value with the numbers of the answer, thousands separators ignored (79.94 is also found in
79.9412, an average with more decimals); a string that starts or ends with a digit ends there in the answer, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml

import ringfence
from ringfence.core.errors import RingfenceError
from ringfence.engine.step import parse

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COMPOUND = re.compile(r"\d+(?:[.:-]\d+)*")  # dates, times, addresses and ranges are one thing, not several numbers
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[,' ]\d{3})+(?!\d)")
_DROPPED = str.maketrans(
    {"–": "-", "‐": "-", "’": "'", "‘": "'", "*": None, "`": None, '"': None, "“": None, "”": None}
)


@dataclass(frozen=True, slots=True)
class Check:
    """What a right answer holds, and what it never holds."""

    any: tuple[tuple[str, ...], ...]
    none: tuple[str, ...] = ()

    def passes(self, answer: str) -> bool:
        forms = _forms(answer)
        held = any(all(_occurs(string, forms) for string in strings) for strings in self.any)
        return held and not any(_occurs(string, forms) for string in self.none)


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    ask: str
    check: Check


@dataclass(frozen=True, slots=True)
class Asked:
    """One run: what came, and what it cost. `valid` of `thoughts` model answers were valid JSON steps."""

    id: str
    round: int
    right: bool
    status: str
    seconds: float
    steps: int
    tools: tuple[str, ...]
    valid: int
    thoughts: int
    prompt: int
    completion: int
    cached: int
    answer: str
    run_id: str

    @property
    def unfounded(self) -> bool:
        """A final answer without a single tool call."""
        return self.status == "done" and not self.tools


def _forms(text: str) -> tuple[str, ...]:
    """The text as compared: as it stands, and with thousands separators taken out (`1,680` may also be two numbers)."""
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_DROPPED).casefold().split())
    return plain, _GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), plain)


def _occurs(string: str, forms: Iterable[str]) -> bool:
    wanted = _forms(string)[-1]
    if _NUMBER.fullmatch(wanted):
        return any(_is(Decimal(number), Decimal(wanted)) for form in forms for number in _numbers(form))
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if wanted[-1:].isdigit() else ""
    pattern = re.compile(before + re.escape(wanted) + after)
    return any(pattern.search(form) for form in forms)


def _is(number: Decimal, wanted: Decimal) -> bool:
    """Equal, or, for one wanted to two decimals or more, the same number written with more of them."""
    rounded = wanted.as_tuple().exponent
    exact = not isinstance(rounded, int) or rounded > -2
    return number == wanted or (not exact and number.quantize(wanted, ROUND_HALF_UP) == wanted)


def _numbers(form: str) -> list[str]:
    return [found[0] for found in _COMPOUND.finditer(form) if _NUMBER.fullmatch(found[0])]


def read_questions(path: Path) -> list[Question]:
    """The questions of a file; raises ValueError, naming the question, for one that cannot be checked."""
    entries: list[Any] = yaml.safe_load(path.read_text("utf-8")) or []
    questions = []
    for entry in entries:
        match entry:
            case {"id": str(), "ask": str(), "check": {"any": [[_, *_], *_], **rest}} if all(
                entry["check"]["any"]
            ) and not rest.keys() - {"none"}:
                alternatives = tuple(tuple(map(str, strings)) for strings in entry["check"]["any"])
                check = Check(alternatives, tuple(map(str, entry["check"].get("none", ()))))
                questions.append(Question(entry["id"], entry["ask"], check))
            case _:
                raise ValueError(f"{path}: expected id, ask and check: {{any: [[...]], none: [...]}}, got {entry!r}")
    if repeated := [name for name, count in Counter(q.id for q in questions).items() if count > 1]:
        raise ValueError(f"{path}: expected ids of their own, got twice: {', '.join(repeated)}")
    return questions


def is_step(text: str) -> bool:
    """Whether a model's answer can be read as a step."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def thoughts(records: Iterable[Any]) -> list[str]:
    """The texts that the model answered in a run."""
    asked: set[int] = set()
    texts = []
    for record in records:
        if record.kind == "intent" and record.view["sink"].startswith("model:"):
            asked.add(record.seq)
        elif record.kind == "outcome" and record.view["of"] in asked and record.view["ok"]:
            texts.append(record.body["value"]["text"])
    return texts


async def ask(agent: Any, question: Question, number: int) -> Asked:
    """Ask one question in a run of its own, without any conversation."""
    began = time.monotonic()
    result = await agent.run(question.ask)
    seconds = time.monotonic() - began
    texts = thoughts(agent.journal.log.read(result.run_id))
    usage = Counter(result.usage)
    return Asked(
        id=question.id,
        round=number,
        right=result.status in ("done", "partial") and question.check.passes(result.answer),
        status=result.status,
        seconds=round(seconds, 2),
        steps=usage["steps"],
        tools=tuple(f"{step.tool}{'' if step.ok else '!'}" for step in result.steps),
        valid=sum(map(is_step, texts)),
        thoughts=len(texts),
        prompt=usage["prompt"],
        completion=usage["completion"],
        cached=usage["cached"],
        answer=result.answer,
        run_id=result.run_id,
    )


def line(asked: Asked) -> str:
    """One run on one line; a tool that failed carries an exclamation mark."""
    verdict = "ok   " if asked.right else "wrong"
    status = "" if asked.status == "done" else f" [{asked.status}]"
    head = f"{verdict} {asked.id:<24} {asked.seconds:6.1f} s {asked.steps:2d} steps  {' '.join(asked.tools) or '-'}"
    return f"{head}{status}\n      {' '.join(asked.answer.split())[:150]}"


def summary(runs: Sequence[Asked]) -> str:
    """The score and what it cost."""
    right, answers, valid = sum(r.right for r in runs), sum(r.thoughts for r in runs), sum(r.valid for r in runs)
    prompt, completion = sum(r.prompt for r in runs), sum(r.completion for r in runs)
    cached = sum(r.cached for r in runs)
    share = f"{valid / answers:.1%} ({valid} of {answers})" if answers else "none was given"
    return "\n".join(
        (
            f"{right} of {len(runs)} correct",
            f"steps                             {sum(r.steps for r in runs)}",
            f"model answers that are valid JSON {share}",
            f"final answers without a tool call {sum(r.unfounded for r in runs)}",
            f"median seconds a question         {statistics.median(r.seconds for r in runs):.1f}",
            f"tokens                            {prompt} prompt ({cached} of them cached), {completion} completion",
        )
    )


def read_runs(path: Path | None) -> list[Asked]:
    """The runs of an earlier, interrupted call; empty if there was none."""
    if path is None or not path.exists():
        return []
    return [Asked(**{**run, "tools": tuple(run["tools"])}) for run in json.loads(path.read_text("utf-8"))]


def write_runs(path: Path, runs: Sequence[Asked]) -> None:
    """All runs so far, replaced in one step, so that an interruption leaves the last whole file."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps([asdict(run) for run in runs], ensure_ascii=False, indent=1) + "\n", "utf-8")
    draft.replace(path)


async def ask_all(
    agent: Any, wanted: Sequence[tuple[Question, int]], runs: list[Asked], told: Callable[[Asked], None]
) -> None:
    """Ask what has no run yet, in order, one at a time."""
    known = {(run.id, run.round) for run in runs}
    for question, number in wanted:
        if (question.id, number) not in known:
            runs.append(await ask(agent, question, number))
            told(runs[-1])


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ask an agent a file of questions and score its answers")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--manifest", type=Path, help="default: ringfence.yaml beside the questions")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="ID,ID")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="ask each question N times (default 1)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the runs here; those already there are not repeated"
    )
    parser.add_argument("--floor", type=int, default=0, metavar="N", help="exit code 1 below so many right answers")
    return parser.parse_args(argv)


async def score(given: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    questions = read_questions(given.questions)
    if unknown := set(given.only or ()) - {question.id for question in questions}:
        raise ValueError(f"{given.questions} has no question {', '.join(sorted(unknown))}")
    chosen = [question for question in questions if not given.only or question.id in given.only]
    wanted = [(question, number) for number in range(1, given.seeds + 1) for question in chosen]
    runs = read_runs(given.json)

    def told(run: Asked) -> None:
        print(line(run), flush=True)
        if given.json is not None:
            write_runs(given.json, runs)

    async with ringfence.load(given.manifest or given.questions.parent / "ringfence.yaml") as agent:
        await ask_all(agent, wanted, runs, told)
    counted = {(question.id, number) for question, number in wanted}
    runs = [run for run in runs if (run.id, run.round) in counted]
    print(f"\n{summary(runs)}")
    return 0 if sum(run.right for run in runs) >= given.floor else 1


def main(argv: Sequence[str] | None = None) -> int:
    """0: the floor was reached; 1: it was not; 2: the questions could not be asked."""
    try:
        return asyncio.run(score(options(argv)))
    except (RingfenceError, ValueError, OSError, yaml.YAMLError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
