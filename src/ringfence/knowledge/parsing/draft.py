"""What is written while a file is read: one document within its bounds, and the file that it is part of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ringfence.core.values import JSON

from ..errors import Unreadable
from .bounds import Bounds
from .clean import clean, line, tidy

TABLE_CHARS = 1_600  # of a piece of a long table: about what a passage holds
MAX_NOTES = 50
_KEPT_ROWS = 2  # the header and the line under it


class Full(Exception):
    """The document is as long as one may be: what came before is kept."""


class Over(Unreadable):
    """The file as a whole is over a bound: it is a bomb, or too much; none of its members is read any further."""


@dataclass(slots=True)
class Reading:
    """One file being read, archives in it included: what is left of its bounds, and where documents go."""

    bounds: Bounds
    send: Callable[[dict[str, JSON]], None]
    ocr: str = ""  # languages, as tesseract calls them; empty: pages without text stay so
    began: float = field(default_factory=time.monotonic)
    chars: int = 0
    members: int = 0
    unpacked: int = 0
    names: set[str] = field(default_factory=set)

    def unpack(self, size: int) -> None:
        """Count bytes before they are unpacked; raises Over for a bomb."""
        self.unpacked += size
        if self.unpacked > self.bounds.unpacked_mb << 20:
            raise Over(f"a bomb: more than {self.bounds.unpacked_mb} MB once unpacked")

    def member(self, count: int = 1) -> None:
        """Count members; raises Over where there are too many."""
        self.members += count
        if self.members > self.bounds.members:
            raise Over(f"holds more than {self.bounds.members} files", todo="unpack it into the folder")

    def deliver(self, name: str, draft: Draft) -> None:
        """Hand a document over; `name` is empty for the file itself."""
        while name in self.names:
            name += "+"  # of notes alone: who has text to say sees to its name
        self.names.add(name)
        self.chars += draft.chars
        if self.chars > self.bounds.all_chars:
            raise Over(f"its documents have more than {self.bounds.all_chars:,} characters in all")
        self.send(draft.as_json(name))


@dataclass(slots=True)
class Draft:
    """A document being written. Whatever is added is cleaned; raises Full at a bound, which is noted."""

    bounds: Bounds
    title: str = ""
    notes: list[str] = field(default_factory=list)
    readers: list[str] | None = None
    blocks: list[list[JSON]] = field(default_factory=list)
    chars: int = 0
    hidden: int = 0

    def note(self, words: str) -> None:
        """What the reader of the report has to know, once."""
        words = line(words)
        if words not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(words)

    def heading(self, text: str, level: int, page: int = 0) -> None:
        """A heading's words."""
        self._add("heading", line(text), page, min(max(level, 1), 9))

    def text(self, text: str, page: int = 0) -> None:
        """A paragraph, a list, some lines."""
        self._add("text", text, page)

    def code(self, text: str, page: int = 0) -> None:
        """Source, as it stands."""
        self._add("code", text, page)

    def table(self, rows: Iterable[Sequence[str]], page: int = 0, *, whole: bool = True) -> None:
        """Rows of cells, the first of which names the columns; a long one in pieces that repeat it if not `whole`."""
        held: list[str] = []
        size = width = 0
        for cells in rows:
            width = width or len(cells)
            written = _row(cells, width)
            if not held:
                held = [written, "|" + " --- |" * width]
            else:
                if not whole and size + len(written) > TABLE_CHARS and len(held) > _KEPT_ROWS:
                    self._add("table", "\n".join(held), page)
                    held, size = held[:_KEPT_ROWS], 0
                held.append(written)
            size += len(written) + 1
            if self.chars + size > self.bounds.chars:
                break  # the rest could not be kept anyway
        if held:
            self._add("table", "\n".join(held), page)

    def _add(self, kind: str, text: str, page: int, level: int = 0) -> None:
        text, hidden = clean(text)
        self.hidden += hidden
        text = text.rstrip() if kind == "code" else tidy(text)
        text = text.strip("\n")
        if not text.strip():
            return
        left = self.bounds.chars - self.chars
        if len(text) > left or len(self.blocks) >= self.bounds.blocks:
            if left > 0 and len(self.blocks) < self.bounds.blocks:
                self._keep(kind, text[:left], page, level)
            self.note(f"it is longer than one document may be: what follows its first {self.chars:,} characters is"
                      " left out")  # fmt: skip
            raise Full
        self._keep(kind, text, page, level)

    def _keep(self, kind: str, text: str, page: int, level: int) -> None:
        self.blocks.append([kind, page, level, text])
        self.chars += len(text)

    def as_json(self, name: str) -> dict[str, JSON]:
        """The line that goes to the other end."""
        if self.hidden:
            self.note(f"{self.hidden} hidden marks (direction of text, tags) were taken out of its text")
        blocks: JSON = self.blocks
        readers: JSON = self.readers
        notes: JSON = self.notes
        return {"name": name, "title": line(self.title), "notes": notes, "readers": readers, "blocks": blocks}


def _row(cells: Sequence[str], width: int) -> str:
    """A row of a Markdown table, no narrower than the first."""
    written = [line(cell, chars=20_000).replace("|", "\\|") for cell in cells]
    written += [""] * (width - len(written))
    return f"| {' | '.join(written)} |"
