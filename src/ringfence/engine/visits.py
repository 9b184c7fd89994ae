"""The places and the months that a task names: which of them a run has not looked at yet. Pure: decided by the record.

A small model reads one of two tables, or counts one of two months, and answers. So what the user named is gone through
in the order in which it was named, before an answer may be given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ringfence.core.chain import Kind, Record
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .folds import folded
from .relevance import words
from .step import leaves, may_be
from .task import sentences

DATABASE = "the database"
_DATABASE = re.compile(r"(?<!not )\b(?:in|from|of) (?:the|our) (?:\w+ )?database\b", re.I)
_ADDRESS = re.compile(r"https?://[^\s\"'`<>()\[\]]+")
_MONTH = re.compile(
    r"(?P<day>(?<!\d)\d{1,2}(?:st|nd|rd|th)?(?:[\s.-]+|\s+of\s+))?\b(?P<m>[A-Za-zÄä]{3,10})\.?\s(?P<y>(?:19|20)\d\d)\b"
)
WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_ONE_DAY = re.compile(  # which one of the month is meant is for the model to know
    r"\b(?:end|start|beginning|opening|closing|eve|day|\d{1,2}(?:st|nd|rd|th)|"
    rf"{WEEKDAY}|ende|anfang|tag)\b",
    re.I,
)
_SPAN = re.compile(
    r"\b(?:(?<!difference )between|from|since|until|till|through|after|before|ab|seit|bis|nach|vor)\b", re.I
)
_ISO_MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?!\d)")
_MOST_REFUSED = 2  # calls of the tools that read a place: from then on the run does not insist on it
TABLES = (".csv", ".tsv")
_DATABASES = (".db", ".sqlite", ".sqlite3")
TELLS = 2  # words of the task in a line that is about it
_BEHIND = ".,;:!?"
_LINES = re.compile(r"(\d+)-(\d+) of (\d+)")
_ANY_LIKE = re.compile(r"\blike\b|\bgroup by\b", re.I)
_OF_A_YEAR = re.compile(
    r"\b(?:years?|share|compared?|than|per ?cent\w*|each|per|every|months?|of (?:19|20)\d\d)\b|%", re.I
)
_LIKE = re.compile(r"(?P<like>\blike\s+')(?P<part>(?:19|20)\d{0,2}-?)%'", re.I)
_NUMBERED = re.compile(  # months by their numbers
    r"(?:\bmonth\s*\([^()]{0,60}\)|\bstrftime\s*\(\s*'%m'\s*,[^()]{0,60}\))\s*=\s*'?(\d{1,2})\b", re.I
)
_LONGEST = 2000  # characters of a task, from which on it holds a text and not the question alone


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is to be looked at next: `what` by one of `tools`, and by nothing else as long as nothing failed.

    stay  tools that a run stays with, for what its task names is read by them; empty: any
    behind  the places that the task names before it, which were looked at
    """

    what: str = ""
    tools: frozenset[str] = frozenset()
    stay: frozenset[str] = frozenset()
    behind: tuple[str, ...] = ()


NOWHERE = Ahead()


def ahead(turn: Turn, tools: Sequence[SinkSpec], known: Collection[str], *, acts: bool) -> Ahead:
    """What the task names and no call has looked at.

    known  the files that there are; acts: the task asks to change something, so that a file may be named for that alone
    """
    task = str(turn.start["task"])
    if len(task) > _LONGEST:
        return NOWHERE
    named = places(task, known)
    so_far = folded(turn, _Visited, task)
    readers = {
        place: _readers(place, task, tools, named, acts=acts and not so_far.only_sampled(place, task))
        for place in named
    }
    behind: tuple[str, ...] = ()
    for place, able in readers.items():
        insists = sum(so_far.refused[name] for name in able) < _MOST_REFUSED
        asked = not so_far.sinks.isdisjoint(able) if place == DATABASE else place.rstrip("/") in so_far.places
        if able and insists and not asked:
            return Ahead(place, able, behind=behind)
        behind += (place,)
    made_for = [_made_for(place, tools) for place in readers]
    if made_for and all(made_for):
        reckon = {spec.name for spec in tools if spec.grounded}
        return Ahead(_month_ahead(so_far, task), stay=frozenset().union(*made_for, reckon))
    return Ahead(_month_ahead(so_far, task))


