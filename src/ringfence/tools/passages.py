"""The best passages of many texts for a question: BM25F over short chunks, in memory.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (FnTIR 3:4, 2009). The fields of a
chunk are its lines, its headings and its file's path. A text is indexed once and again when it has changed.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .lines import split_lines
from .words import MAX_WORD, stem, words

K1, B = 1.2, 0.5
PATH_WEIGHT, HEADING_WEIGHT, BODY_WEIGHT = 3, 3, 2  # of a term, in halves: small integers cost no memory in CPython
UNIT = 2
SMALL_NUMBER_WEIGHT = 0.3  # the `02` of `web-02` is also the second of every month
FAINT = 0.25  # a passage this far below the best one is noise
SECOND = 0.7  # how near the best passage of a file a second one has to be
NAMED_SHARE = 3.0  # the question names the file
OUTDATED_SHARE = 0.4  # what is left of the score of a passage in a file that says that it no longer holds
_OUTDATED = re.compile(  # of the text itself; "use this, for that is deprecated" says it of another one
    r"^\W*(status\W+)?(outdated|obsolete|superseded|withdrawn|deprecated|no longer (valid|in force))\b|"
    r"(^|[-–—:;.(|*])\W*(superseded|replaced|obsoleted) by (?!this)|"
    r"^\W*((note|notice|warning|attention|important)\W+)?(this|the present)( [\w-]+){0,3} (is|was|has been|has) "
    r"(now |since )?(been )?(outdated|obsolete|superseded|replaced|withdrawn|deprecated|no longer (valid|in force))\b",
    re.I,
)
HEAD_LINES = 12
FILE_SHARE = 0.35  # how much a whole file about the question lifts its passages
PREFIX_WEIGHT = 0.35  # `config` for `configuration`
CHUNK_LINES, CHUNK_CHARS = 12, 800
LINE_CHARS = 4_000  # what is indexed of one line

Query = Mapping[str, tuple[str, float]]  # term -> (the word of the question that it stands for, weight)

_PLAIN = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(\S.*)|\[+([^\[\]]+)\]+\s*$")  # Markdown, and INI or TOML sections


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines `first` to `last` (from 1, inclusive). `terms` are weighted counts, `length` that of the lines alone."""

    first: int
    last: int
    terms: Mapping[str, int]
    length: int


