"""Daily notes in Markdown, for people: a line a day for each item that was saved. Nothing ever reads them back."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from ..errors import KnowledgeError
from .items import Item

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.md")
_MARK = re.compile(r"`(m-[0-9a-f]{16})`$")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def note(folder: Path, item: Item, how: str) -> None:
    """Add a line to the day's file (local time), which is its owner's alone; an item that is in it is not added again.

    Raises KnowledgeError for a folder that cannot be written.
    """
    at = datetime.fromtimestamp(item.last.at / 1000).astimezone()
    path = folder / f"{at:%Y-%m-%d}.md"
    text = _SPECIAL.sub(r"\\\1", item.text)
    state = f", {how}" if how == "quarantined" else ""
    line = f"- {at:%H:%M} {item.kind} of {item.scope.name}{state}: {text} `{item.id}`\n"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as file:
            known = file.read()
            if f"`{item.id}`\n" in known:  # said again, or a call that was made again after a crash
                return
            file.write(line if known else f"# {at:%Y-%m-%d}\n\n{line}")
    except OSError as fault:
        raise KnowledgeError(f"{path} cannot be written: {fault.strerror}", todo="correct memory.notes") from None


def lines(folder: Path, ids: Collection[str]) -> list[tuple[str, str]]:
    """The lines of items: the file's name and the line."""
    found = []
    for path in _days(folder):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if (mark := _MARK.search(line)) is not None and mark[1] in ids:
                found.append((path.name, line))
    return found


def _days(folder: Path) -> list[Path]:
    """The files of days, and nothing else that people put there."""
    files = sorted(folder.glob("*.md")) if folder.is_dir() else []
    return [path for path in files if _DAY.fullmatch(path.name) and not path.is_symlink()]


def strike(folder: Path, ids: Collection[str] | None) -> int:
    """Take the lines of items out of all notes, or with None of every item; how many."""
    count = 0
    for path in _days(folder):
        held = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        left = [
            line
            for line in held
            if (mark := _MARK.search(line.rstrip("\n"))) is None or (ids is not None and mark[1] not in ids)
        ]
        if len(left) == len(held):
            continue
        new = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(left)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        count += len(held) - len(left)
    return count
