"""Whether an answer can rest on what the tools have shown. A doubt sends it back once, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from .attributes import ATTRIBUTES
from .figures import NUMBER, Sorted, is_one, listed, meant, values
from .silence import abstains
from .spoken import in_words, readings, restated
from .task import PASTED, given

_DIGITS = re.compile(r"\d+")
_SIGNS = re.compile(r"[:/-]")
_MAX_RUNS = 8  # of digits in one number, that are looked at together: 2026-02-01T03:17:07.123 has seven
_SMALL = 12  # counting numbers and months are nobody's claim
_FACTORS = frozenset(
    map(Decimal, (24, 28, 30, 31, 52, 60, 100, 360, 365, 1000, 1024, 3600, 86400, 10**6, 1024**2, 10**9))
)
_ECHO_WORDS, _ECHO_SHARE = 5, 0.6  # words of an answer that says the task again, and their share of the task's
_CLIPPED = 6  # characters of a date or time that may have lost its first digits
_MONTHS = ("jan", "feb", "m[aä]r", "apr", "ma[yi]", "jun", "jul", "aug", "sep", "o[ck]t", "nov", "de[cz]")
_NAMED = f"({'|'.join(_MONTHS)})[a-zä]{{0,6}}\\.?"
_SPELT = (
    re.compile(rf"(?P<d>\b\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?(?P<m>{_NAMED}),? (?P<y>\d{{4}}\b)", re.I),
    re.compile(rf"(?P<m>\b{_NAMED}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}}\b)", re.I),
)
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many more)|costs?|pay|owe|prices?|amounts?|sum|total|altogether|together|average|mean|add|plus|"
    r"minus|multiply|times|divide|difference|work out|calculate|compute|convert|in all|kosten|kostet|wie viel|zusammen|"
    r"insgesamt)\b",
    re.I,
)  # what is worked out, and not counted or looked up
_WORKED_OUT = re.compile(r"\d\W{0,2}(?:[^\W\d_]+\W){0,3}(?:[*×·x+/÷=]|times|plus|minus)\W{0,3}\d", re.I)
_EXACT = re.compile(r"\b(?:exact(?:ly)?|precise(?:ly)?|how many bytes|in bytes|genau)\b", re.I)
_ROUNDED = re.compile(r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B?|kB)\b")
_CHOICE = re.compile(r"\b(?:or|than|oder|als)\b", re.I)
_TWO = re.compile(
    r"\b(?:which|who|what|where|when)\b[^.?!\n]*\band (?:how|which|what|when|who|where|by)\b|"
    r"\b(?:welcher?s?|wer|was|wo|wann)\b[^.?!\n]*\bund (?:wie|welcher?s?|wer|was|wo|wann)\b",
    re.I,
)
_KNOWS = re.compile(r"\b(?:knows?|tell|person|name of|people)\b", re.I)
_PERSON = re.compile(r"[A-ZÄÖÜ][^\W\d_]+ [A-ZÄÖÜ][^\W\d_]+")
_HOW_MANY = re.compile(  # that is asked, and not what a file says or somebody decides
    r"(?:^|[.?!:\n])\s*(?:(?:please )?(?:tell me|find out|count|check) |(?:i|we) need to know )?how many\b|"
    r"(?:, |\band )how many\b|(?:^|[.?!:\n])\s*(?:sag mir,? )?wie ?viele\b|\bund wie ?viele\b",
    re.I,
)
_NUMBERED = re.compile(
    r"\d|\b(?:no|none|nobody|nothing|zero|any|never|once|twice|neither|all|every(?:one|body|thing)?|each|both|half|most|"
    r"dozens?|pair|single|only|same|unlimited|many|several|nil|depends?|\w+days?|"
    r"keine?[rnms]?|niemand|nichts?|nie|null|alle[rs]?|beide|jede[rs]?|einmal|h[äa]lfte|dutzende?|sämtliche|unbegrenzt|an?)\b|n't\b",
    re.I,
)
_QUOTED = re.compile(r"[\"“„«][^\"”“»\n]{1,200}[\"”“»]")
_CITED = re.compile(r"\[r?\d{1,6}\]")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]{2,}|\d+")
_OF_HOW = re.compile(r"\b(?:who|why|how (?:many|often|long|can|could|do(?:es)?|did|is|was|are|were))\b", re.I)
_TABLE = re.compile(r"\bcolumns\b")
_STRAY = " stands in no result. Copy the value from a result, or work it out with a tool."
_LEADS_IN = re.compile(r"\s*(?:[^\W\d]\S*[ \t]+){3,}[^\s\d]+:\s*")
_BEGINNING = re.compile(
    r"\b(?:lines?|headings?|prefix|keys? of|drive|letters?|labels?|titles?|phrases?|begin\w*|start\w*|greet\w*)\b", re.I
)
_CODE = re.compile(r"\b([A-Za-z]{1,5})-?(\d{2,12})\b")
_IMAGE = re.compile(r"!\[(?=[^\]]*\]\s*[(\[])")
_FILLERS = frozenset(
    re.findall(
        r"\w+", "a an and are as at be by for had has have in is it no not of on or that the this to was were with"
    )
)


def inert(answer: str) -> str:
    """The answer with its images made links: nothing is fetched by showing it (POL-6)."""
    return _IMAGE.sub("[", answer)


def unsupported_numbers(answer: str, shown: str) -> list[str]:
    """The numbers, dates and times of an answer that stand nowhere in what was shown."""
    return _unsupported(answer, Numbers(shown))


def _unsupported(answer: str, known: Numbers) -> list[str]:
    strays = [token for token in dict.fromkeys(NUMBER.findall(answer)) if not known.have(token)]
    return [token for token in strays if not known.rounded(_value(token))]


class Numbers:
    """The numbers, dates and times of texts, added one after another: what stands in them is told without a search."""

    def __init__(self, text: str = "") -> None:
        self.values: set[Decimal | str] = set()
        self._digits: set[str] = set()  # whole runs of digits
        self._within: set[str] = set()  # 02:28:40 is one number of several runs, and 02:28 stands within it
        self._heads: dict[str, str] = {}  # 12 of 12.17
        self._texts: list[str] = []
        self._sorted: Sorted | None = None
        self._meant: set[Decimal] = set()
        self.add(text)

    def add(self, text: str) -> None:
        """Take in one more text; no number goes on from one into the next."""
        self._texts.append(text)
        self._sorted, rows = None, listed(text)
        for token in dict.fromkeys(NUMBER.findall(text)):
            self.values.add(_value(token))
            if token.isdigit():
                self._digits.add(token)
                continue
            runs = _DIGITS.findall(token)
            if is_one(token) and token not in rows:
                self._digits.add(runs[0])
            else:
                self._digits.update(runs)
                self._within.update(_spans(token))
            if len(runs) == 2 and token[len(runs[0])] == ".":
                self._heads.setdefault(runs[0], token)

    def have(self, token: str) -> bool:
        """Whether a number stands there, by its value or as it is written, at digit borders."""
        if _value(token) in self.values:
            return True
        runs = _DIGITS.findall(token)
        if len(runs) == 1:
            return token in self._digits
        return all(part in self._within for part in _spans(token, least=min(len(runs), _MAX_RUNS)))

    def rounded(self, value: Decimal | str) -> bool:
        """Whether a number with something behind the point is one that stands there with more of it."""
        if not isinstance(value, Decimal) or int(value.as_tuple().exponent) >= 0:
            return False
        if self._sorted is None:
            self._sorted = Sorted(one for one in self.values if isinstance(one, Decimal))
        return self._sorted.rounds_to(value)

    def mean(self, value: Decimal) -> bool:
        """Whether a number is said in another way: in words, with a thousand's mark, in the afternoon."""
        while self._texts:
            text = self._texts.pop()
            self._meant.update(readings(text))
            self._meant.update(one for token in set(NUMBER.findall(text)) for one in values(token))
        return value in self._meant

    def behind(self, token: str) -> str:
        """A number with something behind the point that begins with this one; empty if there is no such."""
        return self._heads.get(token, "")


