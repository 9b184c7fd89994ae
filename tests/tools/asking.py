"""Ask a tool of the `sql` family, as a run does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.tools.tool import Tool

Query = Callable[..., Any]


async def ask(tool: Tool, sql: str = "", *params: str) -> Any:
    args = tool.spec.check({"sql": sql, "params": list(params)})
    value = (await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))).value
    canonical(value)  # whatever a tool answers has to fit in the journal
    return value
