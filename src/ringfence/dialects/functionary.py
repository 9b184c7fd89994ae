"""Functionary: the recipient of a message is the tool. 3.1 is read as Llama's `<function=...>`.

<|from|>assistant
<|recipient|>files.read
<|content|>{"path": "a.txt"}<|stop|>                 2.2, 2.4

all
I will look.>>>files.read
{"path": "a.txt"}                                    2.5, 3.2 (the first `>>>` stands in the prompt)
"""

from __future__ import annotations

import re

from .named import NAME, named
from .reading import Form, Found, Page

FORMS = (
    Form(
        "functionary",
        rf"<\|recipient\|>\s{{0,8}}{NAME}\s{{0,8}}<\|content\|>\s{{0,8}}(?=\{{)",
        named("<|stop|>", "<|from|>"),
    ),
    Form("functionary", rf">>>{NAME}[ \t]{{0,8}}\n\s{{0,8}}(?=\{{)", named("<|eot_id|>")),
)


def _first(page: Page, opened: re.Match[str]) -> Found | None:
    """A known name alone on the text's first line."""
    return named("<|eot_id|>")(page, opened) if page.names.of(opened["name"]) else None


FIRST = Form("functionary", rf"{NAME}[ \t]{{0,8}}\n\s{{0,8}}(?=\{{)", _first, bare=True)
