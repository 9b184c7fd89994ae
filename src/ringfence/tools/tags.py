"""The tags and texts of a page in order. Linear in its input, whatever that is: every byte is looked at once.

Not `html.parser`: before Python 3.13.6 (CVE-2025-6069) it took quadratic time on unfinished tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_TAG = re.compile(  # each alternative ends at the end of the text at the latest, so that nothing is looked at twice
    r"<!--(?:[^-]++|-(?!->))*+(?:-->|\Z)"
    r"|<[!?][^>]*+(?:>|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<rest>(?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)"
)
_ATTRIBUTE = re.compile(r"([^\s/=>\"']++)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s\"'>]++)))?|[\"'/=]")
_RAW = {"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"}  # hold text, no tags
_CLOSING = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_HIDDEN = {"noscript", "template", "svg", "math", "object", "canvas", "nav", "datalist"}
_UNSEEN = re.compile(r"(?:^|;)\s*+(?:display\s*+:\s*+none|visibility\s*+:\s*+hidden)", re.IGNORECASE)
_STRUCK = re.compile(r"(?:^|;)\s*+text-decoration(?:-line)?\s*+:[^;]{0,60}?line-through", re.IGNORECASE)
_MAYBE = re.compile(r"hidden|display|visibility|line-through", re.IGNORECASE)
_COVERED = {  # what may be marked as hidden: has an end tag of its own
    "div", "section", "article", "aside", "header", "footer", "main", "span", "ul", "ol", "dl", "table", "form",
    "fieldset", "details", "dialog", "figure", "blockquote", "address", "strong", "b", "em", "i", "a", "label", "small",
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "center",  # a tr or li may lack its end tag
}  # fmt: skip
SPACE = re.compile(r"[ \t\n\r\f\v\xa0]+")
_WITHIN_P = {
    "a", "b", "strong", "em", "i", "span", "br", "img", "small", "code", "sub", "sup", "label", "input", "s", "del",
    "u", "time", "abbr", "ins", "mark", "wbr",
}  # fmt: skip


def attributes(rest: str) -> dict[str, str]:
    """What a tag says beside its name; the first of a name counts, as it does in a browser."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest):
        if match[1]:
            value = next((value for value in match.groups()[1:] if value is not None), "")
            found.setdefault(match[1].lower(), SPACE.sub(" ", unescape(value)).strip())
    return found


def tags(html: str) -> Iterator[tuple[str, str]]:
    """("text", text), ("title", text), ("nav", what a link in a nav says beside its name, and its text), (name, what it
    says beside it) of a tag, (`/name`, "") of its end, and `unseen` and `/unseen` around what is not shown.
    """
    at, covered = 0, _Covered()
    while (tag := _TAG.search(html, at)) is not None:
        if tag.start() > at:
            yield "text", html[at : tag.start()]
        at, name = tag.end(), (tag["name"] or "").lower()
        if name in _RAW and not tag["end"]:
            end = _raw_end(html, name, at)
            if name == "title":
                yield "title", html[at:end]
            at = end
        elif name in _HIDDEN and not tag["end"] and not tag["rest"].endswith("/"):
            inner: list[tuple[str, str]] = []
            at = _skipped(html, name, at, inner)
            yield from inner
        elif name:
            yield from covered.around(name, tag["end"], tag["rest"])
    if at < len(html):
        yield "text", html[at:]


def linked_data(html: str) -> list[str]:
    """What a page says of itself for programs (JSON-LD): of one that a program writes it is all there is to read."""
    found, at = list[str](), 0
    while (at := html.find("application/ld+json", at)) >= 0:
        begin, end = html.find(">", at), html.find("</script", at)
        if not 0 <= begin < end:
            break
        found.append(html[begin + 1 : end].strip())
        at = end
    return found


def _raw_end(html: str, name: str, at: int) -> int:
    close = _CLOSING[name].search(html, at)
    return close.start() if close else len(html)


def _skipped(html: str, hidden: str, at: int, told: list[tuple[str, str]]) -> int:
    """Where an element ends that is not read. Of a nav the links are `told`, and texts with a number."""
    depth, link, inner = 1, None, ""  # type: int, tuple[str, int] | None, str
    while (tag := _TAG.search(html, at)) is not None:
        if hidden == "nav" and link is None and not inner and _tells(text := html[at : tag.start()]):
            told += [("br", ""), ("text", text), ("br", "")]
        start, at, name = tag.start(), tag.end(), (tag["name"] or "").lower()
        if hidden == "nav" and name == "a":
            if link is not None:
                told.append(("nav", f"{link[0]}\n{html[link[1] : start]}"))
            link = None if tag["end"] else (SPACE.sub(" ", tag["rest"]), at)
        if hidden == "nav" and name in _RAW and not tag["end"]:
            at = _raw_end(html, name, at)
        if name in ("svg", "select", "math"):
            inner = "" if tag["end"] or tag["rest"].endswith("/") else name
        depth += (1 if not tag["end"] else -1) if name == hidden and not (tag["rest"] or "").endswith("/") else 0
        if not depth:
            if link is not None:
                told.append(("nav", f"{link[0]}\n{html[link[1] : start]}"))
            return at
    return len(html)


def _tells(text: str) -> bool:
    """Whether a text of a nav is more than a name: a number with words, or a long one."""
    figures = sum(map(str.isdigit, text))
    return figures > 4 or (figures > 0 and any(map(str.isalpha, text)))


class _Covered:
    """The element that is not shown or is struck out by its style, if one is open: its name, how many of that name are
    open within, and as what it is told.
    """

    def __init__(self) -> None:
        self._name = self._told = ""
        self._depth = 0

    def around(self, name: str, end: str, rest: str) -> Iterator[tuple[str, str]]:
        """The tag, and `unseen` or `s` behind one that begins to hide or strike, its end before that one's."""
        if self._name == name:
            self._depth += -1 if end else 1
        if self._name and (not self._depth or (self._name == "p" and name not in _WITHIN_P)):
            self._name = ""
            yield f"/{self._told}", ""
        yield end + name, "" if end else rest
        if not self._name and not end and name in _COVERED and (told := _style(name, rest)):
            self._name, self._told, self._depth = name, told, 1
            yield told, ""


def _style(name: str, rest: str) -> str:
    """`unseen` of what is not shown, `s` of what is struck out."""
    if name != "dialog" and not _MAYBE.search(rest):
        return ""
    said = attributes(rest)
    style = said.get("style", "")
    if name == "dialog" and "open" not in said:
        return "unseen"
    if said.get("hidden", "until-found") != "until-found" or _UNSEEN.search(style):
        return "unseen"
    return "s" if _STRUCK.search(style) else ""
