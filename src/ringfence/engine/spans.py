"""Which end of a span of time an answer takes, `14:00 - 16:30`, where its task asks for the other one. Pure.

Asked when a practice closes on Friday afternoon, a small model says 14:00, and says so again.
"""

from __future__ import annotations

import re

from ringfence.core.turn import Turn

from .nearest import shown_lines, stems
from .task import PASTED, questions
from .visits import WEEKDAY

_TIME = r"(?<![\d:.-])\d{1,2}:\d\d(?![\d:])"
_SPAN = re.compile(rf"({_TIME})\s*(?:-|–|—|to|until|till|bis)\s*({_TIME})", re.I)
_OF_IT = r"(?:(?!\b(?:that|which|who|after|before|until)\b)[^,.?;]){1,60}?"
_ASKED = (
    r"\b(?:what time|when) (?:does|do|did|will) "
    + _OF_IT
    + r"\b(?:VERB)\b(?= (?:on|in|at|this|today|during)\b|[,.?;]|$)"
)
_ENDS = re.compile(_ASKED.replace("VERB", "close|end|finish") + r"|\b(?:until|till) when\b|\bbis wann\b", re.I)
_BEGINS = re.compile(_ASKED.replace("VERB", "open|start|begin") + r"|\b(?:from when|ab wann)\b", re.I)
_BESIDE = re.compile(  # a span of something else than what begins and ends
    r"\b(?:closed|breaks?|lunch|admission|doors|except\w*|pause\w*|geschlossen|einlass)\b", re.I
)
_CLAUSE = re.compile(r"[^.|;\n]*\Z")  # what stands before a span
_OPEN = re.compile(
    rf"\b(?:{WEEKDAY}|day|daily|mornings?|afternoons?|evenings?|open|opening|hours?|from|weekends?)\b", re.I
)


def other_end(answer: str, turn: Turn) -> str:
    """The answer with the end of a span for its beginning, or the other way round, where its one time stands in a span
    of a line about the task, of the day that it names if it names one, and nowhere else, and the task asks for the
    other end; else as it is.
    """
    task = str(turn.start["task"])
    asking, times = questions(task) or task, re.findall(_TIME, answer)
    ends = _ENDS.search(asking) is not None
    if len(task) > PASTED or len(times) != 1 or ends == (_BEGINS.search(asking) is not None):
        return answer
    shown = shown_lines(turn)
    if any(times[0] in re.findall(_TIME, _SPAN.sub(" ", line)) for line in shown):
        return answer
    days = {day.casefold() for day in re.findall(rf"\b{WEEKDAY}", task, re.I)}
    asked = set(stems(asking))
    about = [
        line
        for line in shown
        if all(day in line.casefold() for day in days) and asked & set(stems(line)) and not _BESIDE.search(line)
    ]
    spans = {
        found.groups()
        for line in about
        for found in _SPAN.finditer(line)
        if asked.issuperset(stems(_OPEN.sub(" ", _CLAUSE.findall(line[: found.start()])[0])))  # a preview of the sale
    }
    right = {end if ends else start for start, end in spans if (start if ends else end) == times[0]}
    said = any((end if ends else start) == times[0] for start, end in spans)
    return answer.replace(times[0], right.pop()) if len(right) == 1 and not said else answer
