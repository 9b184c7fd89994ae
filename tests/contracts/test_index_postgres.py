"""What Postgres itself enforces, asked in plain SQL; roles that are not fit; lost connections; secrets in errors."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ringfence.core.labels import Member
from ringfence.knowledge.errors import KnowledgeError
from ringfence.knowledge.ports import Query
from ringfence.knowledge.postgres.schema import MIGRATIONS
from ringfence.manifest.fields import SecretRef

from ..tools.postgres import PASSWORD, Server
from .indexes import ANN, BOB, STRANGER, PostgresStore, axis, doc, for_, found, put

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (extra: cluster)")

TABLES = ("documents", "bodies", "chunks", "postings")
UNSET: Member = frozenset({"(unset)"})


@pytest.fixture
async def house(knowing: Server) -> AsyncIterator[PostgresStore]:
    """A store with a document for everyone, one for ops and one for hr, which `reader` may SELECT from."""
    store = PostgresStore(knowing)
    index = store.open()
    await put(index, doc("public.md", "harbour"), axis(0))
    await put(index, doc("ops.md", "harbour crane", for_("role:ops", "user:ann user:bob")), axis(1), axis(2))
    await put(index, doc("pay.md", "harbour payroll", for_("role:hr")), axis(3))
    with asked(store, "keeper") as db:
        db.execute(f"grant usage on schema {schema_of(store)} to reader")
        db.execute(f"grant select on all tables in schema {schema_of(store)} to reader")
    yield store
    await store.aclose()


def schema_of(store: PostgresStore) -> str:
    return f"{store.prefix}_main"


def opened(store: PostgresStore, url: str | None, schema: str = "") -> Any:
    from ringfence.knowledge.postgres import PostgresIndex

    store.handles.append(PostgresIndex(SecretRef("KNOWLEDGE_URL", lambda _: url), schema=schema or schema_of(store)))
    return store.handles[-1]


@contextmanager
def asked(store: PostgresStore, role: str, member: Member = UNSET) -> Iterator[Any]:
    """A connection of its own, in plain SQL."""
    with psycopg.connect(store.server.url(role), autocommit=member == UNSET) as db:
        if member != UNSET:
            db.execute("select set_config('ringfence.member', %s, true)", [json.dumps(sorted(member))])
        yield db


def rows(db: Any, store: PostgresStore, table: str, where: str = "true") -> int:
    [count] = db.execute(f"select count(*) from {schema_of(store)}.{table} where {where}").fetchone()
    return int(count)


@pytest.mark.parametrize("role", ["reader", "keeper"])
async def test_plain_sql_shows_what_the_member_may_read_and_nothing_else(house: PostgresStore, role: str) -> None:
    for member, chunks in {STRANGER: 1, ANN: 3, BOB: 2, frozenset({"role:ops"}): 1}.items():
        with asked(house, role, member) as db:
            assert rows(db, house, "chunks") == chunks, member
            assert rows(db, house, "documents") == rows(db, house, "bodies") <= chunks
            assert rows(db, house, "postings") > 0
            assert rows(db, house, "documents", "rest like '%pay.md%'") == (member == BOB)


@pytest.mark.parametrize("role", ["reader", "keeper"])
async def test_without_a_member_plain_sql_shows_nothing_at_all(house: PostgresStore, role: str) -> None:
    with asked(house, role) as db:
        assert [rows(db, house, table) for table in TABLES] == [0, 0, 0, 0]
        db.execute("select set_config('ringfence.member', '', false)")
        assert [rows(db, house, table) for table in TABLES] == [0, 0, 0, 0]
    with asked(house, role, ANN) as db:
        assert rows(db, house, "chunks") == 3
        db.commit()  # a member is of one transaction
        assert rows(db, house, "chunks") == 0


async def test_the_policies_hold_in_the_servers_parallel_workers_too(house: PostgresStore) -> None:
    with asked(house, "reader", ANN) as db:
        db.execute("set local debug_parallel_query = on")
        plan = db.execute(f"explain select count(*) from {schema_of(house)}.chunks").fetchall()
        assert any("Gather" in line for (line,) in plan)
        assert rows(db, house, "chunks") == 3
    with asked(house, "reader") as db:
        db.execute("set debug_parallel_query = on")
        assert rows(db, house, "chunks") == 0


async def test_a_reader_that_says_it_ingests_reads_no_more_for_it(house: PostgresStore) -> None:
    with asked(house, "reader", STRANGER) as db:
        db.execute("select set_config('ringfence.ingest', 'on', true)")
        assert rows(db, house, "chunks") == 1
        assert rows(db, house, "rings") == rows(db, house, "clauses") == rows(db, house, "models") == 0
    for statement in (
        "delete from {}.chunks",
        "update {}.documents set ring = 1",
        "insert into {}.models values (true)",
    ):
        with asked(house, "reader", ANN) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(statement.format(schema_of(house)))


async def test_the_owner_writes_only_where_it_says_that_it_ingests(house: PostgresStore) -> None:
    schema = schema_of(house)
    with asked(house, "keeper", ANN) as db:
        assert db.execute(f"delete from {schema}.chunks").rowcount == 0
        assert db.execute(f"update {schema}.documents set version = 'x'").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(f"insert into {schema}.bodies values (1, 1, '')")
    with asked(house, "keeper", ANN) as db:
        db.execute("select set_config('ringfence.ingest', 'on', true)")
        assert rows(db, house, "chunks") == 4


@pytest.mark.parametrize("table", TABLES)
async def test_it_is_the_policies_that_hold_and_without_them_the_index_does_not_open(
    house: PostgresStore, table: str
) -> None:
    with asked(house, "keeper") as db:
        db.execute(f"alter table {schema_of(house)}.{table} disable row level security")
    with asked(house, "reader") as db:
        assert rows(db, house, table) > 1  # what the tests above would see
    with pytest.raises(KnowledgeError, match="row-level security"):
        await opened(house, house.server.url("keeper")).documents(ANN)


async def test_another_policy_beside_ours_is_found_out(house: PostgresStore) -> None:
    with asked(house, "keeper") as db:
        db.execute(f"create policy debugging on {schema_of(house)}.chunks for select using (true)")
    with pytest.raises(KnowledgeError, match="debugging"):
        await opened(house, house.server.url("keeper")).documents(ANN)


@pytest.mark.parametrize(("name", "using"), [("readers", "true"), ("ingest", "true"), ("readers", None)])
async def test_a_policy_of_ours_that_was_changed_or_dropped_is_found_out(
    house: PostgresStore, name: str, using: str | None
) -> None:
    with asked(house, "keeper") as db:
        table = f"{schema_of(house)}.chunks"
        db.execute(f"alter policy {name} on {table} using ({using})" if using else f"drop policy {name} on {table}")
    with pytest.raises(KnowledgeError, match="row-level security"):
        await opened(house, house.server.url("keeper")).documents(ANN)


async def test_a_role_that_may_only_read_searches_and_puts_nothing(house: PostgresStore) -> None:
    index = opened(house, house.server.url("reader"))
    assert sorted(await found(index, "harbour", ANN, vector=axis(1))) == ["ops.md", "ops.md", "public.md"]
    assert await found(index, "harbour", STRANGER) == ["public.md"]
    with pytest.raises(KnowledgeError) as refused:
        await put(index, doc("new.md", "harbour"))
    assert "42501" in str(refused.value)
    assert refused.value.todo


@pytest.mark.parametrize("power", ["superuser", "bypassrls"])
async def test_a_role_that_policies_do_not_bind_is_refused(house: PostgresStore, power: str) -> None:
    with psycopg.connect(house.server.url("postgres"), autocommit=True) as db:
        db.execute(f"create role {house.prefix} {power}")
        db.execute(f"grant {house.prefix} to reader")
    try:
        with pytest.raises(KnowledgeError, match="row-level security does not bind"):
            await opened(house, house.server.url("reader")).documents(ANN)
        with pytest.raises(KnowledgeError, match="row-level security does not bind"):
            await opened(house, house.server.url("postgres")).documents(ANN)
    finally:
        with psycopg.connect(house.server.url("postgres"), autocommit=True) as db:
            db.execute(f"drop role {house.prefix}")


async def test_a_newer_store_and_a_strangers_are_refused(house: PostgresStore) -> None:
    with asked(house, "keeper") as db:
        db.execute(f"update {schema_of(house)}.about set version = 999")
        db.execute(f"create schema {house.prefix}_other")
        db.execute(f"create table {house.prefix}_other.theirs (x int)")
    with pytest.raises(KnowledgeError, match="version 999"):
        await opened(house, house.server.url("keeper")).documents(ANN)
    with pytest.raises(KnowledgeError, match="not ours"):
        await opened(house, house.server.url("keeper"), f"{house.prefix}_other").documents(ANN)
    for name in ('x"; drop schema public; --', "Aa", "", "pg_x", "x" * 49):
        with pytest.raises(KnowledgeError, match="schema"):
            opened(house, house.server.url("keeper"), name or " ")


async def test_a_database_without_pgvector_is_refused_with_what_to_do(house: PostgresStore) -> None:
    index = opened(house, house.server.url("keeper", database="postgres"))
    with pytest.raises(KnowledgeError, match="pgvector") as refused:
        await index.documents(ANN)
    assert "CREATE EXTENSION vector" in refused.value.todo


async def test_a_store_of_the_first_version_is_brought_up_to_date_by_its_owner_alone(knowing: Server) -> None:
    store = PostgresStore(knowing)
    schema = schema_of(store)
    with asked(store, "keeper") as db:
        db.execute(f"create schema {schema}")
        db.execute(f"set search_path = {schema}, public")
        db.execute(MIGRATIONS[0].replace("{schema}", schema))
        db.execute("insert into about values (1)")
        db.execute("set ringfence.ingest = 'on'")
        for ring, readers in ((1, []), (2, [["role:hr", "role:ops"], ["user:ann"]])):
            db.execute("insert into rings overriding system value values (%s, %s, %s)",
                       [ring, bytes([ring]), json.dumps(readers)])  # fmt: skip
            for clause, names in enumerate(readers):
                for name in names:
                    row = [hashlib.sha256(name.encode()).digest(), ring, clause]
                    db.execute("insert into clauses values (%s, %s, %s)", row)
            db.execute("insert into bodies values (%s, %s, 'text')", [ring, ring])
        db.execute(f"grant usage on schema {schema} to reader")
        db.execute(f"grant select on all tables in schema {schema} to reader")
    with pytest.raises(KnowledgeError, match="only its owner"):
        await opened(store, knowing.url("reader")).documents(ANN)
    try:
        await store.open().documents(ANN)
        for member, bodies in {STRANGER: 1, ANN: 2, BOB: 1, UNSET: 0}.items():
            with asked(store, "reader", member) as db:
                assert rows(db, store, "bodies") == bodies, member
    finally:
        await store.aclose()


async def test_rights_that_were_reckoned_for_one_member_are_not_those_of_the_next(house: PostgresStore) -> None:
    """What is kept in a transaction is kept for a member; a transaction that names another one reckons anew."""
    index = house.handles[0]

    async def work(db: Any, rings: Any) -> list[int]:
        seen = []
        for member in (BOB, frozenset(), None, BOB):
            name = "" if member is None else json.dumps(sorted(member))
            await db.execute("select set_config('ringfence.member', %s, true)", [name])
            [count] = await (await db.execute("select count(*) from chunks")).fetchone()
            seen.append(count)
        return seen

    assert await index._connections.read(json.dumps(sorted(BOB)), work) == [2, 1, 0, 2]  # type: ignore[attr-defined]

    async def left(db: Any, rings: Any) -> object:
        shown = "select rights() is null, coalesce(current_setting('ringfence.rights', true), '')"
        return await (await db.execute(f"{shown} from set_config('ringfence.member', '', true)")).fetchone()

    assert await index._connections.write(lambda db: left(db, None)) == (True, "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("rings", [1, 7, 8, 9, 64, 65])
async def test_a_member_of_few_rings_or_of_most_reads_those_and_no_others(knowing: Server, rings: int) -> None:
    """Rings are bits of bytes: the first, the last, those at the borders, all but one."""
    store = PostgresStore(knowing)
    index = store.open()
    for n in range(rings):
        await put(index, doc(f"{n:02}.md", "harbour", for_(f"role:{n}")), axis(n))
    try:
        for mine in ({0}, {rings - 1}, set(range(rings)), set(range(rings)) - {rings // 2}, set[int]()):
            member = frozenset(f"role:{n}" for n in mine)
            paths = [f"{n:02}.md" for n in sorted(mine)]
            assert [one.path for one in await index.documents(member)] == paths
            assert sorted(await found(index, "harbour", member, vector=axis(0), limit=100)) == paths
    finally:
        await store.aclose()


@pytest.mark.parametrize("what", ["password", "port", "host", "database", "unset", "odd", "mangled"])
async def test_no_error_shows_the_address_or_its_password(house: PostgresStore, what: str) -> None:
    url = house.server.url("keeper")
    urls = {
        "password": house.server.url("keeper", password="hunter2"),
        "port": url.replace(f":{house.server.port}/", ":1/"),
        "host": house.server.url("keeper", host="nowhere.invalid"),
        "database": house.server.url("keeper", database="hunter2"),
        "unset": None,
        "odd": "mysql://keeper:hunter2@host/x",
        "mangled": "postgresql://keeper:hunter2@[::/x?hunter2=\0%zz",
    }
    with pytest.raises(KnowledgeError) as refused:
        await opened(house, urls[what]).search(Query("harbour"), ANN)
    assert refused.value.todo
    seen = f"{refused.value} {refused.value!r} {refused.value.__cause__!r}"
    assert not any(secret in seen for secret in ("hunter2", PASSWORD, "s3cret", "127.0.0.1", "nowhere"))


async def test_a_lost_connection_is_made_anew(house: PostgresStore) -> None:
    index = house.handles[0]
    assert await found(index, "harbour") == ["public.md"]
    with psycopg.connect(house.server.url("postgres"), autocommit=True) as db:
        db.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'keeper'")
    assert await found(index, "harbour") == ["public.md"]
    await put(index, doc("again.md", "harbour"))
    assert sorted(await found(index, "harbour")) == ["again.md", "public.md"]


async def test_a_connection_lost_in_the_middle_of_a_read_is_asked_again_and_of_a_write_is_told(
    house: PostgresStore,
) -> None:
    from ringfence.knowledge.postgres.connections import Connections

    connections = Connections(SecretRef("X", lambda _: house.server.url("keeper")), schema_of(house), 2)
    tries = 0

    async def work(db: Any, *rings: object) -> int:
        nonlocal tries
        tries += 1
        if tries % 2:
            await db.execute("select pg_terminate_backend(pg_backend_pid())")
        return tries

    try:
        assert await connections.read("[]", work) == 2
        with pytest.raises(KnowledgeError) as told:
            await connections.write(work)
        assert told.value.todo
        assert await connections.write(work) == 4
    finally:
        await connections.aclose()


async def test_connections_are_bounded_and_go_when_the_index_is_closed(house: PostgresStore) -> None:
    index = opened(house, house.server.url("reader"))
    await asyncio.gather(*(found(index, "harbour", ANN) for _ in range(25)))
    sql = "select count(*) from pg_stat_activity where usename = 'reader'"
    with psycopg.connect(house.server.url("postgres"), autocommit=True) as db:
        assert 1 <= db.execute(sql).fetchone()[0] <= 4
        await index.aclose()
        for _ in range(500):  # a server's process ends a moment after its connection
            if not db.execute(sql).fetchone()[0]:
                break
            db.execute("select pg_sleep(0.02)")
        assert db.execute(sql).fetchone()[0] == 0
    with pytest.raises(KnowledgeError, match="closed"):
        await index.documents(ANN)


async def test_what_nobody_uses_any_more_leaves_no_readers_names_behind(house: PostgresStore) -> None:
    index = house.handles[0]
    await index.remove("house", ["pay.md"])
    await put(index, doc("ops.md", "harbour"))
    with asked(house, "keeper") as db:
        db.execute("select set_config('ringfence.ingest', 'on', false)")
        assert rows(db, house, "rings") == 1
        assert rows(db, house, "clauses") == 0
        assert rows(db, house, "chunks") == 2
        gone = f"document not in (select id from {schema_of(house)}.documents)"
        assert [rows(db, house, table, gone) for table in ("bodies", "chunks", "postings")] == [0, 0, 0]
