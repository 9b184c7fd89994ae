"""Mistral: a list up to v7 of its tokenizer, a name and its arguments for each call from v11 on.

[TOOL_CALLS] [{"name": "files.read", "arguments": {"path": "a.txt"}}]
[TOOL_CALLS]files.read[ARGS]{"path": "a.txt"}
"""

from __future__ import annotations

from .named import NAME, named
from .reading import Form
from .shapes import block

_ID = r"(?:\[CALL_ID\][\w-]{1,64})?"

FORMS = (
    Form("mistral", r"\[TOOL_CALLS\]\s{0,16}(?=[{\[])", block("</s>")),
    Form("mistral", rf"\[TOOL_CALLS\]\s{{0,16}}{NAME}{_ID}(?:\[ARGS\])?\s{{0,16}}(?=\{{)", named("</s>")),
)
