"""Which columns of a result may be added up: amounts, of rows that come once. Pure; nothing of what is not plain."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_read import parsed
from .sql_schema import Asking, columns_of, identifier, joins_of

if TYPE_CHECKING:
    from sqlglot import exp

_BOUNDED = ("limit", "offset", "fetch", "with_", "with", "qualify", "windows", "having", "laterals", "pivots")
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_AMOUNTS = frozenset(
    """
    amount amounts total price cost costs fee fees charge charges eur euro euros usd gbp chf dollars cents net gross qty
    quantity count hours minutes km miles kg tons tonnes litres liters units pieces packs bottles boxes seats visitors
    adults children copies downtime betrag preis kosten summe gebühr menge anzahl stunden minuten liter stück
    """.split()  # noqa: SIM905  # words are read, and not quoted
)
_NONE = frozenset(
    """
    per rate share percent pct avg average mean balance running rank saldo quote durchschnitt id no nr num number code
    key year month week day date on at jahr monat tag zip plz postcode shift age temp temperature level phone tel room
    floor raum etage alter
    """.split()  # noqa: SIM905
)


def summable(
    sql: str, rows: int, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str
) -> Asking[list[str]]:
    """The names of a result's columns that may be added up over its `rows`, as the statement writes them.

    tables, joins  as of `sql_schema.overview`; dialect: of sqlglot
    """
    keys = {one.lower(): other.lower() for one, other in {**joins_of(tables), **joins}.items()}
    columns = {table.lower(): has for table, has in columns_of(tables).items()}
    if (plain := _read(sql, columns, dialect)) is None:
        return []
    select, own = plain
    edges = [_edge(one, own, keys) for one in select.args.get("joins") or ()]
    for edge in edges:
        far, _, key = edge[1].partition(".") if edge else ("", "", "")
        of = identifier(far)
        twice = f"select 1 from {of} group by {of}.{identifier(key)} having count(*) > 1 limit $1"
        if not edge or (yield twice, ("1",)) != []:  # of each row there is one at most
            return []
    if select.args.get("distinct") or _only_apart(select):
        whole = select.copy()
        whole.set("distinct", None)
        whole.set("group", None)
        select = whole
        if (yield f"select count(*) from ({whole.sql(dialect)}) as w limit $1", ("1",)) != [(rows,)]:
            return []
    once = _once(set(own.values()), [edge for edge in edges if edge])
    named = {one.partition(".")[2] for pair in keys.items() for one in pair}
    return [name for name in _columns(select, own, columns, once) if name.lower() not in named]


def _read(sql: str, columns: Mapping[str, Sequence[str]], dialect: str) -> tuple[exp.Select, dict[str, str]] | None:
    """A plain SELECT of tables, and these by what it calls them; None of anything else."""
    if (select := parsed(sql, dialect)) is None:
        return None
    from sqlglot import exp

    if not isinstance(select, exp.Select) or any(select.args.get(part) for part in _BOUNDED):
        return None
    group, distinct = select.args.get("group"), select.args.get("distinct")
    if (group and group.find(exp.Rollup, exp.Cube, exp.GroupingSets)) or (distinct and distinct.args.get("on")):
        return None
    if not group and any(one.find(exp.Func) for one in select.selects):
        return None
    here = [one for one in select.find_all(exp.Table) if not one.find_ancestor(exp.Where)]
    own = {one.alias_or_name.lower(): one.name.lower() for one in here}
    inner = any(not one.find_ancestor(exp.Where) for one in select.find_all(exp.Subquery, exp.Window))
    if inner or any(one.db for one in here) or select.find(exp.Parameter, exp.Placeholder):
        return None
    joined_with_itself = len(set(own.values())) < len(here)
    return None if not own or joined_with_itself or not columns.keys() >= set(own.values()) else (select, own)


def _only_apart(select: exp.Select) -> bool:
    """Whether rows are grouped by all that is selected, and nothing is calculated: that is DISTINCT."""
    from sqlglot import exp

    group = select.args.get("group")
    by = {one.sql() for one in group.expressions} if group else set()
    return bool(by) and {one.sql() for one in select.selects} == by and not select.find(exp.AggFunc)


def _columns(
    select: exp.Select, own: Mapping[str, str], columns: Mapping[str, Sequence[str]], once: Collection[str]
) -> list[str]:
    """The columns of a result that are amounts of these tables, each under a name of its own."""
    from sqlglot import exp

    if select.args.get("group"):
        return [one.alias for one in select.selects if len(own) == 1 and one.alias and _adds_up(one.unalias())]
    found, named = list[str](), [one.alias_or_name.lower() for one in select.selects]
    for one in select.selects:
        if isinstance(one, exp.Star):
            there = [name.lower() for of in own.values() for name in columns[of]]
            found += [name for of in once for name in columns[of] if there.count(name.lower()) == 1]
        elif isinstance(bare := one.unalias(), exp.Column) and named.count(one.alias_or_name.lower()) == 1:
            of = [own.get(bare.table.lower(), "")] if bare.table else list(own.values())
            having = [table for table in of if bare.name.lower() in map(str.lower, columns.get(table, ()))]
            found += [one.alias_or_name] if len(having) == 1 and having[0] in once and _is_amount(bare.name) else []
    return [name for name in found if _is_amount(name)]


def _adds_up(value: exp.Expr) -> bool:
    """Whether values of groups may be added up: how many there are, or what they come to."""
    from sqlglot import exp

    return isinstance(value, exp.Count | exp.Sum) and not isinstance(value.this, exp.Distinct)


def _edge(join: exp.Join, own: Mapping[str, str], keys: Mapping[str, str]) -> tuple[str, str] | None:
    """The key by which a table is joined, `table.column` to `table.column`; None if it is by anything else."""
    from sqlglot import exp

    on = join.args.get("on")
    if not (isinstance(on, exp.EQ) and isinstance(on.left, exp.Column) and isinstance(on.right, exp.Column)):
        return None
    one, other = (f"{own.get(c.table.lower(), '')}.{c.name.lower()}" for c in (on.left, on.right))
    return (one, other) if keys.get(one) == other else (other, one) if keys.get(other) == one else None


def _once(tables: Collection[str], edges: Collection[tuple[str, str]]) -> set[str]:
    """The tables whose rows come once: from each a path of these keys leads to all the others."""
    to: dict[str, set[str]] = {}
    for one, other in edges:
        to.setdefault(one.partition(".")[0], set()).add(other.partition(".")[0])

    def reached(table: str) -> set[str]:
        there, todo = {table}, [table]
        while todo:
            more = to.get(todo.pop(), set()) - there
            there |= more
            todo += more
        return there

    return {table for table in tables if reached(table).issuperset(tables)}


def no_amount(name: str) -> bool:
    """Whether a column's name says that its numbers are not added up: order_id, year, price_per_kg."""
    return not {word.lower() for word in _WORD.findall(name)}.isdisjoint(_NONE)


def _is_amount(name: str) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    return not words.isdisjoint(_AMOUNTS) and words.isdisjoint(_NONE)
