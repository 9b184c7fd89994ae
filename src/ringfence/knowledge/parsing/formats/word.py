"""DOCX: paragraphs, headings by the outline level of their style, tables whole, notes at the foot."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ..draft import Draft, Reading
from .archive import package

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNREAD = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", f"{_W}pPr", _FALLBACK))
_INHERIT = 10  # styles, from one to the one that it is based on
_DEEP = 8  # levels of content controls, and of tables in tables
_COPIED = 20_000  # characters of a table that stand in more cells than one
_STRUCK = (("\x01", "(crossed out: "), ("\x02", ")"))
_FOOT = ("footnote", "endnote")


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Blocks in order, then the foot- and endnotes."""
    package(reading, data)
    import docx

    document = docx.Document(io.BytesIO(data))
    draft.title = str(document.core_properties.title or "")
    outline = _Outline(document.styles.element)
    body = document.element.body
    for element in _content(body, 0):
        if element.tag == f"{_W}p":
            _paragraph(draft, element, outline)
        else:
            draft.table(_rows(element))
    for rel in document.part.rels.values():
        kind = str(rel.reltype).rpartition("/")[2]
        if kind.removesuffix("s") in _FOOT and not rel.is_external:
            _notes(draft, rel.target_part.blob, kind.removesuffix("s"))


class _Outline:
    """The heading level of each style: its own, or of the one that it is based on."""

    def __init__(self, styles: Any) -> None:
        self._own: dict[str, int] = {}
        self._based: dict[str, str] = {}
        for style in styles.iter(f"{_W}style"):
            key = style.get(f"{_W}styleId") or ""
            name = _value(style, "name").lower()
            level = _value(style, "pPr/", "outlineLvl")
            if name.startswith("heading ") and name[8:].isdigit():
                self._own[key] = int(name[8:])
            elif name == "title":
                self._own[key] = 1
            elif level.isdigit() and int(level) < 9:
                self._own[key] = int(level) + 1
            self._based[key] = _value(style, "basedOn")

    def level(self, key: str) -> int:
        """0: no heading."""
        for _ in range(_INHERIT):
            if key in self._own:
                return self._own[key]
            key = self._based.get(key, "")
        return 0


def _value(element: Any, *path: str) -> str:
    found = element.find("".join(part if part.startswith("{") else f"{_W}{part}" for part in path))
    return (found.get(f"{_W}val") or "") if found is not None else ""


def _content(parent: Any, depth: int) -> Iterator[Any]:
    """Paragraphs and tables, those in content controls and insertions too."""
    if depth > _DEEP:
        return
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"):
            yield from _content(child, depth + 1)


def _paragraph(draft: Draft, element: Any, outline: _Outline) -> None:
    words = _words(draft, element)
    if not words.strip():
        return
    style = _value(element, "pPr/", "pStyle")
    own = _value(element, "pPr/", "outlineLvl")
    level = int(own) + 1 if own.isdigit() and int(own) < 9 else outline.level(style)
    if level:
        draft.heading(words, level)
    elif element.find(f"{_W}pPr/{_W}numPr") is not None or style.lower().startswith("list"):
        draft.text(f"- {words}")
    else:
        draft.text(words)


def _words(draft: Draft | None, element: Any) -> str:
    """The text of a paragraph as it is shown: without what was deleted or hidden."""
    held: list[str] = []
    stack = [element]
    while stack:
        node = stack.pop()
        if not isinstance(node.tag, str) or node.tag in _UNREAD:
            continue
        if node.tag == f"{_W}r" and _hides(node):
            if draft is not None:
                draft.note("text that is formatted as hidden was left out")
            continue
        if node.tag == f"{_W}t" and node.text and (how := _how(node.getparent())):
            held.append(f"\x01{node.text}\x02" if how == "struck" else _raised(held, node.text))
        elif node.tag in (f"{_W}t", _MATH):
            held.append(node.text or "")
        elif node.tag in (f"{_W}tab", f"{_W}ptab"):
            held.append("\t")
        elif node.tag in (f"{_W}br", f"{_W}cr"):
            held.append("\n")
        elif node.tag == f"{_W}noBreakHyphen":
            held.append("-")
        elif node.tag == f"{_W}p" and held:
            held.append("\n")  # of a text box in this paragraph
        stack.extend(reversed(node))
    words = "".join(held).replace("\x02\x01", "")
    for mark, said in _STRUCK:
        words = words.replace(mark, said)
    return words


def _how(run: Any) -> str:
    """Whether a run is struck out or raised."""
    for name, how in (("strike", "struck"), ("dstrike", "struck"), ("vertAlign", "raised")):
        mark = run.find(f"{_W}rPr/{_W}{name}")
        if mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off", "baseline", "subscript"):
            return how
    return ""


def _raised(held: list[str], text: str) -> str:
    """10 to the 6th is not 106."""
    return f"^{text}" if held and held[-1][-1:].isdigit() and text[:1].isdigit() else text


def _hides(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")


def _rows(table: Any) -> Iterator[list[str]]:
    """The rows of a table; what spans columns or goes on from above stands in each."""
    above: dict[int, str] = {}
    room = _COPIED
    for row in table.iterchildren(f"{_W}tr"):
        cells: list[str] = []
        found = 0
        for cell in row.iterchildren(f"{_W}tc", f"{_W}sdt"):
            inner = cell if cell.tag == f"{_W}tc" else cell.find(f"{_W}sdtContent/{_W}tc")
            if inner is None:
                continue
            found += 1
            merged = inner.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merged is not None and merged.get(f"{_W}val") != "restart"
            words = (
                above.get(len(cells), "") if goes_on else " ".join(_words(None, part) for part in inner.iter(f"{_W}p"))
            )
            span = _value(inner, "tcPr/", "gridSpan")
            more = min(int(span), 64) - 1 if span.isdigit() else 0
            copies = len(words) * (more + goes_on)
            fits = copies <= room
            room -= copies if fits else 0
            if merged is not None:
                above[len(cells)] = words if fits else ""
            cells += [words if fits or not goes_on else "", *[words if fits else ""] * more]
        if found == 1 and len(cells) > 1:
            cells[1:] = [""] * (len(cells) - 1)  # it names a group of rows
        if cells:
            yield cells


def _notes(draft: Draft, blob: bytes, kind: str) -> None:
    from docx.oxml import parse_xml

    for note in parse_xml(blob).iter(f"{_W}{kind}"):
        words = " ".join(_words(draft, part) for part in note.iter(f"{_W}p")).strip()
        if words and note.get(f"{_W}type") in (None, "normal"):
            draft.text(f"{kind.capitalize()} {note.get(f'{_W}id')}: {words}")
