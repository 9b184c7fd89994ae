"""Whether an answer is of the kind that its task asks for by name: a mail address, a telephone number. Pure.

Asked for the e-mail address of a firm that has none, a small model gives its telephone number.
"""

from __future__ import annotations

import re

from .task import PASTED

_MAIL = re.compile(r"\b(?:e-?mail|mail) address\b(?!es)|\bwhat is (?:the|their|its|his|her) e-?mail\b", re.I)
_PHONE = re.compile(r"\b(?:(?:tele)?phone|mobile|fax) number\b(?!s)", re.I)
_ASKS = re.compile(r"\b(?:what|which|need|give|tell|find|look up|want)\b", re.I)
_BESIDE = re.compile(r"\b(?:and|or|if|whether|how many|count|send|write|mail (?:to|it))\b", re.I)  # more is asked
_NONE = re.compile(r"\b(?:no|not|none|nobody|never|only|without|kein\w*|nicht|nur)\b|n't\b", re.I)
_FIGURES = 4  # digits of a telephone number, at least


def of_another_kind(answer: str, task: str) -> str:
    """What an answer is not and should be, in words for the model; empty if nothing of the kind is asked for, or it
    is.
    """
    if len(task) > PASTED or _NONE.search(answer) or not _ASKS.search(task) or _BESIDE.search(task):
        return ""
    if _MAIL.search(task) and "@" not in answer:
        return "That is no e-mail address."
    if _PHONE.search(task) and sum(map(str.isdigit, answer)) < _FIGURES:
        return "That is no telephone number."
    return ""
