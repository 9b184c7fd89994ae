"""A few connections that are used again, made anew when they break, and errors that never show the address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.manifest.fields import SecretRef

from ..errors import KnowledgeError
from .rows import Rings
from .schema import checked, ready

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")
Work = Callable[["AsyncConnection[Any]"], Awaitable[T]]
Reading = Callable[["AsyncConnection[Any]", Rings], Awaitable[T]]

CONNECT_S = 10
STATEMENT_S = 120
TRIES = 8  # of a write that other writers get in the way of
_SETTINGS = """
select set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_custom_plan', false),
       set_config('statement_timeout', %s, false),
       set_config('lock_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false)
"""
_READ = """
with asked as materialized (select set_config('ringfence.member', %s, true) as member)
select rights, few, set_config('ringfence.rights', encode(rights, 'hex'), true),
    set_config('ringfence.reckoned', member, true)
from asked, lateral reckoned(member)
"""
_WRITE = "select set_config('ringfence.ingest', 'on', true)"


class Connections:
    """At most `limit` connections to the server that `address` names, each made when it is needed."""

    def __init__(self, address: SecretRef, schema: str, limit: int) -> None:
        self._address = address
        self._schema = checked(schema)
        self._room = asyncio.Semaphore(limit)
        self._idle: list[AsyncConnection[Any]] = []
        self._closed = False

    async def read(self, member: str, work: Reading[T]) -> T:
        """Do `work` as a member (JSON), with the rings they may read, in one snapshot that writes nothing.

        Once more if the connection was lost. Raises KnowledgeError.
        """

        async def reading(db: AsyncConnection[Any]) -> T:
            row = await (await db.execute(_READ, [member])).fetchone()
            return await work(db, Rings(*row[:2]) if row else Rings())

        return await self._tried(reading, writes=False)

    async def write(self, work: Work[T]) -> T:
        """Do `work` as who ingests, whole or not at all; again where another writer was in the way.

        A connection that was lost before anything was done is made anew. Raises KnowledgeError.
        """
        return await self._tried(work, writes=True)

    async def _tried(self, work: Work[T], *, writes: bool) -> T:
        import psycopg

        lost, tries = False, 0
        while True:
            begun = [False]
            try:
                return await self._transact(work, begun, writes=writes)
            except (psycopg.errors.TransactionRollback, psycopg.errors.IntegrityError) as error:
                tries += 1
                if not writes or tries == TRIES:
                    raise failure(error) from None
            except psycopg.Error as error:
                if lost or not _lost(error) or (writes and begun[0]):
                    raise failure(error) from None
                lost = True
                await self._forget()

    async def _transact(self, work: Work[T], begun: list[bool], *, writes: bool) -> T:
        import psycopg

        async with self._borrowed() as db:
            await db.set_read_only(not writes)
            await db.set_isolation_level(None if writes else psycopg.IsolationLevel.REPEATABLE_READ)
            async with db.transaction():
                if writes:
                    await db.execute(_WRITE)
                begun[0] = True
                return await work(db)

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with self._room:
            db = self._idle.pop() if self._idle else await self._connected()
            try:
                yield db
            except BaseException:
                if db.closed or db.broken or db.info.transaction_status != 0:
                    await db.close()
                raise
            finally:
                if self._closed:
                    await db.close()
                elif not db.closed:
                    self._idle.append(db)

    async def _forget(self) -> None:
        """Close what is idle: a server that was started anew knows none of them."""
        while self._idle:
            await self._idle.pop().close()

    async def _connected(self) -> AsyncConnection[Any]:
        """Raises KnowledgeError that says nothing of the address: the library's own words may repeat it."""
        import psycopg
        from pgvector.psycopg import register_vector_async

        if self._closed:
            raise KnowledgeError("the knowledge store is closed", todo="open it anew")
        try:
            db = await psycopg.AsyncConnection.connect(
                self._url(), connect_timeout=CONNECT_S, application_name="ringfence", client_encoding="utf8"
            )
        except (psycopg.Error, OSError, UnicodeError, ValueError) as error:
            raise failure(error) from None
        try:
            milliseconds = str(STATEMENT_S * 1_000)
            await db.set_autocommit(True)
            await db.execute(_SETTINGS, [milliseconds, milliseconds, milliseconds])
            await ready(db, self._schema)
            await register_vector_async(db)
            await db.set_autocommit(False)
        except psycopg.Error as error:
            await db.close()
            raise failure(error) from None
        except BaseException:
            await db.close()
            raise
        return db

    async def vacuum(self) -> None:
        """Free what deleted rows left in the tables and count what is there, now rather than when the server would."""
        import psycopg

        async with self._borrowed() as db:
            try:
                await db.set_autocommit(True)
                await db.execute("vacuum (analyze) documents, bodies, chunks, postings, rings, clauses")
                await db.set_autocommit(False)
            except psycopg.Error as error:
                await db.close()
                raise failure(error) from None

    def _url(self) -> str:
        url = self._address.reveal()
        if not url or not url.startswith(("postgresql://", "postgres://")):
            what = "is not set" if not url else "holds no postgresql:// address"
            raise KnowledgeError(
                f"the knowledge store: {self._address.name} {what}",
                todo="set it to postgresql://role:password@host/database",
            )
        return url

    async def aclose(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        self._closed = True
        await self._forget()


def _lost(error: Exception) -> bool:
    state = getattr(error, "sqlstate", None)
    return state is None or (state[:2] in ("08", "57") and state != "57014")  # 57014: it took too long


def failure(error: Exception) -> KnowledgeError:
    """What went wrong, by its SQLSTATE alone: the server's own words may repeat what is in documents or the address."""
    state = getattr(error, "sqlstate", None)
    kind = state or type(error).__name__
    if state == "42501":
        return KnowledgeError("the role of the knowledge store may not do this (42501)",
                              todo="grant it what docs/howto/knowledge-postgres.md names")  # fmt: skip
    if state in ("53100", "53200"):
        return KnowledgeError(f"the database server has no room left ({state})", todo="make room there, then go on")
    if state == "57014":
        return KnowledgeError(f"the database did not answer within {STATEMENT_S} s", todo="ask for less, or look at it")
    if state == "22000":  # pgvector: different vector dimensions
        return KnowledgeError("the question's vector is of another size than those of the store: another model",
                              todo="embed with the model that `kb status` names, or index anew")  # fmt: skip
    if state is None or state[:2] in ("08", "28", "3D", "53", "57"):
        return KnowledgeError(f"the knowledge store cannot be reached ({kind})",
                              todo="see that the database runs and that the address and its password hold")  # fmt: skip
    return KnowledgeError(f"the knowledge store refused ({kind})", todo="look into the database's own log")
