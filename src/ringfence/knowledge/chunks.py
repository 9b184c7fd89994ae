"""A parsed document as one text, cut into chunks that fit the embedding model, heading and title included.

Borders fall at pages, headings, paragraphs and sentences, in this order; a table or a listing that fits is kept whole.
Texts are weighed by `estimate`, which is quick; then each chunk is counted once by the model's own tokenizer, and what
is too long is made shorter until it fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ringfence.core.errors import InternalError

from .ports import Block, BlockKind, Chunk, Parsed

Count = Callable[[str], int]  # tokens of a text, those that the model adds to every text included

LEAST: Final = 128  # tokens of a chunk; a title and a heading path have to fit beside the text
_TITLE_BYTES: Final = 64  # at most as many tokens: none is less than a byte
_HEADING_BYTES: Final = 240
_JOINT: Final = "\n\n"
_STEP: Final = " > "
_WEIGHED = re.compile(r"[\u2e80-\ud7ff\uf900-\uffdc\U00020000-\U0003ffff]|[^\W\d_]{1,5}|\d{1,2}|[^\s]|\s{32}")
_SENTENCE = re.compile(
    r"""[.!?…]["'”’»)\]]*\s+(?=["'“‘«(\[]?[^\W_a-z])  # a sentence's end before a capital, a number, another script
    | [。！？]["”’」』）]*\s*
    | \n[^\S\n]*\n\s*                                 # a blank line
    | \n(?=[^\S\n]*(?:[-*+•]|\d{1,3}[.)])[^\S\n])     # an item of a list""",
    re.VERBOSE,
)
_SHORT = re.compile(
    r"(?:\b[^\W\d_]|(?:^|\s)\d{1,2}|\b(?:e\.g|i\.e|z\.B|Dr|Mrs?|Ms|Prof|St|No|Nr|vs|cf|approx|ca|Fig|Art|Sec|Abs|bzw))$"
)
_LINE = re.compile(r"[^\n]+")


def estimate(text: str) -> int:
    """Tokens of a text where no tokenizer is at hand: one for five letters, two digits, one sign, one CJK character.

    Of English prose and of source code that is 5 to 20 % more than tokenizers make of it.
    """
    return 2 + _weight(text)


def passage(title: str, chunk: Chunk, text: str) -> str:
    """What is embedded and indexed of a chunk: the document's title and the headings above it, then its own text.

    The title is cut after 64 bytes, and left out where the headings say it; so is a heading with which the text begins.
    """
    opening = {line.strip().casefold() for line in text[:1000].split("\n")}
    known, above = set[str](), list[str]()
    for words in (_cut(" ".join(title.split()), _TITLE_BYTES), *chunk.headings):
        plain = words.casefold()
        if plain and plain not in known and plain not in opening:
            above.append(words)
        known.add(plain)
    return f"{_STEP.join(above)}\n{text}" if above else text


def split(
    parsed: Parsed, *, count: Count, title: str = "", tokens: int = 512, overlap: int = 64
) -> tuple[str, tuple[Chunk, ...]]:
    """The document's text, and its chunks in order: every character of it that is not blank is in one of them.

    count    of the embedding model (`Embedder.count`), or `estimate`
    title    the title that `passage` will be given; the parsed one's if empty
    tokens   of a chunk's passage at most, from 128
    overlap  tokens (about) of whole sentences at the end of a chunk with which the next one of its section begins

    A chunk is of one page. Its `kind` is that of all its blocks, or text. Part of a table that had to be cut has the
    table's header as the last of its `headings`. The time is linear in the text: 1.5 MB a second, 4 with `estimate`.
    """
    if tokens < LEAST or not 0 <= overlap <= tokens // 2:
        raise ValueError(f"expected at least {LEAST} tokens and an overlap of at most half, got {tokens} and {overlap}")
    blocks = [replace(block, text=_clean(block.text)) for block in parsed.blocks]
    blocks = [block for block in blocks if block.text]
    text = _JOINT.join(block.text for block in blocks)
    cutter = _Cutter(text, count, title or parsed.title, tokens, overlap)
    found: list[Chunk] = []
    for section in _sections(blocks, tokens):
        found.extend(cutter.cut(section))
    return text, tuple(found)


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is not cut if it fits. `strong`: a good place for a border comes behind it; `header`: of a row's table."""

    start: int
    end: int
    kind: BlockKind
    weight: int
    strong: bool = False
    header: str = ""