def places(task: str, known: Collection[str]) -> list[str]:
    """The addresses and the known files that a task names, in its order; and beside them the database."""
    addresses = [(match.start(), match[0].rstrip(_BEHIND)) for match in _ADDRESS.finditer(task)]
    files = [(task.find(path if path in task else _name(path)), path) for path in named_in(task, known)]
    found = sorted(addresses + files)
    other = _DATABASE.search(task) if found else None
    beside = [(other.start(), DATABASE)] if other and not any(place.endswith(_DATABASES) for _, place in found) else []
    return list(dict.fromkeys(place for _, place in sorted(found + beside)))


def named_in(task: str, paths: Iterable[str]) -> list[str]:
    """The files that a task names, by path or by name."""
    said = {word.strip("\"'`()[],;:?!.") for word in task.split()}
    return [path for path in paths if path in said or _name(path) in said]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _readers(place: str, task: str, tools: Sequence[SinkSpec], named: Collection[str], *, acts: bool) -> frozenset[str]:
    """The tools that are made for a place, or tell what is asked of the file itself (its size); else, if it is named to
    be read, those that can be given it. What is asked of the other places that are `named` is not asked of it.
    """
    made_for = _made_for(place, tools)
    if acts or _ADDRESS.match(place):
        return made_for
    able = [spec for spec in tools if spec.reads and spec.opens is None and _takes(spec, place) is not False]
    if made_for:
        said = task.replace(place, "the file").replace(_name(place), "the file")
        for other in (one for one in named if one != place):
            said = said.replace(other, "").replace(_name(other), "")
        return frozenset(spec.name for spec in able if _takes(spec, place) and suits(spec, said)) or made_for
    suited = frozenset(spec.name for spec in able if suits(spec, task) and not spec.grounded)
    return suited or frozenset(spec.name for spec in able if _takes(spec, place))


def _made_for(place: str, tools: Sequence[SinkSpec]) -> frozenset[str]:
    return frozenset(spec.name for spec in tools if suits(spec, place))


def suits(spec: SinkSpec, text: str) -> bool:
    """Whether a tool is called for by the words of a text."""
    return bool(spec.suits) and re.search(spec.suits, text, re.I) is not None


def _takes(spec: SinkSpec, place: str) -> bool | None:
    """Whether a tool can be given a file; None where its arguments do not say what files they take."""
    for rule in (spec.schema or {}).get("properties", {}).values():
        if isinstance(rule, dict) and (known := rule.get("x-from")) and known["key"] == "path":
            return may_be(place, known)
    return None


