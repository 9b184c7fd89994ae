"""`csv.sql`: one SELECT of CSV, TSV and JSON Lines files, each of them a table that is called as its file is.

Whoever learned to write programs knows SQL, and so does a small model: it takes a month, a share or the second largest
as easily there as it gets lost among arguments of our own (figures: docs/benchmarks.md). The statement is asked in a
database in memory, under the same bounds as `sql.query`, and mended by the same rules.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Annotated

import apsw
from pydantic import BeforeValidator, Field

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from . import sql
from .folders import Folders
from .sql_mend import Mend, Mended
from .sql_read import parsed, unfenced
from .sql_schema import identifier
from .table_typed import Typed, column
from .tabular import Table, plain_names, read_table, table_name
from .texts import notes, read_text
from .tidy import tidied
from .tool import KNOWN_TABLE, Args, Tool, Use, define

SECONDS = 10.0
MOST_FILES = 4  # beside the first one
MOST_COLUMNS = 1_000  # of a table
_FEW = 400_000  # cells of a table, that are all read as what they are; of more, those that a statement speaks of
_MOST_STRAYS = 4  # names of tables that are not there, which are looked for
_LITERAL = re.compile(r"('(?:[^']|'')*')")
_ALL = re.compile(r"(?<!\()\*")  # every column; count(*) is none
_EQUALS = re.compile(r"(?<![\w.\"`\])])((?:\w+\.)?(?:\w+|\"[^\"]+\"|`[^`]+`))\s*(==?|!=|<>)\s*\Z")  # a column alone

KnownTable = Annotated[str, Field(min_length=1, json_schema_extra=KNOWN_TABLE)]


class SelectArgs(Args):
    """Arguments of csv.sql."""

    path: Annotated[KnownTable, Field(description="a CSV, TSV or JSONL file path such as tables/people.csv")]
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


def select_csv(folders: Folders, use: Use, *, room: int, looks: bool = True) -> Tool:
    """The tool `csv.sql`. `room` is in characters of the result; `looks`: whether values are told beside it."""

    def run(args: SelectArgs) -> JSON:
        until = time.monotonic() + SECONDS
        tables = dict[str, Table]()
        for path in dict.fromkeys((args.path, *args.also)):
            known, text = read_text(folders, path)
            table = read_table(known, text, seconds=SECONDS / 2)
            if (name := table_name(known)) in tables:
                raise ToolError(
                    f"{tables[name].path} and {known} are tables of one name", todo="ask one, then the other"
                )
            if len(table.columns) > MOST_COLUMNS:
                raise ToolError(f"{known} has {len(table.columns)} columns, more than the limit of {MOST_COLUMNS}")
            tables[name] = table
        bounds = sql.Bounds(sql.MAX_ROWS, room, until, looks)
        return select(tables, args.sql, bounds, lambda: [one.path for one in folders.walk(seconds=1.0).files])

    under = [root.name for root in folders.roots] if all(root.name for root in folders.roots) else []
    own = rf"(?:{'|'.join(map(re.escape, under))})/\S*" if under else ""
    suits = rf"\.(?:csv|tsv)\b|{own}\.(?:jsonl|ndjson)\b"
    summary = (
        "Ask a CSV, TSV or JSONL file with one SELECT: filter, count, add up, group, sort. Use it for every question "
        "about a table instead of reading it."
    )
    return define("csv.sql", summary, SelectArgs, run, use=use, timeout_s=SECONDS, suits=suits, under=under)


def select(
    tables: Mapping[str, Table], statement: str, bounds: sql.Bounds, others: Callable[[], Sequence[str]] = tuple
) -> JSON:
    """The result of a statement about these tables, as `sql.query` gives it, and notes of how they were read.

    others  the paths of further files. Raises ToolError.
    """
    asked = _of_the_only(_as_called(statement, tables), tables, others)
    texts = [text[1:-1].replace("''", "'") for text in _LITERAL.findall(statement)]
    said, columns = list[str](), dict[str, list[Typed]]()
    with sql.in_words(SECONDS), closing(apsw.Connection(":memory:")) as db:
        for name, table in tables.items():
            kept, note = tidied(table, texts)
            said.append(note)
            columns[name] = _filled(db, name, kept, asked.sql)
        sql.guard(db, bounds.until)
        result = sql.answered(db, Mended(_as_written(asked.sql, columns), asked.why), bounds)
    ran = str(result.get("ran", asked.sql))
    said += [one.note for of in columns.values() for one in of if one.note and _speaks_of(ran, one.name)]
    return {**result, **notes(result.get("note", ""), *said)}


def _speaks_of(statement: str, name: str) -> bool:
    bare = _LITERAL.sub("''", statement)
    return _ALL.search(bare) is not None or re.search(rf"\b{re.escape(name)}\b", bare, re.I) is not None


def _filled(db: apsw.Connection, name: str, table: Table, statement: str) -> list[Typed]:
    """Make a table in the database."""
    small = len(table.rows) * len(table.columns) <= _FEW
    columns = list[Typed]()
    for n, plain in enumerate(plain_names(table.columns)):
        cells = [row[n] for row in table.rows]
        read = small or _speaks_of(statement, plain)
        columns.append(
            column(plain, cells, table.form(n), commas=table.commas) if read else Typed(plain, "TEXT", cells)
        )
    heads = ", ".join(f"{identifier(one.name)} {one.kind}" for one in columns)
    db.execute(f"create table {identifier(name)} ({heads})")
    marks = ", ".join("?" * len(columns))
    with db:
        db.executemany(
            f"insert into {identifier(name)} values ({marks})", zip(*(one.values for one in columns), strict=True)
        )
    return columns


def _as_called(statement: str, tables: Mapping[str, Table]) -> str:
    """The statement with tables and columns as they are called here: a file's path, a column's title between quotation
    marks; and with NULL for a text that is empty.
    """
    names = [(name, known) for known, table in tables.items() for name in (known, *_names(table.path))]
    called = {name.casefold(): known for name, known in names}
    longest = "|".join(re.escape(name) for name, _ in sorted(names, key=lambda one: -len(one[0])))
    begins = re.compile(rf"(\b(?:from|join)\s+)([\"'`\[]?)({longest})[\"'`\]]?(?![\w./-])", re.I)

    def named(match: re.Match[str]) -> str:
        return f"{match[1]}{called[match[3].casefold()]}"

    parts = _LITERAL.split(statement)
    for n in range(len(parts)):
        if n % 2 == 0:
            parts[n] = begins.sub(named, parts[n])
        elif re.search(r"\b(?:from|join)\s+\Z", parts[n - 1], re.I) and (
            known := called.get(parts[n][1:-1].casefold())
        ):
            parts[n] = known
        elif parts[n] == "''" and (sign := _EQUALS.search(parts[n - 1])):
            parts[n - 1] = parts[n - 1][: sign.end(1)]
            parts[n] = " IS NULL" if sign[2].startswith("=") else " IS NOT NULL"
    statement = "".join(parts)
    for table in tables.values():
        for title, plain in zip(table.columns, plain_names(table.columns), strict=True):
            if title != plain:
                statement = re.sub(rf"[\"`\[]{re.escape(title)}[\"`\]]", plain, statement, flags=re.I)
    return statement


def _names(path: str) -> tuple[str, ...]:
    """How a statement may call the table of a file."""
    file = path.rpartition("/")[2]
    return path, file, file.rpartition(".")[0]


def _of_the_only(statement: str, tables: Mapping[str, Table], others: Callable[[], Sequence[str]]) -> Mended:
    """The statement about the only table there is, where it asks for one alone, which is not there.

    Raises ToolError if one of the `others`, paths of files, is called so, or if it is a path.
    """
    asked, tree = Mended(statement), parsed(statement, "sqlite")
    if tree is None:
        return asked
    from sqlglot import exp

    made = {one.alias.casefold() for one in tree.find_all(exp.CTE)}
    sources = [one for one in tree.find_all(exp.Table) if isinstance(one.this, exp.Identifier)]
    sources = [one for one in sources if one.name.casefold() not in made]
    strays = dict.fromkeys(one.name for one in sources if one.db or one.name.casefold() not in tables)
    paths = others() if strays else ()
    for stray in list(strays)[:_MOST_STRAYS]:
        if file := next((path for path in paths if table_name(path) == stray.casefold()), ""):
            raise ToolError(f"{stray} is the table of {file}", todo=f"give path={file}, or also=[{file}] to join both")
        if "/" in stray or "." in stray or any(one.db for one in sources):
            name = next(iter(tables))
            raise ToolError(f"{stray} is not among path and also", todo=f"ask FROM {name}, or give its path in also")
    if len(tables) > 1 or len(strays) != 1 or any(one.name not in strays for one in sources):
        return asked
    (name,), (stray,) = tables, strays
    for one in sources:
        one.replace(exp.alias_(exp.to_table(name), one.alias or stray, table=True))
    return asked.then(Mend(tree.sql("sqlite"), f"{stray} is the table {name}"))


def _as_written(statement: str, columns: Mapping[str, Sequence[Typed]]) -> str:
    """The statement with the texts that a column is compared with as that column has them here: `> '31.12.2024'`."""
    reads: dict[str, list[Typed]] = {}
    for of in columns.values():
        for one in of:
            reads.setdefault(one.name.casefold(), []).append(one)
    if (tree := parsed(statement, "sqlite")) is None:
        return statement
    from sqlglot import errors, exp

    changed = False
    for literal in list(tree.find_all(exp.Literal)):
        above = literal.parent
        if not literal.is_string or not isinstance(
            above, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between | exp.In
        ):
            continue
        compared = [one for one in above.iter_expressions() if isinstance(one, exp.Column)]
        known = reads.get(compared[0].name.casefold(), []) if len(compared) == 1 else []
        if len(known) != 1 or known[0].literal is None or (value := known[0].literal(literal.this)) == literal.this:
            continue
        literal.replace(exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(f"{value}"))
        changed = True
    try:
        return tree.sql("sqlite") if changed else statement
    except (errors.SqlglotError, RecursionError):
        return statement