@dataclass(slots=True)
class _Section:
    """What shares a page and a heading path."""

    page: int
    headings: tuple[str, ...]
    atoms: list[_Atom]

    @property
    def begun(self) -> bool:
        return any(atom.kind != "heading" for atom in self.atoms)


def _sections(blocks: Sequence[Block], tokens: int) -> Iterator[_Section]:
    """Headings that follow each other open one section."""
    path: list[tuple[int, str]] = []
    now, start = _Section(0, (), []), 0
    for block in blocks:
        if now.atoms and (block.page != now.page or (block.kind == "heading" and now.begun)):
            yield now
            now = _Section(block.page, now.headings, [])
        now.page = block.page
        if block.kind == "heading":
            level = max(block.level, 1)
            path = [
                *(one for one in path if one[0] < level),
                (level, _cut(" ".join(block.text.split()), _HEADING_BYTES)),
            ]
            now.headings = tuple(words for _, words in path)
        now.atoms.extend(_atoms(block, start, tokens))
        start += len(block.text) + len(_JOINT)
    if now.atoms:
        yield now


def _atoms(block: Block, start: int, tokens: int) -> list[_Atom]:
    """A heading, a table or a listing is one if it may fit; else rows and lines are, and sentences of a text."""
    text, cap = block.text, 2 * tokens
    if block.kind != "text" and len(text) <= 16 * tokens and (weight := _weight(text)) <= tokens:
        return [_Atom(start, start + len(text), block.kind, weight, strong=block.kind != "heading")]
    if block.kind in ("table", "code"):
        return _lines(text, start, block.kind, cap)
    return _last_strong([atom for span in _sentences(text) for atom in _bounded(text, span, start, block.kind, cap)])


def _lines(text: str, start: int, kind: BlockKind, cap: int) -> list[_Atom]:
    """Lines of code, with a border before what begins at the margin behind a blank line; rows of a table."""
    header = ""
    found: list[_Atom] = []
    for line in _LINE.finditer(text):
        first, end = line.span()
        if not line.group().strip():
            continue
        if kind == "code" and found and text[first - 2 : first] == "\n\n" and not text[first].isspace():
            found[-1] = replace(found[-1], strong=True)
        found.extend(replace(atom, header=header) for atom in _bounded(text, (first, end), start, kind, cap))
        if kind == "table" and not header:
            header = " | ".join(cell.strip() for cell in line.group().strip().strip("|").split("|"))
    return _last_strong(found)


def _last_strong(atoms: list[_Atom]) -> list[_Atom]:
    return [*atoms[:-1], replace(atoms[-1], strong=True)] if atoms else []


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for border in _SENTENCE.finditer(text):
        if border.group()[0] == "." and _SHORT.search(text, max(start, border.start() - 12), border.start()):
            continue
        yield start, border.end()
        start = border.end()
    if start < len(text):
        yield start, len(text)


