"""`csv.query`: filter, group, aggregate and sort the rows of a CSV or TSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ringfence.core.errors import ToolError
from ringfence.core.policy import Role
from ringfence.core.values import JSON

from . import doubts
from .cells import EMPTY, NUMBER, holds, typed
from .folders import Folders
from .forms import PLAIN
from .tabular import LOOK_ROWS, Placed, Table, read_table
from .texts import notes, read_text
from .tidy import tidied
from .tool import KNOWN_COLUMN, KNOWN_TABLE, Args, Tool, Use, define
from .totals import aggregate, names_rows, of_groups, totals
from .where import EXTREMES, Condition, placed, why_none

SECONDS = 10.0
ROLES = {"path": Role.CONTROL, "also": Role.CONTROL}  # of csv.sql, too
CELL_CHARS = 200
_FEW = 5  # rows, fewer of which are asked for as the first of an order
SHOWN = 20  # rows of a result, unless another number is asked for

Aggregate = Literal["", "count", "sum", "avg", "min", "max"]
Column = Annotated[str, Field(json_schema_extra=KNOWN_COLUMN)]


def _listed(value: object) -> object:
    """Columns separated by commas are as good as a list of them."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


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


def _picked(
    table: Table, names: Sequence[str], rows: Sequence[Sequence[str]], conditions: Sequence[Placed]
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
    table, sums_of = tidied(table, [one.value for one in args.where])
    conditions, elsewhere = placed(table, args.where, rows=not args.aggregate and not args.group_by)
    rows, order = _met(table, conditions)
    matched, total = len(rows), len(table.rows)
    none = "" if matched else why_none(table, conditions)
    alone, left_out, whole = "", "", dict[str, JSON]()
    known = [column.lower() for column in table.columns]
    if ungrouped := _one_row_each(table, rows, args):
        alone = f"each {args.group_by} stands in one row, so that its columns are shown"
        args = args.model_copy(update=ungrouped)
    if args.aggregate or args.group_by:
        args = args.model_copy(update=_meant(table, args))
        place = table.place(args.column) if args.column else 0
        cells, form = [row[place] for row in rows], table.form(place)
        table, left_out = _aggregated(table, rows, args)
        rows, picked = table.rows, list(range(len(table.columns)))
        if args.group_by and "units" not in left_out:
            whole = of_groups(table.columns[-1], [row[-1] for row in rows], cells, form)
    else:
        picked = _picked(table, args.select, rows, conditions)
    if args.sort_by and not (args.aggregate and not args.group_by):
        place = _sort_place(table, args, known)
        order = _doubt(table, rows, place)
        rows = _sorted(table, rows, place, descending=args.descending)
    sums = {} if args.aggregate or args.group_by else totals(table.columns, rows, picked, table.form)
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
        **notes(cut, none, elsewhere, alone, left_out, order, sums_of),
    }


def _met(table: Table, conditions: Sequence[Placed]) -> tuple[list[list[str]], str]:
    """The rows that meet all conditions, and a note of those by an order."""
    extremes = [c for c in conditions if c[2].strip().lower() in EXTREMES]
    plain = [c for c in conditions if c not in extremes]
    rows = [row for row in table.rows if all(table.meets(row, one) for one in plain)]
    order = "; ".join(filter(None, (_doubt(table, table.rows, place) for place, op, _ in plain if op[0] in "<>")))
    for place, _, value in extremes:
        rows = _extreme(table, rows, place, EXTREMES[value.strip().lower()])
    return rows, order


def _doubt(table: Table, rows: Sequence[Sequence[str]], place: int) -> str:
    return doubts.of_order(table.columns[place], [row[place] for row in rows], table.form(place))


def _which(rows: int, sums: Mapping[str, JSON]) -> ToolError:
    """For who asks for one row of all, and not for which."""
    by = ", ".join(name.partition(" of all ")[0] for name in sums)[:600]
    todo = f"give sort_by ({by}) and descending=true for the most, or limit={SHOWN} for rows in the file's order"
    return ToolError(f"one of {rows} rows is asked for, and not which", todo=todo)


def _cut(shown: int, there: int, args: QueryArgs) -> str:
    """What is not shown: in their order the first ones, as it was asked for; or there was no room for more."""
    grouped = bool(args.aggregate or args.group_by)
    if shown == args.limit < SHOWN and (grouped or args.sort_by):
        most = ", those with the most" if not args.sort_by else ""
        return f"the first {shown} of {there} {'groups' if grouped else 'rows'}{most}, as asked for"
    return f"showing {shown} of {there} rows; add conditions, or use aggregate"


