"""Values: the nouns that travel, their canonical bytes and their digests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .labels import IDENTITY, Label, Member

JSON = Any  # None | bool | int | float | str | list[JSON] | dict[str, JSON]

_MAX_INT = 2**53 - 1  # RFC 8785 3.2.2.3 / RFC 7493 2.2: integers beyond are not exact in IEEE 754 doubles
_MAX_DEPTH = 64  # whoever reads a value may recurse
_encode_string: Callable[[str], str] = json.encoder.encode_basestring
_encode_ordered = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_encode_sorted = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_ATOMS = frozenset((str, bool, type(None)))


def canonical(value: JSON) -> bytes:
    """RFC 8785 (JSON Canonicalization Scheme) bytes of a JSON value.

    Raises ValueError for what JSON cannot carry exactly: NaN, infinities, integers beyond 2**53-1, lone surrogates,
    keys that are not strings, more than 64 levels; TypeError for other types.
    """
    if _is_simple(value):
        return _encode_sorted(value).encode()  # the C encoder agrees with RFC 8785 on these
    return "".join(_pieces(value)).encode()


def ordered(value: JSON) -> bytes:
    """JSON bytes that keep the order of keys: a result is read again as it was shown. Refuses as `canonical` does."""
    if not _is_simple(value):
        canonical(value)
    return _encode_ordered(value).encode()


def _is_simple(value: JSON, room: int = _MAX_DEPTH) -> bool:
    """No float (formatted otherwise by Python), no key above the surrogates (sorted otherwise), no wide integer."""
    kind = type(value)
    if kind is dict:
        if [key for key in value if type(key) is not str or not (key.isascii() or max(key) < "\ud800")]:
            return False
    elif kind is not list:
        return kind in _ATOMS or (kind is int and -_MAX_INT <= value <= _MAX_INT)
    for item in value.values() if kind is dict else value:
        if type(item) not in _ATOMS and not (room > 1 and _is_simple(item, room - 1)):
            return False
    return room > 0


def _pieces(value: JSON, room: int = _MAX_DEPTH) -> Iterator[str]:
    if room < 0:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
    match value:
        case None | bool():
            yield {None: "null", True: "true", False: "false"}[value]
        case str():
            yield _encode_string(value)
        case int():
            if not -_MAX_INT <= value <= _MAX_INT:
                raise ValueError(f"integer out of the exact range of JSON (2**53-1): {value}")
            yield str(value)
        case float():
            yield _number(value)
        case list() | tuple():
            yield "["
            for n, item in enumerate(value):
                yield "," if n else ""
                yield from _pieces(item, room - 1)
            yield "]"
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise ValueError("object keys must be strings")
            yield "{"
            for n, key in enumerate(sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))):
                yield ("," if n else "") + _encode_string(key) + ":"
                yield from _pieces(value[key], room - 1)
            yield "}"
        case _:
            raise TypeError(f"not a JSON value: {type(value).__name__}")


def _number(value: float) -> str:
    """ECMA-262 Number::toString, which RFC 8785 3.2.2.3 asks for: Python's shortest digits, placed by its rules."""
    if not math.isfinite(value):
        raise ValueError(f"not a JSON number: {value}")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + power


def digest(value: JSON) -> str:
    """SHA-256 of the canonical bytes, in lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a subject (`user:alice`), its roles (`role:ops`) and the tenant it belongs to."""

    subject: str
    roles: frozenset[str] = frozenset()
    tenant: str = ""

    @property
    def member(self) -> Member:
        """Everything this principal can show to a reader clause.

        As a clause it is that of the principal's own words: for itself and those who share a role with it.
        """
        return self.roles | {self.subject}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A completion request: messages already encoded as JSON objects, once each, and the grammar of the answer.

    `context` names the records that the messages were made from, so that the journal never copies them.
    """

    messages: tuple[bytes, ...]
    context: tuple[int, ...] = ()
    schema: bytes | None = None
    max_tokens: int = 512
    left_out: int = 0  # messages that did not fit the window

    @property
    def digest(self) -> str:
        """SHA-256 over the messages and the grammar, in hex."""
        sha = hashlib.sha256(b",".join(self.messages))
        sha.update(b"\0" + (self.schema or b""))
        return sha.hexdigest()


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done: everything that leaves goes to a sink as one of these, through the gate.

    sink      "model:<tier>", "tool:<name>" or "reply:<channel>"
    args      the arguments, by name
    label     the join of everything that shaped it
    prompt    of a model call, instead of args
    call      its place in the step that asked for it
    run       the run that asks, for correlation; never part of the digest
    key       the call's idempotency key, which the gate gives it; never part of the digest
    progress  called with text as it streams; never part of the digest
    """

    sink: str
    args: Mapping[str, JSON]
    label: Label
    prompt: Prompt | None = None
    call: int = 0
    run: str = field(default="", compare=False)
    key: str = field(default="", compare=False)
    progress: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of (sink, args), or of (sink, prompt digest); hex."""
        body = dict(self.args) if self.prompt is None else self.prompt.digest
        return digest([self.sink, body])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back, labelled. `ok` is False for a failure that the model may read and act upon.

    A sink may only restrict: the gate joins its label with the rest. `subjects`: whom it is about, by the log's names.
    """

    value: JSON
    label: Label = IDENTITY
    ok: bool = True
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """The action may be performed. `rule` is the one that said so."""

    rule: str = "POL-8"


@dataclass(frozen=True, slots=True)
class Ask:
    """A human has to say yes to this very action; parks the run."""

    rule: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Deny:
    """Refused: a value with a code, never data; `why` is the short text that the model reads."""

    rule: str
    code: str
    why: str


Decision = Allow | Ask | Deny
