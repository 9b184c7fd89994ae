"""Where records are forwarded to: the seam, its two kinds of failure, a file and an HTTP endpoint."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

from ..core.errors import JournalError
from .events import Event
from .formats import Encoder

_LATER = frozenset({408, 425, 429})  # of the 4xx, those that a repetition may mend (RFC 9110, 8470, 6585)
_ANSWER_BYTES = 65_536
_PAUSE_S = 600.0  # a server may ask for so much at most


class Undelivered(Exception):
    """It did not work this time; `pause_s` is how long the other side wants to be left alone."""

    def __init__(self, why: str, *, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class TooLarge(Exception):
    """The other side takes fewer records at once."""


class Final(JournalError):
    """It will not work however often it is tried: a certificate, an address, a refusal."""


class Target(Protocol):
    """Somewhere that records go.

    settles  whether `send` returns only when the other side has taken responsibility for what was sent
    """

    settles: bool

    def send(self, events: Sequence[Event]) -> None:
        """Deliver, in order. Raises Undelivered, TooLarge or Final; some of them may have arrived then."""
        ...

    def check(self) -> None:
        """Raises Undelivered if what was sent last may have been lost since."""
        ...

    def close(self) -> bool:
        """Let go; whether all that was sent has been read to the end."""
        ...


@dataclass
class File:
    """A file that lines are appended to (0600), durable when `send` returns. It may be renamed away at any time."""

    path: Path
    encode: Encoder
    settles: bool = True
    _open: int | None = field(default=None, repr=False)

    def send(self, events: Sequence[Event]) -> None:
        """Append, and wait for the disk."""
        try:
            descriptor = self._descriptor()
            lines = b"".join(self.encode(event) + b"\n" for event in events)
            if _torn(descriptor):
                lines = b"\n" + lines  # what a crash cut off is a line of its own; its records come again
            while lines:
                lines = lines[os.write(descriptor, lines) :]
            os.fsync(descriptor)
        except OSError as error:
            self.close()
            raise Undelivered(f"{self.path}: {error.strerror}") from error

    def check(self) -> None:
        """What is on the disk stays there."""

    def close(self) -> bool:
        """Let go of the file."""
        if self._open is not None:
            os.close(self._open)
            self._open = None
        return True

    def _descriptor(self) -> int:
        """The file that has the name now: after a rotation, a new one."""
        if self._open is not None:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(self.path.stat(), os.fstat(self._open)):
                    return self._open
            self.close()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._open = os.open(self.path, flags, 0o600)
        return self._open


def _torn(descriptor: int) -> bool:
    """Whether the last line has no end."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


@dataclass
class Http:
    """An endpoint that answers 2xx once it has a batch. Redirects are not followed: records go where they were sent.

    array  one JSON array (application/json) instead of a line each (application/x-ndjson)
    """

    host: str
    port: int
    path: str
    encode: Encoder
    tls: ssl.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    array: bool = False
    timeout_s: float = 10.0
    settles: bool = True
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def send(self, events: Sequence[Event]) -> None:
        """Post one batch."""
        lines = [self.encode(event) for event in events]
        body = b"[" + b",".join(lines) + b"]" if self.array else b"\n".join(lines) + b"\n"
        kind = "application/json" if self.array else "application/x-ndjson"
        try:
            connection = self._connection = self._connection or self._connect()
            connection.request("POST", self.path, body, {**self.headers, "Content-Type": kind})
            answer = connection.getresponse()
            status, after = answer.status, answer.getheader("Retry-After", "")
            if len(answer.read(_ANSWER_BYTES)) == _ANSWER_BYTES:
                self.close()
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise untrusted(self.host, error) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Undelivered(f"{self.host}:{self.port}: {error or type(error).__name__}") from error
        self._judge(status, after)

    def check(self) -> None:
        """What was acknowledged is theirs."""

    def close(self) -> bool:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return True

    def _connect(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout_s, context=self.tls)

    def _judge(self, status: int, after: str) -> None:
        if 200 <= status < 300:
            return
        if status == 413:
            raise TooLarge
        if status >= 500 or status in _LATER:
            raise Undelivered(f"{self.host}:{self.port} answered {status}", pause_s=_pause(after))
        raise Final(
            f"expected {self.host}:{self.port} to take records with a 2xx, got {status}",
            todo="check the address, and what it wants in --headers FILE (a token, as a rule); nothing was skipped",
        )


def untrusted(host: str, error: ssl.SSLCertVerificationError) -> Final:
    """The error of a certificate that cannot be trusted; no repetition mends it."""
    return Final(
        f"the certificate of {host} is not to be trusted: {error.verify_message}",
        todo="name the authority that signed it with --ca FILE; the host has to be in the certificate",
    )


def _pause(after: str) -> float:
    """RFC 9110 10.2.3: seconds, or a date."""
    if after.strip().isdecimal():
        return min(float(after), _PAUSE_S)
    try:
        left = (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return min(max(left, 0.0), _PAUSE_S)
