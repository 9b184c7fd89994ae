"""Whether a sum of a database is of money, where its task asks for money. Pure: decided by the record.

Asked what the parts of an order come to, a small model adds up how many there are, or their prices one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.core.turn import Turn

from .nearest import answered, listed
from .statements import TEXTS
from .task import PASTED, questions

_MONEY = re.compile(  # what is asked for
    r"\b(?:cost|revenue|turnover|come to|kosten|kostet|umsatz)\b|\bhow many (?:euros?|eur|dollars|francs)\b|"
    r"\bprice of\b",
    re.I,
)
_WHOLE = re.compile(r"total|sum|line|amount|gross|net|gesamt|summe", re.I)  # a price of all pieces
_EACH = re.compile(r"(?:\w+_)?(?:price|rate|fare|preis|tarif)(?:_\w+)?", re.I)  # of one piece
_PIECES = re.compile(r"(?:\w+_)?(?:quantity|qty|count|pieces|units|menge|anzahl|stück(?:zahl)?)(?:_\w+)?", re.I)
_SUM = re.compile(r"\bsum\s*\(\s*(?:\w+\.)?[\"`\[]?(\w+)[\"`\]]?\s*\)", re.I)
_FROM = re.compile(
    r"\bfrom\s+(\w+)(?:\s+(?:as\s+)?(?!(?:where|join|limit|group|order|left|inner|on)\b)(?P<called>\w+))?", re.I
)
_KEY = re.compile(r" = (\w+)\.(\w+)")
_SEVERAL = re.compile(
    r"\b(?:how many (?!(?:euros?|eur|dollars|francs)\b)|number of|count|quantit\w+|pieces|units|weigh\w*|kg|kilos?|"
    r"sold|average|wie ?viele|anzahl|stückzahl)\b",
    re.I,
)


def unpriced(turn: Turn) -> str:
    """What a sum leaves out that the last statement of a run asked for, in words for the model: the price of a piece,
    or how many there are; empty if it leaves out nothing, or the task asks for what it is.
    """
    task, calls = str(turn.start["task"]), answered(turn)
    asking = questions(task) or task
    if len(task) > PASTED or not _MONEY.search(asking) or not calls or calls[-1][0] < 0:
        return ""
    _, args, value = calls[-1]
    sql = TEXTS.sub("''", str(args.get("sql", ""))) if isinstance(args, Mapping) else ""
    sums = _SUM.findall(sql)
    if len(sums) != 1 or "*" in sql or not isinstance(value, Mapping) or len(value.get("rows") or ()) != 1:
        return ""
    (one,), tables = sums, dict(_tables(turn))
    asked = {table for table in tables if re.search(rf"(?<!\w){re.escape(table)}(?!\w)", sql, re.I)}
    if _PIECES.fullmatch(one) and not _SEVERAL.search(asking):
        kind, among = _EACH, set(tables)
    elif _EACH.fullmatch(one) and not _WHOLE.search(one):
        kind, among = _PIECES, asked
    else:
        return ""
    others = [
        (table, column)
        for table in among
        for column in tables[table]
        if kind.fullmatch(column) and not _WHOLE.search(column)
    ]
    if len(others) != 1 or not asked:
        return ""
    ((table, other),) = others
    whole = _SUM.sub(lambda found: f"SUM({found[0][4:-1].strip()} * {other})", str(args["sql"]).strip().rstrip(";"))
    if table not in asked:
        whole = _joined(whole, asked, table, turn)
    return f"SUM({one}) is of {one} alone. Ask for: {whole}" if whole else ""


def _joined(sql: str, asked: set[str], far: str, turn: Turn) -> str:
    """The statement about one table with another one joined by the key that leads there; empty where none does."""
    links = [(near, column, key) for near, column, other, key in _keys(turn) if near in asked and other == far]
    source = list(_FROM.finditer(sql))
    if len(links) != 1 or len(source) != 1 or len(asked) != 1:
        return ""
    ((near, column, key),), (found,) = links, source
    called = found["called"] or near
    join = f"{found[0]} JOIN {far} ON {called}.{column} = {far}.{key}"
    return f"{sql[: found.start()]}{join}{sql[found.end() :]}"


def _keys(turn: Turn) -> Iterator[tuple[str, str, str, str]]:
    """The keys of the tables that were shown, `part_id INTEGER = parts.id`: table, column, other table, its column."""
    for table, columns in _shown(turn):
        for line in columns:
            if match := _KEY.search(line):
                yield table, _name(line), match[1], match[2]


def _tables(turn: Turn) -> Iterator[tuple[str, list[str]]]:
    """The tables of databases that were shown, with the names of their columns."""
    return ((table, list(map(_name, columns))) for table, columns in _shown(turn))


def _shown(turn: Turn) -> Iterator[tuple[str, list[str]]]:
    for _, one in listed(turn, "tables"):
        if isinstance(columns := one.get("columns"), list):
            yield str(one.get("table")), list(map(str, columns))


def _name(column: str) -> str:
    return column.partition(" ")[0]
