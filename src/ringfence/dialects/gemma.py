"""Gemma: 3 writes Python in a fence of its own, FunctionGemma and 4 have tags, and their own quotation marks.

```tool_code
files.read(path="a.txt")
```
<start_function_call>call:files.read{path:<escape>a.txt<escape>}<end_function_call>
<|tool_call>call:files.read{path:<|"|>a.txt<|"|>}<tool_call|>
"""

from __future__ import annotations

import json
import re

from .pythonic import reader
from .reading import Form, Found, Page, Raw, Reader
from .tolerant import Truncated, loads

_NAME = r"call:(?P<name>[A-Za-z_][\w.:/-]{0,127})(?=\{)"


def _tagged(quote: str, closing: str) -> Reader:
    q, c = re.escape(quote), re.escape(closing)
    quoted = re.compile(rf"{q}((?:(?!{q}).)*+){q}", re.DOTALL)
    body = re.compile(rf"(?:[^<]|{quoted.pattern}|<(?!{c[1:]}))*+", re.DOTALL)

    def read(page: Page, opened: re.Match[str]) -> Found:
        found = body.match(page.text, opened.end())
        inner = found[0] if found else ""
        end = opened.end() + len(inner)
        closed = page.text.startswith(closing, end)
        if not closed and (quote in quoted.sub("", inner) or page.cut):
            raise Truncated({}, lost=True)
        args = loads(quoted.sub(lambda text: json.dumps(text[1]), inner))
        call = Raw(opened["name"], args, page.text[opened.start("name") : end])
        return Found(end + len(closing) if closed else end, (call,))

    return read


FORMS = (
    Form("gemma", rf"<start_function_call>\s{{0,16}}{_NAME}", _tagged("<escape>", "<end_function_call>")),
    Form("gemma", rf"<\|tool_call>\s{{0,16}}{_NAME}", _tagged('<|"|>', "<tool_call|>")),
    Form("gemma", r"```(?:tool_code|tool_call)[ \t]{0,8}\n(?=\s{0,64}\[?\s{0,64}[\w.]{1,128}\()", reader("```")),
)
