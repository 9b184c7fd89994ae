"""A head on its way out: witnesses sign it, then the anchors keep it with what they signed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from ringfence.core.errors import InternalError, RingfenceError
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint

from .anchors import Anchor
from .witness import Prove, Witness


@dataclass(frozen=True, slots=True)
class Failure:
    """Who did not take a head, and why."""

    name: str
    error: RingfenceError


@dataclass(frozen=True, slots=True)
class Published:
    """A head with the signatures of the witnesses under it, and who failed."""

    note: str
    size: int
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it is everywhere where it should be."""
        return not self.failures


class Publisher:
    """Sends heads to all anchors and witnesses, the newest alone; whoever failed is tried again with the next one.

    prove      a consistency proof between two sizes of the log
    handovers  the stored heads that hand the log over to another key, oldest first
    """

    def __init__(
        self,
        anchors: Sequence[Anchor],
        witnesses: Sequence[Witness],
        prove: Prove,
        handovers: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._anchors = tuple(anchors)
        self._witnesses = tuple(witnesses)
        self._prove = prove
        self._handovers = handovers
        self._door = threading.Lock()  # of the newest head
        self._turn = threading.Lock()  # of the one who sends
        self._newest = self._sent = (-1, "")
        self._last = Published("", -1)

    def publish(self, note: str) -> Published:
        """Send a head and wait for everybody. Thread-safe: a thread that waited for another one sends the newest head,
        or finds that one over its own records was sent meanwhile. Raises NoteError for what is no head, else nothing.
        """
        size = Checkpoint.parse(notes.unverified(note)).size
        with self._door:
            if size >= self._newest[0]:
                self._newest = (size, note)
        with self._turn:
            with self._door:
                wanted = self._newest
            if wanted is not self._sent:
                self._last, self._sent = self._send(*wanted), wanted
            return self._last

    def _send(self, size: int, note: str) -> Published:
        failures: list[Failure] = []
        for outcome in _each([partial(self._cosigned, witness, note) for witness in self._witnesses]):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            elif outcome:
                note = notes.add(note, outcome)
        for outcome in _each([partial(self._kept, anchor, note) for anchor in self._anchors]):
            if isinstance(outcome, Failure):
                failures.append(outcome)
        return Published(note, size, tuple(failures))

    def _cosigned(self, witness: Witness, note: str) -> str | Failure | None:
        return _told(witness.name, partial(witness.cosign, note, self._prove, self._handovers))

    def _kept(self, anchor: Anchor, note: str) -> str | Failure | None:
        return _told(anchor.name, partial(anchor.put, note))


def _each(jobs: Sequence[Callable[[], str | Failure | None]]) -> list[str | Failure | None]:
    """All at once: a slow one does not make the others wait."""
    if len(jobs) < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(len(jobs), "ringfence-head") as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def _told(name: str, job: Callable[[], str | None]) -> str | Failure | None:
    try:
        return job()
    except RingfenceError as error:
        return Failure(name, error)
    except Exception as error:  # of a thread that nobody watches: told, not lost
        return Failure(name, InternalError(f"{name} failed in our own code: {error!r}"))
