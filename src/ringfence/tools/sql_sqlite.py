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

_PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M"}
_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%j": 3, "%W": 2}
_UNREAD = re.compile(r"syntax error|no such function|unrecognized token", re.I)
_TOP = re.compile(r"\s*select\s+(?:top\s+(\d{1,6})|top\s*\(\s*(\d{1,6})\s*\))\s+(?!percent|with\b)", re.I)
_FORMATS = {"%i": "%M", "%s": "%S"}  # of MySQL's DATE_FORMAT, where SQLite has another letter
_FORMATTED = re.compile(r"(?:%[YmdHMSisj]|[^%])+")


def as_sqlite(sql: str, said: str) -> Mend | None:
    """A statement that SQLite `said` it cannot read, as it reads it; None if no other database's words are in it, or
    something that it would not mean there.
    """
    if not _UNREAD.search(said):
        return None
    top = _TOP.match(sql)
    bare = f"select {sql[top.end() :]}" if top else sql
    if (tree := parsed(bare, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    bounded = top is not None and isinstance(tree, exp.Select) and not tree.args.get("limit")
    if (top and not bounded) or not _stays(tree):
        return None
    foreign = [node for node in tree.walk() if _sqlite(node.copy()) is not None]
    try:
        if bounded and isinstance(tree, exp.Select) and top:
            tree = tree.limit(int(top[1] or top[2]))
        elif not foreign:
            return None
        return Mend(tree.transform(lambda node: _sqlite(node) or node).sql("sqlite"), "written for SQLite")
    except (errors.SqlglotError, RecursionError):
        return None


def compared_as_text(sql: str) -> Mend | None:
    """A statement that compares a part of a date with a number, or with a text too short, with the text that is meant.

    None if there is no such comparison, or it may mean something else.
    """
    if "strftime" not in sql.lower() or (tree := parsed(sql, "sqlite")) is None or not _stays(tree):
        return None
    from sqlglot import errors, exp

    why = list[str]()
    try:
        for one in tree.find_all(exp.Binary, exp.In, exp.Between):
            sides = [side.unnest() for side in (one.this, one.args.get("expression")) if isinstance(side, exp.Expr)]
            part = next((side for side in sides if isinstance(side, exp.TimeToStr)), None)
            width = _WIDTHS.get(part.text("format"), 0) if part is not None and _compares(one) else 0
            why += [told for literal in _literals(one) if width and (told := _padded(literal, width))]
        return Mend(tree.sql("sqlite"), "; ".join(dict.fromkeys(why))) if why else None
    except (errors.SqlglotError, RecursionError):
        return None


def _stays(tree: exp.Expr) -> bool:
    """Whether a statement means the same when it is written down again: of these functions sqlglot makes others."""
    from sqlglot import exp

    return not tree.find(exp.Concat, exp.ConcatWs, exp.DateDiff, exp.DateAdd, exp.DateSub, exp.Fetch)


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


def _sqlite(node: exp.Expr) -> exp.Expr | None:
    """What SQLite has for MONTH(day), EXTRACT, DATE_FORMAT, LEFT, ILIKE and `day::date`; None for all else."""
    from sqlglot import exp

    match node:
        case exp.Left() if isinstance(node.expression, exp.Literal):
            return _function("SUBSTR", node.this, exp.Literal.number(1), node.expression)
        case exp.ILike():
            return exp.Like(this=node.this, expression=node.expression)
        case exp.Cast() if node.to.this == exp.DataType.Type.DATE:
            return _function("DATE", node.this)
        case exp.Anonymous() if node.name.upper() == "DATE_FORMAT" and len(node.expressions) == 2:
            day, form = node.expressions
            text = form.name if form.is_string else ""
            if not _FORMATTED.fullmatch(text):
                return None
            return _function(
                "STRFTIME", exp.Literal.string(re.sub("%.", lambda one: _FORMATS.get(one[0], one[0]), text)), day
            )
        case exp.Extract():
            part, day = str(node.this).upper(), node.expression
        case exp.Year() | exp.Month() | exp.Day() | exp.Hour() | exp.Minute():
            part, day = type(node).__name__.upper(), node.this
        case _:
            return None
    if part not in _PARTS:
        return None
    bare = day.this if isinstance(day, exp.TsOrDsToDate | exp.TsOrDsToTimestamp) else day
    return exp.cast(_function("STRFTIME", exp.Literal.string(_PARTS[part]), bare), "int")


def _function(name: str, *args: exp.Expr) -> exp.Anonymous:
    from sqlglot import exp

    return exp.Anonymous(this=name, expressions=list(args))