class _Visited:
    """What the calls that the model chose and that answered were about.

    places   every text that they were given, and files of which an opening call has shown a passage; of a mere sample
             only where one line of it is about the task
    months   those that the texts name
    sinks    that were called
    sampled  files of which an opening call has shown a sample
    refused  calls that were refused, by sink
    """

    def __init__(self, task: str) -> None:
        self._asked, self._task = frozenset(words(task)), task
        self.places: set[str] = set()
        self.months: set[str] = set()
        self.sinks: set[str] = set()
        self.sampled: set[str] = set()
        self.refused: Counter[str] = Counter()

    def take(self, record: Record, intent: Record | None) -> None:
        """One more item."""
        if record.kind is Kind.DECISION and "call" in record.body:
            self.refused[record.view["sink"]] += 1
        elif intent is None or "call" not in intent.body or not record.view.get("ok"):
            return
        elif intent.body["call"] < -1:
            shown = list(excerpts(record.body.get("value")))
            self.places.update(str(p["path"]) for p in shown if self._tells(p))
            self.sampled.update(str(p["path"]) for p in shown if "path" in p and "note" in p)
        elif intent.body["call"] >= 0:
            self.sinks.add(intent.view["sink"])
            for text in (leaf for leaf in leaves(intent.body.get("args", {})) if isinstance(leaf, str)):
                self.places.add(text.rstrip("/"))
                self.months.update(_ISO_MONTH.findall(text), months(text), self._numbered(text))

    def _numbered(self, sql: str) -> list[str]:
        """The months of the task that a statement asks for by their numbers: `MONTH(day) = 6`."""
        numbers = set(map(int, _NUMBERED.findall(sql)))
        return [iso for iso in compared(self._task) if int(iso[5:]) in numbers] if numbers else []

    def only_sampled(self, place: str, task: str) -> bool:
        """Whether of a file from which something is to be taken no more than a sample was shown."""
        return place in self.sampled and re.search(rf"\b(?:from|of) (?:the file )?{re.escape(place)}", task) is not None

    def _tells(self, passage: Mapping[str, JSON]) -> bool:
        if "path" not in passage or "note" not in passage or "ranked" in passage:
            return "path" in passage
        lines = str(passage.get("text", "")).split("\n")
        return _tell(self._asked, lines[1:] if str(passage["path"]).endswith(TABLES) else lines)


def _tell(asked: frozenset[str], lines: Iterable[str]) -> bool:
    """Whether one of these lines is about a task, more than any other: of two parts that fit, the first is a guess."""
    shared = sorted((len(asked.intersection(words(line))) for line in lines), reverse=True)
    return bool(shared) and shared[0] >= TELLS and shared[:1] != shared[1:2]


def hollow(value: JSON) -> bool:
    """Whether a result is a list of nothing: no rows, no matches, an average of none. A page without links is none."""
    if not isinstance(value, dict):
        return value is None or value == "" or value == []
    if any(value.get(name) for name in ("text", "json", "stdout")):
        return False
    lists = [item for key, item in value.items() if isinstance(item, list) and key != "columns"]
    return bool(lists) and not any(_says(item) for items in lists for item in items)


def _says(item: JSON) -> bool:
    """Whether a row has anything in it; what is no row has."""
    cells = item.values() if isinstance(item, dict) else item if isinstance(item, list | tuple) else [item]
    return any(cell not in ("", None) for cell in cells)


def shows_all(turn: Turn, task: str) -> bool:
    """Whether the passages that opened the run are all lines of the one file that the task names, and no sample; or the
    first or last line of it that says as much of the task as any.
    """
    passages = folded(turn, _Passages)
    if named_in(task, passages.ranked):
        return True
    ours = [parts for path, parts in passages.by_path.items() if named_in(task, [path])]
    if len(ours) != 1 or None in ours[0]:
        return False
    spans = sorted(tuple(map(int, part.groups())) for part in ours[0] if part is not None)
    gaps = any(first > last + 1 for (_, last, _), (first, _, _) in pairwise(spans))
    return spans[0][0] == 1 and not gaps and spans[-1][1] == spans[-1][2]


class _Passages:
    """Of the files that opening calls have shown, the lines of each passage, None for a mere sample; and those with the
    first or last line of a kind (`ranked`).
    """

    def __init__(self) -> None:
        self.by_path: dict[str, list[re.Match[str] | None]] = {}
        self.ranked: set[str] = set()

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is None or intent.body.get("call", 0) >= -1 or not record.view.get("ok"):
            return
        for one in excerpts(record.body.get("value")):
            if "ranked" in one:
                self.ranked.add(str(one.get("path", "")))
            lines = None if "note" in one else _LINES.fullmatch(str(one.get("lines", "")))
            self.by_path.setdefault(str(one.get("path", "")), []).append(lines)


def about(task: str) -> Callable[[str], bool]:
    """What tells of a line of a mere sample whether it is about the task."""
    asked = frozenset(words(task))
    return lambda line: len(asked.intersection(words(line))) >= TELLS


