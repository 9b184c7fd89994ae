"""A name, then its arguments as JSON: what stands between the two, and around them, is the dialect."""

from __future__ import annotations

import re

from .reading import Found, Page, Raw, Reader

NAME = r"(?P<name>[A-Za-z_][\w.:/-]{0,127})"


def named(*closings: str) -> Reader:
    """Reads the JSON object behind an opener that holds the name, and the closing tag, which may be missing."""
    behind = re.compile(r"[\s}]*+(?:" + "|".join(map(re.escape, closings)) + ")") if closings else None

    def read(page: Page, opened: re.Match[str]) -> Found:
        value, end = page.json(opened.end(), *closings)
        call = Raw(opened["name"], value, page.text[opened.start("name") : end])
        closed = behind.match(page.text, end) if behind else None
        return Found(closed.end() if closed else end, (call,))

    return read
