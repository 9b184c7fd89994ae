"""Whether a query's conditions are those of its task. Pure: decided by the record.

A small model adds `paid = no` to a question about everybody, and leaves out the two months that it was to compare.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ringfence.core.chain import Record
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .evidence import in_iso
from .folds import folded
from .visits import months, whole

_WORD, _LETTERS = re.compile(r"[^\W_]+"), re.compile(r"[^\W\d_]{3,}")
_STEM = 5  # characters by which a column's name is a word of the task: amount_eur and amounts
_LEAVES_OUT = re.compile(
    r"\b(?:not|no|never|none|without|others?|else|except|excluding|but|different|yet|empty|missing|un\w+|"
    r"nicht|kein\w*|ohne|außer|andere\w*|leer|fehl\w+)\b|n't\b",
    re.I,
)


def unasked(args: Mapping[str, JSON], turn: Turn, said: str) -> str:
    """What is wrong with a condition, in words for the model; empty if nothing is.

    Its column or its value has to stand in the task, in what was `said` before, in a result of a call that the model
    chose, or in a passage that it was shown. And what a task names it does not leave out, unless it says so.
    """
    if not (conditions := list(_conditions(args))):
        return ""
    task = str(turn.start["task"])
    own = _words(f"{said}\n{task}") | months(f"{said}\n{task}").keys()
    told = folded(turn, _Told).words()
    for where in conditions:
        column, op, value = (str(where[key]).strip() for key in ("column", "op", "value"))
        missing = not value and _LEAVES_OUT.search(task)
        if not (missing or any(_names(column, words) or _tells(value, words) for words in (own, told))):
            return f"nothing asks for {column} {op} {value}: leave that condition out"
        if op == "!=" and value and not _LEAVES_OUT.search(task) and _tells(value, own):
            return f"the task leaves nothing out: not {column} != {value}, but =, and one value in a call"
    return ""


def _conditions(args: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    for value in args.values():
        for item in value if isinstance(value, list | tuple) else ():
            if isinstance(item, dict) and item.keys() >= {"column", "op", "value"}:
                yield item


def _words(text: str) -> set[str]:
    return set(_WORD.findall(in_iso(text).casefold()))


def _names(column: str, words: Collection[str]) -> bool:
    """Whether one of the words of a column's name is among them, however it is inflected."""
    stems = tuple(part.removesuffix("s")[:_STEM] for part in _LETTERS.findall(column.casefold()))
    return any(word.startswith(stems) for word in words)


def _tells(value: str, words: Collection[str]) -> bool:
    """Whether a part of a value is among them, or the month that it is of."""
    whole = value.casefold()
    return whole[:7] in words or any(word in words for word in _WORD.findall(whole))


class _Told:
    """The words of what was said to calls of the model, and of passages that are no mere samples."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._unread: list[str] = []

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is None or "prompt" in intent.body or not record.view.get("ok"):
            return
        value = record.body.get("value")
        if intent.body.get("call", -1) >= 0:
            self._unread.append(str(value))
        else:
            self._unread += (str(passage.get("text", "")) for passage in whole(value))

    def words(self) -> set[str]:
        """All of them; read when they are asked for first."""
        while self._unread:
            self._words |= _words(self._unread.pop())
        return self._words