def _bounded(text: str, span: tuple[int, int], offset: int, kind: BlockKind, cap: int) -> Iterator[_Atom]:
    """A span without the blanks around it, in pieces of at most `cap` characters, cut at blanks where there are any."""
    start, end = span
    strong = "\n\n" in text[max(start, end - 8) : end]
    while start < end:
        stop = end
        if end - start > cap:
            stop = start + cap
            for blank in ("\n", " "):
                if (found := text.rfind(blank, start + cap // 2, stop)) > start:
                    stop = found
                    break
        piece = text[start:stop]
        if body := piece.strip():
            first = offset + start + len(piece) - len(piece.lstrip())
            yield _Atom(first, first + len(body), kind, _weight(body), strong and stop == end)
        start = stop


class _Cutter:
    """Packs the atoms of one document into chunks that fit."""

    def __init__(self, text: str, count: Count, title: str, tokens: int, overlap: int) -> None:
        self._text, self._count, self._title = text, count, title
        self._tokens, self._overlap = tokens, overlap
        self._rate = 1.0  # tokens for one of weight, as the last chunk had it
        self._fixed = count("")
        self._paths: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}

    def cut(self, section: _Section) -> Iterator[Chunk]:
        """The chunks of a section, whose atoms are all in one at least."""
        atoms = section.atoms
        first = done = 0
        while done < len(atoms):
            shell = Chunk(0, 0, section.page, self._path(section.headings, atoms[first].header))
            chunk, end = self._largest(atoms, first, done, shell)
            if chunk is None:  # what follows does not fit behind the overlap
                first = done
                continue
            yield chunk
            first, done = self._next(atoms, first, end), end

    def _largest(self, atoms: list[_Atom], first: int, done: int, shell: Chunk) -> tuple[Chunk | None, int]:
        """The chunk from `first` that goes beyond `done`, and where it ends; None where none of that kind fits."""
        above = _weight(passage(self._title, shell, ""))
        end = self._border(atoms, max(first, done), self._filled(atoms, first, above))
        while end > done:
            chunk = self._chunk(atoms[first:end], shell)
            weight = above + sum(atom.weight for atom in atoms[first:end])
            self._rate = min(3.0, max(0.5, (chunk.tokens - self._fixed) / max(weight, 1)))
            if chunk.tokens <= self._tokens:
                return chunk, end
            if end == first + 1:
                atoms[first:end] = parts = self._smaller(atoms[first])
                end = first + len(parts)
            end = max(first + 1, min(end - 1, self._filled(atoms, first, above)))
        return None, done

    def _chunk(self, atoms: Sequence[_Atom], shell: Chunk) -> Chunk:
        kinds = {atom.kind for atom in atoms if atom.kind != "heading"}
        kind: BlockKind = kinds.pop() if len(kinds) == 1 else "text" if kinds else "heading"
        chunk = replace(shell, start=atoms[0].start, end=atoms[-1].end, kind=kind)
        said = passage(self._title, chunk, self._text[chunk.start : chunk.end])
        return replace(chunk, tokens=self._count(said))

    def _filled(self, atoms: Sequence[_Atom], first: int, above: int) -> int:
        """Behind the last atom that is likely to fit; one at least."""
        room, weight, end = (self._tokens - self._fixed) / self._rate - above, 0, first
        while end < len(atoms) and (weight + atoms[end].weight <= room or end == first):
            weight += atoms[end].weight
            end += 1
        return end

    def _border(self, atoms: Sequence[_Atom], first: int, end: int) -> int:
        """A better place for the border in the last quarter, if there is one."""
        if end == len(atoms):
            return end
        spare = self._tokens // 4
        for place in range(end, first, -1):
            if atoms[place - 1].strong:
                return place
            spare -= atoms[place - 1].weight
            if spare < 0:
                break
        return end

    def _next(self, atoms: Sequence[_Atom], first: int, end: int) -> int:
        """Where the next chunk begins: some sentences before this one's end, but none of a table."""
        if end == len(atoms):
            return end
        left, place = self._overlap / self._rate, end
        while place - 1 > first and atoms[place - 1].kind in ("text", "code"):
            left -= atoms[place - 1].weight
            if left < 0:
                break
            place -= 1
        return place

    def _smaller(self, atom: _Atom) -> list[_Atom]:
        """The parts of an atom that does not fit by itself: lines, else halves."""
        text = self._text[atom.start : atom.end]
        if atom.kind in ("table", "code") and "\n" in text:
            return _lines(text, atom.start, atom.kind, len(text))
        if len(text) < 2:
            raise InternalError(f"one character and its headings are more than {self._tokens} tokens")
        parts = _bounded(text, (0, len(text)), atom.start, atom.kind, (len(text) + 1) // 2)
        return [replace(part, header=atom.header) for part in parts]

    def _path(self, headings: tuple[str, ...], header: str) -> tuple[str, ...]:
        """The headings, the innermost at least, in a third of the tokens."""
        found = self._paths.get((headings, header))
        if found is None:
            found = (*headings, header) if header else headings
            most = self._tokens // 3
            while len((said := _STEP.join(found)).encode()) > most and self._count(said) > self._fixed + most:
                found = found[1:] if len(found) > 1 else (_cut(found[0], len(found[0].encode()) // 2),)
            self._paths = {(headings, header): found}  # the next section has others
        return found


def _weight(text: str) -> int:
    return len(_WEIGHED.findall(text))


def _clean(text: str) -> str:
    """Without blanks at the ends, and as Unicode that can be stored: no NUL, no half of a surrogate pair."""
    text = text.strip().replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, whole characters."""
    return text.encode()[:most].decode(errors="ignore").rstrip() if len(text) * 4 > most else text
