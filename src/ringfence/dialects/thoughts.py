"""Thoughts: what a reasoning model says to itself. They are never calls, and never prose."""

from __future__ import annotations

import re

_PAIRS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",  # Magistral
    "<|START_THINKING|>": "<|END_THINKING|>",  # Command
    "<|channel|>analysis<|message|>": "<|end|>",  # gpt-oss
}
_OPENER = re.compile("|".join(map(re.escape, _PAIRS)))
_CLOSER = re.compile("|".join(map(re.escape, set(_PAIRS.values()) - {"<|end|>"})))


def thought(text: str, at: int) -> tuple[int, int, int] | None:
    """Of the thought whose tag stands at `at`: where it begins and ends, and the index behind its closing tag.

    Without that tag everything is thought to the end.
    """
    opened = _OPENER.match(text, at)
    if opened is None:
        return None
    closing = _PAIRS[opened[0]]
    end = text.find(closing, opened.end())
    return opened.end(), *((len(text), len(text)) if end < 0 else (end, end + len(closing)))


def ends_thought(text: str, at: int) -> int:
    """The index behind a closing tag at `at`, 0 if there is none: templates put the opening tag into the prompt."""
    closed = _CLOSER.match(text, at)
    return closed.end() if closed else 0
