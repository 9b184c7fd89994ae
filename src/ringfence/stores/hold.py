"""Who drives a run, and who answers what it asks: one process at a time, by locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path

from ringfence.core.errors import JournalError

from . import ranges

_PATIENCE_S = 2.0  # for which files that are only looked at are waited for, where there are no locks by name
_ours: ContextVar[frozenset[tuple[int, str, str]]] = ContextVar("ours", default=frozenset())  # held around us


class Held(JournalError):
    """Another process has a run in its hands."""


@contextmanager
def holding(folder: Path, run: str) -> Iterator[None]:
    """Hold a run for as long as it is driven; the kernel lets go of it when the process dies.

    Whoever holds it, and a task that begins meanwhile, may hold it again: to ask and to go on without a gap between.
    Raises Held if somebody else holds it. The journal's (run, seq) key stays what fences a second writer.
    """
    key, around = (os.getpid(), str(folder), run), _ours.get()  # what a fork's parent holds is not its own
    if key in around:
        yield
        return
    with _locked(folder, f"{run}.lock", note=True) as ours:
        if not ours:
            todo = "answer it there, or wait until it ends; an approval from here reaches it"
            raise Held(f"run {run} is under way in another process", todo=todo)
        before = _ours.set(around | {key})
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
    with _locked(folder, f"{run}.answer", note=False) as ours:
        if not ours:
            todo = "look at what is asked now: `ringfence approvals`"
            raise Held(f"somebody else is answering run {run} at this very moment", todo=todo)
        yield


def left(folder: Path, run: str) -> bool | None:
    """Whether a process died that held this run; None if one holds it now, False if nobody has, or it let go."""
    try:
        return ranges.left(folder, f"{run}.lock")
    except ranges.Missing:
        return _left_file(folder / f"{run}.lock")


@contextmanager
def _locked(folder: Path, name: str, *, note: bool) -> Iterator[bool]:
    """Whether the lock is ours: nobody waits for one. With `note` it can be told whether its holder died."""
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(ranges.taking(folder, name, note=note))
        except ranges.Missing:
            ours = stack.enter_context(_locked_file(folder / name))
        yield ours


def _left_file(path: Path) -> bool | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
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
def _locked_file(path: Path) -> Iterator[bool]:
    """A file for each lock (macOS): it is there while somebody holds it, and stays behind if they die."""
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        if not _flocked(handle):
            os.close(handle)
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


def _flocked(handle: int) -> bool:
    """Lock it; False if somebody holds it. Whoever only looks shares it for a moment, and is no reason to give up."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            pass
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(handle, fcntl.LOCK_UN)
        except BlockingIOError:
            return False
        if time.monotonic() > until:
            return False
        time.sleep(0.0005)


def _is(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
