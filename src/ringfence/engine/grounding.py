"""Whether an answer stands in the passages that it was made from: sentence by sentence, without a model.

A small model forgets its `[n]`, or takes the wrong one. So the marks that are shown are not the model's but what was
found here: a sentence gets the number of the passage that holds its numbers, names and words, and one that no passage
holds gets none, and a flag. Never raises; linear in the answer for so many passages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ringfence.core.values import JSON

from . import sources
from .claims import Flag, without
from .facts import Facts, Hay, facts, is_german
from .marks import MARK, marked, tidied, unmarked
from .passages import Passage, parsed, span
from .silence import abstains
from .spoken import restated
from .words import units

MAX_ANSWER = 16_384  # characters of an answer that are held against passages; the rest is not shown
MAX_SENTENCES = 300
MAX_SHOWN = 1_000_000  # characters of what other tools said, that a number may come from
_ENOUGH, _SOME, _LITTLE = 0.5, 0.34, 0.2  # shares of a sentence's words that a passage holds
_QUOTED = 300  # characters of a passage that a source repeats
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_FENCE = re.compile(r"^[ \t]*```[^`]*(?:```|\Z)", re.M)
_HEADING = re.compile(r"\s*#{1,6}\s|\s*\|?[\s|:+=-]+\|?\s*\Z")
_CLAUSE = re.compile(r",\s+|;\s+|\s+(?:and|und|while|whereas|während|sowie|but|aber)\s+")
_INTRO = re.compile(r":[*_]{0,3}\s*\Z")
_NO_QUOTE = "these words stand in no passage: quote a passage word by word, or do not quote"
_NESTED = 5  # quotation marks within one another
_OUTER = "\"'“”„‘’«»"


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that an answer rests on, checked: `quote` stands word for word at characters `at` of the document.

    chars, at  first and last character, half open; (0, 0) where the passage does not say where it lies
    """

    n: int
    document: str
    title: str = ""
    page: int = 0
    headings: str = ""
    chars: tuple[int, int] = (0, 0)
    quote: str = ""
    at: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, JSON]:
        """As it is on record, and printed by `--json`."""
        plain: dict[str, JSON] = {"n": self.n, "document": self.document}
        given = {"title": self.title, "page": self.page, "headings": self.headings, "quote": self.quote}
        plain |= {name: value for name, value in given.items() if value}
        spans = {"chars": self.chars, "at": self.at}
        return plain | {name: f"{start}-{end}" for name, (start, end) in spans.items() if end}

    @classmethod
    def of(cls, plain: Mapping[str, JSON]) -> Source:
        """From what is on record."""
        passage = next(parsed({**plain, "text": plain.get("quote", "")}))
        quote, chars = passage.text, (passage.start, passage.end)
        at = span(plain.get("at"))
        return cls(passage.n, passage.document, passage.title, passage.page, passage.headings, chars, quote, at)


@dataclass(frozen=True, slots=True)
class Grounded:
    """An answer with marks that were checked, what they stand for, and the sentences that nothing supports."""

    answer: str
    sources: tuple[Source, ...] = ()
    flags: tuple[Flag, ...] = ()


def grounded(
    answer: str, passages: Mapping[int, Passage], task: str, *, shown: str = "", strict: bool = False
) -> Grounded:
    """Hold an answer against the passages of its run.

    shown   what other tools said: what stands there needs no passage
    strict  leave out what nothing supports; the answer is empty if that is all of it
    """
    if not passages:
        return Grounded(answer)
    try:
        held = _Held(passages, task, shown[-MAX_SHOWN:])
    except (ValueError, OverflowError):  # of numbers that are none
        return Grounded(unmarked(answer))
    text = held.taken(tidied(answer[:MAX_ANSWER], passages))
    if strict and held.flags:
        text = without(text, held.flags)
        if not re.search(r"\w", text):
            return Grounded("", (), tuple(held.flags))
    cited = {n for n in marked(_FENCE.sub(_blank, text)) if n in passages}  # a[1] in code is an index
    return Grounded(text, tuple(held.source(n) for n in sorted(cited)), tuple(held.flags))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


