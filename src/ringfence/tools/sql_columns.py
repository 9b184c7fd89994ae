"""A column that no table has, told by the text that it is to be equal to, or by a word of its name. Pure.

A small model asks for the `price` of `name = 'tiller extension'`, of a table that has price_eur and item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_meant import Places
from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, identifier, missing_column

if TYPE_CHECKING:
    from sqlglot import exp

_NONE = re.compile(r"(?:^|_)(?:id|no|nr|num|number|code|key|unit|currency|type|kind|name)$")
_DAY = re.compile(r"[12]\d{3}-[01]\d")
_OF_DAYS = frozenset("date day month year time when on at datum tag monat jahr".split())  # noqa: SIM905
_ANY = frozenset(("true", "false", "none", "null"))
_LEAST = 4  # letters of a value that is selected, so that it is no `no`
_LOOK, _COLUMNS = 20_000, 40  # rows and columns that are looked through for a text


def column_meant(
    sql: str, said: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, looks: bool = True
) -> Asking[Mend | None]:
    """The statement about one table with the one column that has the text, or the word; None if that is not certain.

    said  what the database says of it; tables, joins: as of `sql_schema.overview`; looks: whether columns may be shown
    that nobody has asked for
    """
    missing = missing_column(said)
    if not missing or (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    sources, columns = list(tree.find_all(exp.Table)), Places(tree, tables, joins).columns
    table = sources[0].name.lower() if len({one.name.lower() for one in sources}) == 1 else ""
    there = columns.get(table, [])
    wrong = [one for one in tree.find_all(exp.Column) if one.name.lower() == missing.lower()]
    if not there or not wrong or tree.find(exp.CTE, exp.Placeholder):
        return None
    compared = (one.parent for one in wrong if isinstance(one.parent, exp.EQ))
    texts = [
        one.expression.this for one in compared if isinstance(one.expression, exp.Literal) and one.expression.is_string
    ]
    if any(len(text) < _LEAST or text.casefold() in _ANY for text in texts) or len(set(texts)) > 1:
        return None  # may stand in any column
    dated = any(map(_is_dated, wrong))
    if texts:
        having = yield from _having(table, there, texts[0])
    elif dated:
        having = [one for one in (yield from _days(table, there)) if _may_be(missing, one)]
    else:
        having = [one for one in there if missing.lower() in one.split("_") and not _NONE.search(one)]
    if len(having) != 1:
        if having or any(missing.lower() in of for of in columns.values()):
            return None
        return (yield from _value(tree, missing, wrong, table, there)) if looks else None
    try:
        for one in wrong:
            one.set("this", exp.to_identifier(having[0]))
        why = f"which has {texts[0]!r}" if texts else "which has days" if dated else "the only one of that name"
        return Mend(tree.sql("sqlite"), f"{missing} is {table}.{having[0]}, {why}")
    except (errors.SqlglotError, RecursionError):
        return None


def _may_be(missing: str, column: str) -> bool:
    """Whether a name that no table has may be that of a column of days: one of both says no more than `date`, or they
    share a word.
    """
    one, other = (set(re.findall(r"[^\W_]+", name.lower())) - _OF_DAYS for name in (missing, column))
    return not one or not other or not one.isdisjoint(other)


def _is_dated(column: exp.Column) -> bool:
    """Whether a column is asked for its day: its month, or after which day it is."""
    from sqlglot import exp

    above = column.parent
    if isinstance(above, exp.Month | exp.Year | exp.Day | exp.TimeToStr | exp.TsOrDsToDate | exp.TsOrDsToTimestamp):
        return True
    if isinstance(above, exp.Anonymous):
        return str(above.this).casefold() in ("strftime", "date", "month", "year", "day")
    compared = isinstance(above, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Like | exp.Between)
    return compared and any(_DAY.match(str(one.this)) for one in (above or column).find_all(exp.Literal))


def _days(table: str, columns: Sequence[str]) -> Asking[list[str]]:
    """The columns of a table that have days, as ISO 8601 writes them, and nothing else."""
    having, of = list[str](), identifier(table)
    for column in columns[:_COLUMNS]:
        name = f"{of}.{identifier(column)}"
        some = f"select {name} as v from {of} where {name} is not null limit {_LOOK}"
        found = yield (
            f"select count(*), sum(v glob '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*') from ({some}) as few",
            (),
        )
        if found and found[0][0] and found[0][0] == found[0][1]:
            having.append(column)
    return having


def _having(table: str, columns: Sequence[str], text: str) -> Asking[list[str]]:
    """The columns of a table that have a text, in capitals or not."""
    having, of = list[str](), identifier(table)
    for column in columns[:_COLUMNS]:
        some = f"select cast({of}.{identifier(column)} as text) as v from {of} limit {_LOOK}"
        if (yield f"select 1 from ({some}) as few where lower(trim(v)) = lower(trim($1)) limit 1", (text,)):
            having.append(column)
    return having


def _value(
    tree: exp.Expr, missing: str, wrong: Sequence[exp.Column], table: str, columns: Sequence[str]
) -> Asking[Mend | None]:
    """The rows that have it, where what is selected is no column but the value of one: the captain of a crew."""
    from sqlglot import errors, exp

    if not isinstance(tree, exp.Select) or len(missing) < _LEAST or tree.args.get("group"):
        return None
    picked = [one for one in tree.selects if any(one is column for column in wrong)]
    empty = [
        one.parent.parent for one in wrong if isinstance(one.parent, exp.Is) and isinstance(one.parent.parent, exp.Not)
    ]
    others = all(isinstance(one, exp.Column) for one in tree.selects)
    where = tree.args.get("where")
    parts = list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this]) if where else []
    whole = len(picked) == 1 and len(picked) + len(empty) == len(wrong) and others
    if not whole or not all(any(one is part for part in parts) for one in empty):
        return None
    having = yield from _having(table, columns, missing.replace("_", " "))
    if len(having) != 1:
        return None
    try:
        of = exp.func("lower", exp.column(having[0]))
        condition = exp.EQ(this=of, expression=exp.Literal.string(missing.replace("_", " ").lower()))
        kept = [part.copy() for part in parts if all(part is not one for one in empty)]
        rows = tree.select("*", append=False).where(*kept, condition, append=False)
        return Mend(rows.sql("sqlite"), f"{missing} is a value of {table}.{having[0]}: the rows that have it")
    except (errors.SqlglotError, RecursionError):
        return None
