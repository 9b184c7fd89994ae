"""Why a statement finds nothing: the condition that no row meets, and where its value stands instead. Pure.

A small model that asks for the records of a year, where it is the requests that have a day, reads "no row matches" and
says that nobody knows. Which of its conditions is to blame costs a few statements, each bounded by its reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, Probe, columns_of, identifier, joined, joins_of

if TYPE_CHECKING:
    from sqlglot import exp

_ROWS = 20_000  # of a table that is looked through for a value
_COLUMNS = 40  # that are looked through
_KINDS, _SHOWN = 6, 40  # of a column's values, that are told, and characters of one
_PLACES = 3  # where a value stands, that are told
_TEXT = 3  # characters of a value that is looked for elsewhere
_YEAR, _YEARLY = re.compile(r"(?:19|20)\d\d"), re.compile(r"year|jahr", re.I)
_DAY = re.compile(r"'\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_GATHERED = re.compile(r"\b(?:sum|min|max|avg|group_concat|string_agg)\s*\(|\(\s*select\b", re.I)
_COUNTED = re.compile(r"\s*select\s+count\s*\(\s*[*1]\s*\)(?:\s+as\s+\w+)?\s+from\b", re.I)


def is_nothing(sql: str, rows: Sequence[Sequence[object]]) -> bool:
    """Whether a result has no row, or is nothing but the count of none, or a sum of none."""
    if len(rows) != 1:
        return not rows
    if set(rows[0]) == {None}:
        return _GATHERED.search(sql) is not None
    return tuple(rows[0]) == (0,) and _COUNTED.match(sql) is not None


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a WHERE, of one column. `sql` names it without its table; `value`: what is looked for elsewhere,
    or empty; `node`: where it stands in its statement.
    """

    table: str
    column: str
    sql: str
    value: str
    node: exp.Expr

    def met(self) -> Probe:
        """What finds a row that meets it."""
        return f"select 1 from {identifier(self.table)} where {self.sql} limit $1", ("1",)

    def values(self) -> Probe:
        """What finds the values of its column."""
        table, column = identifier(self.table), identifier(self.column)
        shown = f"substr(cast({table}.{column} as text), 1, {_SHOWN})"
        return f"select distinct {shown} from {table} where {table}.{column} is not null limit $1", (str(_KINDS + 1),)

    def there(self, table: str, column: str) -> Probe:
        """What finds its value in a column, in capitals or not; of a year, a day of it."""
        of = identifier(table)
        some = f"select cast({of}.{identifier(column)} as text) as v from {of} limit {_ROWS}"
        same = "lower(v) = lower($1)" if not _YEAR.fullmatch(self.value) else "v = $1 or v like $1 || '-%'"
        return f"select substr(v, 1, {_SHOWN}) from ({some}) as few where {same} limit 1", (self.value,)

    def spelled(self) -> Probe:
        """What finds how its column writes its value: in capitals, or with a blank too many."""
        of, column = identifier(self.table), identifier(self.column)
        some = f"select cast({of}.{column} as text) as v from {of} limit {_ROWS}"
        return f"select distinct v from ({some}) as few where lower(trim(v)) = lower(trim($1)) limit 4", (self.text,)

    def respelled(self, text: str, dialect: str) -> Mend:
        """Its statement with the value as its column writes it."""
        self.node.expression.set("this", text)
        return Mend(self.node.root().sql(dialect), f"{self.column} is written {text!r}")

    @property
    def text(self) -> str:
        """What its column is compared with, where that is a constant."""
        return str(self.node.expression.this)

    @property
    def is_text(self) -> bool:
        """Whether a column is to be equal to a text."""
        from sqlglot import exp

        one = self.node
        return (
            isinstance(one, exp.EQ)
            and isinstance(one.left, exp.Column)
            and isinstance(one.right, exp.Literal)
            and one.right.is_string
        )

    def places(self, columns: Mapping[str, Sequence[str]], keys: Mapping[str, str]) -> list[tuple[str, str]]:
        """Where its value may stand: its own column first; a key is a name for a row, and no value."""
        taken, own = {*keys, *keys.values()}, (self.table, self.column)
        found = [(table, one) for table, has in columns.items() for one in has if f"{table}.{one}" not in taken]
        return sorted(found, key=lambda place: place != own)[:_COLUMNS] if self.value else []


