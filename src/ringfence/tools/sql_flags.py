"""Columns of yes and no, asked whether they are NULL; and the row that has the most. Pure.

Asked for the hires with a skipper, a small model writes `skipper IS NOT NULL`, and that is all of them, for the others
say `no`. Asked who gave most, it takes the most, and no row says who that was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_meant import Places
from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, Key, columns_of, identifier, joins_of
from .sql_sums import no_amount

if TYPE_CHECKING:
    from sqlglot import exp

_PAIRS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("ja", "nein"))
_SHOWN, _CHARS = 12, 60  # columns of a row that is told, and characters of each


def flagged(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The statement that asks for `yes`, where a column of yes and no that is never NULL is not to be NULL."""
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    places, why = Places(tree, tables, joins), list[str]()
    if tree.find(exp.Join):  # a row that has no other one has NULL there
        return None
    try:
        for one in list(tree.find_all(exp.Is)):
            asked = one.find_ancestor(exp.Where) and not one.find_ancestor(exp.Case, exp.If, exp.Func)
            if not isinstance(one.this, exp.Column) or not isinstance(one.expression, exp.Null) or not asked:
                continue
            _, table = places.of(one.this)
            negated = one.parent if isinstance(one.parent, exp.Not) else None
            if not table or (pair := (yield from _pair(table, one.this.name))) is None:
                continue
            value = pair[0 if negated else 1]
            (negated or one).replace(exp.EQ(this=one.this.copy(), expression=exp.Literal.string(value)))
            why.append(f"{one.this.name} is never NULL, but {pair[0]!r} or {pair[1]!r}")
        return Mend(tree.sql("sqlite"), "; ".join(dict.fromkeys(why))) if why else None
    except (errors.SqlglotError, RecursionError):
        return None


def _pair(table: str, column: str) -> Asking[tuple[str, str] | None]:
    """The two values of a column, yes and no, as it writes them; None of any other one."""
    of = identifier(table)
    rows = yield f"select distinct {of}.{identifier(column)} from {of} limit $1", ("3",)
    found = [row[0] for row in rows or ()]
    there = {value.casefold(): value for value in found if isinstance(value, str)}
    for yes, no in _PAIRS:
        if len(found) == len(there) == 2 and there.keys() == {yes, no}:
            return there[yes], there[no]
    return None


