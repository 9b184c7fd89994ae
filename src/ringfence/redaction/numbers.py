"""Numbers of people: cards, phones, national identities, IPv4 addresses, dates of birth.

One expression finds rows of digits and separators; it starts at a digit and cannot fail later than six characters on,
so the whole text is read once. What a row holds is told by its form, its checksum and the words before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from . import checksums, context
from .spans import Kind, Span

_SEP: Final = r" .\-/()+\u00a0\u2011\u202f"
_ROW: Final = re.compile(
    rf"[0-9](?:(?:[{_SEP}]{{0,3}}[0-9]){{5,}}|[0-9]{{0,2}}(?:\.[0-9]{{1,3}}){{3}}|[0-9]?[/.-][0-9]{{1,2}}[/.-][0-9]{{2}}(?![0-9]))"
)
_STAMP: Final = re.compile(r"(?:19|20)\d\d([-/.])[01]\d\1[0-3]\d(?:[ ]\d\d)?")  # of a line in a log
_BARE: Final = {ord(c): None for c in " .-/()+\u00a0\u2011\u202f"}
_GROUP: Final = re.compile(r"[0-9]+")
_BEFORE: Final = 40  # characters that a word may stand before what it speaks of

_S: Final = r"[ .\-\u00a0\u2011\u202f]"
_FORMS: Final = re.compile(
    rf"""(?<!\w)(?<!\d\.)(?<!\w-)(?:
    (?P<date>(?:(?:18|19|20)\d\d(?P<ymd>[-/.])[01]?\d(?P=ymd)[0-3]?\d|[0-3]?\d(?P<dmy>[-/.])[0-3]?\d(?P=dmy)(?:(?:18|19|20)\d\d|\d\d))(?![-/.]?\d))
    |(?P<ip>\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![.\-]?\d))
    |(?P<cpf>\d{{3}}\.\d{{3}}\.\d{{3}}-\d\d(?!\d))
    |(?P<nir>[1-8](?:[ ]?\d\d){{3}}[ ]?\d{{3}}[ ]?\d{{3}}[ ]?\d\d(?!\d))
    |(?P<ssn>\d{{3}}-\d\d-\d{{4}}(?![-\d]))
    |(?P<personnummer>(?:18|19|20)?\d{{6}}[-+]\d{{4}}(?![-\d]))
    |(?P<abroad>(?:\+|00)[ ]?\(?[1-9](?:[ .\-/()\u00a0\u2011]{{0,2}}\d){{6,14}}(?!\d))
    |(?P<eleven>\d{{11}}(?!\d)|\d\d[ ]\d{{3}}[ ]\d{{3}}[ ]\d{{3}}(?!\d))
    |(?P<us>(?:1[ .\-])?(?:\([2-9]\d\d\)[ .\-]?\d{{3}}[ .\-]|[2-9]\d\d(?P<gap>[ .\-])\d{{3}}(?P=gap))\d{{4}}(?![-\d]))
    |(?P<pairs>0[1-9](?:{_S}\d\d){{4}}(?![-\d]))
    |(?P<trunk>\(0[1-9]\d{{0,4}}\)(?:[ /\-]{{1,2}}\d{{2,8}}|\d{{4,8}})(?:[ \-]\d{{2,6}}){{0,3}}(?![-\d])
       |0[1-9]\d{{0,4}}(?:(?:[ ]?[/\-][ ]?|[ \u00a0])\d{{2,8}}){{1,4}}(?![-\d]))
    |(?P<zero>0[1-9]\d{{8,9}}(?!\d))
    |(?P<bare>\d{{9,12}}(?!\d))
    |(?P<groups>\d{{1,4}}(?P<between>{_S})\d{{2,4}}(?:(?P=between)\d{{2,4}}){{1,3}}(?![.\-]?\d))
    )""",
    re.VERBOSE,
)
_EXTENSION: Final = re.compile(r"[ ]?(?:x|ext\.?)[ ]?\d{1,6}(?!\w)")
_YEAR: Final = re.compile(r"[12][089][0-9][0-9](?<=[^\W\d_][ ][0-9]{4}|[.,][ ][0-9]{4})(?![0-9])")
_DAY_MONTH: Final = re.compile(  # 3 May 1984, 3. Mai 1984, 3 de mayo de 1984, 1er mai 1984; May 3, 1984
    r"(?:(?<!\w)[0-3]?[0-9](?:st|nd|rd|th|er|º|°|ª)?\.?[ ](?:de[ ]|of[ ])?[^\W\d_]{3,12}\.?,?[ ](?:de[ ]|del[ ])?"
    r"|(?<!\w)[^\W\d_]{3,12}\.?[ ][0-3]?[0-9](?:st|nd|rd|th)?,?[ ])\Z"
)
_PAIRS: Final = re.compile(r"\d\d(?: \d\d)+")  # of a hex dump
_LONGEST: Final = {"1": 11, "33": 11, "34": 11, "39": 13, "31": 11, "48": 11, "44": 12, "49": 14, "46": 11, "55": 13}
_CODES: Final = re.compile(
    r"1|7|2(?:0|7|[1-689]\d)|3(?:[0-469]|[578]\d)|4(?:[013-9]|2\d)|5(?:[1-8]|[09]\d)|6(?:[0-6]|[789]\d)|8(?:[1246]|[05789]\d)"
    r"|9(?:[0-58]|[679]\d)"
)


_LETTER: Final = re.compile(r"[ -]?[A-Za-z](?![^\W_])")  # that ends an identity


def numbers(text: str, accounts: Mapping[int, int]) -> list[Span]:
    """Spans of every number of a person in the text. `accounts` are the IBANs in it, start and end: read already."""
    found: list[Span] = []
    for row in _ROW.finditer(text):
        start, end = row.span()
        if start - 2 in accounts:
            start = accounts[start - 2]
            if end - start < 6:
                continue
        written = text[start:end]
        if end - start <= 13 and written[4:5] in ("-", "/", ".") and _STAMP.fullmatch(written):
            _keep(found, _date(text, start, start + 10))
            continue
        digits = written.translate(_BARE)
        if _LETTER.match(text, end):
            _keep(found, _lettered(text, start, end))
        before = text[start - 1 : start]
        if len(digits) == end - start and (_is_word(before) or (len(digits) < 9 and before not in ("+", "("))):
            continue  # the end of a word or of a hash, or too short
        if before and before in "+(":
            start -= 2 if start > 1 and text[start - 2] in "+(" else 1
        if len(digits) >= 12:
            found += _cards(text, start, end)
            if found and found[-1].kind is Kind.CARD and found[-1].start >= start:
                start = found[-1].end
        _forms(text, start, end, found)
    for year in _YEAR.finditer(text):
        _keep(found, _worded(text, year))
    return found


def _keep(found: list[Span], span: Span | None) -> None:
    if span is not None:
        found.append(span)


def _forms(text: str, at: int, end: int, found: list[Span]) -> None:
    """What the forms find in a row; where one is not what it looks like, what follows its first digits may be."""
    while form := _FORMS.search(text, at, end):
        kind, span = form.lastgroup or "", None
        if kind not in _PLAIN or not _is_word(text[form.end() : form.end() + 1]):
            span = _HANDLERS[kind](text, form)
        if span is not None:
            found.append(span)
        if span is not None or kind in ("date", "ip"):
            at = form.end()
        else:
            group = _GROUP.search(text, form.start(), end)
            at = group.end() if group else end


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _bare(text: str) -> str:
    return text.translate(_BARE)


def _before(text: str, at: int) -> str:
    return text[max(0, at - _BEFORE) : at]


def _cards(text: str, start: int, end: int) -> Iterator[Span]:
    """12 to 19 digits with the prefix of a card and Luhn, in one piece or in groups of four and more."""
    groups = [g.span() for g in _GROUP.finditer(text, start, end)]
    at = 0
    while at < len(groups):
        a, e = groups[at]
        if e - a < 4 or text[a] in "79" or (a and _is_word(text[a - 1])):
            at += 1
            continue
        last = _card_from(text, groups, at)
        if last is not None:
            a, e = groups[at][0], groups[last][1]
            yield Span(a, e, Kind.CARD, _bare(text[a:e]))
            at = last
        at += 1


def _card_from(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The number of the last group of a card that begins with this one."""
    start, digits, gap, best = groups[first][0], "", "", None
    for last in range(first, min(len(groups), first + 6)):
        a, e = groups[last]
        if last > first:
            between = text[groups[last - 1][1] : a]
            if groups[last - 1][1] - groups[last - 1][0] < 4 or len(between) > 2 or (gap and between != gap):
                break
            gap = between
        digits += text[a:e]
        if len(digits) > 19:
            break
        follows = text[e : e + 1]
        if len(digits) >= 12 and not _is_word(follows) and checksums.card(digits):
            certain = (
                len(digits) >= 14 or last > first or not context.speaks_of_another(context.words(text, start))
            )  # short ones
            best = last if certain else best
    return best


