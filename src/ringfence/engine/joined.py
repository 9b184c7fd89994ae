"""Which tool and which files have the tables that a SELECT asks for. Pure: decided by the record.

A small model that writes `FROM packaging p JOIN suppliers s` names one of the two files, and asks a file for the table
of a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import listed
from .step import Call
from .visits import named_in

_NO_NAMES = re.compile(
    r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\b(?:extract|trim|substring|position)\s*\([^()]*\)", re.I | re.S
)
_FROM = re.compile(r"\b(?:from|join)\s+[\"`\[]?(\w+)(?:[\"`\]]?(?:\s+(?:as\s+)?\w+)?\s*,\s*[\"`\[]?(\w+))?", re.I)
_MADE = re.compile(r"\b(\w+)\s+as\s*\(", re.I)


def of_its_tables(call: Call, turn: Turn, sinks: Mapping[str, SinkSpec]) -> Call:
    """The call of the tool that asks the database for a SELECT of a file all of whose tables the overview has shown
    there, and none as one of a file, and the other way round; as it is where there are two such tools.
    """
    sql = call.args.get("sql")
    if not isinstance(sql, str) or not sql or call.sink not in turn.grant.sinks:
        return call
    asks = {
        name: "path" in (spec.schema or {}).get("properties", {})
        for name, spec in sinks.items()
        if name in turn.grant.sinks and spec.reads and "sql" in (spec.schema or {}).get("properties", {})
    }
    of_files = asks.get(call.sink)
    others = [name for name in asks if asks[name] is not of_files]
    if of_files is None or len(others) != 1:
        return call
    files = {path: table.casefold() for path, table in _tables(turn)}
    there = {str(one.get("table")).casefold() for n, one in listed(turn, "tables") if n < 0}
    named = set(_asked(sql))
    if of_files and named and named <= there and named.isdisjoint(files.values()):
        return replace(call, sink=others[0], args={"sql": sql})
    paths = [path for path, table in files.items() if table in named]
    if not of_files and len(paths) == len(named) > 0 and named == {files[path] for path in paths} - there:
        return replace(call, sink=others[0], args={"path": paths[0], "also": paths[1:], "sql": sql})
    return call


def with_its_files(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT of files (`path`, `also`), and in `also` the known files beside these that are called
    as its tables are, each name of one file alone; of those that the task names, if it names any.
    """
    path, also, sql = args.get("path"), args.get("also"), args.get("sql")
    if not isinstance(path, str) or not isinstance(also, list | tuple) or not isinstance(sql, str) or not spec.reads:
        return args
    known = dict(_tables(turn))
    allowed = named_in(turn.start["task"], known) or known
    has = {known.get(one, "") for one in (path, *map(str, also))}
    more = list[str]()
    for name in _asked(sql):
        called = [one for one, table in known.items() if table == name]
        if len(called) == 1 and called[0] in allowed and name not in has:
            more += called
    return {**args, "also": [*also, *more]} if more else args


def _asked(sql: str) -> list[str]:
    """The tables that a statement asks for, in small letters, without those that it makes itself."""
    bare = _NO_NAMES.sub(" ", sql)
    made = {name.casefold() for name in _MADE.findall(bare)}
    asked = (name.casefold() for both in _FROM.findall(bare) for name in filter(None, both))
    return [name for name in dict.fromkeys(asked) if name not in made]


def _tables(turn: Turn) -> Iterator[tuple[str, str]]:
    """The files of tables that an overview has shown, and what it calls these."""
    for call, one in listed(turn, "files"):
        if call < 0 and "table" in one and "path" in one:
            yield str(one["path"]), str(one["table"])
