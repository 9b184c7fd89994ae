"""What a model is saying, out of a step that is not whole yet: its thought, and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic_core import from_json

Field = Literal["thought", "answer"]


def spoken(text: str) -> Iterator[tuple[Field, str]]:
    """The readable parts of a step of which `text` is the beginning; none of what is no JSON object."""
    if not text.lstrip().startswith("{"):
        return
    try:
        step = from_json(text.strip(), allow_partial="trailing-strings")
    except ValueError:
        return
    if isinstance(thought := step.get("thought"), str):
        yield "thought", thought
    final = step.get("final_answer")
    if isinstance(final, dict) and isinstance(answer := final.get("answer"), str):
        yield "answer", answer
