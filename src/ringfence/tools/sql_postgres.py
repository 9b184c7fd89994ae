"""`sql.query` of a Postgres server, in our own process: here the password is known, and nowhere else.

What holds, and by whom: the server refuses whatever writes (a READ ONLY transaction, always rolled back) and more than
one statement (extended protocol); a cursor takes a SELECT alone; we refuse a role that could leave the database by way
of it (superuser, files and programs of the server, connections to elsewhere). The rest is up to the role's own rights.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import NOBODY
from ringfence.core.policy import Effect, Role
from ringfence.core.values import JSON, Action, Outcome
from ringfence.manifest.fields import SecretRef, loopback

from .sql import LOOK_S, MAX_ROWS, SECONDS, SUITS, SUMMARY, QueryArgs
from .sql_meant import meant
from .sql_mend import Mended, mended
from .sql_none import Why, is_nothing, otherwise, why_none
from .sql_schema import Asking, Result, check_amounts, few, keyed, known, overview, summed
from .sql_shown import named, table
from .sql_sums import summable
from .sql_twice import alike, twice
from .texts import notes
from .tool import Tool, Use, parse, specify

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_ROW = "ringfence_row"  # a name that no column has
MAX_ROW_BYTES = 65_536  # of one row, as JSON
CONNECT_S = 10
GRACE_S = 5.0
SCHEMES = ("postgresql://", "postgres://")
_POWERS = ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program", "pg_signal_backend")
_REACH = r"^(dblink(_.*)?|http(_.*)?|lo_import|lo_export|pg_file_.*|pg_read_(binary_)?file|pg_ls_dir)$"
_ROLE = """
with mine as (select * from pg_catalog.pg_roles r where pg_catalog.pg_has_role(session_user, r.oid, 'member'))
select rolname::text from mine where rolsuper or rolreplication or rolname = any($1)
union all
select distinct p.proname::text || '()' from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
where (p.proname ~ $2 or not (l.lanpltrusted or l.lanname in ('internal', 'c')))
  and exists (select from mine where pg_catalog.has_function_privilege(mine.oid, p.oid, 'execute'))
"""
_BOUNDS = (
    "select pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('lock_timeout', '1000', true)"
)
_TABLES = """
select case when table_schema = 'public' then '' else table_schema || '.' end || table_name,
       string_agg(column_name || ' ' || data_type, chr(10) order by ordinal_position)
from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')
group by table_schema, table_name order by 1 limit 500
"""
_UNIQUE = """
select c.relname::text, a.attname::text
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
where i.indisunique and i.indnkeyatts = 1 and i.indpred is null and i.indexprs is null
  and pg_catalog.pg_table_is_visible(c.oid)
"""
_KEYS = """
with named as (
  select c.oid, case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace)
select own.name || '.' || a.attname, far.name || '.' || b.attname
from pg_catalog.pg_constraint k
join named own on own.oid = k.conrelid join named far on far.oid = k.confrelid
cross join unnest(k.conkey, k.confkey) as pair(one, other)
join pg_catalog.pg_attribute a on a.attrelid = own.oid and a.attnum = pair.one
join pg_catalog.pg_attribute b on b.attrelid = far.oid and b.attnum = pair.other
where k.contype = 'f' and pg_catalog.has_column_privilege(own.oid, a.attnum, 'select')
  and pg_catalog.has_column_privilege(far.oid, b.attnum, 'select') limit 2000
