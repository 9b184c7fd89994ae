"""How records leave the log: JSON lines, OCSF events, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from ..core.errors import JournalError
from ..core.values import JSON, canonical
from .events import Event
from .ocsf import ocsf

Encoder = Callable[[Event], bytes]  # one event, without a line feed

COLUMNS = (
    "index", "time", "run", "seq", "kind", "principal", "trust", "readers", "sink", "effect", "verdict", "rule", "code",
    "status", "ok", "ms", "prompt_tokens", "completion_tokens", "trace", "body", "leaf", "view",
)  # fmt: skip
"""Columns of the CSV, in this order; later releases only add to the end."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: full width


def jsonl(event: Event) -> bytes:
    """Place, leaf and trace; and under `header`, as the last key, the very bytes that the leaf is the hash of."""
    ties = canonical({"index": event.index, "leaf": event.leaf, "trace": event.trace})
    return b'%s,"header":%s}' % (ties[:-1], event.raw)


def as_ocsf(event: Event) -> bytes:
    """An event of the Open Cybersecurity Schema Framework."""
    return canonical(ocsf(event))


def as_csv(event: Event) -> bytes:
    """One line of RFC 4180, in the order of `COLUMNS`, without its end."""
    head, label = event.head, event.head["label"]
    ok = event.view.get("ok")
    cells = (
        event.index, instant(int(head["time"])), head["run"], head["seq"], head["kind"], head["principal"],
        label["trust"], " & ".join("|".join(clause) for clause in label["readers"]), event.sink,
        "yes" if event.effect else "", event.text("verdict"), event.text("rule"), event.text("code"),
        event.text("status"), "" if ok is None else str(ok).lower(), event.number("ms"),
        event.tokens("prompt") or None, event.tokens("completion") or None, event.trace, head["body"], event.leaf,
        json.dumps(event.view, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
    )  # fmt: skip
    return _row(cells)


ENCODERS: dict[str, Encoder] = {"jsonl": jsonl, "ocsf": as_ocsf, "csv": as_csv}
_ENDS = {"csv": b"\r\n"}  # RFC 4180 2.1


def encode(events: Iterable[Event], form: str) -> Iterator[bytes]:
    """The lines of an export, each with its end."""
    end, encoder = _ENDS.get(form, b"\n"), ENCODERS[form]
    if form == "csv":
        yield _row(COLUMNS) + end
    for event in events:
        try:
            yield encoder(event) + end
        except ValueError as error:
            raise JournalError(
                f"record {event.index} of the log cannot be written as {form}: {error}",
                todo="run `ringfence audit verify`",
            ) from None


def instant(ms: int) -> str:
    """Milliseconds since 1970 UTC in RFC 3339, `2026-01-31T12:00:00.123Z`; the number if no calendar has it."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(ms)


def _row(cells: Iterable[JSON]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_inert(cell) for cell in cells])  # whose characters it quotes
    return line.getvalue()[:-2].encode("utf-8", "backslashreplace")


def _inert(cell: JSON) -> str:
    """A spreadsheet takes a cell that begins so for a formula (CWE-1236); an apostrophe before it makes it text."""
    text = "" if cell is None else str(cell)
    return "'" + text if text.startswith(_FORMULA) else text
