"""What a single value of a manifest may be: names, readers, addresses, folders, references of secrets."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NAME, _URL = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$", r"^https?://[^\s/]+"
READER, FUNCTION = r"^((role|user|team):[^\s:]+|public)$", r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
_SEES, _TYPE = r"^((role|user|team):[^\s:]+|public|self)$", r"^[a-z][a-z0-9_-]{0,31}$"
LANGUAGE = r"^[a-z]{2}$"
SCRIPTS = r"^([a-z]{3}(_[a-z]+)?(\+[a-z]{3}(_[a-z]+)?)*)?$"
_CURRENCY = r"^[A-Z]{3}$"  # ISO 4217
RATE = r"^[1-9][0-9]{0,5}/([1-9][0-9]{0,3} ?)?(second|minute|hour|day)s?$"
_POINTER = r"^(/([^/~]|~[01])*)*$"  # RFC 6901, where `*` stands for every member of an array or object
_HOST = r"^(\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$|^\[[0-9A-Fa-f:.]+\]$"
_BEGINNING, _HEADER = r"^/[!-~]*$", r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # the latter: RFC 9110, 5.6.2
_VARIABLE, _KEY = r"^[A-Za-z_][A-Za-z0-9_]*$", r"^[A-Za-z0-9+/]{43}=$"
_VERIFIER, _SUBJECT = r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$", r"^[a-z][a-z0-9_-]*:[^\s]{1,200}$"
SUBNET = r"^[0-9A-Fa-f:.]+(/\d{1,3})?$"
PATTERNS: Final = {  # each pattern in words, for error messages
    NAME: "a letter, then letters, digits, '-' or '_', 63 at most",
    _URL: "an address that starts with http:// or https://",
    READER: "role:NAME, user:NAME, team:NAME or public",
    FUNCTION: "module:function",
    _SEES: "role:NAME, user:NAME, team:NAME, public or self",
    _TYPE: "a kind of value in small letters, such as email, date or path",
    RATE: "calls/window, such as 30/minute or 5/10 seconds",
    _POINTER: "a JSON pointer, such as /items/*/id ('*' stands for every member)",
    _HOST: "a host alone, such as docs.example.com, *.example.com, 10.0.0.7 or [::1], and :PORT behind it",
    _BEGINNING: "the beginning of a path, such as /api/",
    _HEADER: "the name of a header, such as Authorization",
    _VARIABLE: "the name of a variable: letters, digits and '_', no digit first",
    _KEY: "an Ed25519 public key: 32 bytes in base64, 44 characters",
    _VERIFIER: "a verifier key, name+8 hex digits+base64 (C2SP signed-note)",
    _CURRENCY: "a currency in three capital letters, such as EUR or USD",
    SCRIPTS: "languages as tesseract names them, such as eng or deu+eng",
    LANGUAGE: "a language in two small letters, such as en or de",
    SUBNET: "an address, or a range such as 10.0.0.0/8",
    _SUBJECT: "a subject, such as user:alice or patient:4711",
}
_REFERENCE = re.compile(r"\$\{(\w+)\}", re.ASCII)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def nearest(got: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or all that is known if nothing is near."""
    names = sorted(set(known))
    near = get_close_matches(got, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def loopback(url: str) -> bool:
    """Whether the host of `url` is this machine's own loopback interface."""
    try:
        host = urlsplit(url).hostname or ""
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


Name = Annotated[str, Field(pattern=NAME)]
Reader = Annotated[str, Field(pattern=READER)]
Sees = Annotated[str, Field(pattern=_SEES)]
TypeName = Annotated[str, Field(pattern=_TYPE)]
Rate = Annotated[str, Field(pattern=RATE)]
Pointer = Annotated[str, Field(pattern=_POINTER)]
HostName = Annotated[str, Field(pattern=_HOST)]
PathBeginning = Annotated[str, Field(pattern=_BEGINNING)]
HeaderName = Annotated[str, Field(pattern=_HEADER)]
VariableName = Annotated[str, Field(pattern=_VARIABLE)]
PublicKey = Annotated[str, Field(pattern=_KEY)]
VerifierKey = Annotated[str, Field(pattern=_VERIFIER)]
Subject = Annotated[str, Field(pattern=_SUBJECT)]
Currency = Annotated[str, Field(pattern=_CURRENCY)]
Url = Annotated[str, Field(pattern=_URL), BeforeValidator(_bare_url)]
Subnet = Annotated[str, Field(pattern=SUBNET)]
Folder = Annotated[Path, BeforeValidator(_not_empty)]


def window(rate: str) -> tuple[int, int]:
    """The calls of a `Rate`, and the seconds in which so many may be made: `5/10 seconds` is (5, 10)."""
    calls, _, span = rate.partition("/")
    unit = span.lstrip("0123456789 ")
    return int(calls), int(span.removesuffix(unit) or 1) * _SECONDS[unit.removesuffix("s")]


class SecretText:
    """A text with secrets in it by reference: `Bearer ${TOKEN}`. The values are read when used and never shown.

    `lookup` finds a value: the environment, then for a loaded manifest the `.env` beside it. It is no part of
    equality, of the text or of a pickle.
    """

    __slots__ = ("_lookup", "text")
    shape = re.compile(r"[^$]*(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}[^$]*)+")
    wanted = "a text with a reference in it, such as Bearer ${TOKEN}, with the value in the environment or in .env"

    def __init__(self, text: str, lookup: Callable[[str], str | None] = os.environ.get) -> None:
        self.text = text
        self._lookup = lookup

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that hold the secrets."""
        return tuple(_REFERENCE.findall(self.text))

    @property
    def values(self) -> tuple[str, ...]:
        """The secrets alone, those that are set."""
        return tuple(value for name in self.names if (value := self._lookup(name)))

    def reveal(self) -> str | None:
        """The text with the values in it, or None if a variable is not set or empty."""
        values = {name: self._lookup(name) or "" for name in self.names}
        return _REFERENCE.sub(lambda match: values[match[1]], self.text) if all(values.values()) else None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str(other) == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).parse, (self.text,)

    @classmethod
    def parse(cls, value: object, lookup: Callable[[str], str | None] = os.environ.get) -> Self:
        """From its text; raises ValueError for anything else, without repeating it."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and cls.shape.fullmatch(value):
            return cls._of(value, lookup)
        raise PydanticCustomError("secret", cls.wanted)

    @classmethod
    def _of(cls, text: str, lookup: Callable[[str], str | None]) -> Self:
        return cls(text, lookup)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object, info: ValidationInfo) -> SecretText:
            return cls.parse(value, (info.context or {}).get("lookup", os.environ.get))

        return core_schema.with_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
            json_schema_input_schema=core_schema.str_schema(pattern=f"^{cls.shape.pattern}$"),
        )


class SecretRef(SecretText):
    """A secret by reference: `${NAME}`, and nothing around it."""

    __slots__ = ()
    shape = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
    wanted = "a reference, ${NAME}, with the value in the environment or in .env"

    def __init__(self, name: str, lookup: Callable[[str], str | None] = os.environ.get) -> None:
        super().__init__(f"${{{name}}}", lookup)

    @property
    def name(self) -> str:
        """The variable that holds it."""
        return self.text[2:-1]

    @classmethod
    def _of(cls, text: str, lookup: Callable[[str], str | None]) -> Self:
        return cls(text[2:-1], lookup)
