"""Conditions on what a table has no column for, since another place says of whom it holds. Pure.

Asked how often the boat was hired that a notice says is laid up, a small model has read the notice, and asks the table
of the hires for `status = 'laid up'`. Told that there is no such column, it says the same again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .conditions import spoken_of, words_in
from .nearest import brought, lines, listed
from .ranked import fields
from .relevance import COMMON
from .statements import with_conditions
from .task import PASTED, sentences

_CONDITION = re.compile(
    r"(?:\w+\.)?[\"`\[]?(?P<column>\w+)[\"`\]]?\s*(?:==?\s*'(?P<text>[^']{3,60})'|is\s+(?:not\s+)?null)", re.I
)
_KIND = re.compile(r"((?:[^,(]|\([^)]*\))+)(?:, |\Z)")  # of columns: date, text ('a', 'b'), number
_VALUES = re.compile(r"'((?:[^']|'')*)'")
_DENIES = re.compile(r"\b(?:not|no|never|without|still|yet|un\w+|open|missing)\b|n't\b", re.I)
_NAME = re.compile(r"(?<![\w-])[A-ZÄÖÜ][a-zäöüß]{2,}(?:[ -][A-ZÄÖÜ][a-zäöüß]{2,})*(?![\w-])")


def as_said_elsewhere(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a statement, without a condition that no row can meet and that another place says of the one
    whom it asks for; where no column of its files is a condition's, with the one name that place says it of, in the one
    column that the task speaks of, and without a condition on whether a column is empty of a table that it does not.
    """
    sql, task = args.get("sql"), str(turn.start["task"])
    own, others = _columns(args, turn) if isinstance(sql, str) and len(task) <= PASTED else ({}, {})
    if not isinstance(sql, str) or not own:
        return args
    said, files = words_in(task), "path" in args
    of_task = [column for column in own if spoken_of(column, said)]
    texts = {match["text"] for match in _CONDITION.finditer(sql) if match["text"]}

    def become(condition: str) -> str:
        found = _CONDITION.fullmatch(condition)
        column, text = (found["column"].casefold(), found["text"]) if found else ("", "")
        if not column or (text and text.casefold() not in task.casefold()):
            return condition
        if column in own:
            name = _of_whom(text, turn) if text and own[column] and text not in own[column] else ""
            return "" if name in texts else condition
        if text is None:
            alien = files and others.get(column) and not any(spoken_of(one, said) for one in (column, *others[column]))
            return "" if alien and not _DENIES.search(task) else condition
        name = _of_whom(text, turn) if files and len(of_task) == 1 else ""
        there = name and (not own[of_task[0]] or name in own[of_task[0]])
        return f"{of_task[0]} = '{name}'" if there else condition

    return {**args, "sql": with_conditions(sql, become)}


def _columns(args: Mapping[str, JSON], turn: Turn) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """The columns of the tables that a call asks, where all of its files were shown, each with all of its values where
    they were; and those of all other tables, with what these are called.
    """
    also = args.get("also")
    paths = {str(one) for one in (args.get("path"), *(also if isinstance(also, list | tuple) else ())) if one}
    known, own, others = set[str](), dict[str, list[str]](), dict[str, set[str]]()
    for key in ("files", "tables"):
        for _, one in listed(turn, key):
            shown = one.get("columns")
            names = list(map(str, shown)) if isinstance(shown, list) else []
            kinds = _KIND.findall(str(one.get("of", ""))) if key == "files" else names
            if one.get("path") in paths if key == "files" else not paths:
                known.add(str(one.get("path")))
                for n, name in enumerate(names):
                    values = _VALUES.findall(kinds[n]) if n < len(kinds) and "..." not in kinds[n] else []
                    own.setdefault(name.partition(" ")[0].casefold(), []).extend(values)
            else:
                for name in names:
                    others.setdefault(name.partition(" ")[0].casefold(), set()).add(str(one.get("table", "")))
    return (own if known == paths or not paths else {}), others


def _of_whom(text: str, turn: Turn) -> str:
    """The one name of the one sentence or row that calls have brought that says a text; empty where there are more."""
    told = {one for value in brought(turn) for line in lines(value) for one in sentences(line)}
    saying = [one for one in told if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", one, re.I)]
    if len(saying) != 1:
        return ""
    row = list(fields(saying[0]).values())
    names = {name.removeprefix("The ") for name in _NAME.findall(row[0] if row else saying[0])}
    names = {name for name in names if name.casefold() not in COMMON and name.casefold() not in MONTHS}
    return names.pop() if len(names) == 1 else ""
