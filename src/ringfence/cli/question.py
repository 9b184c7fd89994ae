"""What a person sees before they say yes: the call as it would be made, and nothing that can pass for it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.cells import chop_cells

from ..app.ids import now_ms
from ..app.serving.asking import as_json
from ..engine.consent import Origin, Question
from ..engine.step import TOOL
from .text import one_line, plain

__all__ = ["as_json", "find_out", "folded", "option", "screen", "ways"]
DEFAULT_MANIFEST = Path("ringfence.yaml")
VALUE_CHARS = 2_000  # of one value on the screen; a yes is bound to all of it
DIGEST_CHARS = 16  # of the digest: enough that nobody makes another question with the same beginning
_MARGIN = "      ┆ "  # before what did not fit a line: a value cannot begin a line of its own
_RESULT = re.compile(r"r\d+(?:[/#]|$)")


def screen(asked: Question, preview: str) -> Iterator[str]:
    """The question, line by line: resolved values, where each comes from, what would change. All of it escaped."""
    yield f"run {asked.run} asks: may it call {_word(asked.action.sink.removeprefix(TOOL))}?"
    yield f"  task    {one_line(asked.task)}"
    yield f"  why     {asked.rule}: {one_line(asked.why)}"
    for origin in asked.origins:
        yield from _control(origin)
    for name, text in asked.texts:
        yield f"  {_word(name)} (free text):"
        yield from _block(_cut(text), "    | ")
    shown = {origin.argument.partition("/")[0] for origin in asked.origins} | {name for name, _ in asked.texts}
    for name, value in asked.action.args.items():
        if name not in shown:
            yield f"  {_word(name)} = {_value(value)}"
    if asked.action.label.readers:
        clauses = (" or ".join(sorted(clause)) for clause in asked.action.label.readers)
        yield f"  made from what may be read by {plain('; and '.join(sorted(clauses)))}"
    if preview:
        yield "  it would change:"
        yield from _block(preview, "    ")
    if asked.stale:
        yield "  THE POLICY HAS CHANGED since it asked: no yes counts; resume the run, and it asks anew"
    yield f"  digest  {asked.digest[:DIGEST_CHARS]}"


def folded(lines: Iterable[str], width: int) -> Iterator[str]:
    """Lines no wider than `width` cells. What goes on does so behind a margin, so that it cannot look like a line."""
    room = max(width, 2 * len(_MARGIN))
    for line in lines:
        first, *_ = chop_cells(line, room) or [""]
        yield first
        rest = line[len(first) :]
        yield from (_MARGIN + piece for piece in chop_cells(rest, room - len(_MARGIN)) if rest)


def ways(asked: Question, manifest: Path) -> Iterator[str]:
    """The commands that answer a question, bound to it."""
    other = option(manifest)
    if asked.stale or asked.overdue(now_ms()):
        yield f"ringfence run --resume {asked.run}{other}"
        return
    yield f"ringfence approve {asked.run} --digest {asked.digest[:DIGEST_CHARS]}{other}"
    yield f"ringfence deny {asked.run} --why TEXT{other}"


def find_out(what: str, manifest: Path) -> str:
    """What to do where it is not known whether a call was done."""
    return f"{plain(what)}; a person has to find out: `ringfence runs uncertain{option(manifest)}` says how"


def option(manifest: Path) -> str:
    """` --manifest FILE`, for one that is not in its usual place."""
    return "" if manifest == DEFAULT_MANIFEST else f" --manifest {shlex.quote(str(manifest))}"


def _control(origin: Origin) -> Iterator[str]:
    kind = f", as {plain(origin.kind)}" if origin.kind else ""
    yield f"  {_word(origin.argument)} = {_value(origin.value)}   ({_source(origin.source)}{kind})"
    if not str(origin.value).isascii():  # letters of other scripts look like ours
        yield f"    in ASCII: {_cut(json.dumps(origin.value))}"


def _source(source: str) -> str:
    if not source:
        return "NOBODY VOUCHES FOR IT"
    if source == "you":
        return "you wrote it"
    return f"from result {plain(source)}" if _RESULT.match(source) else f"trusted by {plain(source)}"


def _word(name: str) -> str:
    """A name that a model or a server may have made: one word on one line."""
    return _cut(plain(json.dumps(name, ensure_ascii=False)[1:-1]))


def _value(value: object) -> str:
    return plain(_cut(json.dumps(value, ensure_ascii=False)))


def _block(text: str, margin: str) -> Iterator[str]:
    yield from (margin + line for line in plain(text).expandtabs(4).splitlines())


def _cut(text: str) -> str:
    more = len(text) - VALUE_CHARS
    said = f" [AND {more} CHARACTERS MORE; all of it: ringfence approvals --json]"
    return text[:VALUE_CHARS] + (said if more > 0 else "")
