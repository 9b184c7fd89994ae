"""Numbers and days that SQLite has as texts (`1.200,00`, `$9.50`, `15.04.2024`), or as seconds since 1970. Pure.

It puts '9' above '100', adds up `1.200,00` as 1.2 and `1:30` as 1, and knows no month of `15.04.2024`, all without a
word. Where each value of a column is such a text, it is asked for by what it means, by functions of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from ringfence.core.errors import ToolError

from .cells import DATE, EMPTY, NUMBER, clock, typed
from .forms import PLAIN, Form, form_of, units
from .sql_meant import DAY, Places, against_a_day
from .sql_mend import Mend
from .sql_read import parsed
from .sql_schema import Asking, identifier

if TYPE_CHECKING:
    from sqlglot import exp

Value = int | float | bytes | str | None
AS_NUMBER, AS_DAY, AS_MINUTES = "as_number", "as_day", "as_minutes"
_NO_HOURS = re.compile(  # 12:10, or m:ss; a duration is no ratio
    r"(?:^|_)(?:scores?|results?|ratios?|odds|aspect|laps?|tracks?|songs?|splits?|pace|length)(?:_|$)", re.I
)
_LOOK = 1_000  # values of a column that tell how it is written
_LONGEST = 60  # characters of a number or a day
_CODE = re.compile(r"0\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = re.compile(r"(?:^|(?<!\bper)(?<!_per)[\W_])(?:id|no|nr|zip|plz|postcode|phone|year)\W*$", re.I)
_FIGURES = re.compile(r"-?\d+(?:\.\d+)?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:$|[ T])")
_SECONDS = (946_684_800, 4_102_444_800)  # from 2000 to 2100
_MILLI = 1_000
_DATED = ("date", "datetime", "strftime", "julianday", "unixepoch")
_KINDS = {
    AS_NUMBER: "number for SQLite: read as one", AS_DAY: "day for SQLite: read as one",
    AS_MINUTES: "number for SQLite: its times are read as h:mm, in minutes",
}  # fmt: skip
_FORMS = {"day": Form(days="day"), "month": Form(days="month")}


def as_number(*given: Value) -> Value:
    """A number that is written with its unit, and with decimals behind a point or a comma; NULL for what is none.

    given  the text, and what comes before the decimals
    """
    value, decimals = given
    if not isinstance(value, str):
        return value
    one = form_of([value.strip()], commas=True)
    kind, number = typed(value.strip(), Form(comma=decimals == ",", unit=one.unit))
    if kind != NUMBER or not isinstance(number, Fraction):
        return None
    return int(number) if number.denominator == 1 and "." not in value and "," not in value else float(number)


def as_minutes(*given: Value) -> Value:
    """The minutes of a time such as 1:30, or 0:45:30; NULL for what is none.

    given  the text, and nothing, as every such function is given two
    """
    parts = clock(given[0]) if isinstance(given[0], str) else ()
    if not parts:
        return None
    hours, minutes, *seconds = parts
    return float(hours * 60 + minutes) + (seconds[0] / 60 if seconds else 0)


def as_day(*given: Value) -> Value:
    """A day, and its time if it has one, as ISO 8601 has them; NULL for what is none.

    given  the text, and which comes first, `day` or `month`; or a number of seconds or milliseconds
    """
    value, first = given
    if isinstance(value, int):
        seconds = value / _MILLI if abs(value) > _SECONDS[1] else value
        if abs(seconds) > _SECONDS[1]:
            return None
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    kind, moment = typed(value.strip(), _FORMS.get(str(first), PLAIN)) if isinstance(value, str) else (EMPTY, "")
    if kind != DATE or not isinstance(moment, datetime) or not isinstance(value, str):
        return None
    return moment.strftime("%Y-%m-%d %H:%M:%S" if ":" in value else "%Y-%m-%d")


def written(sql: str, tables: Sequence[Sequence[object]], joins: Mapping[str, str]) -> Asking[Mend | None]:
    """The statement that asks for what such columns mean; None if it asks for none, or none is certain.

    Raises ToolError for a sum of times that is reckoned with.
    """
    if (tree := parsed(sql, "sqlite")) is None:
        return None
    from sqlglot import errors, exp

    if tree.find(exp.Concat, exp.ConcatWs, exp.DateDiff, exp.DateAdd, exp.DateSub, exp.Fetch, exp.Placeholder):
        return None
    places, why = Places(tree, tables, joins), list[str]()
    known: dict[tuple[str, str], tuple[str, str]] = {}
    try:
        for column in list(tree.find_all(exp.Column)):
            table, name = places.of(column)[1], column.name.lower()
            uses = set(_uses(column)) if table else set()
            if not uses:
                continue
            if (table, name) not in known:
                known[table, name] = yield from _how(table, name)
            function, how = known[table, name]
            seconds = function == AS_DAY and not how  # which are in order as they are
            if function == AS_MINUTES and function in uses and not _told_alone(column):
                raise ToolError(
                    f"{name} has times such as 1:30, which are added up in minutes",
                    todo=f"ask for SUM({name}) alone, and work out or compare what it comes to",
                )
            if function in uses and not (seconds and isinstance(column.parent, exp.Min | exp.Max | exp.Ordered)):
                _wrap(column, function, how)
                why.append(f"{name} is no {_KINDS[function]}")
        return Mend(tree.sql("sqlite"), "; ".join(dict.fromkeys(why))) if why else None
    except (errors.SqlglotError, RecursionError):
        return None


def _told_alone(column: exp.Column) -> bool:
    """Whether the sum or the average of a column is shown or put in order as it is: nothing else is done with it that
    would have to know of hours or of minutes.
    """
    from sqlglot import exp

    one = column.parent
    summed = isinstance(one, exp.Sum | exp.Avg)
    while one is not None and isinstance(one.parent, exp.Paren | exp.Round | exp.Coalesce | exp.Cast | exp.Alias):
        one = one.parent
    return summed and one is not None and isinstance(one.parent, exp.Select | exp.Ordered)


def _wrap(column: exp.Column, function: str, how: str) -> None:
    from sqlglot import exp

    parent = column.parent
    whole = parent if isinstance(parent, exp.TsOrDsToTimestamp | exp.TsOrDsToDate) else column
    meant_by: exp.Expr = exp.Anonymous(this=function, expressions=[column.copy(), exp.Literal.string(how)])
    if function == AS_DAY and against_a_day(column):
        meant_by = exp.Anonymous(this="DATE", expressions=[meant_by])
    whole.replace(meant_by)


def _uses(column: exp.Column) -> Iterator[str]:
    """By which function a column may be asked for where it stands: none where it is only shown."""
    from sqlglot import exp

    one = column.parent
    while isinstance(one, exp.Paren | exp.Neg | exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Abs | exp.Round):
        if not isinstance(one, exp.Paren):
            yield AS_NUMBER
        one = one.parent
    match one:
        case exp.Sum() | exp.Avg():
            yield from (AS_NUMBER, AS_MINUTES)
        case exp.Min() | exp.Max():
            yield from (AS_NUMBER, AS_DAY)
        case exp.Ordered() if isinstance(one.find_ancestor(exp.Select, exp.SetOperation), exp.Select):
            yield from (AS_NUMBER, AS_DAY)
        case exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.Between() | exp.EQ() | exp.NEQ():
            yield from _held_against(one)
        case exp.In() if (query := one.args.get("query")) is not None and query.find(exp.Min, exp.Max):
            yield from (AS_NUMBER, AS_DAY)
        case exp.Like() if DAY.match(f"{one.expression.name.rstrip('%')}-01"[:10]):
            yield AS_DAY
        case exp.TimeToStr() | exp.Date() | exp.TsOrDsToDate() | exp.TsOrDsToTimestamp():
            yield AS_DAY
        case exp.Anonymous() if one.name.lower() in _DATED and "epoch" not in str(one).lower().partition("(")[2]:
            yield AS_DAY


def _held_against(one: exp.Expr) -> Iterator[str]:
    """What a column is compared as: a number with a number, a day with a day."""
    from sqlglot import exp

    sides = [one.this, one.args.get("expression"), one.args.get("low"), one.args.get("high")]
    if any(isinstance(side, exp.Subquery) and side.find(exp.Min, exp.Max) for side in sides):
        yield from (AS_NUMBER, AS_DAY)
        return
    literals = [side.this if isinstance(side, exp.Neg) else side for side in sides if isinstance(side, exp.Expr)]
    values = [side.name for side in literals if isinstance(side, exp.Literal)]
    if any(
        isinstance(side, exp.Date) or (isinstance(side, exp.Anonymous) and side.name.lower() in _DATED)
        for side in sides
    ):
        yield AS_DAY
    if values and all(map(_ISO.match, values)):
        yield AS_DAY
    elif (
        values
        and all(map(_FIGURES.fullmatch, values))
        and not any(n.is_string for n in literals if isinstance(n, exp.Literal))
    ) or (not values and not isinstance(one, exp.EQ | exp.NEQ)):
        yield AS_NUMBER


def _how(table: str, column: str) -> Asking[tuple[str, str]]:
    """By which function a column is asked for, and how it is written; two empty texts for what is what it seems."""
    of, name = identifier(table), f"{identifier(table)}.{identifier(column)}"
    kinds = yield f"select distinct typeof({name}) from (select * from {of} limit {_LOOK}) as {of} limit $1", ("5",)
    there = {str(row[0]) for row in kinds or ()} - {"null"}
    if there == {"integer"}:
        ((least, most),) = (yield f"select min({name}), max({name}) from {of} limit $1", ("1",)) or ((0, 0),)
        spans = [(low * more, high * more) for low, high in (_SECONDS,) for more in (1, _MILLI)]
        return (AS_DAY, "") if any(low < int(str(least)) <= int(str(most)) < high for low, high in spans) else ("", "")
    if "text" not in there:
        return "", ""
    rows = yield f"select distinct {name} from {of} where {name} is not null limit $1", (str(_LOOK),)
    values = [str(row[0]).strip() for row in rows or ()]
    if any(len(value) > _LONGEST or _CODE.fullmatch(value) for value in values):  # 007 is no 7
        return "", ""
    if values and all(map(clock, values)):
        return ("", "") if _NO_HOURS.search(_HUMP.sub("_", column)) else (AS_MINUTES, "")
    form = form_of(values, commas=True)
    found = {typed(value, form)[0] for value in values} - {EMPTY}
    if found == {DATE} and not all(map(_ISO.match, filter(None, values))):
        first = form.days or "day"
        bad = yield f"select 1 from {of} where {name} <> '' and as_day({name}, $1) is null limit 1", (first,)
        return (AS_DAY, first) if bad == [] else ("", "")
    if found == {NUMBER} and not names_rows(column) and not units(values):
        mark = "," if form.comma else "."
        bad = yield f"select 1 from {of} where {name} <> '' and as_number({name}, $1) is null limit 1", (mark,)
        return (AS_NUMBER, mark) if bad == [] else ("", "")
    return "", ""


def names_rows(column: str) -> bool:
    """Whether a column's name says that its numbers are no amounts: `Order ID`, `perf_no`, `year`."""
    return _NAMES.search(_HUMP.sub("_", column)) is not None
