"""Built-in tools, and Python functions as tools: a catalogue entry and a sink each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Clause, Label, Trust
from ringfence.core.ports import Clock
from ringfence.jobs import Limits

from . import calc, clock, reaching, search
from .folders import MAX_FILE_BYTES, MAX_STREAM_BYTES
from .groups import ROLES, Group
from .hosted import hosted
from .tool import Tool, Use
from .workshop import Workshop, limits_of

if TYPE_CHECKING:  # a worker has no use for manifests, and they take as long to import as all the rest
    from ringfence.manifest.types import BuiltinTool

__all__ = ["GROUPS", "Tool", "Workshop", "from_manifest"]

PURE = ("calc", "time")
GROUPS = ("files", "text", "csv", "sql", *PURE, *reaching.GROUPS)
RESULT_CHARS = 4_000
FRAME_CHARS = 400  # of a result, around its text
CALL_S = 30.0  # of a call in a worker; each tool bounds itself to less
ROOMY = Limits(cpu_s=600.0, wall_s=CALL_S, memory_mb=1024)  # our own code, which keeps an index of what it read


def from_manifest(
    tool: BuiltinTool,
    *,
    root: Path,
    readers: frozenset[Clause],
    callers: Clause | None,
    clock: Clock,
    result_chars: int = RESULT_CHARS,
    workshop: Workshop | None = None,
    looks: bool = True,
) -> list[Tool]:
    """The tools of a group. `root` is the manifest's folder; `readers` may read what files hold.

    `looks`: whether values may be told that were not asked for, by an overview of a database or beside a result: they
    are where a result names nobody's data and has no narrower readers.

    `result_chars` is what the model is shown of one result. What works on files runs in a worker of `workshop`, or
    without one in this process; what runs programs or reaches hosts is not made without one. Raises ManifestError for
    an unknown group, and for paths that are missing or cannot be opened.
    """
    if tool.name not in GROUPS:
        raise ManifestError(f"tools: there is no built-in tool {tool.name!r}", todo=f"built in are {', '.join(GROUPS)}")
    pure, use = Use(callers), Use(callers, Label(Trust.UNTRUSTED, readers))
    if tool.name in PURE:
        return [calc.calc(pure)] if tool.name == "calc" else [_now(clock, pure)]
    if tool.name in reaching.GROUPS:
        if workshop is None:
            raise ManifestError(f"tools: {tool.name} needs a sandbox", todo="make it with a workshop")
        return reaching.tools(tool, root=root, use=use, workshop=workshop)
    room = max(result_chars - FRAME_CHARS, 200)
    if tool.name == "sql":
        return _database(tool, root, use, room, workshop, looks)
    if not tool.target_paths:
        if tool.name == "text":
            return [search.count_text(pure)]
        raise ManifestError(f"tools: {tool.name} has no target_paths", todo="say which folders: target_paths: [./data]")
    group = replace(_group(tool, root.absolute(), room), looks=looks)
    made = _served(tool, group, replace(use, roles=ROLES), workshop)
    if tool.name == "files" and "write" in group.permissions:
        state = workshop.state if workshop else root / ".ringfence"
        made += _served(tool, replace(group, name="edit", state=str(state.absolute() / "undo")), use, workshop)
    return made


def _served(tool: BuiltinTool, group: Group, use: Use, workshop: Workshop | None) -> list[Tool]:
    """The tools of a group that works on files, at work in a worker if there is a workshop."""
    made = group.tools(use)
    if workshop is None or not made:
        return made
    worker = workshop.serve(group, limits_of(tool.limits) if isinstance(tool.sandbox, BaseModel) else ROOMY)
    return [hosted(one, worker) for one in made]


def _database(tool: BuiltinTool, root: Path, use: Use, room: int, workshop: Workshop | None, looks: bool) -> list[Tool]:
    """`sql.query`: of a file in a worker, of a server from here, where the password is known."""
    if not isinstance(tool.database, str):
        from .sql_postgres import query_postgres

        assert tool.database is not None  # the manifest has looked
        return [query_postgres(tool.database, use, room=room, max_rows=tool.max_rows, looks=looks)]
    file = str((root / tool.database).resolve())
    places = (file, f"{file}-wal", f"{file}-shm")
    group = Group("sql", str(root), (), places, (), 0, room, rows=tool.max_rows, looks=looks)
    return _served(tool, group, use, workshop)


def _now(time: Clock, use: Use) -> Tool:
    return clock.now(time, use)


def _group(tool: BuiltinTool, root: Path, room: int) -> Group:
    granted = ("read", "grep") if tool.permissions is None else tool.permissions
    if tool.name == "files" and "execute" in granted:
        raise ManifestError("tools: files has no execute tools", todo="there are: permissions: [read, grep, write]")
    limit = int(tool.max_file_size_mb * 2**20) if tool.max_file_size_mb else MAX_FILE_BYTES
    places = [(root / path.expanduser()).resolve() for path in tool.target_paths]
    if "write" in granted and (single := [place for place in places if place.is_file()]):
        raise ManifestError(f"target_paths: {single[0]} is a file", todo="to write, name the folder that it is in")
    named = tuple(str(path) for path in tool.target_paths)
    largest = 0 if tool.max_file_size_mb else MAX_STREAM_BYTES
    where = named, tuple(map(str, places))
    return Group(tool.name, str(root), *where, tuple(granted), limit, room, max_stream_bytes=largest)
