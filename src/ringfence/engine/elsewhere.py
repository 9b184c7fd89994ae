"""Conditions on what a table has no column for, since another place says of whom it holds. Pure.

Asked how often the boat was hired that a notice says is laid up, a small model has read the notice, and asks the table
of the hires for `status = 'laid up'`. Told that there is no such column, it says the same again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .conditions import spoken_of, words_in
from .nearest import brought, lines, listed
from .relevance import COMMON
from .statements import with_conditions
from .task import PASTED, sentences

_CONDITION = re.compile(
    r"(?:\w+\.)?[\"`\[]?(?P<column>\w+)[\"`\]]?\s*(?:==?\s*'(?P<text>[^']{3,60})'|is\s+(?:not\s+)?null)", re.I
)
_NAME = re.compile(r"(?<![\w-])[A-ZÄÖÜ][a-zäöüß]{2,}(?:[ -][A-ZÄÖÜ][a-zäöüß]{2,})*(?![\w-])")


def as_said_elsewhere(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a statement about files, with the one name of the sentence that says what a condition asks for,
    in the one column that the task speaks of, where no column of these files is the condition's; without a condition
    on whether a column of another table is empty, which the task does not speak of.
    """
    sql, task = args.get("sql"), str(turn.start["task"])
    columns, others = _columns(args, turn)
    if not isinstance(sql, str) or not columns or len(task) > PASTED:
        return args
    said = words_in(task)
    of_task = [column for column in columns if spoken_of(column, said)]

    def become(condition: str) -> str:
        found = _CONDITION.fullmatch(condition)
        if found is None or found["column"].casefold() in columns:
            return condition
        if (text := found["text"]) is None:
            alien = found["column"].casefold() in others and not spoken_of(found["column"], said)
            return "" if alien else condition
        name = _of_whom(text, turn) if text.casefold() in task.casefold() and len(of_task) == 1 else ""
        return f"{of_task[0]} = '{name}'" if name else condition

    return {**args, "sql": with_conditions(sql, become)}


def _columns(args: Mapping[str, JSON], turn: Turn) -> tuple[Collection[str], Collection[str]]:
    """The columns of the files that a call names, where all of them were shown, and those of all other tables."""
    also = args.get("also")
    paths = {str(one) for one in (args.get("path"), *(also if isinstance(also, list | tuple) else ())) if one}
    known, own, others = set[str](), dict[str, None](), set[str]()
    for key in ("files", "tables"):
        for _, one in listed(turn, key):
            shown = one.get("columns")
            names = [str(name).partition(" ")[0].casefold() for name in shown] if isinstance(shown, list) else []
            if one.get("path") in paths:
                known.add(str(one["path"]))
                own.update(dict.fromkeys(names))
            else:
                others.update(names)
    return (own if known == paths else ()), others


def _of_whom(text: str, turn: Turn) -> str:
    """The one name of the one sentence of what calls have brought that says a text; empty where there are more."""
    told = {one for value in brought(turn) for line in lines(value) for one in sentences(line)}
    saying = [one for one in told if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", one, re.I)]
    names = {name.removeprefix("The ") for one in saying for name in _NAME.findall(one)}
    names = {name for name in names if name.casefold() not in COMMON and name.casefold() not in MONTHS}
    return names.pop() if len(saying) == len(names) == 1 else ""
