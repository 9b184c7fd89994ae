"""The groups that work on files, from plain values: the same on both sides of a worker's pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import ManifestError
from ringfence.core.policy import Role
from ringfence.core.values import JSON

from . import files, find, overview, search
from .folders import Folders
from .tool import Tool, Use

ROLES = {**files.ROLES, **search.ROLES, "also": Role.CONTROL}


@dataclass(frozen=True, slots=True)
class Group:
    """What a group may touch: files and folders, or a SQLite file with what SQLite keeps beside it.

    root     the manifest's folder
    targets  its paths, as the manifest names them; `places`: where they really are, absolute and without links
    room     characters of one result; `rows`: of a query, at most
    max_stream_bytes  of a file that is searched in pieces, at most; 0: as max_file_bytes
    looks    whether an overview of a database shows what values look like, and a result values that were not asked for
    state    where earlier contents of files are kept, for the group that changes them
    """

    name: str
    root: str
    targets: tuple[str, ...]
    places: tuple[str, ...]
    permissions: tuple[str, ...]
    max_file_bytes: int
    room: int
    state: str = ""
    rows: int = 0
    looks: bool = True
    max_stream_bytes: int = 0

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Group:
        """Inverse of `to_json`."""
        fields: dict[str, Any] = {k: tuple(item) if isinstance(item, list) else item for k, item in value.items()}
        return cls(**fields)

    def to_json(self) -> JSON:
        """The fields, as one line of the pipe carries them."""
        return {key: list(item) if isinstance(item, tuple) else item for key, item in asdict(self).items()}

    def tools(self, use: Use) -> list[Tool]:
        """The tools, at work in this process. Raises ManifestError for a path that cannot be opened."""
        if self.name == "sql":
            from .sql import query_sqlite

            return [query_sqlite(Path(self.places[0]), use, room=self.room, max_rows=self.rows, looks=self.looks)]
        paths, places = [[Path(path) for path in named] for named in (self.targets, self.places)]
        folders = Folders(
            paths,
            base=Path(self.root),
            real=places,
            max_file_bytes=self.max_file_bytes,
            max_stream_bytes=self.max_stream_bytes,
        )
        match self.name:
            case "csv":
                from .table_sql import select_csv

                return [select_csv(folders, use, room=self.room, looks=self.looks)]
            case "text":
                return [search.count_files(folders, use)]
            case "files":
                return self._files(folders, use)
            case "edit":
                from . import undo  # SQLite is loaded by those who change files

                return undo.tools(folders, Path(self.state), use)
        raise ManifestError(f"{self.name} is no group of files")

    def _files(self, folders: Folders, use: Use) -> list[Tool]:
        made: list[Tool] = []
        if self.permissions:
            made += [overview.overview(folders, use), find.find_passages(folders, use, room=self.room)]
        if "read" in self.permissions:
            made += [
                files.list_files(folders, use, room=self.room),
                files.read_file(folders, use, room=self.room),
                files.stat_file(folders, use),
            ]
        if "grep" in self.permissions:
            made.append(search.search_files(folders, use, room=self.room))
        return made
