"""A name in a SELECT as its task has it. Pure.

Asked for the Plum jam that was sold, a small model asks for the Plum cinnamon jam of an example that it was shown.
"""

from __future__ import annotations

import re

from .conditions import LEAVES_OUT

_TEXTS = re.compile(r"'(?:[^']|'')*'")
_NAME = re.compile(r"[A-ZÄÖÜ][\w-]*(?: [\w-]+){2,7}")  # of three words and more
_WITHIN = re.compile(r"[a-zäöüß]{4,}")  # a word that tells it from the shorter name: `cinnamon`, and no `of`
_DENIES = re.compile(r"<>|!=|\bnot\b|\bin\s*\(", re.I)


def as_said(sql: str, task: str) -> str:
    """The statement with the name that a task has, for its one text that has all of its words, in order, and one more
    within. The task's own words are the user's; where there is no such row, the result says so.
    """
    found = [(match, said) for match in _TEXTS.finditer(sql) if (said := _said(match[0][1:-1], task))]
    if len(found) != 1 or _DENIES.search(sql) or LEAVES_OUT.search(task):
        return sql
    ((match, said),) = found
    return f"{sql[: match.start()]}'{said}'{sql[match.end() :]}"


def _said(text: str, task: str) -> str:
    words = text.split()
    if not _NAME.fullmatch(text) or re.search(rf"(?<!\w){re.escape(text)}(?!\w)", task, re.I):
        return ""
    for n in range(1, len(words) - 1):  # the first word and the last one stay
        fewer = re.escape(" ".join([*words[:n], *words[n + 1 :]]))
        if _WITHIN.fullmatch(words[n]) and (match := re.search(rf"(?<!\w){fewer}(?!\w)", task, re.I)):
            return match[0]
    return ""
