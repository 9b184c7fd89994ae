"""HTML as a reader sees it: headings, text, code, tables. What is not shown is not read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ringfence.knowledge.errors import Unreadable

from ..clean import tidy
from ..draft import Draft, Reading
from ..grid import Grid
from . import front
from .encoding import decoded

_UNSEEN = frozenset((
    "script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "embed", "canvas", "audio",
    "video", "select", "datalist", "dialog", "textarea", "input", "button", "frame", "frameset", "noframes", "applet",
    "param", "source", "track", "map", "link", "meta", "title",
))  # fmt: skip
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "ul", "ol", "dl", "dt", "dd", "li",
    "blockquote", "figure", "figcaption", "address", "form", "fieldset", "details", "summary", "hr", "body", "html",
    "center", "td", "th", "tr", "tbody", "thead", "tfoot", "caption",
))  # fmt: skip
_STRUCK = frozenset(("del", "s", "strike"))
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_HIDDEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0*)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)|content-visibility\s*:\s*hidden)",
    re.I,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9_:-]{2,40})""", re.I)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_ENDED_BY_THE_NEXT = frozenset((  # or without content
    "p", "li", "td", "tr", "th", "dt", "dd", "option", "br", "img", "hr", "input", "meta", "link", "wbr", "col", "area",
    "base", "param", "source", "track", "embed", "rt", "rp", "tbody", "thead", "tfoot", "colgroup", "html", "body",
))  # fmt: skip
_DEEP = 10_000  # of elements: lexbor takes time by the square of it, a quarter of a second here
_SPACES = re.compile(r"[ \t\n\r\f]+")
_CELLS = 1_000  # of a row


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Blocks in order."""
    found = _CHARSET.search(data, 0, 4_096)
    into(draft, data, found.group(1).decode("ascii") if found else "")


def into(draft: Draft, data: bytes, declared: str = "") -> None:
    """Add what a page says to a draft."""
    page = decoded(draft, data, declared).replace("\0", "").replace("\r\n", "\n")
    page = front.taken(draft, page)  # as makers of static pages have it
    if _depth(page) > _DEEP:
        raise Unreadable(f"nested more than {_DEEP:,} deep")
    tree = LexborHTMLParser(page)
    if not draft.title and (title := tree.css_first("title")) is not None:
        draft.title = title.text(deep=True)
    root = tree.body or tree.root
    if root is not None:
        _Page(draft).walk(root)


def _depth(page: str) -> int:
    """How deep its elements are nested at most, roughly: by its tags alone."""
    depth = deepest = 0
    for closes, name in _TAG.findall(page):
        if name.lower() not in _ENDED_BY_THE_NEXT:
            depth = max(0, depth - 1) if closes else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _shown(node: LexborNode) -> bool:
    if (node.tag or "") in _UNSEEN:
        return False
    attributes = node.attributes
    if not attributes:
        return True
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return False
    return not _HIDDEN.search(attributes.get("style") or "")


class _Page:
    """The walk over one page. Text gathers until a block begins or ends."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._held: list[str] = []
        self._left_out = False

    def walk(self, root: LexborNode) -> None:
        """In document order, without recursion: pages are nested as deep as they like."""
        try:
            for node, entering in _visits(root, self._enters):
                if node.is_text_node:
                    self._held.append(_SPACES.sub(" ", node.text_content or ""))
                elif (node.tag or "") in _BLOCKS:
                    self._flush()
                    if entering and node.tag == "li":
                        self._held.append("- ")
                elif entering and node.tag == "br":
                    self._held.append("\n")
                else:
                    _mark(self._held, node, entering=entering)
            self._flush()
        finally:
            if self._left_out:
                self._draft.note("what its page hides from readers was left out")

    def _flush(self) -> None:
        text = "\n".join(_SPACES.sub(" ", part).strip() for part in "".join(self._held).split("\n"))
        self._held.clear()
        if text.strip(" -\n"):
            self._draft.text(text)

    def _enters(self, node: LexborNode) -> bool:
        """Whether to walk into it; headings, code and tables are taken as a whole."""
        tag = node.tag or ""
        if not _shown(node):
            self._left_out = self._left_out or tag not in _UNSEEN
            return False
        if tag in _HEADINGS:
            self._flush()
            self._draft.heading(_words(node), _HEADINGS[tag])
        elif tag == "pre":
            self._flush()
            self._draft.code(node.text(deep=True))
        elif tag == "table":
            self._flush()
            if (caption := node.css_first("caption")) is not None:
                self._draft.text(_words(caption))
            self._draft.table(_rows(node))
        else:
            return True
        return False


def _visits(root: LexborNode, enters: Callable[[LexborNode], bool]) -> Iterator[tuple[LexborNode, bool]]:
    """(node, True) on the way in and, for what was entered, (node, False) on the way out."""
    path: list[LexborNode] = []
    node: LexborNode | None = root
    while node is not None:
        child = None
        if node.is_text_node:
            yield node, True
        elif node.is_element_node and enters(node):
            yield node, True
            child = node.child
            if child is not None:
                path.append(node)
            else:
                yield node, False
        following = child
        while following is None:
            if node is not root:
                following = node.next
            if following is None:
                if not path:
                    return
                node = path.pop()
                yield node, False
                if node is root:
                    return
        node = following


def _words(node: LexborNode) -> str:
    """The text below a node that is shown, as one line."""
    held: list[str] = []
    for inner, entering in _visits(node, _shown):
        if inner.is_text_node:
            held.append(inner.text_content or "")
        elif inner.tag in _BLOCKS or inner.tag == "br":
            held.append(" ")
        elif inner is not node:
            _mark(held, inner, entering=entering)
    return tidy(_SPACES.sub(" ", "".join(held)))


def _mark(held: list[str], node: LexborNode, *, entering: bool) -> None:
    """What is crossed out is said to be so, and 10<sup>6</sup> is not 106."""
    if node.tag in _STRUCK and node.text(deep=True).strip():
        held.append(" (crossed out: " if entering else ") ")
    elif node.tag == "sup" and entering and held and held[-1][-1:].isdigit() and node.text(deep=True)[:1].isdigit():
        held.append("^")


def _rows(table: LexborNode) -> list[list[str]]:
    """The rows of a table that hold anything; a table within a cell is words of the cell."""
    grid = Grid(_CELLS)

    def enters(node: LexborNode) -> bool:
        if not _shown(node) or node.tag == "caption":
            return False
        if node.tag == "tr":
            grid.row()
        elif node.tag in ("thead", "tbody", "tfoot"):
            grid.section()
        elif node.tag in ("td", "th"):
            grid.cell(_words(node), _span(node, "colspan"), _span(node, "rowspan"))
            return False
        return True

    for _ in _visits(table, enters):
        pass
    return [row for row in grid.rows() if any(row)]


def _span(node: LexborNode, name: str) -> int:
    given = (node.attributes.get(name) or "")[:4]
    return int(given) if given.isdecimal() else 1
