"""The best passages of many texts for a question: BM25F over short chunks, in memory.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (FnTIR 3:4, 2009). The fields of a
chunk are its lines, its headings and its file's path. A text is indexed once and again when it has changed.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .lines import split_lines
from .words import MAX_WORD, stem, words

K1, B = 1.2, 0.5
PATH_WEIGHT, HEADING_WEIGHT, BODY_WEIGHT = 3, 3, 2  # of a term, in halves: small integers cost no memory in CPython
UNIT = 2
FILE_SHARE = 0.35  # how much a whole file about the question lifts its passages
PREFIX_WEIGHT = 0.35  # `config` for `configuration`
CHUNK_LINES, CHUNK_CHARS = 12, 800
LINE_CHARS = 4_000  # what is indexed of one line

Query = Mapping[str, tuple[str, float]]  # term -> (the word of the question that it stands for, weight)

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
        for line in lines[first:last]:
            if heading := _HEADING.match(line):
                level = len(line) - len(line.lstrip("# ")) if line.lstrip().startswith("#") else 1
                trail = {k: v for k, v in trail.items() if k < level} | {level: heading[1] or heading[2]}
            for word in words(line[:LINE_CHARS]):
                terms[word] += BODY_WEIGHT
        length = sum(terms.values())
        for word in set(words(" ".join(trail.values()))):
            terms[word] += HEADING_WEIGHT
        for word in path_terms:
            terms[word] += PATH_WEIGHT
        chunks.append(Chunk(first + 1, last, dict(terms), length))
    whole: Counter[str] = Counter()
    for chunk in chunks:
        whole.update(chunk.terms)
    return Text(path, version, lines, chunks, whole, sum(chunk.length for chunk in chunks))


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
    """Indexed texts by path, and how many chunks and texts hold each term."""

    texts: dict[str, Text] = field(default_factory=dict)
    _in_chunks: Counter[str] = field(default_factory=Counter)
    _in_texts: Counter[str] = field(default_factory=Counter)
    _sorted: list[str] | None = None

    def put(self, text: Text) -> None:
        """Add a text, or put it in place of its older version."""
        self.drop(text.path)
        self.texts[text.path] = text
        for chunk in text.chunks:
            self._in_chunks.update(chunk.terms.keys())
        self._in_texts.update(text.terms.keys())
        self._sorted = None

    def drop(self, path: str) -> None:
        """Forget a text, if it is there."""
        text = self.texts.pop(path, None)
        if text is None:
            return
        for chunk in text.chunks:
            self._in_chunks.subtract(chunk.terms.keys())
        self._in_texts.subtract(text.terms.keys())
        self._in_chunks, self._in_texts = +self._in_chunks, +self._in_texts
        self._sorted = None

    def best(self, question: str, *, k: int) -> list[Passage]:
        """The best `k` passages, best first; passages of one file that touch are one."""
        query = self._query(question)
        if not query:
            return []
        lengths = [chunk.length for text in self.texts.values() for chunk in text.chunks]
        mean = max(sum(lengths) / len(lengths), 1) if lengths else 1
        found = [passage for text in self.texts.values() for passage in self._score(text, query, mean, len(lengths))]
        found.sort(key=lambda p: (-p.score, p.text.path, p.first))
        return _merged(found, k)

    def _query(self, question: str) -> dict[str, tuple[str, float]]:
        """The words of the question that are in the library, and their variants."""
        asked = list(dict.fromkeys(words(question))) or [stem(word.lower()) for word in question.split()]
        query: dict[str, tuple[str, float]] = {}
        for word in asked[:64]:
            for term, weight in self._variants(word):
                if term not in query or query[term][1] < weight:
                    query[term] = (word, weight)
        for left, right in zip(asked, asked[1:], strict=False):
            if left + right in self._in_chunks:
                query.setdefault(left + right, (left + right, 1.0))
        return query

    def _variants(self, word: str) -> list[tuple[str, float]]:
        """The word, words that begin with it or that it begins with, and its halves if it is written as one."""
        found = [(word, 1.0)] if word in self._in_chunks else []
        if len(word) >= 4 and word.isalpha():
            found += [(term, PREFIX_WEIGHT) for term in self._beginning(word)]
            found += [(word[:n], PREFIX_WEIGHT) for n in range(4, len(word)) if word[:n] in self._in_chunks]
        if not found and word.isalpha() and len(word) <= MAX_WORD:
            for n in range(3, len(word) - 2):
                halves = (stem(word[:n]), stem(word[n:]))
                if all(half in self._in_chunks for half in halves):
                    found += [(half, 0.7) for half in halves]
        return found

    def _beginning(self, prefix: str) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(term for term in self._in_chunks if term.isalpha())
        start = bisect_left(self._sorted, prefix)
        run = self._sorted[start : start + 20]
        return [term for term in run if term.startswith(prefix) and prefix != term and len(term) <= len(prefix) + 6]

    def _score(self, text: Text, query: Query, mean: float, chunks: int) -> Iterator[Passage]:
        """The passages of one text; `mean` is the mean length of all `chunks`."""
        texts = len(self.texts)
        if all(term not in text.terms for term in query):
            return
        whole = _bm25(text.terms, text.length, query, self._in_texts, texts, mean=mean * chunks / texts)
        for chunk in text.chunks:
            score = _bm25(chunk.terms, chunk.length, query, self._in_chunks, chunks, mean=mean)
            if score > 0:
                yield Passage(text, chunk.first, chunk.last, score + FILE_SHARE * whole)


def _bm25(
    terms: Mapping[str, int],
    length: int,
    query: Query,
    spread: Mapping[str, int],
    count: int,
    *,
    mean: float,
) -> float:
    """BM25, where variants of one word of the question count once, and how much of the question is met counts too."""
    best: dict[str, float] = {}
    asked: dict[str, float] = {}
    norm = K1 * (1 - B + B * length / mean)
    for term, (word, weight) in query.items():
        idf = weight * math.log(1 + (count - spread[term] + 0.5) / (spread[term] + 0.5))
        asked[word] = max(asked.get(word, 0.0), idf)
        if frequency := terms.get(term, 0) / UNIT:
            best[word] = max(best.get(word, 0.0), idf * frequency * (K1 + 1) / (frequency + norm))
    if not best:
        return 0.0
    met = sum(asked[word] for word in best) / (sum(asked.values()) or 1.0)
    return sum(best.values()) * (0.5 + 0.5 * met)


def _merged(found: Sequence[Passage], k: int) -> list[Passage]:
    """At most two passages of a file, the second only if it is nearly as good; neighbours become one."""
    kept: list[Passage] = []
    for passage in found:
        same = [n for n, other in enumerate(kept) if other.text is passage.text]
        near = [n for n in same if kept[n].first - 1 <= passage.last and passage.first <= kept[n].last + 1]
        if near and kept[near[0]].last - kept[near[0]].first < 2 * CHUNK_LINES:
            old = kept[near[0]]
            kept[near[0]] = Passage(old.text, min(old.first, passage.first), max(old.last, passage.last), old.score)
        elif not same or (len(same) == 1 and passage.score >= 0.7 * kept[same[0]].score):
            if len(kept) < k:
                kept.append(passage)
    return kept