def _extreme(table: Table, rows: list[list[str]], place: int, kind: str) -> list[list[str]]:
    """The rows with the least or most of a column: `= max` is what a model writes for it."""
    wanted = aggregate(kind, [row[place] for row in rows], 0, table.form(place))[0]
    return [row for row in rows if row[place] == wanted]


def _sort_place(table: Table, args: QueryArgs, known: Sequence[str]) -> int:
    """A column of the result; after an aggregate, its own name or another of the `known` columns mean the aggregate."""
    wanted = args.sort_by.strip().lower()
    missing = wanted in known and wanted not in [column.lower() for column in table.columns]  # which no group has
    if missing or (args.aggregate and wanted in (args.aggregate, args.column.strip().lower())):
        return len(table.columns) - 1
    return table.place(args.sort_by)


def _sorted(table: Table, rows: list[list[str]], place: int, *, descending: bool) -> list[list[str]]:
    """Empty cells last in both orders; equal ones keep their order."""
    form = table.form(place)
    values = [(typed(row[place], form), row) for row in rows]
    full = sorted((one for one in values if one[0][0] != EMPTY), key=itemgetter(0), reverse=descending)
    return [row for _, row in full] + [row for value, row in values if value[0] == EMPTY]


def _meant(table: Table, args: QueryArgs) -> dict[str, str]:
    """What an aggregate can only mean: of the columns selected, or of all, the one that is no group and can be
    calculated with; the only one selected, if it is the group as well, and then nothing is grouped.
    """
    if args.column or args.aggregate in ("", "count"):
        return {}
    keys, picked = table.places(args.group_by), table.places(",".join(args.select))
    if picked and picked == keys and len(keys) == 1 and _numeric(table, keys[0]):
        return {"column": table.columns[keys[0]], "group_by": ""}
    if not picked and len(keys) == 1 and args.aggregate != "count" and _is_amount(table, keys[0]):
        return {"column": table.columns[keys[0]], "group_by": ""}  # groups of amounts are none
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
    """Whether a column can be calculated with."""
    cells = (row[place] for row in table.rows[:LOOK_ROWS])
    return not names_rows(table.columns[place]) and holds(cells, table.form(place)) == {NUMBER}


def _is_amount(table: Table, place: int) -> bool:
    """Whether the numbers of a column tell no groups: they have decimals, or differ from row to row."""
    cells = [row[place] for row in table.rows]
    decimals = 2 * sum("." in cell or "," in cell for cell in cells) > len(cells)
    return _numeric(table, place) and (decimals or 2 * len(set(cells)) > len(cells)) and len(cells) > 2


def _aggregated(table: Table, rows: list[list[str]], args: QueryArgs) -> tuple[Table, str]:
    """Groups as rows, and a note. Grouping without an aggregate counts; groups come most first unless sorted."""
    kind = args.aggregate or "count"
    if kind != "count" and not args.column:
        raise ToolError(f"{kind} needs a column", todo=f"give column, one of {', '.join(table.columns)[:600]}")
    place = table.place(args.column) if args.column else -1
    keys = table.places(args.group_by)
    groups: dict[tuple[str, ...], list[list[str]]] = {} if keys else {(): rows}
    for row in rows if keys else []:
        groups.setdefault(tuple(row[n] for n in keys), []).append(row)
    left_out, note, form = 0, "", table.form(place) if place >= 0 else PLAIN
    made: list[list[str]] = []
    for key, members in groups.items():
        cells = [row[place] for row in members] if place >= 0 else []
        value, unusable = aggregate(kind, cells, len(members), form)
        left_out += unusable
        made.append([*key, value])
    if not keys and kind in ("min", "max") and made[0][0]:
        note = "the row: " + ", ".join(next(row for row in rows if row[place] == made[0][0]))
    name = kind if place < 0 or kind == "count" else f"{kind}({table.columns[place]})"
    if left_out:
        note = f"{left_out} rows without a usable {table.columns[place]} were left out"
    cells = [row[place] for row in rows] if place >= 0 else []
    doubt = doubts.of_aggregate(kind, table.columns[place], cells, form, points=not table.commas)
    note = "; ".join(filter(None, (note, doubt, doubts.of_groups(list(groups)) if keys else "")))
    forms = {at: table.form(n) for at, n in enumerate(keys)} | {len(keys): form if kind in ("min", "max") else PLAIN}
    groups_of = Table(table.path, (*(table.columns[n] for n in keys), name), made, forms)
    if keys and not args.sort_by:
        made[:] = _sorted(groups_of, made, len(keys), descending=True)
    return groups_of, note
