"""HTML to text that a model can read. Linear in its input, whatever that is: see `tags`."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote, urljoin

from .grid import MOST_CELLS, MOST_ROWS, Cell, Table
from .tags import SPACE, attributes, tags
from .terms import Terms

_BLOCK = {
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "head", "header", "hr", "html", "legend", "main", "ol", "p", "section", "summary", "table",
    "tbody", "thead", "tfoot", "tr", "td", "th", "ul", "br", "pre", "li", "h1", "h2", "h3", "h4", "h5", "h6", "caption",
    "fieldset", "center", "dialog", "menu", "hgroup", "search",
}  # fmt: skip
_BESIDE = {  # of which two may stand in a line with nothing between them but a gap that only the style makes
    "span", "a", "b", "strong", "em", "i", "label", "button", "small", "time", "data", "output", "bdi", "ins", "mark",
}  # fmt: skip
_MOST_CHOICES, _MOST_TABLES, _MOST_INDENTS = 20, 8, 6  # of a select that are told; that are nested
_LONG = 200  # of a choice
_HIDES, _STRIKES = "(not shown at first: ", "(crossed out: "
_PART = 4  # characters, fewer of which may be a part of a word
_CENTS = re.compile(  # $12⁹⁹, and no 10¹² or 2¹⁰
    r"([$€£¥]\s?(?!(?:10|2)\^)\d[\d,. ]*)\^(\d\d)(?!\d)|"
    r"(?<![\d.,])((?!(?:10|2)\^)\d{1,6})\^(\d\d)(?=\s?(?:[$€£¥]|(?:EUR|USD|GBP|CHF)\b))"
)


class Page(NamedTuple):
    """A page as text. `links`: (text, href as written), in order."""

    title: str
    text: str
    links: list[tuple[str, str]]


def readable(html: str) -> Page:
    """The text of a page, a line for each block, with `#` for headings, `-` for items and `|` between cells.

    The cells of a table of at most `SPELT` rows that has three columns or more carry the names of their columns; one
    that spans several stands in each. A term stands before what it is: `Deposit: 50`. What is crossed out, hidden, to
    be chosen or a picture is said to be so. Of a `nav` count the links, and what has a number.
    """
    reader = _Reader()
    for kind, value in tags(html):
        reader.take(kind, value)
    return reader.page()


class _Reader:
    """What has been read of a page so far."""

    def __init__(self) -> None:
        self._title, self._base = "", ""
        self._links: list[tuple[str, str]] = []
        self._lines: list[str] = []  # of the page itself
        self._line: list[str] = []
        self._lead = ""
        self._link: tuple[dict[str, str], int] | None = None
        self._marks: list[tuple[str, bool]] = []  # what is open, and whether something of it has been read
        self._tables: list[tuple[Table, Cell | None]] = []
        self._deep = 0  # tables within, which are no tables to us
        self._lists: list[int | None] = []  # the number of the last item
        self._choices: list[list[str]] | None = None
        self._raised: int | None = None
        self._time: tuple[str, int] | None = None
        self._term = Terms()
        self._pre = self._code = self._gap = 0

    def take(self, kind: str, value: str) -> None:
        """One more text or tag."""
        name = kind.lstrip("/")
        if self._choices is not None and kind != "text":
            self._choose(kind, value)
            if name in ("option", "optgroup", "select", "hr"):
                return
        if kind == "text":
            self._text(unescape(value) if self._pre else SPACE.sub(" ", unescape(value)))
        elif kind == "title":
            self._title = self._title or SPACE.sub(" ", unescape(value)).strip()
        elif kind == "nav":
            self._nav(value)
        elif name in _BLOCK:
            self._block(kind, value)
        else:
            if name in _BESIDE:
                self._gap = 1 if kind != name else 2 if self._gap else 0
            else:
                self._gap = 0
            self._inline(kind, value)

    def _text(self, text: str) -> None:
        if self._choices is not None:
            if self._choices and len(self._choices[-1][0]) < _LONG:
                self._choices[-1][0] += text[:_LONG]
            return
        if text.strip():
            self._open_marks()
        if self._gap == 2 and not (self._pre or self._code) and text and (last := self._last()):
            named = last.isdigit() and text[:1].isupper() and len(text.strip()) > 1  # 12 Mon
            goes_on = (self._short() and not named) or (last.isalpha() and text[0].isalpha() and not text[0].isupper())
            if last.isalnum() and text[0].isalnum() and not goes_on:
                self._line.append(" ")
        self._gap = 0
        self._line.append(text)

    def _open_marks(self) -> None:
        """What is crossed out or hidden begins here."""
        if fresh := [mark for mark, read in self._marks if not read]:
            self._marks = [(mark, True) for mark, _ in self._marks]
            self._line.append(" " + "".join(fresh))

    def _short(self) -> bool:
        """Whether what was read last is a figure or two, a part of a word: digits of a counter, say."""
        piece = next((one for one in reversed(self._line) if one.strip()), "")
        return len(piece.strip()) < _PART

    def _last(self) -> str:
        """The last character of the line."""
        return next((piece[-1] for piece in reversed(self._line) if piece), "")

    def _nav(self, value: str) -> None:
        rest, _, text = value.partition("\n")
        said = " ".join(readable(text).text.split())  # of one link: there is none within
        about = attributes(rest)
        if address := _address(about.get("href", ""), said):
            self._lines.append(f"{said} ({address})" if said else address)
        elif re.match(r"(?:tel|mailto):", about.get("href", ""), re.I):
            self._lines.append(said)
        self._links.append((said or _label(about), about.get("href", "")))

    # -- within a line

    def _inline(self, kind: str, value: str) -> None:
        match kind:
            case "a":
                self._link = attributes(value), len(self._line)
            case "/a" if self._link is not None:
                self._end_link(*self._link)
            case "del" | "s" | "strike" | "unseen":
                self._mark(_HIDES if kind == "unseen" else _STRIKES)
            case "/del" | "/s" | "/strike" | "/unseen":
                self._unmark(_HIDES if kind == "/unseen" else _STRIKES)
            case "sup":
                self._raised = len(self._line)
            case "/sup" if self._raised is not None:
                self._end_raised(self._raised)
            case "time":
                self._time = attributes(value).get("datetime", ""), len(self._line)
            case "/time" if self._time is not None:
                said = "".join(self._line[self._time[1] :])
                if said.strip() and self._time[0] and not any(map(str.isdigit, said)):
                    self._text(f" ({self._time[0]})")
                self._time = None
            case "select":
                self._choices = []
            case "code" | "kbd" | "samp" | "/code" | "/kbd" | "/samp":
                self._code = max(0, self._code + (-1 if kind[0] == "/" else 1))
            case "base":
                self._base = self._base or attributes(value).get("href", "")
            case "img" | "input" | "progress" | "meter":
                self._text_of(kind, value)
            case _ if "aria-label" in value:
                self._text_of(kind, value)

    def _text_of(self, kind: str, value: str) -> None:
        """What an element says that has no text: a picture, a box that is ticked or filled in."""
        about = attributes(value)
        picture = about.get("alt", "") if kind == "img" else about.get("aria-label", "")
        if picture and (kind == "img" or about.get("role") == "img"):
            self._text(f" {picture} " if self._link is not None else f" [image: {picture}] ")
        elif kind == "input" and about.get("type", "").lower() in ("checkbox", "radio"):
            self._text(" [x] " if "checked" in about else " [ ] ")
        elif kind == "input" and about.get("value") and about.get("type", "text").lower() in _FILLED:
            self._text(f" [{about['value']}] ")
        elif kind in ("progress", "meter") and about.get("value"):
            self._text(f" [{about['value']} of {about.get('max') or 1}] ")

    def _end_link(self, about: dict[str, str], began: int) -> None:
        text, href = SPACE.sub(" ", "".join(self._line[began:])).strip(), about.get("href", "")
        if address := _address(href, text):
            self._text(f" ({address})" if text else address)
        self._links.append((text or _label(about), href))
        self._link = None

    def _end_raised(self, began: int) -> None:
        """`10<sup>6</sup>` is not 106, nor `1875<sup>2</sup>` the year 18752."""
        self._raised = None
        raised = "".join(self._line[began:]).strip()
        before = next((piece[-1] for piece in reversed(self._line[:began]) if piece), "")
        if not before.isdigit() or not raised[:1].isdigit():
            return
        noted = self._links and self._links[-1][0] == raised and self._links[-1][1].startswith("#")
        self._line[began:] = [f" [{raised}]" if noted else f"^{raised}"]

    def _mark(self, mark: str) -> None:
        if all(mark != open_ for open_, _ in self._marks):
            self._marks.append((mark, False))

    def _unmark(self, mark: str) -> None:
        """What was crossed out or hidden ends."""
        at = next((n for n in range(len(self._marks) - 1, -1, -1) if self._marks[n][0] == mark), None)
        if at is None:
            return
        if self._marks.pop(at)[1]:
            sink = self._sink()
            if sink and not any(piece.strip() for piece in reversed(self._line)):
                sink[-1] += ")"
            elif self._line:
                self._line[-1] = f"{self._line[-1].rstrip()}) "

    def _choose(self, kind: str, value: str) -> None:
        """What may be chosen ends at the end of its list, or where no option can stand."""
        assert self._choices is not None
        if kind == "option":
            about = attributes(value) if value else {}
            more = " (chosen)" if "selected" in about else " (not available)" if "disabled" in about else ""
            self._choices.append([about.get("label", ""), more])
        elif kind == "/select" or kind.lstrip("/") in _BLOCK - {"hr"}:
            said = [text + more for name, more in self._choices if (text := name.strip())]
            self._choices = None
            if said:
                left = f"; {len(said) - _MOST_CHOICES} more" if len(said) > _MOST_CHOICES else ""
                self._text(f" [choices: {'; '.join(said[:_MOST_CHOICES])}{left}] ")

    # -- blocks

    def _block(self, kind: str, value: str) -> None:
        name = kind.lstrip("/")
        if kind == "table":
            self._open_marks()
        self._flush(kind)
        if name in ("ol", "ul", "menu"):
            if kind[0] == "/":
                self._lists = self._lists[:-1]
            elif len(self._lists) < MOST_CELLS:
                start = attributes(value).get("start", "1") if value else "1"
                self._lists.append(int(start[:9]) - 1 if name == "ol" and start[:9].isdecimal() else None)
        elif kind == "li":
            self._lead = self._item(value)
        elif re.fullmatch(r"h[1-6]", kind):
            self._lead = "#" * int(kind[1]) + " "
            for _, cell in self._tables:
                if cell is not None:
                    cell.plain = False
        elif name == "pre":
            self._pre = max(0, self._pre + (-1 if kind[0] == "/" else 1))
        elif name in ("table", "tr", "td", "th", "thead", "tbody", "tfoot"):
            self._grid(kind, name, value)

    def _item(self, value: str) -> str:
        number, indent = self._lists[-1] if self._lists else None, "  " * min(len(self._lists) - 1, _MOST_INDENTS)
        if number is None:
            return f"{indent}- "
        given = attributes(value).get("value", "") if value else ""
        self._lists[-1] = number = int(given) if given.isdecimal() and len(given) < 9 else number + 1
        return f"{indent}{number}. "

    def _grid(self, kind: str, name: str, value: str) -> None:
        if kind == "table":
            if len(self._tables) == _MOST_TABLES:
                self._deep += 1
                return
            if self._tables and (around := self._tables[-1][1]) is not None:
                around.nested = True
            self._tables.append((Table(), None))
        elif kind == "/table":
            if self._deep:
                self._deep -= 1
            elif self._tables:
                self._end_table()
            return
        elif self._deep:
            return
        if not self._tables:
            if kind[0] == "/":
                return
            self._tables.append((Table(), None))
        table, _ = self._tables[-1]
        if name in ("td", "th"):
            cell = _cell(kind, value) if kind == name else None
            if cell is not None:
                table.cell(cell)
            self._tables[-1] = table, cell
        elif kind != "table":
            self._tables[-1] = table, None
            table.end_row()
            if name != "tr":
                table.section()
                table.in_head = kind == "thead"

    def _end_table(self) -> None:
        table, _ = self._tables.pop()
        self._sink().extend(table.lines())

    def _sink(self) -> list[str]:
        """Where lines go: into the cell that is open, or the page."""
        if not self._tables:
            return self._lines
        table, cell = self._tables[-1]
        return cell.lines if cell is not None else table.between

    def _flush(self, kind: str) -> None:
        """The line ends at a tag."""
        if kind.lstrip("/") in ("td", "th"):
            self._unmark(_STRIKES)
        text, lead = _line(self._line, self._pre), ""
        self._line, self._link, self._raised, self._time, self._gap = [], None, None, None, 0
        if text or re.match(r"/(?:li|h\d)", kind):
            lead, self._lead = self._lead, ""
        self._sink().extend(self._term.block(kind, lead + text if text else ""))

    def page(self) -> Page:
        """All of it."""
        if self._choices is not None:
            self._choose("/select", "")
        self._flush("/dl")
        for mark, _ in self._marks:
            self._unmark(mark)
        while self._tables:
            self._end_table()
        links = [(text, urljoin(self._base, href)) for text, href in self._links] if self._base else self._links
        return Page(self._title, "\n".join(line for line in self._lines if line), links)


_FILLED = {"text", "number", "tel", "email", "url", "date", "time", "month", "week", "datetime-local", "range"}


def _cell(kind: str, value: str) -> Cell:
    about = attributes(value) if value else {}
    cols, rows = (about.get(name, "")[:4] for name in ("colspan", "rowspan"))
    return Cell(
        kind == "th",
        max(1, min(int(cols), MOST_CELLS)) if cols.isdecimal() else 1,
        max(1, min(int(rows), MOST_ROWS)) if rows.isdecimal() else 1,
    )


def _label(about: dict[str, str]) -> str:
    """What a link without a text is called."""
    return about.get("aria-label") or about.get("title", "")


def _address(href: str, text: str) -> str:
    """The number or address that a link dials or writes to, unless its text says it."""
    scheme, _, address = href.partition(":")
    address = unquote(address.partition("?")[0]).strip()
    if scheme.lower() == "mailto":
        return "" if address.lower() in text.lower() else address
    if scheme.lower() == "tel":
        dialled, said = re.sub(r"\D", "", address), re.sub(r"\D", "", text)
        return "" if not dialled or (said and said.lstrip("0") in dialled) else address
    return ""


def _line(pieces: list[str], pre: int) -> str:
    text = "".join(pieces)
    if pre:
        return text.strip("\n")
    text = re.sub(" +", " ", text).strip()
    if _STRIKES in text or _HIDES in text:
        text = re.sub(r"\) (?=[,.;:!?])", ")", text)
    return _CENTS.sub(lambda found: f"{found[1] or found[3]}.{found[2] or found[4]}", text) if "^" in text else text
