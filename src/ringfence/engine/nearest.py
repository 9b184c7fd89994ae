"""Which line of a run's results is closest to its task, which row was named before, which only stands beside. Pure.

A small model that finds no words for an answer says the task again. The line is what it is shown then, and what the
user gets instead of an echo. And of many rows it takes their total.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .evidence import ISO_DAY, Numbers, in_iso
from .ranked import fields, of_the_last
from .relevance import COMMON, words
from .task import sentences
from .visits import TABLES, excerpts, hollow

_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
PATH = re.compile(r"(?<!\S)\S*/\S*")  # where a line stands is not what it says, nor a number to reckon with
_STEM = 5  # characters by which words are the same: jam and jammed, donation and donations
_RESULTS = 5  # the newest, that are read
_LINES = 2_000  # of one, that are looked at
_READ = 20_000  # characters of one
_CHARS = 240
_PRICES = 20  # numbers of a calculation that are looked at
PROPER = re.compile(  # Sports Arena, DW-2212; and not Error, which may begin a sentence
    r"(?<![\w.-])(?:[A-ZÄÖÜ][^\W\d_]+(?: [A-ZÄÖÜ][^\W\d_]+){1,3}|[A-Z]{1,6}-?\d{2,8})(?![\w-])"
)
_WORDS = re.compile(r"[^\W\d_]{4,}(?:[ _-][^\W\d_]+){0,2}")
_EXACT = re.compile(r"\d{1,2}:\d\d|(?:19|20)\d\d-\d\d-\d\d|[A-Z]{1,4}-?\d{1,6}")  # a time, a day, a code
_CODE = re.compile(r"(?=[^\d\s]*\d)(?=\w*[^\W\d_])\w+(?:-\w+)*")  # INV-01
_WHOLE = re.compile(r"\b(?:how many (?:full|whole|complete|entire)|wie ?viele (?:ganze|volle)\w?)\b", re.I)
_DENIES = re.compile(r"\b(?:not|no|never|except|without|other|but|than|nicht|kein\w*|ohne|außer|als)\b|n't\b", re.I)
_FRACTION = re.compile(r"\d{1,12}\.\d*[1-9]\d*")
_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_OF_NO_YEAR = re.compile(
    rf"(?<![\w.])(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?)?\b(?P<month>{_NAMES})\b(?:(?(day)|\.? "
    r"(?P<behind>\d{1,2})(?:st|nd|rd|th)?\b))(?!,? (?:19|20)\d\d)",
    re.I,
)
_RANGE = re.compile(
    r"\b(?:before|after|until|till|since|from|except|between|by|through|than|ab|bis|seit|vor|nach)\b[^.?!\n]{0,25}\Z",
    re.I,
)
_ON = re.compile(r" (?:on|onwards?)\b", re.I)
_COME_TO = re.compile(
    r"\b(?:add(?:ed|ing|s)? (?:\w+ )?up|sum(?:med)? up|in total|totals?|altogether|in all|overall|come[s]? to|sum of|"
    r"insgesamt|zusammen\w*|addier\w*)\b",
    re.I,
)
_OF_GROUPS = re.compile(
    r"\b(?:which|who|each|per|every|most|least|(?:high|low|larg|bigg|small|great|long|short|cheap|dear)est|row|line)\b",
    re.I,
)
_FIRST = re.compile(r"\b(?:first|earliest|oldest)\b", re.I)
_REFERS = re.compile(r"\b(?:that|this|these|those|its?|they|them|their|he|she|his|her|him|the same)\b", re.I)
_ODD = re.compile(
    r"[\"`“”„‘«»()\[\]{}<>!]|(?<!\w)['’]|['’](?!\w)|[^\x20-\x7e\u00a1-\u024f\u0370-\u1fff\u20ac\u3040-\ud7ff]"
)
_BRIDGE = 120  # characters of it
_HOW = ("ran", "mended")  # of a result: how it was come by
_MANY = 4  # rows, from which on the one that was named before is said once more


def nearest(turn: Turn) -> str:
    """The line that shares the most words with the task, the newest of them; "" where none shares any.

    Of what the model's own calls brought; as long as none has brought anything, of the passages that opened the run,
    but for those of tables: the names of columns are in every question about one. What was worked out last is the line.
    """
    results = brought(turn)
    if results and isinstance(last := results[-1], dict) and "result" in last:  # what was worked out answers the task
        return f"result: {last['result']}"[:_CHARS]
    task, sums = str(turn.start["task"]), come_to(turn)
    if len(sums) == 1:
        return sums[0][0]
    if results and (row := of_the_name("\n".join(lines(results[-1])), task)):
        return row
    asked = set(stems(task))
    best, most = "", 0
    shown = (one for one in opened(turn) if not str(one.get("path", "")).endswith(TABLES))
    results = results or [str(one.get("text", "")) for one in shown]
    for value in results[-_RESULTS:]:
        for line in lines(value):
            shared = len(asked.intersection(stems(line)))
            if shared >= max(most, 1):
                best, most = line, shared
    return best if len(best) <= _CHARS else f"{best[: _CHARS - 3]}..."


def bridge(turn: Turn, behind: Collection[str]) -> str:
    """The line that the places `behind` say of the task, for asking the next one about it; "" where there is not one
    alone, or the task does not speak of it again. Anybody may have written it: it is short, of one line, and unquoted.
    """
    task = str(turn.start["task"])
    if not _REFERS.search(task):
        return ""
    results = brought(turn)
    if results:
        last = results[-1]
        rows = last.get("rows") if isinstance(last, dict) else None
        line = "" if hollow(last) or (isinstance(rows, list) and len(rows) > 1) else nearest(turn)
    else:
        asked = set(stems(task))
        texts = (str(one.get("text", "")) for one in opened(turn) if one.get("path") in behind)
        told = [
            (len(asked.intersection(stems(line))), line)
            for line in lines("\n".join(texts) + "\n")
            if not line.startswith("#")  # a title says what it is about, and nothing of it
        ]
        best = max((shared for shared, _ in told), default=0)
        of_it = [line for shared, line in told if shared == best > 0]
        line = (of_it[0] if _FIRST.search(task) else of_it[-1]) if of_it else ""
    first = next(iter(line.strip().splitlines()), "")
    return " ".join(_ODD.sub(" ", first).split())[:_BRIDGE]


def come_to(turn: Turn) -> list[tuple[str, list[str], list[str]]]:
    """What all rows of the last result come to, where the task asks what they do: a line, their cells, sum and average,
    for each column that is added up.
    """
    last = next(reversed(brought(turn)), None)
    if not isinstance(last, dict) or not isinstance(rows := last.get("rows"), list):
        return []
    parts = [part for one in sentences(str(turn.start["task"])) for part in re.split(r"[,;:]\s", one)]
    if not any(_COME_TO.search(part) and not _OF_GROUPS.search(part) for part in parts):
        return []
    columns = columns if isinstance(columns := last.get("columns"), list) else []
    found = []
    for key, told in last.items():
        column, of, count = key.partition(" of all ")
        if of and count.endswith(" rows") and column in columns:
            cells = [str(cell) for row in rows if (cell := _cell(row, column, columns.index(column))) is not None]
            known = [part.partition(" ")[2] for part in str(told).split("; ")[:2]]
            found.append((f"{column} of all {count} together: {known[0]}", cells, known))
    return found


def _cell(row: JSON, column: str, at: int) -> JSON:
    """A cell of a row, by its column's name or place; a tool may have put anything there."""
    if isinstance(row, dict):
        return row.get(column)
    return row[at] if isinstance(row, list) and at < len(row) else None


