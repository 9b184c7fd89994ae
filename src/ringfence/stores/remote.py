"""The journal of an agent that does not own it: records go to a recorder over a Unix socket (`recorder`)."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import wire
from .batches import Batch, Batches
from .log import Finding, Head, Pair, RunSummary, VerifyReport, summarise
from .vault import Sealed

TIMEOUT_S = 60.0
_PAGE = 512  # headers asked for at once


class _Line:
    """One connection: a question, then its answer. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_S)
        try:
            with self._faults():
                self._socket.connect(str(path))
            hello = self.ask(wire.dumps({"hello": wire.VERSION}))
            if hello.get("v") != wire.VERSION:
                raise self._broken(f"expected version {wire.VERSION}, got {hello.get('v')!r}")
        except BaseException:
            self.close()
            raise
        self.log = str(hello["log"])

    def ask(self, *values: bytes) -> dict[str, Any]:
        """Send frames, and return the one that answers them. Raises JournalError for any fault, theirs included."""
        with self._faults(), contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have said why
            self._socket.sendall(b"".join(map(wire.frame, values)))
        return self.more()

    def more(self) -> dict[str, Any]:
        """The next frame."""
        with self._faults():
            (length,) = wire.LENGTH.unpack(self._exactly(wire.LENGTH.size))
            if length > 2 * wire.FRAME_BYTES:
                raise ValueError(f"a frame of {length} bytes")
            answer = wire.loads(self._exactly(length))
        if "destroyed" in answer:
            raise Sealed(str(answer["error"]), todo=str(answer["todo"]), destroyed=answer["destroyed"] is True)
        if "error" in answer:
            raise JournalError(str(answer["error"]), todo=str(answer.get("todo", "")))
        return answer

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < count:
            piece = self._socket.recv(min(count - len(pieces), 1 << 20))
            if not piece:
                raise ConnectionResetError("it has closed the connection")
            pieces += piece
        return bytes(pieces)

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._broken(error.strerror or str(error)) from error
        except ValueError as error:
            raise self._broken(f"it answers nonsense: {error}") from error

    def _broken(self, why: str) -> JournalError:
        return JournalError(
            f"the recorder at {self._path} cannot be reached: {why}",
            todo="start it (`ringfence audit recorder`); without a record nothing that leaves or changes happens",
        )


class SocketJournal:
    """`ports.Journal` at a recorder. `append` queues; one round trip makes all of it durable when somebody waits in
    `flush`, or a few milliseconds after the first record. After any fault every later call fails.

    required  an effect does not happen where the recorder does not wait for anchors
    """

    def __init__(self, path: Path, *, required: bool = False) -> None:
        self.path = path
        self._required = required
        self._line = _Line(path)
        self._batches: Batches[bytes, bytes] = Batches(self._commit, where=f"at {path}")
        self._log: SocketLog | None = None
        self.troubles: tuple[str, ...] = ()  # what kept the newest head from being signed, or from where it should be

    @property
    def log(self) -> SocketLog:
        """The reading side, on a connection of its own; it sees what is durable."""
        if self._log is None:
            self._log = SocketLog(self.path)
        return self._log

    def append(self, record: Record) -> None:
        """Queue a record. Raises JournalError for what cannot be written, and after a failure."""
        self._batches.add(wire.encoded(record))

    def keep_state(self, run: str, seq: int, state: bytes) -> None:
        """Keep what a run had become at a record, which has to be appended first; goes with it.

        One that is too large for a frame is left out: it only saves time.
        """
        frame = wire.dumps({"state": [run, seq, base64.b64encode(state).decode()]})
        if len(frame) <= wire.FRAME_BYTES:
            self._batches.keep(frame)

    def alias(self, subject: str) -> str:
        """What records call a subject that is no principal; the recorder has the keys, and may have destroyed some."""
        return self.log.alias(subject)

    async def flush(self, *, anchored: bool = False) -> None:
        """Return when everything appended so far is durable, and with `anchored` at every anchor that is required.

        Raises JournalError if it is not known to be so.
        """
        await self._batches.flush(anchored=anchored)

    def close(self) -> None:
        """Send what is queued and hang up. Raises a JournalError that nobody was told of yet."""
        self._batches.close()
        self._line.close()
        if self._log is not None:
            self._log.close()
            self._log = None
        self._batches.complain()

    def __enter__(self) -> SocketJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(self, batch: Batch[bytes, bytes]) -> JournalError | None:
        """One round trip; what kept the head over the batch from an anchor, if somebody waits for that."""
        frames = [b'{"append":[%s]}' % b",".join(piece) for piece in wire.parts(batch.entries)]
        count, anchored = len(batch.entries), b"true" if batch.anchored else b"false"
        answer = self._line.ask(*batch.states, *frames, b'{"flush":%d,"anchored":%s}' % (count, anchored))
        if answer.get("flushed") != count:
            raise JournalError(f"the recorder answered {str(answer)[:100]}", todo="is it of this version?")
        self.troubles = tuple(map(str, answer["troubles"]))
        what, todo = answer["unanchored"]
        if batch.anchored and self._required and answer.get("required") is not True:
            what = f"audit.required is set, and the recorder at {self.path} waits for no anchor"
            todo = "set it in the manifest of the recorder, with its anchors; then `ringfence runs resume ID`"
        return JournalError(str(what), todo=str(todo)) if what else None