def clipped(given: str, *shown: Numbers) -> tuple[str, str] | None:
    """The number of a calculation that was shown as the beginning of another one alone, and that one: 12 of 12.17."""
    for token in filter(str.isdigit, NUMBER.findall(given)):
        if not any(_value(token) in numbers.values or numbers.mean(Decimal(token)) for numbers in shown):
            for whole in filter(None, (numbers.behind(token) for numbers in shown)):
                return token, whole
    return None


def invented_numbers(given: str, *shown: Numbers) -> list[str]:
    """The numbers of a calculation that come from nowhere: neither shown, nor a share of 100, nor a common factor."""

    def unshown(text: str) -> list[str]:
        tokens = dict.fromkeys(NUMBER.findall(text))
        return [token for token in tokens if not any(numbers.have(token) for numbers in shown)]

    strays = []  # 12/5 is a division here, and no date
    for token in unshown(" ".join(part for whole in unshown(given) for part in _SIGNS.split(whole))):
        value = _value(token)
        if isinstance(value, Decimal):
            shares = any(value * 100 in numbers.values or numbers.mean(value * 100) for numbers in shown)
            if value <= _SMALL or value in _FACTORS or shares or any(numbers.mean(value) for numbers in shown):
                continue
        strays.append(token)
    return strays


