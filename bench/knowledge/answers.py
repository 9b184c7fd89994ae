"""Questions over the documents of examples/, asked of a real model: right, refused, cited, verbatim, how fast.

    python bench/knowledge/answers.py [--minutes N] [--only ID,ID | --absent | --present | --half tune|held]
                                      [--example rag] [--cite strict|warn|off]

Every question is a run of its own, of somebody who may read everything unless it says `as` whom, with the documents
alone: the examples' other tools are taken away. What was asked is kept in --json FILE and not asked again as long as
question, model, documents and settings are the same; --minutes begins no run after so long. The measures:

    right      of the questions that a document answers: the answer holds what it has to (as `ringfence eval` compares)
    refused    of those that no document answers: the answer says so
    verbatim   of the quotes that are printed: each stands in its document, character by character, where it says
    cited      of the right answers: those with a source; `to the right document`: one of them is the document meant
    seconds    of a run, median
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from ringfence import app
from ringfence.app.knowing import library as wiring
from ringfence.evals.checks import ABSTAINS, Check
from ringfence.evals.intervals import wilson
from ringfence.knowledge.library import Library
from ringfence.manifest.loader import load
from ringfence.manifest.types import Grant, Manifest

ROOT = Path(__file__).parents[2]
QUESTIONS = Path(__file__).with_name("questions.yaml")
DONE = ("done", "partial")


@dataclass(frozen=True, slots=True)
class Question:
    """`check` is what a right answer holds; `document` (collection/path) has it. Of one that none answers: neither.

    roles  the ones to ask with, of those that the manifest names; none given: all
    half   of the questions that none answers: `tune` may be looked at while the engine is worked on, `held` may not
    """

    id: str
    example: str
    ask: str
    absent: bool
    check: Check
    document: str
    roles: tuple[str, ...] = ()
    half: str = ""

    @classmethod
    def of(cls, example: str, given: dict[str, Any]) -> Question:
        some = tuple(tuple(map(str, strings)) for strings in given.get("any", ()))
        check = Check(some, tuple(map(str, given.get("none", ()))))
        return cls(
            given["id"], example, given["ask"], given.get("absent", False), check, given.get("document", ""),
            tuple(given.get("as", ())), given.get("half", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a question. `quotes` were printed, `verbatim` of them stand where they say."""

    key: str
    id: str
    example: str
    absent: bool
    right: bool
    status: str
    answer: str
    cited: list[str]
    to_right: bool
    quotes: int
    verbatim: int
    flags: list[str]
    steps: int
    seconds: float
    run: str


def questions() -> Iterator[Question]:
    """All of them."""
    for example, given in yaml.safe_load(QUESTIONS.read_text("utf-8")).items():
        yield from (Question.of(example, one) for one in given)


def chosen(given: argparse.Namespace) -> list[Question]:
    """Those that the command line names."""
    only, examples = _listed(given.only), _listed(given.example)
    return [
        one
        for one in questions()
        if (not only or one.id in only)
        and (not examples or one.example in examples)
        and (one.absent or not given.absent)
        and not (one.absent and given.present)
        and given.half in ("", one.half)
    ]


def manifest_of(example: str, *, cite: str, model: str) -> Manifest:
    """An example's manifest with its documents alone."""
    manifest = load(ROOT / "examples" / example / "ringfence.yaml")
    first, *others = manifest.inference.tiers
    tiers = (first.model_copy(update={"model": model}) if model else first, *others)
    return manifest.model_copy(
        update={
            "tools": (),
            "catalogue": {},
            "grant": Grant(),
            "inference": manifest.inference.model_copy(update={"tiers": tiers}),
            "knowledge": manifest.knowledge.model_copy(update={"cite": cite} if cite else {}),
        }
    )


