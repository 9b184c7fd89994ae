"""The line that an answer overlooks which finds nothing. Pure: decided by the record.

Asked who has the key to the drama cupboard, a small model that is shown "Drama cupboard: Hennig" says that no one has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from ringfence.core.turn import Turn

from .evidence import Numbers
from .nearest import brought, closest, lines, opened, stems
from .silence import abstains
from .task import PASTED, questions, reckons
from .visits import TABLES, TELLS
from .words import LEAVES_OUT

_DENIES = re.compile(
    r"\W*(?:no ?(?:one|body)\b|none\b|there (?:is|are|was|were) no\b|no \w+|niemand\b|kein\w*\b)", re.I
)
_FIGURES = re.compile(r"\b(?:numbers?|(?:tele)?phone|mobile|fax|extension|e-?mail|telefon\w*|durchwahl)\b", re.I)
_WH = re.compile(r"\b(?:who|whose|what|which|when|where|how|wer|wessen|was|welche\w*|wann|wo|wie)\b", re.I)
_NOTHING = re.compile(r"\b(?:no|not|none|never|nothing|free|waived|kein\w*|nicht|frei)\b|n't\b", re.I)
_LABELLED = re.compile(r"\W*([^\W\d_][^:|;\n]{2,60}?)\s*(?::|\||\s[-–—])\s+(\S.{0,120})")
_LINES, _SHOWN = 2_000, 240  # lines that are looked at, and characters of one that is told
_NOW = re.compile(
    r"\b(?:now|today|current(?:ly)?|valid|at present|at the moment|nowadays|these days|heute|jetzt|aktuell\w*)\b", re.I
)
_UPDATE = re.compile(  # what says that something is otherwise by now
    r"\b(?:now|from (?:now|today|\d)|from (?:the )?[A-Z][a-z]+ (?:\d|on(?:wards?)?\b)|as of|no longer|instead|"
    r"replac\w+|corrected?|changed?|raised|lowered|ab (?:dem|sofort|\d)|nicht mehr)\b",
    re.I,
)
_HIGHEST = re.compile(r"\b(?:longest|highest|largest|biggest|greatest|most|maximum)\b", re.I)
_LOWEST = re.compile(r"\b(?:shortest|lowest|smallest|least|fewest|minimum)\b", re.I)
_ENDS = re.compile(
    r"lowest (?P<low>[\d.,]+) (?P<first>\(.*?\)), highest (?P<high>[\d.,]+) (?P<at>\(.*?\))(?:, average|, sum|$)"
)
_ALL = re.compile(  # something else than the one end, or that of some of them
    r"\d|\b(?:totals?|in all|altogether|sum|averages?|each|per|every|together|how often|how many times|second|third|"
    r"next|above|below|over|under|than|when|(?:which|what) (?:day|date|month|year))\b|" + LEAVES_OUT.pattern,
    re.I,
)
_OTHERWISE = re.compile(r"\b(?:how many (?!times\b)|different|distinct|each|every|list)\b", re.I)
_TO_COME = re.compile(r"\b(?:will|wird|werden)\b", re.I)
_HOW_OFTEN, _ROWS = re.compile(r"\bhow (?:often|many times)\b", re.I), re.compile(r"(\d+) rows")
_ONCE_EACH = re.compile(r"each is shown once: (\d+) rows\b")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")


def overlooked(answer: str, turn: Turn) -> str:
    """The one line with a label that is all of words of the task, where an answer finds nothing or denies it, and
    that line has neither a word of the answer nor a denial of its own; else empty.
    """
    task = str(turn.start["task"])
    said_no = abstains(answer) or _DENIES.match(answer)
    if len(task) > PASTED or not said_no or LEAVES_OUT.search(task) or not _WH.search(task):
        return ""
    asked, said = frozenset(stems(task)), _words(answer)
    found = {line: match for line in _lines(turn) if (match := _LABELLED.fullmatch(line)) and _is_of(match[1], asked)}
    if len(found) != 1:
        return ""
    line, match = found.popitem()
    agrees = not said.isdisjoint(_words(match[2])) or _NOTHING.search(match[2])
    return "" if agrees or (_FIGURES.search(task) and not re.search(r"\d|@", match[2])) else line


def outdone(answer: str, turn: Turn) -> str:
    """The highest or the lowest number of a field, and where it stands, as the last call tells of all that it found,
    where the task speaks of that field and asks for this end, and the answer has another number; else empty.

    A small model that is shown the first lines takes the first one.
    """
    task, last = str(turn.start["task"]), next(reversed(brought(turn)), None)
    asking = questions(task) or task
    high, low = _HIGHEST.search(asking), _LOWEST.search(asking)
    if not isinstance(last, Mapping) or (high is None) == (low is None) or _ALL.search(asking) or abstains(answer):
        return ""
    asked, numbers = set(stems(asking)), Numbers(answer)
    for name, told in last.items():
        field, of, _ = name.partition(" of ")
        ends = _ENDS.match(str(told)) if of and asked.intersection(stems(field)) else None
        end, at = (ends["high"], ends["at"]) if ends and high else (ends["low"], ends["first"]) if ends else ("", "")
        if end and numbers.values and not numbers.have(end):
            return f"{field} {end} {at}"[:_SHOWN]
    return ""


def superseded(answer: str, turn: Turn) -> str:
    """The one line closest to the task, where it says what is so by now, and the one number of an answer is of an
    older line; else empty. The tool that found the passages says which line is closest.
    """
    task = str(turn.start["task"])
    leaves_out = LEAVES_OUT.search(questions(task) or task)  # and not how to answer: with nothing but the time
    if len(task) > PASTED or brought(turn) or not _NOW.search(task) or leaves_out or reckons(task):
        return ""
    told = closest(turn)
    figures = _FIGURE.findall(answer)
    if len(told) != 1 or len(figures) != 1 or not _UPDATE.search(told[0]) or not _FIGURE.search(told[0]):
        return ""
    asked = frozenset(stems(task))
    older = [line for line in _lines(turn) if Numbers(line).have(figures[0]) and line != told[0]]
    about = any(len(asked.intersection(stems(line))) > 0 for line in older)
    return told[0][:_SHOWN] if about and not Numbers(told[0]).have(figures[0]) else ""


def as_of_now(answer: str, turn: Turn) -> str:
    """The answer with the one figure of that kind that the closest line says is so by now, for that of an older one: of
    the same unit, or of the same verb before it, as the line has it that the older one is of.
    """
    if not (now := superseded(answer, turn)) or _TO_COME.search(now):
        return answer
    (old,) = _FIGURE.findall(answer)
    new = [figure for figure in _FIGURE.findall(now) if shape(figure) == shape(old)]
    beside = {word for line in _lines(turn) if line != now for word in _beside(line, old)}
    same = len(new) == 1 and not beside.isdisjoint(_beside(now, new[0]))
    return answer.replace(old, new[0]) if same else answer


def _beside(line: str, figure: str) -> set[str]:
    """The unit of a figure in a line, and the words before it: of `83 euros`, `in euros: 83`, `it starts at 11:50`."""
    words = r"[^\W\d_]+"
    found = re.search(
        rf"(?P<before>(?:{words}\W+){{0,3}})(?<!\d){re.escape(figure)}(?![\d.,:]*\d)\W{{0,2}}(?P<unit>{words})?", line
    )
    if not found:
        return set()
    return {*stems(found["before"]), *stems(found["unit"] or "")}


def happened(answer: str, turn: Turn) -> tuple[str, str]:
    """How many different values the last call has shown, once each, where the task asks how often something was and an
    answer gives that number; and how many rows have them. Else two empty texts.
    """
    last = next(reversed(brought(turn)), None)
    task = str(turn.start["task"])
    if not isinstance(last, Mapping) or not _HOW_OFTEN.search(task) or _OTHERWISE.search(task):
        return "", ""
    shown, every = _ROWS.fullmatch(str(last.get("matched", ""))), _ONCE_EACH.search(str(last.get("note", "")))
    said = Numbers(answer)
    return (shown[1], every[1]) if shown and every and said.have(shown[1]) and not said.have(every[1]) else ("", "")


def shape(token: str) -> str:
    """A token with all figures and letters alike: A-999."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", token))


def _words(text: str) -> set[str]:
    return {*stems(text), *re.findall(r"\d+", text)}


def _is_of(label: str, asked: frozenset[str]) -> bool:
    words = set(stems(label))
    return len(words) >= TELLS and words <= asked


def _lines(turn: Turn) -> Iterator[str]:
    """Of the passages that opened the run, but for tables, and of what the model's calls brought."""
    shown = [str(one.get("text", "")) for one in opened(turn) if not str(one.get("path", "")).endswith(TABLES)]
    for value in [*shown, *brought(turn)]:
        yield from map(str.strip, islice(lines(value), _LINES))
