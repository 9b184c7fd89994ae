"""JSON objects between tags, as Hermes 2 and 3 and Qwen 2.5 and 3 print them, and many after them.

<tool_call>
{"name": "files.read", "arguments": {"path": "a.txt"}}
</tool_call>
"""

from __future__ import annotations

from .reading import Form
from .shapes import block

_OBJECT = r"\s{0,64}(?=\{)"
_EITHER = r"\s{0,64}(?=\{|\[\s{0,64}\{)"

FORMS = (
    # small models close with the tag that opens
    Form("hermes", "<tool_call>" + _OBJECT, block("</tool_call>", "<tool_call>", "</tool_calls>")),
    Form("granite", r"<\|tool_call\|>" + _EITHER, block("<|/tool_call|>", "<|end_of_text|>")),  # and Phi-4-mini
    Form("granite", "<tool_call>" + _EITHER, block("</tool_call>", "<|end_of_text|>")),
    Form("granite", "<function_call>" + _EITHER, block("</function_call>", "<function_call>")),  # the 20B one
    Form("phi", r"functools\s{0,64}(?=\[\s{0,64}\{)", block("<|/tool_call|>")),  # and FireFunction
    Form("jamba", "<tool_calls>" + _EITHER, block("</tool_calls>", "</tool_call>")),  # Hunyuan and MiniMax-M1
    Form("nemotron", "<TOOLCALL>" + _EITHER, block("</TOOLCALL>")),
    Form("command", r"<\|START_ACTION\|>" + _EITHER, block("<|END_ACTION|>")),
    Form("internlm", r"<\|action_start\|>\s{0,8}<\|plugin\|>" + _OBJECT, block("<|action_end|>")),
    Form("apertus", r"<\|tools_prefix\|>" + _EITHER, block("<|tools_suffix|>")),
    Form("lmstudio", r"\[TOOL_REQUEST\]" + _OBJECT, block("[END_TOOL_REQUEST]")),
)
