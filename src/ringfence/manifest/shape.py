"""The shape of a manifest, read off its types: what may be written at a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from .fields import SecretText
from .problems import At
from .types import Manifest


def known_keys(model: type[BaseModel]) -> set[str]:
    """The keys that an operator may write in this part of a manifest."""
    return {key for key, field in model.model_fields.items() if not field.exclude}


def models(at: At) -> list[type[BaseModel]]:
    """The types whose keys may be written at a place."""
    return [kind for kind in _kinds(at) if _is_model(kind)]


def secret(at: At) -> bool:
    """Whether a secret stands at a place, by reference; or a mapping of such."""
    return any(_holds_secret(kind) for kind in _kinds(at))


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every part of a manifest with the path of its first place: `tools[].hosts[]`, `catalogue.NAME`."""
    return _sections(Manifest, "", set())


def _sections(model: type[BaseModel], path: str, seen: set[Any]) -> Iterator[tuple[str, type[BaseModel]]]:
    if model in seen:
        return
    seen.add(model)
    yield path, model
    for key in model.model_fields:
        for below, inner in _models_in(model.model_fields[key].annotation):
            yield from _sections(inner, f"{path}.{key}{below}".removeprefix("."), seen)


def _models_in(kind: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    for option in _options(kind):
        if _is_model(option):
            yield "", option
        elif (origin := get_origin(option)) in (tuple, dict):
            step, member = ("[]", get_args(option)[0]) if origin is tuple else (".NAME", get_args(option)[1])
            yield from ((step + below, inner) for below, inner in _models_in(member))


def _kinds(at: At) -> list[Any]:
    found: list[Any] = [Manifest]
    for part in at:
        found = [option for kind in found for inner in _inside(kind, part) for option in _options(inner)]
    return found


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    """The types of a part of a value of this type."""
    if _is_model(kind):
        if part in known_keys(kind):
            yield kind.model_fields[part].annotation
    elif get_origin(kind) is tuple:
        yield get_args(kind)[0]
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]


def _options(kind: Any) -> Iterator[Any]:
    """A type, or the members of a union, without what annotates them."""
    if isinstance(kind, type) or get_origin(kind) in (tuple, dict):
        yield kind
    else:
        for option in get_args(kind):
            yield from _options(option)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _holds_secret(kind: Any) -> bool:
    if get_origin(kind) is dict:
        return any(map(_holds_secret, _options(get_args(kind)[1])))
    return isinstance(kind, type) and issubclass(kind, SecretText)
