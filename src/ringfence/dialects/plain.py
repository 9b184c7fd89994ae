"""JSON without a tag: bare, in prose, or in a fence, as Qwen-Coder and Llama 3 print it."""

from __future__ import annotations

import re

from .reading import Form, Found, Page
from .shapes import block, called, several

KEY = r"""\s{0,64}(?:"[^"\n]{1,80}"|'[^'\n]{1,80}'|“[^”\n]{1,80}”|[A-Za-z_]\w{0,79})\s{0,16}:"""


def _object(page: Page, opened: re.Match[str]) -> Found | None:
    value, end, found = called(page, opened.start(), "```")
    return Found(end, tuple(found), value)


def _list(page: Page, opened: re.Match[str]) -> Found | None:
    found, end = several(page, opened.start(), ("```",), strict=False)
    return Found(end, tuple(found))


FORMS = (
    Form("qwen", r"<tools>\s{0,16}(?=[{\[])", block("</tools>", "<tools>", strict=False)),
    Form("json", r"\{" + KEY, _object, bare=True),
    Form("json", r"\[\s{0,64}\{" + KEY, _list, bare=True),
)
