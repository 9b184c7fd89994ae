"""The part of a chunk that a question is about, where the whole of it has no room; and the lines that are closest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

_UNIT = re.compile(r"(?:[^\n.!?]|[.!?](?![\s.!?]|$))*(?:[.!?]+(?=\s|$))?\s*")  # a sentence or a line
_WORD = re.compile(r"[^\W_]*\d[^\W_]*|[^\W_]{3,}")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_MOST_WORDS = 12  # of a question, that are looked for one by one
_GENERIC = frozenset(  # in questions, and seldom in what answers them
    re.findall(
        r"\w+",
        "about according after allow allowed amount anybody anyone anything appear before being between called could"
        " contain count date decide decided different document documents during each else every everybody everyone"
        " explain file files find following gets getting give given gives going had happen happened happens his her"
        " instead kind know least less list long made make makes many may mean means mention mentioned might more most"
        " much must name named need needed needs number often old one only other ought owed own passage per please"
        " possible question regarding said same say says see shall she should show some somebody someone something"
        " state stated still such take taken tell than then there these thing those times too two type under until upon"
        " used uses using value values very want way well whether while whose why will within without would yet"
        " aber alle allem allen auch beim bitte darf dem den des diese diesem diesen dieser dieses durch einem einen"
        " einer eines gibt haben hat hatte ihr ihre kann kein keine können laut man mehr muss müssen nach nennt nicht"
        " noch nur oder sagt sein seine sich sie sind soll sollen sollte steht über und unter viel viele vom wann warum"
        " was welche welchem welchen welcher welches wem wen weniger wenn werden wessen wieviel wieviele wird wozu zum"
        " zur zwischen",
    )
)
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")
_LINE_CHARS = 300
_LEAST = 0.4  # of any closest line: less than one word that six lines share
_TELLING = 0.6  # of the weight of the question's words that the best line has: a line with less is not closest
_STEM = 5  # characters that words of one stem share, about: `backups` is `backup`
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for are was were what when where which who whom how does did can with from that this have has not you"
        " your our its they them into per any all der die das und ist sind wie was wer wann wo von mit für ein eine",
    )
)


def excerpt(text: str, question: str, room: int) -> tuple[int, int]:
    """Start and end of at most `room` characters of `text` that hold most of the question's words; whole sentences.

    The earliest of equally good ones. All of it, if it fits.
    """
    if len(text) <= room:
        return 0, len(text)
    wanted = _stems(question)
    units = list(_units(text, max(1, room // 2)))
    held = [_stems(text[a:b]) & wanted for a, b in units]
    worth = [0, *accumulate(len(found) for found in held)]
    best, at = (-1, -1), (0, min(room, len(text)))
    first = 0
    for last, (_, end) in enumerate(units):
        while end - units[first][0] > room and first < last:
            first += 1
        start = units[first][0]
        distinct = len(frozenset().union(*held[first : last + 1]))
        if (value := (distinct, worth[last + 1] - worth[first])) > best:
            best, at = value, (start, min(end, start + room))
    return _filled(units, at, room)


def _units(text: str, most: int) -> Iterator[tuple[int, int]]:
    """Sentences and lines; what is longer than `most` characters is parted anywhere."""
    for match in _UNIT.finditer(text):
        for start in range(match.start(), match.end(), most):
            yield start, min(start + most, match.end())


def _filled(units: list[tuple[int, int]], at: tuple[int, int], room: int) -> tuple[int, int]:
    """What room is left goes to the sentences behind, and then to those before."""
    start, end = at
    for _, after in units:
        if after > end and after - start <= room:
            end = after
    for before, _ in reversed(units):
        if before < start and end - before <= room:
            start = before
    return start, end


def closest(texts: Sequence[tuple[int, str, str]], question: str, *, most: int = 2) -> list[str]:
    """The lines and sentences that share the rarest of the question's words, each behind its passage's number.

    What is read last is what a small model looks at; a row of a table comes with the names of its columns, which it
    loses otherwise. `texts`: (number, text, title and headings, a line each), the best one first; equally close
    lines keep that order. What the title says already tells no line from another; it and headings are no lines.
    """
    asked = _stems(question)
    lines: list[tuple[int, str, frozenset[str]]] = []
    for n, text, about in texts:
        known, telling = about.casefold(), asked - _stems(about.partition("\n")[0])
        lines += [(n, line, _stems(line) & telling) for line in _lines(text) if line.casefold() not in known]
    shared = Counter(stem for _, _, held in lines for stem in held)
    weights = [sum(shared[stem] ** -0.5 for stem in held) for _, _, held in lines]
    best = sorted(range(len(lines)), key=lambda at: -weights[at])[:most]
    least = max(_TELLING * max(weights, default=0.0), _LEAST)
    return [f"[{lines[at][0]}] {lines[at][1][:_LINE_CHARS]}" for at in best if weights[at] >= least]


def unheard(question: str, texts: Sequence[str]) -> list[str]:
    """The telling words of a question that stand in none of these texts, in small letters, as they are written."""
    held = frozenset[str]().union(*map(_stems, texts))
    asked = dict.fromkeys(word for word in _LETTERS.findall(question.casefold()) if word not in _COMMON | _GENERIC)
    return [word for word in asked if word[:_STEM] not in held][:_MOST_WORDS]


def _lines(text: str) -> list[str]:
    """Sentences, and rows of tables as `name: value; name: value`; headings and rules are none."""
    found: list[str] = []
    rows = text.split("\n")
    names: list[str] = []
    plain: list[str] = []
    for at, line in enumerate(rows):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else []
        if not cells:
            names = []
            plain.append(line)
        elif _RULE.fullmatch(line.strip()):
            continue
        elif at + 1 < len(rows) and _RULE.fullmatch(rows[at + 1].strip()):
            names = cells
        elif len(names) == len(cells):
            found.append("; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell))
        else:
            found.append(line.strip())
    prose = "\n".join(plain)
    sentences = (" ".join(match.group().split()) for match in _UNIT.finditer(prose))
    return [*(one for one in sentences if len(one.split()) > 2), *found]


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _WORD.findall(text.casefold()) if word not in _COMMON)
