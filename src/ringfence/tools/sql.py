"""`sql.query`: one SELECT of a SQLite file, or (`sql_postgres`) of a Postgres server; bounded in rows, size and time.

A SQLite file is opened read-only, in defensive mode, with an authorizer that knows what a query may touch: tables,
views, functions without effects. Where https://www.sqlite.org/security.html speaks of untrusted SQL, it is followed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import apsw
import apsw.ext
from pydantic import BeforeValidator, Field

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from .sql_columns import column_meant
from .sql_flags import behind, flagged, row_of
from .sql_groups import any_row, branches, ordered_by, rows_that_lead_there, share, with_counts, with_its_order
from .sql_meant import meant
from .sql_mend import Hop, Mended, mended
from .sql_none import Why, is_nothing, otherwise, why_none
from .sql_read import uncommented, unfenced
from .sql_schema import Asking, Look, Result, check_amounts, few, identifier, keyed, known, overview, summed
from .sql_shown import named, table
from .sql_sqlite import as_sqlite, compared_as_text
from .sql_sums import summable
from .sql_twice import alike, grouped, together, twice
from .sql_written import AS_DAY, AS_MINUTES, AS_NUMBER, as_day, as_minutes, as_number, written
from .texts import notes
from .tool import Args, Tool, Use, define

SECONDS = 10.0
MAX_ROWS = 200
MAX_SQL_CHARS = 10_000
MAX_VALUE_BYTES = 2**20  # of one value or row while SQLite works on it
LOOK_S, LOOK_ROWS, _LOOK_CHARS = 1.0, 1_000, 24  # a look at what the values of a column are like
KINDS, _FEW = 6, 4  # of a column's values, that are all told if each comes so often, or there are fewer
SPARE_S = 5.0  # that have to be left for a statement to be asked in another way
STEPS = 1_000  # of SQLite's machine between two looks at the clock
SUMMARY = "Ask the database with one SELECT. Empty sql shows the tables and their columns."

SUITS = r"\b(?:database|sqlite|sql)\b"

_Schema = tuple[list[Any], dict[str, str]]  # the tables with their columns, and the declared keys
_Found = tuple[list[str], list[tuple[Any, ...]]]  # the columns of a result, and its rows
PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list", "data_version"}
)  # the last one is what fts5 asks
FUNCTIONS = frozenset(
    """
    -> ->> abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling char coalesce concat concat_ws cos
    cosh count cume_dist current_date current_time current_timestamp date datetime degrees dense_rank exp
    first_value floor format glob group_concat hex highlight if ifnull iif instr json json_array json_array_length
    json_each json_extract json_group_array json_group_object json_insert json_object json_patch json_pretty
    json_quote json_remove json_replace json_set json_type json_valid julianday lag last_value lead length like
    likelihood likely ln log log10 log2 lower ltrim match max median min mod nth_value ntile nullif octet_length
    percent_rank percentile percentile_cont percentile_disc pi pow power printf quote radians random rank replace
    round row_number rtrim sign sin sinh snippet sqrt strftime string_agg substr substring sum tan tanh time
    timediff total trim trunc typeof unhex unicode unixepoch unlikely upper as_day as_minutes as_number
    """.split()  # noqa: SIM905  # as readable as a list of a hundred words gets
)
_ALLOWED = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_RECURSIVE})
_OFF = (
    apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA,
    apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, apsw.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER,
    apsw.SQLITE_DBCONFIG_DQS_DML,  # a "name" that is none is no text
)  # fmt: skip
_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES, apsw.SQLITE_LIMIT_SQL_LENGTH: 4 * MAX_SQL_CHARS,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100, apsw.SQLITE_LIMIT_COMPOUND_SELECT: 50, apsw.SQLITE_LIMIT_VDBE_OP: 50_000,
    apsw.SQLITE_LIMIT_ATTACHED: 0, apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000, apsw.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    apsw.SQLITE_LIMIT_WORKER_THREADS: 0, apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 1_000,
}  # fmt: skip
_TABLES = """
select m.name, group_concat(c.name || ' ' || c.type, char(10)) from sqlite_schema m, pragma_table_info(m.name) c
where m.type in ('table', 'view') and m.name not like 'sqlite\\_%' escape '\\' group by m.name order by m.name
"""
_JOINS = """
select m.name || '.' || f."from", f."table" || '.' || coalesce(
  f."to", (select p.name from pragma_table_info(f."table") p where p.pk = f.seq + 1)) as key
