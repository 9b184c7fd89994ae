"""Who drives a run: one process at a time, so that an answer from another terminal reaches the one that waits."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.core.errors import JournalError


@contextmanager
def holding(folder: Path, run: str) -> Iterator[None]:
    """Hold a run for as long as it is driven; the kernel lets go of it when the process dies.

    Raises JournalError if another process holds it. The journal's (run, seq) key stays what fences a second writer.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{run}.lock"
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                break  # else it was removed by its last holder between our two steps: try the new one
        except BlockingIOError:
            os.close(handle)
            todo = "answer it there, or wait until it ends; an approval from here reaches it"
            raise JournalError(f"run {run} is under way in another process", todo=todo) from None
        os.close(handle)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
