"""Anchors: places out of reach of whoever holds the log, where its heads are kept (DESIGN 8).

A log alone cannot prove its own tail. Whoever cuts it off has to cut the anchors too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ringfence.core.errors import JournalError
from ringfence.manifest.types import Audit
from ringfence.proof import note as notes
from ringfence.proof import programs
from ringfence.proof.keys import sync_folder
from ringfence.proof.note import Checkpoint

from .post import post

_MODE = 0o644  # a head says nothing of what is in the log, and an auditor reads it under another user
_MAX_BYTES = 1 << 28  # of a file of heads: about a million
_SAME_NAME = 100  # heads of one size and root: hand-overs, and cosignatures that came later


class AnchorError(JournalError):
    """An anchor's: absent, full, or refusing."""


class Kept(NamedTuple):
    """What an anchor holds: whole notes, oldest first, and pieces of notes that an interrupted writer left."""

    notes: list[str]
    torn: list[str]


class Anchor(Protocol):
    """Keeps signed heads. `put` is called from a thread of its own."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def put(self, note: str) -> None:
        """Keep a head; durable when it returns. Raises AnchorError."""
        ...


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """A file that heads are appended to. Its folder has to be there: one that is not mounted is not made up."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return f"file {self.path}"

    def put(self, note: str) -> None:
        """Append and sync, behind an empty line: a piece that an interrupted writer left stays what it is."""
        with _faults(self.name, "make its folder, mount its disk, or name another file"):
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            fd = os.open(self.path, flags, _MODE)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                size = os.fstat(fd).st_size
                begin = "" if not size else "\n" if os.pread(fd, 1, size - 1) == b"\n" else "\n\n"
                data = (begin + note).encode()
                written = os.write(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            if size == 0:
                sync_folder(self.path.parent)
        if written < len(data):
            raise AnchorError(f"anchor {self.name} took {written} of {len(data)} bytes", todo="free some space there")


@dataclass(frozen=True, slots=True)
class DirectoryAnchor:
    """A folder that gets a file for each head, `<size>-<root>.note`, and never loses or changes one."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return f"directory {self.path}"

    def put(self, note: str) -> None:
        """Written beside, synced, then linked into its place: there is no half-written head under its name."""
        checkpoint = Checkpoint.parse(notes.unverified(note))
        stem = f"{checkpoint.size:012d}-{checkpoint.root.hex()[:8]}"
        data = note.encode()
        temp = self.path / f".{stem}.{os.getpid()}.{hashlib.sha256(data).hexdigest()[:8]}"
        with _faults(self.name, "make the folder, mount its disk, or name another one"):
            try:
                with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE), "wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                self._place(temp, stem, data)
            finally:
                temp.unlink(missing_ok=True)
            sync_folder(self.path)

    def _place(self, temp: Path, stem: str, data: bytes) -> None:
        for turn in range(_SAME_NAME):
            target = self.path / (f"{stem}.{turn}.note" if turn else f"{stem}.note")
            try:
                os.link(temp, target)  # a link fails where a rename would replace
                return
            except FileExistsError:
                if target.read_bytes() == data:
                    return
        raise AnchorError(
            f"anchor {self.name} holds {_SAME_NAME} heads called {stem}", todo="see who else writes there"
        )


@dataclass(frozen=True, slots=True)
class HttpAnchor:
    """An address that each head is posted to, as text/plain; any 2xx means that it is kept."""

    url: str
    timeout_s: float = 10.0

    @property
    def name(self) -> str:
        """The address."""
        return f"url {self.url}"

    def put(self, note: str) -> None:
        """A redirect is not followed: the manifest says who gets the heads."""
        try:
            answer = post(self.url, note, timeout_s=self.timeout_s)
        except JournalError as error:
            raise AnchorError(f"anchor {error.what}", todo=error.todo) from None
        if not 200 <= answer.status < 300:
            raise AnchorError(
                f"anchor {self.name}: expected a status of 200 to 299, got {answer.status}: {answer.text[:200]!r}",
                todo="see what listens there; the next head is sent anyway",
            )


@dataclass(frozen=True, slots=True)
class CommandAnchor:
    """A program that reads a head on stdin; exit code 0 means that it is kept."""

    argv: Sequence[str]
    timeout_s: float = 10.0
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The program."""
        return f"command {self.argv[0]}"

    def put(self, note: str) -> None:
        """Run it once."""
        try:
            programs.ask(self.argv, note.encode(), timeout_s=self.timeout_s, folder=self.folder)
        except JournalError as error:
            raise AnchorError(f"anchor {self.name}: {error.what}", todo=error.todo) from None


def from_manifest(audit: Audit, root: Path) -> list[Anchor]:
    """The anchors of a manifest; relative paths start from `root`."""
    made: list[Anchor] = []
    for config in audit.anchors:
        if config.file is not None:
            made.append(FileAnchor(root / config.file))
        elif config.directory is not None:
            made.append(DirectoryAnchor(root / config.directory))
        elif config.url is not None:
            made.append(HttpAnchor(config.url, config.timeout_s))
        else:
            made.append(CommandAnchor(config.command or (), config.timeout_s, root))
    return made


def read(path: Path) -> Kept:
    """The heads that a file or a folder of notes holds. Raises AnchorError if it is not there or cannot be read.

    Nothing is checked here: a head counts when `note.opened` says who signed it.
    """
    whole, torn = list[str](), list[str]()
    with _faults(str(path), "read it as a user who may, or copy it here"):
        if not path.exists():
            raise AnchorError(
                f"expected heads at the anchor {path}, got nothing: it is not there",
                todo="mount its disk, or name the file or the folder that the heads were kept in",
            )
        for file in sorted(path.glob("*.note")) if path.is_dir() else [path]:
            if file.stat().st_size > _MAX_BYTES:
                raise AnchorError(f"{file} has more than {_MAX_BYTES} bytes", todo="cut it into several, and name each")
            found, pieces = notes.split(file.read_bytes().decode(errors="replace"))
            whole += found
            torn += pieces
    return Kept(whole, torn)


@contextmanager
def _faults(name: str, todo: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AnchorError(f"anchor {name} failed: {error.strerror or error}", todo=todo) from None
