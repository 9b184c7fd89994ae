"""Locks by name, all in one file, where the kernel has locks of an open file (`fcntl(2)`, open file description locks).

A name is one byte of the file `locks`, far behind its end: nothing is made or removed to take a lock, and who looks
whether it is taken (F_OFD_GETLK) takes nothing, so that nobody is turned away for being looked at. What a process
holds it also notes in a file of its own, 16 bytes a name, which is locked for as long as it holds anything: what is
noted in a file that nobody locks was held by a process that died.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid
_NOTE = 16  # bytes of a name in a note
_NOTES = ".held"
_MAKE = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
_MISSING = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))
_FULL = frozenset((errno.ENOSPC, errno.EFBIG, errno.EDQUOT))
_ROOM = bytes(256 * _NOTE)  # made at once, so that a disk that fills up later does not matter
_guard = threading.RLock()
_taken: set[tuple[str, bytes]] = set()  # by this process: the kernel does not keep an owner from itself
_known: dict[str, Ranges] = {}


class Missing(Exception):
    """This kernel or this file system has no such locks."""


@contextlib.contextmanager
def taking(folder: Path, name: str, *, note: bool) -> Iterator[bool]:
    """Whether the lock is ours, inside. With `note`, `left` can tell whether we have died with it.

    Raises Missing, OSError.
    """
    brief = _brief(name)
    with _guard:
        found = _of(folder)
        slot = found.take(brief, note=note)
    if slot is None:
        yield False
        return
    try:
        yield True
    finally:
        found.let_go(brief, slot)


def _of(folder: Path) -> Ranges:
    if not hasattr(fcntl, "F_OFD_SETLK"):
        raise Missing
    if not _once_done:
        _once_done.append(True)
        os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_forked)
    found = _known.get(str(folder))
    if found is None or not os.fstat(found.locks).st_nlink:  # else somebody has removed it meanwhile
        found = _known[str(folder)] = Ranges(folder)
    return found


@contextlib.contextmanager
def _unless_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise


class Ranges:
    """The locks of one folder, as one process has them; open for as long as it holds any."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.locks = _opened(folder / "locks", folder)
        try:
            _is_set(self.locks, 0, 1)
        except Missing:
            os.close(self.locks)
            raise
        self._notes = -1  # made when something is noted first
        self._own = ""
        self._free: list[int] = []
        self._slots = self._held = 0
        self._gone = False  # closed: nothing is held, or this is a fork, and what its parent holds is not its own

    def take(self, brief: bytes, *, note: bool) -> int | None:
        """The place of its note, -1 for none; None if somebody else has it."""
        key = str(self.folder), brief
        try:
            if key in _taken or not _set(self.locks, fcntl.F_WRLCK, *_byte(brief)):
                return None
            _taken.add(key)
            try:
                slot = self._noting(brief) if note else -1
            except BaseException:
                self._free_again(brief)
                raise
            self._held += 1
            return slot
        finally:
            self._close_unless_held()

    def let_go(self, brief: bytes, slot: int) -> None:
        """Somebody else may have it."""
        with _guard:
            if self._gone:
                return
            if slot >= 0:
                with contextlib.suppress(OSError):  # what cannot be struck out is taken to have died with us
                    os.pwrite(self._notes, bytes(_NOTE), slot * _NOTE)
                    self._free.append(slot)
            self._free_again(brief)
            self._held -= 1
            self._close_unless_held()

    def _close_unless_held(self) -> None:
        if self._held:
            return
        if self._own and len(self._free) == self._slots:
            with contextlib.suppress(OSError):
                (self.folder / self._own).unlink(missing_ok=True)
        self.forget()
        if _known.get(str(self.folder)) is self:
            del _known[str(self.folder)]

    def _noting(self, brief: bytes) -> int:
        """Note it; on a full disk it is held all the same, and that we died with it cannot be told."""
        slot = -1
        with _unless_full():
            slot = self._note(brief)
        with _unless_full():  # what a dead process has noted of it stays, as if that had been the last to hold it
            self._inherit(brief)
        return slot

    def _free_again(self, brief: bytes) -> None:
        _set(self.locks, fcntl.F_UNLCK, *_byte(brief))
        _taken.discard((str(self.folder), brief))

    def _note(self, brief: bytes) -> int:
        while self._notes < 0:
            own = f"{secrets.token_hex(8)}{_NOTES}"
            notes = _opened(self.folder / own, self.folder)
            if _set(notes, fcntl.F_WRLCK, 0, 1) and os.fstat(notes).st_nlink:
                self._notes, self._own = notes, own
                os.pwrite(notes, _ROOM, 0)
            else:  # somebody has taken it for that of a dead process, in the moment before it was locked
                os.close(notes)
        slot = self._free[-1] if self._free else self._slots
        os.pwrite(self._notes, brief, slot * _NOTE)  # a full disk: the place stays free
        if self._free:
            self._free.pop()
        else:
            self._slots += 1
        return slot

    def _inherit(self, brief: bytes) -> None:
        """Strike out what a dead process has noted of this name: it is ours now. Notes without a name are removed."""
        for path in _all_notes(self.folder, but=self._own):
            with _dead(path, os.O_RDWR) as handle:
                if handle is None:
                    continue
                for at in _noted(handle, brief):
                    os.pwrite(handle, bytes(_NOTE), at)
                if not any(_read(handle)) and _set(handle, fcntl.F_WRLCK, 0, 1) and not any(_read(handle)):
                    path.unlink(missing_ok=True)  # under its lock: whoever has just made it sees that it is gone

    def forget(self) -> None:
        """Close it: nothing is held, or this process was forked, and the locks are its parent's."""
        self._gone = True
        for handle in (self.locks, self._notes):
            if handle >= 0:
                os.close(handle)


