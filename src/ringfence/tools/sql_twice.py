"""What a result of a join may not say: that a value was taken several times, or is of one row among many. Pure.

`SUM(orders.total)` of orders joined with their lines has each order as often as it has lines. It may be meant so, where
the value is a price for each line; so the result stays, and what it is with each row once is told beside it. A column
without GROUP BY beside a count is that of some row: there the groups are asked for, and all of them told beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_meant import Places
from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking

if TYPE_CHECKING:
    from sqlglot import exp

_WHOLE = re.compile(r"total|amount|budget|salary|wage|balance|betrag|summe|gehalt|lohn|saldo", re.I)
_EACH = re.compile(r"price|rate\b|preis|tariff|tarif|fare", re.I)  # of a thing, as often as it is sold
_INNER = re.compile(r"\([^()]*\)")  # what stands between parentheses is not grouped itself
_ROW = {"sqlite": "rowid", "postgres": "ctid"}
_SHOWN, _CHARS = 5, 60  # groups that are told, and characters of one value
_MANY = ("with", "with_", "having", "qualify", "windows", "laterals", "pivots", "distinct")


def grouped(sql: str, _tables: object, _joins: object) -> Asking[Mend | None]:
    """The statement by groups of the columns that it shows beside what it counts or sums up of all rows; else None.

    With the least or the most of them SQLite shows the row that has it, which is what is meant. A server refuses it.
    """
    yield from ()
    if not isinstance(select := parsed(sql, "sqlite"), _select()) or select.args.get("group"):
        return None
    from sqlglot import exp

    if select.args.get("limit") and not select.args.get("order"):  # the first of how many groups?
        return None
    aggregates = [one for one in select.find_all(exp.AggFunc) if one.parent_select is select]
    if not aggregates or select.find(exp.Window, exp.Min, exp.Max, exp.Placeholder, exp.Concat):
        return None
    if any(isinstance(one, exp.Star) for one in select.selects):
        return None
    bare = [one.unalias() for one in select.selects if isinstance(one.unalias(), exp.Column)]
    if not bare or len(bare) == len(select.selects):
        return None
    named = ", ".join(one.name for one in bare)
    mended = select.copy().group_by(*(one.copy() for one in bare))
    return Mend(mended.sql("sqlite"), f"{named} is of one row alone without GROUP BY {named}")


def alike(sql: str, rows: Sequence[Sequence[object]]) -> str:
    """A note on groups that differ in capitals or blanks alone."""
    bare = _INNER.sub(" ", " ".join(sql.lower().split()))
    if "group by" not in bare or len(rows) < 2:
        return ""
    texts = [n for n, value in enumerate(rows[0]) if isinstance(value, str)]
    return _apart([[str(row[n]) for n in texts] for row in rows]) if texts else ""


def together(columns: Sequence[str], row: Sequence[object]) -> str:
    """What numbers a row of all rows has, beside those of its groups."""
    numbers = ((name, value) for name, value in zip(columns, row, strict=True) if isinstance(value, int | float))
    values = (f"{name} {value}" for name, value in numbers)
    return f"all rows together: {', '.join(values)[:200]}"


def _select() -> type[exp.Select]:
    from sqlglot import exp

    return exp.Select


def twice(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str) -> Asking[str]:
    """A note on the first value that a join adds up, averages or counts more than once for its row, or nothing."""
    select = parsed(sql, dialect)
    if select is None or not isinstance(select, _select()) or not select.args.get("joins"):
        return ""
    from sqlglot import errors, exp

    if any(select.args.get(part) for part in _MANY) or select.find(exp.Window, exp.Placeholder, exp.Parameter):
        return ""
    places = Places(select, tables, joins)
    own = places.own(select)
    if "" in own.values() or len(own) < 2:
        return ""
    try:
        groups = _groups(select)
        for one in select.selects:
            agg = one.unalias()
            of = _of(agg, own, places)
            if groups is None or not of:
                continue
            note = yield from _told(select, agg, of, groups, places, dialect)
            if note:
                return note
    except (errors.SqlglotError, RecursionError):
        return ""
    return ""


def _groups(select: exp.Select) -> list[exp.Expr] | None:
    """By what its rows are grouped; None where that is by a place in the list, or by more than a column."""
    from sqlglot import exp

    group = select.args.get("group")
    made = {one.alias.lower(): one.unalias() for one in select.selects if one.alias}
    found = (
        [made.get(one.name.lower(), one) if isinstance(one, exp.Column) else one for one in group or ()]
        if group
        else []
    )
    return None if any(isinstance(one, exp.Literal) for one in found) else [one.copy() for one in found]


def _of(agg: exp.Expr, own: Mapping[str, str], places: Places) -> list[str]:
    """What the tables are called that a sum is of, if it takes values of some and may take them twice for others."""
    from sqlglot import exp

    if not isinstance(agg, exp.Sum | exp.Avg | exp.Count) or isinstance(agg.this, exp.Distinct | exp.Star):
        return []
    columns = list(agg.find_all(exp.Column))
    of = list(dict.fromkeys(places.of(one)[0] for one in columns))
    if not columns or "" in of or len(of) == len(own):
        return []
    order = list(own)
    first = all(order.index(one) < order.index(other) for one in of for other in order if other not in of)
    if isinstance(agg, exp.Count):
        key = f"{places.of(columns[0])[1]}.{columns[0].name.lower()}"
        is_key = isinstance(agg.this, exp.Column) and (key in places.keys.values() or key.endswith(".id"))
        return of if first and is_key else []
    if any(_WHOLE.search(one.name) for one in columns):
        return of
    return of if first and not any(_EACH.search(one.name) for one in columns) else []


def _told(
    select: exp.Select, agg: exp.Expr, of: list[str], groups: list[exp.Expr], places: Places, dialect: str
) -> Asking[str]:
    """What a sum comes to with each of its rows once, if some come more than once."""
    from sqlglot import exp

    own = places.own(select)
    rows: list[exp.Expr] = [exp.column(_ROW[dialect], table=one) for one in of]
    base = select.copy()
    for part in ("expressions", "group", "order", "limit", "offset"):
        base.set(part, None)
    inner = base.copy().select(*[exp.alias_(one.copy(), f"g{n}") for n, one in enumerate(groups)], copy=False)
    inner.select(
        *[exp.alias_(one.copy(), f"k{n}") for n, one in enumerate(rows)], exp.alias_(agg.this.copy(), "v"), copy=False
    )
    keys = ", ".join([*(f"g{n}" for n in range(len(groups))), *(f"k{n}" for n in range(len(rows)))])
    whole = f"({inner.sql(dialect)}) as w where k0 is not null"
    found = yield f"select {keys} from {whole} group by {keys} having count(*) > 1 limit $1", ("1",)
    if not found:
        return ""
    kind = type(agg).__name__.lower()
    named = ", ".join(f"g{n}" for n in range(len(groups)))
    by = f" group by {named}" if groups else ""
    once = f"select distinct * from {whole}"
    each = yield (
        f"select {named}{', ' * bool(groups)}{kind}(v) as s from ({once}) as o{by} order by s desc limit $1",
        (str(_SHOWN + 1),),
    )
    if not each:
        return ""
    told = "; ".join(": ".join(str(value)[:_CHARS] for value in row) for row in each[:_SHOWN])
    whose, rest = " and ".join(own[one] for one in of), [own[one] for one in own if one not in of]
    named_by = {key.partition(".")[0] for key, far in places.keys.items() if far.partition(".")[0] == own[of[0]]}
    others = " and ".join([one for one in rest if one in named_by] or rest)
    more = "; ..." if len(each) > _SHOWN else ""
    said = f"{agg.sql(dialect)[:200]} takes a row of {whose} once for each of its {others}"
    return f"{said}; with each row of {whose} once: {told}{more}"


def _apart(names: Sequence[Sequence[str]]) -> str:
    """Of groups: that some differ in capitals or blanks alone."""
    same: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        same.setdefault(tuple(" ".join(part.casefold().split()) for part in name), []).append(", ".join(name))
    twice = ["/".join(one[:_SHOWN]) for one in same.values() if len(one) > 1]
    return f"groups that differ in capitals alone: {'; '.join(twice[:_SHOWN])[:300]}" if twice else ""
