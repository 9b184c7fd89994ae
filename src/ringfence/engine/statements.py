"""Names in a SELECT as its task has them. Pure.

Asked for the Plum jam that was sold, a small model asks for the Plum cinnamon jam of an example that it was shown.
"""

from __future__ import annotations

import re

_TEXTS = re.compile(r"'(?:[^']|'')*'")
_LEAST = 2  # words of a phrase that stands for a name
_LONGEST = 8  # words of a name that is looked at


def as_said(sql: str, task: str) -> str:
    """The statement with the name that a task has, for a text that has all of its words, in order, and others within.

    The task's own words are the user's; where there is no such row, the result says so.
    """
    said = task.casefold()

    def meant(match: re.Match[str]) -> str:
        text = match[0][1:-1]
        words = text.split()
        if text.casefold() in said or not _LEAST < len(words) <= _LONGEST:
            return match[0]
        for n in range(1, len(words) - 1):  # the first word and the last one stay
            for end in range(n + 1, len(words)):
                fewer = " ".join([*words[:n], *words[end:]])
                at = said.find(fewer.casefold())
                if at >= 0:
                    return f"'{task[at : at + len(fewer)]}'"
        return match[0]

    return _TEXTS.sub(meant, sql)
