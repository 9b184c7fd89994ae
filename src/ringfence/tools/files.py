"""`files.list`, `files.read` and `files.stat`."""

from __future__ import annotations

import fnmatch
import re
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from ringfence.core.errors import ToolError
from ringfence.core.policy import Role
from ringfence.core.values import JSON

from .corpus import Budget
from .encoded import AS_LEGACY, as_utf8, is_packed
from .folders import SNIFF_BYTES, Entry, Folders, Source, is_binary, packed, size_text
from .marks import Kept, Marks
from .texts import decode, note_skipped, notes
from .tool import KNOWN_PATH, KNOWN_PLACE, Args, Tool, Use, define

SECONDS = 10.0
MAX_LAST = 1_000  # lines from the end
_FIRST_WORD = re.compile(r"[^\W\d_]{2,}")
_ENDINGS = 8  # of the files in a folder, that are told
_END_CHARS = 200  # of the last line of a file, beside those that were asked for
LINE_CHARS = 2_000  # what is shown of one line
PIECE_BYTES = 65_536
ROLES = {"path": Role.CONTROL}

FilePath = Annotated[
    str, Field(description="a file path such as runbooks/disk.md", min_length=1, json_schema_extra=KNOWN_PATH)
]
_ITSELF = r"(?:(?:the |this )?(?:file|folder|directory)\b|[\w./-]*\w(?:/|\.[a-z]{2,4}\b))"
ABOUT = (  # what is asked of a file or a folder itself, and not of what is in it
    rf"\b(?:(?:size of|how (?:large|big) is) {_ITSELF}|"
    rf"when (?:was|were) {_ITSELF} (?:\S+ )?(?:last )?(?:modified|changed)|"
    r"(?:how many|number of|count(?: all)?(?: the)?) files (?:are (?:there )?|lie )?in (?:the )?"
    r"(?:(?:\S+ )?(?:folder|directory)\b|[\w-]+/))"
)
_ANY = "a file or folder path; empty for all files"
AnyPath = Annotated[str, Field(description=_ANY, json_schema_extra=KNOWN_PATH)]
AnyPlace = Annotated[str, Field(description=_ANY, json_schema_extra=KNOWN_PLACE)]


class ListArgs(Args):
    """Arguments of files.list."""

    path: Annotated[str, Field(description="a folder path; empty for all files")] = ""
    name: Annotated[str, Field(description="part of a file name, or a pattern such as *.log; empty for all")] = ""


class ReadArgs(Args):
    """Arguments of files.read."""

    path: FilePath
    first: Annotated[int, Field(description="first line, from 1; -20 for the last 20 lines")] = 1
    last: Annotated[int, Field(ge=0, description="last line; 0 for the end")] = 0


class StatArgs(Args):
    """Arguments of files.stat."""

    path: AnyPlace = ""