from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.type = 'table' and key is not null
"""  # a key that names no column is the other table's primary key, wherever that has one


class QueryArgs(Args):
    """Arguments of sql.query."""

    sql: Annotated[
        str,
        Field(description="one SELECT statement; empty to see the tables and columns", max_length=MAX_SQL_CHARS),
        BeforeValidator(unfenced),
    ] = ""
    params: Annotated[
        tuple[str, ...], Field(description="values for $1, $2, ... in the statement", max_length=100)
    ] = ()


def query_sqlite(
    database: Path, use: Use, *, room: int, max_rows: int = MAX_ROWS, seconds: float = SECONDS, looks: bool = True
) -> Tool:
    """The tool `sql.query` over a SQLite file, which need not be there yet. `room` is in characters of the result.

    `looks`: whether the overview shows what values look like.
    """

    def run(args: QueryArgs) -> JSON:
        until = time.monotonic() + seconds
        with in_words(seconds), closing(_opened(database, until)) as db:
            if not args.sql.strip():
                return described(db, until, looks=looks)
            return answered(db, Mended(args.sql), Bounds(max_rows, room, until, looks), args.params)

    return define("sql.query", SUMMARY, QueryArgs, run, use=use, timeout_s=seconds, opens="", suits=SUITS)


@contextmanager
def in_words(seconds: float) -> Iterator[None]:
    """What SQLite raises, as ToolError in words for a model."""
    try:
        yield
    except apsw.AuthError as error:
        raise ToolError(f"only a SELECT is allowed: {_said(error)}", todo="ask with a SELECT of tables") from None
    except apsw.InterruptError:
        raise ToolError(f"the query did not end within {seconds:g} s", todo="ask for less") from None
    except apsw.TooBigError:
        raise ToolError(f"a value is larger than {MAX_VALUE_BYTES} bytes", todo="select a part of it") from None
    except (apsw.Error, UnicodeDecodeError) as error:
        closed = isinstance(error, apsw.ReadOnlyError | apsw.CantOpenError)  # what a reader is told of a WAL file
        todo = "the operator makes it `pragma journal_mode=delete`, or its folder writable" if closed else ""
        raise ToolError(f"the database cannot be asked: {_said(error)}", todo=todo or "tell the operator") from None


def answered(db: apsw.Connection, asked: Mended, bounds: Bounds, params: Sequence[str] = ()) -> dict[str, JSON]:
    """The result of a statement, or of what it meant. Raises ToolError, and what `in_words` tells."""
    try:
        if names := summed(asked.sql):
            check_amounts(names, *_known(db))
        return _query(db, asked, params, bounds)
    except apsw.SQLError as error:
        return _as_meant(db, asked, params, error, bounds)


def described(db: apsw.Connection, until: float, *, looks: bool = True) -> JSON:
    """The tables and their columns; what their values look like, if `looks`."""
    tables, joins = _tables(db), _declared(db)
    if not looks:
        return overview(tables, joins=joins)
    soon = min(until, time.monotonic() + LOOK_S)
    db.set_progress_handler(lambda: time.monotonic() > soon, STEPS)  # a view may take as long as it likes, and is left
    return overview(tables, _looks(db, until=soon), joins=joins)


def _opened(database: Path, until: float) -> apsw.Connection:
    if not os.path.isfile(database):  # noqa: PTH113  # Path.is_file raises where the folder may not be entered
        raise ToolError(f"there is no database {database.name}", todo="tell the operator")
    db = apsw.Connection(str(database.absolute()), flags=apsw.SQLITE_OPEN_READONLY)
    guard(db, until)
    return db


def guard(db: apsw.Connection, until: float) -> None:
    """Let nothing but bounded SELECTs through a connection from now on, `until` a moment of `time.monotonic`."""
    db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    for option in _OFF:
        db.config(option, 0)
    for limit, value in _LIMITS.items():
        db.limit(limit, value)
    db.set_busy_timeout(1_000)
    db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    db.execute(
        "pragma query_only=on; pragma temp_store=memory; pragma mmap_size=0; pragma cell_size_check=on"
    ).fetchall()
    db.create_scalar_function(AS_NUMBER, as_number, numargs=2, deterministic=True)
    db.create_scalar_function(AS_DAY, as_day, numargs=2, deterministic=True)
    db.create_scalar_function(AS_MINUTES, as_minutes, numargs=2, deterministic=True)
    db.authorizer = _authorize


def _authorize(action: int, one: str | None, other: str | None, schema: str | None, inner: str | None) -> int:
    """What a statement may do; https://www.sqlite.org/c3ref/c_alter_table.html says what the names are."""
    if action in _ALLOWED or (action == apsw.SQLITE_PRAGMA and (one or "").lower() in PRAGMAS):
        return apsw.SQLITE_OK
    if action == apsw.SQLITE_FUNCTION and (other or "").lower() in FUNCTIONS:
        return apsw.SQLITE_OK
    return apsw.SQLITE_DENY


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a result: its rows and characters, when it has to be there, and whether values are told beside it that nobody
    asked for.
    """

    max_rows: int
    room: int
    until: float
    looks: bool = True


def _query(db: apsw.Connection, asked: Mended, params: Sequence[str], bounds: Bounds) -> dict[str, JSON]:
    """The result of a statement, told as it was mended."""
    if not params and asked.may_go_on and (text := compared_as_text(asked.sql)):
        asked = asked.then(text)
    columns, rows = _rows(db, asked.sql, params, bounds)
    schema, said = _known(db), ""
    if not params and time.monotonic() < bounds.until - SPARE_S:
        asked, (columns, rows), said = _read_rightly(db, asked, (columns, rows), bounds, schema)
    show = partial(table, columns, rows, bounds.max_rows, bounds.room)
    if is_nothing(asked.sql, rows):
        asking = why_none(asked.sql, *schema, dialect="sqlite", looks=bounds.looks)
        why = _looked(db, asking, bounds.until) or Why()
        if why.mend and not params and asked.may_go_on:
            with suppress(apsw.Error, ToolError):
                return _query(db, asked.then(why.mend), params, bounds)
        return {**asked.told(), **show(beside=why.told)}
    beside, adds = _beside(db, asked.sql, (columns, rows), said, bounds, schema)
    return {**asked.told(), **show(beside=beside, adds=adds)}


def _beside(
    db: apsw.Connection, sql: str, found: _Found, said: str, bounds: Bounds, schema: _Schema
) -> tuple[dict[str, JSON], Sequence[str]]:
    """What is told beside a result, with what was `said` of it, and the columns that may be added up."""
    (_, rows), until = found, bounds.until
    if time.monotonic() > until - SPARE_S:
        return dict(notes(said)), ()
    whole = 1 < len(rows) <= bounds.max_rows
    adds = _looked(db, summable(sql, len(rows), *schema, dialect="sqlite"), until) if whole else None
    said = said or _looked(db, twice(sql, *schema, dialect="sqlite"), until) or ""
    told, spelled = _unasked(db, sql, found, bounds, schema) if bounds.looks else ({}, "")
    return {**told, **notes(str(told.get("note", "")), said, spelled, alike(sql, rows))}, adds or ()


def _unasked(
    db: apsw.Connection, sql: str, found: _Found, bounds: Bounds, schema: _Schema
) -> tuple[dict[str, JSON], str]:
    """Values that nobody has asked for: the row of a result, the names of its keys; and a note."""
    (columns, rows), told, until = found, dict[str, JSON](), bounds.until
    note = _looked(db, otherwise(sql, schema[0], dialect="sqlite"), until) or _looked(db, branches(sql), until)
    if not note and (few(rows) or len(columns) == 1):
        note = _looked(db, behind(sql, len(rows), cut=len(rows) > bounds.max_rows), until)
    if len(rows) == 1 and (row := _looked(db, row_of(sql, rows[0], *schema), until)):
        told["row"] = row
    if few(rows) and (key := keyed(sql, columns, *schema)):
        values, soon = key.values(columns, rows), min(time.monotonic() + LOOK_S, until)
        names = key.told(values, [])
        db.set_progress_handler(lambda: time.monotonic() > soon, STEPS)
        with suppress(apsw.Error, UnicodeDecodeError):
            names = key.told(values, db.execute(key.select(len(values)), values).fetchall())
        told |= names
    return told, note or ""


def _read_rightly(
    db: apsw.Connection, asked: Mended, found: _Found, bounds: Bounds, schema: _Schema
) -> tuple[Mended, _Found, str]:
    """What a statement can only mean and its result, where that is another one; and a note."""
    said, more_columns = "", (any_row, rows_that_lead_there, with_its_order) if bounds.looks else ()
    for reading in (share, *more_columns, with_counts, flagged, partial(meant, dialect="sqlite"), written, grouped):
        if asked.may_go_on and (more := _looked(db, reading(asked.sql, *schema), bounds.until)):
            with suppress(apsw.Error, ToolError):
                other = _rows(db, more.sql, (), bounds)
                if other[1] != found[1] and other[1]:
                    said = together(found[0], found[1][0]) if reading is grouped else said
                    asked, found = asked.then(more), other
    return asked, found, said


def _rows(db: apsw.Connection, sql: str, params: Sequence[str], bounds: Bounds) -> _Found:
    """The names of the columns, and the rows, one more than may be shown."""
    db.set_progress_handler(lambda: time.monotonic() > bounds.until, STEPS)
    about = apsw.ext.query_info(db, sql, params or None)
    if uncommented(about.query_remaining or "").strip(" \t\r\n;"):
        raise ToolError("there is more than one statement", todo="give one SELECT, and nothing after it")
    try:
        rows = list(islice(db.execute(sql, params), bounds.max_rows + 1))
    except apsw.BindingsError:
        raise ToolError(
            f"the statement has another number of placeholders than params has values ({len(params)})",
            todo="write $1, $2, ... and give one value for each",
        ) from None
    return named(column[0] for column in about.description), rows


def _looked(db: apsw.Connection, asking: Asking[Result], until: float) -> Result | None:
    """What comes of looks that nobody has asked for: what a second does not tell is not told."""
    soon = min(time.monotonic() + LOOK_S, until)
    db.set_progress_handler(lambda: time.monotonic() > soon, STEPS)
    try:
        statement, params = next(asking)
        while True:
            rows = None
            with suppress(apsw.Error, UnicodeDecodeError):
                rows = db.execute(statement, params).fetchall()
            statement, params = asking.send(rows)
    except StopIteration as told:
        found: Result = told.value
        return found


def _as_meant(
    db: apsw.Connection, asked: Mended, params: Sequence[str], error: apsw.SQLError, bounds: Bounds
) -> dict[str, JSON]:
    """The result of what a statement meant that cannot be read, with what was `ran`. Raises ToolError."""
    tables, joins, said = _tables(db), _declared(db), f"the statement cannot be read: {_said(error)}"
    sure, done = partial(_is_sure, db, bounds.until), asked
    while done.may_go_on and (
        more := mended(done.sql, _said(error), tables, joins, dialect="sqlite", sure=sure)
        or as_sqlite(done.sql, _said(error))
        or ordered_by(done.sql, _said(error), tables, joins)
        or _looked(db, column_meant(done.sql, _said(error), tables, joins, looks=bounds.looks), bounds.until)
    ):
        done = done.then(more)
        if names := summed(done.sql):
            check_amounts(names, tables, joins)
        try:
            return _query(db, done, params, bounds)
        except apsw.SQLError as again:
            error = again
    raise ToolError(said, todo=known(tables, said, joins, asked.sql))


def _is_sure(db: apsw.Connection, until: float, hop: Hop) -> bool:
    """Whether a key is of one row alone, and, where nobody has declared it, every value of it is one of that table."""
    near, column, far, key = map(identifier, (hop.near, hop.column, hop.far, hop.key))
    twice = f"select 1 from {far} group by {far}.{key} having count(*) > 1 limit 1"
    stray = f"select 1 from {near} where {near}.{column} not in (select {far}.{key} from {far}) limit 1"
    soon = min(until, time.monotonic() + LOOK_S)
    db.set_progress_handler(lambda: time.monotonic() > soon, STEPS)
    try:
        return not any(db.execute(look).fetchall() for look in ((twice,) if hop.declared else (twice, stray)))
    except apsw.Error:  # what a declared key names need not be there, and a large table takes its time
        return False
    finally:
        db.set_progress_handler(lambda: time.monotonic() > until, STEPS)


def _looks(db: apsw.Connection, *, until: float) -> Look:
    """Looks at the first rows of a table: whoever writes a condition has to know how values are written, or missing."""

    def look(table: str, column: str) -> str:
        if time.monotonic() > until:
            return ""
        name, of = map(identifier, (column, table))
        first = f"select {of}.{name} as v from {of} limit {LOOK_ROWS}"  # a name that is none is no text of its own then
        try:
            ((rows, known),) = db.execute(f"select count(*), count(v) from ({first})")
            kinds = [
                row[0] for row in db.execute(f"select distinct v from ({first}) where v is not null limit {KINDS + 1}")
            ]
        except apsw.Error:
            return ""
        texts = [v for v in kinds if isinstance(v, str) and 0 < len(v) <= _LOOK_CHARS and v.isprintable()]
        shown = ["'{}'".format(value.replace("'", "''")) for value in texts]
        whole = len(kinds) < _FEW or (
            len(kinds) <= KINDS and known >= _FEW * len(kinds)
        )  # a state comes again, no name
        more = not whole or len(texts) < len(kinds) or rows == LOOK_ROWS
        values = ", ".join([*(shown if whole else shown[:2]), *(["..."] if shown and more else [])])
        missing = "often NULL" if rows and known < rows else ""
        told = "; ".join(filter(None, (values, missing)))
        return f" ({told})" if told else ""

    return look


def _tables(db: apsw.Connection) -> list[Any]:
    return db.execute(_TABLES).fetchall()


def _declared(db: apsw.Connection) -> dict[str, str]:
    """The declared keys, `table.column` to `table.column`."""
    return {str(one): str(other) for one, other in db.execute(_JOINS)}


def _known(db: apsw.Connection) -> _Schema:
    """The tables and the declared keys; none where a view is of a table that is gone: the rest may be asked for."""
    try:
        return _tables(db), _declared(db)
    except apsw.Error:
        return [], {}


def _said(error: Exception) -> str:
    return str(error).removeprefix(f"{type(error).__name__}: ")[:300]