def in_the_head(answer: str, *, shown: str, task: str) -> bool:
    """Whether an answer has a number that was shown nowhere and that it seems to have worked out by itself.

    That is where the task asks for an amount, or gives the numbers itself, or the answer says how.
    """
    worked_out = _AMOUNT.search(task) or given(task) or _WORKED_OUT.search(answer)
    return bool(worked_out) and bool(_strays(answer, shown))


def _strays(answer: str, shown: str) -> list[str]:
    """Its numbers that stand nowhere, but for its marks and the months that it writes out."""
    known = Numbers(shown)
    text = restated(_in_figures(_CITED.sub("", answer), shown), lambda token: not _unsupported(token, known))
    return [token for token in _unsupported(text, known) if not any(map(known.mean, meant(token)))]


def mixed(answer: str, shown: str) -> list[str]:
    """The codes of an answer that are made of two that were shown: DW-4206 of DW-4107 and KX-4206.

    Of its letters there is another code, and its digits stand behind other letters alone.
    """
    known = {_bare(*code) for code in _CODE.findall(shown)}
    kinds, figures = {letters for letters, _ in known}, {digits for _, digits in known}
    strays = []
    for match in _CODE.finditer(answer):
        letters, digits = _bare(*match.groups())
        if (letters, digits) not in known and letters in kinds and digits in figures:
            stands = re.finditer(rf"(?<!\d)0*{digits}(?!\d)", shown)
            if all(shown[max(0, at.start() - 2) : at.start()].rstrip("-")[-1:].isalpha() for at in stands):
                strays.append(match[0])
    return list(dict.fromkeys(strays))


def _bare(letters: str, digits: str) -> tuple[str, str]:
    return letters.casefold(), digits.lstrip("0") or "0"


def restored(answer: str, shown: str) -> str:
    """The answer with clipped copies written as they were shown: 2:28:40 for 02:28:40, if nothing else it could be."""
    known = set(NUMBER.findall(shown))
    for token in unsupported_numbers(answer, shown):
        whole = {other for other in known if len(token) >= _CLIPPED and other.endswith(token)}
        if len(whole) == 1:
            answer = re.sub(rf"(?<!\d){re.escape(token)}(?!\d)", whole.pop(), answer)
    return answer


def unmentioned(task: str, shown: str) -> str:
    """What a task asks for by a common word that nothing shown has, under any of its names; "" if there is no such.

    A small model that looks for a telephone number and finds none takes the next best number for it. What could be it
    counts as one. Any date may be a birthday, and any word a nationality: these are missed where a table is shown that
    has no such column.
    """
    if len(task) > PASTED:
        return ""
    shown, task = shown.replace(task, ""), _QUOTED.sub("", task)
    if _OF_HOW.search(task):
        return ""
    named = _TABLE.search(shown)
    for name, asked, known, loose in ATTRIBUTES:
        if asked.search(task) and not known.search(shown) and (named or loose is None or not loose.search(shown)):
            return name
    return ""


def rounded(answer: str, task: str) -> str:
    """A size in rounded units (43K) where a task asks for the exact number; "" if there is no such."""
    size = _ROUNDED.search(answer)
    return size[0] if size and _EXACT.search(task) else ""


def half(answer: str, task: str) -> bool:
    """Whether a task asks which one and how much, and the answer is one bare value, or the name of one person."""
    asked = _TWO.search(task) if len(task) <= PASTED else None
    if asked is None:
        return False
    first, second = (asked[0].split()[n].casefold().replace("what", "which") for n in (0, -1))
    whose = first != second and not _KNOWS.search(task)
    return len(answer.split(maxsplit=1)) == 1 or (whose and _PERSON.fullmatch(answer.strip(" .")) is not None)


