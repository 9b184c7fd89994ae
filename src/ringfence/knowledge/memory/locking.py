"""One writer of a store at a time, over processes: a lock that dies with its holder."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ..errors import KnowledgeError

FILE = "memory.lock"
WAIT_S = 20.0  # until whoever holds it counts as stuck
_PAUSE_S = 0.01


@asynccontextmanager
async def locked(folder: Path, *, wait_s: float = WAIT_S) -> AsyncIterator[None]:
    """Hold the lock of a folder; raises KnowledgeError when somebody else has held it for too long.

    It is looked at again and again, not waited for in a thread: a task that is cancelled meanwhile leaves none behind.
    """
    handle = _opened(folder)
    try:
        ends = time.monotonic() + wait_s
        while not _taken(handle):
            if time.monotonic() > ends:
                raise KnowledgeError(
                    f"{folder / FILE} has been held for {wait_s:g} s",
                    todo="see which process writes memory, and end it",
                )
            await asyncio.sleep(_PAUSE_S)
        yield
    finally:
        os.close(handle)  # which lets go of it


def _opened(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise KnowledgeError(f"{folder / FILE} cannot be opened: {fault.strerror}", todo="make it writable") from None


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
