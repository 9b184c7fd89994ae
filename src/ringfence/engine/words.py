"""A text in sentences and words: paths, addresses and numbers are words too. Linear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from .verbs import listed

_END = re.compile(r"[.!?…]{1,8}[\"'”’»)\]*]{0,4}(?=\s|\Z)|\n|;(?=\s)|(?:\\n)")
_CHUNK = re.compile(r"\S+")
_LEFT, _RIGHT = "([{<\"'“‘„‚«»`*_-–—•#>|✅✔✓", ".,;:!?…)]}>\"'”’“‘»«`*_–—|"
_BREAKS = frozenset(",:–—(-|")
_SHORT = listed("e.g. i.e. z.b. d.h. dr. mr. mrs. ms. st. vs. approx. ca. no. nr. bzw. usw. etc. u.a.")
_PATHLIKE = re.compile(
    r"(?:https?://|~?/|\.{1,2}/)\S+|[\w.-]+(?:/[\w.-]+)+\.\w{1,5}|[\w-]+(?:\.[\w-]+)*\.(?:txt|md|csv|tsv|json|ya?ml|log|py|sh|"
    r"pdf|docx?|xlsx?|html?|xml|toml|ini|cfg|conf|db|sqlite|png|jpe?g|sql|js|ts|rs|go|java|c|h|cpp|zip|gz|tar)|"
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word: as it stands, in small letters without its punctuation, where it stands, what breaks behind it."""

    raw: str
    word: str
    start: int
    end: int
    breaks: str
    label: bool


LEAVES_OUT = re.compile(  # what is not meant, or not there
    r"\b(?:not|no|non|nor|neither|never|none|cannot|without|others?|else|except|exclud\w+|omit\w*|ignor\w+|leav\w+ out|"
    r"outside|besides?|apart|aside|rather|but|different|yet|empty|missing|un\w+|"
    r"nicht|kein\w*|weder|noch|ohne|außer\w*|ausgenommen|abgesehen|bis auf|andere\w*|leer|fehl\w+)\b|n't\b",
    re.I,
)


def units(text: str) -> Iterator[tuple[int, int]]:
    """First and last character (half open) of each sentence, line or half of a sentence before a semicolon."""
    start = 0
    for match in _END.finditer(text):
        before = text[max(start, match.start() - 12) : match.end()].rstrip().rpartition(" ")[2].lower()
        numbered = text[start : match.start()].strip().isdecimal() and match.group()[0] == "."
        if before in _SHORT or (numbered and match.group() == "."):
            continue
        if text[start : match.end()].strip():
            yield start, match.end()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


@lru_cache(maxsize=8)  # each sentence of an answer is read by several who judge it, one after another
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a sentence; a path, an address or a number is one."""
    found: list[Token] = []
    for match in _CHUNK.finditer(text):
        raw = match.group()
        bare = raw.lstrip(_LEFT)
        begin = match.start() + len(raw) - len(bare)
        word = bare.rstrip(_RIGHT)
        tail = bare[len(word) :]
        if not word:
            if found and any(c in _BREAKS for c in raw):
                found[-1] = replace(found[-1], breaks=found[-1].breaks + raw)
            continue
        if found and raw[0] in "(–—":
            found[-1] = replace(found[-1], breaks=found[-1].breaks + raw[0])
        small = word.casefold().replace("’", "'")
        found.append(
            Token(word, small, begin, begin + len(word), "".join(c for c in tail if c in _BREAKS), ":" in tail)
        )
    return tuple(found)


def pathlike(token: Token) -> bool:
    """Whether a word is a path, a file name with a known ending, a URL or a mail address."""
    return len(token.raw) <= 2000 and _PATHLIKE.fullmatch(token.raw) is not None
