"""Statements that ask for rows where they mean what rows come to: of groups, of two groups. Pure.

Asked for the average of the deckhands' years, a small model writes `SELECT years FROM crew GROUP BY rank`, and a
database gives the years of anyone of each rank. Asked how much more one ship took than another, it writes all that both
took, in one list without the repeated ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_meant import Places
from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, identifier, joins_of, missing_column, names_of
from .sql_sums import no_amount

if TYPE_CHECKING:
    from sqlglot import exp

_LOOK = 10_000  # rows that tell whether a column has numbers
_CHARS = 80  # of a statement's part that is told


def any_row(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The sum, the average and the count of a column of numbers, where it is asked for beside no calculation in groups
    of other columns: a database gives that of any row of each.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    if not isinstance(tree, exp.Select) or tree.args.get("joins") or tree.find(exp.AggFunc, exp.Subquery, exp.CTE):
        return None
    group, places = tree.args.get("group"), Places(tree, tables, joins)
    if group is None or tree.args.get("having") or tree.args.get("limit"):
        return None
    keys = [one for one in group.expressions if isinstance(one, exp.Column)]
    names = {one.name.lower() for one in keys}
    picked = [one for one in tree.selects if isinstance(one, exp.Column) and one.name.lower() not in names]
    others = [one for one in tree.selects if one not in picked]
    if len(picked) != 1 or not keys or len(keys) != len(group.expressions) or len(keys) > len(names):
        return None
    if any(not isinstance(one, exp.Column) for one in others):
        return None
    (one,) = picked
    _, table = places.of(one)
    if not table or no_amount(one.name) or not (yield from _is_numeric(table, one.name)):
        return None
    by = ", ".join(key.sql("sqlite") for key in keys)
    name = one.sql("sqlite")
    several = tree.copy().select("1", append=False).having(f"min({name}) < max({name})", dialect="sqlite").limit(1)
    several.set("order", None)
    if not (yield several.sql("sqlite"), ()):  # each has one alone
        return None
    asked = f"{by}, sum({name}) as sum_{one.name}, avg({name}) as avg_{one.name}, count({name}) as count_{one.name}"
    try:
        whole = tree.copy()
        whole.set("expressions", [exp.maybe_parse(part, dialect="sqlite") for part in asked.split(", ")])
        if (order := whole.args.get("order")) and any(
            column.name.lower() not in names for column in order.find_all(exp.Column)
        ):
            whole.set("order", None)
        return Mend(whole.sql("sqlite"), f"{one.name} would be that of any row of each {by}")
    except (errors.SqlglotError, RecursionError):
        return None


def _is_numeric(table: str, column: str) -> Asking[bool]:
    of = identifier(table)
    some = f"select typeof({of}.{identifier(column)}) as t from {of} limit {_LOOK}"
    kinds = yield f"select distinct t from ({some}) where t != 'null' limit 4", ()
    return bool(kinds) and all(row[0] in ("integer", "real") for row in kinds or ())


def with_its_order(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The statement that also shows by what its groups are put in order: which is hired most, and how often."""
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    yield from ()
    from sqlglot import errors, exp

    order = tree.args.get("order") if isinstance(tree, exp.Select) and tree.args.get("group") else None
    if not isinstance(tree, exp.Select) or order is None or tree.find(exp.AggFunc) is None or tree.args.get("distinct"):
        return None
    shown = {one.unalias().sql("sqlite").lower() for one in tree.selects}
    by = [one.this for one in order.expressions]
    more = [one for one in by if isinstance(one, exp.AggFunc) and one.sql("sqlite").lower() not in shown]
    if len(more) != 1 or any(isinstance(one, exp.Star) or one.find(exp.AggFunc) for one in tree.selects):
        return None
    try:
        whole = tree.select(more[0].copy())
        return Mend(whole.sql("sqlite"), f"{more[0].sql('sqlite')} is shown, by which these are put in order")
    except (errors.SqlglotError, RecursionError):
        return None