_LETTERED: Final = re.compile(
    r"(?<![^\W_])(?:(?P<nino>[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\d\d[ ]?\d\d[ ]?\d\d[ ]?[A-D])"
    r"|(?P<es>[XYZ][ -]?\d{7}[ -]?[A-Z]|\d\d\.?\d{3}\.?\d{3}[ -]?[A-Z]))(?![^\W_])",
    re.IGNORECASE,
)


def _lettered(text: str, start: int, end: int) -> Span | None:
    """UK National Insurance numbers (HMRC NIM39110), Spanish DNI and NIE: digits that a letter follows."""
    for group in list(_GROUP.finditer(text, start, end))[-3:]:
        tries = (_LETTERED.match(text, at, end + 3) for at in range(max(0, group.start() - 3), group.start() + 1))
        found = next(filter(None, tries), None)
        if found is None:
            continue
        key = _bare(found[0]).upper()
        prefix = key[:2]
        if (found.lastgroup == "nino" and prefix not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")) or (
            found.lastgroup == "es" and checksums.dni(key)
        ):
            return Span(found.start(), found.end(), Kind.ID, key)
    return None


def _date(text: str, start: int, end: int) -> Span | None:
    if not start or (text[start - 1] == "\n" and text[start - 2] != ":"):  # the stamp of a line in a log
        return None
    return Span(start, end, Kind.DOB) if context.speaks_of_birth(text, start, end) else None


