"""PPTX: a slide is a page; its title, its texts and tables in order, and the notes of who speaks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ..draft import Draft, Reading
from .archive import package

_DEEP = 8  # groups in groups
_INDENT = 2  # spaces of a level of a list


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """A heading, texts and tables for each slide that is shown."""
    package(reading, data)
    import pptx

    deck = pptx.Presentation(io.BytesIO(data))
    draft.title = str(deck.core_properties.title or "")
    for number, slide in enumerate(deck.slides, 1):
        if number > reading.bounds.pages:
            draft.note(f"its slides after the first {reading.bounds.pages:,} are left out")
            break
        if slide.element.get("show") in ("0", "false"):
            draft.note(f"slide {number} is hidden: it is left out")
            continue
        _slide(draft, slide, number)


def _slide(draft: Draft, slide: Any, number: int) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        draft.heading(title.text_frame.text, 1, number)
    for shape in _shapes(slide.shapes, 0):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if shape.has_text_frame:
            draft.text(_text(shape.text_frame), number)
        elif getattr(shape, "has_table", False) and shape.has_table:
            draft.table(_rows(shape.table), number)
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        if notes is not None and notes.text.strip():
            draft.text(f"Notes: {notes.text}", number)


def _shapes(shapes: Any, depth: int) -> Iterator[Any]:
    """All of them, those in groups too."""
    for shape in shapes:
        inner = getattr(shape, "shapes", None)
        if inner is None:
            yield shape
        elif depth < _DEEP:
            yield from _shapes(inner, depth + 1)


def _text(frame: Any) -> str:
    return "\n".join(
        " " * (_INDENT * min(part.level, 8)) + ("- " if part.level else "") + part.text
        for part in frame.paragraphs
        if part.text.strip()
    )


def _rows(table: Any) -> Iterator[list[str]]:
    """By its elements: the library's own cells are found anew each time."""
    for row in table._tbl.tr_lst:
        yield [" ".join(part for part in cell.text.split("\n")) for cell in row.tc_lst]
