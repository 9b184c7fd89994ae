"""Every format: told apart by what is in a file, before its name, and read into a `Draft`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from ringfence.knowledge.errors import Unreadable

from ..draft import Draft, Full, Reading
from . import archive, delimited, html, keyed, mail, markdown, pdf, plain, sheets, slides, word
from .kinds import Kind, kind_of

Reader = Callable[[Reading, Draft, bytes, str], None]  # raises Unreadable, Full; whatever else is the file's fault too

READERS: dict[Kind, Reader] = {
    "pdf": pdf.read,
    "docx": word.read,
    "pptx": slides.read,
    "sheets": sheets.read,
    "html": html.read,
    "markdown": markdown.read,
    "csv": delimited.read,
    "json": keyed.read,
    "jsonl": keyed.read_lines,
    "log": plain.read_lines,
    "code": plain.read_code,
    "text": plain.read,
}


_HEADED: tuple[Kind, ...] = ("pdf", "docx", "pptx", "html")
_NO_TITLE = re.compile(  # what programs put there by themselves
    r"microsoft (?:word|powerpoint|excel).*|untitled.*|powerpoint presentation|word document"
    r"|.*\.(?:docx?|pptx?|pdf|indd|qxd|tex|dvi|html?)",
    re.I | re.S,
)


def prepare() -> None:
    """Import what parsers need, once, before there is a file: a fork then has it already."""
    import charset_normalizer  # noqa: F401
    import docx  # noqa: F401
    import pptx  # noqa: F401
    import python_calamine  # noqa: F401
    import selectolax.lexbor  # noqa: F401
    import yaml  # noqa: F401


def read(reading: Reading, data: bytes, name: str, member: str = "", depth: int = 0) -> None:
    """Deliver the documents of a file, or of a member of one; raises Unreadable."""
    kind = kind_of(data, name)
    if kind == "zip":
        archive.read(reading, data, member, depth, read)
        return
    draft = Draft(reading.bounds)
    if kind == "mail":
        mail.read(reading, draft, data, member, depth, read)
        return
    with contextlib.suppress(Full):
        READERS[kind](reading, draft, data, name)
    if not draft.blocks:
        raise Unreadable(draft.notes[0] if draft.notes else "holds no text")
    if kind in _HEADED:
        _entitle(draft)
    reading.deliver(member, draft)


def _entitle(draft: Draft) -> None:
    """Its first heading, where its properties hold no title that a person has written."""
    if draft.title.strip() and not _NO_TITLE.fullmatch(draft.title.strip()):
        return
    kind, _, level, text = draft.blocks[0]
    draft.title = str(text) if kind == "heading" and level == 1 else ""
