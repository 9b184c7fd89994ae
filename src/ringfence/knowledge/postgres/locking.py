"""One writer of memory at a time over machines: a lock of the database's session, which dies with its holder."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ringfence.manifest.fields import SecretRef

from ..errors import KnowledgeError
from .connections import CONNECT_S, failure

WAIT_S = 20.0  # until whoever holds it counts as stuck
_PAUSE_S = 0.02
_KEY = int.from_bytes(hashlib.sha256(b"ringfence memory").digest()[:8], "big", signed=True)


@asynccontextmanager
async def locked(address: SecretRef, *, wait_s: float = WAIT_S) -> AsyncIterator[None]:
    """Hold it, over a connection of its own (a pooler that shares sessions between transactions breaks it).

    Raises KnowledgeError when somebody else has held it for too long, and where the server cannot be reached.
    """
    import psycopg

    try:
        db = await psycopg.AsyncConnection.connect(
            address.reveal() or "", connect_timeout=CONNECT_S, application_name="ringfence", autocommit=True
        )
    except (psycopg.Error, OSError, UnicodeError, ValueError) as error:
        raise failure(error) from None
    try:
        ends = time.monotonic() + wait_s
        while not await _taken(db):
            if time.monotonic() > ends:
                what = f"another writer has held the memory of the knowledge store for {wait_s:g} s"
                raise KnowledgeError(what, todo="see which process writes memory, and end it")
            await asyncio.sleep(_PAUSE_S)
        yield
    finally:
        await db.close()


async def _taken(db: object) -> bool:
    import psycopg

    assert isinstance(db, psycopg.AsyncConnection)
    try:
        row = await (await db.execute("select pg_try_advisory_lock(%s)", [_KEY])).fetchone()
    except psycopg.Error as error:
        raise failure(error) from None
    return bool(row and row[0])
