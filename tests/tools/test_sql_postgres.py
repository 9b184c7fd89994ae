"""sql.query of a real Postgres server: what it answers, what no trick gets past it, and that the password stays in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.policy import Effect
from ringfence.manifest.fields import SecretRef
from ringfence.tools.sql_postgres import query_postgres
from ringfence.tools.tool import Tool, Use

from .asking import Query, ask
from .postgres import PASSWORD, Server, server

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (extra: cluster)")

SETUP = """
create role agent login password {password};
create role reader login password {password};
create role powerful login password {password}; grant pg_read_server_files to powerful;
create role runner login password {password}; grant pg_execute_server_program to runner;
create role heir login noinherit password {password}; grant postgres to heir;
create table people(id int primary key, name text, email text);
insert into people values (1, 'Ann', 'ann@example.com'), (2, 'Bob', null), (3, 'Cy', 'cy@example.com');
create table calls(id int, people_id int); insert into calls values (1, 2), (2, 2), (3, 1);
create table teams(id uuid primary key, name text, pay int); insert into teams values
    ('00000000-0000-0000-0000-000000000001', 'night', 9); create table shifts(id int, teams_id uuid);
insert into shifts values (1, '00000000-0000-0000-0000-000000000001'); grant select (id, name) on teams to agent;
create table rooms(id int, name text); create table beds(id int, rooms_id int); insert into beds values (1, 7);
grant select (name) on rooms to agent; grant select on beds, shifts, calls to agent;
create table wards(nr int primary key, name text); insert into wards values (7, 'North'), (8, 'South');
create table pay(id int primary key, eur int);
create table stays(ward int references wards, pay int references pay); insert into stays values (7, null);
grant select on wards, stays to agent;
create table moves(id int primary key, ward int references wards, at timestamp, days int);
insert into moves values (1, 7, '2025-04-30 18:00', 3), (2, 7, '2025-05-02 09:00', 4), (3, null, '2025-04-01', 5);
create table notes(id int primary key, move_id int references moves, line text);
insert into notes values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'A');
grant select on moves, notes to agent;
create table secrets(x text); insert into secrets values ('not yours');
create table log(id serial, line text);
create function tick() returns int language plpgsql as
    'begin insert into log(line) values (now()::text); return 1; end';
create function definer() returns int language plpgsql security definer as
    'begin insert into log(line) values (now()::text); return 1; end';
