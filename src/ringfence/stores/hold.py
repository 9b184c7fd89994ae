"""Who drives a run, and who answers what it asks: one process at a time, by locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ringfence.core.errors import JournalError

_TRIES = 3  # whoever only looks whether a run is held has the lock for a moment
_ours: ContextVar[frozenset[Path]] = ContextVar("ours", default=frozenset())  # locks that are held around us


class Held(JournalError):
    """Another process has a run in its hands."""


@contextmanager
def holding(folder: Path, run: str) -> Iterator[None]:
    """Hold a run for as long as it is driven; the kernel lets go of it when the process dies.

    Whoever holds it, and a task that begins meanwhile, may hold it again: to ask and to go on without a gap between.
    Raises Held if somebody else holds it. The journal's (run, seq) key stays what fences a second writer.
    """
    path = folder / f"{run}.lock"
    if path in _ours.get():
        yield
        return
    with _locked(path) as ours:
        if not ours:
            todo = "answer it there, or wait until it ends; an approval from here reaches it"
            raise Held(f"run {run} is under way in another process", todo=todo)
        before = _ours.set(_ours.get() | {path})
        try:
            yield
        finally:
            _ours.reset(before)


@contextmanager
def answering(folder: Path, run: str) -> Iterator[None]:
    """Be the one who answers a run, from reading its question until the answer is durable.

    Without it the second of two answers at once would fail the journal of its process, and the run with it.
    Raises Held if somebody else is at it.
    """
    with _locked(folder / f"{run}.answer") as ours:
        if not ours:
            todo = "look at what is asked now: `ringfence approvals`"
            raise Held(f"somebody else is answering run {run} at this very moment", todo=todo)
        yield


def left(folder: Path, run: str) -> bool | None:
    """Whether a process died that held this run; None if one holds it now, False if nobody has, or it let go."""
    try:
        handle = os.open(folder / f"{run}.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    finally:
        os.close(handle)
    return True


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether the lock is ours: nobody waits for one."""
    tries = 0
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            if (tries := tries + 1) < _TRIES:
                time.sleep(0.0005)
                continue
            yield False
            return
        if _is(path, handle):
            break
        os.close(handle)  # removed by its last holder between our two steps: try the new one
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
