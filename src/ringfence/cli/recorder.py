"""`ringfence audit recorder`: the process that owns the log, under a user of its own."""

from __future__ import annotations

import asyncio
import grp
import sys
from pathlib import Path

from .. import stores
from ..core.errors import ManifestError
from ..stores.recorder import listening
from ..stores.sqlite import SqliteJournal
from .interrupt import interruptible
from .text import plain


def serve(socket: Path, journal: Path | None, manifest: Path | None, group: str) -> None:
    """Serve until a signal, or until the journal cannot be written any more."""
    if (journal is None) == (manifest is None):
        raise ManifestError(
            "expected --journal or --manifest, one of them",
            todo="--manifest FILE: the journal beside it, with its keys and anchors; --journal FILE: without heads",
        )
    owner = _group(group)
    asyncio.run(interruptible(_work(socket, _open(journal, manifest), owner)))


def _open(journal: Path | None, manifest: Path | None) -> SqliteJournal:
    if journal is not None:
        return stores.open_journal(journal)
    from ..app import record
    from ..manifest.loader import load

    assert manifest is not None
    return record.open_journal(load(manifest))


async def _work(socket: Path, journal: SqliteJournal, group: int | None) -> None:
    async with listening(socket, journal, group=group, notice=_say) as recorder:
        _say(f"recording {journal.path} for whoever may open {socket}")
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