def list_files(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `files.list`. `room` is in characters of the result."""

    def run(args: ListArgs) -> JSON:
        walk = folders.walk(args.path, seconds=SECONDS)
        wanted = args.name.lower()
        pattern = wanted if any(c in wanted for c in "*?[") else f"*{wanted}*"
        found = [f for f in walk.files if fnmatch.fnmatchcase(f.path.rpartition("/")[2].lower(), pattern)]
        shown: list[str] = []
        for entry in found:
            line = f"{entry.path} ({size_text(entry.size)})"
            room_left = room - sum(len(other) + 4 for other in shown)
            if len(line) + 4 > room_left:
                break
            shown.append(line)
        cut, none = "", ""
        if len(shown) < len(found):
            inside = ", ".join(f for f in walk.folders[:12] if f != ".")
            cut = f"showing {len(shown)} of {len(found)} files; give one of the folders as path: {inside}"
        if not found:
            none = f"no file's name matches {args.name}" if args.name and walk.files else "there are no files here"
        matched = {"matched": f"{len(found)} files"} if len(found) > 1 else {}  # a model miscounts them
        return {"files": shown, **matched, **notes(cut, none, note_skipped(walk.skipped))}

    summary = "List the files with their sizes. Use it to see which files there are."
    return define("files.list", summary, ListArgs, run, use=use, timeout_s=SECONDS)


def read_file(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `files.read`. `room` is in characters of the result."""

    kept = Kept()

    def run(args: ReadArgs) -> JSON:
        if args.last and args.first > 0 and args.last < args.first:
            raise ToolError(f"last ({args.last}) is before first ({args.first})", todo="give last=0 for the end")
        with folders.open(args.path) as source:
            if source.size <= folders.max_file_bytes:
                return _read(source, args, room)
            with kept.lock:
                return _read(source, args, room, kept.of(source))

    summary = "Read a text file, or some lines of it. Use it when you know the path."
    ends = r"\b(?:first|last|final) (?:\d+ |few )?lines? (?:of|in|from) (?:the file )?\S*[./]\w"
    return define("files.read", summary, ReadArgs, run, use=use, timeout_s=SECONDS, suits=ends)


def stat_file(folders: Folders, use: Use) -> Tool:
    """The tool `files.stat`."""

    def run(args: StatArgs) -> JSON:
        walk = folders.walk(args.path, seconds=SECONDS)
        if not walk.folders and not walk.files:
            raise ToolError(f"{args.path} is not a regular file or folder")
        if walk.folders or len(walk.files) != 1:
            size = _exact(sum(entry.size for entry in walk.files))
            inside = max(0, len(walk.folders) - 1) if args.path.strip(" ./") else len(walk.folders)
            left_out = notes(note_skipped(walk.skipped))
            return {
                "path": args.path or ".",
                "type": "folder",
                "files": len(walk.files),
                **_endings(walk.files),
                **_beginnings(walk.files),
                "folders": inside,
                "size": size,
                **_ends(walk.files),
                **left_out,
            }
        with folders.open(walk.files[0].path) as source:
            binary = is_binary(source.stream.read(SNIFF_BYTES))
            source.stream.seek(0)
            result: dict[str, JSON] = {"path": source.path, "type": "binary file" if binary else "text file"}
            result |= {"size": _exact(walk.files[0].size), "modified": _time(source.changed)}
            if binary:
                return result
            if source.size > folders.max_file_bytes:
                return {**result, "note": "too large to count its lines"}
            return {**result, "lines": sum(1 for _ in _lines(source, time.monotonic() + SECONDS))}

    summary = (
        "Size, number of lines and time of change of a file; of a folder the files by ending, the newest and largest."
    )
    return define("files.stat", summary, StatArgs, run, use=use, timeout_s=SECONDS, suits=ABOUT)


def _read(source: Source, args: ReadArgs, room: int, marks: Marks | None = None) -> JSON:
    """The lines asked for, as many as fit; `marks` of a file that is too large to read to its end."""
    if source.size == 0:
        return {"path": source.path, "lines": "0 of 0", "text": "", "note": "the file is empty"}
    head = source.stream.read(SNIFF_BYTES)
    if is_packed(head):
        raise packed(source.path)
    if is_binary(head):
        raise ToolError(f"{source.path} is a binary file, not text", todo="read a text file")
    source.stream.seek(0)
    skipped = _skip(source, args.first, marks) if marks is not None else 0
    lines = _lines(source, time.monotonic() + SECONDS, skipped)
    if args.first < 0:
        kept = deque(lines, maxlen=min(-args.first, MAX_LAST))
        total = kept[-1][0]
        return _shown(source, list(kept), total, room, from_end=True)
    shown: list[tuple[int, str]] = []
    total, used = 0, 0
    for number, text in lines:
        total = number
        inside = number >= args.first and (not args.last or number <= args.last)
        if inside and used <= room:
            shown.append((number, text))
            used += len(text) + 1
        elif number > args.first and marks is not None:
            return _shown(source, shown, 0, room)
    if not shown:
        raise ToolError(
            f"{source.path} has {total} lines, and you asked for line {args.first}", todo="give a smaller first"
        )
    result = _shown(source, shown, total, room)
    if as_utf8(head) != head:
        result["note"] = "; ".join([*([str(result["note"])] if "note" in result else []), AS_LEGACY])
    if args.last and shown[-1][0] < total:  # "the last line" is what a model may have meant with last=1
        return {**result, "last line of the file": f"{total}: {text[:_END_CHARS]}"}
    return result


def _skip(source: Source, first: int, marks: Marks) -> int:
    """Go to near the first line that is asked for; how many lines are before that place."""
    budget = Budget(SECONDS)
    total = marks.lines(source, budget) if first < 0 else 0
    skipped = max(0, total + max(first, -MAX_LAST)) if first < 0 else max(0, first - 1)
    if not marks.go(source, skipped, budget):
        total = marks.lines(source, budget)
        raise ToolError(f"{source.path} has {total} lines, and you asked for line {first}", todo="give a smaller first")
    return skipped


def _shown(
    source: Source, lines: list[tuple[int, str]], total: int, room: int, *, from_end: bool = False
) -> dict[str, JSON]:
    while len(lines) > 1 and sum(len(text) + 1 for _, text in lines) > room:
        lines.pop(0 if from_end else -1)
    first, last = lines[0][0], lines[-1][0]
    text = "\n".join(text for _, text in lines)
    of = f"{total}" if total else f"a file of {size_text(source.size)}"
    result = {"path": source.path, "lines": f"{first}-{last} of {of}", "text": text[:room]}
    cut = "the line is cut" if len(text) > room else ""
    more = f"for more, use first={last + 1}" if not total or last < total else ""
    return {**result, **notes(cut, more)}


def _lines(source: Source, until: float, skipped: int = 0) -> Iterator[tuple[int, str]]:
    """Numbered lines, in pieces bounded in memory: of a long line only its beginning. Raises ToolError when late."""
    number, head, rest = skipped, b"", 0
    while piece := source.stream.readline(PIECE_BYTES):
        if time.monotonic() > until:
            raise ToolError(f"{source.path} is too large to read so far in {SECONDS:g} s", todo="use a smaller first")
        if head or rest:
            rest += len(piece)
        else:
            number, head = number + 1, piece
        if piece.endswith(b"\n"):
            yield number, _text(head, rest)
            head, rest = b"", 0
    if head:
        yield number, _text(head, rest)


def _text(head: bytes, rest: int) -> str:
    line = decode(head.rstrip(b"\r\n"))
    if not rest and len(line) <= LINE_CHARS:
        return line
    return f"{line[:LINE_CHARS]}... [{len(line) - LINE_CHARS + rest} more characters]"


def _endings(files: Sequence[Entry]) -> dict[str, JSON]:
    """How many files have which ending, if there are several: `.md 12, .txt 2`."""
    often = Counter(PurePosixPath(one.path).suffix or "none" for one in files)
    return {"endings": ", ".join(f"{end} {n}" for end, n in often.most_common(_ENDINGS))} if len(often) > 1 else {}


def _beginnings(files: Sequence[Entry]) -> dict[str, JSON]:
    """How many names begin with the same word, for words of more than one: `meeting 4, log 3`."""
    first = (_FIRST_WORD.match(PurePosixPath(one.path).name) for one in files)
    often = Counter(match[0] for match in first if match)
    told = [f"{word} {n}" for word, n in often.most_common(_ENDINGS) if n > 1]
    return {"beginnings": ", ".join(told)} if told and len(often) < len(files) else {}


def _ends(files: Sequence[Entry]) -> dict[str, JSON]:
    """Of several files the newest and the oldest one, the largest and the smallest."""
    if len(files) < 2:
        return {}
    told: dict[str, JSON] = {}
    for key, names in (("changed", ("oldest", "newest")), ("size", ("smallest", "largest"))):
        inside = sorted(files, key=attrgetter(key))
        for name, one, other in ((names[0], inside[0], inside[1]), (names[1], inside[-1], inside[-2])):
            if getattr(one, key) != getattr(other, key):  # of two that are alike neither is
                told[name] = f"{one.path}, {f'modified {_time(one.changed)}' if key == 'changed' else _exact(one.size)}"
    return told


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _exact(size: int) -> str:
    """`6538 bytes, about 6.4 KB`: a small model multiplies the rounded one by 1024."""
    return f"{size} bytes, about {size_text(size)}" if size >= 1024 else f"{size} bytes"
