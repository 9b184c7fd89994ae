"""Records wait together: what is appended is committed in batches by a thread of its own, and whoever waits is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

from ..core.errors import JournalError

MAX_DELAY_S = 0.005
E = TypeVar("E")  # a record, in the form in which it is committed
S = TypeVar("S")  # what a run had become, in the same
_Loop = asyncio.AbstractEventLoop
_Waiting = dict[_Loop, list[asyncio.Future[None]]]


class Broken(JournalError):
    """A commit has failed, perhaps for want of room: none of it is written, and nothing more is until it is mended."""


@dataclass(slots=True)
class Batch(Generic[E, S]):
    """What the next commit takes, and who waits for it, by event loop."""

    entries: list[E] = field(default_factory=list)
    states: list[S] = field(default_factory=list)
    waiting: _Waiting = field(default_factory=dict)
    anchored: _Waiting = field(default_factory=dict)  # who waits for its head, too
    urgent: bool = False  # the thread was told to take it


class Batches(Generic[E, S]):
    """Commits batches in order. `add` queues; a batch is taken when somebody waits in `flush`, at the latest
    `max_delay_s` after its first entry. Once a commit has failed, every later call fails. For any number of threads.

    commit  makes a batch durable, in the thread; returns why its head is not at every anchor, for who waits for that.
            Raises JournalError if it cannot be made durable; anything else is a fault of our own
    where   the journal in words, for who comes after it was closed
    """

    def __init__(
        self, commit: Callable[[Batch[E, S]], JournalError | None], *, where: str, max_delay_s: float = MAX_DELAY_S
    ) -> None:
        self._commit = commit
        self._where = where
        self._max_delay_s = max_delay_s
        self._lock = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._next: Batch[E, S] = Batch()
        self._flying: Batch[E, S] | None = None
        self._closed = self._untold = False
        self._failed: JournalError | None = None
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> bool:
        """Whether a commit has failed."""
        return self._failed is not None

    def add(self, entry: E) -> None:
        """Queue an entry for the next commit."""
        with self._lock:
            self._check()
            batch = self._next
            first = not batch.entries
            batch.entries.append(entry)
        if first:
            self._schedule(batch)

    def keep(self, state: S) -> None:
        """Queue a state, which goes with the entries."""
        with self._lock:
            self._check()
            self._next.states.append(state)

    async def flush(self, *, anchored: bool = False) -> None:
        """Return when everything added so far is durable, and with `anchored` where it has to be."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._check()
            batch = self._next if self._next.entries or anchored else self._flying
            if batch is None:  # all of it is durable
                return
            done = loop.create_future()
            (batch.anchored if anchored else batch.waiting).setdefault(loop, []).append(done)
        self._hurry(batch)
        await done

    def close(self) -> None:
        """Commit what is queued, and end the thread; a failure is for `complain` to tell."""
        with self._lock:
            self._closed = True
            left = self._next
        if left.entries:
            self._hurry(left)
        if self._thread is not None:
            self._wake.put(None)
            self._thread.join()
            self._thread = None

    def complain(self) -> None:
        """Raises the JournalError that nobody was told of yet, if there is one."""
        if self._failed is not None and self._untold:
            self._untold = False
            raise self._failed

    def _check(self) -> None:
        if self._failed is not None:
            self._untold = False
            raise Broken(self._failed.what, todo=self._failed.todo)
        if self._closed:
            raise JournalError(f"the journal {self._where} is closed", todo="open it again")

    def _schedule(self, batch: Batch[E, S]) -> None:
        """See to it that a batch is committed although nobody waits for it: its records ride on the next commit."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._hurry(batch)
        else:
            loop.call_later(self._max_delay_s, self._hurry, batch)

    def _hurry(self, batch: Batch[E, S]) -> None:
        """Have the thread take a batch as soon as it can, if it has not yet; the first one starts the thread."""
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
                unanchored = self._commit(batch)
            except JournalError as error:
                failure = error
            except Exception as error:
                failure = JournalError(f"the journal failed in our own code: {error!r}", todo="please report it")
            self._done(batch, failure, unanchored)
            if failure is not None:
                return

    def _take(self) -> Batch[E, S] | None:
        """The next batch, as soon as there is a reason to commit it; None when the journal is closed."""
        self._wake.get()
        with self._lock:
            if not (self._next.entries or self._next.anchored):
                return None
            self._flying, self._next = self._next, Batch()
            return self._flying

    def _done(self, batch: Batch[E, S], failure: JournalError | None, unanchored: JournalError | None) -> None:
        """Tell everybody who waits: one call into each loop, whatever the number of runs."""
        with self._lock:
            self._flying = None
            if failure is not None:
                failure = Broken(failure.what, todo=failure.todo)
            waiting: list[tuple[_Loop, list[asyncio.Future[None]], JournalError | None]]
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
            future.set_exception(type(failure)(failure.what, todo=failure.todo))
