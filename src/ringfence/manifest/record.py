"""What the operator says about the record: its keys, who holds its heads, what is redacted, how long it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from .fields import LANGUAGE, Folder, Subject, Url, VerifierKey
from .strict import Conflict, Strict

Class = Literal["messages", "model", "tools", "memory"]


def _one_of(part: Strict, *names: str) -> Iterator[Conflict]:
    """Exactly one of these keys is there."""
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        yield (), f"expected one of {', '.join(names)}, got {' and '.join(given) or 'none'}; keep the one that is meant"


class SigningKey(Strict):
    """The Ed25519 key that signs the heads of the log."""

    file: Annotated[Folder | None, Field(description="its file (0600), relative to the manifest")] = None
    command: Annotated[
        tuple[str, ...] | None,
        Field(
            min_length=1, description="a program that signs, for a KMS: bytes on stdin, 64 bytes of base64 on stdout"
        ),
    ] = None
    public: Annotated[
        VerifierKey | None, Field(description="the public key of `command`, as `ringfence audit key` prints it")
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """A file or a command; and a command's public key has to be known."""
        yield from _one_of(self, "file", "command")
        if self.command is not None and self.public is None:
            yield (
                (),
                "expected public beside command, got none; add the public key that its signatures are checked with",
            )


class OperatorKey(Strict):
    """The key that wraps the keys of subjects: 32 bytes in base64."""

    file: Annotated[Folder | None, Field(description="its file (0600), relative to the manifest")] = None
    command: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="a program that prints it, such as a client of a KMS")
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """A file or a command."""
        yield from _one_of(self, "file", "command")


class Anchor(Strict):
    """Where signed heads are kept out of reach of whoever holds the log."""

    file: Annotated[Folder | None, Field(description="a file that heads are appended to")] = None
    directory: Annotated[
        Folder | None, Field(description="a folder, on another disk, that gets a file for each head")
    ] = None
    url: Annotated[Url | None, Field(description="an address that each head is posted to")] = None
    command: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="a program that reads a head on stdin")
    ] = None
    timeout_s: Annotated[float, Field(gt=0, description="seconds to wait for an address or a program")] = 10.0

    def conflicts(self) -> Iterator[Conflict]:
        """One place each."""
        yield from _one_of(self, "file", "directory", "url", "command")


class Witness(Strict):
    """A host that signs a head only if it continues the last one that it saw (C2SP tlog-witness)."""

    url: Annotated[Url, Field(description="where `ringfence witness serve`, or another witness, listens")]
    key: Annotated[VerifierKey, Field(description="its public key, as it prints it")]
    timeout_s: Annotated[float, Field(gt=0, description="seconds to wait for it")] = 10.0


class Audit(Strict):
    """How the log proves itself."""

    required: Annotated[
        bool, Field(description="no effect happens before the head over its intent is at every anchor and witness")
    ] = False
    views: Annotated[
        Literal["redacted", "codes"],
        Field(
            description="what the log shows without a key: contents with personal data redacted, or codes and digests"
        ),
    ] = "redacted"
    key: Annotated[SigningKey | None, Field(description="the signing key; .ringfence/keys/audit.key if not set")] = None
    anchors: Annotated[tuple[Anchor, ...], Field(description="where heads are kept as well")] = ()
    witnesses: Annotated[tuple[Witness, ...], Field(description="hosts that sign heads as well")] = ()
    every_s: Annotated[
        float, Field(ge=0, description="seconds between two heads, at least; a run's end always makes one")
    ] = 10.0
    recorder: Annotated[
        Folder | None,
        Field(description="the socket of a recorder process that owns the log: the agent can only append"),
    ] = None


class Retention(Strict):
    """What is destroyed by itself, and when."""

    days: Annotated[int, Field(ge=1, description="older than so many days")]
    classes: Annotated[
        tuple[Class, ...],
        Field(
            min_length=1,
            description="messages: words of people; model: its steps; tools: results; memory: what was not said again",
        ),
    ] = ("messages", "model", "tools", "memory")
    subject: Annotated[Subject | None, Field(description="of this subject alone; of everybody if not set")] = None


class Privacy(Strict):
    """What is kept of people, and for how long."""

    subject: Annotated[
        Subject | None, Field(description="whose data every run is about; the principal's own if not set")
    ] = None
    key: Annotated[
        OperatorKey | None, Field(description="the key around subjects' keys; .ringfence/keys/operator.key if not set")
    ] = None
    names: Annotated[
        Literal["off", "presidio"], Field(description="presidio: redact names and addresses too (the extra `privacy`)")
    ] = "off"
    language: Annotated[str, Field(pattern=LANGUAGE, description="presidio: the language of the texts")] = "en"
    retention: Annotated[tuple[Retention, ...], Field(description="what `ringfence privacy retention` destroys")] = ()
