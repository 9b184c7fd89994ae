"""Built-in tools, and Python functions as tools: a catalogue entry and a sink each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Clause, Label, Trust
from ringfence.core.ports import Clock
from ringfence.manifest.types import BuiltinTool

from . import calc, clock, files, find, overview, search, table
from .folders import MAX_FILE_BYTES, Folders
from .tool import Tool, Use

__all__ = ["GROUPS", "Tool", "from_manifest", "unavailable"]

GROUPS = ("files", "text", "csv", "calc", "time")
DESIGNED = ("shell", "web", "python", "http", "sql", "kb", "memory")
RESULT_CHARS = 4_000
FRAME_CHARS = 400  # of a result, around its text

_FILE_ROLES = {**files.ROLES, **search.ROLES, **table.ROLES}


def unavailable(tool: BuiltinTool) -> str | None:
    """Why a built-in tool of this name does nothing yet, or None. It may stand in a manifest all the same."""
    return f"{tool.name} is designed, but not in this release" if tool.name in DESIGNED else None


def from_manifest(
    tool: BuiltinTool,
    *,
    root: Path,
    readers: frozenset[Clause],
    callers: Clause | None,
    clock: Clock,
    result_chars: int = RESULT_CHARS,
) -> list[Tool]:
    """The tools of a group. `root` is the manifest's folder; `readers` may read what files hold.

    `result_chars` is what the model is shown of one result. Raises ManifestError for an unknown group, and
    for paths that are missing or cannot be opened.
    """
    if reason := unavailable(tool):
        raise ManifestError(f"tools: {reason}", todo=f"take {tool.name} out; built in are {', '.join(GROUPS)}")
    if tool.name not in GROUPS:
        raise ManifestError(f"tools: there is no built-in tool {tool.name!r}", todo=f"built in are {', '.join(GROUPS)}")
    pure = Use(callers)
    if tool.name in ("calc", "time"):
        return [calc.calc(pure)] if tool.name == "calc" else [_now(clock, pure)]
    if not tool.target_paths:
        if tool.name == "text":
            return [search.count_text(pure)]
        raise ManifestError(f"tools: {tool.name} has no target_paths", todo="say which folders: target_paths: [./data]")
    limit = int(tool.max_file_size_mb * 2**20) if tool.max_file_size_mb else MAX_FILE_BYTES
    folders = Folders(tool.target_paths, base=root, max_file_bytes=limit)
    use = Use(callers, Label(Trust.UNTRUSTED, readers), _FILE_ROLES)
    room = max(result_chars - FRAME_CHARS, 200)
    if tool.name == "csv":
        return [table.query_csv(folders, use, room=room)]
    if tool.name == "text":
        return [search.count_files(folders, use)]
    return _files(tool, folders, use, room)


def _now(time: Clock, use: Use) -> Tool:
    return clock.now(time, use)


def _files(tool: BuiltinTool, folders: Folders, use: Use, room: int) -> list[Tool]:
    made: dict[str, list[Callable[[], Tool]]] = {
        "read": [
            partial(files.list_files, folders, use, room=room),
            partial(files.read_file, folders, use, room=room),
            partial(files.stat_file, folders, use),
        ],
        "grep": [partial(search.search_files, folders, use, room=room)],
        "": [partial(overview.overview, folders, use), partial(find.find_passages, folders, use, room=room)],
    }
    granted = ("read", "grep") if tool.permissions is None else tool.permissions
    if stray := [p for p in granted if p not in made]:
        raise ManifestError(f"tools: files has no {stray[0]} tools", todo="files only reads: permissions: [read, grep]")
    wanted = [permission for permission in ("", "read", "grep") if permission in granted or not permission]
    return [make() for permission in wanted for make in made[permission]] if granted else []
