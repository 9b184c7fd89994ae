"""`csv.query`: filter, group, aggregate and sort the rows of a CSV or TSV file."""

from __future__ import annotations

import csv
import difflib
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ringfence.core.errors import ToolError
from ringfence.core.policy import Role
from ringfence.core.values import JSON

from .cells import NUMBER, WORD, Op, holds, meets, typed
from .folders import Folders
from .texts import notes, read_text
from .tool import KNOWN_COLUMN, KNOWN_TABLE, Args, Tool, Use, define
from .totals import aggregate, of_groups, totals

SECONDS = 10.0
ROLES = {"path": Role.CONTROL}
CELL_CHARS = 200
_FEW = 5  # rows, fewer of which are asked for as the first of an order
SHOWN = 20  # rows of a result, unless another number is asked for
_FLAGS = ("yes", "no", "true", "false", "open", "closed", "done", "ja", "nein", "none", "null", "nan")
_EXTREMES = {"max": "max", "maximum": "max", "highest": "max", "min": "min", "minimum": "min", "lowest": "min"}

Aggregate = Literal["", "count", "sum", "avg", "min", "max"]

Column = Annotated[str, Field(json_schema_extra=KNOWN_COLUMN)]
LOOK_ROWS = 50  # that tell what a column holds


def _listed(value: object) -> object:
    """Columns separated by commas are as good as a list of them."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class Condition(Args):
    """One condition; a row has to meet all of them."""

    column: Annotated[str, Field(description="a column name", json_schema_extra={**KNOWN_COLUMN, "x-any": "*"})]
    op: Annotated[Op, Field(description="how to compare")] = "="
    value: Annotated[str, Field(description="a number, a date such as 2025-01-31, or a text")]


class QueryArgs(Args):
    """Arguments of csv.query."""

    path: Annotated[
        str,
        Field(
            description="a CSV or TSV file path such as tables/people.csv", min_length=1, json_schema_extra=KNOWN_TABLE
        ),
    ]
    select: Annotated[
        tuple[Column, ...], Field(description="columns to show; empty for all", max_length=20), BeforeValidator(_listed)
    ] = ()
    where: Annotated[tuple[Condition, ...], Field(description="conditions that rows must meet", max_length=10)] = ()
    group_by: Annotated[Column, Field(description="column to group by; empty for none")] = ""
    aggregate: Annotated[
        Aggregate, Field(description="what to calculate for the rows or for each group; empty for none")
    ] = ""
    column: Annotated[str, Field(description="the column to sum, avg, min or max", json_schema_extra=KNOWN_COLUMN)] = ""
    sort_by: Annotated[
        str, Field(description="the column to sort by; empty keeps the order", json_schema_extra=KNOWN_COLUMN)
    ] = ""
    descending: Annotated[bool, Field(description="true for the largest first")] = False
    limit: Annotated[int, Field(ge=1, le=200, description="how many rows to show")] = SHOWN


_Condition = tuple[int, Op, str]  # the position of a column, and what its cells are held against


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of as many texts."""

    path: str
    columns: tuple[str, ...]
    rows: list[list[str]]

    def place(self, name: str) -> int:
        """The position of a column, however it is capitalised; raises ToolError that names the columns there are."""
        wanted = name.strip().strip("\"'`").lower()
        folded = [column.lower() for column in self.columns]
        if wanted in folded:
            return folded.index(wanted)
        near = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
        did = f"did you mean {self.columns[folded.index(near[0])]}? " if near else ""
        raise ToolError(f"{self.path} has no column {name!r}", todo=f"{did}columns: {', '.join(self.columns)[:600]}")

    def places(self, names: str) -> list[int]:
        """The positions of columns separated by commas."""
        wanted = [name for name in names.split(",") if name.strip() and name.strip() != "*"]
        return [self.place(name) for name in wanted]


