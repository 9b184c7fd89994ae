"""What a model is told of a database: its tables, how they are joined, and what is wrong with a statement. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from .texts import notes

_APOSTROPHE = re.compile(r"(\w)'(s\b|[A-Z]\w)")  # behind a letter, and no end of a text
_NAMES = re.compile(r"(?:^|_)(?:name|title|label|description|surname|firma|bezeichnung)", re.I)
_FEW, _SHOWN = 3, 8  # rows of a result whose keys are told, and columns of the table that they are of
_NAME_CHARS = 200  # of a name that is told
MAX_TABLES, MAX_COLUMNS = 60, 40  # shown by the overview
_LITERAL, _QUALIFIER = re.compile(r"'[^']*'"), re.compile(r"[\"`]?\w+[\"`]?\s*\.")
_COUNTS = re.compile(r"\b(?:case|when|is|in|not|like|between|and|or)\b", re.I)  # no product
_FROM = re.compile(r"\bfrom\s+[\"`\[]?(\w+)", re.I)
_KEY = re.compile(r"_(?:id|no|nr|num|number|code|key)$")
_ANY = ("id", "name", "title", "date", "day", "time")  # first columns that are no keys of other tables
_ALIAS = re.compile(r"\bas\s+[\"`\[]?(\w+)")  # in lower case
_SUMMED = re.compile(r"\b(?:sum|avg|total)\s*\(([\w\s.*+/\"`-]+)\)", re.I)  # without a comparison in it
_NO_COLUMN = re.compile(r"no such column: [\"`\[]?(?:\w+\.)?(\w+)|column \"?(?:\w+\.)?(\w+)\"? does not exist")

_AMBIGUOUS = re.compile(r"ambiguous column name: (?:\w+\.)?(\w+)")

Look = Callable[[str, str], str]  # what the values of a column look like, by table and column
Probe = tuple[str, Sequence[str]]  # a statement of ours and its parameters
Result = TypeVar("Result", covariant=True)
Asking = Generator[Probe, Sequence[Sequence[object]] | None, Result]  # it is sent the rows; None of what cannot be told


def overview(
    tables: Sequence[Sequence[object]],
    look: Look = lambda table, column: "",
    *,
    joins: Mapping[str, str] = MappingProxyType({}),
) -> JSON:
    """`{tables: [{table, columns}]}`, from names and lines of `column type`.

    joins  the declared keys, `table.column` to `table.column`; where a column has none, it is told by its name
    """
    shown: list[JSON] = []
    keys = {**joins_of(tables), **joins}
    for name, lines in tables[:MAX_TABLES]:
        told = []
        for line in _lines(lines)[:MAX_COLUMNS]:
            column = line.rpartition(" ")[0] or line
            key = keys.get(f"{name}.{column}", "")
            told.append(f"{line}{' = ' * bool(key)}{key}{look(str(name), column)}")
        shown.append({"table": name, "columns": told})
    more = f"and {len(tables) - MAX_TABLES} more tables" if len(tables) > MAX_TABLES else ""
    return {"tables": shown, **notes(more, "" if tables else "there are no tables")}


def _lines(lines: object) -> list[str]:
    return [line.strip() for line in str(lines).split("\n")]


def columns_of(tables: Sequence[Sequence[object]]) -> dict[str, list[str]]:
    """The names of columns, by table."""
    return {str(name): [line.split(" ")[0] for line in _lines(lines)] for name, lines in tables}


def joins_of(tables: Sequence[Sequence[object]]) -> dict[str, str]:
    """The columns named after the key of another table (`part_id` is `parts.id`, or `parts.part_id`), or called as the
    first column of one other table alone (`sku`).
    """
    columns, found = columns_of(tables), dict[str, str]()
    known_as = {name.lower(): name for name in columns}
    for table, has in columns.items():
        for column in has:
            same, stem = column.lower(), _KEY.sub("", column.lower())
            names = (stem, f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies") if stem != same else ()
            others = [known_as[name] for name in names if name in known_as][:1]
            if not others and same not in (has[0].lower(), *_ANY):
                others = [name for name, of in columns.items() if of[0].lower() == same]
            keys = [one for name in others for one in columns[name] if one.lower() in (same, "id")]
            key = max(keys, key=lambda one: one.lower() == same, default="")
            if len(others) == 1 and others[0] != table and key:
                found[f"{table}.{column}"] = f"{others[0]}.{key}"
    return found


def summed(sql: str) -> list[str]:
    """The names of the columns that a statement sums up or averages, alone or as a factor, in lower case."""
    found = _SUMMED.findall(_LITERAL.sub("''", sql).lower())
    factors = " ".join(_QUALIFIER.sub("", one) for one in found if not _COUNTS.search(one))
    return re.findall(r"[^\W\d]\w*", factors)


def check_amounts(
    names: Iterable[str], tables: Sequence[Sequence[object]], joins: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raises ToolError if one of them names a row, and so is no amount: a declared key (`joins`), or an `_id`."""
    keys = {one.rpartition(".")[2].lower() for pair in joins.items() for one in pair}
    ids = {one.rpartition(".")[2].lower() for pair in joins_of(tables).items() for one in pair}
    keys |= {name for name in ids if name == "id" or name.endswith("_id")}
    if wrong := next((name for name in names if name in keys), ""):
        raise ToolError(f"{wrong} names a row, and is no amount", todo=known(tables, joins=joins))


