"""The journal on SQLite: one writer thread, commits in groups, durable when `flush` returns (DESIGN 8)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import apsw

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import file
from .reader import SqliteLog
from .rows import Entry
from .shown import Redactor, Shown
from .vault import Vault
from .writer import Notary, State, Writer

MAX_DELAY_S = 0.005

_Loop = asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Batch:
    """What the next commit takes, and who waits for it, by event loop."""

    entries: list[Entry] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    waiting: dict[_Loop, list[asyncio.Future[None]]] = field(default_factory=dict)
    anchored: dict[_Loop, list[asyncio.Future[None]]] = field(default_factory=dict)  # who waits for its head, too
    urgent: bool = False  # the writer thread was told to take it


class SqliteJournal:
    """`ports.Journal` on a file. `append` queues; a batch is committed when somebody waits in `flush`, at the latest
    `max_delay_s` after its first record. Records of all runs share commits. Once a commit has failed, every later call
    fails: an effect whose record cannot be made durable does not happen.

    One file may have several writing processes; one run has one writer at a time, and a second one is fenced out.

    vault     the keys that bodies are sealed with; those in `keys/` beside the file if not given
    redactor  takes personal data out of what readers without a key see; without one they see codes and digests
    notary    signs heads; without one there are none
    """

    def __init__(
        self,
        path: Path,
        *,
        vault: Vault | None = None,
        redactor: Redactor | None = None,
        notary: Notary | None = None,
        max_delay_s: float = MAX_DELAY_S,
        vfs: str | None = None,
    ) -> None:
        self.path = path
        self.vault = vault or Vault(path.parent / "keys", vfs=vfs)
        self._vfs = vfs
        self._max_delay_s = max_delay_s
        self._notary = notary
        self._writer = Writer(file.connect(path, write=True, vfs=vfs), path, self.vault, notary)
        self._shown = Shown(redactor, self._before) if redactor is not None else None
        self._lock = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._next = _Batch()
        self._flying: _Batch | None = None
        self._closed = self._untold = False
        self._failed: JournalError | None = None
        self._thread: threading.Thread | None = None
        self._log: SqliteLog | None = None

    @property
    def newest_head(self) -> str | None:
        """The last head that is kept: for who signs the next one."""
        return self._writer.newest_head

    @property
    def required(self) -> bool:
        """Whether an effect waits until the head over its intent is at every anchor."""
        return self._notary is not None and self._notary.required

    @property
    def log(self) -> SqliteLog:
        """The reading side, on a connection of its own; it sees what is durable."""
        if self._log is None:
            self._log = SqliteLog(self.path, vault=self.vault, vfs=self._vfs)
        return self._log

    def append(self, record: Record) -> None:
        """Queue a record for the next commit. Raises JournalError for what cannot be written, and after a failure."""
        shown = self._shown.of(record) if self._shown is not None else None
        entry = Entry.of(record, self._writer.log, shown=shown)
        with self._lock:
            self._check()
            batch = self._next
            first = not batch.entries
            batch.entries.append(entry)
        if first:
            self._schedule(batch)

    def recall(self, run: str) -> None:
        """Number a run's placeholders as before, for who hides contents from a model before the next record comes."""
        if self._shown is not None:
            self._shown.recall(run)

    def keep_state(self, run: str, seq: int, state: bytes) -> None:
        """Keep what a run had become at a record, sealed, in place of what was kept of it before.

        It is committed with the record, which has to be appended first, and gone when the run has ended.
        """
        with self._lock:
            self._check()
            self._next.states.append((run, seq, state))

    async def flush(self, *, anchored: bool = False) -> None:
        """Return when everything appended so far is durable; raises JournalError if it cannot be made so.

        With `anchored`, where the operator requires it, a head over it is at every anchor as well.
        """
        loop = asyncio.get_running_loop()
        anchored = anchored and self.required
        with self._lock:
            self._check()
            batch = self._next if self._next.entries or anchored else self._flying
            if batch is None:  # all of it is durable
                return
            done = loop.create_future()
            (batch.anchored if anchored else batch.waiting).setdefault(loop, []).append(done)
        self._hurry(batch)
        await done

    def alias(self, subject: str) -> str:
        """What records call a subject that is no principal: a view's `subjects` hold these, and never a name."""
        return self.vault.alias(subject)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What kept the newest head from being signed, or from getting where it should be."""
        return () if self._notary is None else self._notary.troubles

    def hand_over(self, note: Callable[[int, bytes], str]) -> str:
        """Keep a head that hands the log over to another key, and hand it on; `note` makes it, of a size and a root."""
        with file.faults(self.path):
            made = self._writer.hand_over(note)
        if self._notary is not None:
            self._notary.publish(made, wait=False)
        return made

    def cosigned(self, size: int, note: str) -> None:
        """Keep a head with the signatures that witnesses have added to it, at the next commit."""
        self._writer.cosigned[size] = note

    def _before(self, run: str) -> Iterator[JSON]:
        """The bodies of a run that goes on."""
        return (record.body for record in self.log.read(run))

    def close(self) -> None:
        """Commit what is queued and let go of the file. Raises a JournalError that nobody was told of yet."""
        with self._lock:
            self._closed = True
            left = self._next
        if left.entries:
            self._hurry(left)
        if self._thread is not None:
            self._wake.put(None)
            self._thread.join()
            self._thread = None
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._failed is None:
            self._writer.conclude()
            self._publish(wait=False)
        if self._notary is not None:
            self._notary.close()
        if self._failed is None:
            self._writer.conclude()  # with what witnesses have signed meanwhile
        self._writer.close()
        self.vault.close()
        if self._failed is not None and self._untold:
            self._untold = False
            raise self._failed

    def __enter__(self) -> SqliteJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._failed is not None:
            self._untold = False
            raise JournalError(self._failed.what, todo=self._failed.todo)
        if self._closed:
            raise JournalError(f"the journal {self.path} is closed", todo="open it again")

    def _schedule(self, batch: _Batch) -> None:
        """See to it that a batch is committed although nobody waits for it: its records ride on the next commit."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._hurry(batch)
        else:
            loop.call_later(self._max_delay_s, self._hurry, batch)

    def _hurry(self, batch: _Batch) -> None:
        """Have the writer thread take a batch as soon as it can, if it has not yet; the first one starts the thread."""
        with self._lock:
            if batch.urgent or batch is not self._next or self._failed is not None:
                return
            batch.urgent = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ringfence-journal", daemon=True)
                self._thread.start()
        self._wake.put(None)  # not under the lock, which the woken thread takes first

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            failure: JournalError | None = None
            unanchored: JournalError | None = None
            try:
                self._writer.commit(batch.entries, batch.states, head=bool(batch.anchored))
                unanchored = self._publish(wait=bool(batch.anchored))
            except JournalError as error:
                failure = error
            except apsw.Error as error:
                failure = file.explain(error, self.path)
            except Exception as error:
                failure = JournalError(f"the journal failed in our own code: {error!r}", todo="please report it")
            self._done(batch, failure, unanchored)
            if failure is not None:
                return

    def _publish(self, *, wait: bool) -> JournalError | None:
        """Hand the newest head on; with `wait`, why it is not at every anchor."""
        if self._notary is None or not (self._writer.fresh or wait):
            return None
        if wait and self._writer.unsigned is not None:
            return JournalError(
                f"audit.required is set, and {self._writer.unsigned.what}",
                todo=f"{self._writer.unsigned.todo or 'mend the key'}; then `ringfence runs resume ID`",
            )
        self._writer.fresh = False
        try:
            self._notary.publish(self._writer.note, wait=wait)
        except JournalError as error:
            return error
        return None

    def _take(self) -> _Batch | None:
        """The next batch, as soon as there is a reason to commit it; None when the journal is closed."""
        self._wake.get()
        with self._lock:
            if not (self._next.entries or self._next.anchored):
                return None
            self._flying, self._next = self._next, _Batch()
            return self._flying

    def _done(self, batch: _Batch, failure: JournalError | None, unanchored: JournalError | None) -> None:
        """Tell everybody who waits: one call into each loop, whatever the number of runs."""
        with self._lock:
            self._flying = None
            waiting = [(loop, futures, failure) for loop, futures in batch.waiting.items()]
            waiting += [(loop, futures, failure or unanchored) for loop, futures in batch.anchored.items()]
            if failure is not None:
                self._failed = failure
                for more in (self._next.waiting, self._next.anchored):
                    waiting += [(loop, futures, failure) for loop, futures in more.items()]
                self._untold = not waiting
        for loop, futures, why in waiting:
            with contextlib.suppress(RuntimeError):  # that loop was closed, and nobody waits there
                loop.call_soon_threadsafe(_settle, futures, why)


def _settle(futures: list[asyncio.Future[None]], failure: JournalError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(JournalError(failure.what, todo=failure.todo))