def key_of(question: Question, manifest: Manifest) -> str:
    """What a run is a run of: the question, the settings and the documents."""
    data = manifest.root / "data"
    files = {str(p.relative_to(data)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(data.rglob("*.*"))}
    about = [
        question.ask,
        *question.roles,
        manifest.model_dump(mode="json", include={"inference", "knowledge", "workflow"}),
        files,
    ]
    return hashlib.sha256(json.dumps(about, default=str, sort_keys=True).encode()).hexdigest()[:16]


async def play(question: Question, key: str, agent: app.Agent, library: Library) -> Played:
    """Ask it, and look at what came."""
    if question.roles:
        agent = agent.acting_for(app.narrowed(agent.principal, question.roles))
    began = time.monotonic()
    result = await agent.run(question.ask)
    seconds = time.monotonic() - began
    good = 0
    for source in result.sources:
        collection, _, path = source.document.partition("/")
        found = await library.index.read(agent.principal.member, collection, path)
        start, end = source.at
        good += found is not None and bool(source.quote) and found.text[start:end] == source.quote
    cited = list(dict.fromkeys(source.document for source in result.sources))
    answer = result.answer or result.summary
    check = ABSTAINS if question.absent else question.check
    return Played(
        key, question.id, question.example, question.absent, result.status in DONE and check.passes(answer),
        result.status, answer, cited, question.document in cited, len(result.sources), good, list(result.flags),
        result.usage.get("steps", 0), round(seconds, 1), result.run_id,
    )  # fmt: skip


async def ask_all(given: argparse.Namespace, known: dict[str, Played]) -> None:
    """Ask what was not asked yet, example by example; `known` grows, and so does the file."""
    until = time.monotonic() + 60 * given.minutes if given.minutes else float("inf")
    wanted = chosen(given)
    for example in dict.fromkeys(one.example for one in wanted):
        manifest = manifest_of(example, cite=given.cite, model=given.model)
        keys = {one.id: key_of(one, manifest) for one in wanted if one.example == example}
        left = [one for one in wanted if one.example == example and _old(known.get(one.id), keys[one.id])]
        if not left or time.monotonic() > until:
            continue
        async with app.from_manifest(manifest) as agent, wiring.opened(manifest) as library:
            for one in left:
                if time.monotonic() > until:
                    return
                played = await play(one, keys[one.id], agent, library)
                known[one.id] = played
                _keep(given.json, known)
                mark = "right" if played.right else "WRONG"
                print(f"{played.seconds:6.1f} s  {mark}  {one.id}: {played.answer[:150]!r} {played.cited}", flush=True)


def _old(before: Played | None, key: str) -> bool:
    return before is None or before.key != key


def _listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def _keep(file: Path, known: dict[str, Played]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps([asdict(one) for one in known.values()], indent=1) + "\n", "utf-8")
    new.replace(file)


def _share(right: int, of: int) -> str:
    found = wilson(right, of)
    return f"{found.value:.0%} ({right} of {of}; {found.low:.0%} to {found.high:.0%})" if of else "none"


def report(played: Sequence[Played]) -> list[str]:
    """The table: all, each example, and each half of the questions that none answers."""
    halves = {one.id: one.half for one in questions()}
    lines = ["| | right | refused | verbatim quotes | right answers with a source | to the right document | seconds |"]
    lines.append("|---|---|---|---|---|---|---|")
    examples = list(dict.fromkeys(one.example for one in played))
    for name in ("all", *examples, *sorted({halves.get(one.id, "") for one in played} - {""})):
        these = [one for one in played if name in ("all", one.example, halves.get(one.id))]
        there, absent = [one for one in these if not one.absent], [one for one in these if one.absent]
        right = [one for one in there if one.right]
        cells = (
            name,
            _share(len(right), len(there)),
            _share(sum(one.right for one in absent), len(absent)),
            _share(sum(one.verbatim for one in these), sum(one.quotes for one in these)),
            _share(sum(bool(one.cited) for one in right), len(right)),
            _share(sum(one.to_right for one in right if one.cited), sum(bool(one.cited) for one in right)),
            f"{median(one.seconds for one in these):.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="questions over the examples' documents, asked of a real model")
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--example", default="")
    parser.add_argument("--absent", action="store_true", help="those alone that no document answers")
    parser.add_argument("--present", action="store_true", help="those alone that one does")
    parser.add_argument("--half", choices=("tune", "held"), default="")
    parser.add_argument("--cite", choices=("strict", "warn", "off"), default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--json", type=Path, default=ROOT / ".ringfence" / "bench-answers.json")
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    known: dict[str, Played] = {}
    if given.json.exists():
        known = {one["id"]: Played(**one) for one in json.loads(given.json.read_text("utf-8"))}
    asyncio.run(ask_all(given, known))
    wanted = {one.id for one in chosen(given)}
    played = [one for one in known.values() if one.id in wanted]
    lines = report(played) if played else ["nothing was asked"]
    print("\n".join(lines))
    if given.markdown:
        given.markdown.write_text("\n".join(lines) + "\n", "utf-8")
    if len(played) < len(wanted):
        print(f"{len(wanted) - len(played)} are left; the same command goes on", file=sys.stderr)


if __name__ == "__main__":
    main()
