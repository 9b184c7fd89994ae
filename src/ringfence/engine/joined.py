"""The files whose tables a SELECT asks for beside the one that its call names. Pure: decided by the record.

A small model that writes `FROM packaging p JOIN suppliers s` names one of the two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import listed
from .visits import named_in

_NO_NAMES = re.compile(
    r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\b(?:extract|trim|substring|position)\s*\([^()]*\)", re.I | re.S
)
_FROM = re.compile(r"\b(?:from|join)\s+[\"`\[]?(\w+)(?:[\"`\]]?(?:\s+(?:as\s+)?\w+)?\s*,\s*[\"`\[]?(\w+))?", re.I)
_MADE = re.compile(r"\b(\w+)\s+as\s*\(", re.I)


def with_its_files(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT of files (`path`, `also`), and in `also` the known files beside these that are called
    as its tables are, each name of one file alone; of those that the task names, if it names any.
    """
    path, also, sql = args.get("path"), args.get("also"), args.get("sql")
    if not isinstance(path, str) or not isinstance(also, list | tuple) or not isinstance(sql, str) or not spec.reads:
        return args
    known = dict(_tables(turn))
    allowed = named_in(turn.start["task"], known) or known
    bare = _NO_NAMES.sub(" ", sql)
    made = {name.casefold() for name in _MADE.findall(bare)}
    has = {known.get(one, "") for one in (path, *map(str, also))}
    more = list[str]()
    for name in dict.fromkeys(name.casefold() for both in _FROM.findall(bare) for name in filter(None, both)):
        called = [one for one, table in known.items() if table == name]
        if len(called) == 1 and called[0] in allowed and name not in made | has:
            more += called
    return {**args, "also": [*also, *more]} if more else args


def _tables(turn: Turn) -> Iterator[tuple[str, str]]:
    """The files of tables that an overview has shown, and what it calls these."""
    for call, one in listed(turn, "files"):
        if call < 0 and "table" in one and "path" in one:
            yield str(one["path"]), str(one["table"])
