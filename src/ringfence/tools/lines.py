"""Lines of texts that match a pattern, counted. Its `main` is the worker that `pattern.scan` may kill.

Standard library alone and of Ringfence `entries`: the worker starts in milliseconds and has nothing to leak.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .entries import begins, fields, valuer
from .measures import Measures

MIN_NEEDLE = 2
MAX_WHOLES = 1_000
MAX_WORDS, MAX_KINDS, MAX_SPREAD, MAX_SHOWN = 10, 12, 3, 6
MAX_DETAILED = 100_000  # matching lines that are looked at word by word
MAX_VALUES = 100_000  # distinct values that are told apart; the rest is counted as one


_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]()]")
_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<any>[.^$])|(?P<repeat>[*+?{])|(?P<stop>[()|\[\\])|(?P<plain>.)",
    re.S,
)
_ODD = tuple(odd.encode() for odd in "\u0130\u0131\u017f\u212a")  # letters that some ASCII letter matches in any case


def split_lines(text: str) -> list[str]:
    """Lines as editors and `grep -n` number them: ends are LF or CRLF, nothing else."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines] if "\r" in text else lines


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class Sieve:
    """Finds the few lines of a block that may match, by texts of which one must be in every line that does."""

    def __init__(self, needles: Sequence[str], *, ignore_case: bool, exact: bool) -> None:
        self._needles = [needle.encode() for needle in needles]
        self._ignore_case = ignore_case
        self.exact = exact  # a line that holds the needle matches

    @classmethod
    def of(cls, pattern: str, *, ignore_case: bool) -> Sieve:
        """What every match of a pattern holds, as far as that can be told without understanding all of it."""
        ways = pattern.split("|") if "|" in pattern and not _SPECIAL.search(pattern) else [pattern]
        if "|" in pattern and len(ways) == 1:
            return cls([], ignore_case=ignore_case, exact=False)
        runs = [_longest_run(way, ignore_case=ignore_case) for way in ways]
        if any(len(run) < MIN_NEEDLE for run, _ in runs):
            return cls([], ignore_case=ignore_case, exact=False)
        return cls([run for run, _ in runs], ignore_case=ignore_case, exact=len(runs) == 1 and runs[0][1])

    def lowered(self, block: bytes) -> bytes | None:
        """The block as `spans` searches it; None if it cannot be searched so, and every line may match."""
        if not self._needles or not self._ignore_case:
            return block if self._needles else None
        if not block.isascii() and any(odd in block for odd in _ODD):
            return None
        return block.lower()

    def places(self, block: bytes, low: bytes | None, count: int) -> Iterator[tuple[int, str]] | None:
        """The numbered lines that may match, from 1; None if any may, or too many of `count` to pick them out."""
        if low is None or 3 * sum(low.count(needle) for needle in self._needles) > count:
            return None
        return ((n, _text(block[a:b]).removesuffix("\r")) for n, a, b, _ in self.spans(low))

    def counts(self, low: bytes) -> tuple[int, int, int, int, int]:
        """Of an exact one: lines that hold the needle, how often they do, and number, start and end of the last."""
        needle = self._needles[0]
        place = low.rfind(needle)
        start, end = low.rfind(b"\n", 0, max(place, 0)) + 1, low.find(b"\n", max(place, 0))
        lines = len(re.findall(re.escape(needle) + rb"[^\n]*", low))
        return lines, low.count(needle), low.count(b"\n", 0, start) + 1, start, len(low) if end < 0 else end

    def spans(self, low: bytes) -> Iterator[tuple[int, int, int, int]]:
        """Number, start, end and occurrences of each line that holds a needle."""
        number, begin = 1, 0  # of a line
        ahead = [low.find(needle) for needle in self._needles]
        while places := [place for place in ahead if place >= 0]:
            place = min(places)
            start = low.rfind(b"\n", begin, place) + 1 or begin
            number += low.count(b"\n", begin, start)
            end = low.find(b"\n", place)
            end = len(low) if end < 0 else end
            yield number, start, end, sum(low.count(needle, start, end) for needle in self._needles)
            begin = start
            ahead = [
                at if at < 0 or at > end else low.find(needle, end)
                for at, needle in zip(ahead, self._needles, strict=True)
            ]


def _longest_run(pattern: str, *, ignore_case: bool) -> tuple[str, bool]:
    """The longest text that stands in every match of a pattern without `|`, and whether it is all of the pattern."""
    runs, whole = [""], True
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token.group()
        if kind == "escape" and not text[1].isalnum():
            kind, text = "plain", text[1]
        if kind == "plain" and not (ignore_case and not text.isascii()) and text not in "\n\r\ufffd":
            runs[-1] += text.lower() if ignore_case else text
            continue
        whole = False
        if kind == "repeat" and text != "+":
            runs[-1] = runs[-1][:-1]
        if kind == "stop" or (kind == "escape" and text[1] in "xuUN0123456789") or text == "{":
            break
        runs.append("")
    return max(runs, key=len), whole


