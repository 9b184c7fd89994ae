"""The base of every part of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
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


def shorthand(expand: Callable[[str], dict[str, Any]], written: Any) -> BeforeValidator:
    """A text may be written for a mapping: `expand` makes it of the text. `written`: the types of both, for editors."""

    def mapping(value: Any) -> Any:
        match value:
            case str():
                return expand(value)
            case dict():  # what went through Python is no JSON any more, of which a list would be taken for a tuple
                return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
            case _:
                return value

    return BeforeValidator(mapping, json_schema_input_type=written)