"""


def query_postgres(
    address: SecretRef, use: Use, *, room: int, max_rows: int = MAX_ROWS, seconds: float = SECONDS, looks: bool = True
) -> Tool:
    """The tool `sql.query` over the server that `address` names: postgresql://role:password@host/database.

    Confined if that is this machine: what is asked goes nowhere else. `looks`: whether values are told that nobody has
    asked for. Raises ManifestError if it names none.
    """
    hosts = _hosts(_revealed(address, ManifestError))
    here = all(host.startswith("/") or loopback(f"//[{host}]" if ":" in host else f"//{host}") for host in hosts)
    spec = specify(
        "sql.query", SUMMARY, QueryArgs, use=use, effect=Effect.READ, confined=here,
        audience=NOBODY if here else None, repeats=1, opens="", suits=SUITS,
        roles={"sql": Role.TEXT, "params": Role.TEXT},
    )  # fmt: skip
    return Tool(spec, _Postgres(address, room, max_rows, seconds, looks))


def _revealed(address: SecretRef, error: type[ManifestError | ToolError]) -> str:
    value = address.reveal()
    if value is None:
        raise error(f"sql: the variable {address.name} is not set", todo="set it to a postgresql:// address")
    if not value.startswith(SCHEMES):
        raise error(f"sql: {address.name} holds no postgresql:// address", todo="set it to one")
    return value


def _hosts(url: str) -> list[str]:
    """Every host that libpq may connect to; a path is the folder of a socket, which is also the default."""
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
    except ValueError:
        raise ManifestError("sql: the address of the database cannot be read", todo="write it as a URL") from None
    named = [*asked.get("host", []), *asked.get("hostaddr", [])]
    if any(key in asked for key in ("service", "servicefile")):
        named.append("a service")  # is anywhere
    given = [re.sub(r":\d*$", "", part) for part in parts.netloc.rpartition("@")[2].split(",")]  # without the port
    hosts = [unquote(host).strip("[]") for group in [*named, *given] for host in group.split(",") if host]
    return hosts or ["/"]


class _Postgres:
    def __init__(self, address: SecretRef, room: int, max_rows: int, seconds: float, looks: bool) -> None:
        self._address = address
        self._room = room
        self._max_rows = max_rows
        self._seconds = seconds
        self._looks = looks

    async def perform(self, action: Action) -> Outcome:
        args = parse(QueryArgs, action.args)
        url = _revealed(self._address, ToolError)
        try:
            async with asyncio.timeout(self._seconds + CONNECT_S + GRACE_S):
                db = await _connected(url)
                try:
                    return Outcome(await self._asked(db, args, url))
                finally:
                    await db.close()  # what was set, locked or begun goes with it
        except TimeoutError:
            raise ToolError(f"the query did not end within {self._seconds:g} s", todo="ask for less") from None

    async def _asked(self, db: AsyncConnection[Any], args: QueryArgs, url: str) -> JSON:
        import psycopg

        try:
            await db.set_read_only(True)
            await self._bound(db)
            await _check_role(db)
            if not args.sql.strip():
                tables, joins = await _schema(db)
                return overview(tables, joins=joins)
            if names := summed(args.sql):
                check_amounts(names, *await _schema(db))
            try:
                return await self._query(db, args, Mended(args.sql))
            except (
                psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable, psycopg.errors.SyntaxError,
            ) as error:  # fmt: skip
                return await self._as_meant(db, args, error)
        except psycopg.errors.QueryCanceled:
            raise ToolError(f"the query did not end within {self._seconds:g} s", todo="ask for less") from None
        except psycopg.Error as error:
            raise await _failure(db, error, url, args.sql) from None

    async def _bound(self, db: AsyncConnection[Any]) -> None:
        """Of a transaction that begins."""
        await _rows(db, _BOUNDS, str(int(self._seconds * 1_000)))

    async def _as_meant(self, db: AsyncConnection[Any], args: QueryArgs, error: Any) -> JSON:
        """The result of what a statement meant that cannot be read, with what was `ran`. Raises the first error."""
        import psycopg

        now, done = error, Mended(args.sql)
        await db.rollback()
        await self._bound(db)
        (tables, joins), keys = await _schema(db), {tuple(row) for row in await _rows(db, _UNIQUE)}
        mend = partial(
            mended, tables=tables, joins=joins, dialect="postgres", sure=lambda hop: (hop.far, hop.key) in keys
        )
        while done.may_go_on and (more := mend(done.sql, now.diag.message_primary or "")):
            done = done.then(more)
            check_amounts(summed(done.sql), tables, joins)
            try:
                return await self._query(db, args, done)
            except psycopg.errors.QueryCanceled:
                raise
            except psycopg.Error as again:
                now = again
                await db.rollback()
                await self._bound(db)
        raise error

    async def _query(self, db: AsyncConnection[Any], args: QueryArgs, asked: Mended) -> dict[str, JSON]:
        """The result of a statement, told as it was mended."""
        import psycopg

        sql = asked.sql.strip().rstrip(";").rstrip()
        columns, found = await self._found(db, sql, args.params)
        tables, joins = await _schema(db)
        if not args.params and asked.may_go_on:
            more = await _looked(db, meant(sql, tables, joins, dialect="postgres"))
            try:
                await self._bound(db)  # a look has a second, and this as long as the statement
                other = await self._found(db, more.sql, ()) if more else (columns, found)
                if more and other[1] != found:  # told where it makes a difference
                    asked, sql, (columns, found) = asked.then(more), more.sql, other
            except (psycopg.Error, ToolError):
                await db.rollback()
                await self._bound(db)
        show = partial(table, columns, found, self._max_rows, self._room)
        if is_nothing(sql, found):
            why = await _looked(db, why_none(sql, tables, joins, dialect="postgres", looks=self._looks)) or Why()
            if why.mend and not args.params and asked.may_go_on:
                with suppress(psycopg.Error, ToolError):
                    await db.rollback()
                    await self._bound(db)
                    return await self._query(db, args, asked.then(why.mend))
            return {**asked.told(), **show(beside=why.told)}
        whole, beside = 1 < len(found) <= self._max_rows, dict[str, JSON]()
        adds = await _looked(db, summable(sql, len(found), tables, joins, dialect="postgres")) if whole else None
        if self._looks and few(found) and (key := keyed(sql, columns, tables, joins)):
            values = key.values(columns, found)
            beside = key.told(values, [])
            with suppress(psycopg.Error):  # another role's, say: it was not asked for
                await _soon(db)
                beside = key.told(values, await _rows(db, key.select(len(values)), *values)) if values else {}
        said = await _looked(db, twice(sql, tables, joins, dialect="postgres")) or ""
        spelled = (await _looked(db, otherwise(sql, tables, dialect="postgres")) if self._looks else "") or ""
        beside |= notes(str(beside.get("note", "")), said, spelled, alike(sql, found))
        return {**asked.told(), **show(beside=beside, adds=adds or ())}

    async def _found(
        self, db: AsyncConnection[Any], sql: str, params: Sequence[str]
    ) -> tuple[list[str], list[list[object]]]:
        """The names of the columns, and the rows, one more than may be shown.

        A cursor's declaration, never fetched from, says that the text is one whole SELECT, and names its columns; only
        then it is put between parentheses, where rows and their size are bounded by the server.
        """
        import psycopg

        count = len(params)
        async with psycopg.AsyncRawServerCursor(db, "asked") as cursor:
            await cursor.execute(sql, params or None)
            columns = named(column.name for column in cursor.description or ())
        bounded = (
            f"select case when pg_catalog.octet_length(j) <= ${count + 1}::int then j end from"
            f" (select pg_catalog.row_to_json({_ROW})::text as j from (\n{sql}\n) as {_ROW}"
            f" limit ${count + 2}::int) as w"
        )
        rows = await _rows(db, bounded, *params, MAX_ROW_BYTES, self._max_rows + 1)
        if any(row[0] is None for row in rows):
            what = f"a row is larger than {MAX_ROW_BYTES} bytes"
            raise ToolError(what, todo="select fewer columns, or a part of the long one: left(column, 500)")
        return columns, [_values(row[0]) for row in rows]


async def _connected(url: str) -> AsyncConnection[Any]:
    """Raises ToolError that says nothing of the address: the server's or the library's own words may repeat it."""
    try:
        import psycopg
    except ImportError:
        raise ToolError("Postgres needs psycopg, which is not there", todo="pip install ringfence[cluster]") from None
    try:
        return await psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_S, application_name="ringfence", client_encoding="utf8", prepare_threshold=None
        )
    except (psycopg.Error, OSError, UnicodeError, ValueError) as error:
        code = getattr(error, "sqlstate", None)
        raise ToolError(
            f"the database cannot be reached ({code or type(error).__name__})", todo="tell the operator"
        ) from None


async def _check_role(db: AsyncConnection[Any]) -> None:
    powers = [row[0] for row in await _rows(db, _ROLE, list(_POWERS), _REACH)]
    if powers:
        raise ToolError(
            f"the role of this connection may do more than read tables: {', '.join(sorted(powers))[:300]}",
            todo="the operator gives it a role of its own: CREATE ROLE agent LOGIN; GRANT SELECT ON ... TO agent",
        )


async def _rows(db: AsyncConnection[Any], sql: str, *values: object) -> Sequence[Sequence[Any]]:
    import psycopg

    async with psycopg.AsyncRawCursor(db) as cursor:
        await cursor.execute(sql, values or None)
        return await cursor.fetchall()


async def _schema(db: AsyncConnection[Any]) -> tuple[Sequence[Sequence[Any]], dict[str, str]]:
    """The tables with their columns, and the declared keys between columns that may be read."""
    return await _rows(db, _TABLES), {str(own): str(far) for own, far in await _rows(db, _KEYS)}


async def _soon(db: AsyncConnection[Any]) -> None:
    """A second for what nobody has asked for, in this transaction."""
    await _rows(db, "select pg_catalog.set_config('statement_timeout', $1, true)", str(int(LOOK_S * 1_000)))


async def _looked(db: AsyncConnection[Any], asking: Asking[Result]) -> Result | None:
    """What comes of looks that nobody has asked for: what a second does not tell, or may not be read, is not told.

    Each has a parameter, and so goes by the extended protocol: one statement, whatever stands in it.
    """
    import psycopg

    until, begun = time.monotonic() + LOOK_S, False
    try:
        statement, params = next(asking)
        while True:
            rows = None
            with suppress(psycopg.Error):
                if not begun:
                    await _soon(db)
                    begun = True
                rows = await _rows(db, statement, *params) if time.monotonic() < until else None
            statement, params = asking.send(rows)
    except StopIteration as told:
        found: Result = told.value
        return found


async def _failure(db: AsyncConnection[Any], error: Any, url: str, sql: str) -> ToolError:
    """What the server said, without what is secret; for a name that is not there, those that are."""
    import psycopg

    said = error.diag.message_primary or type(error).__name__
    for secret in filter(None, (url, urlsplit(url).password, unquote(urlsplit(url).password or ""))):
        said = said.replace(secret, "***")
    todo = "ask with one SELECT"
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        await db.rollback()
        tables, joins = await _schema(db)
        todo = known(tables, said, joins, sql)
    return ToolError(f"the statement was refused: {said[:300]}", todo=todo)


class _Pairs(list[Any]):
    """The members of an object, in their order: a name may come twice."""


def _values(row: str) -> list[object]:
    """The values of a row, in order; what is not a scalar is JSON text."""
    values = [value for _, value in json.loads(row, object_pairs_hook=_Pairs, parse_float=_exact)]
    return [json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, list) else value for value in values]


def _plain(value: JSON) -> JSON:
    if isinstance(value, _Pairs):
        return {name: _plain(inner) for name, inner in value}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _exact(number: str) -> float | str:
    """A float where that is the very number, else its text."""
    return float(number) if repr(float(number)) == number else number
