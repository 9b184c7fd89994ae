"""`csv.sql`: one SELECT of CSV and TSV files, each of them a table that is called as its file is.

Whoever learned to write programs knows SQL, and so does a small model: it takes a month, a share or the second largest
as easily there as it gets lost among arguments of our own (figures: docs/benchmarks.md). The statement is asked in a
database in memory, under the same bounds as `sql.query`, and mended by the same rules.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Annotated

import apsw
from pydantic import BeforeValidator, Field

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from . import sql
from .cells import DATE, EMPTY, NUMBER, typed
from .folders import Folders
from .forms import Form
from .sql_mend import Mended, of_table
from .sql_read import unfenced
from .sql_schema import identifier
from .tabular import Table, plain_names, read_table
from .texts import notes, read_text
from .tidy import tidied
from .tool import KNOWN_TABLE, Args, Tool, Use, define

SECONDS = 10.0
MOST_FILES = 4  # beside the first one
_MOST = 0.8  # of the cells of a column that have a kind, so that it is the column's
_FEW = 100_000  # cells of a table, that are all read as what they are; of more, those that a statement speaks of
_INTEGER = 2**63
_TOLD = 3  # cells that are told in a note
_LITERAL = re.compile(r"('(?:[^']|'')*')")
_ALL = re.compile(r"(?<!\()\*")  # every column; count(*) is none
_EQUALS = re.compile(r"\s*(==?|!=|<>)\s*\Z")
_LEADING = re.compile(r"[+-]?0\d")  # of a number that is a name: 0071
_FROM = re.compile(r"\b(?:from|join)\s+[\"'`\[]?([\w./-]*\w)[\"'`\]]?", re.I)

Value = int | float | str | None
KnownTable = Annotated[str, Field(min_length=1, json_schema_extra=KNOWN_TABLE)]


class SelectArgs(Args):
    """Arguments of csv.sql."""

    path: Annotated[KnownTable, Field(description="a CSV or TSV file path such as tables/people.csv")]
    also: Annotated[
        tuple[KnownTable, ...],
        Field(description="other such files that sql joins; mostly empty", max_length=MOST_FILES),
    ] = ()
    sql: Annotated[
        str,
        Field(
            description="one SQLite SELECT; the table is called as the file: SELECT name FROM people WHERE town = 'X'",
            max_length=sql.MAX_SQL_CHARS,
        ),
        BeforeValidator(unfenced),
        Field(min_length=1),
    ]


def select_csv(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `csv.sql`. `room` is in characters of the result."""

    def run(args: SelectArgs) -> JSON:
        until = time.monotonic() + SECONDS
        paths = list(dict.fromkeys((args.path, *args.also)))
        tables = dict[str, Table]()
        for path in paths:
            known, text = read_text(folders, path)
            name = table_name(known)
            tables[name if name not in tables else f"{name}_{len(tables) + 1}"] = read_table(
                known, text, seconds=SECONDS / 2
            )
        bounds = sql.Bounds(sql.MAX_ROWS, room, until)
        return select(tables, args.sql, bounds, lambda: [one.path for one in folders.walk(seconds=1.0).files])

    summary = (
        "Ask a CSV or TSV file with one SELECT: filter, count, add up, group, sort. Use it for every question about a "
        "table instead of reading it."
    )
    return define("csv.sql", summary, SelectArgs, run, use=use, timeout_s=SECONDS, suits=r"\.(?:csv|tsv)\b")


def select(
    tables: Mapping[str, Table], statement: str, bounds: sql.Bounds, others: Callable[[], Sequence[str]] = tuple
) -> JSON:
    """The result of a statement about these tables, as `sql.query` gives it, and notes of how they were read.

    others  the paths of further files. Raises ToolError.
    """
    said, asked_for = list[str](), _of_the_only(_as_called(statement, tables), tables, others)
    with sql.in_words(SECONDS), closing(apsw.Connection(":memory:")) as db:
        asked = [text[1:-1].replace("''", "'") for text in _LITERAL.findall(statement)]
        for name, table in tables.items():
            kept, note = tidied(table, asked)
            said += [note, *_filled(db, name, kept, statement)]
        sql.guard(db, bounds.until)
        result = sql.answered(db, asked_for, bounds)
    return {**result, **notes(result.get("note", ""), *said)}


