"""HTML to text that a model can read. Linear in its input, whatever that is: every byte is looked at once.

Not `html.parser`: before Python 3.13.6 (CVE-2025-6069) it took quadratic time on unfinished tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

_TAG = re.compile(  # each alternative ends at the end of the text at the latest, so that nothing is looked at twice
    r"<!--(?:[^-]++|-(?!->))*+(?:-->|\Z)"
    r"|<[!?][^>]*+(?:>|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<rest>(?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)"
)
_HREF = re.compile(r"(?:^|[\s/])href\s*+=\s*+(?:\"([^\"]*+)|'([^']*+)|([^\s\"'>]++))", re.IGNORECASE)
_ROWSPAN = re.compile(r"(?:^|[\s/])rowspan\s*+=\s*+[\"']?(\d{1,4})", re.IGNORECASE)
_COLSPAN = re.compile(r"(?:^|[\s/])colspan\s*+=", re.IGNORECASE)
_RAW = {"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"}  # hold text, no tags
_CLOSING = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_HIDDEN = {"noscript", "template", "svg", "math", "object", "canvas", "nav", "select", "datalist"}
_BLOCK = {
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "head", "header", "hr", "html", "legend", "main", "ol", "p", "section", "summary", "table",
    "tbody", "thead", "tr", "ul", "br", "pre", "li", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
_LEAD = {"li": "- ", **{f"h{n}": "#" * n + " " for n in range(1, 7)}}
_MOST_ROWS, _MOST_CELLS = 200, 100  # that a cell spans, and of a row
_MOST_COPIED = 20_000  # characters of a table that stand in more rows than one
SPELT = 40  # rows of a table whose cells carry the names of their columns
_CELLS = re.compile(r" ?\| ?")
_SPACE = re.compile(r"[ \t\n\r\f\v\xa0]+")


class Page(NamedTuple):
    """A page as text. `links`: (text, href as written), in order."""

    title: str
    text: str
    links: list[tuple[str, str]]


def readable(html: str) -> Page:
    """The text of a page, a line for each block, with `#` for headings, `-` for items and `|` between cells.

    The cells of a table of at most `SPELT` rows that has three columns or more carry the names of their columns; one
    that spans several rows stands in each. A term stands before what it is: `Deposit: 50`. Of a `nav` the links count.
    """
    title, lines, line, links = "", [""], [], []  # type: str, list[str], list[str], list[tuple[str, str]]
    link: tuple[str, int] | None = None
    pre, table, term = 0, _Table(), _Term()
    for kind, value in _visible(html):
        match kind:
            case "title":
                title = title or _SPACE.sub(" ", unescape(value)).strip()
            case "text":
                line.append(unescape(value) if pre else _SPACE.sub(" ", unescape(value)))
            case "a":
                link = (value, len(line))
            case "/a" if link is not None:
                links.append((_SPACE.sub(" ", "".join(line[link[1] :])).strip(), link[0]))
                link = None
            case "nav":
                href, _, text = value.partition("\n")
                links.append((" ".join(readable(text).text.split()), href))  # of one link: there is none within
            case "td" | "th":
                line.append(" | ")
                table.cell(kind, value)
            case _ if kind.lstrip("/") in _BLOCK:
                lines.append(term.block(kind, _line(line, pre)))
                table.row(len(lines) - 1, lines)
                if kind.lstrip("/") in ("tbody", "thead", "tfoot"):
                    table.section()
                if kind in ("table", "/table"):
                    table.spell_out(lines)
                    table = _Table()
                line, link = [_LEAD.get(kind, "")], None
                pre = max(0, pre + {"pre": 1, "/pre": -1}.get(kind, 0))
    lines.append(term.block("dt", _line(line, pre)))
    table.row(len(lines) - 1, lines)
    table.spell_out(lines)
    lines.append(term.said)
    return Page(title, "\n".join(text for text in lines if text), links)


class _Term:
    """The term of a list of terms that waits for what it is."""

    def __init__(self) -> None:
        self.said = ""  # the term, as long as it waits
        self._place = ""  # dt, dd or neither

    def block(self, kind: str, text: str) -> str:
        """The line of a text that ends at a tag: of a term none, until its value is there."""
        place = self._place
        if kind.lstrip("/") in ("dt", "dd", "dl"):
            self._place = kind if kind in ("dt", "dd") else ""
        if kind == "table":  # which is no value in a line
            said, self.said = self.said, ""
            return f"{said}\n{text}".strip()
        if not text or not (self.said or place == "dt"):
            return text
        said, self.said = self.said, text if place == "dt" else ""
        return said if place == "dt" else f"{said}: {text}" if place == "dd" else f"{said}\n{text}"


class _Table:
    """The rows of a table that is being read: a small model loses the header, and takes the cell of another column."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._cells = {"th": 0, "td": 0}
        self._rows: list[tuple[int, list[str]]] = []
        self._spans: list[int] = []  # of the row's cells: how many rows each takes
        self._room = _MOST_COPIED
        self._down: dict[int, tuple[str, int]] = {}  # what stands in a column from above, and in how many rows more

    def cell(self, kind: str, span: str) -> None:
        """One more cell of the row; `span`: how many rows it takes, or `wide` if it takes several columns."""
        self._cells[kind] += 1
        self._spans.append(0 if span == "wide" else min(int(span), _MOST_ROWS) if span.isdecimal() else 1)

    def row(self, at: int, lines: list[str]) -> None:
        """The row ends: it is line `at`. The first one of names alone is the header."""
        heads, count = self._cells["th"], sum(self._cells.values())
        if count:
            self._cells = {"th": 0, "td": 0}
            cells = _CELLS.split(lines[at])
            if (filled := self._filled(cells)) != cells:
                cells, count = filled, len(filled)
                lines[at] = " | ".join(cells)
            if not self._names and heads == count == len(cells) > 2 and all(cells):
                self._names = cells
            elif self._names and len(cells) == len(self._names):
                self._rows.append((at, cells))

    def _filled(self, cells: list[str]) -> list[str]:
        """The cells of a row, with those from above in their columns, unless it is not certain which these are."""
        spans, self._spans = self._spans, []
        if len(spans) != len(cells) or 0 in spans:
            self.section()
            return cells
        if not self._down and max(spans) < 2:
            return cells
        filled = list[str]()
        for cell, rows in zip(cells, spans, strict=True):
            self._from_above(filled)
            if rows > 1 and cell and (size := len(cell) * rows) <= self._room:
                self._room -= size
                self._down[len(filled)] = cell, rows - 1
            filled.append(cell)
        self._from_above(filled)
        return filled

    def section(self) -> None:
        """What follows has no cells from above."""
        self._down.clear()

    def _from_above(self, filled: list[str]) -> None:
        while len(filled) in self._down and len(filled) < _MOST_CELLS:
            cell, rows = self._down.pop(len(filled))
            if rows > 1:
                self._down[len(filled)] = cell, rows - 1
            filled.append(cell)

    def spell_out(self, lines: list[str]) -> None:
        """Put the names of the columns before the cells, unless there are too many rows."""
        for at, cells in self._rows if len(self._rows) <= SPELT else ():
            lines[at] = " | ".join(f"{name}: {cell}".strip() for name, cell in zip(self._names, cells, strict=True))


