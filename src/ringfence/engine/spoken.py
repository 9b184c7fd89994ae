"""Numbers in words, English and German, and those of figures and a word: fifteen, a fortnight, 1.2 million, 4 pm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from .figures import values

_SMALL = {
    word: number
    for number, words in {
        1: "one ein eins eine einen einem einer", 2: "two zwei twice zweimal", 3: "three drei thrice dreimal",
        4: "four vier", 5: "five fünf", 6: "six sechs", 7: "seven sieben", 8: "eight acht", 9: "nine neun",
        10: "ten zehn", 11: "eleven elf", 12: "twelve zwölf", 13: "thirteen dreizehn", 14: "fourteen vierzehn",
        15: "fifteen fünfzehn", 16: "sixteen sechzehn", 17: "seventeen siebzehn", 18: "eighteen achtzehn",
        19: "nineteen neunzehn",
    }.items()
    for word in words.split()
}  # fmt: skip
_TENS = {
    word: number
    for number, words in {
        20: "twenty zwanzig", 30: "thirty dreißig dreissig", 40: "forty vierzig", 50: "fifty fünfzig",
        60: "sixty sechzig", 70: "seventy siebzig", 80: "eighty achtzig", 90: "ninety neunzig",
    }.items()
    for word in words.split()
}  # fmt: skip
_SCALES = {"hundred": 100, "hundert": 100, "thousand": 1000, "tausend": 1000}
_UNITS = "|".join(word for word, number in _SMALL.items() if number < 10)
_PLAIN = "|".join(sorted((*_SMALL, *_TENS), key=len, reverse=True))
_HUNDREDS = rf"(?:(?:{_UNITS})?hundert(?:und)?)?(?:(?:(?:{_UNITS})und)?(?:{'|'.join(_TENS)})|{_PLAIN})?"
_GERMAN = re.compile(rf"(?:(?:{_HUNDREDS})tausend(?:und)?)?{_HUNDREDS}")
_ENGLISH = rf"(?:{_PLAIN}|hundred|thousand)"
_SAID = re.compile(
    rf"\b{_ENGLISH}(?:(?:-|[ \t]{{1,2}}(?:and )?){_ENGLISH})*\b"
    rf"|\b(?=[a-zäöüß]*(?:hundert|tausend|zig|ßig|ssig))[a-zäöüß]{{5,60}}\b",
    re.I,
)
_TOKEN = re.compile(r"[^\W\d_]+")
_FIRST = frozenset((*_SMALL, *_TENS, *_SCALES))
_COMPOUND = ("zig", "ßig", "ssig", "hundert", "tausend")
_WORD = re.compile(r"[a-zäöüß]+")
_TIMES = {
    "k": 1000, "thousand": 1000, "tausend": 1000, "tsd": 1000, "dozen": 12, "dutzend": 12, "million": 10**6,
    "millions": 10**6, "millionen": 10**6, "mio": 10**6, "mn": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9,
    "milliarde": 10**9, "milliarden": 10**9, "mrd": 10**9, "hundred": 100, "hundert": 100,
}  # fmt: skip
_SCALED = re.compile(rf"(?<![\w.,])(\d{{1,12}}(?:[.,]\d{{1,12}}){{0,4}})[ \t]?({'|'.join(_TIMES)})\b", re.I)
_WORDED = re.compile(rf"\b({_PLAIN}|an?|einer?|eine) (dozen|dutzend|million(?:en)?|billion|milliarden?)\b", re.I)
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:(?:[ '’\u00a0\u202f])\d{3}){1,4}(?![\w]|[.,]\d{3})(?:[.,]\d{1,12})?")
_AFTERNOON = re.compile(r"(?<![\w.,:])(\d{1,2})(?:[:.](\d\d))?[ \t]?([ap])\.?m\b", re.I)
_CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2}):(\d\d)(?![\d:])")
_DAY = re.compile(r"(?<![\w.,/])(\d{1,2})([/.])(\d{1,2})[/.](\d{4})(?![\d/])")
_LASTS = re.compile(
    r"(?<![\w.,])(\d{1,4}) (?:hours?|Stunden?)(?:,| and| und)? (\d{1,2})(?= (?:minutes?|Minuten?)\b)", re.I
)
_HALF = re.compile(r"\bhalf(?= (?:of|the)\b)|\bdie Hälfte\b", re.I)
_PERCENT = re.compile(r"(?<![\w.,])(\d{1,12}(?:\.\d{1,12})?)[ \t]?(?:%|percent\b)")
_Ways = Callable[[re.Match[str]], list[str]]
_FORTNIGHT = re.compile(r"\bfortnight", re.I)


def in_words(text: str) -> Iterator[tuple[int, int, int]]:
    """Numbers in words: where each begins and ends, and how many that is."""
    upto = 0
    for token in _TOKEN.finditer(text):
        word = token[0].lower()
        if token.start() < upto or not (word in _FIRST or any(part in word for part in _COMPOUND)):
            continue
        if not (match := _SAID.match(text, token.start())):
            continue
        upto, said = match.end(), match[0].lower()
        if number := _german(said):
            yield *match.span(), number
        else:
            yield from ((match.start() + a, match.start() + b, n) for a, b, n in _english(said))


def readings(text: str) -> Iterator[Decimal]:
    """Further numbers that a text says than those that stand in it in plain figures."""
    for _, _, number in in_words(text):
        yield Decimal(number)
    for figure, times in _SCALED.findall(text):
        yield from (value * _TIMES[times.casefold()] for value in values(figure))
    for word, times in _WORDED.findall(text):
        small = word.casefold()
        yield Decimal(_SMALL.get(small) or _TENS.get(small, 1)) * _TIMES[times.casefold()]
    for match in _GROUPED.finditer(text):
        try:
            yield Decimal(re.sub(r"[^\d.]", "", match[0].replace(",", ".")))
        except InvalidOperation:
            continue
    for hour, _, half in _AFTERNOON.findall(text):
        yield Decimal(int(hour) % 12 + (12 if half in "pP" else 0))
    if _FORTNIGHT.search(text):
        yield Decimal(14)


def restated(text: str, known: Callable[[str], bool]) -> str:
    """The text with what is known in plain figures alone in these: 17:30 for 5:30 pm, 1200000 for 1.2 million."""
    for pattern, ways in _WAYS:

        def plain(found: re.Match[str], pattern: re.Pattern[str] = pattern, ways: _Ways = ways) -> str:
            if pattern is not _HALF and known(found[1] if pattern is _PERCENT else found[0]):
                return found[0]
            return next((way for way in ways(found) if known(way)), found[0])

        text = pattern.sub(plain, text)
    last, out = 0, []
    for start, end, number in in_words(text):
        if number > 1 and known(str(number)):
            out += [text[last:start], str(number)]
            last = end
    return "".join((*out, text[last:]))


def _at(found: re.Match[str]) -> list[str]:
    hour, minute = int(found[1]), found[2] or "00"
    if found.re is _AFTERNOON:
        hour = hour % 12 + (12 if found[3] in "pP" else 0)
    return [f"{hour:02}:{minute}", f"{hour}:{minute}"]


def _on(found: re.Match[str]) -> list[str]:
    day, month, year = int(found[1]), int(found[3]), found[4]
    ways = [(day, month), (month, day)] if found[2] == "/" else [(day, month)]
    return [f"{year}-{m:02}-{d:02}" for d, m in ways if m <= 12]


def _minutes(found: re.Match[str]) -> list[str]:
    return [str(60 * int(found[1]) + int(found[2]))]


def _fifty(_: re.Match[str]) -> list[str]:
    return ["50"]


def _scaled(found: re.Match[str]) -> list[str]:
    times = _TIMES[found[2].casefold()]
    return [f"{(value * times).normalize():f}" for value in values(found[1])] if found[2].casefold() != "m" else []


def _grouped(found: re.Match[str]) -> list[str]:
    return [re.sub(r"[^\d.,]", "", found[0])]


def _share(found: re.Match[str]) -> list[str]:
    return [] if int(Decimal(found[1])) < 1 else [f"{Decimal(found[1]) / 100:f}"]


_WAYS: tuple[tuple[re.Pattern[str], _Ways], ...] = (
    (_AFTERNOON, _at), (_CLOCK, _at), (_DAY, _on), (_SCALED, _scaled), (_GROUPED, _grouped),
    (_LASTS, _minutes),
    (_HALF, _fifty),
    (_PERCENT, _share),
)  # fmt: skip


def _english(said: str) -> Iterator[tuple[int, int, int]]:
    """One hundred and twenty-five thousand; seven and eight are two."""
    total = part = last = start = end = 0
    for match in _WORD.finditer(said):
        number = _SMALL.get(match[0]) or _TENS.get(match[0]) or _SCALES.get(match[0], 0)
        if not number:
            continue
        if number < 100 and last and not (last >= 100 or (last >= 20 and number < 10)):
            yield start, end, total + part
            total = part = last = 0
        start = start if last else match.start()
        if number == 1000:
            total, part = (total + (part or 1)) * 1000, 0
        else:
            part = (part or 1) * 100 if number == 100 else part + number
        last, end = number, match.end()
    if last:
        yield start, end, total + part


def _german(word: str) -> int:
    """Zweihundertfünfundzwanzigtausend, that is 225000; 0 for what is no such word."""
    if not _GERMAN.fullmatch(word):
        return 0
    for scale, times in (("tausend", 1000), ("hundert", 100)):
        head, found, tail = word.partition(scale)
        if found:
            return (_german(head) or 1) * times + _german(tail.removeprefix("und"))
    if word in _SMALL or word in _TENS:
        return _SMALL.get(word) or _TENS[word]
    unit, _, ten = word.partition("und")
    return _SMALL.get(unit, 0) + _TENS.get(ten, 0)
