"""`files.find`: the best passages of all files for a question."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from . import passages
from .corpus import STREAM_S, Budget
from .dated import dated
from .folders import Entry, Folders
from .passages import FAINT, Library, Passage
from .sections import in_sections, with_sections
from .texts import note_skipped, notes, read_text, reason
from .tool import Args, Tool, Use, define
from .windows import Scan
from .words import words

SECONDS = 15.0
TIMEOUT_S = 25.0
MAX_INDEXED_BYTES = 8 * 2**20  # about 15 times as much memory; the rest is scanned for each question
MAX_QUESTION = 2_000  # characters
MIN_LINES = 6  # a shorter passage is shown with what follows it
LINE_CHARS = 300
ROOM = 2_000  # characters of a result: on two cores a model reads about 300 of them a second
DATA_LINES = 120  # a longer text is data to be searched and counted, not prose to be read
TABLES = (".csv", ".tsv")
TELLS = 2  # words of the question in the line of a log that is the first or the last of its kind
SAMPLE_LINES = 3
LOG_LINES = 5_000  # of which each is looked at for a sample; of a longer one those of the passage alone
SAMPLE_SHARE = 0.6  # of the words that the best line shares with the question: a line that shares less misleads
_UPDATES = re.compile(
    r"\b(?:now|from (?:now|today|then)|since|changed?|no longer|instead|replac\w+|withdrawn|supersed\w+|moved|new)\b",
    re.I,
)
_MONTH = "|".join(MONTHS)
_FROM_A_DAY = re.compile(
    rf"\b(?:from|as of|effective|ab) (?:the )?"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTH})\b|(?:{_MONTH})\.? \d)",
    re.I,
)
_TODAY = re.compile(
    r"\b(?:now|today(?:'s)?|these days|nowadays|at (?:present|the moment)|current(?:ly)?|still|in force|"
    r"heute|jetzt|derzeit|aktuell\w*|zurzeit)\b",
    re.I,
)
_NOT = re.compile(r"\b(?:not|no|never|none|without|nicht|kein\w*|ohne)\b|n't\b", re.I)
_FIRST = re.compile(r"\b(?:first|earliest|oldest|erste\w*)\b", re.I)
_LAST = re.compile(r"\b(?:last|latest|newest|most recent(?:ly)?|final|letzte\w*|neueste\w*)\b", re.I)
_BEFORE = r"(?<!days )(?<!day )(?<!hours )(?<!weeks )(?<!minutes )(?<!months )(?<!long )(?<!just )(?<!right )before"
_PAST = re.compile(
    rf"\b(?:was|were|did|had|used to|{_BEFORE}|until|former(?:ly)?|previous(?:ly)?|earlier|originally|ago|last|history|"
    r"changed|changes|old|war|waren|früher|vorher|damals|bisher|(?:19|20)\d\d)\b",
    re.I,
)
_LONG_PAST = re.compile(
    rf"\b(?:{_BEFORE}|until|used to|former(?:ly)?|previous(?:ly)?|earlier|originally|ago|last|old|"
    r"früher|vorher|damals|bisher)\b",
    re.I,
)
_BUT_NOT = re.compile(r"\b(?:and |but )?not (?:what|the|how|who)\b[^.?!;]*", re.I)
SAME = 0.6  # of what an older line shares with the question: a newer one that shares less is about something else
LEFT_OUT = "[an older line about this is left out: a newer one, below, says that it has changed]"
_END_LINE = re.compile(
    r"\b(?:(?P<last>bottom|(?:very )?last|final|letzte[rn]?)|top|(?:very )?first|erste[rn]?) "
    r"(?:line|entry|row|zeile|eintrag)\b",
    re.I,
)
_ALIKE = 6  # lines that may contradict each other
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")


class FindArgs(Args):
    """Arguments of files.find."""

    question: Annotated[
        str, Field(description="a question or some words, such as: what to do when the disk is full", min_length=1)
    ]
    k: Annotated[int, Field(ge=1, le=20, description="how many passages")] = 3
    each: SkipJsonSchema[Annotated[int, Field(ge=0, le=1000, exclude=True)]] = 0  # characters, for whoever picks


class Shelf:
    """The library of some folders, brought up to date before each question. One thread at a time."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._library = Library()
        self._unreadable: dict[str, tuple[tuple[int, int], str]] = {}
        self._lock = threading.Lock()

    def ask(self, question: str, k: int, *, faint: float = FAINT) -> tuple[list[Passage], list[str]]:
        """The best passages, and the files left out with the reason."""
        with self._lock:
            budget = Budget(STREAM_S)
            skipped, large = self._refresh(time.monotonic())
            scan = Scan(self._folders, question[:MAX_QUESTION], budget)
            found = scan.texts(large)
            try:
                for text in found:  # for this question alone
                    self._library.put(text)
                return self._library.best(question[:MAX_QUESTION], k=k, faint=faint), scan.skipped + skipped
            finally:
                for text in found:
                    self._library.drop(text.path)

    def _refresh(self, began: float) -> tuple[list[str], list[Entry]]:
        """Index what is new or changed, the smallest first: notes are small, and one log must not push them out.

        The files left out with the reason, and those that are too large, or too many, to be indexed.
        """
        walk = self._folders.walk(seconds=SECONDS * 0.4)
        skipped, large, total = list(walk.skipped), list[Entry](), 0
        much = sum(entry.size for entry in walk.files) > 2 * MAX_INDEXED_BYTES
        until = began + SECONDS * (0.5 if much else 0.8)
        for path in set(self._library.texts) - {entry.path for entry in walk.files}:
            self._library.drop(path)
        for entry in sorted(walk.files, key=lambda entry: entry.size):
            version = (entry.changed, entry.size)
            total += entry.size
            streamed = self._folders.max_file_bytes < entry.size <= self._folders.max_stream_bytes
            if total > MAX_INDEXED_BYTES or streamed or time.monotonic() > until:
                large.append(entry)
                self._library.drop(entry.path)
                continue
            known = self._library.texts.get(entry.path)
            if known is not None and known.version == version:
                continue
            try:
                if self._unreadable.get(entry.path, (None, ""))[0] != version:
                    self._library.put(passages.index(entry.path, version, read_text(self._folders, entry.path)[1]))
                    continue
            except ToolError as error:
                self._unreadable[entry.path] = (version, reason(error, entry))
                self._library.drop(entry.path)
            total -= entry.size
            skipped.append(f"{entry.path} ({self._unreadable[entry.path][1]})")
        return skipped, large


