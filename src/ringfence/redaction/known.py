"""Secret values that this process knows, found by value in any encoding.

The text is read in one line (a value may be split over lines), and, where it has escapes, once more without these.
A value is looked for as itself, in hex and in base64 at each of the three alignments; only where one is there,
its exact place is searched.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from .spans import Kind, Span

SHORTEST: Final = 4  # characters; what is shorter stands in too many texts by chance, and is not looked for
ENCODED: Final = 8  # from here on in every encoding; what is shorter is looked for as a word of its own
_GAP: Final = r"(?:[\s\0]|\\+[nrt]|=\r?\n|%0[aAdD]|\\+u000[aAdD])*"
_ESCAPE: Final = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_PLAIN: Final = re.compile(r"[\s\\]+|[^\x00-\uffff]")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_SPACE: Final = re.compile(r"[\s\0]+")


class Known:
    """The values, and how each is found."""

    def __init__(self) -> None:
        self._words: list[tuple[str, re.Pattern[str]]] = []
        self._needles: dict[str, list[tuple[str, int]]] = {}
        self._forms: dict[tuple[str, int], re.Pattern[str]] = {}

    def add(self, secrets: Iterable[str]) -> None:
        """Take values in, and each line of one that has several."""
        for secret in secrets:
            whole = secret.strip()
            lines = [line.strip() for line in whole.splitlines() if len(line.strip()) >= 16] if "\n" in whole else []
            for value in (whole, *lines):
                if len(value) >= ENCODED:
                    self._needles.setdefault(value, _needles(value))
                elif len(value) >= SHORTEST and all(value != word for word, _ in self._words):
                    self._words.append((value, re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")))

    def spans(self, text: str) -> Iterator[Span]:
        """Where any of the values stands."""
        for value, word in self._words:
            if value in text:
                yield from (Span(*found.span(), Kind.SECRET, value) for found in word.finditer(text))
        if not self._needles:
            return
        views = [view := _flat(text)]
        if "\\" in view:
            plain = _decoded(view)
            views += [view := _without_escapes(plain), plain.replace("\\", "")]  # `\\n` may be a backslash and an n
        if "%" in view and _PERCENT.search(view):
            views.append(_flat(unquote(view)))
        for value, needles in self._needles.items():
            for form in {form for needle, form in needles if any(needle in view for view in views)}:
                spelled = self._form(value, form)
                yield from (Span(*found.span(), Kind.SECRET, value) for found in spelled.finditer(text))

    def _form(self, value: str, form: int) -> re.Pattern[str]:
        """Made when it is needed first, which most never are."""
        if (value, form) not in self._forms:
            self._forms[value, form] = re.compile(_spelling(value, form))
        return self._forms[value, form]


def _flat(text: str) -> str:
    """The text in one line: what was split is whole again."""
    for end in ("\r", "\0"):
        if end in text:
            text = text.replace(end, "\n")
    return "".join(map(str.strip, text.split("\n"))) if "\n" in text else text


def _decoded(text: str) -> str:
    if "\\u" in text or "\\x" in text:
        return _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    return text


def _without_escapes(text: str) -> str:
    for escape in ("\\n", "\\r", "\\t", "\\"):
        text = text.replace(escape, "")
    return text


def _cores(value: str) -> list[str]:
    """What base64 of the value is at each alignment, without the characters that depend on what stands around it."""
    data = value.encode("utf-8", "surrogatepass")
    cores = []
    for shift in range(3):
        whole = b64encode(b"\0" * shift + data).decode()
        cores.append(whole[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6])
    return cores


def _needles(value: str) -> list[tuple[str, int]]:
    """What a text in one line and without escapes has in it, if the value is there; and the form it would have then."""
    plain = max(_PLAIN.split(value), key=len) or value[:1]  # the longest part that no encoding writes in another way
    data = value.encode("utf-8", "surrogatepass").hex()
    needles = [(plain, _AS_IS), (data, _HEX), (data.upper(), _HEX)]
    for form, core in enumerate(_cores(value)):
        needles += [(needle, form) for needle in {core, core.translate({43: "-", 47: "_"})}]
    return needles


_AS_IS, _HEX = 3, 4  # forms; 0 to 2 are base64 by alignment


def _spelling(value: str, form: int) -> str:
    """An expression of every spelling in this form, line ends allowed between any two characters."""
    if form == _AS_IS:
        return _GAP.join(r"(?:%20|\+|\\+u0020|\s)*" if c.isspace() else _spelled(c) for c in _SPACE.sub(" ", value))
    if form == _HEX:
        between = rf"(?:{_GAP}|[:,-]|\\+x|0x)"
        return "(?i:" + between.join(value.encode("utf-8", "surrogatepass").hex()) + ")"
    chars = ({"+": "[+-]", "/": r"(?:\\*/|_)"}.get(c, c) for c in _cores(value)[form])  # JSON may escape a slash
    edge = r"[A-Za-z0-9+/_-]"  # a character that the value shares with what stands beside it
    return (f"(?:{edge}{_GAP})?" if form else "") + _GAP.join(chars) + f"(?:{_GAP}{edge})?={{0,2}}"


def _spelled(char: str) -> str:
    data = char.encode("utf-8", "surrogatepass")
    percent = "".join(f"%{byte:02x}" for byte in data)
    units = char.encode("utf-16-be", "surrogatepass").hex()
    json = "".join(rf"\\+u{units[n : n + 4]}" for n in range(0, len(units), 4))
    more = [f"(?i:{percent})", f"(?i:{json})"]
    if len(data) == 1:
        more.append(rf"(?i:\\+x{data.hex()})")
    if char in "\\/\"'":
        more.append(rf"\\+{re.escape(char)}")
    return f"(?:{re.escape(char)}|{'|'.join(more)})"
