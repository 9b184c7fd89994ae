"""The secret values that we know: what no record, log or model is ever to see, and what takes them out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ringfence.manifest.fields import SecretText
from ringfence.manifest.types import Manifest

if TYPE_CHECKING:
    from ringfence.redaction import Redactor

_LIKE_ONE = re.compile(r"(?=.*\d)(?=.*\D)\S{8,}|.{16,}", re.S)
_SECRET = re.compile(r"(?:^|_)(?:key|token|secret|password|passwd|pwd|credentials?)(?:_|$)", re.I)


def redactor_of(manifest: Manifest) -> Redactor:
    """What takes personal data and secrets out. Raises ManifestError where names are to be found and nothing can."""
    from ringfence.redaction import from_manifest

    return from_manifest(manifest.privacy, secret_values(manifest))


def secret_values(part: Any) -> list[str]:
    """Every value behind a `${NAME}` of the manifest that is set, and of every variable that is named like a secret.

    Nobody has said of the latter that they are: a word (`TOKEN_TYPE=Bearer`) or a small number is none.
    """
    named = [value for name, value in os.environ.items() if _SECRET.search(name) and _LIKE_ONE.fullmatch(value)]
    return list(dict.fromkeys([*(value for text in _texts(part) for value in text.values), *named]))


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