def find_passages(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `files.find`. `room` is in characters of the result."""
    shelf = Shelf(folders)

    def run(args: FindArgs) -> JSON:
        found, skipped = shelf.ask(args.question, args.k, faint=FAINT / 4 if args.each else FAINT)
        paths = [one.text.path for one in found]
        found = [one for n, one in enumerate(found) if not _is_log(one) or one.text.path not in paths[:n]]
        none = "" if found else "nothing matches; try other words, or files.list to see the files"
        more = notes(none, note_skipped(skipped))
        if args.each:
            return {"passages": [_shown(passage, args.question, args.each) for passage in found], **more}
        shown: list[dict[str, JSON]] = []
        left = min(room, ROOM)
        for n, passage in enumerate(found):
            share = left // min(2, len(found) - n)  # the best passages get the most room
            shown.append(_shown(passage, args.question, max(share - 60, 120)))
            left -= len(shown[-1]["text"]) + 60
            if left < 200:
                break
        return finished(shown, args.question, more)

    summary = (
        "Find the passages of all files that best answer a question. Use it first, with the words of the question; "
        "gives path, lines and text."
    )
    return define("files.find", summary, FindArgs, run, use=use, timeout_s=TIMEOUT_S, opens="question")


def finished(shown: list[dict[str, JSON]], question: str, more: Mapping[str, JSON]) -> JSON:
    """The result: passages, the best first, the lines closest to the question, and whether they are mere samples."""
    if len(shown) > 1 and all("dated" in one for one in shown[:2]):  # they may disagree: the newest nearest to the end
        shown[:2] = sorted(shown[:2], key=lambda one: str(one["dated"]))
    paths = [one["path"] for one in shown]
    shown.sort(key=lambda one: (paths.index(one["path"]), _first_line(one)))  # what is of one file in its order
    texts = ["\n".join(map(str, one.pop("said", None) or [one["text"]])) for one in shown]
    told = [(text, str(one.get("dated", ""))) for one, text in zip(shown, texts, strict=True) if "note" not in one]
    closest, replaced = _closest(told, question)
    for one in shown:
        for line in replaced if "note" not in one else ():
            one["text"] = str(one["text"]).replace(line, LEFT_OUT)
    edges: list[JSON] = []
    for one in shown:
        line = one.pop("closest", None)
        if line is not None and _name(one) in question:
            one["ranked"] = "the last of its kind" if _LAST.search(question) else "the first of its kind"
            edges.append(line)
        elif (end := _end(one, question)) and _name(one) in question:
            edges.append(end)
    if edges:
        return {"passages": shown, "closest lines": edges, **more}
    samples = [_name(passage) for passage in shown if "note" in passage]
    asked_for = any(name in question for name in samples)  # a data file by its name: a sample cannot answer
    partial = {"partial": True} if not shown or "note" in shown[0] or asked_for else {}
    return {"passages": shown, **closest, **partial, **more}


def _end(shown: Mapping[str, JSON], question: str) -> str:
    """The first or the last line of what is shown, where the question is about that one and it is that of the file."""
    match = _END_LINE.search(question)
    lines = [line for line in str(shown["text"]).split("\n") if line.strip()]
    if not match or "note" in shown or not lines:
        return ""
    numbers = re.fullmatch(r"(\d+)-(\d+) of (\d+)", str(shown["lines"]))
    if numbers is None or (numbers[2] != numbers[3] if match["last"] else numbers[1] != "1"):
        return ""
    return lines[-1 if match["last"] else 0][:LINE_CHARS]


def _name(shown: Mapping[str, JSON]) -> str:
    return str(shown["path"]).rpartition("/")[2]


def _first_line(shown: Mapping[str, JSON]) -> int:
    return int(str(shown["lines"]).partition("-")[0])


def _shown(passage: Passage, question: str, room: int) -> dict[str, JSON]:
    """A passage in `room` characters or so; of a table or a log only a few lines, and which tool reads the rest."""
    path, lines = passage.text.path, passage.text.lines
    table = path.endswith(TABLES)
    first, last = passage.first, min(max(passage.last, passage.first + MIN_LINES - 1), len(lines))
    while first < last and not lines[first - 1].strip():
        first += 1
    numbers = list(range(first, last + 1))
    sample, edge = table or len(lines) > DATA_LINES, 0
    named = in_sections(path, lines) if len(lines) <= LOG_LINES else {}
    if named and sample:  # of lines that are shown alone nobody could tell what they are about
        lines = [named.get(number, "") for number in range(1, len(lines) + 1)]
    if sample:
        numbers, edge = (_telling(lines, numbers, question), 0) if table else _telling_of_log(lines, numbers, question)
    shown: list[int] = []
    text = [lines[0][:LINE_CHARS]] if table and 1 not in numbers else []
    used = sum(len(line) + 1 for line in text)
    for number in numbers:
        line = lines[number - 1]
        clipped = line if len(line) <= LINE_CHARS else line[:LINE_CHARS] + "..."
        if used + len(clipped) + 1 > room and shown:
            break
        text.append(clipped)
        shown.append(number)
        used += len(clipped) + 1
    result: dict[str, JSON] = {"path": path, "lines": f"{shown[0]}-{shown[-1]} of {len(lines)}"}
    if not sample and (day := dated(path, "\n".join(lines[:6]))):
        result["dated"] = day
    if passage.text.outdated:
        result["outdated"] = passage.text.outdated
    if named and not sample:
        result["said"] = [named[number] for number in shown if number in named]
    if edge:
        result["closest"] = lines[edge - 1][:LINE_CHARS]
    if sample:
        result["note"] = (
            f"a sample; ask {'the csv tool' if table else 'text.count or files.search'} about the whole file"
        )
    return {**result, "text": "\n".join(_spelled_out(text)).rstrip()[: room + room // 2]}


def _is_log(passage: Passage) -> bool:
    """Whether what is shown of it are lines from all of its file."""
    return not passage.text.path.endswith(TABLES) and DATA_LINES < len(passage.text.lines) <= LOG_LINES


def _telling(lines: Sequence[str], numbers: Sequence[int], question: str) -> list[int]:
    """Of these lines those that share the most words with the question."""
    asked = set(words(question))
    return _best({n: float(len(asked.intersection(words(lines[n - 1])))) for n in numbers}, last=False)


def _telling_of_log(lines: Sequence[str], numbers: Sequence[int], question: str) -> tuple[list[int], int]:
    """Of a log, or of these lines of a long one, those that say the most of the question: the rarer a word, the more.

    `FAILED` tells more than `ticket`, which is in each line; and "no answer" is what did not answer. Behind them the
    first or the last of all that say as much as any, where the question asks for that one; else 0.
    """
    whole = range(1, len(lines) + 1) if len(lines) <= LOG_LINES else numbers
    asked, first, last = _said(question), _FIRST.search(question), _LAST.search(question)
    has = {n: asked.intersection(_said(lines[n - 1][:LINE_CHARS])) for n in whole}
    known = Counter(word for said in has.values() for word in said)
    worth = {word: math.log(1 + len(has) / count) for word, count in known.items()}
    worths = {n: sum(worth[word] for word in said) for n, said in has.items()}
    shown = _best(worths, last=last is not None)
    said = has[max(whole, key=lambda n: worths[n])]
    most = [n for n in whole if has[n] == said]
    ranks = len(lines) <= LOG_LINES and (first is None) != (last is None) and len(said) >= TELLS
    return shown, (most[-1 if last else 0] if ranks else 0)


def _said(text: str) -> set[str]:
    return {*words(text), *(["not"] if _NOT.search(text) else [])}


def _best(worth: Mapping[int, float], *, last: bool) -> list[int]:
    """The numbers of the lines that are worth most, of equal ones the first or the last, in order."""
    best = sorted(worth, key=lambda n: (-worth[n], -n if last else n))[:SAMPLE_LINES]
    return sorted(n for n in best if worth[n] >= SAMPLE_SHARE * worth[best[0]])


def _closest(texts: list[tuple[str, str]], question: str) -> tuple[dict[str, JSON], list[str]]:
    """The two lines that share the most words with the question: what is read last is what a small model looks at. The
    best alone, where the other one says but a part of what it says.

    `texts`, each with its date. Lines of different dates may contradict each other: then it is the newest one alone;
    one that says that something has changed is newer than one of no date. Behind the lines: older ones which a newer
    line says to have changed since, and which a small model would still take, since it reads them first; none if the
    question is about the past.
    """
    lines = [(line, day) for text, day in texts for line in with_sections(text)]
    held = [set(words(line)) for line, _ in lines]
    asked = {word: sum(word in has for has in held) for word in words(_TODAY.sub(" ", question))}
    worth = {
        line: sum(1 + 0.5 / count for word, count in asked.items() if word in has)
        for line, has in zip(lines, held, strict=True)
    }
    best = [line for line in sorted(worth, key=lambda line: -worth[line])[:_ALIKE] if worth[line] > 0]
    said = [asked.keys() & has for line in best[:2] for has in [set(words(line[0]))]]
    chosen = best[: 1 if len(said) > 1 and said[1] < said[0] and len(said[0]) >= TELLS else 2]
    as_they_are: dict[str, JSON] = {"closest lines": [line[:LINE_CHARS] for line, _ in chosen]} if chosen else {}
    alike = [*chosen, *(line for line in best[2:] if line[1] and worth[line] >= SAME * worth[best[0]])]
    if len(alike) < 2 or not any(day for _, day in alike):
        return as_they_are, []
    *older, newer = sorted(alike, key=lambda one: (one[1], _UPDATES.search(one[0]) is not None))
    ours = asked.keys() & set(words(newer[0]))
    theirs = {one: asked.keys() & set(words(one[0])) for one in older}
    same = [one for one in older if theirs[one] & ours]  # else the newer one is about something else
    from_a_day = _FROM_A_DAY.search(newer[0]) is not None
    updates = [one for one in same if _UPDATES.search(newer[0]) or (from_a_day and theirs[one] <= ours)]
    if not same or all(one[1] == newer[1] or not (one[1] or one in updates) for one in same):
        return as_they_are, []
    told = f"{newer[0][:LINE_CHARS]} (of {newer[1]}, the newest)"
    replaced = [one for one in updates if one[1] != newer[1] and worth[newer] >= SAME * worth[one]]
    return {"closest lines": [told]}, [] if is_past(question) else [line for line, _ in replaced]


def is_past(question: str) -> bool:
    """Whether a question is about what was; "today's price, and not what it used to be" is not."""
    meant = _BUT_NOT.sub("", question)
    return (_LONG_PAST if _TODAY.search(meant) else _PAST).search(meant) is not None


def _spelled_out(lines: list[str]) -> list[str]:
    """Rows of a Markdown table of three columns or more with their column names: a small model loses the header."""
    names: list[str] = []
    spelled = []
    for n, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else []
        if not cells:
            names = []
        elif n + 1 < len(lines) and _RULE.fullmatch(lines[n + 1].strip()) and len(cells) > 2:
            names = cells
            continue
        if names and _RULE.fullmatch(line.strip()):
            continue
        if names and len(cells) == len(names):
            line = "- " + "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True))
        spelled.append(line)
    return spelled
