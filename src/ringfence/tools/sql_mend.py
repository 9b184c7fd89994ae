"""A statement with a wrong column, mended by the keys of the database. Pure; only what can mean one thing alone.

A small model that is told `full_name is in another table: pupils.full_name` writes the very same statement again, and
so it does hotter, or without its own statement in sight. What it meant is no guess where one table alone has the
column and one path of keys leads there, each to one row: no row is lost, and none comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from ringfence.core.values import JSON

from .sql_schema import apostrophes, columns_of, joins_of, missing_column, names_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_MENDS = 4  # of one statement
Unique = Callable[[str, str], bool]  # whether each value of a table's column is of one row alone


@dataclass(frozen=True, slots=True)
class Mend:
    """A statement that is to be asked instead, and what was wrong."""

    sql: str
    why: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A statement after some mends, each with its reason."""

    sql: str
    why: tuple[str, ...] = ()

    @property
    def may_go_on(self) -> bool:
        """Whether it may be mended once more."""
        return len(self.why) < _MENDS

    def then(self, mend: Mend) -> Mended:
        """After one more."""
        return Mended(mend.sql, (*self.why, mend.why))

    def told(self) -> dict[str, JSON]:
        """What stands before its result."""
        return {"ran": self.sql, "mended": "; ".join(self.why)}


@dataclass(frozen=True, slots=True)
class _Hop:
    """From a row to the one row of another table that its key names."""

    near: str  # the table, or what a statement calls it
    column: str
    far: str
    key: str


def mended(
    sql: str, said: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str, unique: Unique
) -> Mend | None:
    """What was meant by a statement of which the database `said` that it cannot be read; None if that is not certain.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    """
    if "syntax error" in said and (quoted := apostrophes(sql)) != sql:
        return Mend(quoted, "an apostrophe within a text is written twice")
    if not (missing := missing_column(said).lower()):
        return None
    try:
        from sqlglot import errors, exp, parse_one
        from sqlglot.optimizer.scope import traverse_scope
    except ImportError:  # a model may still mend it by the words of the error
        return None
    schema = _Schema(columns_of(tables), {**joins_of(tables), **joins}, unique)
    try:
        tree = parse_one(sql, read=dialect)
        for scope in traverse_scope(tree):
            select = scope.expression
            if isinstance(select, exp.Select) and (why := _Mender(schema, scope, select).mend(missing)):
                return Mend(tree.sql(dialect), why)
    except (errors.SqlglotError, RecursionError):
        return None
    return None


class _Schema:
    """The tables, their columns, and which column is the key of one row of another table; names in small letters."""

    def __init__(self, columns: Mapping[str, Sequence[str]], joins: Mapping[str, str], unique: Unique) -> None:
        self.columns = {table.lower(): [one.lower() for one in has] for table, has in columns.items()}
        self._hops: dict[str, list[_Hop]] = {}
        self._unique = cache(unique)
        for one, other in joins.items():
            (near, _, column), (far, _, key) = one.lower().partition("."), other.lower().partition(".")
            self._hops.setdefault(near, []).append(_Hop(near, column, far, key))

    def meant(self, missing: str) -> list[tuple[str, str]]:
        """The columns that a name can mean: those of that name; else the `unit_price` of `items` by `item_price`; else
        the one column with the names of `products` by `product`.
        """
        if same := [(table, missing) for table, has in self.columns.items() if missing in has]:
            return same
        found = []
        for table, has in self.columns.items():
            for prefix in {f"{table}_", f"{table.removesuffix('s')}_"}:
                word = missing.removeprefix(prefix)
                ends = [one for one in has if one == word or one.endswith(f"_{word}")] if word != missing else []
                found += [(table, one) for one in ends] if len(ends) == 1 else []
            named = names_of(has) if missing in (table, table.removesuffix("s")) else []
            found += [(table, one) for one in named] if len(named) == 1 else []
        return list(dict.fromkeys(found))

    def ways(self, near: str, far: str) -> Iterator[list[_Hop]]:
        """The paths of keys from one table to another, each to one row."""
        for hop in self._sure(near):
            if hop.far == far:
                yield [hop]
            yield from ([hop, more] for more in self._sure(hop.far) if more.far == far != near)

    def _sure(self, near: str) -> list[_Hop]:
        return [hop for hop in self._hops.get(near, ()) if self._unique(hop.far, hop.key)]


class _Mender:
    """One SELECT, whose sources are tables by what it calls them."""

    def __init__(self, schema: _Schema, scope: Scope, select: exp.Select) -> None:
        from sqlglot import exp

        self._schema, self._select = schema, select
        self._tables = {
            name: source.name.lower() for name, source in scope.sources.items() if isinstance(source, exp.Table)
        }
        self._columns = [one for one in scope.columns if one.parent_select is self._select]
        self._own = {one.alias.lower() for one in self._select.selects if one.alias}

    def mend(self, missing: str) -> str:
        """Put the column that was meant in place of the missing one, and say so; empty if that is not certain."""
        wrong = [one for one in self._columns if self._lacks(one, missing)]
        if not wrong or missing in self._own:
            return ""
        found = [(*place, column) for table, column in self._schema.meant(missing) if (place := self._place(table))]
        if len(found) != 1:
            return ""
        name, way, column = found[0]
        self._join(way)
        for one in wrong:
            self._replace(one, column, name)
        return f"{missing} is {way[-1].far if way else self._tables[name]}.{column}"

    def _lacks(self, one: exp.Column, missing: str) -> bool:
        if one.name.lower() != missing:
            return False
        called = [one.table] if one.table in self._tables else list(self._tables)
        return not any(missing in self._schema.columns.get(self._tables[name], ()) for name in called)

    def _place(self, table: str) -> tuple[str, list[_Hop]] | None:
        """What the statement calls a table, or will call it, and the way there; None if there is not one way alone."""
        if here := [name for name, of in self._tables.items() if of == table]:
            return (here[0], []) if len(here) == 1 else None
        ways = [
            [replace(way[0], near=name), *way[1:]]
            for name, of in self._tables.items()
            for way in self._schema.ways(of, table)
        ]
        short = [way for way in ways if len(way) == min(map(len, ways))]
        free = {hop.far for way in short for hop in way}.isdisjoint({*self._tables, *self._tables.values()})
        return (table, short[0]) if len(short) == 1 and free else None

    def _join(self, way: Sequence[_Hop]) -> None:
        """Join the tables on the way; what has a column of the same name is called by its table from now on."""
        from sqlglot import exp

        new = {column for hop in way for column in self._schema.columns.get(hop.far, ())}
        for one in self._columns if way else ():
            having = [name for name, of in self._tables.items() if one.name.lower() in self._schema.columns.get(of, ())]
            if not one.table and one.name.lower() in new - self._own and len(having) == 1:
                self._replace(one, one.name, having[0])
        for hop in way:
            on = exp.EQ(this=_column(hop.column, hop.near), expression=_column(hop.key, hop.far))
            self._select.join(exp.to_table(hop.far), on=on, join_type="left", copy=False)

    def _replace(self, one: exp.Column, column: str, name: str) -> None:
        one.replace(_column(column, name))


def _column(name: str, table: str) -> exp.Column:
    from sqlglot import exp

    return exp.column(exp.to_identifier(name), table=exp.to_identifier(table))
