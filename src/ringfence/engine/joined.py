"""Which tool and which files have the tables that a SELECT asks for. Pure: decided by the record.

A small model that writes `FROM packaging p JOIN suppliers s` names one of the two files, and asks a file for the table
of a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_WORD = re.compile(r"[^\W\d]\w*")
_OF_A_FILE = re.compile(r"\b(?:csv|files?|spreadsheets?|exports?)\b", re.I)
_OF_A_DATABASE = re.compile(r"\b(?:databases?|db|datenbank)\b", re.I)
_MADE = re.compile(r"\b(\w+)\s+as\s*\(", re.I)


def of_its_tables(call: Call, turn: Turn, sinks: Mapping[str, SinkSpec]) -> Call:
    """The call of the tool that asks the database for a SELECT of a file all of whose tables the overview has shown
    there, and none as one of a file, and the other way round; as it is where there are two such tools, where a word of
    it is a column that only what was called has, or all of them, or where the task says file or database.
    """
    sql, args, task = call.args.get("sql"), call.args, str(turn.start["task"])
    if not isinstance(sql, str) or not sql or args.get("params") or not (other := _other_tool(call, turn, sinks)):
        return call
    files = {path: table.casefold() for path, table in _tables(turn)}
    own, there, named = _columns(turn, "files", "path"), _columns(turn, "tables", "table"), set(_asked(sql))
    paths = [path for path, table in files.items() if table in named]
    if "path" in args:
        given = [str(one) for one in (args["path"], *_list(args.get("also")))]
        here, far = _all(own, given), _all(there, named)
        said = _OF_A_FILE.search(task) is not None or bool(named_in(task, given))
        there_all = named <= there.keys() and named.isdisjoint(files.values())
        moved: dict[str, JSON] = {"sql": sql} if there_all else {}
    else:
        here, far, said = _all(there, there), _all(own, paths), _OF_A_DATABASE.search(task) is not None
        one_each = len(paths) == len(named) and named.isdisjoint(there)
        moved = {"path": paths[0], "also": paths[1:], "sql": sql} if one_each and paths else {}
    asked = here.union(far).intersection(map(str.casefold, _WORD.findall(_NO_NAMES.sub(" ", sql))))
    of_the_file = "path" in args and len(named) == 1 and asked <= here  # whose table is only called otherwise
    fits = not asked or (asked <= far and not of_the_file)
    return replace(call, sink=other, args=moved) if moved and named and fits and not said else call


def _other_tool(call: Call, turn: Turn, sinks: Mapping[str, SinkSpec]) -> str:
    """The one granted tool that takes a statement, of a database where that of a call is of files, or the other way
    round; empty if there is none, or more than one.
    """
    asks = {
        name: "path" in spec.schema["properties"]
        for name, spec in sinks.items()
        if name in turn.grant.sinks and spec.reads and "sql" in (spec.schema or {}).get("properties", {})
    }
    others = [name for name in asks if call.sink in asks and asks[name] is not asks[call.sink]]
    return others[0] if len(others) == 1 else ""


def _columns(turn: Turn, kind: str, key: str) -> dict[str, set[str]]:
    """The columns of what an overview has shown, each file by its path, each table by its name: in small letters."""
    return {
        str(one.get(key)).casefold(): {str(line).partition(" ")[0].casefold() for line in _list(one.get("columns"))}
        for n, one in listed(turn, kind)
        if n < 0
    }


def _all(columns: Mapping[str, set[str]], of: Iterable[str]) -> set[str]:
    return set[str]().union(*(columns.get(one.casefold(), ()) for one in of))


def _list(value: JSON) -> Sequence[JSON]:
    return value if isinstance(value, list | tuple) else ()


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
