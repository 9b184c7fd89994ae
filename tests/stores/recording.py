"""A recorder at work in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.stores.recorder import Recorder, listening
from ringfence.stores.sqlite import SqliteJournal


@contextmanager
def recording(socket: Path, journal: Path) -> Iterator[list[Recorder]]:
    """Serve until the end of the block; the recorder, for who wants to look inside."""
    begun, ended, found = threading.Event(), threading.Event(), list[Recorder]()

    async def work() -> None:
        async with listening(socket, SqliteJournal(journal)) as recorder:
            found.append(recorder)
            begun.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    try:
        assert begun.wait(20)
        yield found
    finally:
        ended.set()
        thread.join()
