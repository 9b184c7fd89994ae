"""Records to a SIEM, continuously and at least once.

Synchronous on purpose: there is one stream of records and one target, nothing else is to be done while it is slow, and
a signal ends whatever is waited for. What is in memory is one batch.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..core import chain
from ..core.errors import JournalError, ManifestError
from . import syslog
from .delivery import File, Http, Target, TooLarge, Undelivered
from .events import Event, Headers, Runs, events, warmed
from .formats import ENCODERS

BATCH_RECORDS = 256
_BATCH_BYTES = 1 << 20
_CAREFUL = 16  # batches that are confirmed one by one after a stream was lost
LINGER_S = 5.0  # what a stream without acknowledgements took longer ago, on a connection that stands, counts as theirs
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 60.0
_PORTS = {"syslog+tls": 6514, "syslog+tcp": 601, "syslog+udp": 514, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach a target. `ca`, `cert` and `key` are PEM files; without `ca` this machine's authorities count."""

    form: str = "jsonl"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    array: bool = False
    enterprise: int = syslog.ENTERPRISE
    timeout_s: float = 10.0


def target(address: str, options: Options) -> Target:
    """What an address names; raises ManifestError for one that cannot be meant. Connects to nothing yet."""
    url = urlsplit(address)
    encode = ENCODERS[options.form]
    if url.scheme == "file" and url.path.startswith("/") and url.netloc in ("", "localhost"):
        return File(Path(unquote(url.path)), encode)
    try:
        port = url.port or _PORTS[url.scheme]
    except (KeyError, ValueError):
        port = 0
    if not (port and url.hostname) or url.username or url.fragment:
        raise ManifestError(
            f"expected syslog+tls://host:6514, syslog+tcp://, syslog+udp://, http(s):// or file:///path, got {address}",
            todo="name a host and no user; a token goes into --headers FILE",
        )
    frame = partial(syslog.message, encode=encode, hostname=syslog.hostname(), enterprise=options.enterprise)
    match url.scheme:
        case "syslog+udp":
            return syslog.Datagrams(url.hostname, port, frame, partial(frame, encode=lambda _: b""))
        case "syslog+tcp" | "syslog+tls":
            tls = _tls(options) if url.scheme == "syslog+tls" else None
            return syslog.Stream(url.hostname, port, frame, tls, options.timeout_s)
        case _:
            tls = _tls(options) if url.scheme == "https" else None
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            return Http(url.hostname, port, path, encode, tls, options.headers, options.array, options.timeout_s)


