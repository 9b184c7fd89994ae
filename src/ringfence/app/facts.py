"""What a policy's digest is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ringfence.core.labels import Label
from ringfence.core.policy import Leaf, SinkSpec


def facts(value: Any) -> Any:
    """All that is decided by, as JSON that is the same in every process: a yes is worth nothing once it has changed."""
    match value:
        case frozenset():
            return sorted(map(facts, value), key=repr)
        case Mapping():
            return sorted(([key, facts(item)] for key, item in value.items()), key=repr)
        case list() | tuple():
            return [facts(item) for item in value]
        case SinkSpec() | Leaf() | Label():
            return [
                facts(getattr(value, f.name)) for f in fields(value) if f.name not in ("check", "schema", "summary")
            ]
        case _:
            return value
