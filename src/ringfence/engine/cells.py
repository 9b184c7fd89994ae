"""Values of a table that a task names, and a query leaves out. Pure: decided by the record.

A small model that is asked for the painting jobs that are open asks for all that are open. That `painting` is a value
is told by the sample of the table that the run began with; which column has it, the tool knows (`x-any`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .conditions import COMPARES, MOST, is_one, takes_any
from .nearest import opened
from .task import PASTED
from .visits import TABLES
from .words import LEAVES_OUT

_VALUE = re.compile(r"[^\W\d_]{4,}(?:[ -][^\W\d_]{2,})?")
_OF = (  # count the open painting jobs
    r"\b(?:count|how many|number of|list|show|total of|sum of|amounts? of)\s+(?:(?:the|all|our|my|open)\s+){{0,3}}"
    r"{value}\s+(?!ones\b)[a-z]{{2,}}s\b|"
    r"^\W*who(?:'s| is| was) (?:on|doing) (?:the )?{value}\b"
)
_MORE = re.compile(r"[.?!;]\s+\S|\b(?:and|or|und|oder|most|least|fewest|\w{3,}est)\b|,\s", re.I)
_EMPTY = (
    r"\b{name}(?: (?:column|cell|field))?(?: in \S{{1,60}})? (?:is|are|stays?|remains?)"
    r" (?:still |left )?(?:empty|blank|missing|null|unset)\b"
)
_NONE = (  # no back_on = not back; for which no date of payment (paid_on) has been entered
    r"\b(?:no|without(?: an?)?) {name}\b(?! column)|"
    r"\b(?:no|without(?: an?)?|sem|sin|sans|senza|ohne|keine?n?|zonder|geen) "
    r"(?:(?!and |or |und |oder |e |y |et )[^.?!,;()\s]{{1,30}} ){{1,6}}"
    r"(?:\({name}\)|(?:[^\W\d_]{{1,5}} ){{0,2}}(?:column|coluna|columna|colonn[ea]|spalte|kolom) {name}\b)"
)
_THE_CASE = re.compile(r"\b(?:is (?:this|that|it)|(?:this|that) is) (?:the case|so)\b", re.I)
_ASKS = re.compile(r"\s*(?:is|are|was|were|has|have|had|does?|did|when)\b", re.I)


def named(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a query, with the one value of a column by which a task tells what it counts or lists, if no
    condition asks for it.

    Only of a task of one clause: who asks, says more or compares may mean something else by that word.
    """
    task, wheres = str(turn.start["task"]), args.get("where")
    if not isinstance(wheres, list | tuple) or len(wheres) >= MOST or len(task) > PASTED or not takes_any(spec):
        return args
    said = task.replace(str(args.get("path", "")), "").strip()  # where it stands is no more to say
    if any(rule.search(said) for rule in (COMPARES, LEAVES_OUT, _MORE)) or _ASKS.match(task):
        return args
    asked = [where for where in wheres if isinstance(where, dict) and is_one(where)]
    columns = {str(where["column"]).strip().casefold() for where in asked}
    columns.update(name.strip().casefold() for name in str(args.get("group_by", "")).split(","))
    known = " ".join(str(where["value"]) for where in asked).casefold()
    by_column: dict[str, set[str]] = {}
    for column, value in _cells(turn, str(args.get("path", ""))):
        by_column.setdefault(column.casefold(), set())
        if _VALUE.fullmatch(value) and re.search(_OF.format(value=re.escape(value)), task, re.I):
            by_column[column.casefold()].add(value)
    one_each = [(column, *values) for column, values in by_column.items() if len(values) == 1]
    left_out = [
        value
        for column, value in one_each
        if column not in columns and value.casefold() not in known and value.casefold() not in by_column
    ]
    if len(left_out) != 1 or "*" in columns:
        return args
    return {**args, "where": [*wheres, {"column": "*", "op": "=", "value": left_out[0]}]}


def emptied(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a query, with the one column that a task says to be empty, where it asks for what is not so.

    "Which loans have not come back? As long as they are out, returned is empty."
    """
    task, wheres, path = str(turn.start["task"]), args.get("where"), str(args.get("path", ""))
    if not isinstance(wheres, list | tuple) or len(wheres) >= MOST or len(task) > PASTED or not takes_any(spec):
        return args
    heads = {str(one.get("text", "")).partition("\n")[0] for one in opened(turn) if one.get("path") == path}
    columns = re.split(r"[,;|\t]", heads.pop()) if len(heads) == 1 and path.endswith(TABLES) else []
    found = [(name, match, none) for name in columns for match, none in _said_empty(name, task)]
    if len(found) != 1:
        return args
    ((column, match, none),) = found
    rest = task[: match.start()] + task[match.end() :]
    own = [one for one in wheres if isinstance(one, dict) and str(one.get("column", "")).strip() == column]
    values = [str(one.get("value", "")).strip() for one in own]
    if not none and (any(values) or not (LEAVES_OUT.search(rest) or _THE_CASE.search(rest))):
        return args
    if any(value.casefold() not in rest.casefold() for value in values):  # that is no word of the task
        return args
    others = [one for one in wheres if one not in own]
    return {**args, "where": [*others, {"column": column, "op": "=", "value": ""}]}


def _said_empty(column: str, task: str) -> list[tuple[re.Match[str], bool]]:
    """Where a task says that a column is empty, or that there is none of it; the latter of a name with `_` alone."""
    name = re.escape(column)
    empty = re.search(_EMPTY.format(name=name), task, re.I) if column else None
    none = re.search(_NONE.format(name=name), task, re.I) if "_" in column else None
    return [(empty, False)] if empty else [(none, True)] if none else []


def _cells(turn: Turn, path: str) -> Iterator[tuple[str, str]]:
    """The columns and values of the rows that the samples of a table show."""
    samples = (one for one in opened(turn) if one.get("path") == path and "note" in one)
    for one in samples if path.endswith(TABLES) else ():
        lines = str(one.get("text", "")).split("\n")
        rows = csv.reader(lines, delimiter=max(",;\t|", key=lines[0].count))
        with suppress(csv.Error):
            columns = next(rows, [])
            yield from (cell for row in rows if len(row) == len(columns) for cell in zip(columns, row, strict=True))