def scan(job: dict[str, Any], blocks: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Count and collect the matching lines of (name, UTF-8) pairs; consecutive ones of one name are one text.

    job     pattern, ignore_case, by (see `valuer`), hits: how many lines to bring back, width: their characters
            word: plain words, if the pattern is such; key, value: what it is then, `user=ann` or the words themselves
    result  hits [[name, line number, line]], last: the last of them, lines, occurrences, total,
            files {name: matching lines},
            values [[value, count]] most frequent first, distinct: how many values; `unit` is what values count;
            valued: how many lines have any
            spread {field or word: [[value, lines]]} of the few places where matching lines differ in a few values;
            wholes [[whole word that the word is part of, lines]], the word itself first,
            measures {field: what its numbers come to}, see `measures`
            named {field: of the lines whose field is the word: lines, hits, last, files, values and so on}
            detailed: of how many lines spread, wholes, measures and named tell, the first so many
    """
    tally = _Tally(job)
    for name, block in blocks:
        if block:
            tally.feed(name, block)
    return tally.result()


class _Tally:
    """What has been counted and collected so far of one job."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self.regex = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
        self._value_of, self._unit = valuer(job["by"], self.regex)
        word = job["word"]
        self._whole = re.compile(rf"[\w.-]*{re.escape(word)}(?:(?!T\d\d:)[\w-]+)?", re.IGNORECASE) if word else None
        self._sieve = Sieve.of(job["pattern"], ignore_case=job["ignore_case"])
        self._name, self._number, self._timed = "", 0, False
        self.total = 0
        self._lines = 0
        self._occurrences = 0
        self._hits: list[list[Any]] = []
        self._last: list[Any] = []
        self._files: Counter[str] = Counter()
        self._values: Counter[str] = Counter()
        self._valued = 0
        self._wholes: Counter[str] = Counter()
        self._columns: dict[str, Counter[str]] = {}
        self._named: dict[str, dict[str, Any]] = {}
        self._measures = Measures()

    def feed(self, name: str, block: bytes) -> None:
        """Count the lines of a block, which follow those of the block before it if that was of the same name."""
        if name != self._name:
            self._name, self._number = name, 0
            self._timed = begins(_text(block[:200]))
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        low = self._sieve.lowered(block)
        plain = not self._unit and len(self._hits) >= self._job["hits"]  # only how many lines match
        if plain and not self._job["pattern"]:
            self._take_all(name, count, block)
        elif plain and low is not None and self._sieve.exact and self._lines >= MAX_DETAILED:
            self._take_exact(name, block, low)
        else:
            places = self._sieve.places(block, low, count)
            found = enumerate(split_lines(_text(block)), 1) if places is None else places
            for number, line in found:
                if self.regex.search(line) is not None:
                    self.take(name, self._number + number, line)
        self._number += count
        self.total += count

    def _take_all(self, name: str, count: int, block: bytes) -> None:
        """Count lines of which nothing but their number is asked."""
        start = block.rfind(b"\n", 0, len(block) - 1) + 1
        self._count(name, count, count)
        self._last = [name, self._number + count, split_lines(_text(block[start:]))[-1], None]

    def _take_exact(self, name: str, block: bytes, low: bytes) -> None:
        """Count the lines that hold a literal, when there have been enough of them to look at."""
        lines, occurrences, number, start, end = self._sieve.counts(low)
        if lines:
            self._count(name, lines, occurrences)
            line = _text(block[start:end]).removesuffix("\r")
            self._last = [name, self._number + number, line, self.regex.search(line)]

    def _count(self, name: str, lines: int, occurrences: int) -> None:
        self._lines += lines
        self._files[name] += lines
        self._occurrences += occurrences

    def take(self, name: str, number: int, line: str) -> None:
        """Count a matching line."""
        job = self._job
        found = list(self.regex.finditer(line)) if job["pattern"] else [None]
        self._count(name, 1, len(found))
        self._last = [name, number, line, found[0]]
        if len(self._hits) < job["hits"]:
            self._hits.append(_hit(self._last, job["width"]))
        entry = not self._timed or begins(line)
        values = self._value_of(line, found) if entry or job["by"] != "level" else []
        self._valued += bool(values)
        _add(self._values, values)
        if job["pattern"] and self._lines <= MAX_DETAILED:
            named = fields(line, entry=entry)
            _tally(self._columns, named, line)
            if named:
                self._measures.take(named, line, _hit(self._last, job["width"]))
            if self._whole is not None:
                self._take_word(line, self._whole, named, values)

    def _take_word(self, line: str, whole: re.Pattern[str], named: dict[str, str], values: list[str]) -> None:
        """Count which whole word, and which field's value, the word that is searched for is in this line."""
        if len(self._wholes) < MAX_WHOLES:
            self._wholes.update({match.group() for match in whole.finditer(line)})
        job = self._job
        for key, value in named.items():
            if value.lower() != job["value"] or (job["key"] and job["key"] != key.lower().rpartition(".")[2]):
                continue
            place = self._named.setdefault(key, _place())
            place["lines"] += 1
            place["last"] = _hit(self._last, job["width"])
            if len(place["hits"]) < max(job["hits"], 1):
                place["hits"].append(place["last"])
            place["files"][self._name] += 1
            place["valued"] += bool(values)
            _add(place["values"], values)
            _tally(place["columns"], named, line)
            place["measures"].take(named, line, place["last"])

    def result(self) -> dict[str, Any]:
        """As `scan` returns it."""
        lines = self._lines
        detailed = min(lines, MAX_DETAILED) if self._job["pattern"] else lines
        return {
            "hits": self._hits, "last": _hit(self._last, self._job["width"]) if lines else [],
            "named": {name: _told(place, self._job["top"]) for name, place in self._named.items()},
            "wholes": self._whole_words(), "spread": _spread(self._columns, detailed),
            "measures": self._measures.told(detailed),
            "lines": lines, "detailed": detailed,
            "occurrences": self._occurrences, "total": self.total, "files": dict(self._files),
            "values": self._values.most_common(self._job["top"]), "distinct": len(self._values), "unit": self._unit,
            "valued": self._valued,
        }  # fmt: skip

    def _whole_words(self) -> list[tuple[str, int]]:
        """The most frequent ones; the word itself is among them however rare it is."""
        word = self._job["word"]
        return sorted(self._wholes.most_common(), key=lambda one: one[0].lower() != word)[:MAX_SHOWN]


def _place() -> dict[str, Any]:
    """What is counted of the lines of one field."""
    return {
        "lines": 0,
        "hits": [],
        "files": Counter(),
        "valued": 0,
        "values": Counter(),
        "columns": {},
        "measures": Measures(),
    }


def _told(place: dict[str, Any], top: int) -> dict[str, Any]:
    values, columns = place["values"], place["columns"]
    told = {"values": values.most_common(top), "distinct": len(values), "spread": _spread(columns, place["lines"])}
    told["measures"] = place["measures"].told(place["lines"])
    return {name: part for name, part in place.items() if name != "columns"} | told


def _add(counter: Counter[str], values: list[str]) -> None:
    for value in values:
        counter[value if value in counter or len(counter) < MAX_VALUES else "(others)"] += 1


def _tally(columns: dict[str, Counter[str]], named: dict[str, str], line: str) -> None:
    """Count what stands where in a line: by field where it has fields, else by word."""
    places = (
        named.items() if len(named) > 2 else ((f"word {n}", word) for n, word in enumerate(line.split()[:MAX_WORDS], 1))
    )
    for name, value in places:
        counter = columns.setdefault(name, Counter())
        if len(counter) <= MAX_KINDS or value in counter:
            counter[value] += 1


def _spread(columns: dict[str, Counter[str]], lines: int) -> dict[str, list[tuple[str, int]]]:
    """The places with a few values that come again and again, those with the fewest first."""
    telling = {
        name: counter
        for name, counter in columns.items()
        if 1 < len(counter) <= MAX_KINDS and counter.total() >= 0.8 * lines and lines >= 2 * len(counter)
    }
    chosen = sorted(telling, key=lambda name: len(telling[name]))[:MAX_SPREAD]
    return {name: telling[name].most_common(6) for name in chosen}


def _hit(found: list[Any], width: int) -> list[Any]:
    name, number, line, match = found
    return [name, number, _clip(line, match, width)]


def _clip(line: str, match: re.Match[str] | None, width: int) -> str:
    """The part of a long line around the match."""
    if len(line) <= width:
        return line
    start = max(0, min((match.start() if match else 0) - width // 4, len(line) - width))
    return ("..." if start else "") + line[start : start + width] + ("..." if start + width < len(line) else "")


def _received() -> Iterator[tuple[str, bytes]]:
    while head := sys.stdin.buffer.readline():
        name, size = json.loads(head)
        yield name, sys.stdin.buffer.read(size)


def main() -> None:
    """Standard input: a line of JSON, the job, then blocks, each after a line `[name, bytes]`; output: the result."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    except (ImportError, ValueError, OSError):  # not on this system: the parent's clock still holds
        pass
    job = json.loads(sys.stdin.buffer.readline())
    try:
        result = scan(job, _received())
    except (re.error, RecursionError, OverflowError) as error:
        result = {"error": str(error)}
    sys.stdout.write(json.dumps(result))
