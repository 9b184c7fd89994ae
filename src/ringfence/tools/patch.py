"""`files.patch`: a unified diff applied to one file or several, all or nothing, without fuzz.

The format is that of POSIX `diff -u`, with git's `a/` and `b/`: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/diff.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NoReturn

from pydantic import Field

from ringfence.core.errors import ToolError

from .changes import Changes, Edit
from .difference import lines_of
from .edit import WritePath, editing, encoded
from .tool import Args, Tool, Use

MAX_FILES = 20
MAX_HUNKS = 1_000
NOTHING = "/dev/null"
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_REFUSED = {
    "deleted file": "deletes a file", "rename ": "renames a file", "copy ": "copies a file",
    "old mode": "changes a mode", "GIT binary": "holds binary data", "Binary files": "holds binary data",
}  # fmt: skip


class PatchArgs(Args):
    """Arguments of files.patch."""

    path: WritePath
    patch: Annotated[str, Field(description="a unified diff: --- and +++ lines, then @@ hunks", min_length=1)]


@dataclass(slots=True)
class Hunk:
    """Lines with their sign (` `, `-`, `+`), to be found at line `start` of the old file (0: before the first)."""

    start: int
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def old(self) -> list[str]:
        """What has to be there."""
        return [text for sign, text in self.lines if sign != "+"]


@dataclass(slots=True)
class Section:
    """What a patch does to one file, under the name that the patch gives it."""

    name: str
    new: bool
    hunks: list[Hunk] = field(default_factory=list)


def patch_files(changes: Changes, use: Use) -> Tool:
    """The tool `files.patch`."""
    summary = (
        "Apply a unified diff to the file at path, or to files beneath it if path is a folder: "
        "all of it or nothing. It can be undone."
    )
    return editing("files.patch", summary, PatchArgs, changes, use, patched)


def patched(changes: Changes, args: PatchArgs) -> list[Edit]:
    """What files.patch changes. Whatever the patch names stays at or beneath `path`, which is what a person grants."""
    sections = parse_patch(args.patch)
    edits: list[Edit] = []
    for section in sections:
        path, found = changes.look(_target(changes, args.path, section, alone=len(sections) == 1))
        if any(edit.path == path for edit in edits):
            raise ToolError(f"the patch changes {path} twice", todo="put its hunks under one pair of --- and +++")
        if section.new and found is not None:
            raise ToolError(f"the patch makes {path}, which is there already", todo="give --- with its name")
        if not section.new and found is None:
            raise ToolError(f"there is no file {path} to patch", todo=f"for a new file, give --- {NOTHING}")
        after = apply(section, path, found.text if found else "")
        edits.append(Edit(path, found, encoded(changes, path, after)))
    return edits


def _target(changes: Changes, scope: str, section: Section, *, alone: bool) -> str:
    """The path that a section means, beneath the one that the call names."""
    folders = changes.folders
    if scope.strip() in (".", "./"):
        return folders.named(section.name)
    within = folders.named(scope)
    if not folders.is_folder(scope):
        if alone and section.name.rpartition("/")[2] == within.rpartition("/")[2]:
            return within
        raise ToolError(f"the patch changes {section.name}, and path is {within}", todo="give one path for all of it")
    for given in (section.name, f"{within}/{section.name}"):
        try:
            path = folders.named(given)
        except ToolError:
            continue
        if path.startswith(f"{within}/"):
            return path
    raise ToolError(f"the patch changes {section.name}, which is not beneath {within}", todo="give another path")


def parse_patch(text: str) -> list[Section]:
    """The sections of a unified diff; raises ToolError for what is none, and for what it may not do."""
    lines = [line.removesuffix("\n") for line in lines_of(text)]
    sections: list[Section] = []
    at = hunks = 0
    while at < len(lines):
        line = lines[at]
        if refused := next((why for start, why in _REFUSED.items() if line.startswith(start)), None):
            raise ToolError(
                f"the patch {refused}, which files.patch does not do", todo="change the text of files alone"
            )
        if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            sections.append(_section(line, lines[at + 1]))
            at += 2
        elif line.startswith("@@"):
            if not sections:
                raise ToolError("the patch has a hunk before it names a file", todo="begin with --- a/PATH, +++ b/PATH")
            hunks += 1
            at = _hunk(sections[-1], lines, at)
        elif sections and sections[-1].hunks and line[:1] in ("+", "-", " ") and line.strip() not in ("", "--"):
            _miscounted(sections[-1], line)
        else:
            at += 1
    if not sections or not all(section.hunks for section in sections):
        what = f"the patch has no hunk for {sections[-1].name}" if sections else "this is no unified diff"
        raise ToolError(what, todo="give --- a/PATH, +++ b/PATH, then hunks that begin with @@ -1,3 +1,4 @@")
    if len(sections) > MAX_FILES or hunks > MAX_HUNKS:
        raise ToolError(f"the patch changes more than {MAX_FILES} files or has more than {MAX_HUNKS} hunks")
    return sections


def _section(old: str, new: str) -> Section:
    names = [line[4:].split("\t")[0].strip().strip('"') for line in (old, new)]
    if names[1] == NOTHING:
        raise ToolError(
            f"the patch deletes {names[0]}, which files.patch does not do", todo="leave the file, or empty it"
        )
    new_file = names[0] == NOTHING
    given = names[1]
    if given.startswith("b/") and (new_file or names[0].startswith("a/")):
        given, names[0] = given[2:], names[0].removeprefix("a/")
    if not new_file and names[0] != given:
        raise ToolError(f"the patch renames {names[0]} to {given}, which files.patch does not do")
    return Section(given, new_file)


def _hunk(section: Section, lines: Sequence[str], at: int) -> int:
    """Read one hunk, as long as its header says; returns the index of the line after it."""
    header = _HUNK.match(lines[at])
    if header is None:
        raise ToolError(f"{lines[at][:60]!r} is no header of a hunk", todo="write it as @@ -1,3 +1,4 @@")
    counts = {"-": int(header[2] or 1), "+": int(header[3] or 1)}
    hunk = Hunk(int(header[1]))
    section.hunks.append(hunk)
    at += 1
    while any(counts.values()):
        sign, text = (lines[at][:1] or " ", lines[at][1:]) if at < len(lines) else ("", "")
        for side in {" ": "-+", "-": "-", "+": "+"}.get(sign, "!"):
            if counts.get(side, 0) < 1:
                _miscounted(section, lines[at] if at < len(lines) else "the end")
            counts[side] -= 1
        hunk.lines.append((sign, text + "\n"))
        at += 1
        if at < len(lines) and lines[at].startswith("\\"):
            hunk.lines[-1] = (sign, text)
            at += 1
    return at


def _miscounted(section: Section, line: str) -> NoReturn:
    raise ToolError(
        f"hunk {len(section.hunks)} of {section.name} is not as long as its header says, at {line[:60]!r}",
        todo="count again: @@ -START,OLD +START,NEW @@ counts context in both; or use files.edit",
    )


def apply(section: Section, path: str, before: str) -> str:
    """The text after all hunks; raises ToolError, naming the hunk, unless each matches exactly one place."""
    lines = lines_of(before)
    after: list[str] = []
    done = 0
    for number, hunk in enumerate(section.hunks, 1):
        at = _place(hunk, lines, done, f"hunk {number} of {path}")
        after += lines[done:at]
        done = at
        crlf = bool(lines) and lines[min(at, len(lines) - 1)].endswith("\r\n")
        for sign, text in hunk.lines:
            if sign != "+":
                after += lines[done : done + 1] if sign == " " else []
                done += 1
            else:
                if after and not after[-1].endswith("\n"):
                    after[-1] += "\r\n" if crlf else "\n"
                ends = crlf and text.endswith("\n") and not text.endswith("\r\n")
                after.append(text.removesuffix("\n") + "\r\n" if ends else text)
    return "".join(after + lines[done:])


def _place(hunk: Hunk, lines: Sequence[str], done: int, name: str) -> int:
    """Where the hunk's old lines stand: where it says, or else in the only place after the hunk before."""
    old = hunk.old
    if not old and lines:
        raise ToolError(f"{name} has no context", todo="add lines of the file around what is new")
    said = hunk.start - 1 if old else hunk.start
    if said >= done and _matches(old, lines, said):
        return said
    places = [at for at in range(done, len(lines) - len(old) + 1) if _matches(old, lines, at)] if old else []
    if len(places) == 1:
        return places[0]
    if places:
        where = ", ".join(str(at + 1) for at in places[:8])
        raise ToolError(f"{name} matches in {len(places)} places (lines {where}), none as it says", todo="add context")
    n, had, wants = next(_mismatches(old, lines, max(said, 0)), (said + 1, "the end of the file", ""))
    why = f"{name} does not match: line {n} is {had[:120]!r}, and the patch expects {wants[:120]!r}"
    raise ToolError(why, todo="read the file and make the patch from what it holds now")


def _matches(old: Sequence[str], lines: Sequence[str], at: int) -> bool:
    return at + len(old) <= len(lines) and not any(_mismatches(old, lines, at))


def _mismatches(old: Sequence[str], lines: Sequence[str], at: int) -> Iterator[tuple[int, str, str]]:
    """(line number, what is there, what the patch expects). Line ends are the file's own affair."""
    for n, wanted in enumerate(old, at):
        had = lines[n] if n < len(lines) else None
        if had is None or had.rstrip("\r\n") != wanted.rstrip("\r\n"):
            yield n + 1, "the end of the file" if had is None else had.rstrip("\r\n"), wanted.rstrip("\r\n")