def _worded(text: str, year: re.Match[str]) -> Span | None:
    """A date of birth with the month as a word."""
    before = _before(text, year.start())
    day = _DAY_MONTH.search(before)
    if day is None or not context.speaks_of_birth(text, year.start() - len(day[0]), year.end()):
        return None
    return Span(year.start() - len(day[0]), year.end(), Kind.DOB)


def _ip(text: str, found: re.Match[str]) -> Span | None:
    parts = found[0].split(".")
    if any(int(part) > 255 or (part[0] == "0" and len(part) > 1) for part in parts):
        return None
    if parts[0] in ("0", "127", "255") or context.speaks_of_version(text, found.start()):
        return None  # this host, a mask, or a version: about nobody
    return Span(found.start(), found.end(), Kind.IP, found[0])


def _in_row(text: str, start: int) -> bool:
    """Whether this is one of several numbers beside each other."""
    return start > 1 and text[start - 1] == " " and text[start - 2].isdigit()


def _phone(text: str, start: int, end: int, key: str = "") -> Span:
    if more := _EXTENSION.match(text, end):
        end = more.end()
    return Span(start, end, Kind.PHONE, key or _bare(text[start:end]))


def _abroad(text: str, found: re.Match[str]) -> Span | None:
    start, end = found.span()
    if found[0].isdigit() and end - start == 11 and _eleven(found[0]):
        return Span(start, end, Kind.ID, found[0])
    digits = _bare(found[0].replace("(0)", "", 1))
    digits = digits[2:] if found[0].startswith("00") else digits
    code = _CODES.match(digits)
    row = found[0][0] == "0" and _in_row(text, start)
    if (
        code is None
        or row
        or _PAIRS.fullmatch(found[0])
        or (found[0].startswith("00") and found[0].isdigit() and len(digits) < 10)
    ):
        return None
    longest = _LONGEST.get(code[0], 15)
    while len(digits) > longest:  # what follows it is another number
        groups = [g.start() for g in _GROUP.finditer(text, start, end)]
        if len(groups) < 2:
            return None
        end = groups[-1]
        while text[end - 1] in " .-/()\u00a0\u2011":
            end -= 1
        digits = _bare(text[start:end].replace("(0)", "", 1)).removeprefix("00" if found[0].startswith("00") else "")
    return _phone(text, start, end, digits) if len(digits) >= 8 else None


