"""gpt-oss: a message to a function, on the commentary channel. The analysis channel is a thought, see `thoughts`.

<|channel|>commentary to=functions.files.read <|constrain|>json<|message|>{"path": "a.txt"}<|call|>
 to=functions.files.read<|channel|>commentary json<|message|>{"path": "a.txt"}<|call|>      behind the prompt's own
                                                                                              `<|start|>assistant`
"""

from __future__ import annotations

from .named import NAME, named
from .reading import Form

_JSON = r"\s{0,4}(?:<\|constrain\|>)?\s{0,4}(?:json|code)?\s{0,4}<\|message\|>\s{0,16}(?=[{\"])"
_CHANNEL = r"<\|channel\|>(?:commentary|analysis|final)"

FORMS = (
    Form("harmony", rf"{_CHANNEL}\s{{0,4}}to=(?:functions\.)?{NAME}{_JSON}", named("<|call|>", "<|end|>")),
    Form(
        "harmony",
        rf"<\|start\|>assistant\s{{0,4}}to=(?:functions\.)?{NAME}\s{{0,4}}{_CHANNEL}{_JSON}",
        named("<|call|>", "<|end|>"),
    ),
)
FIRST = Form("harmony", rf" ?to=(?:functions\.)?{NAME}\s{{0,4}}{_CHANNEL}{_JSON}", named("<|call|>", "<|end|>"))
