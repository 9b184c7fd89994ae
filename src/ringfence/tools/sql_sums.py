"""Which columns of a result may be added up: amounts, of rows that come once. Pure; nothing of what is not plain."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_schema import columns_of, joins_of

if TYPE_CHECKING:
    from sqlglot import exp

_CHARS = 2_000  # of a statement that is read
_BOUNDED = ("limit", "offset", "fetch", "with_", "with", "qualify", "windows", "having", "laterals", "pivots")
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_AMOUNTS = frozenset(
    """
    amount amounts total price cost costs fee fees charge charges eur euro euros usd gbp chf dollars cents paid net
    gross tax vat qty quantity count hours minutes km miles kg tons tonnes litres liters units pieces packs bottles
    boxes seats visitors adults children copies downtime betrag preis kosten summe gebühr menge anzahl
    stunden minuten liter stück
    """.split()  # noqa: SIM905  # words are read, and not quoted
)
_RATES = frozenset("per rate share percent pct avg average mean balance running rank saldo quote durchschnitt".split())  # noqa: SIM905


def summable(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str) -> list[str]:
    """The names of a result's columns that may be added up over its rows, as the statement writes them.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    """
    if len(sql) > _CHARS:
        return []
    try:
        from sqlglot import errors, exp, parse_one
    except ImportError:
        return []
    try:
        select = parse_one(sql, read=dialect)
    except (errors.SqlglotError, RecursionError):
        return []
    if not isinstance(select, exp.Select) or any(select.args.get(part) for part in _BOUNDED):
        return []
    columns = {table.lower(): has for table, has in columns_of(tables).items()}
    here = [one for one in select.find_all(exp.Table) if not one.find_ancestor(exp.Where)]
    own = {one.alias_or_name.lower(): one.name.lower() for one in here}
    inner = any(not one.find_ancestor(exp.Where) for one in select.find_all(exp.Subquery, exp.Window))
    if not own or inner or not columns.keys() >= set(own.values()):
        return []
    if len(set(own.values())) < len(own):  # a table joined with itself
        return []
    keys = {one.lower(): other.lower() for one, other in {**joins_of(tables), **joins}.items()}
    if not all(_by_key(one, own, keys) for one in select.args.get("joins") or ()):
        return []
    once = _once(set(own.values()), keys) if len(own) > 1 else set(own.values())
    if select.args.get("group"):
        return [one.alias for one in select.selects if len(own) == 1 and one.alias and _adds_up(one.unalias())]
    found, named = [], [one.alias_or_name.lower() for one in select.selects]
    for one in select.selects:
        if isinstance(one, exp.Star):
            there = [name.lower() for of in own.values() for name in columns[of]]
            found += [name for of in once for name in columns[of] if there.count(name.lower()) == 1]
        elif isinstance(bare := one.unalias(), exp.Column) and named.count(one.alias_or_name.lower()) == 1:
            of = [own.get(bare.table.lower(), "")] if bare.table else list(own.values())
            having = [table for table in of if bare.name.lower() in map(str.lower, columns.get(table, ()))]
            found += [one.alias_or_name] if len(having) == 1 and having[0] in once else []
    return [name for name in found if _is_amount(name)]


def _adds_up(value: exp.Expr) -> bool:
    """Whether values of groups may be added up: how many there are, or what they come to."""
    from sqlglot import exp

    return isinstance(value, exp.Count | exp.Sum) and not isinstance(value.this, exp.Distinct)


def _by_key(join: exp.Join, own: Mapping[str, str], keys: Mapping[str, str]) -> bool:
    """Whether two tables are joined by a key of one row, as `own` calls them, and by nothing else."""
    from sqlglot import exp

    on, using = join.args.get("on"), join.args.get("using") or []
    if isinstance(on, exp.EQ) and isinstance(on.left, exp.Column) and isinstance(on.right, exp.Column):
        one, other = (f"{own.get(c.table.lower(), '')}.{c.name.lower()}" for c in (on.left, on.right))
        return other == keys.get(one) or one == keys.get(other)
    return len(using) == 1 and any(key.endswith(f".{using[0].name.lower()}") for key in keys)


def _once(tables: Collection[str], joins: Mapping[str, str]) -> set[str]:
    """The tables whose rows come once in a join of all of them: from each a path of keys leads to all the others."""
    to: dict[str, set[str]] = {}
    for one, other in joins.items():
        to.setdefault(one.partition(".")[0], set()).add(other.partition(".")[0])

    def reached(table: str) -> set[str]:
        there, todo = {table}, [table]
        while todo:
            more = to.get(todo.pop(), set()) - there
            there |= more
            todo += more
        return there

    return {table for table in tables if reached(table).issuperset(tables)}


def _is_amount(name: str) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    return not words.isdisjoint(_AMOUNTS) and words.isdisjoint(_RATES)
