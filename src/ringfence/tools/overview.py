"""`files.overview`: what there is, before the first step. The runtime calls it; the model reads it."""

from __future__ import annotations

import csv

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from . import objects
from .cells import DATE, NUMBER, holds
from .entries import fields
from .folders import SNIFF_BYTES, Entry, Folders, is_binary, size_text
from .forms import form_of
from .tabular import above, plain_names, separates, table_name
from .texts import decode, note_skipped, notes
from .tool import Args, Tool, Use, define

SECONDS = 5.0
MAX_FILES = 40
LOOK_BYTES = 2**16  # of a table, that tell how its values are written
KINDS, _AGAIN, _CHARS = 6, 4, 24  # values of a column, of so many characters, that are told if each comes so often
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
    """What a column holds: dates, numbers, yes or no, texts; and which ones, where the same few come again and again.

    A small model guesses `s` for skipper. What a row alone has is not told: it would be taken for an answer.
    """
    if (kinds := holds(cells, form_of(cells, commas=commas))) in ({NUMBER}, {DATE}):
        return "number" if NUMBER in kinds else "date"
    full = [cell for cell in cells if cell]
    words = {cell.casefold() for cell in full}
    if pair := next(("/".join(pair) for pair in _YES_NO if words and words <= {*pair}), ""):
        return pair
    values = list(dict.fromkeys(full))
    few = 0 < len(values) <= KINDS and len(full) >= _AGAIN * len(values)
    if not few or any(len(value) > _CHARS or not value.isprintable() for value in values):
        return "text"
    shown = ", ".join("'{}'".format(value.replace("'", "''")) for value in values)
    return f"text ({shown}{', or empty' if len(full) < len(cells) else ''})"


def _about(folders: Folders, entry: Entry) -> dict[str, JSON]:
    about: dict[str, JSON] = {"path": entry.path}
    suffix = entry.path[entry.path.rfind(".") :].lower() if "." in entry.path else ""
    try:
        with folders.open(entry.path) as source:
            head = source.stream.read(LOOK_BYTES if suffix in (*TABLES, *objects.ENDS) else SNIFF_BYTES)
    except ToolError as error:
        return {**about, "note": error.what}
    if is_binary(head):
        return {**about, "note": f"binary, {size_text(entry.size)}"}
    text = decode(head)
    every = text.splitlines()
    lines = [line for line in every if line.strip()]
    if not lines:
        return {**about, "note": "empty"}
    if suffix in objects.ENDS:
        return about | _of_objects(entry.path, text, cut=len(head) >= LOOK_BYTES)
    if suffix in TABLES:
        lines = [line for line in every[above(entry.path, every) :] if line.strip()]
        separator = separates(entry.path, lines[0])
        titles, *rows = ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator))
        kinds = [
            _kind([row[n] for row in rows if n < len(row)], commas=separator != ",") for n in range(len(titles[:30]))
        ]
        about["table"] = table_name(entry.path)
        return {**about, "columns": plain_names(titles[:30]), **({"of": ", ".join(kinds)} if rows else {})}
    if suffix in NOTES:
        return {**about, "title": lines[0].strip("# ")[:60]}
    line = lines[len(lines) // 2 if suffix == ".log" else 0]
    names = list(fields(line))[:10]
    return {**about, "line": line[:70], **({"fields": names} if names and suffix == ".log" else {})}


def _of_objects(path: str, text: str, *, cut: bool) -> dict[str, JSON]:
    """The columns of a file of objects, as those of a table; its first line, if it is none. `cut`: it goes on."""
    try:
        titles, rows = objects.read_objects(path, text.rpartition("\n")[0] if cut else text, seconds=1.0)
    except ToolError:
        return {"line": text.lstrip().partition("\n")[0][:70]}
    kinds = [_kind([row[n] for row in rows], commas=False) for n in range(len(titles[:30]))]
    return {"table": table_name(path), "columns": plain_names(titles[:30]), "of": ", ".join(kinds)}