def _home(text: str, found: re.Match[str]) -> Span | None:
    """A national form that nothing else has."""
    digits = len(_bare(found[0]))
    shortest = 8 if found[0][0] == "(" or found.lastgroup == "pairs" else 9
    start = found.start()
    known = (
        shortest <= digits <= 13
        and not _in_row(text, start)
        and not context.speaks_of_another(context.words(text, start))
    )
    return _phone(text, *found.span()) if known else None


def _id(check: Callable[[str], bool]) -> Callable[[str, re.Match[str]], Span | None]:
    def handle(text: str, found: re.Match[str]) -> Span | None:
        key = _bare(found[0])
        if check(key):
            return Span(found.start(), found.end(), Kind.ID, key)
        return _bare_number(text, found) if found.lastgroup == "eleven" else None

    return handle


def _eleven(digits: str) -> bool:
    return checksums.steuer_id(digits) or (checksums.pesel(digits) and digits[2] in "0123")


def _bare_number(text: str, found: re.Match[str]) -> Span | None:
    """Digits that could be anything: what the words before them say."""
    start, key = found.start(), _bare(found[0])
    before = context.words(text, start)
    if (name := context.identity(before)) and _CHECKS[name](key):
        return Span(start, found.end(), Kind.ID, key)
    if context.speaks_of_another(before):
        return None
    if 7 <= len(key) <= 12 and (context.speaks_of_phone(text, start) or _alone(text, found)):
        return _phone(text, *found.span())
    if found[0].isdigit() and len(key) in (10, 11) and key[0] == "0" != key[1]:
        return _home(text, found)
    return None


def _alone(text: str, found: re.Match[str]) -> bool:
    """Nine digits in groups of three on a line of their own, as under a letter."""
    line = text[found.start() - 1 : found.start()] in ("", "\n") and text[found.end() : found.end() + 1] in (
        "",
        "\n",
        "\r",
    )
    return line and found.lastgroup == "groups" and len(_bare(found[0])) == 9 and found.start() > 0


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "ssn": lambda d: len(d) == 9 and checksums.ssn(d),
    "bsn": lambda d: len(d) == 9 and checksums.bsn(d),
    "steuer": lambda d: len(d) == 11 and checksums.steuer_id(d),
    "pesel": lambda d: len(d) == 11 and checksums.pesel(d),
    "cpf": lambda d: len(d) == 11 and checksums.cpf(d),
    "personnummer": lambda d: len(d) in (10, 12) and checksums.personnummer(d),
}
_HANDLERS: Final[dict[str, Callable[[str, re.Match[str]], Span | None]]] = {
    "date": lambda text, found: _date(text, *found.span()),
    "ip": _ip,
    "abroad": _abroad,
    "cpf": _id(checksums.cpf),
    "nir": _id(checksums.nir),
    "ssn": _id(checksums.ssn),
    "personnummer": _id(checksums.personnummer),
    "eleven": _id(_eleven),
    "us": _home,
    "pairs": _home,
    "trunk": _home,
    "zero": _bare_number,
    "bare": _bare_number,
    "groups": _bare_number,
}
_PLAIN: Final = frozenset(_HANDLERS) - {"us", "abroad"}  # a letter right after it makes it something else