def _line(pieces: list[str], pre: int) -> str:
    text = "".join(pieces)
    if pre:
        return text.strip("\n")
    text = re.sub(" +", " ", text).strip().removeprefix("| ")
    return "" if text.strip("-#| ") == "" else text


def _visible(html: str) -> Iterator[tuple[str, str]]:
    """("text", text), ("title", text), ("a", href), ("nav", href and text of a link in it), ("td", how many rows it
    takes, or `wide`), or (name, "") of a tag, `/name` of its end.
    """
    at, hidden, depth = 0, "", 0
    link: tuple[str, int] | None = None  # in a nav
    while (tag := _TAG.search(html, at)) is not None:
        if not hidden and tag.start() > at:
            yield "text", html[at : tag.start()]
        at, name = tag.end(), (tag["name"] or "").lower()
        if hidden == "nav" and name == "a":
            if link is not None:
                yield "nav", f"{link[0]}\n{html[link[1] : tag.start()]}"
            link = None if tag["end"] else (_href(tag["rest"]), at)
        if hidden:
            depth += (1 if not tag["end"] else -1) if name == hidden and not (tag["rest"] or "").endswith("/") else 0
            if not depth:
                if link is not None:
                    yield "nav", f"{link[0]}\n{html[link[1] : tag.start()]}"
                hidden, link = "", None
        elif name in _RAW and not tag["end"]:
            close = _CLOSING[name].search(html, at)
            end = close.start() if close else len(html)
            if name == "title":
                yield "title", html[at:end]
            at = end
        elif name in _HIDDEN and not tag["end"] and not tag["rest"].endswith("/"):
            hidden, depth = name, 1
        elif name == "a" and not tag["end"]:
            yield "a", _href(tag["rest"])
        elif name in ("td", "th") and not tag["end"]:
            wide, rows = _COLSPAN.search(tag["rest"]), _ROWSPAN.search(tag["rest"])
            yield name, "wide" if wide else rows[1] if rows else ""
        elif name:
            yield tag["end"] + name, ""
    if not hidden and at < len(html):
        yield "text", html[at:]


def _href(rest: str) -> str:
    href = _HREF.search(rest)
    return _SPACE.sub(" ", unescape(next(filter(None, href.groups()), ""))).strip() if href else ""
