"""What a single value of a manifest may be: names, readers, addresses, folders, references of secrets."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_NAME, _URL = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$", r"^https?://[^\s/]+"
_READER, FUNCTION = r"^((role|user|team):[^\s:]+|public)$", r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
PATTERNS: Final = {  # each pattern in words, for error messages
    _NAME: "a letter, then letters, digits, '-' or '_', 63 at most",
    _URL: "an address that starts with http:// or https://",
    _READER: "role:NAME, user:NAME, team:NAME or public",
    FUNCTION: "module:function",
}


def nearest(got: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or all that is known if nothing is near."""
    names = sorted(set(known))
    near = get_close_matches(got, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def loopback(url: str) -> bool:
    """Whether the host of `url` is this machine's own loopback interface."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _not_empty(value: Any) -> Any:
    if value == "":  # Path("") is the current folder: an unset variable must not open it
        raise PydanticCustomError("path", "a path ('.' is the manifest's own folder)")
    return value


def _bare_url(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise PydanticCustomError("url", PATTERNS[_URL]) from None
    if parts.username is not None:
        raise PydanticCustomError("url-secret", "an address without a name or password in it (logs show addresses)")
    return value


Name = Annotated[str, Field(pattern=_NAME)]
Reader = Annotated[str, Field(pattern=_READER)]
Url = Annotated[str, Field(pattern=_URL), BeforeValidator(_bare_url)]
Folder = Annotated[Path, BeforeValidator(_not_empty)]


class SecretRef:
    """A secret by reference: the name of a variable. The value is read when used and never shown.

    `lookup` finds the value: the environment, then for a loaded manifest the `.env` beside it. It is no part of
    equality, of the text or of a pickle.
    """

    __slots__ = ("_lookup", "name")

    def __init__(self, name: str, lookup: Callable[[str], str | None] = os.environ.get) -> None:
        self.name = name
        self._lookup = lookup

    def reveal(self) -> str | None:
        """The value, or None if the variable is not set or empty."""
        return self._lookup(self.name) or None

    def __repr__(self) -> str:
        return f"SecretRef({self.name})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretRef) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[type[SecretRef], tuple[str]]:
        return SecretRef, (self.name,)

    @classmethod
    def parse(cls, value: object, lookup: Callable[[str], str | None] = os.environ.get) -> SecretRef:
        """From `${NAME}`; raises ValueError for anything else, without repeating it."""
        if isinstance(value, SecretRef):
            return value
        if isinstance(value, str) and value.startswith("${") and value.endswith("}") and _is_variable(value[2:-1]):
            return cls(value[2:-1], lookup)
        raise PydanticCustomError("secret", "a reference, ${NAME}, with the value in the environment or in .env")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object, info: ValidationInfo) -> SecretRef:
            return cls.parse(value, (info.context or {}).get("lookup", os.environ.get))

        return core_schema.with_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda ref: f"${{{ref.name}}}"),
            json_schema_input_schema=core_schema.str_schema(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"),
        )


def _is_variable(name: str) -> bool:
    return name.isascii() and name.isidentifier()
