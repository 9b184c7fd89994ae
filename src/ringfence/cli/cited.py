"""The sources of an answer as they are printed, and a passage in its context, from the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from ..engine.grounding import Source
from ..engine.passages import Passage, on_record
from . import runs
from .screen import console
from .text import one_line, plain

_BAR, _AROUND = "| ", "  "


def of_records(records: Sequence[Record]) -> list[Source]:
    """What the answer of a run cites, as its last record says."""
    return [Source.of(found) for found in records[-1].body.get("sources", ())]


def line(cited: Source | Passage) -> str:
    """`[1] runbooks/disk.md, page 2, "Recovery > Web"`, safe to print."""
    under = cited.headings or cited.title
    named = under if under and under != cited.document.rpartition("/")[2] else ""
    page = f", page {cited.page}" if cited.page else ""
    return f"[{cited.n}] {one_line(cited.document)}{page}" + (f', "{one_line(named)}"' if named else "")


def show(sources: Sequence[Source]) -> None:
    """The sources of an answer on stdout, one a line, under it."""
    if sources:
        print("\n" + "\n".join(map(line, sources)), flush=True)


def open_passage(manifest: Path, run_id: str, n: int) -> None:
    """A passage of a run on stdout: the text around it as far as it is on record, and what the answer rests on.

    Raises JournalError for a number that no passage of the run has.
    """
    with runs.open_log(manifest) as log:
        records = log.read(log.find(run_id))
    passage, pieces = in_context(records, n)
    chars = f", characters {passage.start}-{passage.end}" if passage.end else ""
    out = console()
    out.print(f"{line(passage)}{chars}")
    for piece in lines(pieces):
        out.print(piece, soft_wrap=True)


def opened(records: Sequence[Record], n: int) -> dict[str, JSON]:
    """The same for programs: `text` in pieces, each with what it is: around, passage or quote."""
    try:
        passage, pieces = in_context(records, n)
    except JournalError as error:  # the answer is not lost for it
        return {"n": n, "error": error.what, "todo": error.todo}
    where: dict[str, JSON] = {"n": passage.n, "document": passage.document, "page": passage.page or None}
    return {**where, "chars": f"{passage.start}-{passage.end}", "text": [[kind, text] for kind, text in pieces]}


def in_context(records: Sequence[Record], n: int) -> tuple[Passage, list[tuple[str, str]]]:
    """A passage, and its text in pieces with what surrounds it on record: ("around" | "passage" | "quote", text)."""
    passages = on_record(records)
    if n not in passages:
        there = ", ".join(f"[{number}]" for number in passages) or "none"
        raise JournalError(f"run {records[0].run} was shown no passage [{n}]", todo=f"passages of this run: {there}")
    passage = passages[n]
    before, after = around(passage, passages)
    quote = next((source.quote for source in of_records(records) if source.n == n and source.quote), "")
    at = passage.text.find(quote) if quote else -1
    if at < 0:
        inner = [("passage", passage.text)]
    else:
        end = at + len(quote)
        inner = [("passage", passage.text[:at]), ("quote", quote), ("passage", passage.text[end:])]
    pieces = [("around", before), *inner, ("around", after)]
    return passage, [(kind, text) for kind, text in pieces if text]


def around(passage: Passage, passages: Mapping[int, Passage]) -> tuple[str, str]:
    """What other passages of the run hold of the same document, right before and right behind."""
    if not passage.end:
        return "", ""
    near = [p for p in passages.values() if p.document == passage.document and p.end and p.n != passage.n]
    before = max((p for p in near if p.start < passage.start <= p.end), key=lambda p: -p.start, default=None)
    after = max((p for p in near if p.start <= passage.end < p.end), key=lambda p: p.end, default=None)
    first = before.text[: passage.start - before.start] if before else ""
    return first, after.text[passage.end - after.start :] if after else ""


def lines(pieces: Sequence[tuple[str, str]]) -> Iterator[Text]:
    """Lines with a bar before those of the passage; on a terminal what is quoted stands out."""
    row, inside = Text(), False
    styles = {"around": "dim", "passage": "", "quote": "bold reverse"}
    for kind, text in pieces:
        for count, part in enumerate(text.replace("\r\n", "\n").split("\n")):
            if count:
                yield Text(_BAR if inside else _AROUND) + row
                row, inside = Text(), False
            row.append(plain(part), style=styles[kind])
            inside = inside or (kind != "around" and bool(part or count))
    yield Text(_BAR if inside else _AROUND) + row
