"""The text of a file, and words for what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.core.errors import ToolError

from .encoded import as_utf8
from .folders import Entry, Folders, size_text


def decode(data: bytes) -> str:
    """UTF-8, with or without a byte order mark; lines that are not are taken for Windows-1252."""
    return as_utf8(data).decode("utf-8-sig", errors="replace")


def read_text(folders: Folders, path: str) -> tuple[str, str]:
    """The path as the operator names it, and the text of one file; raises ToolError if it is too large or binary."""
    with folders.open(path) as source:
        if source.size > folders.max_file_bytes:
            limit = size_text(folders.max_file_bytes)
            raise ToolError(
                f"{source.path} is {size_text(source.size)}, more than the limit of {limit}",
                todo="use files.read with first and last to see a part of it",
            )
        return source.path, decode(source.read(folders.max_file_bytes))


def reason(error: ToolError, entry: Entry) -> str:
    """Why a file was left out, without its name."""
    return error.what.removeprefix(entry.path).strip().removeprefix("is ").removeprefix("a ")


def note_skipped(skipped: Sequence[str]) -> str:
    """`skipped: a.bin (binary file, not text), b.log (1.0 GB, ...)`, cut after a few."""
    if not skipped:
        return ""
    more = f" and {len(skipped) - 4} more" if len(skipped) > 4 else ""
    return f"not read: {', '.join(skipped[:4])}{more}"


def notes(*parts: str) -> dict[str, str]:
    """`{"note": ...}` of what there is to say, or nothing."""
    said = "; ".join(part for part in parts if part)
    return {"note": said} if said else {}