def excerpts(value: JSON) -> Iterator[Mapping[str, JSON]]:
    """The passages of a result; one of a table or a log is a mere sample, and has a `note` that says so."""
    match value:
        case {"passages": [*found]}:
            yield from (passage for passage in found if isinstance(passage, dict))


def told_lines(value: JSON) -> list[tuple[str, str]]:
    """The lines of a result's passages, each with its place."""
    texts = ((str(one.get("path", "")), str(one.get("text", ""))) for one in excerpts(value))
    return [(path, line.strip(" -")) for path, text in texts for line in text.split("\n") if line.strip(" -")]


def months(task: str) -> dict[str, str]:
    """The months that a task names without a day, as 2025-08, and how it says them."""
    found = ((match, MONTHS.get(match["m"].casefold())) for match in _MONTH.finditer(task))
    return {f"{match['y']}-{number:02}": match[0] for match, number in found if number and not match["day"]}


def compared(task: str) -> dict[str, str]:
    """The months that one sentence of a task names beside each other, and not as the ends of a time."""
    found = (months(sentence) for sentence in sentences(task) if not _SPAN.search(sentence))
    return next((several for several in found if len(several) > 1), {})


def _month_ahead(so_far: _Visited, task: str) -> str:
    """A month that no call was about, where calls were about another one of the task; else empty."""
    asked = compared(task)
    gone = [name for iso, name in asked.items() if iso not in so_far.months]
    return gone[0] if 0 < len(gone) < len(asked) else ""


def for_the_other(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a call that was made before, for the month of the task that no call was about yet."""
    given, asked = args, compared(str(turn.start["task"]))
    seen = folded(turn, _Visited, str(turn.start["task"])).months
    gone = [iso for iso in asked if iso not in seen]
    if not 0 < len(gone) < len(asked):
        return args
    for iso in asked.keys() - gone:
        words = {iso: gone[0], asked[iso]: asked[gone[0]]}
        args = {name: replaced(value, words) for name, value in args.items()}
        if isinstance(sql := args.get("sql"), str):  # of which the month is a part, or its number
            named = re.search(rf"{iso}-\d|{'|'.join(_called(iso))}", sql, re.I)  # its days, or its name for a column
            if named or (gone[0][:4] != iso[:4] and _NUMBERED.search(sql)):
                return given
            text = re.sub(rf"{iso}(?!-\d)", gone[0], sql)
            if set(map(int, _NUMBERED.findall(text))) == {int(iso[5:])}:
                text = _NUMBERED.sub(lambda found: _with_number(found, int(gone[0][5:])), text)
            args = {**args, "sql": text}
    return args


def _called(iso: str) -> list[str]:
    """What a month is called."""
    return [name for name, month in MONTHS.items() if month == int(iso[5:])]


def _with_number(found: re.Match[str], month: int) -> str:
    """A comparison of a month with another one, in as many figures."""
    return f"{found[0][: -len(found[1])]}{month:0{len(found[1])}}"


def replaced(value: JSON, words: Mapping[str, str]) -> JSON:
    """The value, with others in place of the texts that are these words."""
    match value:
        case str():
            return words.get(value, value)
        case dict():
            return {key: replaced(item, words) for key, item in value.items()}
        case list() | tuple():
            return [replaced(item, words) for item in value]
    return value


def widened(args: Mapping[str, JSON], task: str) -> Mapping[str, JSON]:
    """The arguments, with the month that the task names in a statement that asks for its year or for any.

    A small model writes `like '20%'` for August 2025.
    """
    asked = months(task) if len(task) <= _LONGEST and not (_ONE_DAY.search(task) or _OF_A_YEAR.search(task)) else {}
    if len(asked) != 1:
        return args
    (month,) = asked

    def whole(match: re.Match[str]) -> str:
        return f"{match['like']}{month}%'" if month.startswith(match["part"]) else match[0]

    return {
        name: _LIKE.sub(whole, value) if isinstance(value, str) and len(_ANY_LIKE.findall(value)) == 1 else value
        for name, value in args.items()
    }
