"""Who vouches for a value: typed provenance (DESIGN 7, POL-4). Substring and blocklist matching are not provenance.

A value is vouched for as a whole and as one kind: a date that the user wrote is no street. Kinds with a written form
(`FORMS`) are taken from the user's text token by token; any other kind (a name, a title) is a run of whole words that
has none of the strict forms; and quotation marks make any span a value of whatever kind it may have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from .values import JSON

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WRITTEN_DATES: Final = (  # with the places of day, month and year
    (re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b", re.I), (2, 1, 3)),
    (re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(\d{{4}})\b", re.I), (1, 2, 3)),
)
FORMS: Final = {  # what a token has to look like, as a whole, to be of a kind
    "url": re.compile(r"(?:https?://|www\.)[^\s<>]+", re.I),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "time": re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"),
    "ip": re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+:[0-9a-f]*", re.I),
    "iban": re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}"),
    "phone": re.compile(r"\+\d[\d-]{6,}\d"),
    "number": re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"),
    "host": re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?", re.I),
    "path": re.compile(r"(?:~|\.{1,2})?/[^\s<>:]*|[\w.-]+(?:/[\w.-]+)+/?|[\w-]+(?:\.[\w-]+)*\.[a-z]\w{0,7}", re.I),
    "id": re.compile(r"(?=[^\s]*\d)[A-Za-z0-9]+(?:[-_:.][A-Za-z0-9]+)*"),
}
ADDRESSES: Final = ("email", "iban", "phone")  # who gets something, unmistakably
_STRICT: Final = ("url", "email", "date", "time", "ip", "iban", "phone", "number")  # never taken for a name
_EDGES: Final = "\"'`()[]{}<>,;:?!.*_“”‘’«»"
_QUOTED: Final = re.compile(
    r"\"([^\"\n]{1,500})\"|“([^“”\n]{1,500})”|`([^`\n]{1,500})`|«([^«»\n]{1,500})»|(?<!\w)'([^'\n]{1,500})'(?!\w)|‘([^‘’\n]{1,500})’"
)
_STOPS: Final = (".", "!", "?", ";", ":")
_CURRENCY: Final = "$€£¥%"
_NUMBERED: Final = re.compile(r"(?:\b(?:ids?|no|nr|number)\b[.:=]?|#)\s{0,3}(\w[\w.:-]*)", re.I)
_SHORT_ID: Final = 5  # a bare number of fewer digits is an amount or a place in a list, unless it is called an id
_RUN_ON: Final = re.compile(r"(?<=[a-z]{2})\.(?=[A-Z][a-z])")  # a full stop with no space behind it
_DAY: Final = re.compile(
    rf"\b(?:{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH})\b", re.I
)
_YEAR: Final = re.compile(r"\b((?:19|20)\d\d)\b")
_SPAN: Final = re.compile(
    r"\b(\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|half an)[\s-]+(hour|minute|min|day|week)s?\b", re.I
)
_COUNTS: Final = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "half an": 0.5,
}
_MINUTES: Final = {"hour": 60, "minute": 1, "min": 1, "day": 1440, "week": 10080}
_MAX_LEAVES: Final = 2_000  # of one result
_MAX_VALUE: Final = 2_000  # characters of a value that anybody vouches for


class Words:
    """What the user has written, ready to be asked whether it vouches for a value."""

    __slots__ = ("_flat", "_forms", "_quoted", "spans")

    def __init__(self, texts: Iterable[str]) -> None:
        self._forms: dict[str, set[JSON]] = {kind: set() for kind in FORMS}
        self._quoted: set[str] = set()
        self.spans: set[float] = set()  # durations, in minutes
        flat = []
        for text in (_RUN_ON.sub(". ", text) for text in texts):
            self._quoted.update(span.strip() for found in _QUOTED.findall(text) for span in found if span)
            self._forms["date"].update(_dates(text))
            self._forms["id"].update(found.rstrip(_EDGES) for found in _NUMBERED.findall(text))
            self.spans.update(_spans(text))
            tokens = [_bare(token) for token in text.split()]
            flat.append(_flat(text))
            for token in dict.fromkeys(tokens):
                for kind in forms_of(token):
                    if kind != "id" or not token.isdecimal() or len(token) >= _SHORT_ID:
                        self._forms[kind].add(normal(token, kind))
        self._flat = f" {' | '.join(flat)} "

    def vouch(self, value: JSON, kind: str) -> bool:
        """Whether the user wrote `value`, as a whole, as a value of this kind; "" for one that nobody declared."""
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _MAX_VALUE:
            return False
        text, found = str(value), forms_of(str(value))
        if kind == "datetime":
            date, _, time = str(normal(value, kind)).partition(" ")
            return self.vouch(date, "date") and (time in ("00:00", "23:59") or self.vouch(time, "time"))
        if kind in FORMS and kind in found and normal(value, kind) in self._forms[kind]:
            return True
        if kind in _STRICT and kind not in found:
            return False
        if kind in found or not any(strict in found for strict in _STRICT):
            if text.strip() in self._quoted:
                return True
            return bool(kind) and kind not in FORMS and _plain(text) and self.wrote(text)
        return False

    def names(self, kind: str) -> bool:
        """Whether the user wrote any value of a kind with a written form."""
        return bool(self._forms[kind])

    def wrote(self, text: str) -> bool:
        """Whether a text is, word for word, part of what the user wrote; case and punctuation between words aside."""
        words = _flat(text).rstrip("| ")
        return bool(words) and f" {words} " in self._flat


def forms_of(token: str) -> list[str]:
    """The kinds that a token has the form of."""
    bare = token.strip(_CURRENCY)
    return [kind for kind, form in FORMS.items() if form.fullmatch(bare if kind == "number" else token)]


def fits(value: JSON, kind: str) -> bool:
    """Whether a value has the form of its kind, if that has one."""
    return kind not in FORMS or kind in forms_of(str(value))


def normal(value: JSON, kind: str) -> JSON:
    """A value in the form in which two of one kind are compared."""
    text = str(value)
    match kind:
        case "number" if FORMS["number"].fullmatch(text.strip(_CURRENCY)):
            return Decimal(text.strip(_CURRENCY).replace(",", ""))
        case "time":
            return text.rjust(5, "0") if text.count(":") == 1 else text
        case "datetime":
            return re.sub(r"^(\S{10})[T ](\d\d:\d\d)(?::00)?Z?$", r"\1 \2", text)
        case "email" | "host":
            return text.lower() if text.isascii() else text  # what folds to the same letters is another address
    return value if isinstance(value, str) else text


def earlier(moment: JSON, minutes: float) -> str:
    """A datetime (`2024-05-03 09:30`) so many minutes before; "" for what is none."""
    try:
        return (datetime.fromisoformat(str(moment)) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return ""


def between(*moments: str) -> float:
    """Minutes between two datetimes; 0 for fewer, or for what is none."""
    try:
        first, second = map(datetime.fromisoformat, moments)
        return abs((second - first).total_seconds()) / 60
    except (ValueError, TypeError):
        return 0.0


def _dates(text: str) -> Iterator[str]:
    """Dates in words, as ISO 8601."""
    for pattern, (day, month, year) in _WRITTEN_DATES:
        for found in pattern.finditer(text):
            yield _iso(found[year], found[month], found[day])
    years = _YEAR.findall(text)
    for month_first, day_after, day_first, month_after in _DAY.findall(text):
        yield from (_iso(year, month_first or month_after, day_after or day_first) for year in years)


def _iso(year: str, month: str, day: str) -> str:
    return f"{year}-{_MONTHS.index(month[:3].casefold()) + 1:02}-{int(day):02}"


def _spans(text: str) -> Iterator[float]:
    """Durations in words, in minutes."""
    for count, unit in _SPAN.findall(text.casefold()):
        yield (_COUNTS.get(count) or float(count)) * _MINUTES[unit]


def _bare(token: str) -> str:
    """A token without the punctuation around it."""
    bare = token.strip(_EDGES)
    return bare[:-2] if bare.endswith(("'s", "’s")) else bare


def _plain(text: str) -> bool:
    """Whether words are all there is to a text: nothing hides in its spaces or at its edges."""
    tokens = text.split()
    inner = all(token.removesuffix(",").startswith(_bare(token) or "|") for token in tokens[:-1])
    return bool(tokens) and " ".join(tokens) == text and inner and tokens[-1] == _bare(tokens[-1])


def _flat(text: str) -> str:
    """The words of a text in small letters, a bar where a sentence ends: no name runs across it."""
    parts = ((_bare(token), token.rstrip("\"'`)]}>*_”’»")[-1:] in _STOPS) for token in text.split())
    return " ".join(bare + " |" * stop if bare else "|" for bare, stop in parts).casefold()


def scalars(value: JSON, at: str = "") -> Iterator[tuple[str, JSON]]:
    """Every scalar in a value with its JSON pointer (RFC 6901), in order; an empty list or object counts as one."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from scalars(item, f"{at}/{_escaped(key)}")
    elif isinstance(value, list) and value:
        for n, item in enumerate(value):
            yield from scalars(item, f"{at}/{n}")
    else:
        yield at, value


