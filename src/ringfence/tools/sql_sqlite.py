"""What a model writes for another database, as SQLite has it. Pure.

`MONTH(day)`, `EXTRACT(YEAR FROM day)` and `TOP 3` are errors there; `strftime('%m', day) = 3` is none, and never true:
what strftime gives is text, `03`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .sql_mend import Mend
from .sql_read import parsed

if TYPE_CHECKING:
    from sqlglot import exp

_OTHERS = ("mysql", "postgres", "tsql")
_PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M"}
_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%j": 3, "%W": 2}
_UNREAD = re.compile(r"syntax error|no such function|unrecognized token", re.I)


def as_sqlite(sql: str, said: str) -> Mend | None:
    """A statement that SQLite `said` it cannot read, as it reads it; None if no other database's words are in it."""
    if not _UNREAD.search(said):
        return None
    from sqlglot import errors

    for other in _OTHERS:
        tree = parsed(sql, other)
        if tree is None:
            continue
        try:
            written = tree.transform(_part_of_a_day).sql("sqlite", unsupported_level=errors.ErrorLevel.RAISE)
        except (errors.SqlglotError, RecursionError):
            continue
        if re.sub(r"\s|;$", "", written).lower() != re.sub(r"\s|;$", "", sql).lower():
            return Mend(written, "written for SQLite")
    return None


def compared_as_text(sql: str) -> Mend | None:
    """A statement that compares a part of a date with a number, or with a text too short, with the text that is meant.

    None if there is no such comparison, or it may mean something else.
    """
    if "strftime" not in sql.lower() or (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    why = list[str]()
    try:
        for one in tree.find_all(exp.Binary, exp.In, exp.Between):
            part = next(
                (side for side in (one.this, one.args.get("expression")) if isinstance(side, exp.TimeToStr)), None
            )
            width = _WIDTHS.get(part.text("format"), 0) if part is not None and _compares(one) else 0
            why += [told for literal in _literals(one) if width and (told := _padded(literal, width))]
        return Mend(tree.sql("sqlite"), "; ".join(dict.fromkeys(why))) if why else None
    except (errors.SqlglotError, RecursionError):
        return None


def _compares(one: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(one, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.In | exp.Between)


def _literals(one: exp.Expr) -> list[exp.Literal]:
    """The constants that a comparison has beside what it compares."""
    from sqlglot import exp

    sides = [one.this, *one.expressions, *(one.args.get(name) for name in ("expression", "low", "high"))]
    return [side for side in sides if isinstance(side, exp.Literal)]


def _padded(literal: exp.Literal, width: int) -> str:
    """Put the text of so many digits in place of a number, and say so; empty if it has them."""
    value = str(literal.this)
    if not value.isdecimal() or (literal.is_string and len(value) >= width):
        return ""
    text = value.zfill(width)
    literal.set("this", text)
    literal.set("is_string", True)
    return f"strftime gives text: '{text}'"


def _part_of_a_day(node: exp.Expr) -> exp.Expr:
    """`CAST(STRFTIME('%m', day) AS INTEGER)` for MONTH(day) and EXTRACT(MONTH FROM day), SUBSTR for LEFT."""
    from sqlglot import exp

    if isinstance(node, exp.Left) and isinstance(node.expression, exp.Literal):
        return exp.Anonymous(this="SUBSTR", expressions=[node.this, exp.Literal.number(1), node.expression])
    if isinstance(node, exp.Extract):
        part, day = str(node.this).upper(), node.expression
    elif isinstance(node, exp.Year | exp.Month | exp.Day | exp.Hour | exp.Minute):
        part, day = type(node).__name__.upper(), node.this
    else:
        return node
    if part not in _PARTS:
        return node
    bare = day.this if isinstance(day, exp.TsOrDsToDate | exp.TsOrDsToTimestamp) else day
    text = exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(_PARTS[part]), bare])
    return exp.cast(text, "int")