@dataclass(frozen=True, slots=True)
class Text:
    """An indexed text. `version` tells whether it has changed; `terms` are those of all chunks."""

    path: str
    version: tuple[int, int]
    lines: Sequence[str]
    chunks: Sequence[Chunk]
    terms: Mapping[str, int]
    length: int
    outdated: str = ""  # the line of its head that says so


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines `first` to `last` of a text, with their score."""

    text: Text
    first: int
    last: int
    score: float


def index(path: str, version: tuple[int, int], content: str) -> Text:
    """Split into chunks at headings and blank lines, and count the terms."""
    lines = split_lines(content)
    path_terms = Counter(words(path.replace("/", " ").rpartition(".")[0] or path))
    spans = list(_spans(lines))
    trail: dict[int, str] = {}
    chunks = []
    for first, last in spans:
        terms: Counter[str] = Counter()
        shapes: set[str] = set()
        for line in lines[first:last]:
            if heading := _HEADING.match(line):
                level = len(line) - len(line.lstrip("# ")) if line.lstrip().startswith("#") else 1
                trail = {k: v for k, v in trail.items() if k < level} | {level: heading[1] or heading[2]}
            shape = _DIGITS.sub("", line)
            for word in words(line[:LINE_CHARS]):
                if shape not in shapes or word not in terms:  # a log repeats itself, and says nothing more by it
                    terms[word] += BODY_WEIGHT
            shapes.add(shape)
        length = sum(terms.values())
        for word in set(words(" ".join(trail.values()))):
            terms[word] += HEADING_WEIGHT
        for word in path_terms:
            terms[word] += PATH_WEIGHT
        chunks.append(Chunk(first + 1, last, dict(terms), length))
    whole: Counter[str] = Counter()
    for chunk in chunks:
        whole.update(chunk.terms)
    outdated = next((line.strip() for line in lines[:HEAD_LINES] if _OUTDATED.search(line)), "")
    return Text(path, version, lines, chunks, whole, sum(chunk.length for chunk in chunks), outdated[:120])


def _spans(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Half-open line ranges: a heading begins one; a blank line ends one that is half full; none is too long."""
    spans, first, chars, content = [], 0, 0, False
    for n, line in enumerate(lines):
        count = n - first
        heading = _HEADING.match(line) is not None
        full = count >= CHUNK_LINES or chars >= CHUNK_CHARS
        half = not line.strip() and (count >= CHUNK_LINES // 2 or chars >= CHUNK_CHARS // 2)
        if count and ((heading and content) or full or half):
            spans.append((first, n))
            first, chars, content = n, 0, False
        chars += len(line)
        content = content or (bool(line.strip()) and not heading)
    return [*spans, (first, len(lines))] if lines else []


@dataclass(slots=True)
class Library:
    """Indexed texts by path.

    How rare a term is counts each text with the square root of its chunks: one long log must not make the word that it
    repeats worthless, and a word all over one manual still says more than one in every file.
    """

    texts: dict[str, Text] = field(default_factory=dict)
    _known: Counter[str] = field(default_factory=Counter)  # term -> how many texts hold it
    _sorted: list[str] | None = None

    def put(self, text: Text) -> None:
        """Add a text, or put it in place of its older version."""
        self.drop(text.path)
        self.texts[text.path] = text
        self._known.update(text.terms.keys())
        self._sorted = None

    def drop(self, path: str) -> None:
        """Forget a text, if it is there."""
        text = self.texts.pop(path, None)
        if text is not None:
            for term in text.terms:
                self._known[term] -= 1
                if not self._known[term]:
                    del self._known[term]
            self._sorted = None

    def best(self, question: str, *, k: int, faint: float = FAINT) -> list[Passage]:
        """The best `k` passages, best first, none below `faint` of it; passages of one file that touch are one."""
        query = self._query(question)
        touched = [text for text in self.texts.values() if not text.terms.keys().isdisjoint(query)]
        if not touched:
            return []
        lengths = [len(text.chunks) for text in self.texts.values()]
        total = max(1, sum(text.length for text in self.texts.values()))
        ask = _Ask.of(query, touched, size=sum(map(math.sqrt, lengths)))
        found = []
        for text in touched:
            share = (
                NAMED_SHARE if text.path.rpartition("/")[2] in question else OUTDATED_SHARE if text.outdated else 1.0
            )
            whole = FILE_SHARE * ask.score(text.terms, text.length * len(self.texts) / total)
            for chunk in text.chunks:
                if score := ask.score(chunk.terms, chunk.length * sum(lengths) / total):
                    found.append(Passage(text, chunk.first, chunk.last, share * (score + whole)))
        found.sort(key=lambda p: (-p.score, p.text.path, p.first))
        return _merged([p for p in found if p.score >= faint * found[0].score], k)

    def _query(self, question: str) -> dict[str, tuple[str, float]]:
        """The words of the question that are in the library, and their variants."""
        asked = list(dict.fromkeys(words(question))) or [stem(word.lower()) for word in question.split()]
        query: dict[str, tuple[str, float]] = {}
        for word in asked[:64]:
            share = SMALL_NUMBER_WEIGHT if word.isdigit() and len(word) <= 2 else 1.0
            for term, weight in self._variants(word):
                weight *= share
                if term not in query or query[term][1] < weight:
                    query[term] = (word, weight)
        for left, right in pairwise(_PLAIN.findall(question.lower())):
            if (joined := stem(left + right)) in self._known:
                query.setdefault(joined, (joined, 1.0))
        return query

    def _variants(self, word: str) -> list[tuple[str, float]]:
        """The word, words that begin with it or that it begins with, and its halves if it is written as one."""
        found = [(word, 1.0)] if word in self._known else []
        if len(word) >= 4 and word.isalpha():
            found += [(term, PREFIX_WEIGHT) for term in self._beginning(word)]
            found += [(word[:n], PREFIX_WEIGHT) for n in range(4, len(word)) if word[:n] in self._known]
        if not found and word.isalpha() and len(word) <= MAX_WORD:
            for n in range(3, len(word) - 2):
                halves = (stem(word[:n]), stem(word[n:]))
                if all(half in self._known for half in halves):
                    found += [(half, 0.7) for half in halves]
        return found

    def _beginning(self, prefix: str) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(term for term in self._known if term.isalpha())
        start = bisect_left(self._sorted, prefix)
        run = self._sorted[start : start + 20]
        return [term for term in run if term.startswith(prefix) and prefix != term and len(term) <= len(prefix) + 6]


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question: term -> (the word it stands for, its worth), and what the whole question is worth."""

    terms: Mapping[str, tuple[str, float]]
    worth: float

    @classmethod
    def of(cls, query: Query, texts: Sequence[Text], *, size: float) -> _Ask:
        terms: dict[str, tuple[str, float]] = {}
        words_worth: dict[str, float] = {}
        for term, (word, weight) in query.items():
            spread = sum(math.sqrt(sum(term in c.terms for c in t.chunks)) for t in texts if term in t.terms)
            worth = weight * math.log(1 + (size - spread + 0.5) / (spread + 0.5))
            terms[term] = (word, worth)
            words_worth[word] = max(words_worth.get(word, 0.0), worth)
        return cls(terms, sum(words_worth.values()))

    def score(self, terms: Mapping[str, int], length: float) -> float:
        """BM25, times how much of the question is met. `length` is relative to the mean.

        Variants of one word of the question count once.
        """
        best: dict[str, float] = {}
        met: dict[str, float] = {}
        norm = K1 * (1 - B + B * length)
        for term, (word, worth) in self.terms.items():
            if count := terms.get(term):
                frequency = count / UNIT
                best[word] = max(best.get(word, 0.0), worth * frequency * (K1 + 1) / (frequency + norm))
                met[word] = max(met.get(word, 0.0), worth)
        return sum(best.values()) * (0.5 + 0.5 * sum(met.values()) / self.worth) if best else 0.0


def _merged(found: Sequence[Passage], k: int) -> list[Passage]:
    """At most two passages of a file, the second only if it is nearly as good; neighbours become one."""
    kept: list[Passage] = []
    for passage in found:
        same = [n for n, other in enumerate(kept) if other.text is passage.text]
        near = [n for n in same if kept[n].first - 1 <= passage.last and passage.first <= kept[n].last + 1]
        if near and kept[near[0]].last - kept[near[0]].first < CHUNK_LINES:
            old = kept[near[0]]
            kept[near[0]] = Passage(old.text, min(old.first, passage.first), max(old.last, passage.last), old.score)
        elif len(kept) < k and (not same or (len(same) == 1 and passage.score >= SECOND * kept[same[0]].score)):
            kept.append(passage)
    return kept