class SocketLog:
    """`log.Log` at a recorder. Contents are those of the caller's own runs; headers are everybody's."""

    def __init__(self, path: Path) -> None:
        self._line = _Line(path)
        self._lock = threading.Lock()
        self.id = self._line.log

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def __enter__(self) -> SocketLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def size(self) -> int:
        """Durable records."""
        (found,) = self._ask("size")
        return int(found)

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The canonical bytes of the headers from index `start` to before `stop`, as the log is when it is asked."""
        stop = self.size() if stop is None else stop
        while start < stop:
            page = self._ask("headers", start, min(stop, start + _PAGE))
            if not page:
                return
            start += len(page)
            yield from (text.encode() for text in page)

    def read(self, run: str, start: int = 0, limit: int | None = None) -> list[Record]:
        """The durable records of a run from seq `start`; empty for a run that is not in the log, or somebody else's."""
        return [wire.decoded(each) for each in self._ask("read", run, start)[:limit]]

    def views(self, run: str) -> list[Record]:
        """The records of a run as readers without a key see them, whoever's it is."""
        return [wire.decoded(each) for each in self._ask("views", run)]

    def state(self, run: str) -> tuple[int, bytes] | None:
        """The newest durable snapshot of a run, and the seq of its checkpoint; None without."""
        found = self._ask("state", run)
        return (int(found[0]), base64.b64decode(found[1])) if found else None

    def heads(self) -> list[Head]:
        """The signed heads that are kept with the log, in order."""
        return [Head(**each) for each in self._ask("heads")]

    def alias(self, subject: str) -> str:
        """What records call a subject that is no principal."""
        (found,) = self._ask("alias", subject)
        return str(found)

    def runs(self, limit: int = 50, *, before: int | None = None, principal: str | None = None) -> list[RunSummary]:
        """At most `limit` runs, the newest first, of one principal or of all; before an index, where one is given."""
        return [RunSummary(**each) for each in self._ask("runs", limit, before, principal)]

    def unfinished(self, but: Container[str] = ()) -> list[RunSummary]:
        """The caller's runs that have not ended, the oldest first, but for these."""
        return [one for each in self._ask("unfinished") if (one := RunSummary(**each)).run not in but]

    def owner(self, run: str) -> str | None:
        """The principal of a run of the caller's; None for any other."""
        return next(iter(self._ask("owner", run)), None)

    def first(self, run: str) -> Record | None:
        """The first record of a run of the caller's."""
        return next((wire.decoded(each) for each in self._ask("first", run)), None)

    def last(self, run: str) -> Record | None:
        """The last durable record of a run of the caller's, without its content."""
        return next((wire.decoded(each) for each in self._ask("last", run)), None)

    def summary(self, run: str) -> RunSummary | None:
        """One run of the caller's own by its whole id; None for any other."""
        records = self.read(run)
        return summarise(0, records[0], records[-1]) if records else None

    def find(self, prefix: str) -> str:
        """The one run whose id starts with `prefix`; raises JournalError if there is none or more than one."""
        (found,) = self._ask("find", prefix)
        return str(found)

    def window(self, conversation: str, limit: int) -> list[Pair]:
        """Start and end of the newest `limit` runs of a conversation, oldest first."""
        pairs = self._ask("window", conversation, limit)
        return [(wire.decoded(first), wire.decoded(last) if last else None) for first, last in pairs]

    def intents(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """The intents from `place` on that are no older than `since`, and the place to ask from next time."""
        *found, end = self._ask("intents", since, place)
        return [wire.decoded(each) for each in found], int(end)

    def models(self, since: int, place: int = 0) -> tuple[list[Record], int]:
        """The requests to models, of the caller's own runs, and what they used; and the place to ask from next time."""
        *found, end = self._ask("models", since, place)
        return [wire.decoded(each) for each in found], int(end)

    def verify(self) -> VerifyReport:
        """What the recorder finds when it recomputes everything."""
        (found,) = self._ask("verify")
        return VerifyReport(**{**found, "findings": tuple(Finding(**each) for each in found["findings"])})

    def export(self, run: str) -> Iterator[dict[str, JSON]]:
        """The records of a run as JSON: the header as it was hashed, and `content`."""
        yield from self._ask("export", run)

    def _ask(self, verb: str, *values: JSON) -> list[Any]:
        """The items of the answer, which may come in several frames."""
        with self._lock:
            answer = self._line.ask(json.dumps({"ask": verb, "with": values}).encode())
            found = list(answer["part"])
            while answer["more"]:
                answer = self._line.more()
                found += answer["part"]
        return found
