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
_RAW = {"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"}  # hold text, no tags
_CLOSING = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_HIDDEN = {"noscript", "template", "svg", "math", "object", "canvas", "nav", "select", "datalist"}
_BLOCK = {
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "head", "header", "hr", "html", "legend", "main", "ol", "p", "section", "summary", "table",
    "tbody", "thead", "tr", "ul", "br", "pre", "li", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
_LEAD = {"li": "- ", **{f"h{n}": "#" * n + " " for n in range(1, 7)}}
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

    The cells of a table of at most `SPELT` rows that has three columns or more carry the names of their columns.
    """
    title, lines, line, links = "", [""], [], []  # type: str, list[str], list[str], list[tuple[str, str]]
    link: tuple[str, int] | None = None
    pre, table = 0, _Table()
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
            case "td" | "th":
                line.append(" | ")
                table.cell(kind)
            case _ if kind.lstrip("/") in _BLOCK:
                lines.append(_line(line, pre))
                table.row(len(lines) - 1, lines)
                if kind in ("table", "/table"):
                    table.spell_out(lines)
                    table = _Table()
                line, link = [_LEAD.get(kind, "")], None
                pre = max(0, pre + {"pre": 1, "/pre": -1}.get(kind, 0))
    lines.append(_line(line, pre))
    table.row(len(lines) - 1, lines)
    table.spell_out(lines)
    return Page(title, "\n".join(text for text in lines if text), links)


class _Table:
    """The rows of a table that is being read: a small model loses the header, and takes the cell of another column."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._cells = {"th": 0, "td": 0}
        self._rows: list[tuple[int, list[str]]] = []

    def cell(self, kind: str) -> None:
        """One more cell of the row."""
        self._cells[kind] += 1

    def row(self, at: int, lines: list[str]) -> None:
        """The row ends: it is line `at`. The first one of names alone is the header."""
        heads, count = self._cells["th"], sum(self._cells.values())
        if count:
            self._cells = {"th": 0, "td": 0}
            cells = _CELLS.split(lines[at])
            if not self._names and heads == count == len(cells) > 2 and all(cells):
                self._names = cells
            elif self._names and len(cells) == len(self._names):
                self._rows.append((at, cells))

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
    """("text", text), ("title", text), ("a", href), or (name, "") of a tag, `/name` of its end."""
    at, hidden, depth = 0, "", 0
    while (tag := _TAG.search(html, at)) is not None:
        if not hidden and tag.start() > at:
            yield "text", html[at : tag.start()]
        at, name = tag.end(), (tag["name"] or "").lower()
        if hidden:
            depth += (1 if not tag["end"] else -1) if name == hidden and not (tag["rest"] or "").endswith("/") else 0
            hidden = hidden if depth else ""
        elif name in _RAW and not tag["end"]:
            close = _CLOSING[name].search(html, at)
            end = close.start() if close else len(html)
            if name == "title":
                yield "title", html[at:end]
            at = end
        elif name in _HIDDEN and not tag["end"] and not tag["rest"].endswith("/"):
            hidden, depth = name, 1
        elif name == "a" and not tag["end"]:
            href = _HREF.search(tag["rest"])
            yield "a", unescape(next(filter(None, href.groups()), "")) if href else ""
        elif name:
            yield tag["end"] + name, ""
    if not hidden and at < len(html):
        yield "text", html[at:]
