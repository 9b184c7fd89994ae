"""The log of changes to files: what was there before, so that a change is made wholly or not at all, once, and undone.

A change of several files is written down (bytes before, hashes of both sides) before the first file is touched. If the
process dies in between, whoever opens the log next finds a change that is still `open`: if all of its files are as they
were to become, it is done; else those that are get their old bytes back. Staged files of the dead go with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import apsw

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.values import JSON

from . import atomic
from .atomic import Found, Spot, sha256
from .folders import Folders

KEEP_CHANGES = 100
KEEP_BYTES = 64 * 2**20
LOCK_S = 10.0
_PRAGMAS = "pragma journal_mode=truncate; pragma synchronous=full; pragma secure_delete=on"
_SCHEMA = """
create table if not exists change(
    id integer primary key autoincrement, call text not null, state text not null, result text not null default '{}');
create table if not exists file(
    change integer not null, path text not null, before blob, old text not null, new text not null, mode integer,
    temp text not null, primary key(change, path)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """One file of a change: its path as the operator names it, what was found there (None: nothing), what is to be."""

    path: str
    found: Found | None
    after: bytes

    @property
    def before(self) -> bytes:
        """The bytes before; of a new file, none."""
        return self.found.data if self.found else b""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    before: bytes | None
    old: str
    new: str
    mode: int | None
    temp: str


class Changes:
    """Makes and undoes changes of files beneath `folders`; keeps the last ones in `state`, a folder of its own (0700).

    `keep` and `keep_bytes` bound how many changes, and how many bytes of earlier contents, can be undone. Nothing is
    opened before the first change. Raises ManifestError if `state` lies where the tools may write.
    """

    def __init__(
        self, folders: Folders, state: Path, *, keep: int = KEEP_CHANGES, keep_bytes: int = KEEP_BYTES
    ) -> None:
        self.folders = folders
        self._state = state
        self._keep = keep
        self._keep_bytes = keep_bytes
        for root in folders.roots:
            if _reached(Path(root.place).resolve(), state.resolve()):
                raise ManifestError(
                    f"target_paths: {root.name or '.'} and the folder that undoes changes lie in each other",
                    todo="name folders in target_paths that hold no state of the agent",
                )

    def look(self, path: str) -> tuple[str, Found | None]:
        """A path as the operator names it, and the text file that is there, or None. Raises ToolError for others."""
        with atomic.spot(self.folders, path) as at:
            found = atomic.look(at, self.folders.max_file_bytes)
            if found is not None:
                atomic.check_text(at, found)
            return at.path, found

    def make(
        self, call: JSON, plan: Callable[[], Sequence[Edit]], result: Callable[[str], JSON], *, once: bool
    ) -> JSON:
        """Plan and make a change; all of its files or, with ToolError, none. `result` gets the handle to undo it.

        With `once`, a call (any JSON that names it) that was made before and not undone is answered, not made again.
        """
        with self._open() as log:
            key = sha256(json.dumps(call, sort_keys=True).encode())
            if once and (known := log.known(key)):
                return log.already(*known)
            edits = [edit for edit in plan() if edit.found is None or edit.found.data != edit.after]
            if not edits:
                return result("")
            return log.make(key, edits, result)

    def undo(self, path: str, change: str) -> JSON:
        """Put back what was there before a change: the last one of the path, or the one that `change` names."""
        with self._open() as log:
            return log.undo(path, change)

    def undone(self, path: str, change: str) -> list[tuple[str, bytes, bytes]]:
        """What `undo` would do: path, bytes now, bytes then, of each file."""
        with self._open() as log:
            _, files = log.chosen(path, change)
            return [(file.path, log.current(file) or b"", file.before or b"") for file in files]

    @contextmanager
    def _open(self) -> Iterator[_Log]:
        """The log, locked against every other process, and in order: what a killed one left half done is settled."""
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise ToolError(f"earlier contents cannot be kept: {error.strerror}", todo="tell the operator") from None
        with ExitStack() as stack:
            stack.callback(os.close, lock)
            _lock(lock)
            try:
                db = stack.enter_context(contextlib.closing(apsw.Connection(str(self._state / "changes.db"))))
                db.execute(_PRAGMAS).fetchall()
                db.execute(_SCHEMA).fetchall()
                log = _Log(db, self.folders, stack)
                log.settle()
                yield log
                log.prune(self._keep, self._keep_bytes)
            except apsw.Error as error:
                raise ToolError(f"earlier contents cannot be kept: {error}", todo="tell the operator") from None
            except OSError as error:
                raise ToolError(f"the change was not made: {error.strerror}") from None


class _Log:
    """The open log, for one change."""

    def __init__(self, db: apsw.Connection, folders: Folders, stack: ExitStack) -> None:
        self._db = db
        self._folders = folders
        self._stack = stack
        self._spots: dict[str, Spot] = {}

    def make(self, key: str, edits: Sequence[Edit], result: Callable[[str], JSON]) -> JSON:
        change, answer, files = self._intend(key, edits, result)
        work = [(self._spot(file.path), edit.found, edit.after, file.temp) for file, edit in files]
        try:
            for at, found, after, temp in work:
                atomic.stage(at, found, after, temp)
            for at, found, _, _ in work:
                atomic.unchanged(at, found)
            for at, found, _, temp in work:
                atomic.swap(at, found, temp)
        except BaseException:
            self.settle()
            raise
        self._db.execute("update change set state = 'done' where id = ?", (change,))
        return answer

    def _intend(
        self, key: str, edits: Sequence[Edit], result: Callable[[str], JSON]
    ) -> tuple[int, JSON, list[tuple[_File, Edit]]]:
        """Write down, durable, what is about to be done."""
        files = []
        with self._db:
            ((change,),) = self._rows("insert into change(call, state) values(?, 'open') returning id", key)
            answer = result(f"c{change}")
            self._db.execute("update change set result = ? where id = ?", (json.dumps(answer), change))
            for edit in edits:
                before, mode = (edit.found.data, edit.found.mode) if edit.found else (None, None)
                temp = f".ringfence-{secrets.token_hex(8)}.tmp"
                file = _File(edit.path, before, sha256(before), sha256(edit.after), mode, temp)
                self._db.execute("insert into file values(?, ?, ?, ?, ?, ?, ?)", (change, *astuple(file)))
                files.append((file, edit))
        return change, answer, files

    def known(self, key: str) -> tuple[int, str] | None:
        """The change that this call made, and what it answered."""
        sql = "select id, result from change where call = ? and state = 'done' order by id desc limit 1"
        return next(iter(self._rows(sql, key)), None)

    def already(self, change: int, result: str) -> JSON:
        """The answer of a call that was made before, if what it made is still so."""
        self._stands(change, self.files(change), todo="read it again; to change it once more, give more of its lines")
        return {**json.loads(result), "note": "this very call was made before; nothing was changed again"}

    def chosen(self, path: str, change: str) -> tuple[int, list[_File]]:
        """The change to be undone, every file of which is as the change left it."""
        name = self._spot(path).path
        sql = (
            "select id, state from change join file on change = id where path = ? and state in ('done', 'undone')"
            " order by id desc"
        )
        changes = self._rows(sql, name)
        if not changes:
            raise ToolError(f"no change of {name} is on record", todo="only changes made by these tools can be undone")
        wanted = changes[0] if not change else next((c for c in changes if f"c{c[0]}" == change), None)
        earlier = ", ".join(f"c{id}" for id, state in changes if state == "done")
        if wanted is None:
            raise ToolError(f"{change} is no change of {name}", todo=f"there are: {earlier or 'none to undo'}")
        if wanted[1] == "undone":
            more = f"to undo an earlier one, give change, one of {earlier}" if earlier else "nothing else to undo"
            raise ToolError(f"c{wanted[0]}, the last change of {name}, is undone already", todo=more)
        files = self.files(wanted[0])
        newest = next(id for id, state in changes if state == "done")
        later = f"undo c{newest} first" if wanted[0] != newest else "read it; write what it should hold"
        self._stands(wanted[0], files, todo=later)
        return wanted[0], files

    def undo(self, path: str, change: str) -> JSON:
        id, files = self.chosen(path, change)
        self._db.execute("update change set state = 'undoing' where id = ?", (id,))
        self.settle()
        undone: list[JSON] = [{"path": f.path, "sha256": f.old} for f in files]
        return {"undone": f"c{id}", **(undone[0] if len(undone) == 1 else {"files": undone})}

    def settle(self) -> None:
        """End what was begun: a change that is not whole is taken back, one that was being undone is undone.

        Raises ToolError, once, if a file cannot be given its old bytes (its folder is gone, say); they stay on record.
        """
        for change, state in self._rows("select id, state from change where state in ('open', 'undoing')"):
            files = self.files(change)
            for file in files:
                with contextlib.suppress(ToolError):
                    atomic.discard(self._spot(file.path), file.temp)
            whole = state == "open" and all(self._is_new(file) for file in files)
            torn = [] if whole else [file.path for file in files if not self._settled(file)]
            if torn or whole or state == "undoing":
                ends = "torn" if torn else "done" if whole else "undone"
                self._db.execute("update change set state = ? where id = ?", (ends, change))
            else:
                self._forget(change)
            if torn:
                raise ToolError(f"c{change} was cut off, and {', '.join(torn)} could not be put back as before")

    def _is_new(self, file: _File) -> bool:
        try:
            return sha256(self.current(file)) == file.new
        except ToolError:
            return False

    def _settled(self, file: _File) -> bool:
        try:
            self._put_back(file)
        except (ToolError, OSError):
            return False
        return True

    def prune(self, keep: int, keep_bytes: int) -> None:
        sql = (
            "select id, (select coalesce(sum(length(before)), 0) from file where change = id) from change"
            " order by id desc"
        )
        count = total = 0
        for change, size in self._rows(sql):
            count, total = count + 1, total + size
            if count > keep or (total > keep_bytes and count > 1):
                self._forget(change)

    def files(self, change: int) -> list[_File]:
        sql = "select path, before, old, new, mode, temp from file where change = ?"
        return [_File(*row) for row in self._rows(sql, change)]

    def current(self, file: _File) -> bytes | None:
        found = self._found(file)[1]
        return found.data if found else None

    def _found(self, file: _File) -> tuple[Spot, Found | None]:
        at = self._spot(file.path)
        return at, atomic.look(at, max(self._folders.max_file_bytes, len(file.before or b"")))

    def _stands(self, change: int, files: Sequence[_File], *, todo: str) -> None:
        for file in files:
            if sha256(self.current(file)) != file.new:
                raise ToolError(f"{file.path} was changed since c{change}: its SHA-256 is another", todo=todo)

    def _put_back(self, file: _File) -> None:
        """Give a file that is as the change made it its old bytes; leave any other as it is."""
        if not atomic.is_regular(self._spot(file.path)):
            return
        at, found = self._found(file)
        if found is None or sha256(found.data) != file.new:
            return
        if file.before is None:
            atomic.remove(at, found)
        else:
            atomic.stage(at, found, file.before, file.temp, file.mode)
            atomic.swap(at, found, file.temp)

    def _forget(self, change: int) -> None:
        with self._db:
            self._db.execute("delete from file where change = ?", (change,))
            self._db.execute("delete from change where id = ?", (change,))

    def _spot(self, path: str) -> Spot:
        if path not in self._spots:
            self._spots[path] = self._stack.enter_context(atomic.spot(self._folders, path))
        return self._spots[path]

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        return self._db.execute(sql, values).fetchall()


def _lock(fd: int) -> None:
    until = time.monotonic() + LOCK_S
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise ToolError("another change is still under way", todo="try again") from None
            time.sleep(0.01)


def _reached(root: Path, state: Path) -> bool:
    """Whether tools that write beneath `root` could touch `state`: what is hidden they do not."""
    if not state.is_relative_to(root):
        return root.is_relative_to(state)
    return not any(part.startswith(".") for part in state.relative_to(root).parts)