def named_before(value: JSON, told: Collection[str], task: str = "") -> str:
    """The one row of many whose name is among the words of the task and of what was found before; else empty."""
    rows = value.get("rows", value.get("top")) if isinstance(value, dict) else None
    if not isinstance(rows, list) or len(rows) < _MANY:
        return ""
    cells = [
        list(map(str, row.values() if isinstance(row, dict) else row if isinstance(row, list) else ())) for row in rows
    ]
    codes = [row for row in cells if row and _CODE.fullmatch(row[0]) and re.search(rf"(?<!\w){row[0]}(?!\w)", task)]
    named = codes or [row for row in cells if row and (name := set(words(row[0]))) and name.issubset(told)]
    return ", ".join(named[0])[:_CHARS] if len(named) == 1 else ""


def named_rows(value: JSON, task: str) -> str:
    """The two or three of many rows by whose names a task asks for them, each name once; else empty.

    Asked how far two groups are apart, a small model takes the one that stands beside the one that it was to take.
    """
    rows = value.get("rows") if isinstance(value, dict) else None
    if not isinstance(rows, list) or len(rows) < _MANY or _DENIES.search(task.replace(" than ", " ")):
        return ""
    cells = [
        list(map(str, row.values() if isinstance(row, dict) else row if isinstance(row, list) else ())) for row in rows
    ]
    found = [
        row
        for row in cells
        if row and _WORDS.fullmatch(row[0]) and re.search(rf"(?<![\w-]){re.escape(row[0])}(?![\w-])", task, re.I)
    ]
    names = {row[0].casefold() for row in found}
    return "; ".join(", ".join(row) for row in found)[:_CHARS] if 1 < len(found) == len(names) <= 3 else ""