def _tls(options: Options) -> ssl.SSLContext:
    """Both the chain and the host name are checked (RFC 5425 5.2, RFC 9525); TLS 1.2 at least."""
    try:
        context = ssl.create_default_context(cafile=options.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if options.cert is not None:
            context.load_cert_chain(options.cert, options.key)
    except (OSError, ValueError) as error:
        raise ManifestError(
            f"the certificates cannot be used: {error}", todo="--ca, --cert and --key are PEM files; is one missing?"
        ) from error
    return context


class Cursor:
    """The place in one log up to which one target has everything, in a file of its own that outlives us."""

    def __init__(self, path: Path, log: Headers, *, start: int | None = None) -> None:
        self.path = path
        self._log = log
        self._id = log.id
        found = self._read()
        self.next, self.leaf = (0, "") if found is None else (int(str(found["next"])), str(found["leaf"]))
        if start is not None:
            self.next, self.leaf = start, ""
        self.check(self.next, self.leaf)

    def check(self, place: int, leaf: str) -> None:
        """Raises JournalError if the log does not go on from there: it was cut, rolled back, replaced or rewritten.

        `leaf` is that of the record before `place`, as it was forwarded.
        """
        size = self._log.size()
        self._same(self._id, self._log.id)
        if size < place:
            raise JournalError(
                f"expected at least {place} records in the log, got {size}: it was cut or rolled back after they were "
                "forwarded",
                todo="keep the file; compare it with what the SIEM has, and with an anchor: ringfence audit verify",
            )
        if place and leaf:
            now = next((chain.leaf(raw).hex() for raw in self._log.headers(place - 1, place)), "")
            if now != leaf:
                raise JournalError(
                    f"record {place - 1} of the log is not the one that was forwarded: the log was rewritten",
                    todo="keep the file; compare it with what the SIEM has, and with an anchor: ringfence audit verify",
                )

    def move(self, place: int, leaf: str) -> None:
        """Make it durable that everything before `place` has arrived; `leaf` is that of the record before it."""
        self.next, self.leaf = place, leaf
        state = {"v": 1, "log": self._log.id, "next": place, "leaf": leaf}
        beside = self.path.with_name(self.path.name + ".new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(json.dumps(state) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise JournalError(
                f"{self.path} cannot be written: {error.strerror}", todo="name another file with --state FILE"
            ) from error

    @contextmanager
    def held(self) -> Iterator[Cursor]:
        """Be the one who moves it."""
        try:
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(
                f"{self.path}.lock cannot be made: {error.strerror}", todo="name another file with --state FILE"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield self
        except BlockingIOError:
            raise JournalError(
                f"another process forwards by {self.path} already", todo="stop it, or name another --state FILE"
            ) from None
        finally:
            os.close(lock)

    def _read(self) -> dict[str, object] | None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = json.loads(self.path.read_bytes())
            if not (
                found["v"] == 1 and type(found["next"]) is int and found["next"] >= 0 and found["leaf"] is not None
            ):
                raise ValueError("it is none of ours")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"{self.path} cannot be read: {error}",
                todo="remove it to begin again, with --from INDEX if the SIEM should not get everything twice",
            ) from error
        self._same(str(found["log"]), self._log.id)
        return found  # type: ignore[no-any-return]

    def _same(self, known: str, now: str) -> None:
        if known != now:
            raise JournalError(
                f"expected the log {known}, which {self.path} is about, got {now}: another log took its place",
                todo="keep both; if the new one is meant, name another --state FILE",
            )


class Forwarder:
    """Sends what is new in a log to one target, in order, and moves the cursor behind what has arrived.

    notice      is told, in words, when a delivery fails and when it works again
    patience_s  how long one delivery is tried; None: for ever
    """

    def __init__(
        self,
        log: Headers,
        to: Target,
        cursor: Cursor,
        *,
        notice: Callable[[str], None] = lambda _: None,
        patience_s: float | None = None,
        linger_s: float = LINGER_S,
        poll_s: float = 0.25,
    ) -> None:
        self._log = log
        self._to = to
        self._cursor = cursor
        self._notice = notice
        self._patience_s = patience_s
        self._linger_s = linger_s
        self._poll_s = poll_s
        self._place, self._leaf = cursor.next, cursor.leaf
        self._batch = BATCH_RECORDS
        self._careful = 0
        self._runs: Runs | None = None
        self._sent: deque[tuple[float, int, str]] = deque()  # when a batch was sent, the place after it, its last leaf

    def run(self, *, once: bool = False) -> int:
        """Forward for ever, or until there is nothing new; returns the place of the cursor.

        Raises JournalError for a log that does not go on from where it was, a target that refuses, or too long a wait.
        """
        try:
            while self._deliver() or not once:
                continue
        finally:
            if self._to.close():  # what the end of a connection confirms need not be sent again
                self._settle(all_of_it=True)
        if self._sent:
            raise JournalError(
                "not everything has arrived: the other side did not confirm that it has read to the end",
                todo="run it again: it goes on from what has",
            )
        return self._cursor.next

    def _deliver(self) -> bool:
        """Deliver one batch, however often it takes; whether there was any. Waits a little if there is none."""
        began, failures = time.monotonic(), 0
        batch: list[Event] = []
        while True:
            try:
                batch = batch or self._next()
                self._send(batch)
                break
            except TooLarge:
                if len(batch) == 1:
                    raise JournalError(
                        f"the target does not take record {batch[0].index}: it is too large",
                        todo="raise the target's limit; nothing was skipped",
                    ) from None
                self._batch = max(1, len(batch) // 2)
                self._back()
                batch = []
            except Undelivered as error:
                if not self._to.settles:  # what was sent before may be lost as well
                    self._careful = _CAREFUL if self._sent or batch else 0
                    self._back()
                    batch = []
                failures += 1
                if self._patience_s is not None and time.monotonic() - began > self._patience_s:
                    raise JournalError(
                        f"not delivered: {error}", todo="run it again when the target is there"
                    ) from None
                if failures > 1 and failures.bit_count() == 1:  # the first one may be a connection that was idle
                    self._notice(f"not delivered, will be tried again: {error}")
                time.sleep(max(error.pause_s, _backoff(failures)))
        if failures > 1:
            self._notice(f"delivered again, up to record {self._place - 1}")
        return bool(batch)

    def _send(self, batch: list[Event]) -> None:
        if batch:
            self._to.send(batch)
            self._place, self._leaf = batch[-1].index + 1, batch[-1].leaf
            self._sent.append((time.monotonic(), self._place, self._leaf))
            self._batch = min(self._batch + 16, BATCH_RECORDS)
        else:
            if self._sent:
                self._to.check()
            time.sleep(self._poll_s)
        if batch and self._careful:  # a stream that breaks more often than it lingers gets on as well
            self._careful -= 1
            if not self._to.close():
                raise Undelivered("the other side did not confirm that it has read to the end")
            self._settle(all_of_it=True)
        self._settle()

    def _next(self) -> list[Event]:
        """The next batch; before it is made, the log is held against the last record that was sent."""
        self._cursor.check(self._place, self._leaf)
        if self._runs is None:
            self._runs = warmed(self._log, self._place)
        stop, size = min(self._log.size(), self._place + self._batch), 0
        batch: list[Event] = []
        for event in events(self._log, self._place, stop, runs=self._runs):
            batch.append(event)
            size += len(event.raw)
            if size > _BATCH_BYTES:
                break
        return batch

    def _back(self) -> None:
        """Start again from what is known to have arrived."""
        self._sent.clear()
        self._place, self._leaf, self._runs = self._cursor.next, self._cursor.leaf, None

    def _settle(self, *, all_of_it: bool = False) -> None:
        """Move the cursor behind what has arrived by now."""
        arrived: tuple[float, int, str] | None = None
        before = time.monotonic() - (0.0 if all_of_it or self._to.settles else self._linger_s)
        while self._sent and self._sent[0][0] <= before:
            arrived = self._sent.popleft()
        if arrived is not None:
            self._cursor.move(arrived[1], arrived[2])


def _backoff(failures: int) -> float:
    """Doubling pauses with jitter, so that many hosts do not come back at once."""
    return random.uniform(0.5, 1.0) * min(_FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), _LONGEST_PAUSE_S)
