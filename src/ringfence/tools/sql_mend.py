"""A statement with a wrong column, mended by the keys of the database. Pure; only what can mean one thing alone.

A small model that is told `full_name is in another table: pupils.full_name` writes the very same statement again, and
so it does hotter, or without its own statement in sight. What it meant is no guess where one table alone has the
column and one path of keys leads there, each to one row: no row is lost, and none comes twice. Whatever is less plain
(another query inside that looks out, a join by a wrong column, a sum of what belongs to the other row) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from ringfence.core.values import JSON

from .sql_read import parsed
from .sql_schema import apostrophes, columns_of, joins_of, missing_column, names_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_MENDS = 4  # of one statement
_NO_TABLE = re.compile(r"no such table: \"?(\w+)|relation \"(\w+)\" does not exist")
_TEXT = re.compile(r'no such column: "([^"]+)" - should this be a string')
_QUERY = re.compile(r"\s*(?:select|with)\b", re.I)


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
        """What stands before its result; nothing, if nothing was mended."""
        return {"ran": self.sql, "mended": "; ".join(self.why)} if self.why else {}


@dataclass(frozen=True, slots=True)
class Hop:
    """From a row to the one row of another table that its key names; `declared`, or told by the name."""

    near: str  # the table, or what a statement calls it
    column: str
    far: str
    key: str
    declared: bool


Sure = Callable[[Hop], bool]  # whether each row has one row there at most, and none of another meaning


def mended(
    sql: str, said: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str, sure: Sure
) -> Mend | None:
    """What was meant by a statement of which the database `said` that it cannot be read; None if that is not certain.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    """
    if "syntax error" in said and (quoted := apostrophes(sql)) != sql:
        return Mend(quoted, "an apostrophe within a text is written twice")
    if table := _NO_TABLE.search(said):
        return _table_meant(sql, next(filter(None, table.groups())), columns_of(tables), dialect)
    if (text := _TEXT.search(said)) and (quoted_so := _as_text(sql, text[1], dialect)):
        return quoted_so
    missing = missing_column(said).lower()
    if not missing or not _QUERY.match(sql) or (tree := parsed(sql, dialect)) is None:
        return None  # a model may still mend it by the words of the error
    from sqlglot import errors, exp
    from sqlglot.optimizer.scope import traverse_scope

    schema = _Schema(tables, joins, sure)
    try:
        if "?" in sql and tree.find(exp.Offset):  # `limit ?, ?` would be written the other way round
            return None
        called = {name.lower() for table in tree.find_all(exp.Table) for name in (table.name, table.alias_or_name)}
        for scope in traverse_scope(tree):
            select = scope.expression
            if isinstance(select, exp.Select) and (why := _Mender(schema, scope, select, called).mend(missing)):
                return Mend(tree.sql(dialect), why)
    except (errors.SqlglotError, RecursionError):
        return None
    return None


def _as_text(sql: str, text: str, dialect: str) -> Mend | None:
    """The statement with a text between the quotation marks of a text, where something is compared with it."""
    if (tree := parsed(sql, dialect)) is None:
        return None
    from sqlglot import errors, exp

    found = [one for one in tree.find_all(exp.Column) if one.this.args.get("quoted") and one.name == text]
    if not found or not all(isinstance(one.parent, exp.Predicate) and not one.table for one in found):
        return None
    try:
        for one in found:
            one.replace(exp.Literal.string(text))
        return Mend(tree.sql(dialect), f"'{text}' is a text")
    except (errors.SqlglotError, RecursionError):
        return None


def _table_meant(sql: str, missing: str, tables: Iterable[str], dialect: str) -> Mend | None:
    """The statement with the one table that is called nearly as the one that is not there: `employees` for employee."""
    meant = [table for table in tables if _stem(table) == _stem(missing)]
    return of_table(sql, missing, meant[0], dialect) if len(meant) == 1 else None


def of_table(sql: str, missing: str, meant: str, dialect: str) -> Mend | None:
    """The statement with a table in place of one that is not there, which it may go on to call by that name."""
    if (tree := parsed(sql, dialect)) is None:
        return None
    from sqlglot import errors, exp

    if any(one.alias.lower() == missing.lower() for one in tree.find_all(exp.CTE)):
        return None  # it is there, and asks for the one that is not
    try:
        for one in tree.find_all(exp.Table):
            if one.name.lower() == missing.lower() and not one.db:
                called = one.alias or one.name
                one.replace(exp.alias_(exp.to_table(meant), called, table=True))
        return Mend(tree.sql(dialect), f"{missing} is the table {meant}")
    except (errors.SqlglotError, RecursionError):
        return None


def _stem(table: str) -> str:
    """A name of a table without its plural and its joints: `OrderItem`, `order_items`."""
    bare = table.lower().replace("_", "")
    for plural, one in (("ies", "y"), ("ses", "s"), ("s", "")):
        if bare.endswith(plural) and len(bare) > len(plural) + 2:
            return bare.removesuffix(plural) + one
    return bare


class _Schema:
    """The tables, their columns, and which column is the key of one row of another table; names in small letters."""

    def __init__(self, tables: Sequence[Sequence[object]], joins: Mapping[str, str], sure: Sure) -> None:
        self.columns = {table.lower(): [one.lower() for one in has] for table, has in columns_of(tables).items()}
        self._hops: dict[str, list[Hop]] = {}
        self._sure_of = cache(sure)
        for one, other in {**joins_of(tables), **joins}.items():
            (near, _, column), (far, _, key) = one.lower().partition("."), other.lower().partition(".")
            if one in joins or column.endswith("_id") or column == key:  # a room_number is no rooms.id
                self._hops.setdefault(near, []).append(Hop(near, column, far, key, one in joins))

    def named(self, missing: str) -> list[tuple[str, str]]:
        """The columns of that name, but for a key where one of these leads to it: that has its value, or none."""
        found = [(table, missing) for table, has in self.columns.items() if missing in has]
        keys = {(hop.far, hop.key) for table, _ in found for hop in self._sure(table) if hop.column == missing}
        return [one for one in found if one not in keys] or found

    def meant(self, missing: str) -> list[tuple[str, str]]:
        """What no column is called, and one may mean all the same: the `unit_price` of `items` by `item_price`, the one
        column with the names of `products` by `product`.
        """
        found = []
        for table, has in self.columns.items():
            for prefix in {f"{table}_", f"{table.removesuffix('s')}_"}:
                word = missing.removeprefix(prefix)
                ends = [one for one in has if one == word or one.endswith(f"_{word}")] if word != missing else []
                found += [(table, one) for one in ends] if len(ends) == 1 else []
            names = names_of(has) if missing in (table, table.removesuffix("s")) else []
            found += [(table, one) for one in names] if len(names) == 1 else []
        return list(dict.fromkeys(found))

    def ways(self, near: str, far: str) -> Iterator[list[Hop]]:
        """The paths of keys from one table to another, each to one row."""
        for hop in self._sure(near):
            if hop.far == far:
                yield [hop]
            yield from ([hop, more] for more in self._sure(hop.far) if more.far == far != near)

    def _sure(self, near: str) -> list[Hop]:
        return [hop for hop in self._hops.get(near, ()) if self._sure_of(hop)]


class _Mender:
    """One SELECT, whose sources are tables by what it calls them. `called`: every table and alias of the statement."""

    def __init__(self, schema: _Schema, scope: Scope, select: exp.Select, called: set[str]) -> None:
        from sqlglot import exp

        self._schema, self._select, self._called = schema, select, called
        self._tables = {
            name: source.name.lower() for name, source in scope.sources.items() if isinstance(source, exp.Table)
        }
        self._columns = [one for one in scope.columns if one.parent_select is select]
        self._own = {one.alias.lower() for one in select.selects if one.alias}
        self._plain = all(isinstance(one, exp.Table) for one in scope.sources.values())
        self._within = scope.parent is not None

    def mend(self, missing: str) -> str:
        """Put the column that was meant in place of the missing one, and say so; empty if that is not certain."""
        from sqlglot import exp

        wrong = [one for one in self._columns if self._lacks(one, missing)]
        if not wrong or not self._plain or missing in self._own or self._looks_out(missing):
            return ""
        if own := self._by_its_alias() or self._own_key(wrong, missing):
            return own
        if any(one.find_ancestor(exp.Join) for one in wrong):  # joined by what is no key
            return ""
        found = self._found(wrong, missing)
        if found is None or (place := self._place(found[0])) is None:
            return ""
        (name, way), column = place, found[1]
        if way and self._sums_others(wrong):
            return ""
        self._join(way)
        for one in wrong:
            if way and isinstance(one.parent, exp.Group) and names_of([column]):  # two of one name are two
                self._select.group_by(_column(way[-1].key, name), copy=False)
            one.replace(_column(column, name))
        return f"{missing} is {found[0]}.{column}"

    def _by_its_alias(self) -> str:
        """Put `p.price` for the `parts.price` of `FROM parts AS p`, where that is one table alone, and say so."""
        of = list(self._tables.values())
        alias = {table: name for name, table in self._tables.items() if of.count(table) == 1}
        wrong = [one for one in self._columns if one.table not in self._tables and one.table.lower() in alias]
        for one in wrong:
            one.replace(_column(one.name, alias[one.table.lower()]))
        told = dict.fromkeys(f"{one.table} is called {alias[one.table.lower()]}" for one in wrong)
        return "; ".join(told)

    def _own_key(self, wrong: Sequence[exp.Column], missing: str) -> str:
        """Put `series_id` for the `id` of `series`, where each such column is of one table, and say so."""
        alone = next(iter(self._tables)) if len(self._tables) == 1 else ""
        keys = list[tuple[str, str, str]]()
        for one in wrong if missing == "id" else ():
            name = one.table or alone
            table = self._tables.get(name, "")
            names = (f"{table.removesuffix('s')}_id", f"{table}_id")
            if found := next((key for key in names if key in self._schema.columns.get(table, ())), ""):
                keys.append((name, table, found))
        if len(keys) < len(wrong):
            return ""
        for one, (name, _, key) in zip(wrong, keys, strict=True):
            one.replace(_column(key, name))
        return f"id is {', '.join(dict.fromkeys(f'{table}.{key}' for _, table, key in keys))}"

    def _looks_out(self, missing: str) -> bool:
        """Whether a query within another one speaks of that one's tables."""
        there = {column for of in self._tables.values() for column in self._schema.columns.get(of, ())}
        strays = (one for one in self._columns if one.name.lower() not in {*there, *self._own, missing})
        return self._within and (any(strays) or any(one.table not in {"", *self._tables} for one in self._columns))

    def _lacks(self, one: exp.Column, missing: str) -> bool:
        if one.name.lower() != missing:
            return False
        called = [one.table] if one.table in self._tables else [] if one.table else list(self._tables)
        return not any(missing in self._schema.columns.get(self._tables[name], ()) for name in called)

    def _found(self, wrong: Sequence[exp.Column], missing: str) -> tuple[str, str] | None:
        """The table and the column that were meant."""
        from sqlglot import exp

        found = self._schema.named(missing)
        far = {one.table.lower() for one in wrong if one.table and one.table not in self._tables}
        if not found:  # a name for a row is shown, and asked by in nothing
            asked_by = any(one.find_ancestor(exp.Where, exp.Having) for one in wrong)
            found = [one for one in self._schema.meant(missing) if not (asked_by or far)]
        elif far:  # of a table that was to be joined
            found = [one for one in found if far == {one[0]}]
        elif here := [one for one in found if one[0] in self._tables.values()]:  # written down with the wrong alias
            found = here
        elif len(found) > 1 and not any(one.find_ancestor(exp.Where) for one in wrong):  # of those that a key leads to
            places = [(one, place) for one in found if (place := self._place(one[0])) is not None]
            found = [one for one, place in places if len(places) == 1 and all(hop.declared for hop in place[1])]
        return found[0] if len(found) == 1 else None

    def _place(self, table: str) -> tuple[str, list[Hop]] | None:
        """What the statement calls a table, or will call it, and the way there; None if there is not one way alone."""
        if here := [name for name, of in self._tables.items() if of == table]:
            return (here[0], []) if len(here) == 1 else None
        ways = [
            [replace(way[0], near=name), *way[1:]]
            for name, of in self._tables.items()
            for way in self._schema.ways(of, table)
        ]
        short = [way for way in ways if len(way) == min(map(len, ways))]
        free = {hop.far for way in short for hop in way}.isdisjoint(self._called)
        return (table, short[0]) if len(short) == 1 and free else None

    def _sums_others(self, wrong: Sequence[exp.Column]) -> bool:
        """Whether values of the other rows are summed up or counted by themselves: each would be, once a row here."""
        from sqlglot import exp

        own = {column for of in self._tables.values() for column in self._schema.columns.get(of, ())}
        for agg in self._select.find_all(exp.Sum, exp.Avg, exp.Count):
            columns = [] if agg.find(exp.Distinct) else list(agg.find_all(exp.Column))
            if columns and all(one in wrong or one.name.lower() not in own for one in columns):
                return True
        return False

    def _join(self, way: Sequence[Hop]) -> None:
        """Join the tables on the way; what has a column of the same name is called by its table from now on."""
        from sqlglot import exp

        new = {column for hop in way for column in self._schema.columns.get(hop.far, ())}
        for one in self._columns if way else ():
            having = [name for name, of in self._tables.items() if one.name.lower() in self._schema.columns.get(of, ())]
            if not one.table and one.name.lower() in new - self._own and len(having) == 1:
                one.replace(_column(one.name, having[0]))
        for hop in way:
            on = exp.EQ(this=_column(hop.column, hop.near), expression=_column(hop.key, hop.far))
            self._select.join(exp.to_table(hop.far), on=on, join_type="left", copy=False)


def _column(name: str, table: str) -> exp.Column:
    from sqlglot import exp

    return exp.column(exp.to_identifier(name), table=exp.to_identifier(table))
