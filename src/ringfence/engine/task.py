"""What a task asks for, told by its words: to count or calculate, to act, or only to know. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_RECKONS = re.compile(
    r"\b(?:count|sum|total|altogether|together|average|mean|median|add|plus|minus|multiply|times|divide|difference|"
    r"how often|work out|calculate|compute|in all|"
    r"(?:most|least|fewest|highest|lowest|largest|smallest|longest|shortest|earliest|latest|first|last)"
    r"(?! (?:that )?(?:i|you|we|one|they|anyone|anybody|people) (?:may|can|could|must|should|have to)\b))\b",
    re.I,
)  # the most that one may is a rule, which is written somewhere
_COUNTS = re.compile(r"\b(how many|how often|number of|how much more|how many more)\b", re.I)
_APART = re.compile(r"\b(?:how (?:many|much) (?:more|less|fewer)\b.*\bthan|difference between)\b", re.I | re.S)
_SEVERAL = re.compile(
    r"(?:^|[.!?]\s+|\b(?:for|and|of|buy|want|need|with|take|get|have|each|all|to|are|would|will|do|does|must|can)\s+)"
    r"(?P<count>[2-9]|[1-9]\d{1,2})\s+"
    r"(?!per ?cent|euros?|dollars?|pounds|o'clock|am\b|pm\b|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)"
    r"[a-z]",
    re.I,
)  # 2 adults and 17 children: as many times a price
_PRICE = re.compile(r"\b(?:costs?|pay|prices?|owe|come to|charge)\b", re.I)
_PLACE = re.compile(r"\.[a-z]{2,5}\b|\b(?:logs?|tables?|folders?|files?|database|rows?|lines?|entries)\b|/", re.I)
_ACTS = re.compile(
    r"\b(?:(?:write|create|save|store|append|insert|edit|change|replace|correct|fix|update|rename|move|copy|delete|remove|undo|"
    r"send|post|reply|mail|email|message|notify|invite|share|book|schedule|cancel|pay|transfer|submit|upload|publish|"
    r"run|execute|start|stop|restart|call|fetch|download|request|apply|set)\b|add (?=an? |the |this |that |[\"'“‘`])"
    r"|(?<!has )(?<!have )(?<!had )(?<!was )(?<!were )(?<!been )(?<!who )(?<!be )"
    r"put (?!in |up |on |off |out )(?=[^.?!\n]{1,80}\b(?:in|into|on|to)\b))",
    re.I,
)
_KEPT = 2000  # characters of a task that is read once for all its steps
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
RUNS = frozenset(("run", "execute", "start", "call", "fetch", "download", "request"))  # a reading tool may as well
_QUESTION = re.compile(
    r"\s*(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have|had)\b", re.I
)


def reckons(task: str) -> bool:
    """Whether a task asks to count, compare or calculate: a passage that was looked up cannot answer it by itself.

    "How many" counts where the task says what to count in; else it may well be written somewhere.
    """
    counts = _COUNTS.search(task) is not None and _PLACE.search(task) is not None
    return counts or _RECKONS.search(task) is not None


def acts(task: str) -> bool:
    """Whether a task asks to change, send or run something: no answer does that by itself. Told by English words."""
    return bool(orders(task))


def orders(task: str) -> frozenset[str]:
    """The verbs by which a task asks to act, outside of its plain questions."""
    return _known_orders(task) if len(task) <= _KEPT else _known_orders.__wrapped__(task)


@lru_cache(maxsize=1024)
def _known_orders(task: str) -> frozenset[str]:
    sentences = (part for part in _SENTENCE.split(task) if not _QUESTION.match(part))
    return frozenset(verb.strip().casefold() for sentence in sentences for verb in _ACTS.findall(sentence))


def only_asks(task: str) -> bool:
    """Whether a task is a plain question, in English or with a question mark, that asks to change nothing."""
    question = task.rstrip().endswith(("?", "？", "؟")) or _QUESTION.match(task) is not None
    return question and not acts(task)


def apart(task: str) -> bool:
    """Whether a task asks how far two values are apart."""
    return _APART.search(task) is not None


def several(task: str) -> list[str]:
    """How many of each there are, where a task asks what several things cost."""
    return [match["count"] for match in _SEVERAL.finditer(task)] if _PRICE.search(task) else []
