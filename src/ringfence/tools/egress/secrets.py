"""The headers that the operator adds: revealed on the way out, and blotted out of whatever comes back."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ringfence.manifest.tools import Host

from .names import Refused, Target

MIN_SECRET = 8  # characters: a shorter one cannot be told from other text
BLOT = b"***"

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_NEVER = frozenset({"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"})


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is added to one request, and what blots it out of the answer.

    longest  bytes of the longest form of a secret: an answer that was cut may end within one
    """

    headers: dict[str, str]
    blot: Callable[[bytes], bytes]
    longest: int

    def __repr__(self) -> str:
        return f"Sealed({', '.join(self.headers) or 'nothing'})"


def sealed(entry: Host, target: Target) -> Sealed:
    """The headers of an entry with their values.

    Raises Refused, before anything is sent: a secret that is not set, too short or no header value, or one that would
    leave in clear: over http only to port 80 or a private host that the entry names.
    """
    if not entry.headers:
        return Sealed({}, bytes, 0)
    if target.scheme != "https" and not (entry.private or (entry.port == 80 and target.port == 80)):
        raise Refused("in-clear", f"what is added for {target.host} would be sent in clear", todo="ask with https")
    headers: dict[str, str] = {}
    forms: set[bytes] = set()
    for name, reference in entry.headers.items():
        value, template = reference.reveal(), str(reference)
        if value is None:
            raise Refused("no-secret", f"{name} for {target.host} is not set", todo=f"the operator sets {template}")
        if not _VALUE.fullmatch(value) or name.lower() in _NEVER:
            raise Refused("no-secret", f"{name} for {target.host} cannot be sent as a header", todo=f"check {template}")
        parts = _parts(template, value)
        if min(map(len, parts)) < MIN_SECRET:
            todo = f"use one of {MIN_SECRET} characters or more: a shorter one cannot be blotted out of an answer"
            raise Refused("no-secret", f"{template} for {target.host} is too short", todo=todo)
        headers[name] = value
        for part in parts:
            forms.update(_forms(part))
    pattern = re.compile(b"|".join(map(re.escape, sorted(forms, key=len, reverse=True))), re.IGNORECASE)
    return Sealed(headers, lambda data: pattern.sub(BLOT, data), max(map(len, forms)))


def _parts(template: str, value: str) -> list[str]:
    """The secrets in a value, by the references in its template: of `Bearer ${TOKEN}` the token alone."""
    literals = [re.escape(literal) for literal in _REFERENCE.split(template)]
    match = re.fullmatch("(.+)".join(literals), value)
    parts = list(match.groups()) if match else [value]
    return [word for part in parts for word in _inside(part)]


def _inside(part: str) -> Iterator[str]:
    """A secret that brings its own scheme (`Bearer abc`), and the pair that Basic hides in base64 (RFC 7617 2)."""
    yield part
    scheme, _, rest = part.partition(" ")
    if len(rest) >= MIN_SECRET:
        yield rest
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        pair = base64.b64decode(rest or part, validate=True).decode()
        if scheme.lower() == "basic" or ":" in pair:
            yield from (word for word in (pair, pair.partition(":")[2]) if len(word) >= MIN_SECRET)


def _forms(secret: str) -> Iterator[bytes]:
    """A secret as servers repeat it: as it is, in a URL, in JSON, in HTML, in base64; in UTF-8 and UTF-16."""
    encoded = base64.b64encode(secret.encode()).decode()
    written = json.dumps(secret)[1:-1]
    slashed = written.replace("/", r"\/")
    for text in (secret, quote(secret, safe=""), written, slashed, html.escape(secret), encoded.rstrip("=")):
        yield from (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"))