def rows_that_lead_there(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The statement that counts the rows of the one table whose key leads to a table of names, where it asks which of
    these there are most of and each is there once: which tool was lent most often stands in the loans.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    if not isinstance(tree, exp.Select) or not (group := tree.args.get("group")) or not _most_counted(tree):
        return None
    sources = list(tree.find_all(exp.Table))
    others = any(tree.args.get(part) for part in ("where", "having", "joins", "distinct", "offset"))
    if others or len(sources) != 1 or tree.find(exp.Subquery, exp.CTE):
        return None
    table, called, keys = sources[0].name.lower(), sources[0].alias_or_name, _keys(tables, joins)
    there = [(one.split("."), other.split(".")) for one, other in keys.items() if other.startswith(f"{table}.")]
    if len(there) != 1 or len(there[0][0]) != 2 or there[0][0][0] == table:
        return None
    ((far, column), (_, key)) = there[0]
    made = {one.alias.lower() for one in tree.selects if one.alias}
    grouped = [one.name for one in group.expressions if isinstance(one, exp.Column)]
    if table in made or names_of(grouped) != grouped or len(grouped) != len(group.expressions):
        return None  # as many customers as there are in each town
    by = ", ".join(one.sql("sqlite") for one in group.expressions)
    several = yield f"select 1 from {sources[0].sql('sqlite')} group by {by} having count(*) > 1 limit 1", ()
    if several is None or several:
        return None
    try:
        for one in list(tree.find_all(exp.Column)):
            one.set("table", exp.to_identifier(called) if one.table or one.name.lower() not in made else None)
        for count in list(tree.find_all(exp.Count)):
            count.set("this", exp.Star())
        on = exp.EQ(this=exp.column(column, far), expression=exp.column(key, called))
        return Mend(
            tree.join(exp.to_table(far), on=on, copy=False).sql("sqlite"),
            f"each {by} is there once: the rows of {far} are counted",
        )
    except (errors.SqlglotError, RecursionError):
        return None


def _most_counted(select: exp.Select) -> bool:
    """Whether it asks for the first groups by how many rows each has, the most first, and works out nothing else."""
    from sqlglot import exp

    order = select.args.get("order")
    if order is None or not select.args.get("limit"):
        return False
    first = order.expressions[0]
    by, items = first.this, select.selects
    if isinstance(by, exp.Literal) and by.is_int and 0 < int(by.this) <= len(items):
        by = items[int(by.this) - 1].unalias()
    elif isinstance(by, exp.Column) and not by.table:
        by = next((one.this for one in items if one.alias.lower() == by.name.lower()), by)
    counts = list(select.find_all(exp.AggFunc))
    plain = all(isinstance(one, exp.Count) and not one.find(exp.Distinct) for one in counts)
    return bool(first.args.get("desc")) and isinstance(by, exp.Count) and plain


def _keys(tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> dict[str, str]:
    """The keys of tables, `loans.tool_no` and where each leads, in small letters."""
    return {one.lower(): other.lower() for one, other in {**joins_of(tables), **joins}.items()}


def with_counts(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The statement that also shows how many rows there are in each group of texts, where it asks for nothing but these
    groups: who asks how often the Eider was hired is told of one row of it.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    group = tree.args.get("group") if isinstance(tree, exp.Select) else None
    if not isinstance(tree, exp.Select) or group is None or tree.find(exp.AggFunc, exp.Subquery, exp.CTE):
        return None
    keys = [one for one in group.expressions if isinstance(one, exp.Column)]
    same = {one.sql("sqlite").lower() for one in tree.selects} == {one.sql("sqlite").lower() for one in keys}
    more = any(tree.args.get(part) for part in ("having", "limit", "joins", "distinct"))  # of a join, rows are of both
    if not same or len(keys) < len(group.expressions) or more:
        return None
    places = Places(tree, tables, joins)
    for key in keys:
        _, table = places.of(key)
        if not table or (yield from _is_numeric(table, key.name)):
            return None
    try:
        return Mend(tree.select("count(*) as rows_of_it").sql("sqlite"), "rows_of_it: how many there are in each group")
    except (errors.SqlglotError, RecursionError):
        return None


def share(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The share in all rows, where a statement divides a count or a sum by itself and by nothing else: of the rows that
    meet its conditions that is always the whole.
    """
    yield from ()
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    plain = isinstance(tree, exp.Select) and tree.args.get("where") and not tree.args.get("joins")
    if not isinstance(tree, exp.Select) or not plain or tree.args.get("group") or tree.find(exp.Subquery, exp.CTE):
        return None
    whole = [
        below
        for one in tree.find_all(exp.Div)
        for below in [one.expression.unnest()]
        if isinstance(below, exp.Count | exp.Sum) and _bare(one.this) == below
    ]
    source = next(iter(tree.find_all(exp.Table)), None)
    if len(whole) != 1 or source is None:
        return None
    try:
        of_all = exp.Subquery(this=exp.select(whole[0].copy()).from_(source.copy()))
        whole[0].replace(exp.Paren(this=exp.Mul(this=exp.Literal.number("1.0"), expression=of_all)))
        return Mend(tree.sql("sqlite"), "divided by that of all rows, and not by itself")
    except (errors.SqlglotError, RecursionError):
        return None


def _bare(one: exp.Expr) -> exp.Expr:
    """What is multiplied by a number, rounded, cast or between parentheses."""
    from sqlglot import exp

    while True:
        first = isinstance(one, exp.Mul) and isinstance(one.this, exp.Literal)
        last = isinstance(one, exp.Mul) and isinstance(one.expression, exp.Literal)
        if first:
            one = one.expression
        elif last or isinstance(one, exp.Paren | exp.Cast | exp.Round):
            one = one.this
        else:
            return one


def branches(sql: str) -> Asking[str]:
    """What each part of a UNION of one column of numbers comes to; empty of any other statement."""
    if (tree := parsed(sql, "sqlite")) is None:
        return ""
    from sqlglot import errors, exp

    if not isinstance(tree, exp.Union) or tree.find(exp.AggFunc, exp.CTE, exp.Placeholder) or tree.args.get("limit"):
        return ""
    parts = [one for one in (tree.left, tree.right) if isinstance(one, exp.Select)]
    if len(parts) != 2 or any(len(one.selects) != 1 or one.args.get("limit") for one in parts):
        return ""
    told, sums = list[str](), list[float]()
    for part in parts:
        column = part.selects[0]
        where = part.args.get("where")
        if not isinstance(column, exp.Column) or where is None or no_amount(column.name):
            return ""
        try:
            inner = (
                f"select {column.sql('sqlite')} as v from ({part.copy().select('*', append=False).sql('sqlite')}) as r"
            )
            found = yield f"select sum(v), count(v), min(typeof(v)), max(typeof(v)) from ({inner})", ()
        except (errors.SqlglotError, RecursionError):
            return ""
        if not found or not isinstance(total := found[0][0], int | float) or "text" in found[0]:
            return ""
        told.append(f"{where.this.sql('sqlite')[:_CHARS]}: sum {total:.12g} of {found[0][1]} rows")
        sums.append(total)
    return f"{tree.selects[0].name} {'; '.join(told)}; these sums are {abs(sums[0] - sums[1]):.12g} apart"


def ordered_by(sql: str, said: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Mend | None:
    """The statement with the table joined by whose column its rows are put in order, for the first of them: the
    customer of the earliest booking. None unless one table alone has that column and one key leads to these rows.
    """
    missing = missing_column(said).lower()
    if not missing or (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    limit = tree.args.get("limit") if isinstance(tree, exp.Select) and not tree.args.get("offset") else None
    plain = isinstance(limit, exp.Limit) and limit.expression.sql() == "1" and not tree.args.get("joins")
    if (
        not isinstance(tree, exp.Select)
        or not plain
        or tree.find(exp.AggFunc, exp.Subquery, exp.CTE)
        or tree.args.get("group")
        or any(isinstance(one, exp.Star) for one in tree.selects)
    ):
        return None
    wrong = [one for one in tree.find_all(exp.Column) if one.name.lower() == missing]
    sources = list(tree.find_all(exp.Table))
    if len(sources) != 1 or not wrong or any(one.find_ancestor(exp.Ordered) is None for one in wrong):
        return None
    places, called, table = Places(tree, tables, joins), sources[0].alias_or_name, sources[0].name.lower()
    having = [name for name, has in places.columns.items() if missing in has and name != table]
    keys = _keys(tables, joins)
    links = [
        (one, other)
        for one, other in keys.items()
        if having and one.startswith(f"{having[0]}.") and other.startswith(f"{table}.")
    ]
    if len(having) != 1 or len(links) != 1:
        return None
    (far, _, key), (_, _, own) = links[0][0].partition("."), links[0][1].partition(".")
    try:
        for column in list(tree.find_all(exp.Column)):
            if not column.table:
                column.set("table", exp.to_identifier(far if column.name.lower() == missing else called))
            elif column.name.lower() == missing:
                column.set("table", exp.to_identifier(far))
        on = exp.EQ(this=exp.column(key, far), expression=exp.column(own, called))
        tree.join(exp.to_table(far), on=on, copy=False)
        there = exp.Not(this=exp.Is(this=exp.column(missing, far), expression=exp.Null()))
        tree.where(there, copy=False)
        return Mend(tree.sql("sqlite"), f"{missing} is {far}.{missing}")
    except (errors.SqlglotError, RecursionError):
        return None
