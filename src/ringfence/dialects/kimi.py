"""Kimi K2: each call has an id, which is the name and a number.

<|tool_calls_section_begin|><|tool_call_begin|>functions.files.read:0<|tool_call_argument_begin|>{"path": "a.txt"}
<|tool_call_end|><|tool_calls_section_end|>
"""

from __future__ import annotations

from .named import named
from .reading import Form

_ID = r"(?:functions\.)?(?P<name>[A-Za-z_][\w./-]{0,127})(?::\d{1,6})?"

FORMS = (
    Form(
        "kimi",
        rf"<\|tool_call_begin\|>\s{{0,16}}{_ID}\s{{0,16}}<\|tool_call_argument_begin\|>\s{{0,16}}(?=[{{\"])",
        named("<|tool_call_end|>"),
    ),
)
