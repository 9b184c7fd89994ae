"""Why a statement finds nothing: the condition that no row meets, and where its value stands instead. Pure.

A small model that asks for the records of a year, where it is the requests that have a day, reads "no row matches" and
says that nobody knows. Which of its conditions is to blame costs a few statements, each bounded by its reader.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .sql_schema import columns_of, identifier, joined, joins_of

if TYPE_CHECKING:
    from sqlglot import exp

Rows = Sequence[Sequence[object]]
Asking = Generator[str, Rows, str]  # statements, which are sent their rows; at the end what is told

_CHARS = 2_000  # of a statement that is read
_ROWS = 20_000  # of a table that is looked through for a value
_COLUMNS = 40  # that are looked through
_KINDS, _SHOWN = 6, 40  # of a column's values, that are told, and characters of one
_YEAR = re.compile(r"(?:19|20)\d\d")
_AGGREGATE = re.compile(r"\b(?:count|sum|total|avg|min|max)\s*\(", re.I)


def is_nothing(sql: str, rows: Rows) -> bool:
    """Whether a result has no row, or is a count or a sum of none."""
    one = len(rows) == 1 and _AGGREGATE.search(sql) is not None
    return not rows or (one and all(value in (None, 0) for value in rows[0]))


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a WHERE, of one column. `sql` names it without its table; `value` is what it is held against."""

    table: str
    column: str
    sql: str
    value: str
    like: bool

    def met(self) -> str:
        """The statement that finds a row which meets it."""
        return f"select 1 from {identifier(self.table)} where {self.sql} limit 1"

    def values(self) -> str:
        """The statement that finds what its column holds."""
        return f"select distinct v from ({_few(self.table, self.column)}) as few where v is not null limit {_KINDS + 1}"

    def there(self, table: str, column: str) -> str:
        """The statement that finds its value in a column, in any case; a year at the beginning."""
        text, value = "lower(cast(v as text))", "'{}'".format(self.value.lower().replace("'", "''"))
        same = f"{text} like {value}" if self.like else f"{text} = {value}"
        same = f"{text} like '{self.value}-%'" if _YEAR.fullmatch(self.value) else same
        return f"select v from ({_few(table, column)}) as few where {same} limit 1"


def why_none(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str) -> Asking:
    """What is told of a statement that found nothing; empty if that is not certain.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    """
    columns, keys = columns_of(tables), {**joins_of(tables), **joins}
    conditions = _conditions(sql, columns, dialect)
    for condition in conditions:
        if (yield condition.met()):
            continue
        said = [f"no row of {condition.table} has {condition.sql}"]
        places, own = (
            [(table, one) for table, has in columns.items() for one in has],
            (condition.table, condition.column),
        )
        for table, column in sorted(places, key=lambda place: place != own)[:_COLUMNS] if condition.value else ():
            if rows := (yield condition.there(table, column)):
                join = "" if table == condition.table else joined(sql, {table}, keys).removesuffix("; ")
                said.append(f"{table}.{column} has {_shown(rows[0][0])}{f': {join}' if join else ''}")
                break
        kinds = sorted(_shown(row[0]) for row in (yield condition.values()))
        if 0 < len(kinds) <= _KINDS:  # of more, those of others would be taken for an answer
            said.append(f"{condition.column} has the values {', '.join(kinds)}")
        return "; ".join(said)
    return "each condition is met by some row, but not all by one" if len(conditions) > 1 else ""


def _shown(value: object) -> str:
    return repr(value[:_SHOWN]) if isinstance(value, str) else str(value)[:_SHOWN]


def _few(table: str, column: str) -> str:
    return f"select {identifier(table)}.{identifier(column)} as v from {identifier(table)} limit {_ROWS}"


def _conditions(sql: str, columns: Mapping[str, Sequence[str]], dialect: str) -> list[_Condition]:
    """The conditions of a plain SELECT that have one column of one table, in order; none of what is less plain."""
    if len(sql) > _CHARS:
        return []
    try:
        from sqlglot import errors, exp, parse_one
    except ImportError:
        return []
    try:
        select = parse_one(sql, read=dialect)
        where = select.args.get("where") if isinstance(select, exp.Select) else None
        own = [one for one in select.find_all(exp.Table) if one.parent_select is select]
        called = {one.alias_or_name.lower(): one.name for one in own}
        return list(_plain(where.this, called, columns, dialect)) if where is not None else []
    except (errors.SqlglotError, RecursionError):
        return []


def _plain(
    where: exp.Expression, called: Mapping[str, str], columns: Mapping[str, Sequence[str]], dialect: str
) -> Iterator[_Condition]:
    from sqlglot import exp

    known = {table.lower(): {one.lower(): one for one in has} for table, has in columns.items()}
    names = {table.lower(): table for table in columns}
    for one in where.flatten() if isinstance(where, exp.And) else (where,):
        if one.find(exp.Select, exp.Parameter, exp.Placeholder) or not one.find(exp.Literal):
            continue
        found = set()
        bare = one.copy()
        for column in bare.find_all(exp.Column):
            of = [called.get(column.table.lower(), "")] if column.table else list(called.values())
            having = [name.lower() for name in of if column.name.lower() in known.get(name.lower(), ())]
            found.add((having[0], column.name.lower()) if len(having) == 1 else ("", ""))
            column.set("table", None)
        if len(found) != 1 or ("", "") in found:
            continue
        ((table, name),) = found
        value = one.expression.this if isinstance(one, exp.EQ | exp.Like) and one.expression.is_string else ""
        if isinstance(one, exp.EQ) and one.expression.is_number:
            value = one.expression.this
        yield _Condition(names[table], known[table][name], bare.sql(dialect), str(value), isinstance(one, exp.Like))
