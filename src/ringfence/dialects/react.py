"""ReAct, as LangChain and LlamaIndex taught it. What follows as an `Observation:` the model made up, see `data`.

Thought: I have to look.
Action: files.read
Action Input: {"path": "a.txt"}
"""

from __future__ import annotations

import re

from .data import starts_line
from .reading import Form, Found, Page, Raw
from .tolerant import Truncated

_LINE = re.compile(r"[^\n]*+")
_BEHIND = re.compile(r"\s*+```")


def _read(page: Page, opened: re.Match[str]) -> Found | None:
    text, at = page.text, opened.end()
    if not starts_line(text, opened.start()):
        return None
    if text.startswith("{", at):
        value, end = page.json(at, "```", "\nObservation")
    else:  # a line of text: the tool's lone argument
        end = _LINE.match(text, at).end()  # type: ignore[union-attr]
        value = text[at:end].strip().strip("\"'")
        if end == len(text) and page.cut:
            raise Truncated(value, lost=True)
    call = Raw(opened["name"], value, text[opened.start() : end])
    fenced = _BEHIND.match(text, end) if opened["fence"] else None
    return Found(fenced.end() if fenced else end, (call,))


FORMS = (
    Form(
        "react",
        r"Action:[ \t]{0,8}`?(?P<name>[A-Za-z_][\w.:/-]{0,127})`?[ \t]{0,8}\n{1,2}[ \t]{0,8}"
        r"Action Input:[ \t]{0,8}\n?[ \t]{0,8}(?P<fence>```(?:json)?\s{0,8})?",
        _read,
    ),
)
