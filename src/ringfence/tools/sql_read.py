"""A statement as a tree, for those who look at what it means. Pure; sqlglot is loaded when it is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
_FENCE = re.compile(r"\s*```\w*\s*\n(.*?)\n?\s*```\s*", re.S)  # as a model shows a statement
MAX_CHARS = 2_000  # of a statement that is read


def parsed(sql: str, dialect: str) -> exp.Expr | None:
    """The tree of a statement; None of one that is too long or cannot be read, and where the library is not there."""
    if len(sql) > MAX_CHARS:
        return None
    try:
        from sqlglot import errors, parse_one
    except ImportError:
        return None
    try:
        return parse_one(sql, read=dialect)
    except (errors.SqlglotError, RecursionError):
        return None


def unfenced(sql: object) -> object:
    """A statement without the fence that a model puts around it."""
    found = _FENCE.fullmatch(sql) if isinstance(sql, str) else None
    return found[1] if found else sql


def uncommented(sql: str) -> str:
    """What stands behind a statement, without comments."""
    return _COMMENT.sub("", sql)