def _escaped(key: str) -> str:
    """RFC 6901, and `~2` for the `#` that stands for a name at the end of a pointer of ours."""
    return key.replace("~", "~0").replace("/", "~1").replace("#", "~2")


def _plainly(part: str) -> str:
    return part.replace("~2", "#").replace("~1", "/").replace("~0", "~")


def names(value: JSON, at: str = "") -> Iterator[tuple[str, str]]:
    """Every name of a member of an object in a value, with the JSON pointer of the member."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        pointer = f"{at}/{_escaped(str(key))}"
        if isinstance(key, str):
            yield pointer, key
        yield from names(item, pointer)


def declared(value: JSON, patterns: Iterable[str]) -> Iterator[tuple[str | None, str]]:
    """(pointer, pattern) of every scalar of a result that a pattern declares; no pointer for what lies beneath one.

    In a pattern `*` stands for every member, and `#` at its end for the name of the member instead of its value.
    """
    tries = [(pattern, pattern.removesuffix("#").split("/"), pattern.endswith("#")) for pattern in patterns]
    for pointer, item in islice(scalars(value) if tries else (), _MAX_LEAVES):
        parts = pointer.split("/")
        for pattern, wanted, name in tries:
            if len(parts) < len(wanted) or not all(w in ("*", p) for w, p in zip(wanted, parts, strict=False)):
                continue
            whole = len(parts) == len(wanted) and (name or isinstance(item, str | int | float))
            yield (pointer + "#" * name if whole else None), pattern


def crowded(value: JSON) -> bool:
    """Whether a value has more scalars than `declared` looks at."""
    return any(True for _ in islice(scalars(value), _MAX_LEAVES, None))


def sole(text: str, kind: str) -> str:
    """The only value of a kind that stands in a text, or "" if there is none or more than one."""
    form = FORMS.get(kind)
    found = (token for token in map(_bare, text.split()) if form is not None and form.fullmatch(token))
    tokens = {normal(token, kind): token for token in found}
    return next(iter(tokens.values())) if len(tokens) == 1 else ""


def at(value: JSON, pointer: str) -> JSON:
    """What a JSON pointer points to, or with `#` at its end the name of that; raises LookupError for nothing."""
    if pointer.endswith("#"):
        return _plainly(pointer.rpartition("/")[2][:-1])
    for part in pointer.split("/")[1:]:
        key = _plainly(part)
        if isinstance(value, list):
            if not key.isdecimal() or len(key) > 9:
                raise LookupError(key)
            value = value[int(key)]
        elif isinstance(value, Mapping):
            value = value[key]
        else:
            raise LookupError(key)
    return value
