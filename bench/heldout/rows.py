"""Rows of a table, as dicts."""

from __future__ import annotations

from typing import Any


def known(rows: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    """The row whose `key` is `value`; raises ValueError."""
    for row in rows:
        if row[key] == value:
            return row
    raise ValueError(f"there is no {key} {value}")
