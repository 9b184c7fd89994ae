"""`ringfence route`: which model a task would go to, and why. Nothing is run, and nothing is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from .. import app
from ..app import routing
from ..app.routing import Explained, Seat
from ..manifest.loader import load
from .exits import Exit
from .run import read_task
from .text import plain


def execute(path: Path, text: str | None, labels: Sequence[str], *, as_json: bool) -> Exit:
    """Explain one decision; raises ManifestError, and JournalError if what is left of a budget cannot be told."""
    task = read_task(text)
    manifest = load(path)
    found = asyncio.run(routing.explain(manifest, task, app.operator(manifest), labels))
    if as_json:
        print(json.dumps(_object(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(plain, _lines(found))))
    return Exit.UNANSWERED if found.refusal else Exit.DONE


def _object(found: Explained) -> dict[str, object]:
    seats = [{**asdict(seat), "possible": seat.possible, "health": "unknown"} for seat in found.seats]
    return {
        "class": found.kind,
        "scores": found.scores,
        "reasons": list(found.reasons),
        "label": found.label.to_json(),
        "tiers": seats,
        "would_ask": next((seat.tier for seat in found.seats if seat.possible), None),
        "refusal": found.refusal,
        "text": {"chars": found.chars, "bytes": found.bytes},
        "sent": False,
    }


def _lines(found: Explained) -> Iterator[str]:
    scores = ", ".join(f"{kind} {score:g}" for kind, score in found.scores.items())
    yield f"class    {found.kind} ({scores})"
    yield f"because  {'; '.join(found.reasons) or 'nothing in it speaks for another class'}"
    yield f"label    {_label(found)}"
    yield "tiers, in the order in which they would be asked:"
    for number, seat in enumerate(found.seats, 1):
        yield from _seat(number, seat)
    first = next((seat for seat in found.seats if seat.possible), None)
    if first is None:
        yield f"refused  {found.refusal}"
    else:
        yield f"would be asked first: {first.tier}, with these {found.bytes} bytes, the tools and what they find"
    yield "Nothing was run, and nothing was sent. How the servers are is not known before they are asked."


def _seat(number: int, seat: Seat) -> Iterator[str]:
    mark = "possible" if seat.possible else f"not possible: {seat.why} ({seat.code})"
    yield f"  {number}. {seat.tier} ({seat.model}): {mark}"
    veiled = "; it sees placeholders for personal data and secrets" if seat.redacted else ""
    yield f"     goes to {seat.place}; seen by {', '.join(seat.seen_by) or 'nobody'}{veiled}"
    yield f"     budget: {seat.left}"


def _label(found: Explained) -> str:
    clauses = sorted(" or ".join(sorted(clause)) for clause in found.label.readers)
    return f"{found.label.trust.name.lower()}; may be read by {' and by '.join(clauses) or 'everyone'}"
