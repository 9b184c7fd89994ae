"""Characters that text must not hold: what steers a terminal, turns text around, or hides in it."""

from __future__ import annotations

import re

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
_SOFT = "\u00ad\u200b\ufeff"  # hyphens and spaces that nobody sees, in many a document of good faith
# marks of direction (Unicode 15, UAX #9), what is invisible by design, annotations, tags and hidden variations
_HIDDEN = "\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb\U000e0000-\U000e0fff"
_OUT = re.compile(f"[{_CONTROL}{_SOFT}{_HIDDEN}]")
_MARKS = re.compile(f"[{_HIDDEN}]")
_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)
_GAPS = re.compile(r"\n{3,}")
FORBIDDEN = re.compile(f"[{_CONTROL}{_SOFT}{_HIDDEN}\r\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> tuple[str, int]:
    """The text without them, its lines ended by newlines alone; and how many hidden marks there were."""
    text = _BREAKS.sub("\n", text)
    if not _OUT.search(text):
        return text, 0
    return _OUT.sub("", text), len(_MARKS.findall(text))


def tidy(text: str) -> str:
    """Without spaces at the ends of lines, and with one empty line where there were more."""
    return _GAPS.sub("\n\n", _LINE_ENDS.sub("", text)).strip("\n ")


def line(text: str, *, chars: int = 500) -> str:
    """As one line, for a title, a heading, a cell or a name."""
    return " ".join(clean(text)[0].split())[:chars]


def shown(name: str) -> str:
    """A file's name for people and paths: what must not be in text is written out, as in `a\\u202eb`."""
    return FORBIDDEN.sub(_escaped, name.replace("\n", "\\n").replace("\t", "\\t"))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
