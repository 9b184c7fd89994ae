"""Ask a tool of the `sql` family, as a run does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.tools import sql
from ringfence.tools.table_sql import select
from ringfence.tools.tabular import read_table, table_name
from ringfence.tools.tool import Tool

Query = Callable[..., Any]


async def ask(tool: Tool, statement: str = "", *params: str) -> Any:
    args = tool.spec.check({"sql": statement, "params": list(params)})
    value = (await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))).value
    canonical(value)  # whatever a tool answers has to fit in the journal
    return value


def ask_text(text: str, statement: str, *, path: str = "t.csv") -> Any:
    """What `csv.sql` says of a text that stands in a file."""
    bounds = sql.Bounds(sql.MAX_ROWS, 4_000, time.monotonic() + 5)
    result = select({table_name(path): read_table(path, text, seconds=5)}, statement, bounds)
    canonical(result)
    return result


def cells(result: dict[str, Any]) -> list[list[Any]]:
    """The rows of a result, as lists."""
    return [list(row.values()) for row in result["rows"]]