def left(folder: Path, name: str) -> bool | None:
    """Whether a process died that held it; None if one holds it, False if nobody has, or it let go. Takes nothing.

    Raises Missing.
    """
    brief = _brief(name)
    if not hasattr(fcntl, "F_OFD_GETLK"):
        raise Missing
    if (str(folder), brief) in _taken:
        return None
    try:
        handle = os.open(folder / "locks", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if _is_set(handle, *_byte(brief)):
            return None
    finally:
        os.close(handle)
    for path in _all_notes(folder):
        with _dead(path, os.O_RDONLY) as notes:
            if notes is not None and _noted(notes, brief):
                return True
    return False


def _all_notes(folder: Path, *, but: str = "") -> list[Path]:
    with os.scandir(folder) as found:
        return [Path(one.path) for one in found if one.name.endswith(_NOTES) and one.name != but]


@contextlib.contextmanager
def _dead(path: Path, mode: int) -> Iterator[int | None]:
    """The notes of a dead process, open; None for those of a living one, and if they are gone."""
    try:
        handle = os.open(path, mode | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        yield None if _is_set(handle, 0, 1) else handle
    finally:
        os.close(handle)


def _read(handle: int) -> bytes:
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _noted(handle: int, brief: bytes) -> list[int]:
    """Where a name is noted."""
    notes = _read(handle)
    return [at for at in range(0, len(notes), _NOTE) if notes[at : at + _NOTE] == brief]


def _opened(path: Path, folder: Path) -> int:
    try:
        return os.open(path, _MAKE, 0o600)
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, _MAKE, 0o600)


def _brief(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:_NOTE]


def _byte(brief: bytes) -> tuple[int, int]:
    """Where the lock of a name is: 62 bits of its hash, so that no two of all that were ever made are the same."""
    return int.from_bytes(brief[:8], "big") >> 2, 1


def _set(handle: int, kind: int, start: int, length: int) -> bool:
    """Lock or unlock at once; False if somebody else's lock is there."""
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, start, length, 0))
    except (BlockingIOError, PermissionError):  # fcntl(2): EAGAIN or EACCES
        return False
    return True


def _is_set(handle: int, start: int, length: int) -> bool:
    """Whether somebody else holds a lock there. Raises Missing."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
    try:
        found: int = _FLOCK.unpack(fcntl.fcntl(handle, fcntl.F_OFD_GETLK, asked))[0]
    except OSError as error:
        if error.errno in _MISSING:
            raise Missing from error
        raise
    return found != fcntl.F_UNLCK


_once_done: list[bool] = []


def _forked() -> None:
    """A child has none of its parent's locks, and lets go of none of them."""
    for found in _known.values():
        found.forget()
    _known.clear()
    _taken.clear()
    _guard.release()
