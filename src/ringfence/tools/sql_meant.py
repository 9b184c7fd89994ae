"""What a statement can only mean that is answered all the same, and wrongly. Pure.

A database does not mind that nothing equals NULL, that two counts have no decimals between them, that a day given alone
is its midnight, or that orders and customers are joined by two keys that have nothing to do with each other. Each of
these is put right where it has one meaning alone, and is told, by its caller only where the result is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, columns_of, identifier, joins_of

if TYPE_CHECKING:
    from sqlglot import exp

DAY = re.compile(r"\d{4}-\d\d-\d\d")
_GLOB = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_COUNTED = re.compile(r"(?:total|sum|number_of|num)_(\w+)")  # what is added up: total_shares, and not `total`
_NO_AMOUNT = re.compile(
    r"(?:.*_)?(?:ids?|no|nr|num|number|codes?|keys?|year|month|week|day|date|rank|status|total|amount)"
)
_CROSSED = re.compile(r"\bcross\s+join\b|\bon\s+(?:true|1)\b", re.I)  # what is written out is meant
_YEARS = re.compile(r"(?:^|_)(?:age|years?|alter|jahre)(?:_|$)", re.I)
_NUMERIC = re.compile(r"(?:big|small|tiny)?int|real|num|dec|double|float|money")
_FIRST = re.compile(r"\d{4}-\d\d-01")  # who writes two of these for a month means the second to be left out


class Places:
    """Which table each column of a statement is of; names in small letters.

    keys  which column names the row of which other table, `table.column` to `table.column`
    """

    def __init__(self, tree: exp.Expr, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> None:
        from sqlglot import exp

        self.columns = {name.lower(): [one.lower() for one in has] for name, has in columns_of(tables).items()}
        self.types = {
            (str(name).lower(), line.split(" ")[0].lower()): line.partition(" ")[2].lower()
            for name, lines in tables
            for line in map(str.strip, str(lines).split("\n"))
        }
        self.keys = {one.lower(): other.lower() for one, other in {**joins_of(tables), **joins}.items()}
        self._made = {one.alias.lower() for one in tree.find_all(exp.CTE)}

    def own(self, select: exp.Expr) -> dict[str, str]:
        """The tables of a SELECT by what it calls them; "" for what is no table of the database."""
        from sqlglot import exp

        found: dict[str, str] = {}
        for one in select.find_all(exp.Table, exp.Subquery):
            if one.parent_select is select and isinstance(one.parent, exp.From | exp.Join):
                there = isinstance(one, exp.Table) and not one.db and one.name.lower() not in self._made
                name = one.name.lower() if there and one.name.lower() in self.columns else ""
                found[one.alias_or_name.lower()] = name
        return found

    def of(self, column: exp.Column) -> tuple[str, str]:
        """What the table of a column is called, and the table; two empty texts where that is not certain."""
        select = column.parent_select
        own = self.own(select) if select is not None else {}
        name, called = column.name.lower(), column.table.lower()
        if called:
            table = own.get(called, "")
            return (called, table) if name in self.columns.get(table, ()) else ("", "")
        having = [one for one, table in own.items() if name in self.columns.get(table, ())]
        return (having[0], own[having[0]]) if len(having) == 1 and "" not in own.values() else ("", "")

    def links(self, one: str, other: str) -> list[tuple[str, str]]:
        """The columns by which two tables are joined: of the first one, and of the other."""
        found = []
        for key, far in self.keys.items():
            (near, _, column), (table, _, name) = key.partition("."), far.partition(".")
            if (near, table) == (one, other):
                found.append((column, name))
            elif (near, table) == (other, one):
                found.append((name, column))
        return found


def meant(
    sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str], *, dialect: str
) -> Asking[Mend | None]:
    """The statement as it was meant; None if it can mean what it says. It is one that the database can read."""
    if (tree := parsed(sql, dialect)) is None:
        return None
    from sqlglot import errors, exp

    if tree.find(exp.Concat, exp.ConcatWs, exp.DateDiff, exp.DateAdd, exp.DateSub, exp.Fetch, exp.Placeholder):
        return None  # written down again, it may mean something else
    places, why = Places(tree, tables, joins), list[str]()
    try:
        why += _nulls(tree)
        why += _decimals(tree)
        for select in list(tree.find_all(exp.Select)):
            why += _joined(select, places) if not _CROSSED.search(sql) else []
            why += _counted(select, places)
            why += _called(select, places)
        why += yield from _not_in(tree, dialect)
        why += yield from _days(tree, places, dialect)
        why += (yield from _apart(tree, places)) if dialect == "sqlite" else []
        return Mend(tree.sql(dialect), "; ".join(dict.fromkeys(why))) if why else None
    except (errors.SqlglotError, RecursionError):
        return None


def _nulls(tree: exp.Expr) -> Iterator[str]:
    """`= NULL` is never true, and `!= NULL` neither."""
    from sqlglot import exp

    for one in list(tree.find_all(exp.EQ, exp.NEQ)):
        if isinstance(one.expression, exp.Null) and one.find_ancestor(exp.Where, exp.Having, exp.Case, exp.Join):
            bare = exp.Is(this=one.this.copy(), expression=exp.Null())
            one.replace(exp.not_(bare) if isinstance(one, exp.NEQ) else bare)
            yield f"nothing is {'!=' if isinstance(one, exp.NEQ) else '='} NULL: asked with IS"


def _decimals(tree: exp.Expr) -> Iterator[str]:
    """What two whole numbers come to when one is divided by the other: a share of counts is not 0."""
    from sqlglot import exp

    if tree.find(exp.Mod) or any(one.find(exp.Div) for one in tree.find_all(exp.Mul, exp.Group)):
        return  # hours and minutes of minutes, say, or pages of so many rows
    for one in list(tree.find_all(exp.Div)):
        literal = isinstance(one.expression.unnest(), exp.Literal)
        sums = one.this.find(exp.AggFunc, exp.Select) is not None
        rounds = one.find_ancestor(exp.Cast, exp.Floor, exp.Ceil, exp.Where, exp.Join)  # the row in the middle
        if rounds or one.find(exp.Cast, exp.Avg) or any("." in str(n.this) for n in one.find_all(exp.Literal)):
            continue
        if (not literal or (sums and not one.this.find(exp.Add, exp.Sub))) and one.this.find(exp.Column, exp.AggFunc):
            one.set("this", exp.Mul(this=exp.Literal.number("1.0"), expression=exp.paren(one.this.copy())))
            yield "divided with decimals"


def _joined(select: exp.Select, places: Places) -> Iterator[str]:
    """Tables that are joined by keys which name rows of different things, or by nothing, where one key joins them."""
    from sqlglot import exp

    own, seen = places.own(select), list[str]()
    source = select.args.get("from_") or select.args.get("from")
    seen.append(source.this.alias_or_name.lower() if source is not None else "")
    for join in select.args.get("joins") or ():
        called, on = join.this.alias_or_name.lower(), join.args.get("on")
        table = own.get(called, "")
        near = [(one, link) for one in seen for link in places.links(own.get(one, ""), table) if table]
        seen.append(called)
        if join.args.get("using") or join.args.get("method") or len(near) != 1 or own.get(near[0][0]) == table:
            continue
        first, (column, key) = near[0]
        if on is None or isinstance(on, exp.Boolean):
            if _linked(select, called, places):
                continue
            join.set("kind", None)
        elif not _strange(on, places) or not (_names(column, table) or _names(key, own[first])):
            continue  # profiles may have the id of their user, and another one who invited them
        meant_by = exp.EQ(this=exp.column(column, table=first), expression=exp.column(key, table=called))
        join.set("on", meant_by)
        yield f"{own[first]} and {table} are joined by {own[first]}.{column} = {table}.{key}"


def _names(column: str, table: str) -> bool:
    """Whether a key is called after the table whose row it names: `customer_id` of customers."""
    bare = column.removesuffix("_id")
    return bare != column and table.startswith(bare[:-1] if bare.endswith("y") else bare)


def _linked(select: exp.Select, called: str, places: Places) -> bool:
    """Whether a condition says what rows of a table belong to: or may say so, for all that is known."""
    from sqlglot import exp

    where = select.args.get("where")
    for one in where.find_all(exp.Predicate) if where is not None else ():
        of = {places.of(column)[0] for column in one.find_all(exp.Column)}
        if "" in of or (called in of and len(of) > 1):
            return True
    return where is not None and where.find(exp.Select) is not None


def _strange(on: exp.Expr, places: Places) -> bool:
    """Whether two tables are joined by the keys of their own rows, of which none names one of the other."""
    from sqlglot import exp

    if not (isinstance(on, exp.EQ) and isinstance(on.left, exp.Column) and isinstance(on.right, exp.Column)):
        return False
    sides = [f"{places.of(one)[1]}.{one.name.lower()}" for one in (on.left, on.right)]
    both = all(side in places.keys.values() for side in sides) or all(side.endswith(".id") for side in sides)
    return both and not any(side in places.keys for side in sides) and not any(one.startswith(".") for one in sides)


def _counted(select: exp.Select, places: Places) -> Iterator[str]:
    """`count(*)` of groups, each a row with those of another table that name it: 1 where there are none."""
    from sqlglot import exp

    joins, group = list[exp.Join](select.args.get("joins") or ()), select.args.get("group")
    on = joins[0].args.get("on") if len(joins) == 1 and joins[0].side == "LEFT" else None
    if group is None or not isinstance(on, exp.EQ):
        return
    called = joins[0].this.alias_or_name.lower()
    ends = {places.of(one)[0]: one for one in (on.left, on.right) if isinstance(one, exp.Column)}
    if called not in ends or len(ends) != 2 or "" in ends:
        return
    far = ends.pop(called)
    (near,) = ends.values()
    if places.keys.get(f"{places.of(far)[1]}.{far.name.lower()}") != f"{places.of(near)[1]}.{near.name.lower()}":
        return
    asked = [one for part in (select.args.get("where"), group) if part for one in part.find_all(exp.Column)]
    if any(places.of(one)[0] in ("", called) for one in asked):
        return
    stars = [
        one for one in select.find_all(exp.Count) if isinstance(one.this, exp.Star) and one.parent_select is select
    ]
    for one in stars:
        one.set("this", exp.column(far.name, table=called))
    if stars:
        yield f"count(*) is 1 for none: counted are rows of {places.of(far)[1]}"


def _called(select: exp.Select, places: Places) -> Iterator[str]:
    """`count(*) as total_shares` of purchases that have a number of `shares` each: as it is called, it is their sum."""
    from sqlglot import exp

    own = places.own(select)
    for one in select.selects:
        count = one.this if isinstance(one, exp.Alias) else None
        if not isinstance(count, exp.Count) or not isinstance(count.this, exp.Star):
            continue
        counted = _COUNTED.fullmatch(one.alias.lower())
        name = counted[1] if counted else ""
        having = [(called, table) for called, table in own.items() if name in places.columns.get(table, ())]
        if len(having) != 1 or _NO_AMOUNT.fullmatch(name) or select.find(exp.Sum):
            continue
        called, table = having[0]
        if _NUMERIC.match(places.types.get((table, name), "")) and f"{table}.{name}" not in places.keys:
            one.set("this", exp.Sum(this=exp.column(name, table=called)))
            yield f"{one.alias} is the sum of {table}.{name}, and no number of rows"


def _not_in(tree: exp.Expr, dialect: str) -> Asking[list[str]]:
    """Nothing is NOT IN a list with a NULL in it."""
    from sqlglot import exp

    why = list[str]()
    for one in list(tree.find_all(exp.In)):
        query = one.args.get("query")
        select = query.this if isinstance(query, exp.Subquery) else None
        if not isinstance(one.parent, exp.Not) or not isinstance(select, exp.Select) or len(select.selects) != 1:
            continue
        value = select.selects[0].unalias()
        if not isinstance(value, exp.Column) or any(select.args.get(part) for part in ("group", "limit", "having")):
            continue
        nulls = select.copy().where(exp.Is(this=value.copy(), expression=exp.Null()))
        if (yield f"select 1 from ({nulls.sql(dialect)}) as w limit $1", ("1",)):
            select.where(exp.not_(exp.Is(this=value.copy(), expression=exp.Null())), copy=False)
            why.append(f"nothing is NOT IN a list with NULL in it: {value.name} is NOT NULL there")
    return why


def _days(tree: exp.Expr, places: Places, dialect: str) -> Asking[list[str]]:
    """A day is all of its hours, where a column has times and is held against a day alone."""
    from sqlglot import exp

    timed: dict[str, bool] = {}
    why = list[str]()
    for one in list(tree.find_all(exp.EQ, exp.NEQ, exp.LTE, exp.GT, exp.Between)):
        column = one.this
        if not isinstance(column, exp.Column) or not against_a_day(column):
            continue
        table, place = places.of(column)[1], f"{places.of(column)[1]}.{column.name.lower()}"
        if not table:
            continue
        if place not in timed:
            timed[place] = yield from _has_times(table, column.name.lower(), places, dialect)
        if timed[place]:
            day = exp.cast(column.copy(), "date") if dialect == "postgres" else _begins(column)
            column.replace(day)
            why.append(f"{column.name} has times: its days are compared")
    return why


def _apart(tree: exp.Expr, places: Places) -> Asking[list[str]]:
    """What lies between two days: SQLite takes the one year from the other."""
    from sqlglot import exp

    why = list[str]()
    for one in list(tree.find_all(exp.Sub)):
        called = one.find_ancestor(exp.Alias)
        if called is not None and _YEARS.search(called.alias):
            continue  # an age is in years, which SQLite takes from each other
        ends = [end.this if isinstance(end, exp.Min | exp.Max) else end for end in (one.left, one.right)]
        columns = [end for end in ends if isinstance(end, exp.Column)]
        days = [end for end in ends if isinstance(end, exp.Literal) and end.is_string and DAY.fullmatch(end.name)]
        if not columns or len(columns) + len(days) < 2:
            continue
        dated = list[bool]()
        for column in columns:
            table = places.of(column)[1]
            dated.append(bool(table) and (yield from _has_days(table, column.name.lower())))
        if all(dated):
            for end in (one.left, one.right):
                end.replace(exp.Anonymous(this="JULIANDAY", expressions=[end.copy()]))
            why.append("days between two dates")
    return why


def _has_days(table: str, column: str) -> Asking[bool]:
    """Whether all that stands in a column begins with a day."""
    of, name = identifier(table), f"{identifier(table)}.{identifier(column)}"
    strange = f"{name} is not null and ({name} not glob '{_GLOB}*' or typeof({name}) <> 'text')"
    found = yield f"select sum({strange}), count({name}) from {of} limit $1", ("1",)
    return any(row[0] == 0 and row[1] != 0 for row in found or ())


def against_a_day(column: exp.Column) -> bool:
    """Whether a column is held against a day alone in a way that its hours matter: up to its end, or after it."""
    from sqlglot import exp

    one = column.parent
    if not isinstance(one, exp.EQ | exp.NEQ | exp.LTE | exp.GT | exp.Between) or one.this is not column:
        return False
    other = one.args.get("high") or one.args.get("expression")
    if not isinstance(other, exp.Literal) or not DAY.fullmatch(other.name):
        return False
    return not (_FIRST.fullmatch(other.name) and _from_a_first(one, column))


def _begins(column: exp.Column) -> exp.Expr:
    from sqlglot import exp

    return exp.Anonymous(this="SUBSTR", expressions=[column.copy(), exp.Literal.number(1), exp.Literal.number(10)])


def _from_a_first(one: exp.Expr, column: exp.Column) -> bool:
    """Whether the same column is asked for from the first of a month on."""
    from sqlglot import exp

    if isinstance(one, exp.Between):
        return _FIRST.fullmatch(one.args["low"].name) is not None
    where = one.find_ancestor(exp.Where)
    others = where.find_all(exp.GTE) if where is not None and isinstance(one, exp.LTE) else ()
    return any(of.this == column and _FIRST.fullmatch(of.expression.name) for of in others)


def _has_times(table: str, column: str, places: Places, dialect: str) -> Asking[bool]:
    if dialect == "postgres":
        return places.types.get((table, column), "").startswith("timestamp")
    name, of = identifier(column), identifier(table)
    like = f"{of}.{name} glob '{_GLOB}[ T][0-9]*'"
    return bool((yield f"select 1 from {of} where typeof({of}.{name}) = 'text' and {like} limit $1", ("1",)))
