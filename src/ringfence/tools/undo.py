"""`files.undo`: what was there before a change, put back; and `tools`, all that change files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ringfence.core.values import JSON, Action, Outcome

from .changes import Changes
from .difference import difference, shown
from .edit import WritePath, edit_file, entry, write_file
from .folders import Folders
from .patch import patch_files
from .tool import Args, Tool, Use, parse


class UndoArgs(Args):
    """Arguments of files.undo."""

    path: WritePath
    change: Annotated[str, Field(description="which change, such as c12; empty for the last one of the file")] = ""


class _Undoing:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def perform(self, action: Action) -> Outcome:
        args = parse(UndoArgs, action.args)
        return Outcome(await asyncio.to_thread(self._changes.undo, args.path, args.change))

    async def preview(self, given: Mapping[str, JSON]) -> str:
        args = parse(UndoArgs, given)
        return await asyncio.to_thread(self._shown, args)

    def _shown(self, args: UndoArgs) -> str:
        files = self._changes.undone(args.path, args.change)
        return shown([difference(path, now.decode(), then.decode()) for path, now, then in files])


def undo_change(changes: Changes, use: Use) -> Tool:
    """The tool `files.undo`: all files of a change get back what they held, if none was changed since."""
    summary = "Undo the last change that these tools made to a file, with all other files of the same change."
    sink = _Undoing(changes)
    return Tool(entry("files.undo", summary, UndoArgs, use), sink, sink.preview)


def tools(folders: Folders, state: Path, use: Use) -> list[Tool]:
    """The tools of the permission `write`. Earlier contents are kept in the folder `state`, which no tool may reach."""
    changes = Changes(folders, state)
    return [write_file(changes, use), edit_file(changes, use), patch_files(changes, use), undo_change(changes, use)]
