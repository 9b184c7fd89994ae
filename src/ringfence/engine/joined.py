"""The files whose tables a SELECT asks for, as its call has to name them. Pure: decided by the record.

A small model that writes `FROM packaging p JOIN suppliers s` names one of the two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import answered
from .visits import TABLES

_FROM = re.compile(r"\b(?:from|join)\s+[\"'`\[]?(?:[\w.-]+/)*(\w[\w-]*?)(?:\.[ct]sv)?[\"'`\]]?(?=[\s,;)]|\Z)", re.I)


def with_its_files(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT of files (`path`, `also`), with the known files that are called as its tables are, each
    name of one file alone; where none is called as the table of `path`, the first of them in its place.
    """
    path, sql = args.get("path"), args.get("sql")
    takes = "also" in (spec.schema or {}).get("properties", {})
    if not takes or not isinstance(path, str) or not isinstance(sql, str):
        return args
    by_name: dict[str, set[str]] = {}
    for known in _tables(turn):
        by_name.setdefault(_name(known), set()).add(known)
    asked = list(dict.fromkeys(_plain(name) for name in _FROM.findall(sql)))
    named = [next(iter(by_name[name])) for name in asked if len(by_name.get(name, ())) == 1]
    own = _name(path)
    if not named or (own not in asked and len(named) < len(asked)):
        return args
    path = path if own in asked else named[0]
    return {**args, "path": path, "also": [one for one in named if one != path]}


def _tables(turn: Turn) -> Iterator[str]:
    """The files of tables that an overview has shown."""
    for call, _, value in answered(turn):
        files = value.get("files") if call < 0 and isinstance(value, dict) else None
        for one in files if isinstance(files, list) else ():
            if isinstance(one, dict) and str(one.get("path", "")).endswith(TABLES):
                yield str(one["path"])


def _name(path: str) -> str:
    return _plain(path.rpartition("/")[2].rpartition(".")[0])


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).casefold()