def singled_out(value: JSON, text: str, told: Collection[str], task: str) -> tuple[str, str]:
    """The one of many rows or lines of a result that is asked for, and by what it was told; "" where there is none."""
    if row := named_before(value, told, task):
        return "named before", row
    if line := of_the_day(text, task):
        return "of the day that is asked for", line
    if line := of_the_name(text, task):
        return "of the name that is asked for", line
    if line := of_the_last(text[:_READ], task):
        return "with what the task says, the one in that place", line[:_CHARS]
    return "with what the task says", of_the_value(text, task)


def between(value: JSON, task: str) -> str:
    """The whole numbers beside what was worked out, where a task asks for whole ones; else empty."""
    result = value.get("result") if isinstance(value, dict) else None
    if not isinstance(result, str | int | float) or not _WHOLE.search(task) or not _FRACTION.fullmatch(str(result)):
        return ""
    below = math.floor(float(result))
    return f"of whole ones: {below} are full by then, and number {below + 1} is the first that is more"


def sole(value: JSON) -> str:
    """The only row or line that a result has found; else empty."""
    found = value.get("rows", value.get("matches")) if isinstance(value, dict) else None
    if not isinstance(found, list) or len(found) != 1:
        return ""
    (one,) = found
    return ", ".join(map(str, one.values() if isinstance(one, dict) else one if isinstance(one, list) else [one]))


def of_it_elsewhere(line: str, others: Sequence[tuple[str, str]], task: str) -> str:
    """What another place says of the thing that a line is about, as `of Sports Arena, notes/roofs.md says: ...`.

    `others`: lines that opened the run, with their places. Only where a name that the line has and the task has not
    stands in one of them alone: asked who keeps the key of the roof that the line names, a small model takes another's.
    """
    asked, found = task.casefold(), dict[tuple[str, str], str]()
    for name in dict.fromkeys(PROPER.findall(line[:_CHARS])):
        known = name.casefold() in asked or name.casefold() in MONTHS
        having = [one for one in others if name in one[1] and one[1] not in line] if not known else []
        if len({text for _, text in having}) == 1:
            found.setdefault(having[0], name)
        elif having:
            return ""
    if len(found) != 1:
        return ""
    ((path, text), name), *_ = found.items()
    return f"of {name}, {path} says: {text[:_CHARS]}"


def of_the_day(text: str, task: str) -> str:
    """The one line of many that bears the day that a task names, with its year or without; else empty.

    A small model that is shown the rooms of twelve nights reads those of another night.
    """
    iso = in_iso(task)
    found = [*ISO_DAY.finditer(iso), *_OF_NO_YEAR.finditer(iso)]
    if any(_RANGE.search(iso[: match.start()]) or _ON.match(iso, match.end()) for match in found):
        return ""
    days = {match[0] if match.re is ISO_DAY else _day(match) for match in found}
    dated = [line.strip(" -") for line in text[:_READ].split("\n") if ISO_DAY.search(line)]
    named = [line for line in dated if any(day in line for day in days)]
    return named[0][:_CHARS] if len(named) == 1 and len(dated) >= _MANY and len(days) == 1 else ""


def of_the_name(text: str, task: str) -> str:
    """The one line of many of a page's table whose first cell, its name, is in the task; else empty."""
    told, found, many = set(words(task)), list[str](), 0
    for line in text[:_READ].split("\n"):
        cell, bar, _ = line.strip(" -|").partition(" | ")
        name = words(cell.partition(": ")[2] or cell)
        many += bool(bar)
        if bar and name and told.issuperset(name):
            found.append(line.strip(" -"))
    return found[0][:_CHARS] if len(found) == 1 and many >= _MANY else ""