grant select on people to agent; grant all on log to agent; grant all on sequence log_id_seq to agent;
grant all on schema public to agent;
"""


def address(url: str | None) -> SecretRef:
    return SecretRef("DATABASE_URL", lambda name: url)


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with server() as started:
        with psycopg.connect(started.url("postgres", database="postgres"), autocommit=True) as db:
            db.execute("create database shop")
        with psycopg.connect(started.url("postgres"), autocommit=True) as db:
            literal = psycopg.sql.Literal(PASSWORD).as_string(db)
            for statement in SETUP.replace("{password}", literal).split(";\n"):
                db.execute(statement)
        yield started


def tool(server: Server, role: str = "agent", **bounds: Any) -> Tool:
    return query_postgres(address(server.url(role)), Use(), **{"room": 4_000, **bounds})


@pytest.fixture
def query(shop: Server) -> Query:
    made = tool(shop)

    async def run(sql: str = "", *params: str) -> Any:
        return await ask(made, sql, *params)

    return run


def as_superuser(shop: Server, sql: str) -> list[Any]:
    with psycopg.connect(shop.url("postgres"), autocommit=True) as db:
        cursor = db.execute(sql)
        return cursor.fetchall() if cursor.description else []


async def test_rows_are_objects_whose_columns_a_catalogue_can_point_to(query: Query) -> None:
    assert await query("select name, email from people order by id desc limit 2;") == {
        "columns": ["name", "email"],
        "rows": [{"name": "Cy", "email": "cy@example.com"}, {"name": "Bob", "email": None}],
        "matched": "2 rows",
        "truncated": False,
    }


async def test_an_empty_statement_shows_the_tables_that_the_role_may_read(query: Query) -> None:
    tables = {one["table"]: one["columns"] for one in (await query())["tables"]}
    assert tables["people"] == ["id integer", "name text", "email text"]
    assert "secrets" not in tables


async def test_a_declared_key_is_told_and_its_rows_named_where_both_ends_may_be_read(query: Query) -> None:
    tables = {one["table"]: one["columns"] for one in (await query())["tables"]}
    assert tables["stays"] == ["ward integer = wards.nr", "pay integer"]
    assert (await query("select ward, count(*) from stays group by 1"))["named"] == [{"ward": "7", "name": "North"}]


async def test_whose_key_a_result_has_is_told_by_name_as_far_as_the_role_may_read_it(query: Query) -> None:
    most = "select {} from {} group by 1 order by count(*) desc limit 1"
    assert (await query(most.format("people_id", "calls")))["named"] == [{"people_id": "2", "name": "Bob"}]
    (team,) = (await query("select teams_id from shifts"))["named"]
    assert team == {"teams_id": "00000000-0000-0000-0000-000000000001", "name": "night"}
    bed = await query("select rooms_id from beds")  # whose ids this role may not read
    assert (bed["rows"], "named" in bed) == ([{"rooms_id": 7}], False)


async def test_a_column_of_the_row_that_a_key_names_is_asked_for_where_it_was_meant(query: Query) -> None:
    calls = await query("select email, count(*) from calls group by email order by 2 desc")
    assert [list(row.values()) for row in calls["rows"]] == [[None, 2], ["ann@example.com", 1]]
    assert calls["mended"] == "email is people.email"
    for sql in (
        "select name from calls",
        "select email, max(id) from calls group by people_id",
        "select name from beds",
    ):
        with pytest.raises(ToolError, match=r"(name|email).* does not exist"):
            await query(sql)


async def test_the_condition_that_no_row_meets_is_told_and_where_its_value_stands(query: Query) -> None:
    note = (await query("select count(*) from calls where people_id = 2 and id < 0"))["note"]
    assert note == "no row of calls has id < 0; id has the values 1, 2, 3"
    found = await query("select name from people where name = 'bob'")
    assert (found["mended"], found["rows"]) == ("name is written 'Bob'", [{"name": "Bob"}])
    first = await query("select name from people where name = 'bob' and 1 / (id - 2) > 0")
    assert (first["rows"], "mended" in first) == ([], False), "as it was asked, if what was meant fails"
    assert (await query("select count(*) from ward"))["mended"] == "ward is the table wards"


@pytest.mark.parametrize("value", ["'; commit; delete from log; --", "\\'; delete from log; --", "$1", "%s", "a''b"])
async def test_a_value_that_is_looked_for_elsewhere_is_no_statement(shop: Server, query: Query, value: str) -> None:
    as_superuser(shop, "insert into log(line) values ('stays')")
    before = as_superuser(shop, "select count(*) from log")
    for sql in (f"select name from people where name = $q${value}$q$", f"select 1 from people where name = '{value}'"):
        with contextlib.suppress(ToolError):
            await query(sql)
    assert as_superuser(shop, "select count(*) from log") == before


async def test_what_may_not_be_read_spoils_no_result(query: Query) -> None:
    assert (await query("select id, rooms_id from beds"))["rows"] == [{"id": 1, "rooms_id": 7}]
    assert (await query("select name from people where name = 'night'"))["rows"] == []  # looked for in teams, too


async def test_values_are_bound_and_never_part_of_the_statement(query: Query) -> None:
    assert (await query("select name from people where id = $1::int or name = $2", "2", "Cy"))["rows"] == [
        {"name": "Bob"}, {"name": "Cy"},
    ]  # fmt: skip
    assert (await query("select name from people where name = $1", "x' or '1'='1"))["note"] == "no row matches"
    with pytest.raises(ToolError, match="the statement was refused"):
        await query("select name from people where name = $1")
    assert (await query("select '100%' as p, '%s' as q, $1 as r", "%(x)s"))["rows"] == [
        {"p": "100%", "q": "%s", "r": "%(x)s"}
    ]


async def test_values_of_every_type_are_carried_exactly(query: Query) -> None:
    result = await query(
        "select 1::bigint << 60 as big, 0.1::float8 as f, 12345678901234567890.5::numeric as n, 'NaN'::float8 as nan,"
        " true as b, null as z, '\\x0102'::bytea as y, date '2024-01-31' as d, array[1,2] as a,"
        """ '{"b": {"c": 1}, "a": [{"d": 2}]}'::json as j, row(1, 'x') as r"""
    )
    assert result["rows"] == [
        {
            "big": str(1 << 60), "f": 0.1, "n": "12345678901234567890.5", "nan": "NaN", "b": True, "z": None,
            "y": "\\x0102", "d": "2024-01-31", "a": "[1, 2]", "j": '{"b": {"c": 1}, "a": [{"d": 2}]}',
            "r": '{"f1": 1, "f2": "x"}',
        }
    ]  # fmt: skip


async def test_columns_of_the_same_name_are_told_apart_also_without_rows(query: Query) -> None:
    for where, count in (("true", 3), ("false", 0)):
        result = await query(f"select id, id, name as id from people where {where}")
        assert result["columns"] == ["id", "id_2", "id_3"]
        assert len(result["rows"]) == count


@pytest.mark.parametrize(
    "sql", ["with x as (select 1 as i) select * from x", "values (1), (2)", "table people", "select 1 -- the end"]
)
async def test_a_query_of_any_kind_is_answered(query: Query, sql: str) -> None:
    assert (await query(sql))["rows"]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into log(line) values ('x')",
        "update log set line = 'x'",
        "delete from log",
        "drop table log",
        "create table x(y int)",
        "create temp table x(y int)",
        "truncate log",
        "lock table log",
        "grant all on log to public",
        "with x as (insert into log(line) values ('x') returning 1) select * from x",
        "select tick()",
        "select definer()",
        "select nextval('log_id_seq')",
        "select setval('log_id_seq', 99)",
        "select * from log for update",
        "select * into copied from people",
        "do 'begin end'",
        "call x()",
        "copy people to stdout",
        "copy log from stdin",
        "copy people to program 'id'",
        "copy people to '/tmp/x'",
        "begin",
        "commit",
        "rollback",
        "prepare p as select 1",
        "set transaction read write",
        "set default_transaction_read_only = off",
        "set role postgres",
        "reset all",
        "listen x",
        "notify x",
        "explain analyze select tick()",
        "show all",
        "declare c cursor for select 1",
        "load 'x'",
        "select set_config('transaction_read_only', 'off', true), tick()",
        "select tick() from (select set_config('transaction_read_only', 'off', false)) as x",
        "select lo_create(0)",
        "select pg_read_file('/etc/passwd')",
        "select pg_ls_dir('/')",
        "select lo_export(1, '/tmp/x')",
        "select lo_import('/etc/passwd')",
        "select pg_reload_conf()",
        "select * from secrets",
        "select passwd from pg_shadow",
        "select set_config('role', 'postgres', true)",
    ],
)
async def test_whatever_is_more_than_a_query_of_its_tables_is_refused(shop: Server, query: Query, sql: str) -> None:
    before = as_superuser(shop, "select count(*), max(line) from log")
    with pytest.raises(ToolError, match=r"the statement was refused|only a SELECT"):
        await query(sql)
    assert as_superuser(shop, "select count(*), max(line) from log") == before
    assert as_superuser(shop, "select 1 from pg_tables where tablename in ('x', 'copied')") == []


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; delete from log", "select 1; commit; delete from log; begin; select 1",
        "select 1) as ringfence_row) as w; commit; delete from log; --",
        "select 1) as ringfence_row) as w union all select line from log; --",
        "select 1) as ringfence_row) as w union all select repeat('x', 10000000) from (select '' as j from (select 1",
        "select 1 /*", "select 'x", "select $$x", "select 1)", "(select 1", "select 1 as \"x",
    ],
)  # fmt: skip
async def test_no_statement_leaves_its_parentheses_or_is_followed_by_another(
    shop: Server, query: Query, sql: str
) -> None:
    as_superuser(shop, "insert into log(line) values ('kept')")
    with pytest.raises(ToolError, match="the statement was refused"):
        await query(sql)
    assert as_superuser(shop, "select count(*) from log where line = 'kept'")[0][0] > 0


@pytest.mark.parametrize(
    ("role", "named"),
    [
        ("postgres", "postgres"), ("powerful", "pg_read_server_files"), ("runner", "pg_execute_server_program"),
        ("heir", "postgres"),
    ],
)  # fmt: skip
async def test_a_role_that_may_do_more_is_refused_before_anything_is_asked(shop: Server, role: str, named: str) -> None:
    with pytest.raises(ToolError, match=f"may do more than read tables: .*{named}") as caught:
        await ask(tool(shop, role), "select pg_read_file('/etc/passwd')")
    assert "a role of its own" in caught.value.todo


async def test_a_role_that_could_connect_elsewhere_is_refused(shop: Server) -> None:
    try:
        as_superuser(shop, "create extension dblink")
    except psycopg.Error as error:
        pytest.skip(f"this server has no dblink: {error}")
    try:
        with pytest.raises(ToolError, match=r"may do more than read tables: dblink"):
            await ask(tool(shop), "select dblink_connect('host=192.0.2.1 user=x')")
    finally:
        as_superuser(shop, "drop extension dblink")


async def test_time_is_bounded(shop: Server) -> None:
    slow = tool(shop, seconds=0.3)
    for sql in ("select pg_sleep(60)", "select set_config('statement_timeout', '0', false), pg_sleep(60)"):
        began = time.monotonic()
        with pytest.raises(ToolError, match=r"did not end within 0\.3 s"):
            await ask(slow, sql)
        assert time.monotonic() - began < 30
    assert as_superuser(shop, "select 1 from pg_stat_activity where usename = 'agent' and query like '%sleep%'") == []


async def test_a_lock_is_not_waited_for_for_long(shop: Server, query: Query) -> None:
    with psycopg.connect(shop.url("postgres")) as db:
        db.execute("lock table people in access exclusive mode")
        with pytest.raises(ToolError, match="lock timeout"):
            await query("select * from people")


async def test_rows_their_size_and_room_are_bounded_and_said_so(shop: Server) -> None:
    result = await ask(tool(shop, max_rows=7), "select * from generate_series(1, 100000) as i")
    assert (len(result["rows"]), result["truncated"]) == (7, True)
    result = await ask(tool(shop, room=1_000), "select repeat('x', 100) as x from generate_series(1, 1000)")
    assert result["truncated"]
    assert len(str(result["rows"])) < 1_300
    with pytest.raises(ToolError, match="a row is larger than 65536 bytes"):
        await ask(tool(shop), "select repeat('x', 1000000)")


async def test_what_a_query_sets_or_locks_is_gone_with_it(shop: Server, query: Query) -> None:
    await query("select pg_advisory_lock(7), set_config('search_path', 'nowhere', false)")
    assert as_superuser(shop, "select 1 from pg_locks where locktype = 'advisory'") == []
    assert (await query("select count(*) as n from people"))["rows"] == [{"n": 3}]


async def test_a_name_that_is_not_there_is_answered_with_those_that_are(query: Query) -> None:
    for sql in ("select * from persons", "select mail from people"):
        with pytest.raises(ToolError, match="does not exist") as caught:
            await query(sql)
        assert "people(id, name, email)" in caught.value.todo


async def test_queries_at_once_do_not_meet(query: Query) -> None:
    results = await asyncio.gather(*(query("select $1 as x", str(n)) for n in range(8)))
    assert [result["rows"][0]["x"] for result in results] == [str(n) for n in range(8)]


async def test_a_query_that_is_given_up_leaves_no_connection(shop: Server) -> None:
    task = asyncio.create_task(ask(tool(shop), "select pg_sleep(100)"))
    until = time.monotonic() + 60
    while not connections(shop, "state = 'active'") and time.monotonic() < until:
        await asyncio.wait([task], timeout=0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while (left := connections(shop)) and time.monotonic() < until:
        await asyncio.wait([asyncio.create_task(asyncio.to_thread(connections, shop))])
    assert not left


def connections(shop: Server, where: str = "true") -> list[Any]:
    return as_superuser(shop, f"select 1 from pg_stat_activity where usename = 'agent' and {where}")


BROKEN: dict[str, Callable[[Server], str]] = {
    "a wrong password": lambda s: s.url("agent", password=f"{PASSWORD}x"),
    "no such role": lambda s: s.url("nobody"),
    "no such database": lambda s: s.url("agent", database="nowhere"),
    "nobody listens": lambda s: Server(1, s.folder).url("agent"),
    "a host that is none": lambda s: s.url("agent", host="no-such-host.invalid"),
    "a port that is none": lambda s: s.url("agent").replace(str(s.port), "s3cret"),
    "a password that is not escaped": lambda s: f"postgresql://agent:{PASSWORD}@127.0.0.1:{s.port}/shop",
    "an option that is none": lambda s: s.url("agent") + f"?sslmode={PASSWORD}",
}


@pytest.mark.parametrize("why", list(BROKEN))
async def test_a_connection_that_fails_says_nothing_of_the_address(
    shop: Server, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises((ToolError, ManifestError)) as caught:
        await ask(query_postgres(address(BROKEN[why](shop)), Use(), room=4_000), "select 1")
    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert "s3cret" not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_the_password_is_in_no_result_error_entry_or_log(shop: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = tool(shop)
    said = [repr(made), repr(made.spec), str(made.spec.schema), repr(made.sink), repr(vars(made.sink))]
    for sql in (
        "select * from pg_stat_activity",
        "select current_setting('x.y')",
        f"select '{PASSWORD}'::int",
        "select name, setting from pg_settings",
        "select * from pg_user",
        "select * from nowhere",
        "select pg_sleep('x')",
    ):
        try:
            said.append(repr(await ask(made, sql)))
        except ToolError as error:
            said.append(str(error))
    assert len(said) == 12
    assert not [text for text in [*said, caplog.text] if PASSWORD in text]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "the variable DATABASE_URL is not set"), ("mysql://s3cret@x/y", "holds no postgresql:// address"),
        ("./shop.db", "holds no postgresql:// address"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_the_operators_error(value: str | None, why: str) -> None:
    with pytest.raises(ManifestError, match=why) as caught:
        query_postgres(address(value), Use(), room=4_000)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "rows", "why"),
    [
        ("select count(*) from moves where at <= '2025-04-30'", [2], "at has times: its days are compared"),
        ("select name from wards where nr not in (select ward from moves)", ["South"], "nothing is NOT IN a list"),
        ("select w.name, count(*) from wards w left join moves m on m.ward = w.nr group by w.name order by 2",
         ["South", 0, "North", 2], "count(*) is 1 for none: counted are rows of moves"),
        ("select sum(days) / count(*) from moves where ward = 7", [3.5], "divided with decimals"),
        ("select count(*) from moves where ward = null", [1], "nothing is = NULL: asked with IS"),
    ],
)  # fmt: skip
async def test_what_can_mean_one_thing_alone_is_asked_so(query: Query, sql: str, rows: list[object], why: str) -> None:
    found = await query(sql)
    assert [float(v) if isinstance(v, str) and "." in v else v for row in found["rows"] for v in row.values()] == rows
    assert found["mended"].startswith(why)


async def test_what_a_join_takes_several_times_and_how_else_a_text_is_written_is_told(query: Query) -> None:
    twice = await query("select sum(m.days) from moves m join notes n on n.move_id = m.id")
    assert twice["rows"] == [{"sum": 10}]
    assert twice["note"].endswith("takes a row of moves once for each of its notes; with each row of moves once: 7")
    spelled = await query("select count(*) from notes where line = 'a'")
    assert spelled["note"] == "line is also written 'A': not in this result"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("postgresql://127.0.0.1/x", True),
        ("postgresql://u:p@localhost:5432/x", True),
        ("postgresql://[::1]:5432/x", True),
        ("postgresql://u@[::1]/x", True),
        ("postgresql://u:p@/x", True),
        ("postgresql://[2001:db8::1]/x", False),
        ("postgresql:///x", True),
        ("postgresql:///x?host=/run/postgresql", True),
        ("postgresql://%2Frun%2Fpg/x", True),
        ("postgresql://db.example.com/x", False),
        ("postgresql://localhost,db.example.com/x", False),
        ("postgresql:///x?host=db.example.com", False),
        ("postgresql://localhost/x?hostaddr=192.0.2.1", False),
        ("postgresql://localhost/x?host=db.example.com", False),
        ("postgresql:///x?service=y", False),
        ("postgresql://u:p@10.0.0.7:5432/x", False),
    ],
)
def test_only_a_server_on_this_machine_is_confined(url: str, here: bool) -> None:
    spec = query_postgres(address(url), Use(), room=4_000).spec
    assert (spec.effect, spec.confined) == (Effect.READ, here)
