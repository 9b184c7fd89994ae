"""The secret values that a manifest names: what no record, log or model is ever to see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from ringfence.manifest.fields import SecretText


def secret_values(part: Any) -> list[str]:
    """Every value behind a `${NAME}` of the manifest that is set, each once, in the order of the manifest."""
    return list(dict.fromkeys(value for text in _texts(part) for value in text.values))


def _texts(part: Any) -> Iterator[SecretText]:
    match part:
        case SecretText():
            yield part
        case BaseModel():
            for name in type(part).model_fields:
                yield from _texts(getattr(part, name))
        case dict():
            for item in part.values():
                yield from _texts(item)
        case list() | tuple():
            for item in part:
                yield from _texts(item)
