"""`files.write` and `files.edit`: a file made or replaced as a whole, and an exact replacement in one."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from ringfence.core.errors import ToolError
from ringfence.core.policy import Effect, Leaf, Role, SinkSpec
from ringfence.core.values import JSON, Action, Outcome

from .atomic import sha256
from .changes import Changes, Edit
from .difference import Difference, difference, numbered, same, shown
from .folders import size_text
from .tool import KNOWN_PATH, Args, Tool, Use, parse, specify

NEAREST = 3
COMPARED_LINES = 4_000  # of a file, when the nearest lines are looked for
BOM = "\ufeff"
ROLES = {**dict.fromkeys(("text", "old", "new", "patch"), Role.TEXT), "all": Role.LOW}
WORDS = {  # what a user says for it: nobody loses a file to a mode that the model picked
    "mode": {
        "append": ("append", "add", "write", "put", "note", "save"),
        "overwrite": ("overwrite", "replace", "rewrite"),
    },
}
SUITS = {  # a small model reaches for files.write whatever the task says
    "files.write": r"\b(?:write|save|put|store|create|append)\b|"
    r"\badd\b[^.?!]{1,80}\b(?:to|into) (?:the )?(?:file )?[\w./-]+\.\w",
    "files.edit": r"\b(?:replace|correct|change|rename)\b.+\b(?:with|by|to|into)\b",
    "files.patch": r"\b(?:patch|diff)\b",
    "files.undo": r"\b(?:undo|revert|take back)\b",
}
LEAVES = {"/undo": Leaf("change")}  # no path: what a yes to one call wrote to would be vouched for in the next

WritePath = Annotated[
    str, Field(description="a file path such as runbooks/disk.md", min_length=1, json_schema_extra=KNOWN_PATH)
]


class WriteArgs(Args):
    """Arguments of files.write."""

    path: Annotated[str, Field(description="a file path such as runbooks/disk.md", min_length=1)]
    text: Annotated[str, Field(description="all that the file shall hold; with append, the lines to add")]
    mode: Annotated[
        Literal["create", "overwrite", "append"], Field(description="create refuses a file that is there already")
    ] = "create"


class EditArgs(Args):
    """Arguments of files.edit."""

    path: WritePath
    old: Annotated[str, Field(description="the exact text to replace; it must occur once", min_length=1)]
    new: Annotated[str, Field(description="the text to put in its place; empty to remove it")]
    all: Annotated[bool, Field(description="true to replace every occurrence")] = False


A = TypeVar("A", bound=BaseModel)


class _Editing(Generic[A]):
    """A tool that changes files: a sink, and the preview of the same plan."""

    def __init__(self, name: str, args: type[A], changes: Changes, plan: Callable[[A], Sequence[Edit]]) -> None:
        self._name = name
        self._args = args
        self._changes = changes
        self._plan = plan

    async def perform(self, action: Action) -> Outcome:
        """Make the change; the same call of the same run again is answered, not made again."""
        args = parse(self._args, action.args)
        return Outcome(await asyncio.to_thread(self.change, args, action.run))

    async def preview(self, given: Mapping[str, JSON]) -> str:
        """The unified diff of what the call would change now."""
        args = parse(self._args, given)
        return await asyncio.to_thread(lambda: shown([_difference(edit) for edit in self._plan(args)]))

    def change(self, args: A, run: str = "") -> JSON:
        """What `perform` does, in this thread. Raises ToolError."""
        planned: list[Edit] = []

        def plan() -> Sequence[Edit]:
            planned.extend(self._plan(args))
            return planned

        call = [run, self._name, args.model_dump(mode="json")]
        once = getattr(args, "mode", "append") == "append"  # to write the same text again changes nothing
        return self._changes.make(call, plan, lambda handle: _result(planned, handle), once=once)


def write_file(changes: Changes, use: Use) -> Tool:
    """The tool `files.write`."""
    summary = "Make a text file, replace all of it (mode=overwrite) or add to its end (mode=append). It can be undone."
    return editing("files.write", summary, WriteArgs, changes, use, written)


def edit_file(changes: Changes, use: Use) -> Tool:
    """The tool `files.edit`."""
    summary = "Replace an exact text in a file by another one. Read the file first. It can be undone."
    return editing("files.edit", summary, EditArgs, changes, use, edited)


def editing(
    name: str, summary: str, args: type[A], changes: Changes, use: Use, plan: Callable[[Changes, A], Sequence[Edit]]
) -> Tool:
    """A tool that changes what `plan` says."""
    sink = _Editing(name, args, changes, partial(plan, changes))
    return Tool(entry(name, summary, args, use), sink, sink.preview)


def entry(name: str, summary: str, args: type[BaseModel], use: Use) -> SinkSpec:
    """The catalogue entry of a tool that changes files: confined, idempotent, and it can be undone.

    Nobody sees what is written but those who may read the folders; its audience is the run's own principal.
    """
    return specify(
        name, summary, args, use=use, effect=Effect.WRITE, confined=True, idempotent=True, reversible=True,
        audience=None, roles=ROLES, leaves=LEAVES, words=WORDS,
        types={key: key for key in ("path", "change") if key in args.model_fields}, suits=SUITS.get(name, ""),
    )  # fmt: skip


def written(changes: Changes, args: WriteArgs) -> list[Edit]:
    """What files.write changes."""
    path, found = changes.look(args.path)
    before = found.text if found else ""
    if args.mode == "create" and found is not None and before != args.text:
        raise ToolError(f"{path} is there already", todo="use files.edit, or mode=overwrite to replace all of it")
    text = _like(before, args.text)
    if args.mode == "append":
        text = before + (_ends(before) if before and not before.endswith("\n") else "") + text
    elif before.startswith(BOM) and not text.startswith(BOM):
        text = BOM + text
    return [Edit(path, found, encoded(changes, path, text))]


def edited(changes: Changes, args: EditArgs) -> list[Edit]:
    """What files.edit changes."""
    path, found = changes.look(args.path)
    if found is None:
        raise ToolError(f"there is no file {path}", todo="use files.list to see the files, or files.write to make one")
    if args.old == args.new:
        raise ToolError("old and new are the same text", todo="give in new what old shall become")
    before = found.text
    lines = r"\r?\n" if "\r" not in args.old else r"\n"
    pattern = re.compile(lines.join(re.escape(part) for part in args.old.split("\n")))
    places = [match.span() for match in pattern.finditer(before)]
    if not places:
        raise ToolError(f"old does not occur in {path}", todo=_nearest(before, args.old))
    if len(places) > 1 and not args.all:
        where = ", ".join(str(before.count("\n", 0, start) + 1) for start, _ in places[:10])
        why = f"old occurs {len(places)} times in {path}: on lines {where}{', ...' if len(places) > 10 else ''}"
        raise ToolError(why, todo="give more of the text around the one you mean, or all=true")
    pieces, end = [], 0
    for start, stop in places:
        pieces += [before[end:start], _replaced(before, (start, stop), args)]
        end = stop
    return [Edit(path, found, encoded(changes, path, "".join([*pieces, before[end:]])))]


def encoded(changes: Changes, path: str, text: str) -> bytes:
    """The bytes of a text; raises ToolError if it is too long, or holds what no text file does."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise ToolError(
            "the text holds half of a character (a lone surrogate)", todo="write it as plain text"
        ) from None
    if "\0" in text:
        raise ToolError("the text holds a NUL character, which no text file does")
    if len(data) > (limit := changes.folders.max_file_bytes):
        raise ToolError(f"{path} would have {size_text(len(data))}, more than the limit of {size_text(limit)}")
    return data


