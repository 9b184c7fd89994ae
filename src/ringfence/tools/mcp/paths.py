"""Where a server may be pointed: paths in the arguments of a call are held to `target_paths` by us, not by it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ringfence.core.values import JSON

_WORDS = frozenset({
    "path", "paths", "file", "files", "filename", "filenames", "filepath", "dir", "directory", "directories", "folder",
    "folders", "cwd", "root", "workdir",
})  # fmt: skip
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_ELSEWHERE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|~|\\\\)|[\0$`\\]|%2e|%2f", re.IGNORECASE)


def says_path(name: str) -> bool:
    """Whether an argument is a path by its name: `path`, `output_file`, `sourceDir`."""
    return not _WORDS.isdisjoint(word.lower() for word in _SPLIT.split(name))


class Paths:
    """The folders and files that a server's calls may name. Relative paths start from the manifest's folder."""

    def __init__(self, targets: Sequence[Path], root: Path) -> None:
        self._root = os.path.realpath(root)
        given = [os.path.normpath(Path(self._root, target)) for target in targets]
        self._named = given
        self.real = tuple(os.path.realpath(target) for target in given)

    def hold(self, args: Mapping[str, JSON], kinds: Mapping[str, str], *, real: bool = False) -> None:
        """Raise ValueError for a path that leads out of the targets: as written, or with its links followed (`real`).

        `kinds` are the types that the catalogue declares; where it says nothing an argument's name decides.
        """
        for name, value in _paths(args, kinds):
            if not self._inside(value, real):
                where = "; there are no target_paths" if not self.real else ""
                raise ValueError(f"{name} leads out of target_paths: {value[:120]!r}{where}")

    def _inside(self, value: str, real: bool) -> bool:
        if _ELSEWHERE.search(value):
            return False
        written = os.path.normpath(Path(self._root, value))
        if real:
            return any(_below(os.path.realpath(Path(self._root, value)), target) for target in self.real)
        return any(_below(written, target) for target in (*self._named, *self.real))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _paths(args: Mapping[str, JSON], kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every text that is a path, with the argument it stands in."""
    for name, value in args.items():
        kind = kinds.get(name)
        yield from ((name, text) for text in _texts(value, is_path=kind == "path" if kind else says_path(name)))


def _texts(value: JSON, *, is_path: bool) -> Iterator[str]:
    if isinstance(value, str):
        if is_path:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, is_path=is_path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, is_path=is_path or says_path(key))
