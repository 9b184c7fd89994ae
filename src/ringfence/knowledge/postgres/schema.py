"""The tables, their policies, and how they come to be and are checked.

Who may read a document is a *ring*: a conjunction of clauses, kept once for all documents that share it. `rights()`
turns the member of a transaction (`ringfence.member`, a JSON array of what they can show) into the rings that they may
read, as bytes with a bit for each; every table's policy looks up the bit of a row's ring, which costs as much as
comparing two numbers, with three rings or ten thousand. What is reckoned once in a transaction is kept for the rest of
it (`ringfence.reckoned` for whom, `ringfence.rights`): whoever could set these could set the member as well.
With no member set there is no bit, not even the public ring's. Only the owner writes, and only in a transaction that
says so (`ringfence.ingest`). FORCE makes the policies hold for the owner too.

Columns that are searched hold what Postgres can hold; what it cannot (NUL, lone surrogates) lies in JSON or bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import KnowledgeError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

TABLES = ("rings", "clauses", "models", "documents", "bodies", "chunks", "postings")
RIGHTS = ("rings", "clauses")  # who may read what: of no document, and for `reckoned()` alone
READ = ("documents", "bodies", "chunks", "postings")  # what has a ring in each row
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,47}")
_OBJECTS = """
create table about (version int not null);
create table rings (
    id int generated always as identity primary key, digest bytea not null unique, readers text not null
);
create table clauses (
    reader bytea not null, ring int not null references rings on delete cascade, clause int not null,
    primary key (reader, ring, clause)
);
create table models (one boolean primary key default true check (one), model text not null, dim int not null);
create table documents (
    id bigint primary key, name bytea not null unique, ring int not null references rings,
    collection text collate "C" not null, path text collate "C" not null, trust int not null, version text not null,
    expires bigint not null, tags text[] not null, subjects text[] not null, rest text not null,
    chunks int not null, words bigint not null, characters bigint not null, model text not null, dim int not null
);
create index on documents (ring);
create index on documents using gin (subjects);
create table bodies (document bigint primary key, ring int not null, body bytea not null);
alter table bodies alter body set storage external;
create table chunks (
    document bigint not null, n int not null, ring int not null, start bigint not null, size bigint not null,
    facts text not null, digest bytea, v vector, primary key (document, n)
);
alter table chunks alter v set storage main;
create index on chunks (ring);
create index on chunks (digest) where digest is not null;
create table postings (
    term bigint not null, document bigint not null, ring int not null, hits bigint[] not null,
    primary key (term, document)
);
create index on postings (document);
create function readable() returns int[] language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp as $$
    select case when nullif(current_setting('ringfence.member', true), '') is null then array[]::int[] else array(
        with mine as (
            select sha256(convert_to(one, 'UTF8')) as reader
            from jsonb_array_elements_text(current_setting('ringfence.member')::jsonb) one
        ), met as (
            select ring, count(distinct clause) as clauses from {schema}.clauses
            where reader in (select reader from mine) group by ring
        )
        select r.id from {schema}.rings r left join met on met.ring = r.id
        where coalesce(met.clauses, 0) = jsonb_array_length(r.readers::jsonb) order by r.id
    ) end
$$;
"""
_FORCE = "alter table {table} enable row level security; alter table {table} force row level security;"
_INGEST = """create policy ingest on {table} for all to current_user
    using ((select current_setting('ringfence.ingest', true)) = 'on')
    with check ((select current_setting('ringfence.ingest', true)) = 'on');"""
_READERS = "create policy readers on {table} for select using (ring in (select unnest({schema}.readable())));"
_RIGHTS = "create policy rights on {table} for select to current_user using (true);"
_BITS = """
alter table rings add column clauses int not null generated always as (jsonb_array_length(readers::jsonb)) stored;
create function reckoned(member text, out rights bytea, out few boolean) language sql stable parallel safe
    security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
    with mine as (
        select sha256(convert_to(one, 'UTF8')) as reader
        from jsonb_array_elements_text(nullif(member, '')::jsonb) one
    ), met as (
        select ring, count(distinct clause) as clauses from {schema}.clauses
        where reader in (select reader from mine) group by ring
    ), may as (
        select r.id / 8 as byte, bit_or(1 << r.id % 8) as bits, count(*) as n
        from {schema}.rings r left join met on met.ring = r.id where coalesce(met.clauses, 0) = r.clauses group by 1
    )
    select string_agg(set_byte('\\x00', 0, coalesce(bits, 0)), '' order by byte),
        coalesce(sum(n), 0) * 2 <= (select count(*) from {schema}.rings)
    from generate_series(0, (select max(id) / 8 from {schema}.rings)) byte left join may using (byte)
    where member <> ''
$$;
create function rights() returns bytea language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp as $$
    select case when current_setting('ringfence.reckoned', true) = current_setting('ringfence.member', true)
        then decode(current_setting('ringfence.rights'), 'hex')
        else (select rights from {schema}.reckoned(current_setting('ringfence.member', true))) end
    where current_setting('ringfence.member', true) <> ''
