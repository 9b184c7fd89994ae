"""A statement as a tree, for those who look at what it means. Pure; sqlglot is loaded when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

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
