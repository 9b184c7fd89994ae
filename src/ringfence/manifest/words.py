"""What a manifest means here, key by key, and what of it cannot be enforced: in plain words, for `init`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from .cautions import warnings
from .fields import SecretText
from .problems import shorten, words
from .types import Manifest


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about a key. A `warn` is about what an operator may believe and should not."""

    level: Literal["info", "warn"]
    path: str
    text: str


def plain_words(manifest: Manifest) -> list[Notice]:
    """A notice for every key that was written, then the warnings, in the order of the manifest."""
    return [Notice("info", path, text) for path, text in _meanings(manifest, "")] + [
        Notice("warn", path.rstrip("."), text) for path, text in warnings(manifest)
    ]


def _meanings(part: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    """Each written key with its value and the meaning that its type declares."""
    for key, field in type(part).model_fields.items():
        if key in part.model_fields_set and not field.exclude:
            here = f"{path}.{key}".removeprefix(".")
            yield from _meaning(getattr(part, key), here, field.description or "what kind of tool it is")


def _meaning(value: Any, path: str, meaning: str) -> Iterator[tuple[str, str]]:
    match value:
        case BaseModel():
            yield from _meanings(value, path)
        case (BaseModel(), *_):
            for n, item in enumerate(value):
                yield from _meanings(item, f"{path}[{n}]")
        case dict() if any(isinstance(item, BaseModel) for item in value.values()):
            for key, item in value.items():
                yield from _meanings(item, f"{path}.{shorten(key)}")
        case _:
            yield path, f"{_shown(value)}: {meaning}"


def _shown(value: Any) -> str:
    match value:
        case tuple():
            return ", ".join(map(str, value)) or "an empty list"
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items()) or "none"
        case str() | SecretText():
            return str(value)
        case _:
            return words(value)
