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


class Spoken:
    """The same of a text that grows: what goes on within one value is not read from the beginning again."""

    def __init__(self) -> None:
        self._text, self._new = "", list[str]()
        self._parts: dict[Field, str] = {}
        self._within: Field | None = None  # whose value the end of the text is in

    def add(self, text: str) -> None:
        """It goes on."""
        self._new.append(text)

    @property
    def parts(self) -> dict[Field, str]:
        """Of all that has come so far; read when somebody asks."""
        if self._new:
            new = "".join(self._new)
            self._new.clear()
            self._text += new
            if self._within is not None and '"' not in new and "\\" not in new and new.isprintable():
                self._parts[self._within] += new
            else:
                self._read()
        return self._parts

    def _read(self) -> None:
        self._parts, self._within = dict(spoken(self._text)), None
        if self._text[-1:] not in ('"', "\\"):  # does one more letter go on with one of them?
            further = dict(spoken(f"{self._text}x"))
            grown = [field for field, value in further.items() if value != self._parts.get(field)]
            if len(grown) == 1 and further[grown[0]].endswith("x"):
                self._within = grown[0]
                self._parts[self._within] = further[self._within][:-1]