def of_the_value(text: str, task: str) -> str:
    """The one line of many with fields, `name: value`, that has a value of words which the task says; else empty.

    Asked for the plant that is offline, a small model takes the one on standby, which stands before it.
    """
    if _DENIES.search(task):
        return ""
    asked, fielded, found = task.casefold(), 0, list[str]()
    for line in text[:_READ].split("\n"):
        if not (of := fields(line)):
            continue
        fielded += 1
        values = [value.casefold() for value in of.values() if _WORDS.fullmatch(value)]
        values += [value.casefold() for value in of.values() if _EXACT.fullmatch(value) and not _ranges(task, value)]
        if any(re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", asked) for value in values):
            found.append(line.strip().removeprefix("- "))
    return found[0][:_CHARS] if len(found) == 1 and fielded >= _MANY else ""


def _ranges(task: str, value: str) -> bool:
    """Whether a task speaks of what is before or after a value."""
    return any(_RANGE.search(task[: match.start()]) for match in re.finditer(re.escape(value), task, re.I))


def _day(match: re.Match[str]) -> str:
    """A day of no year, as it ends in ISO."""
    return f"-{MONTHS[match['month'].casefold()]:02}-{int(match['day'] or match['behind']):02}"


def beside(given: str, turn: Turn, *, besides: int) -> tuple[str, str] | None:
    """A number of a calculation and its line in a result, if the task says less of that line than of another number's.

    A small model adds the locker to the tickets, since it stands beside them. `besides`: so many numbers are needed.
    """
    task = str(turn.start["task"])
    asked, said = set(stems(task)), Numbers(task)
    shown = [line for value in brought(turn)[-_RESULTS:] for line in lines(value) if _NUMBER.search(line)]
    known = [(line, Numbers(line), asked.intersection(stems(line))) for line in shown]
    about: dict[str, tuple[str, set[str]]] = {}
    for token in list(dict.fromkeys(_NUMBER.findall(given)))[:_PRICES]:
        shared = [(line, words_of) for line, numbers, words_of in known if numbers.have(token)]
        if shared and not said.have(token):
            about[token] = max(shared, key=lambda one: len(one[1]))
    for token, (line, words_of) in about.items() if len(about) > besides else ():
        if any(words_of < others for _, others in about.values()):
            return token, line[:_CHARS]
    return None


def brought(turn: Turn) -> list[JSON]:
    """What the calls that the model chose have brought."""
    return [value for call, _, value in answered(turn) if call >= 0]


def opened(turn: Turn) -> list[Mapping[str, JSON]]:
    """The passages that the run was opened with."""
    return [one for call, _, value in answered(turn) if call < 0 for one in excerpts(value)]


def closest(turn: Turn) -> list[str]:
    """The lines that the tool which opened the run says are the closest to the task."""
    return [
        str(line).removeprefix("- ")
        for call, _, value in answered(turn)
        if call < 0 and isinstance(value, Mapping) and isinstance(told := value.get("closest lines"), list)
        for line in told
    ]


def shown_lines(turn: Turn) -> list[str]:
    """What was shown, line by line: in the passages that opened the run, and by the calls that the model chose."""
    shown = (*(str(one.get("text", "")) for one in opened(turn)), *brought(turn))
    return [line for value in shown for line in islice(lines(value), _LINES)]


def asked_and_brought(turn: Turn) -> list[JSON]:
    """What the calls that the model chose and that answered were given, and what they have brought."""
    return [part for call, *parts in answered(turn) if call >= 0 for part in parts]


def answered(turn: Turn) -> list[tuple[int, JSON, JSON]]:
    """The calls that answered: their number (less than 0 of those that opened the run), arguments and result."""
    return [
        (i.body["call"], i.body.get("args"), r.body["value"])
        for r, i in turn.items
        if i is not None and "call" in i.body and r.view["ok"]
    ]


def listed(turn: Turn, key: str) -> Iterator[tuple[int, Mapping[str, JSON]]]:
    """The objects that results list under a key, each with the number of its call: less than 0 of what opened it."""
    for call, _, value in answered(turn):
        shown = value.get(key) if isinstance(value, Mapping) else None
        yield from ((call, one) for one in (shown if isinstance(shown, list) else ()) if isinstance(one, Mapping))


def stems(text: str) -> Iterator[str]:
    """The words of content of a text, each by its first letters."""
    found = map(str.casefold, _WORD.findall(PATH.sub(" ", text)))
    return (word[:_STEM] for word in found if word not in COMMON)


def lines(value: JSON, name: str = "") -> Iterator[str]:
    """What a result says, a line each; a plain value with its name before it, a row in one."""
    match value:
        case dict():
            for key, item in value.items():
                yield from lines(item, key) if key not in _HOW else ()
        case [*items] if items and not any(isinstance(item, dict | list) for item in items):
            if len(items) > 1 and not all(len(str(item)) > _CHARS // 4 for item in items):
                yield ", ".join(map(str, items))[:_READ]
            else:
                yield from map(str, items)
        case [*items]:
            for item in items:
                yield from lines(item, name)
        case str() if "\n" in value:
            yield from (line.strip() for line in value[:_READ].split("\n") if line.strip())
        case bool() | None:
            return
        case _:
            yield f"{name}: {value}" if name else str(value)
