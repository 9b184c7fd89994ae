"""Hermes 2 and 3, Qwen 2.5 and 3: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`."""

from __future__ import annotations

from .reading import Form
from .shapes import block

_CLOSINGS = ("</tool_call>", "<tool_call>", "</tool_calls>")  # small models close with what opened

FORMS = (
    Form("hermes", r"<tool_call>\s{0,64}(?=\{)", block(*_CLOSINGS)),
    Form("hermes", r"<function_call>\s{0,64}(?=\{)", block("</function_call>", "<function_call>")),
)
