"""The base of every part of a manifest."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

Conflict = tuple[tuple[str | int, ...], str]  # where, from the model that found it, and what is wrong there


class Strict(BaseModel):
    """Unknown keys are refused; nothing changes after it was read; what cannot be meant together is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def conflicts(self) -> Iterator[Conflict]:
        """Combinations of values that cannot be meant."""
        return iter(())

    @model_validator(mode="after")
    def _coherent(self) -> Strict:
        if found := list(self.conflicts()):
            raise PydanticCustomError("conflict", "{summary}", {"summary": found[0][1], "found": found})
        return self