def uncounted(answer: str, task: str) -> bool:
    """Whether a task asks how many there are, and the answer says no number, nor that there are none or all of them."""
    asked = len(task) <= PASTED and _HOW_MANY.search(task) is not None
    return asked and not _NUMBERED.search(answer) and not any(in_words(answer))


def only_repeats(answer: str, task: str) -> bool:
    """Whether every word of the answer is already in the task: it says nothing, unless a document came with that."""
    if len(task) > PASTED:
        return False
    asked = {word.lower() for word in _WORD.findall(task)} | _FILLERS
    said = _WORD.findall(answer)
    return all(word.lower() in asked for word in said) if said else not any(map(str.isalnum, answer))


def echoes(answer: str, task: str) -> bool:
    """Whether an answer is the task said again; what is a part of it may have been chosen: A or B?"""
    asked, said = set(_WORD.findall(task.lower())), set(_WORD.findall(answer.lower()))
    return only_repeats(answer, task) and len(said) >= max(_ECHO_WORDS, _ECHO_SHARE * len(asked))


def doubt(answer: str, *, shown: str, task: str, chosen: bool, nearest: Callable[[], str] = str) -> str:
    """Why the answer should go back, in words for the model; empty if nothing speaks against it.

    shown   everything the tools and the user said
    chosen  whether the model has called a tool of its own choice: then "not found" is an answer
    nearest finds the line of the results that is closest to the task, where it is needed
    """
    if abstains(answer):
        return "" if chosen else "It was not in those passages. Look further: call a tool that can find it."
    if missing := unmentioned(task, shown):
        return f'No result says anything of a {missing}. If it is not there, answer "not found", and no other value.'
    if strays := _strays(answer, shown) or mixed(answer, shown):
        reckoned = in_the_head(answer, shown=shown, task=task)  # else not said: a small model says again what it reads
        return (", ".join(strays[:3]) if reckoned else "A value of the last answer") + _STRAY
    if size := rounded(answer, task):
        return f"{size} is rounded, and the task asks for the exact number: call a tool again so that it shows it."
    if _LEADS_IN.fullmatch(answer) and not _BEGINNING.search(task):
        return f"What stands before a list or a value is no answer. Give {_showing(nearest())}."
    if half(answer, task):
        return "The task asks for two things. Answer both, in one sentence."
    if uncounted(answer, task):
        return "The task asks how many: answer with the number."
    if only_repeats(answer, task) and (not _CHOICE.search(task) or echoes(answer, task)):
        return f'The task said again is no answer. Answer with {_showing(nearest())}, or with "not found".'
    return ""


def _showing(line: str) -> str:
    """What is to be answered, for the model; the line that shows it, if there is one."""
    value = "the value that a result shows"
    return f'{value}: "{line}"' if line and not line.endswith(":") else value


ISO_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)")


def in_iso(text: str) -> str:
    """The text with dates that name the month in figures: 2 March 2026 and 2. März 2026 are 2026-03-02."""
    for spelt in _SPELT:
        text = spelt.sub(lambda m: f"{m['y']}-{_month(m['m']):02}-{int(m['d']):02}", text)
    return text


def _month(name: str) -> int:
    return 1 + next(n for n, start in enumerate(_MONTHS) if re.match(start, name, re.I))


def _in_figures(answer: str, shown: str) -> str:
    """The answer with dates that name the month as the results write them: 2 March 2026 for 2026-03-02."""

    def figures(found: re.Match[str]) -> str:
        month, day, year = _month(found["m"]), int(found["d"]), found["y"]
        ways = (f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month:02}/{day:02}/{year}")
        return next((way for way in ways if way in shown), found[0])

    for spelt in _SPELT:
        answer = spelt.sub(figures, answer)
    return answer


def _spans(token: str, least: int = 2) -> Iterator[str]:
    """The parts of a number of several runs of digits, at their borders, of so many and more: 02:28 of 02:28:40."""
    runs = [match.span() for match in _DIGITS.finditer(token)]
    for i, (start, _) in enumerate(runs):
        yield from (token[start:end] for _, end in runs[i + least - 1 : i + _MAX_RUNS])


def _value(token: str) -> Decimal | str:
    """Numbers by value, so that 3.5 is 3.50 and 1,234 is 1234; dates and times as they are written."""
    plain = token.replace(",", "") if _THOUSANDS.fullmatch(token) else token
    try:
        return Decimal(plain)
    except InvalidOperation:
        return token