def table_name(path: str) -> str:
    """What the table of a file is called: `hires_2025` of data/hires-2025.csv."""
    return plain_names([path.rpartition("/")[2].rpartition(".")[0]])[0]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its name and type in SQL, its values, and what there is to say of them."""

    name: str
    kind: str
    values: Sequence[Value]
    note: str = ""


def _filled(db: apsw.Connection, name: str, table: Table, statement: str) -> list[str]:
    """Make a table in the database; what is to be said of those of its columns that a statement speaks of."""
    said, titles = statement.casefold(), list(zip(plain_names(table.columns), table.columns, strict=True))
    every = _ALL.search(_LITERAL.sub("''", said)) is not None
    spoken = [every or any(name.casefold() in said for name in names) for names in titles]
    small = len(table.rows) * len(titles) <= _FEW
    columns = list[_Column]()
    for n, (plain, _) in enumerate(titles):
        cells = [row[n] for row in table.rows]
        columns.append(_column(plain, cells, table.form(n)) if small or spoken[n] else _Column(plain, "TEXT", cells))
    heads = ", ".join(f"{identifier(one.name)} {one.kind}" for one in columns)
    db.execute(f"create table {identifier(name)} ({heads})")
    marks = ", ".join("?" * len(columns))
    with db:
        db.executemany(
            f"insert into {identifier(name)} values ({marks})",
            zip(*(one.values for one in columns), strict=True),
        )
    return [one.note for one, told in zip(columns, spoken, strict=True) if told]


def _column(name: str, cells: Sequence[str], form: Form) -> _Column:
    """A column as SQLite compares it: numbers, days as ISO 8601 writes them, or texts; what is empty is NULL."""
    read = [typed(cell, form) for cell in cells]
    full = [kind for kind, _ in read if kind != EMPTY]
    numbers, days = full.count(NUMBER), full.count(DATE)
    keys = any(_LEADING.match(cell) for cell in cells)
    if full and numbers >= _MOST * len(full) and not keys:
        values = [_number(value) if kind == NUMBER else None for kind, value in read]
        strays = [cell for cell, (kind, _) in zip(cells, read, strict=True) if kind not in (NUMBER, EMPTY)]
        whole = all(isinstance(value, int) for value in values if value is not None)
        told = [f"{name} is in {form.unit}"] if form.unit else []
        told += (
            [f"{name} is no number in {len(strays)} rows, and NULL: {', '.join(strays[:_TOLD])[:100]}"]
            if strays
            else []
        )
        return _Column(name, "INTEGER" if whole else "REAL", values, "; ".join(told))
    if full and days >= _MOST * len(full):
        written = [
            _day(cell, value) if kind == DATE else cell or None for cell, (kind, value) in zip(cells, read, strict=True)
        ]
        other = next((cell for cell, day in zip(cells, written, strict=True) if day and day != cell), "")
        return _Column(
            name, "TEXT", written, f"{name} is written as 2025-12-31 here, {other} in the file" if other else ""
        )
    return _Column(name, "TEXT", [cell or None for cell in cells])


def _number(value: object) -> Value:
    assert isinstance(value, Fraction)
    return int(value) if value.denominator == 1 and abs(value) < _INTEGER else float(value)


def _day(cell: str, value: object) -> str:
    """A day or a moment: as it stands, if that can be compared as a text."""
    assert isinstance(value, datetime)
    if cell[:4].isdigit() and cell[4:5] == "-":
        return cell
    return value.isoformat(" ") if ":" in cell else value.date().isoformat()


def _as_called(statement: str, tables: Mapping[str, Table]) -> str:
    """The statement with tables and columns as they are called here: a file's path, a column's title between quotation
    marks; and with NULL for a text that is empty.
    """
    for name, table in tables.items():
        file = table.path.rpartition("/")[2]
        for said in (table.path, file, file.rpartition(".")[0]):
            begins = rf"(\b(?:from|join)\s+)[\"'`\[]?{re.escape(said)}[\"'`\]]?(?![\w./-])"
            statement = re.sub(begins, rf"\1{name}", statement, flags=re.I)
        for title, plain in zip(table.columns, plain_names(table.columns), strict=True):
            if title != plain:
                statement = re.sub(rf"[\"`\[]{re.escape(title)}[\"`\]]", plain, statement)
    parts = _LITERAL.split(statement)
    for n, part in enumerate(parts):
        if part == "''" and (sign := _EQUALS.search(parts[n - 1])):
            parts[n - 1] = parts[n - 1][: sign.start()]
            parts[n] = " IS NULL" if sign[1].startswith("=") else " IS NOT NULL"
    return "".join(parts)


def _of_the_only(statement: str, tables: Mapping[str, Table], others: Callable[[], Sequence[str]]) -> Mended:
    """The statement about the only table there is, where it asks for one that is not there.

    Raises ToolError if one of the `others`, paths of files, is called so, or if it is a path.
    """
    known, (name, *more), asked = {one.casefold() for one in tables}, list(tables), Mended(statement)
    for stray in dict.fromkeys(one for one in _FROM.findall(statement) if one.casefold() not in known):
        if file := next((path for path in others() if table_name(path).casefold() == stray.casefold()), ""):
            raise ToolError(f"{stray} is the table of {file}", todo=f"give path={file}, or also=[{file}] to join both")
        if "/" in stray or "." in stray:
            raise ToolError(f"{stray} is not among path and also", todo=f"ask FROM {name}, or give its path in also")
        if not more and (mend := of_table(asked.sql, stray, name, "sqlite")) and mend.sql != asked.sql:
            asked = asked.then(mend)
    return asked