$$;
"""
_BY_BIT = "alter policy readers on {table} using (get_bit((select {schema}.rights()), ring) <> 0);"
MIGRATIONS = (
    _OBJECTS
    + "".join(_FORCE.replace("{table}", table) + _INGEST.replace("{table}", table) for table in TABLES)
    + "".join(_READERS.replace("{table}", table) for table in READ)
    + "".join(_RIGHTS.replace("{table}", table) for table in RIGHTS),
    _BITS + "".join(_BY_BIT.replace("{table}", table) for table in READ) + "drop function readable();",
)  # from version n to n + 1; a version that is out is never changed
VERSION = len(MIGRATIONS)

_POWER = """
select rolname from pg_roles where pg_has_role(session_user, oid, 'member') and (rolsuper or rolbypassrls) limit 1
"""
_OPEN = """
select c.relname from pg_class c where c.relnamespace = %s::regnamespace and c.relname = any (%s) and not (
    c.relrowsecurity and c.relforcerowsecurity)
union all
select coalesce(p.polname, w.policy) || ' of ' || coalesce(p.relname, w.name)
from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) w (name, policy, command, pattern)
full join (
    select c.relname, p.polname, p.polcmd::text, pg_get_expr(p.polqual, p.polrelid) as condition
    from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = %s::regnamespace
) p on p.relname = w.name and p.polname = w.policy and p.polcmd = w.command and p.condition ~ w.pattern
where p.relname is null or w.name is null
"""
_POLICIES = {  # their command and what their condition looks like, as the server writes it down
    "readers": (READ, "r", r"^\(get_bit\(\( SELECT [\w.]*rights\(\) AS rights\), \(ring\)::bigint\) <> 0\)$"),
    "ingest": (TABLES, "*", r"^\(\( SELECT current_setting\('ringfence.ingest'::text, true\)[^()]*\) = 'on'::text\)$"),
    "rights": (RIGHTS, "r", "^true$"),
}
_WANTED = [(table, name, how, like) for name, (tables, how, like) in _POLICIES.items() for table in tables]


def checked(schema: str) -> str:
    """A schema's name that needs no quotes. Raises KnowledgeError."""
    if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
        raise KnowledgeError(
            f"expected a schema's name of small letters, digits and '_', 48 at most, got {schema[:80]!r}",
            todo="name it so, such as ringfence",
        )
    return schema


async def ready(db: AsyncConnection[Any], schema: str) -> None:
    """Make the tables or bring them up to date, once and by one of all who come; check that the policies are in force.

    Raises KnowledgeError for a role that policies do not bind, for no pgvector, for a newer store or a stranger's.
    """
    power = await _one(db, _POWER)
    if power is not None:
        raise KnowledgeError(
            f"the role of the knowledge store may be {power}, whom row-level security does not bind",
            todo="give it a role of its own: CREATE ROLE ringfence LOGIN; GRANT CREATE ON DATABASE ... TO ringfence",
        )
    where = await _one(db, "select nspname from pg_extension join pg_namespace n on n.oid = extnamespace"
                           " where extname = 'vector'")  # fmt: skip
    if where is None:
        raise KnowledgeError("the database has no pgvector", todo="as an administrator: CREATE EXTENSION vector")
    quoted = where.replace('"', '""')
    rest = f'{schema}, "{quoted}", pg_temp'
    await db.execute("select set_config('search_path', %s, false)", [f"pg_catalog, {rest}"])
    await _brought_up_to_date(db, schema, rest)
    opened = await _one(db, _OPEN, schema, list(TABLES), *map(list, zip(*_WANTED, strict=True)), schema)
    if opened is not None:
        raise KnowledgeError(
            f"row-level security of the knowledge store is not as it was made: {opened}",
            todo=f"ALTER TABLE {schema}.NAME ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; drop other policies,"
            " or drop the schema and index anew",
        )


async def _brought_up_to_date(db: AsyncConnection[Any], schema: str, path: str) -> None:
    version = await _version(db, schema)
    if version == VERSION:
        return
    owner = "select pg_has_role(nspowner, 'member') from pg_namespace where nspname = %s"
    if version and not await _one(db, owner, schema):
        raise KnowledgeError(
            f"the knowledge store has version {version}, and only its owner can bring it to {VERSION}",
            todo="with an agent whose role owns the schema: ringfence kb status",
        )
    key = f"ringfence {schema}"
    await db.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [key])
    try:  # the transaction begins under the lock: what another has made meanwhile is then seen
        async with db.transaction():
            await db.execute("select set_config('search_path', %s, true)", [path])  # where new tables are made
            await _migrate(db, schema, await _version(db, schema))
    finally:
        await db.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])


async def _version(db: AsyncConnection[Any], schema: str) -> int:
    if await _one(db, "select to_regclass(%s)", f"{schema}.about") is None:
        return 0
    version = await _one(db, f"select max(version) from {schema}.about")
    if version is None or version > VERSION:
        raise KnowledgeError(
            f"the knowledge store has version {version}, and this Ringfence knows {VERSION}",
            todo="use the Ringfence that wrote it, or a newer one",
        )
    return int(version)


async def _migrate(db: AsyncConnection[Any], schema: str, version: int) -> None:
    if version == 0:
        strange = await _one(
            db, "select relname from pg_class where relnamespace = to_regnamespace(%s) limit 1", schema
        )
        if strange is not None:
            raise KnowledgeError(
                f"the schema {schema} holds tables that are not ours, such as {strange}", todo="name another schema"
            )
        await db.execute(f"create schema if not exists {schema}".encode())
    for step in MIGRATIONS[version:]:
        await db.execute(step.replace("{schema}", schema).encode())
    if version < VERSION:
        await db.execute("delete from about")
        await db.execute("insert into about values (%s)", [VERSION])


async def _one(db: AsyncConnection[Any], sql: str, *values: object) -> Any:
    """The first column of the first row; None without one."""
    row = await (await db.execute(sql.encode(), values or None)).fetchone()
    return row[0] if row else None
