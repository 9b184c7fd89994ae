"""`files.overview`: what there is, before the first step. The runtime calls it; the model reads it."""

from __future__ import annotations

import csv

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from .cells import DATE, NUMBER, holds
from .entries import fields
from .folders import SNIFF_BYTES, Entry, Folders, is_binary, size_text
from .forms import form_of
from .tabular import LOOK_ROWS, above, separates
from .texts import decode, note_skipped, notes
from .tool import Args, Tool, Use, define

SECONDS = 5.0
MAX_FILES = 40
_YES_NO = (("yes", "no"), ("true", "false"), ("y", "n"), ("ja", "nein"))
TABLES = (".csv", ".tsv")
NOTES = (".md", ".txt", ".rst", "")


class OverviewArgs(Args):
    """No arguments: the overview is of everything."""


def overview(folders: Folders, use: Use) -> Tool:
    """The tool `files.overview`: each file with its columns and what they hold, its title or a typical line."""

    def run(args: OverviewArgs) -> JSON:
        walk = folders.walk(seconds=SECONDS)
        if len(walk.files) > MAX_FILES:
            inside = ", ".join(name for name in walk.folders[:MAX_FILES] if name != ".")
            return {"files": len(walk.files), "folders": inside, **notes(note_skipped(walk.skipped))}
        return {"files": [_about(folders, entry) for entry in walk.files], **notes(note_skipped(walk.skipped))}

    return define("files.overview", "What there is.", OverviewArgs, run, use=use, timeout_s=SECONDS, opens="")


def _kind(cells: list[str], *, commas: bool) -> str:
    """What a column holds, and none of it: dates, numbers, yes or no, texts. A small model guesses `s` for skipper."""
    if (kinds := holds(cells, form_of(cells, commas=commas))) in ({NUMBER}, {DATE}):
        return "number" if NUMBER in kinds else "date"
    words = {cell.casefold() for cell in cells if cell}
    return next(("/".join(pair) for pair in _YES_NO if words and words <= {*pair}), "text")


def _about(folders: Folders, entry: Entry) -> dict[str, JSON]:
    about: dict[str, JSON] = {"path": entry.path}
    try:
        with folders.open(entry.path) as source:
            head = source.stream.read(SNIFF_BYTES)
    except ToolError as error:
        return {**about, "note": error.what}
    if is_binary(head):
        return {**about, "note": f"binary, {size_text(entry.size)}"}
    suffix = entry.path[entry.path.rfind(".") :].lower() if "." in entry.path else ""
    whole = decode(head).splitlines()
    lines = [line for line in whole if line.strip()]
    if not lines:
        return {**about, "note": "empty"}
    if suffix in TABLES:
        lines = [line for line in whole[above(entry.path, whole) :] if line.strip()]
        separator = separates(entry.path, lines[0])
        names, *rows = ([cell.strip() for cell in row] for row in csv.reader(lines[:LOOK_ROWS], delimiter=separator))
        kinds = [
            _kind([row[n] for row in rows if n < len(row)], commas=separator != ",") for n in range(len(names[:30]))
        ]
        return {**about, "columns": names[:30], **({"of": ", ".join(kinds)} if rows else {})}
    if suffix in NOTES:
        return {**about, "title": lines[0].strip("# ")[:60]}
    line = lines[len(lines) // 2 if suffix == ".log" else 0]
    names = list(fields(line))[:10]
    return {**about, "line": line[:70], **({"fields": names} if names and suffix == ".log" else {})}