def query_csv(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `csv.query`. `room` is in characters of the result."""

    def run(args: QueryArgs) -> JSON:
        path, text = read_text(folders, args.path)
        return query(read_table(path, text, seconds=SECONDS / 2), args, room=room)

    summary = (
        "Filter, sort, count and sum the rows of a CSV or TSV file. Use it for every question about a table instead of "
        "reading it."
    )
    return define("csv.query", summary, QueryArgs, run, use=use, timeout_s=SECONDS, suits=r"\.(?:csv|tsv)\b")


def separates(path: str, head: str) -> str:
    """The separator of a table, by its name and its first line."""
    return "\t" if path.lower().endswith(".tsv") else max(",;\t|", key=head.count)


def read_table(path: str, text: str, *, seconds: float) -> Table:
    """Columns from the first line, separator from its characters. Raises ToolError for what is no table."""
    head = text.partition("\n")[0]
    separator = separates(path, head)
    until = time.monotonic() + seconds
    rows: list[list[str]] = []
    try:
        for n, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator)):
            if n % 1024 == 0 and time.monotonic() > until:
                raise ToolError(f"{path} takes longer than {seconds:g} s to read")
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
    except csv.Error as error:
        raise ToolError(f"{path} cannot be read as a table: {error}", todo="use files.read to see it") from None
    if not rows:
        raise ToolError(f"{path} is empty: it has no header and no rows")
    columns: list[str] = []
    for n, name in enumerate(rows[0], 1):
        name = name or f"column{n}"
        columns.append(f"{name}_{n}" if name in columns else name)
    width = len(columns)
    return Table(path, tuple(columns), [(row + [""] * (width - len(row)))[:width] for row in rows[1:]])


def _picked(
    table: Table, names: Sequence[str], rows: Sequence[Sequence[str]], conditions: Sequence[_Condition]
) -> list[int]:
    """The columns to show: those of these names; all, if there are none, or they hold what the conditions give alone.

    A small model selects the boat, of the boat that it asks for.
    """
    picked = table.places(",".join(names))
    given = {place: value.strip().casefold() for place, op, value in conditions if op == "="}
    told = bool(rows) and all(given.get(n) == row[n].strip().casefold() for row in rows for n in picked)
    return list(range(len(table.columns))) if told or not picked else picked


def query(table: Table, args: QueryArgs, *, room: int) -> dict[str, JSON]:
    """The result of a query, as columns and rows that fit in `room` characters."""
    conditions, elsewhere = _placed(table, args)
    extremes = [c for c in conditions if c[2].strip().lower() in _EXTREMES]
    plain = [c for c in conditions if c not in extremes]
    rows = [row for row in table.rows if all(meets(row[n], op, value) for n, op, value in plain)]
    for place, _, value in extremes:
        rows = _extreme(rows, place, _EXTREMES[value.strip().lower()])
    matched, total = len(rows), len(table.rows)
    none = "" if matched else _why_none(table, conditions)
    alone, left_out, whole = "", "", dict[str, JSON]()
    if ungrouped := _one_row_each(table, rows, args):
        alone = f"each {args.group_by} stands in one row, so that its columns are shown"
        args = args.model_copy(update=ungrouped)
    if args.aggregate or args.group_by:
        args = args.model_copy(update=_meant(table, args))
        names, rows, left_out = _aggregated(table, rows, args)
        whole = of_groups(names[-1], [row[-1] for row in rows]) if args.group_by else {}
        table = Table(table.path, names, rows)
        picked = list(range(len(names)))
    else:
        picked = _picked(table, args.select, rows, conditions)
    if args.sort_by and not (args.aggregate and not args.group_by):
        rows = _sorted(rows, _sort_place(table, args), descending=args.descending)
    sums = {} if args.aggregate or args.group_by else totals(table.columns, rows, picked)
    shown: list[list[str]] = []
    used = 0
    for row in rows[: args.limit]:
        cells = [row[n][:CELL_CHARS] for n in picked]
        used += sum(len(cell) + 4 for cell in cells)
        if used > room and shown:
            break
        shown.append(cells)
    cut = _cut(len(shown), len(rows), args) if len(shown) < len(rows) else ""
    if cut and sums and not args.sort_by and args.limit < _FEW:  # a model takes the first rows of a file for an order
        if args.limit == 1 and args.select and not args.where and len(sums) < len(picked) and not alone:
            raise _which(len(rows), sums)
        cut = f"{cut}. These are the first in the file's order: for the one with the most use sort_by, descending=true"
    columns = [table.columns[n] for n in picked]
    return {
        "columns": columns,
        "rows": shown,
        **sums,
        **whole,
        "matched": f"{matched} of {total} rows",
        **notes(cut, none, elsewhere, alone, left_out),
    }


def _placed(table: Table, args: QueryArgs) -> tuple[list[_Condition], str]:
    """The conditions, and a note.

    A name that stands nowhere in its column, and in one other alone, is asked for there: not where rows are counted or
    summed up, whose number would be of something else, nor where both columns hold the same names (payer and payee). Of
    `*` any column is its own: what stands in one alone is asked for there, and else it is no condition.
    """
    placed, told, columns = list[_Condition](), list[str](), dict[int, set[str]]()

    def texts(place: int) -> set[str]:
        if place not in columns:
            columns[place] = {row[place].casefold() for row in table.rows}
        return columns[place]

    for given in args.where:
        one = _none(table, given)
        value, own = one.value.strip().casefold(), None if one.column.strip() == "*" else table.place(one.column)
        if own is None and one.op != "=":
            raise ToolError(f"* stands for a column with =, and not with {one.op}", todo="name the column")
        if own is not None:
            moves = one.op == "=" and not args.aggregate and not args.group_by and _is_name(one.value)
            if not moves or any(meets(row[own], "=", one.value) for row in table.rows):
                placed.append((own, one.op, one.value))
                continue
        having = [n for n in range(len(table.columns)) if n != own and value in texts(n)]
        if len(having) == 1 and (own is None or texts(own).isdisjoint(texts(having[0]) - {""})):
            instead = "" if own is None else f", not in {table.columns[own]}"
            told.append(f"{one.value} stands in {table.columns[having[0]]}{instead}: asked for there")
            placed.append((having[0], one.op, one.value))
        elif own is not None:
            placed.append((own, one.op, one.value))
        else:
            told.append(f"{one.value} stands in {'several columns' if having else 'no column'}: not asked for")
    return placed, "; ".join(told)


def _none(table: Table, one: Condition) -> Condition:
    """A condition for what is NULL as one for what is empty, where a column has empty cells and none that says so."""
    if one.value.strip().casefold() not in ("null", "none", "nan", "empty", "missing") or one.column.strip() == "*":
        return one
    cells = {row[table.place(one.column)].strip().casefold() for row in table.rows}
    return one.model_copy(update={"value": ""}) if "" in cells and one.value.strip().casefold() not in cells else one


def _which(rows: int, sums: Mapping[str, JSON]) -> ToolError:
    """For who asks for one row of all, and not for which."""
    by = ", ".join(name.partition(" of all ")[0] for name in sums)[:600]
    todo = f"give sort_by ({by}) and descending=true for the most, or limit={SHOWN} for rows in the file's order"
    return ToolError(f"one of {rows} rows is asked for, and not which", todo=todo)


def _is_name(value: str) -> bool:
    """Whether a value can only be of one thing: no number, date, yes or no, and not empty."""
    bare = value.strip().casefold()
    return typed(value)[0] == WORD and len(bare) > 2 and bare not in (*_EXTREMES, *_FLAGS)


def _cut(shown: int, there: int, args: QueryArgs) -> str:
    """What is not shown: in their order the first ones, as it was asked for; or there was no room for more."""
    grouped = bool(args.aggregate or args.group_by)
    if shown == args.limit < SHOWN and (grouped or args.sort_by):
        most = ", those with the most" if not args.sort_by else ""
        return f"the first {shown} of {there} {'groups' if grouped else 'rows'}{most}, as asked for"
    return f"showing {shown} of {there} rows; add conditions, or use aggregate"


def _extreme(rows: list[list[str]], place: int, kind: str) -> list[list[str]]:
    """The rows with the least or most of a column: `= max` is what a model writes for it."""
    wanted = aggregate(kind, [row[place] for row in rows], 0)[0]
    return [row for row in rows if row[place] == wanted]


def _sort_place(table: Table, args: QueryArgs) -> int:
    """A column of the result; after an aggregate, its own name or its column's mean the aggregate."""
    wanted = args.sort_by.strip().lower()
    if args.aggregate and wanted in (args.aggregate, args.column.strip().lower()):
        return len(table.columns) - 1
    return table.place(args.sort_by)


def _sorted(rows: list[list[str]], place: int, *, descending: bool) -> list[list[str]]:
    """Empty cells last in both orders; equal ones keep their order."""
    full = [row for row in rows if row[place].strip()]
    empty = [row for row in rows if not row[place].strip()]
    return sorted(full, key=lambda row: typed(row[place]), reverse=descending) + empty


def _meant(table: Table, args: QueryArgs) -> dict[str, str]:
    """What an aggregate can only mean: of the columns selected, or of all, the one that is no group and can be
    calculated with; the only one selected, if it is the group as well, and then nothing is grouped.
    """
    if args.column or args.aggregate in ("", "count"):
        return {}
    keys, picked = table.places(args.group_by), table.places(",".join(args.select))
    if picked and picked == keys and len(keys) == 1 and _numeric(table, keys[0]):
        return {"column": table.columns[keys[0]], "group_by": ""}
    among = [n for n in picked if n not in keys] or range(len(table.columns))
    able = [n for n in among if n not in keys and _numeric(table, n)]
    return {"column": table.columns[able[0]]} if len(able) == 1 else {}


def _one_row_each(table: Table, rows: list[list[str]], args: QueryArgs) -> dict[str, str]:
    """Where rows are counted by what no two share, and other columns are selected, these are meant."""
    if args.aggregate not in ("", "count") or not args.group_by or len(rows) < 2:
        return {}
    keys, there = table.places(args.group_by), {column.lower() for column in table.columns}
    others = {name.strip().lower() for name in args.select} & there - {table.columns[n].lower() for n in keys}
    if len(keys) != 1 or not others or len({row[keys[0]] for row in rows}) < len(rows):
        return {}
    sort_by = "" if args.sort_by.strip().lower() == "count" else args.sort_by
    return {"group_by": "", "aggregate": "", "column": "", "sort_by": sort_by}


def _numeric(table: Table, place: int) -> bool:
    return holds(row[place] for row in table.rows[:LOOK_ROWS]) == {NUMBER}


def _aggregated(table: Table, rows: list[list[str]], args: QueryArgs) -> tuple[tuple[str, ...], list[list[str]], str]:
    """Columns, rows and a note. Grouping without an aggregate counts; groups come most first unless sorted."""
    kind = args.aggregate or "count"
    if kind != "count" and not args.column:
        raise ToolError(f"{kind} needs a column", todo=f"give column, one of {', '.join(table.columns)[:600]}")
    place = table.place(args.column) if args.column else -1
    keys = table.places(args.group_by)
    groups: dict[tuple[str, ...], list[list[str]]] = {} if keys else {(): rows}
    for row in rows if keys else []:
        groups.setdefault(tuple(row[n] for n in keys), []).append(row)
    left_out, note = 0, ""
    made: list[tuple[tuple[str, ...], str]] = []
    for key, members in groups.items():
        value, unusable = aggregate(kind, [row[place] for row in members] if place >= 0 else [], len(members))
        left_out += unusable
        made.append((key, value))
    if keys and not args.sort_by:
        made = [(tuple(row[:-1]), row[-1]) for row in _sorted([[*k, v] for k, v in made], len(keys), descending=True)]
    if not keys and kind in ("min", "max") and made[0][1]:
        note = "the row: " + ", ".join(next(row for row in rows if row[place] == made[0][1]))
    name = kind if place < 0 or kind == "count" else f"{kind}({table.columns[place]})"
    if left_out:
        note = f"{left_out} rows without a usable {table.columns[place]} were left out"
    return (*(table.columns[n] for n in keys), name), [[*key, value] for key, value in made], note


def _why_none(table: Table, conditions: Sequence[_Condition]) -> str:
    """For a model that guessed: the condition that no row meets, and where its value stands or what its column has."""
    if not conditions:
        return "the table has no rows"
    alone = [c for c in conditions if not any(meets(row[c[0]], c[1], c[2]) for row in table.rows)]
    place, op, value = (alone or conditions)[0]
    which = f"no row has {table.columns[place]} {op} {value}" if alone else "no row meets all conditions"
    if alone and op == "=":
        others = (n for n in range(len(table.columns)) if n != place)
        if there := [table.columns[n] for n in others if any(meets(row[n], "=", value) for row in table.rows)]:
            return f"{which}; {value} stands in {', '.join(there)[:200]}"
    values = list(dict.fromkeys(row[place] for row in table.rows[:1_000]))[:8]
    return f"{which}; {table.columns[place]} has values such as {', '.join(values)[:200]}"