def _replaced(before: str, span: tuple[int, int], args: EditArgs) -> str:
    """`new` with the line ends of what it replaces; lines that old and new share keep their own."""
    if "\r" in args.old or "\r" in args.new:
        return args.new
    had, old, new = (text.split("\n") for text in (before[slice(*span)], args.old, args.new))
    head = same(old[:-1], new[:-1])
    tail = same(old[head:][::-1], new[head:][::-1])
    middle = new[head : len(new) - tail]
    end = before.find("\n", span[0])
    if before[: end if end >= 0 else before.rfind("\n") + 1].removesuffix("\n").endswith("\r"):
        middle = [line + "\r" for line in middle[: len(middle) - (not tail)]] + ([] if tail else middle[-1:])
    return "\n".join([*had[:head], *middle, *had[len(had) - tail :]])


def _ends(text: str) -> str:
    """The line end of a text: `\\r\\n` if all of its lines have it."""
    count = text.count("\n")
    return "\r\n" if count and text.count("\r\n") == count else "\n"


def _like(before: str, text: str) -> str:
    """A text with the line ends of the one it replaces or continues."""
    return text.replace("\n", "\r\n") if _ends(before) == "\r\n" and "\r" not in text else text


def _nearest(before: str, old: str) -> str:
    """The lines that look most like the first line of what was looked for, with their numbers."""
    wanted = next((line.strip() for line in old.splitlines() if line.strip()), "")[:200]
    lines = [(number, line) for number, line in numbered(before) if line.strip()][:COMPARED_LINES]
    near = difflib.get_close_matches(wanted, {line.strip()[:200] for _, line in lines}, n=NEAREST, cutoff=0.5)
    found = [f"line {n}: {line[:160]!r}" for n, line in lines if line.strip()[:200] in near][:NEAREST]
    advice = "copy old from the file exactly, spaces too"
    return f"{advice}; the nearest: {'; '.join(found)}" if found else f"{advice}; use files.read to see it"


def _difference(edit: Edit) -> Difference:
    return difference(edit.path, edit.before.decode(), edit.after.decode(), new=edit.found is None)


def _result(planned: Sequence[Edit], handle: str) -> JSON:
    """What a model and an auditor want to know of a change."""
    files: list[JSON] = []
    for edit in planned:
        diff = _difference(edit)
        files.append(
            {"path": edit.path, "bytes": len(edit.after), "lines": f"+{diff.added} -{diff.removed}",
             "sha256_before": sha256(edit.found.data if edit.found else None), "sha256": sha256(edit.after)}
        )  # fmt: skip
    told = {"undo": handle} if handle else {"note": "it was so already; nothing was changed"}
    return {**files[0], **told} if len(files) == 1 else {"files": files, **told}