def behind(sql: str, rows: int, *, cut: bool) -> Asking[str]:
    """How many rows there are behind so many, and what a column of numbers alone comes to in them, where equal ones are
    shown once: a model takes these for all of them. `cut`: there are more than were fetched.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return ""
    from sqlglot import errors, exp

    if (
        not isinstance(tree, exp.Select)
        or not (tree.args.get("group") or tree.args.get("distinct"))
        or tree.find(exp.AggFunc, exp.Placeholder, exp.Window)
        or tree.args.get("having")
        or tree.args.get("offset")
    ):
        return ""
    try:
        whole = tree.copy()
        for part in ("group", "distinct", "order", "limit"):
            whole.set(part, None)
        one = tree.selects[0].unalias().copy() if len(tree.selects) == 1 else exp.Literal.string("")
        whole.select(exp.alias_(one, "v"), append=False, copy=False)
        asked = "count(*), sum(v), avg(v), min(typeof(v)), max(typeof(v))"
        found = yield f"select {asked} from ({whole.sql('sqlite')}) as w", ()
    except (errors.SqlglotError, RecursionError):
        return ""
    if not found or not isinstance(count := found[0][0], int) or count <= rows:
        return ""
    cuts = _cuts(tree.args.get("limit"), rows, cut=cut)
    if cuts and not _of_itself(tree):
        return ""
    _, total, average, *kinds = found[0]
    adds = set(kinds) <= {"integer", "real"} and not no_amount(tree.selects[0].alias_or_name)
    sums = f", which come to {total:.12g}, {average:.6g} on average" if adds else ""
    told = (
        f"without GROUP BY and LIMIT there are {count} rows"
        if cuts
        else f"each is shown once: {count} rows are like that"
    )
    return f"{told}{sums}"


def _of_itself(select: exp.Select) -> bool:
    """Whether it groups by the one column that it shows."""
    group = select.args.get("group")
    return group is not None and len(select.selects) == 1 and group.expressions == [select.selects[0].unalias()]


def _cuts(limit: exp.Expr | None, rows: int, *, cut: bool) -> bool:
    """Whether a LIMIT may have left rows out."""
    bound = "" if limit is None else limit.expression.sql()
    return limit is not None and not (bound.isdigit() and rows < int(bound) and not cut)


def row_of(
    sql: str, row: Sequence[object], tables: Sequence[Sequence[object]], joins: Mapping[str, str]
) -> Asking[str]:
    """The row with the least or the most of one table, where nothing else is asked for, or the first one of an order;
    empty where there are several, the statement is less plain, or the result's `row` is of another one.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return ""
    from sqlglot import errors, exp

    bounded = any(
        isinstance(tree, exp.Select) and tree.args.get(part) for part in ("group", "joins", "having", "with_")
    )
    tables_of = list(tree.find_all(exp.Table))
    if not isinstance(tree, exp.Select) or bounded or len(tables_of) != 1 or tree.find(exp.Placeholder, exp.Subquery):
        return ""
    try:
        asked = _extreme(tree) or _first(tree)
        found = (yield asked.sql("sqlite"), ()) if asked is not None else None
    except (errors.SqlglotError, RecursionError):
        return ""
    columns = Places(tree, tables, joins).columns.get(tables_of[0].name.lower(), [])
    if not found or len(found) != 1 or len(columns) != len(found[0]):
        return ""
    has = dict(zip(columns, found[0], strict=True))
    picked = [one for one in tree.selects if isinstance(one, exp.Column)]
    if _extreme(tree) is None and [has.get(one.name.lower()) for one in picked] != list(row):
        return ""  # of rows that are equal it is another one
    names = yield from _names(tables_of[0].name.lower(), has, tables, joins)
    cells = list(has.items())[:_SHOWN]
    return ", ".join(f"{one}: {str(cell)[:_CHARS]}{names.get(one, '')}" for one, cell in cells if cell is not None)


def _names(
    table: str, row: Mapping[str, object], tables: Sequence[Sequence[object]], joins: Mapping[str, str]
) -> Asking[dict[str, str]]:
    """The names behind the keys of a row, by their columns: ` (Ann Lee)` of customer_id."""
    found, there = dict[str, str](), columns_of(tables)
    ids = {one: other for one, other in joins_of(tables).items() if one.lower().endswith("_id")}
    for one, other in {**ids, **joins}.items():
        (near, _, column), (far, _, key) = one.partition("."), other.partition(".")
        to = Key(column, far, key, there.get(far, ()), near)
        if near.lower() == table and far.lower() != table and row.get(column.lower()) is not None and to.names:
            rows = yield to.select(1), (str(row[column.lower()]),)
            if rows is not None and len(rows) == 1:
                found[column.lower()] = f" ({' '.join(str(cell) for cell in rows[0][1:] if cell is not None)})"
    return found


def _extreme(tree: exp.Select) -> exp.Select | None:
    """What asks for the rows that have the one extreme which a statement asks for."""
    from sqlglot import exp

    picked = [one.unalias() for one in tree.selects]
    one = picked[0] if len(picked) == 1 and not tree.args.get("limit") else None
    if not isinstance(one, exp.Max | exp.Min) or not isinstance(one.this, exp.Column) or one.expressions:
        return None
    where = exp.EQ(this=one.this.copy(), expression=exp.maybe_parse(f"({tree.sql('sqlite')})", dialect="sqlite"))
    return tree.copy().select("*", append=False).where(where).limit(2)


def _first(tree: exp.Select) -> exp.Select | None:
    """What asks for the whole row of which a statement asks for a column, the first one of an order."""
    from sqlglot import exp

    limit = tree.args.get("limit")
    one = isinstance(limit, exp.Limit) and limit.expression.sql() == "1" and tree.args.get("order")
    plain = all(isinstance(picked, exp.Column) for picked in tree.selects) and not tree.args.get("distinct")
    return tree.copy().select("*", append=False) if one and plain else None
