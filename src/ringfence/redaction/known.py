"""Secret values that this process knows, found by value in any encoding.

The text is read in one line (a value may be split over lines), and, where it has escapes, once more without these. A value is looked for as itself, in hex and in base64 at each of the three alignments; only where one is there,
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
_SPACE: Final = re.compile(r"[\s\0]+")


class Known:
    """The values, and how each is found."""

    def __init__(self) -> None:
        self._words: list[tuple[str, re.Pattern[str]]] = []
        self._needles: dict[str, list[str]] = {}
        self._forms: dict[str, re.Pattern[str]] = {}

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
            views.append(view := _without_escapes(view))
        if "%" in view:
            views.append(_flat(unquote(view)))
        for value, needles in self._needles.items():
            if any(needle in view for view in views for needle in needles):
                yield from (Span(*found.span(), Kind.SECRET, value) for found in self._form(value).finditer(text))

    def _form(self, value: str) -> re.Pattern[str]:
        if value not in self._forms:
            self._forms[value] = re.compile("|".join(_forms(value)))
        return self._forms[value]


def _flat(text: str) -> str:
    """The text in one line: what was split is whole again."""
    for end in ("\r", "\0"):
        if end in text:
            text = text.replace(end, "\n")
    return "".join(map(str.strip, text.split("\n"))) if "\n" in text else text


def _without_escapes(text: str) -> str:
    if "\\u" in text or "\\x" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
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


def _needles(value: str) -> list[str]:
    """What a text in one line and without escapes has in it, if the value is there in any spelling."""
    cores = _cores(value)
    safe = [core.translate({43: "-", 47: "_"}) for core in cores]
    plain = max(_PLAIN.split(value), key=len)  # the longest part that no encoding writes in another way
    data = value.encode("utf-8", "surrogatepass").hex()
    return [*dict.fromkeys((plain or value[:1], *cores, *safe, data, data.upper()))]


def _forms(value: str) -> Iterator[str]:
    """Expressions of every spelling, white space allowed between any two characters."""
    yield _GAP.join(r"(?:%20|\+|\\+u0020|\s)*" if c.isspace() else _spelled(c) for c in _SPACE.sub(" ", value))
    for core in _cores(value):
        chars = ({"+": "[+-]", "/": "[/_]"}.get(c, c) for c in core)
        slash = r"\\?"  # JSON may escape a slash
        yield "[A-Za-z0-9+/_-]?" + _GAP + (_GAP + slash).join(chars) + f"(?:{_GAP}[A-Za-z0-9+/_-])?={{0,2}}"
    data = value.encode("utf-8", "surrogatepass").hex()
    between = rf"(?:{_GAP}|[:,-]|\\+x|0x)*?"
    yield "(?i:" + between.join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in data) + ")"


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