def known(
    tables: Sequence[Sequence[object]], said: str = "", joins: Mapping[str, str] = MappingProxyType({}), sql: str = ""
) -> str:
    """The tables and columns there are, in a line, for a model that guessed; `said`: what is wrong with its `sql`.

    First the tables that have the column which it took for one of another table, or one of a name like it, and how the
    one that is asked is joined with them.
    """
    columns, joins = columns_of(tables), {**joins_of(tables), **joins}
    missing = missing_column(said)
    having = [f"{name}.{column}" for name, has in columns.items() for column in has if column == missing]
    near = [] if having or not missing else _like(missing, columns)
    lead = f"{missing} is in another table: {', '.join(having)[:300]}; " if having else ""
    named = [name for name in columns if missing and name.lower().removesuffix("s") == missing.lower()]
    quoted = apostrophes(sql) if "syntax error" in said else sql
    lead = lead or (f"write an apostrophe twice: {quoted[:600]}; " if quoted != sql else "")
    if (twice := _AMBIGUOUS.search(said)) and not lead:
        both = [f"{name}.{twice[1]}" for name, has in columns.items() if twice[1] in has and name in sql]
        lead = f"write {' or '.join(both)[:200]}; " if both else ""
    if "HAVING" in said:
        lead = "a condition on rows is WHERE; HAVING comes behind GROUP BY; "
    lead = f"did you mean {' or '.join(near)[:200]}? " if near else lead
    lead = lead or "".join(f"{missing} is no column, but {name} is a table; " for name in named)
    lead = lead or (f"{missing} is no column of any table; " if missing and columns and missing not in columns else "")
    lead += joined(sql, {one.partition(".")[0] for one in (*having, *near)}, joins)
    listed = [f"{name}({', '.join(has)})" for name, has in columns.items()]
    behind = f"; join {', '.join(f'{one} = {other}' for one, other in joins.items())[:300]}" if joins else ""
    return f"{lead}there are: {'; '.join(listed)[:1_500]}{behind}" if listed else "there are no tables"


def few(rows: Collection[object]) -> bool:
    """Whether a result is so short that it may be one answer, whose keys are told (`keyed`)."""
    return 0 < len(rows) <= _FEW