@dataclass
class _Held:
    """The passages taken apart, and what has been found of one answer."""

    passages: Mapping[int, Passage]
    task: str
    shown: str
    flags: list[Flag] = field(default_factory=list)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # what of a passage was quoted

    def __post_init__(self) -> None:
        self._hays = {n: Hay("\n".join((p.document, p.title, p.headings, p.text))) for n, p in self.passages.items()}
        self._other, self._asked = Hay(self.shown), Hay(self.task)
        self._known = " ".join((*(hay.small for hay in self._hays.values()), self._other.small, self._asked.small))
        self._stated: dict[int, list[Facts]] = {}
        self._whose: dict[str, int] = {}  # quotations, and the passage that has each

    def taken(self, text: str) -> str:
        """The answer with the marks that hold; flags are kept by their place in it."""
        text, strays = self._quotes(text)
        blank = _FENCE.sub(_blank, text)
        for start, end in list(sources.quotations(blank, least=1)):  # a sentence does not end within one
            end = start + len(blank[start:end].rstrip(".!?… "))
            blank = f"{blank[:start]}{'x' * (end - start)}{blank[end:]}"
        spans = sorted((*units(blank), *(match.span() for match in _FENCE.finditer(text))))
        out: list[str] = []
        size = last = 0
        for start, end in spans[:MAX_SENTENCES]:
            part = blank[start:end] if blank[start:end].strip() else text[start:end]
            begin, stop = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
            said, why = self._code(text[begin:stop]) if _FENCE.match(text, begin) else self._sentence(text[begin:stop])
            stray = next((words for words in strays if words in text[begin:stop]), "")
            if stray:
                why = Flag("quote", stray[:200], _NO_QUOTE)
            out += [text[last:begin], said]
            at = size + begin - last
            size, last = at + len(said), stop
            if why is not None:
                self.flags.append(replace(why, at=(at, size + end - stop)))
        return "".join(out) + (text[last:] if len(spans) <= MAX_SENTENCES else "")

    def _code(self, code: str) -> tuple[str, Flag | None]:
        """Code stands as it is; what no passage has of it is flagged."""
        first, *lines = code.strip("`").split("\n")
        lines = [line for line in lines if line.strip(" `")]
        if first.strip() and not (lines and _LANGUAGE.fullmatch(first.strip())):
            lines.insert(0, first)
        everything = (self.shown, self.task, *(passage.text for passage in self.passages.values()))
        strays = [line for line in lines if not any(sources.stands(line.strip("` "), text) for text in everything)]
        return code, Flag("unsupported", strays[0].strip()[:200], "no passage has this line") if strays else None

    def _sentence(self, sentence: str) -> tuple[str, Flag | None]:
        """A sentence with the marks that hold, and what speaks against it."""
        marks, bare = marked(sentence), unmarked(sentence)
        wanted = [n for n in dict.fromkeys(marks) if n in self.passages]
        plain = restated(bare, self._known_figure)
        stated = facts(plain, known=self._known)
        if not stated.claims or _HEADING.match(bare) or bare.rstrip(_OUTER + ")*").endswith("?"):
            return with_marks(bare, wanted if marks == wanted else []), None
        if _INTRO.search(bare) and not (stated.numbers or stated.names):
            return bare, None
        whose = [n for a, b in sources.quotations(bare) if (n := self._whose.get(bare[a:b]))]
        found = self._support(plain, stated, [*dict.fromkeys((*whose, *wanted))])
        if found:
            for n in found:
                self._stated.setdefault(n, []).append(stated)
            return with_marks(bare, found), None
        if abstains(bare) or self._elsewhere(stated):
            return bare, None
        return bare, self._unsupported(bare, stated, [n for n in marks if n not in self.passages])

    def _known_figure(self, number: str) -> bool:
        return any(hay.has_figure(number) for hay in (*self._hays.values(), self._other))

    def _unsupported(self, bare: str, stated: Facts, strays: Sequence[int]) -> Flag:
        best = max(self._hays.values(), key=lambda hay: (-sum(1 for _ in hay.missing(stated)), hay.share(stated)))
        missing = list(dict.fromkeys(best.missing(stated)))[:3]
        why = f"{', '.join(missing)} stands in no passage that says this" if missing else "no passage says this"
        if strays:
            return Flag("citation", f"[{strays[0]}]", f"there is no passage [{strays[0]}], and {why}")
        return Flag("unsupported", " ".join(bare.split())[:200], why)

    def _quotes(self, text: str) -> tuple[str, list[str]]:
        """The answer with its quotations as the passages have them, and those that are nobody's.

        What stands nowhere loses its quotation marks; so others may come to be the outermost.
        """
        strays: list[str] = []
        for _ in range(_NESTED):
            known, at = len(strays), len(text) + 1
            wanted = [n for n in dict.fromkeys(marked(text)) if n in self.passages]
            for start, end in sorted(set(sources.quotations(text)), reverse=True):
                if end > at:  # within one that was looked at
                    continue
                at, said = start, self._verbatim(text, start, end, wanted)
                if said is None:
                    said = text[start:end]
                    strays.append(said.strip())
                    start, end = start - 1, end + 1
                text = text[:start] + said + text[end:]
            if len(strays) == known:
                break
        return text, strays

    def _verbatim(self, text: str, start: int, end: int, wanted: Sequence[int]) -> str | None:
        """A quotation in the words of the passage that has all pieces of it; None: nobody said that."""
        parts = list(sources.pieces(text, start, end))
        for n in [*wanted, *(n for n in self.passages if n not in wanted)]:
            there = [sources.stands(text[a:b], self.passages[n].text) for a, b in parts]
            if parts and all(there):
                out, last = "", start
                for (a, b), span in zip(parts, there, strict=True):
                    assert span is not None
                    self.spans.setdefault(n, span)
                    tail = re.search(r"[\s.,;:!?]*\Z", text[a:b])
                    words = " ".join(self.passages[n].text[span[0] : span[1]].split())
                    out += text[last:a] + words + (tail.group() if tail else "")
                    last = b
                out += text[last:end]
                self._whose[out] = n
                return out
        said = any(sources.stands(text[start:end], whole) for whole in (self.task, self.shown))
        return text[start:end] if said else None

    def _support(self, bare: str, stated: Facts, wanted: list[int]) -> list[int]:
        """The passages that a sentence rests on: those that it names, if they hold it, else the one that does."""
        alone = [n for n in wanted if self._holds(n, stated, cited=True)]
        if alone:
            return alone
        if len(wanted) > 1 and not list(self._union(wanted).missing(self._rest(stated))):
            return [n for n in wanted if self._adds(n, stated)]
        holding = [n for n in self.passages if self._holds(n, stated, cited=False)]
        if not holding and self._strong(stated):  # in another language than the passage, no word is the same
            holding = [n for n in self.passages if not any(self._hays[n].missing(stated))]
            holding = holding if len(holding) == 1 else []
        if holding:
            return [max(holding, key=lambda n: (self._hays[n].share(stated), -n))]
        return self._by_clauses(bare)

    def _by_clauses(self, bare: str) -> list[int]:
        """The passages of a sentence each clause of which stands in one; none if there is a clause that does not."""
        found: list[int] = []
        clauses = [clause for clause in _CLAUSE.split(bare) if clause.strip()]
        if len(clauses) < 2:
            return []
        for clause in clauses:
            stated = facts(clause, known=self._known)
            if not stated.claims:
                continue
            if len(stated.numbers) + len(stated.names) + len(stated.words) < 2:
                return []
            holding = [n for n in self.passages if self._holds(n, stated, cited=False)]
            if not holding:
                return []
            found.append(max(holding, key=lambda n: (self._hays[n].share(stated), -n)))
        return sorted(set(found))

    def _holds(self, n: int, stated: Facts, *, cited: bool) -> bool:
        hay = self._hays[n]
        if any(hay.missing(stated)):
            stated = self._rest(stated)
        if any(hay.missing(stated)):
            return False
        if not (stated.numbers or stated.names):
            return hay.share(stated) >= _ENOUGH and bool(stated.words)
        return hay.share(stated) >= _SOME or (cited and (hay.share(stated) >= _LITTLE or self._strong(stated)))

    def _rest(self, stated: Facts) -> Facts:
        """Without what another tool said: a sum that was worked out stands in no document."""
        if not self.shown:
            return stated
        numbers = tuple((n, unit) for n, unit in stated.numbers if not self._other.has_number(n, unit))
        names = tuple(name for name in stated.names if not self._other.has_name(name))
        return replace(stated, numbers=numbers, names=names)

    def _strong(self, stated: Facts) -> bool:
        """Whether it states something that hardly stands in a text by chance, and that the user did not say first."""
        numbers = [n for n, unit in stated.numbers if (unit or len(n) > 2) and not self._asked.has_number(n, unit)]
        return bool(numbers) or any(not self._asked.has_name(name) for name in stated.names)

    def _union(self, ns: Sequence[int]) -> Hay:
        return Hay("\n".join(self._hays[n].text for n in ns))

    def _adds(self, n: int, stated: Facts) -> bool:
        hay = self._hays[n]
        missing = set(hay.missing(stated))
        return len(missing) < len({number for number, _ in stated.numbers} | set(stated.names))

    def _elsewhere(self, stated: Facts) -> bool:
        """Whether it is about what another tool said."""
        some = stated.numbers or stated.names
        enough = self._other.share(stated) >= (_SOME if some else _ENOUGH)
        return bool(self.shown) and enough and not any(self._other.missing(stated))

    def source(self, n: int) -> Source:
        """What a mark stands for: the passage, and what of it was quoted, or says it best."""
        passage = self.passages[n]
        start, end = self.spans.get(n) or self._best(passage, self._stated.get(n, ()))
        end = min(end, start + _QUOTED)
        at = (passage.start + start, passage.start + end) if passage.end else (0, 0)
        return Source(
            n,
            passage.document,
            passage.title,
            passage.page,
            passage.headings,
            (passage.start, passage.end),
            passage.text[start:end],
            at,
        )

    @staticmethod
    def _best(passage: Passage, stated: Sequence[Facts]) -> tuple[int, int]:
        best, found = -1.0, (0, 0)
        for start, end in _stripped(passage.text):
            hay = Hay(passage.text[start:end])
            score = sum(
                2.0 * sum(hay.has_number(*number) for number in one.numbers)
                + 2.0 * sum(map(hay.has_name, one.names))
                + sum(map(hay.has_word, one.words))
                for one in stated
            )
            if score > best:
                best, found = score, (start, end)
        return found


def _stripped(text: str) -> Iterator[tuple[int, int]]:
    for count, (start, end) in enumerate(units(text)):
        if count >= MAX_SENTENCES:
            return
        part = text[start:end]
        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())


_END = re.compile(r"[.!?…;:]*[)*_]*\s*\Z|\s*\|\s*\Z")


def with_marks(sentence: str, ns: Sequence[int]) -> str:
    """A sentence with its marks before its last point, behind a quotation, or in the last cell of a row."""
    if not ns:
        return sentence
    marks = "".join(f"[{n}]" for n in sorted(set(ns)))
    at = match.start() if (match := _END.search(sentence)) else len(sentence)
    return f"{sentence[:at]} {marks}{sentence[at:]}"


__all__ = ["MARK", "Grounded", "Source", "grounded", "is_german", "with_marks"]
