"""DeepSeek V2.5 to V3.1 and R1; V3.2's is XML, see `xml`. Servers and quants write its odd letters in several ways.

<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>files.read
```json
{"path": "a.txt"}
```<｜tool▁call▁end｜><｜tool▁calls▁end｜>                                          V2.5, V3, R1

<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>files.read<｜tool▁sep｜>{"path": "a.txt"}<｜tool▁call▁end｜>      V3.1
"""

from __future__ import annotations

import re

from .named import NAME
from .reading import Form, Found, Page, Raw

_BAR, _GAP = "[｜|]", r"(?:[▁_ ]|\\_)"


def _tag(*words: str) -> str:
    return f"<{_BAR}{_GAP.join(words)}{_BAR}>"


_CALL = re.compile(
    rf"\s{{0,16}}(?:{_tag('tool', 'call', 'begin')})?\s{{0,16}}(?:function\s{{0,4}}{_tag('tool', 'sep')})?{NAME}"
    rf"\s{{0,16}}(?:{_tag('tool', 'sep')})?\s{{0,16}}(?:```(?:json)?)?\s{{0,64}}(?=\{{)"
)
_BEHIND = re.compile(rf"[\s}}`]*+(?:{_tag('tool', 'call', 'end')})?")
_LAST = re.compile(rf"\s*+{_tag('tool', 'calls', 'end')}")


def _read(page: Page, opened: re.Match[str]) -> Found:
    text, calls = page.text, list[Raw]()
    at = opened.start() if opened["one"] else opened.end()
    while call := _CALL.match(text, at):
        value, end = page.json(call.end(), "```", "<｜tool▁call▁end｜>")
        calls.append(Raw(call["name"], value, text[call.start("name") : end]))
        at = _BEHIND.match(text, end).end()  # type: ignore[union-attr]
    if not calls:
        raise ValueError(f"expected a tool's name and its arguments, found {text[at : at + 20]!r}")
    last = _LAST.match(text, at)
    return Found(last.end() if last else at, tuple(calls))


FORMS = (Form("deepseek", rf"{_tag('tool', 'calls', 'begin')}|(?P<one>{_tag('tool', 'call', 'begin')})", _read),)