@dataclass(frozen=True, slots=True)
class Why:
    """Why nothing was found: a `note` on a condition, and where its value `stands`; or the statement with the value as
    its column writes it.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    mend: Mend | None = None


def why_none(
    sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str, looks: bool = True
) -> Asking[Why]:
    """Of a statement that found nothing: about the first condition that no row of its table meets, if that is certain.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    looks          whether values may be told that nobody has asked for
    """
    columns, keys = _columns_of(tables), {**joins_of(tables), **joins}
    conditions = _conditions(sql, columns, dialect)
    for condition in conditions:
        met = yield condition.met()
        if met:
            continue
        if met is None:
            return Why()
        written = ((yield condition.spelled()) or ()) if condition.is_text else ()
        if len(written) == 1 and written[0][0] != condition.text:
            return Why(mend=condition.respelled(str(written[0][0]), dialect))
        told = {"note": f"no row of {condition.table} has {condition.sql}"}
        if not looks:
            return Why(told)
        kinds = sorted(_shown(row[0]) for row in (yield condition.values()) or ())
        if 0 < len(kinds) <= _KINDS:  # of more, those of others would be taken for an answer
            told["note"] += f"; {condition.column} has the values {', '.join(kinds)}"
        elif kinds and all(_DAY.match(kind) for kind in kinds):
            told["note"] += f"; {condition.column} is written like {kinds[0]}"
        stands = list[str]()
        for table, column in condition.places(columns, keys):
            rows = (yield condition.there(table, column)) if len(stands) < _PLACES else ()
            for row in rows or ():
                join = "" if table == condition.table else joined(sql, {table}, keys).removesuffix("; ")
                stands.append(f"{table}.{column} has {_shown(row[0])}{f': {join}' if join else ''}")
        return Why({**told, "stands": "; ".join(stands)} if stands else told)
    told_of = (yield from _one_too_many(conditions, dialect)) if looks else ""
    return Why({"note": told_of} if told_of else {})


def _one_too_many(conditions: Sequence[_Condition], dialect: str) -> Asking[str]:
    """Of conditions that some rows meet each, and none all: the one without which there are rows, and these; else the
    rows that meet the first one alone, a text.

    A small model adds `status = 'repair'` to a question that says nothing of it.
    """
    from sqlglot import exp

    select = conditions[0].node.root() if conditions else None
    where = select.args["where"].this if isinstance(select, exp.Select) else None
    if select is None or not isinstance(where, exp.And) or select.find(exp.AggFunc, exp.Subquery):
        return ""
    every, found = list(where.flatten()), list[str]()
    for condition in conditions[1:]:  # the first one says what it is about
        others = [one for one in every if one is not condition.node]
        if shown := (yield from _rows_of(select, others, dialect)):
            found.append(f"without {condition.sql}: {shown}")
    first = conditions[0]
    if not found and first.is_text and (shown := (yield from _rows_of(select, [first.node], dialect))):
        found.append(f"with {first.sql} alone: {shown}")
    return f"no row meets all conditions; {'; '.join(found[:2])}" if found else ""


def _rows_of(select: exp.Expr, conditions: Sequence[exp.Expr], dialect: str) -> Asking[str]:
    """The first rows of a SELECT with these conditions and no others; empty if there is none."""
    from sqlglot import exp

    fewer = select.copy()
    fewer.set("where", exp.Where(this=exp.and_(*(one.copy() for one in conditions), copy=False)))
    fewer.set("limit", None)
    rows = (yield f"select * from ({fewer.sql(dialect)}) as r limit $1", (str(_PLACES + 1),)) or ()
    shown = "; ".join(", ".join(map(_shown, row)) for row in rows[:_PLACES])
    return f"{shown[: 4 * _SHOWN]}{' and more' if len(rows) > _PLACES else ''}"


def otherwise(sql: str, tables: Sequence[Sequence[object]], *, dialect: str) -> Asking[str]:
    """Of a statement that found some: how else a column writes the text that it is to be equal to."""
    for condition in _conditions(sql, _columns_of(tables), dialect):
        written = ((yield condition.spelled()) or ()) if condition.is_text else ()
        others = [str(row[0]) for row in written if row[0] != condition.text]
        if others and len(written) > 1:
            return f"{condition.column} is also written {', '.join(map(repr, others))}: not in this result"
    return ""


def _columns_of(tables: Sequence[Sequence[object]]) -> dict[str, list[str]]:
    """The columns of tables, as far as their names need no quotation marks."""
    return {
        table: [one for one in has if one.isidentifier()]
        for table, has in columns_of(tables).items()
        if table.isidentifier()
    }


def _shown(value: object) -> str:
    text = str(value)
    return text if _NUMBER.fullmatch(text) else repr(text)


def _conditions(sql: str, columns: Mapping[str, Sequence[str]], dialect: str) -> list[_Condition]:
    """The conditions of a plain SELECT that have one column of one table, in order; none of what is less plain."""
    if (select := parsed(sql, dialect)) is None:
        return []
    from sqlglot import errors, exp

    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None or select.find(exp.With):
        return []
    own = [one for one in select.find_all(exp.Table) if one.parent_select is select and not one.db]
    called = {one.alias_or_name.lower(): one.name for one in own}
    try:
        return list(_plain(where.this, called, columns, dialect))
    except (errors.SqlglotError, RecursionError):
        return []


def _plain(
    where: exp.Expr, called: Mapping[str, str], columns: Mapping[str, Sequence[str]], dialect: str
) -> Iterator[_Condition]:
    from sqlglot import exp

    known = {table.lower(): {one.lower(): one for one in has} for table, has in columns.items()}
    names = {table.lower(): table for table in columns}
    for one in where.flatten() if isinstance(where, exp.And) else (where,):
        if one.find(exp.Select, exp.Parameter, exp.Placeholder) or not one.find(exp.Literal, exp.Boolean):
            continue
        found = set()
        bare = one.copy()
        for column in bare.find_all(exp.Column):
            of = [called.get(column.table.lower(), "")] if column.table else list(called.values())
            having = [name.lower() for name in of if column.name.lower() in known.get(name.lower(), ())]
            found.add((having[0], column.name.lower()) if len(having) == 1 else ("", ""))
            column.set("table", None)
        if len(found) == 1 and ("", "") not in found:
            ((table, name),) = found
            yield _Condition(names[table], known[table][name], bare.sql(dialect), _value(one), one)


def _value(condition: exp.Expr) -> str:
    """The value that a column is to be equal to, if it tells what it is wherever it stands: a text, or a year."""
    from sqlglot import exp

    if not (isinstance(condition, exp.EQ) and isinstance(condition.left, exp.Column)):
        return ""
    right, column = condition.right, condition.left.name
    if not isinstance(right, exp.Literal):
        return ""
    value = str(right.this)
    year = _YEAR.fullmatch(value) is not None
    return value if (year and _YEARLY.search(column)) or (right.is_string and not year and len(value) >= _TEXT) else ""
