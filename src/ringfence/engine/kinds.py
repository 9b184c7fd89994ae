"""Whether an answer is of the kind that its task asks for by name: a mail address, a telephone number. Pure.

Asked for the e-mail address of a firm that has none, a small model gives its telephone number.
"""

from __future__ import annotations

import re

from .task import PASTED

_WANTS = (
    r"\b(?:what is|what's|what are|need|find|give me|tell me|look up|want|looking for) "
    r"(?:the|their|its|his|her|our|an?) (?:[^\W\d_]+ )?"
)
_MAIL = re.compile(_WANTS + r"(?:e-?mail|mail) address\b(?!es)", re.I)
_PHONE = re.compile(_WANTS + r"(?:(?:tele)?phone|mobile|fax) number\b(?!s)", re.I)
_MORE = re.compile(
    r"[@\d]|\b(?:and|or|if|whether|how many|count|send|write|mail (?:to|it))\b", re.I
)  # that is said or asked
_NONE = re.compile(
    r"\b(?:no|not|none|nobody|never|only|without|unknown|unlisted|lacks?|missing|kein\w*|nicht|nur|unbekannt)\b|n['’]t\b",
    re.I,
)
_FIGURES = 3  # digits of a telephone number, at least


def of_another_kind(answer: str, task: str) -> str:
    """What an answer is not and should be, in words for the model; empty if nothing of the kind is asked for, or it
    is.
    """
    if len(task) > PASTED or _NONE.search(answer) or _MORE.search(task):
        return ""
    if _MAIL.search(task) and "@" not in answer:
        return "That is no e-mail address."
    if _PHONE.search(task) and sum(map(str.isdigit, answer)) < _FIGURES:
        return "That is no telephone number."
    return ""
