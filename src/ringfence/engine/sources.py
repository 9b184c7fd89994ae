"""Numbers, quotations and sources of an answer that stand in no result."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Literal

from .deeds import Deed
from .figures import NUMBER, Figures, meant
from .spoken import readings, restated
from .step import leaves
from .verbs import listed
from .words import pathlike, tokens

_QUOTES = (
    re.compile(r"\"([^\"\n]*)\""),
    re.compile(r"“([^“”\n]*)”"),
    re.compile(r"„([^„“”\"\n]*)[“”\"]"),
    re.compile(r"[«»]([^«»\n]*)[«»]"),
    re.compile(r"(?<!\w)['‘]([^'‘’\n]*(?:(?<=\w)['’](?=\w)[^'‘’\n]*)*)['’](?!\w)"),
)
_QUOTE_WORDS = 3
_ELLIPSIS = re.compile(r"\s*(?:\[?(?:\.\.\.|…)\]?)\s*")
_ENUMERATED = re.compile(r"^\s*(?:[-*•]\s*)?\d{1,3}[.)]\s")
_CITED = re.compile(r"(?<!\w)\[(r?\d{1,6})\](?!\()")
_ADVICE = re.compile(
    r"\b(?:you (?:can|could|may|might|should|would)|if you|for example|e\.g\.|such as|would you|let me know|"
    r"(?:du|sie) (?:kannst|können|könntest|könnten|sollten|solltest)|zum beispiel|z\. ?b\.|wenn (?:du|sie))",
    re.I,
)
_DENIES = re.compile(
    r"\b(?:no|not|never|nothing|none|cannot|without|kein\w*|nicht|nichts|does not exist|there is no)\b|n't\b", re.I
)
_SOURCE = listed(
    "in from source sources per see to according laut quelle quellen aus in siehe nach gemäß via at of file datei"
)
_MAX_LOOKS = 400  # quotations and names of one answer that are looked for in all that was shown
_SPACES = re.compile(r"\s+")
_STYLES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "\xa0": " "}
)

Kind = Literal["citation", "artifact"]


class Known:
    """Everything that was shown, said or done, in the form that claims are held against."""

    def __init__(self, task: str, shown: str, done: Sequence[Deed], cited: Collection[int] = ()) -> None:
        given = [str(leaf) for deed in done for leaf in leaves(deed.args)]
        self._shown = "\n".join((shown, task, *given))
        counts = {len(done), sum(d.state == "done" for d in done), sum(not d.reads for d in done)}
        self._figures = Figures(self._shown, counts)
        self._looks = _MAX_LOOKS
        self._handles = {deed.handle for deed in done if deed.handle} | {str(n) for n in cited}
        self._meant: set[Decimal] | None = None
        self._plain: str | None = None
        self._lower: str | None = None

    def quotes(self, sentence: str) -> Iterator[tuple[str, str]]:
        """Quotations of three words or more that stand nowhere."""
        if _ADVICE.search(sentence):
            return
        for start, end in quotations(sentence):
            quote = " ".join(sentence[start:end].split())
            if not self._may_look():
                yield quote, "there are too many quotations to check: quote less"
                return
            parts = [part for part in _ELLIPSIS.split(quote) if part.strip()]
            if not all(plain(part).strip(" .,;:!?") in self._haystack for part in parts):
                yield quote, "these words stand in no result: quote a result word by word, or do not quote"

    def numbers(self, sentence: str) -> Iterator[tuple[str, str]]:
        """Numbers, dates and times that stand nowhere, nor are one that does, rounded or spelled another way."""
        if _ADVICE.search(sentence):
            return
        text = _ENUMERATED.sub(" ", _CITED.sub(" ", sentence))
        for token in tokens(text):
            if pathlike(token) and "@" not in token.raw:
                text = text.replace(token.raw, " ", 1)  # a file or an address is held against the record as a whole
        for number in dict.fromkeys(NUMBER.findall(restated(text, self._figures.knows))):
            if not self._figures.knows(number) and not self._means(number):
                yield number, f"{number} stands in no result: copy the value from a result, or work it out with a tool"

    def _means(self, number: str) -> bool:
        """Whether a number was shown in words, or in another notation."""
        if self._meant is None:
            self._meant = set(readings(self._shown))
        return not self._meant.isdisjoint(meant(number))

    def named(self, sentence: str) -> Iterator[tuple[Kind, str, str]]:
        """Sources and files that no result has shown."""
        for match in _CITED.finditer(sentence):
            mark = match.group(1)
            if mark not in self._handles and f"[{mark}]" not in self._shown:
                yield "citation", f"[{mark}]", f"no result is called [{mark}]"
        if _ADVICE.search(sentence) or _DENIES.search(sentence):
            return
        words = tokens(sentence)
        for i, token in enumerate(words):
            if not pathlike(token) or (self._may_look() and self._has(token.raw)):
                continue
            before = words[i - 1].word if i else ""
            kind: Kind = "citation" if before in _SOURCE or token.raw.startswith("http") else "artifact"
            yield kind, token.raw, f"no result has shown {token.raw[:120]}"

    def _may_look(self) -> bool:
        self._looks -= 1
        return self._looks >= 0

    def _has(self, name: str) -> bool:
        if self._lower is None:
            self._lower = self._shown.casefold()
        small = name.casefold().removeprefix("./").rstrip("/")
        return small in self._lower or (small.startswith("http") and small.partition("://")[2] in self._lower)

    @property
    def _haystack(self) -> str:
        if self._plain is None:
            self._plain = plain(self._shown)
        return self._plain


def quotations(text: str, *, least: int = _QUOTE_WORDS) -> Iterator[tuple[int, int]]:
    """Where quotations of so many words and more stand, without their marks: first and last character, half open."""
    for pattern in _QUOTES:
        for match in pattern.finditer(text):
            if len(match.group(1).split()) >= least:
                yield match.span(1)


def pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a quotation between its ellipses."""
    at = start
    for gap in _ELLIPSIS.finditer(text, start, end):
        if at < gap.start():
            yield at, gap.start()
        at = gap.end()
    if at < end:
        yield at, end


def stands(quote: str, text: str) -> tuple[int, int] | None:
    """Where the words of a quotation stand in a text: style of quotes, dashes, spaces and case aside; else None."""
    words = [re.escape(word) for word in _folded(quote.strip(" .,;:!?\n\t"))[0].split()]
    if not words:
        return None
    small, places = _folded(text)
    match = re.search(r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)", small)
    return (places[match.start()], places[match.end() - 1] + 1) if match else None


def _folded(text: str) -> tuple[str, list[int]]:
    """A text in small letters and plain signs, without emphasis, and where each of its characters comes from."""
    small, places = [], []
    for at, sign in enumerate(text.translate(_STYLES)):
        for one in "" if sign in "*`" else sign.casefold():
            small.append(one)
            places.append(at)
    return "".join(small), places


def plain(text: str) -> str:
    """Without regard to quote style, spaces and letters' case."""
    text = text.replace("\\n", " ").replace('\\"', '"').replace("\\'", "'").translate(_STYLES)
    return _SPACES.sub(" ", text.replace('"', "").replace("'", "").replace("*", "").replace("`", "")).casefold().strip()