@dataclass(frozen=True, slots=True)
class Key:
    """A column of a result that has the keys of rows of another table, which has names and was not asked.

    A small model that is asked which driver it was answers with his number.
    """

    column: str
    table: str
    key: str  # the column of that table which it stands for
    has: Sequence[str]  # the columns of that table
    origin: str  # the table that was asked

    @property
    def names(self) -> list[str]:
        """The columns that have names, of few: the key itself is none."""
        return [one for one in names_of(self.has) if one not in (self.key, self.column)][:_FEW]

    def values(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[object]:
        """The keys that a result has, each once."""
        at = columns.index(self.column)
        return list(dict.fromkeys(row[at] for row in rows if row[at] is not None))

    def select(self, values: int) -> str:
        """The statement that finds the names of so many rows, by their keys as parameters."""
        table = identifier(self.table)  # also before a column: SQLite takes a name that is none for a text
        told = (f"substr(cast({table}.{identifier(one)} as text), 1, {_NAME_CHARS})" for one in (self.key, *self.names))
        marks = ", ".join(f"${n + 1}" for n in range(values))
        return (
            f"select {', '.join(told)} from {table} where {table}.{identifier(self.key)} in ({marks}) limit {_FEW + 1}"
        )

    def told(self, keys: Sequence[object], rows: Sequence[Sequence[object]]) -> dict[str, JSON]:
        """What stands beside the result: the rows that `select` has found, or else how they are asked for.

        Rows of one and the same key are not what it stands for alone.
        """
        found = {str(row[0]): row for row in rows}
        if len(found) == len(rows) > 0:
            ordered = [found[key] for key in map(str, keys) if key in found]
            pairs = (zip((self.column, *self.names), row, strict=True) for row in ordered)
            return {"named": [{name: value for name, value in row if value is not None} for row in pairs]}
        if not keys:
            return {}
        note = f"{self.column} is the key of a row of {self.table} ({', '.join(self.has[:_SHOWN])})"
        join = f"{self.origin}.{self.column} = {self.table}.{self.key}"
        return {"note": f"{note}: FROM {self.origin} JOIN {self.table} ON {join} has its name"}


def keyed(
    sql: str, columns: Collection[str], tables: Sequence[Sequence[object]], joins: Mapping[str, str]
) -> Key | None:
    """The first column of a result that is such a key: a declared one (`joins`), or an `_id`."""
    plain = _LITERAL.sub("''", sql).lower()
    asked, made, there = set(re.findall(r"\w+", plain)), set(_ALIAS.findall(plain)), columns_of(tables)
    ids = {one: other for one, other in joins_of(tables).items() if one.lower().endswith("_id")}
    found: dict[str, list[Key]] = {}
    for one, other in {**ids, **joins}.items():
        (table, _, column), (far, _, key) = one.partition("."), other.partition(".")
        if column in columns and column.lower() not in made and table.lower() in asked:
            found.setdefault(column, []).append(Key(column, far, key, there.get(far, ()), table))
    alone = [keys[0] for keys in found.values() if len({key.table for key in keys}) == 1]  # else it may be either's
    return next((key for key in alone if key.names and key.table.lower() not in asked), None)


def identifier(name: str) -> str:
    """A name of a table or column, quoted."""
    return f'"{name.replace(chr(34), chr(34) * 2)}"'


def apostrophes(sql: str) -> str:
    """The statement with the apostrophe of a name (Nobody's Kite) written twice."""
    return _APOSTROPHE.sub(r"\1''\2", sql)


def missing_column(said: str) -> str:
    """The column that a database says is not there, without its table; empty if it says something else."""
    return next(filter(None, match.groups()), "") if (match := _NO_COLUMN.search(said)) else ""


def names_of(columns: Iterable[str]) -> list[str]:
    """The columns that have names of rows."""
    return [one for one in columns if _NAMES.search(one)]


def joined(sql: str, others: Collection[str], joins: Mapping[str, str]) -> str:
    """The FROM of a statement with the other table in it that has the column; empty if no key says how."""
    match = _FROM.search(sql)
    for one, other in joins.items() if match else ():
        table, far = one.partition(".")[0], other.partition(".")[0]
        if match and {table, far} & {*others} - {match[1]} and match[1] in (table, far):
            return f"FROM {match[1]} JOIN {far if match[1] == table else table} ON {one} = {other}; "
    return ""


def _like(missing: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Up to two columns of names like one that is in no table: nearly the same, with the same last word, or longer."""
    names = list(dict.fromkeys(column for has in columns.values() for column in has))
    last = missing.lower().rpartition("_")[2]
    near = difflib.get_close_matches(missing.lower(), names, n=2, cutoff=0.75)
    near = near or [name for name in names if name.lower().rpartition("_")[2] == last][:2]
    near = near or [name for name in names if name.lower().startswith(f"{missing.lower()}_")][:2]
    return [f"{table}.{name}" for name in near for table, has in columns.items() if name in has][:2]
