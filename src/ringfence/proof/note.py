"""Signed notes and the heads of a log: C2SP signed-note, tlog-checkpoint and tlog-cosignature.

A head is a checkpoint: origin, size and root of the log, then lines of our own, and below them who signed it. Base64
that is not canonical is refused, so that there is one way to write a note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from ringfence.core.errors import JournalError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519, COSIGNATURE = 0x01, 0x04  # signature types of C2SP signed-note
ORIGIN = "ringfence/"  # then the id of the log
MAX_BYTES = 65_536
_SIGNATURE_BYTES = {ED25519: 64, COSIGNATURE: 72}  # the latter: 8 of a timestamp before it
_MARK = "— "  # U+2014 before each signature
_NAME = re.compile(r"[^\s+]+")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_WHOLE = re.compile(r"^(?:(?!— )[^\n]+\n){3,64}+\n((?:— [^\n]+\n)+)", re.MULTILINE)  # of a stream of checkpoints


class NoteError(JournalError):
    """A text that is no signed note, or none that counts."""


class HalfWritten(NoteError):
    """The beginning of a note: whoever wrote it was interrupted."""


class UnknownKey(NoteError):
    """A note that none of the keys signed that are trusted here."""


class BadSignature(NoteError):
    """A note with the name and id of a trusted key, and a signature that is not of that key over this text."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key, with what it signs: notes (`ED25519`), or others' checkpoints with a timestamp (`COSIGNATURE`)."""

    name: str
    algorithm: int
    key: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError(f"expected a name without spaces and '+', got {self.name!r}", todo="give the key another")
        if self.algorithm not in _SIGNATURE_BYTES or len(self.key) != 32:
            raise NoteError(
                f"expected an Ed25519 key of 32 bytes, got one of type {self.algorithm} with {len(self.key)} bytes",
                todo="give a verifier key with the signature type 0x01 or 0x04",
            )

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """From `<name>+<id>+<base64 of type and key>`; raises NoteError for anything else."""
        found = _KEY.fullmatch(vkey)
        data = unbase64(found[3]) if found else None
        if not found or not data:
            raise NoteError(
                f"expected a verifier key, name+8 hex digits+base64, got {vkey[:200]!r}",
                todo="copy the line that `ringfence audit key` or the witness prints",
            )
        made = cls(found[1], data[0], data[1:])
        if made.id.hex() != found[2]:
            raise NoteError(
                f"the verifier key of {made.name} says that its id is {found[2]}, and its bytes have {made.id.hex()}",
                todo="copy it anew: a character of it was changed",
            )
        return made

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.algorithm]) + self.key)}"

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256(name || newline || type || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key).digest()[:4]

    def check(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made the signature over the text of a note."""
        from cryptography.exceptions import InvalidSignature

        if len(signature) != _SIGNATURE_BYTES[self.algorithm]:
            return False
        if self.algorithm == COSIGNATURE:
            message, signature = cosigned(message, int.from_bytes(signature[:8])), signature[8:]
        try:
            _public(self.key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(Protocol):
    """Signs what `verifier` checks."""

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over the text of a note, without the key's id. Raises JournalError if none can be had."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The text of a head (C2SP tlog-checkpoint): the first `size` records of the log `origin` have this `root`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines that are signed."""
        return "\n".join([self.origin, str(self.size), to_base64(self.root), *self.extensions, ""])

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Inverse of `text`; raises NoteError for anything else."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines) or _CONTROL.search(text):
            raise NoteError(
                f"expected the lines of a head, origin, size and root, got {text[:200]!r}",
                todo="name a file that holds a head, as an anchor keeps it",
            )
        origin, size, root, *extensions = lines
        data = unbase64(root)
        if not _SIZE.fullmatch(size) or data is None or len(data) != 32:
            raise NoteError(
                f"expected a number of records and a SHA-256 in base64 in the head of {origin}, "
                f"got {size[:30]!r} and {root[:60]!r}",
                todo="compare the head with the copies at other anchors",
            )
        return cls(origin, int(size), data, tuple(extensions))


def head(log: str, size: int, root: bytes, time: int, *signers: Signer, next_key: Verifier | None = None) -> str:
    """The signed head of one of our logs. `time` is in milliseconds since 1970 UTC.

    A head with `next_key` hands the log over to that key: the old and the new one sign it.
    """
    lines = [f"time {time}"] + ([f"next-key {next_key}"] if next_key else [])
    return sign(Checkpoint(ORIGIN + log, size, root, tuple(lines)).text, *signers)


def time_of(checkpoint: Checkpoint) -> int | None:
    """When a head of ours was made, in milliseconds since 1970 UTC; None if it does not say."""
    found = _extension(checkpoint, "time")
    return int(found) if found and _SIZE.fullmatch(found) else None


def next_key_of(checkpoint: Checkpoint) -> Verifier | None:
    """The key that signs what comes after a hand-over head. Raises NoteError for a line that holds no key."""
    found = _extension(checkpoint, "next-key")
    return None if found is None else Verifier.parse(found)


def successor(note: str, trusted: Sequence[Verifier]) -> Verifier | None:
    """The key that a note hands its log over to, if it does, signed by a `trusted` key and by the next one.

    Raises NoteError as `opened` does, and for a hand-over that one of the two has not signed.
    """
    text, signed = opened(note, trusted)
    following = next_key_of(Checkpoint.parse(text))
    if following is not None and following not in signed:
        opened(note, [following])
    return following


def _extension(checkpoint: Checkpoint, name: str) -> str | None:
    found = [line.removeprefix(name + " ") for line in checkpoint.extensions if line.startswith(name + " ")]
    return found[0] if len(found) == 1 else None


def cosigned(message: bytes, time_s: int) -> bytes:
    """What a witness signs (tlog-cosignature, "Ed25519 signed message"); `time_s` is seconds since 1970 UTC."""
    return b"cosignature/v1\ntime %d\n%s" % (time_s, message)


def sign(text: str, *signers: Signer) -> str:
    """The note: the text, an empty line, and a signature of each signer."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("expected a text that ends with a line feed and has no other control character")
    return "".join([text, "\n", *(signature_line(text, signer) for signer in signers)])


def signature_line(text: str, signer: Signer) -> str:
    """One signature as a line of a note, with its line feed."""
    verifier = signer.verifier
    return f"{_MARK}{verifier.name} {to_base64(verifier.id + signer.sign(text.encode()))}\n"


def add(note: str, line: str) -> str:
    """The note with one more signature line below the others."""
    line = line.removesuffix("\n")
    if not _LINE.fullmatch(line):
        raise NoteError(f"expected a line of a signature, '— name base64', got {line[:200]!r}")
    return f"{note}{line}\n"


def opened(note: str, verifiers: Sequence[Verifier]) -> tuple[str, list[Verifier]]:
    """The text of a note, and which of the `verifiers` signed it: at least one; what others signed is ignored.

    Raises HalfWritten, UnknownKey, BadSignature (one bad signature of a known key spoils the note), or NoteError.
    """
    text, lines = _parts(note)
    signed: list[Verifier] = []
    for name, data in lines:
        for verifier in verifiers:
            if (verifier.name, verifier.id) == (name, data[:4]) and verifier not in signed:
                _check(verifier, text, data[4:])
                signed.append(verifier)
    if not signed:
        names = ", ".join(sorted({f"{name} ({data[:4].hex()})" for name, data in lines}))
        known = ", ".join(f"{verifier.name} ({verifier.id.hex()})" for verifier in verifiers) or "none"
        raise UnknownKey(
            f"the note was signed by {names}, and the keys that count here are {known}",
            todo="give the verifier key of whoever signed it, if you trust them",
        )
    return text, signed


def unverified(note: str) -> str:
    """The text of a note whose signatures nobody has checked yet: only to see which keys could count."""
    return _parts(note)[0]


def cosignature_time(note: str, verifier: Verifier) -> int:
    """When a witness signed a note that `opened` says it signed, in seconds since 1970 UTC."""
    for name, data in _parts(note)[1]:
        if (name, data[:4]) == (verifier.name, verifier.id):
            return int.from_bytes(data[4:12])
    raise UnknownKey(f"{verifier.name} has not signed the note")


def split(text: str) -> tuple[list[str], list[str]]:
    """The checkpoints of a text in which they stand one after another, and the pieces between them that are none.

    A piece is what an interrupted writer leaves: at the end, or before a later note.
    """
    whole: list[str] = []
    torn: list[str] = []
    at = 0
    for found in _WHOLE.finditer(text):
        torn += filter(None, [text[at : found.start()].strip("\n")])
        lines = found[1].removesuffix("\n").split("\n")
        (torn if None in map(_read_line, lines) else whole).append(found[0])
        at = found.end()
    return whole, torn + list(filter(None, [text[at:].strip("\n")]))


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and name and bytes of each signature."""
    text, empty, signatures = note.rpartition("\n\n")
    if len(note.encode(errors="replace")) > MAX_BYTES or _CONTROL.search(note):
        raise NoteError(f"expected a signed note of at most {MAX_BYTES} bytes of text, got something else")
    lines = signatures.removesuffix("\n").split("\n")
    if not empty or not signatures or not signatures.endswith("\n"):
        raise HalfWritten(
            "the note ends before its last signature does",
            todo="take the one before it: whoever wrote this one was interrupted",
        )
    found = [_read_line(line) for line in lines]
    if None in found:
        raise NoteError(
            f"expected lines of signatures below the text, got {lines[found.index(None)][:200]!r}",
            todo="copy the note anew, with its empty line and all lines below it",
        )
    return text + "\n", [each for each in found if each is not None]


def _read_line(line: str) -> tuple[str, bytes] | None:
    found = _LINE.fullmatch(line)
    data = unbase64(found[2]) if found else None
    return (found[1], data) if found and data and len(data) >= 4 + min(_SIGNATURE_BYTES.values()) else None


@lru_cache(maxsize=64)
def _public(key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PublicKey.from_public_bytes(key)


def _check(verifier: Verifier, text: str, signature: bytes) -> None:
    if verifier.check(text.encode(), signature):
        return
    if len(signature) < _SIGNATURE_BYTES[verifier.algorithm]:
        raise HalfWritten(f"the signature of {verifier.name} ends too early", todo="take the note before it")
    raise BadSignature(
        f"the signature of {verifier.name} ({verifier.id.hex()}) is not over this text: one of the two was changed",
        todo="treat the note as forged; compare it with the copies at other anchors",
    )


def to_base64(data: bytes) -> str:
    """RFC 4648, section 4."""
    return base64.b64encode(data).decode()


def unbase64(text: str) -> bytes | None:
    """The bytes, or None for anything but the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None
