"""Llama 3.1 to 4. Its bare JSON (`{"name": ..., "parameters": {...}}`) is read as any other is.

<|python_tag|>{"name": "files.read", "parameters": {"path": "a.txt"}}; {"name": ...}
<|python_tag|>files.read.call(path="a.txt")
<function=files.read>{"path": "a.txt"}</function>
"""

from __future__ import annotations

from .named import NAME, named
from .pythonic import reader
from .reading import Form
from .shapes import block

FORMS = (
    Form("llama", r"<\|python_tag\|>\s{0,16}(?=[{\[]\s{0,16}[\"'{])", block("<|eom_id|>", "<|eot_id|>")),
    Form("llama", r"<\|python_tag\|>\s{0,16}(?=[\w.]{1,128}\()", reader("<|eom_id|>", "<|eot_id|>")),
    Form("llama", r"<\|python_start\|>\s{0,16}(?=\[?\s{0,16}[\w.]{1,128}\()", reader("<|python_end|>")),
    # Functionary 3.1 prints the same
    Form("llama", rf"<function={NAME}>\s{{0,64}}(?=\{{)", named("</function>", "<|eom_id|>", "<|eot_id|>")),
)
