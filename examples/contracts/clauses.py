"""What the clauses of a contract say, read by rule from its PDF: each value with the sentence that it stands in.

A clause is a numbered section; of its sentences, one counts whose words say what it is about. Where nothing is found,
or two sentences of one kind differ, that is said: a person has to look. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = ("term", "notice", "renewal", "payment", "fee", "liability", "penalty", "place", "court", "whole")
_FOOTER = re.compile(r"^\s*page \d+\s*$", re.M)
_HEADING = re.compile(r"^\d+\. \S[^\n]*$", re.M)
_SENTENCE = re.compile(r"[^\s].*?[.:](?=\s|$)", re.S)
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
""".split()  # noqa: SIM905
_TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_WORDS = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 1)}
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_SPAN = re.compile(
    rf"(?:\((?P<brackets>\d+)\)|(?P<figures>\d+)|(?P<words>(?:{_WORD})(?:[ -](?:hundred|and|{_WORD}))*))"
    r"\s+(?P<unit>day|week|month|year)s?\b",
    re.I,
)
_EUROS = re.compile(r"EUR ([\d,]+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?(?:percent|%)")


@dataclass(frozen=True, slots=True)
class Clause:
    """One value of one contract. `value` is a number in `unit`, or a word; the quote stands on `page`, as it is."""

    contract: str
    kind: str
    value: float | str
    unit: str
    page: int
    quote: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as read: `found` by kind; `unsure` holds the kinds of which two sentences say different things."""

    name: str
    pages: tuple[str, ...]
    found: dict[str, Clause]
    unsure: dict[str, tuple[Clause, ...]]


def pages_of(path: Path) -> tuple[str, ...]:
    """The text of each page, without the page number at its foot."""
    from pypdfium2 import PdfDocument  # a worker that is only asked for its schema has no use for it

    document = PdfDocument(path)
    try:
        texts = [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]
    finally:
        document.close()
    return tuple(_FOOTER.sub("", text) for text in texts)


def read(path: Path) -> Contract:
    """Read one contract."""
    pages = pages_of(path)
    by_kind: dict[str, list[Clause]] = {}
    for page, quote in _sentences(pages):
        if (what := _said(quote)) is not None:
            kind, value, unit = what
            by_kind.setdefault(kind, []).append(Clause(path.stem, kind, value, unit, page, quote))
    unsure = {kind: tuple(all_) for kind, all_ in by_kind.items() if len({(c.value, c.unit) for c in all_}) > 1}
    return Contract(path.stem, pages, {k: v[0] for k, v in by_kind.items() if k not in unsure}, unsure)


def _sentences(pages: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every sentence with its page. A line that is a heading is none, and ends the one before."""
    for number, text in enumerate(pages, 1):
        for part in _HEADING.split(text):
            for match in _SENTENCE.finditer(part):
                yield number, " ".join(match[0].split())


def _said(sentence: str) -> tuple[str, float | str, str] | None:
    """(kind, value, unit) of a sentence that one of the rules is about."""
    low = sentence.lower()
    span = _span(sentence)
    if "renew" in low:
        if re.search(r"\bnot renewed|no automatic renewal", low):
            return "renewal", 0.0, "months"
        return ("renewal", _months(*span), "months") if span else None
    if span and re.search(r"\b(terminat\w+|notice of termination|may end this contract)", low):
        return "notice", _days(*span), "days"
    if span and re.search(r"\b(runs for|the term is|are bound for)", low):
        return "term", _months(*span), "months"
    if re.search(r"\b(invoices?|payment)\b.*\b(payable|falls due|is due|no later)|\bpays each invoice", low):
        if "immediately" in low:
            return "payment", 0.0, "days"
        return ("payment", _days(*span), "days") if span else None
    return _money(sentence, low) or _place(low)


def _money(sentence: str, low: str) -> tuple[str, float | str, str] | None:
    euros, percent = _EUROS.search(sentence), _PERCENT.search(sentence)
    if euros and re.search(r"\byearly fee is|\breceives eur", low):
        return "fee", float(euros[1].replace(",", "")), "EUR a year"
    if re.search(r"\bpenalty\b|\bis late\b", low):
        if re.search(r"\bno penalty", low):
            return "penalty", 0.0, "percent a week"
        return ("penalty", float(percent[1]), "percent a week") if percent else None
    if re.search(r"\b(liability|liable|damages)\b", low):
        if "without limit" in low:
            return "liability", "unlimited", ""
        if re.search(r"\bexcluded|\bnot liable", low):
            return "liability", "excluded", ""
        if re.search(r"\b(limited|capped|exceed|more than)\b", low):
            if percent:
                return "liability", float(percent[1]), "percent of the yearly fee"
            return ("liability", float(euros[1].replace(",", "")), "EUR a year") if euros else None
    return None


def _place(low: str) -> tuple[str, float | str, str] | None:
    if "personal data" in low:
        if re.search(r"\breceives no personal data", low):
            return "place", "no data", ""
        inside = "european economic area" in low and not re.search(r"\boutside of|\bany country|\bunited states", low)
        return "place", "inside" if inside else "outside", ""
    if re.search(r"\bjurisdiction\b|\bdisputes\b", low):
        if "arbitration" in low:
            return "court", "neutral", ""
        sides = [side for side in ("customer", "supplier") if side in low]
        return ("court", sides[0], "") if len(sides) == 1 else None
    if "holds all that was agreed" in low:
        return "whole", "yes", ""
    return None


def _span(sentence: str) -> tuple[float, str] | None:
    """The first length of time in a sentence, and its unit."""
    if (match := _SPAN.search(sentence)) is None:
        return None
    figures = match["brackets"] or match["figures"]
    return float(figures) if figures else _number(match["words"]), match["unit"].lower()


def _number(words: str) -> float:
    total = 0
    for word in re.split(r"[ -]", words.lower()):
        if word == "hundred":
            total = max(total, 1) * 100
        elif word != "and":
            total += _WORDS[word]
    return float(total)


def _months(count: float, unit: str) -> float:
    return count * {"year": 12, "month": 1, "week": 7 / 30, "day": 1 / 30}[unit]


def _days(count: float, unit: str) -> float:
    return count * {"year": 360, "month": 30, "week": 7, "day": 1}[unit]
