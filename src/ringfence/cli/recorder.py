"""`ringfence audit recorder`: the process that owns the log, under a user of its own."""

from __future__ import annotations

import asyncio
import grp
import sys
from pathlib import Path

from ..core.errors import ManifestError
from ..stores.recorder import listening
from .interrupt import interruptible
from .text import plain


def serve(socket: Path, journal: Path, group: str) -> None:
    """Serve until a signal, or until the journal cannot be written any more."""
    asyncio.run(interruptible(_work(socket, journal, _group(group))))


async def _work(socket: Path, journal: Path, group: int | None) -> None:
    async with listening(socket, journal, group=group, notice=_say) as recorder:
        _say(f"recording {journal} for whoever may open {socket}")
        raise await recorder.failed


def _group(name: str) -> int | None:
    if not name:
        return None
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise ManifestError(f"there is no group {name!r} here", todo="make it, or give its number") from None


def _say(words: str) -> None:
    print(plain(words), file=sys.stderr, flush=True)
