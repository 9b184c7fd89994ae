"""The folders that a group of tools may read, under the names that the operator gave them."""

from __future__ import annotations

import difflib
import errno
import os
import stat
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ringfence.core.errors import ManifestError, ToolError

from .confine import Opener, best_opener, open_stepwise
from .encoded import is_packed, narrowed

MAX_FILES = 100_000
MAX_DEPTH = 20
MAX_FILE_BYTES = 5 * 2**20
MAX_STREAM_BYTES = 2**40  # time ends first
SNIFF_BYTES = 8_192
MAX_NAME_BYTES = 240
MAX_ALIKE = 5_000  # names that are compared with one that was misspelled
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # NONBLOCK: opening a fifo must not wait for a writer
_PATH = getattr(os, "O_PATH", os.O_RDONLY)
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


@dataclass(frozen=True, slots=True)
class Root:
    """One entry of `target_paths`: its name for the model, its absolute path, its folder's fd.

    `only` is a file's name when the operator named a single file instead of a folder.
    """

    name: str
    place: str
    fd: int
    only: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file found on a walk. `changed` is in nanoseconds since 1970."""

    path: str
    size: int
    changed: int


@dataclass(slots=True)
class Walk:
    """The files beneath a path, sorted, and what was left out, in words."""

    files: list[Entry] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """An open regular file, which is in UTF-8 if it was UTF-16. `changed` is in nanoseconds since 1970."""

    path: str
    size: int
    changed: int
    stream: BinaryIO

    def read(self, max_bytes: int) -> bytes:
        """The content; raises ToolError if it is larger or binary."""
        data = self.stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise ToolError(f"{self.path} is larger than the limit of {size_text(max_bytes)}")
        if is_packed(data):
            raise packed(self.path)
        if is_binary(data[:SNIFF_BYTES]):
            raise ToolError(f"{self.path} is a binary file, not text")
        return data


def packed(path: str) -> ToolError:
    """What is said of a file that was compressed, where its lines cannot be shown."""
    return ToolError(f"{path} is compressed by gzip", todo="use text.count or files.search, which read it")


def is_binary(head: bytes) -> bool:
    """Whether the first bytes of a file hold a NUL, as git decides it."""
    return b"\0" in head


def size_text(count: int) -> str:
    """`512 B`, `1.5 MB`."""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount == int(amount) else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


class Folders:
    """Opens and walks files beneath the roots; hidden files (`.env`, `.git`) are not read unless a root names them."""

    def __init__(
        self,
        targets: Sequence[Path],
        *,
        base: Path,
        real: Sequence[Path] = (),
        max_file_bytes: int = MAX_FILE_BYTES,
        max_stream_bytes: int = 0,
        max_files: int = MAX_FILES,
        opener: Opener | None = None,
    ) -> None:
        """Opens each target once; relative ones are beneath `base`. Raises ManifestError if one cannot be opened.

        `real` says where the targets are, for a process that does not see the links that lead to them. A file larger
        than `max_file_bytes` is not read as a whole, one larger than `max_stream_bytes` (the same, if it is 0) not
        searched in pieces either.
        """
        self.max_file_bytes = max_file_bytes
        self.max_stream_bytes = max_stream_bytes or max_file_bytes
        self._max_files = max_files
        self._open_fd = opener or best_opener()
        self.roots: tuple[Root, ...] = ()
        places: Sequence[Path | None] = real or [None] * len(targets)
        for target, place in zip(targets, places, strict=True):
            root = _open_root(target, base, place)
            weakref.finalize(self, os.close, root.fd)
            self.roots += (root,)

    @property
    def names(self) -> str:
        """The roots, for a message: `runbooks, logs`."""
        return ", ".join(root.name or "." for root in self.roots)

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        """A regular file by the path that the model gave. Raises ToolError for everything that is not one."""
        root, rest = self.locate(path)
        name = _join(root, rest)
        fd = self._open(root, rest, name)
        try:
            info = os.fstat(fd)
        except BaseException:
            os.close(fd)
            raise
        with os.fdopen(fd, "rb", buffering=65_536) as stream:
            text, size = narrowed(stream, info.st_size, self.max_file_bytes)
            yield Source(name, size, info.st_mtime_ns, text)

    def _open(self, root: Root, rest: str, name: str) -> int:
        try:
            fd = self._open_fd(root.fd, rest, _FLAGS)
        except OSError as error:
            raise self._explain(error, name) from None
        kind = stat.S_IFMT(os.fstat(fd).st_mode)
        if kind == stat.S_IFREG:
            return fd
        os.close(fd)
        if kind == stat.S_IFDIR:
            raise ToolError(f"{name} is a folder", todo=f"use files.list with path {name} to see its files")
        raise ToolError(f"{name} is {_KINDS.get(kind, 'something')}, not a regular file")

    def open_folder(self, path: str) -> tuple[str, int, str]:
        """For a file to be written: its name for the model, an fd of its folder, its own name there.

        No link is followed on the way, not even one that leads nowhere else. The caller closes the fd.
        """
        root, rest = self.locate(path, new=True)
        name, (above, _, last) = _join(root, rest), rest.rpartition("/")
        if not last:
            raise ToolError(f"{name} is a folder", todo="give the path of a file")
        if len(os.fsencode(last)) > MAX_NAME_BYTES:
            raise ToolError(f"the file name has more than {MAX_NAME_BYTES} bytes", todo="give a shorter one")
        try:
            return name, open_stepwise(root.fd, above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), last
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                why = f"{_join(root, above)} is no folder (links are not followed to write, and no folder is made)"
                raise ToolError(why, todo=f"use a folder that is there, beneath {self.names}") from None
            raise self._explain(error, name) from None

    def named(self, path: str) -> str:
        """The operator's name of a path, where no file need be yet; raises ToolError if it has no place."""
        return _join(*self.locate(path, new=True))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at a path; raises ToolError if it has no place."""
        return self._is_folder(*self.locate(path, new=True))

    def locate(self, path: str, *, new: bool = False) -> tuple[Root, str]:
        """The root and the path beneath it that are meant: `./`, a leading `/` and a missing root name are forgiven.

        `new`: the file may be one that is not there yet.
        """
        given = path.strip().strip("'\"`")
        if "\0" in given or not given.isprintable() or len(given) > 1024:
            raise ToolError("path holds characters that no file name has, or is too long")
        absolute = given.startswith("/")
        plain = "/".join(part for part in given.split("/") if part not in ("", "."))
        wanted = [f"/{plain}", plain] if absolute else [plain]
        for text in wanted:
            for root in sorted(self.roots, key=lambda root: -len(root.name)):
                for prefix in (root.name, root.place):
                    rest = _beneath(text, prefix)
                    if rest is not None:
                        return self._allowed(root, rest, given)
        return self._guess(plain, given, new=new)

    def _guess(self, plain: str, given: str, *, new: bool) -> tuple[Root, str]:
        """The one root beneath which a path exists that was given without the root's name."""
        if ".." in plain.split("/"):
            raise self._outside(given)
        found = [root for root in self.roots if self._exists(root, plain)]
        if len(found) == 1:
            return self._allowed(found[0], plain, given)
        if found:
            raise ToolError(
                f"{given} may be " + " or ".join(_join(root, plain) for root in found), todo="give one of them"
            )
        if given.startswith("/"):
            raise self._outside(given)
        if new and len(self.roots) == 1 and plain and not self.roots[0].only:
            return self._allowed(self.roots[0], plain, given)
        if new:
            raise ToolError(f"it is not clear where {given} would be", todo=f"begin the path with one of {self.names}")
        raise self._missing(given)

    def _allowed(self, root: Root, rest: str, given: str) -> tuple[Root, str]:
        parts = rest.split("/") if rest else []
        if root.only and parts in ([], [root.only]):
            return root, root.only
        if ".." in parts or root.only:
            raise self._outside(given)
        if any(part.startswith(".") for part in parts):
            raise ToolError(f"{given} is hidden (its name starts with a dot), and hidden files are not read")
        return root, rest

    def _exists(self, root: Root, rest: str) -> bool:
        if root.only:
            return rest == root.only
        try:
            os.close(self._open_fd(root.fd, rest, _FLAGS))
        except (OSError, ValueError):
            return False
        return True

    def _outside(self, given: str) -> ToolError:
        return ToolError(f"{given} is outside the folders you may read", todo=f"use a path beneath {self.names}")

    def _missing(self, name: str) -> ToolError:
        paths = [entry.path for entry in self.walk().files]
        near = _nearest(name, paths)
        todo = f"did you mean {' or '.join(near)}?" if near else f"use files.list to see the files in {self.names}"
        return ToolError(f"there is no file {name}", todo=todo)

    def _explain(self, error: OSError, name: str) -> ToolError:
        match error.errno:
            case errno.ENOENT | errno.ENOTDIR | errno.ENAMETOOLONG:
                return self._missing(name)
            case errno.EXDEV:
                return self._outside(name)
            case errno.ELOOP:
                return ToolError(f"{name} goes through a link that is not followed")
            case errno.EACCES | errno.EPERM:
                return ToolError(f"{name} may not be read by this program", todo="ask the operator to allow reading it")
            case errno.ENXIO | errno.ENODEV:
                return ToolError(f"{name} is a socket or a device, not a regular file")
        return ToolError(f"{name} cannot be opened: {error.strerror}")

    def walk(self, within: str = "", *, seconds: float = 5.0) -> Walk:
        """Every file beneath `within` (all roots by default), in bounded number, depth and time."""
        walk, until = Walk(), time.monotonic() + seconds
        if within.strip(" ./"):
            root, rest = self.locate(within)
            self._walk(root, rest, walk, until, depth=0)
        else:
            for root in self.roots:
                self._walk(root, root.only, walk, until, depth=1)
        unique = {entry.path: entry for entry in walk.files}
        walk.files = [unique[path] for path in sorted(unique)]
        walk.folders = sorted(set(walk.folders))
        return walk

    def _walk(self, root: Root, rest: str, walk: Walk, until: float, *, depth: int) -> None:
        name = _join(root, rest)
        try:
            fd = self._open_fd(root.fd, rest, _FLAGS)
        except OSError as error:
            if depth == 0:
                raise self._explain(error, name) from None
            if error.errno != errno.ENOENT:  # gone since it was listed
                walk.skipped.append(f"{name} (cannot be read)")
            return
        try:
            info = os.fstat(fd)
            if stat.S_ISREG(info.st_mode):
                walk.files.append(Entry(name, info.st_size, info.st_mtime_ns))
                return
            if not stat.S_ISDIR(info.st_mode):
                walk.skipped.append(f"{name} (not a regular file)")
                return
            with os.scandir(fd) as scan:
                children = sorted((e.name, e.is_symlink(), e.is_dir(follow_symlinks=False)) for e in scan)
        finally:
            os.close(fd)
        walk.folders.append(name)
        for child, is_link, is_folder in children:
            path = f"{rest}/{child}" if rest else child
            if reason := self._stop(walk, until, depth, child):
                walk.skipped.append(f"{_join(root, path).encode('utf-8', 'replace').decode()} ({reason})")
                if reason != "name":
                    return
            elif not child.startswith("."):
                if is_link and not is_folder and self._is_folder(root, path):
                    continue  # a folder is walked where it stands, not where a link shows it: links make loops
                self._walk(root, path, walk, until, depth=depth + 1)

    def _stop(self, walk: Walk, until: float, depth: int, child: str) -> str:
        if not child.isprintable():
            return "name"
        if len(walk.files) >= self._max_files:
            return f"and the rest: more than {self._max_files} files"
        if depth >= MAX_DEPTH:
            return f"and the rest: more than {MAX_DEPTH} folders deep"
        return "and the rest: no time left" if time.monotonic() > until else ""

    def _is_folder(self, root: Root, rest: str) -> bool:
        try:
            os.close(self._open_fd(root.fd, rest, _FLAGS | os.O_DIRECTORY))
        except OSError:
            return False
        return True


def _open_root(target: Path, base: Path, real: Path | None) -> Root:
    place = base / target.expanduser()
    real = real or place
    name = "" if target == Path() else target.as_posix()
    what = f"target_paths: {target} cannot be opened"
    try:
        if real.is_file():
            fd = os.open(real.parent, _PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # its other files may be hidden from us
            return Root(name, str(place), fd, only=real.name)
        return Root(name, str(place.absolute()), os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        raise ManifestError(f"{what}: {error.strerror}", todo=f"make the folder {place}, or correct the path") from None


def _join(root: Root, rest: str) -> str:
    if root.only:
        return root.name
    return "/".join(part for part in (root.name, rest) if part) or "."


def _beneath(path: str, prefix: str) -> str | None:
    if not prefix:
        return None if path.startswith("/") else path
    if path == prefix:
        return ""
    return path.removeprefix(prefix + "/") if path.startswith(prefix + "/") else None


def _nearest(name: str, paths: Sequence[str]) -> list[str]:
    """Same file name elsewhere first, then whatever is spelled alike."""
    last = name.rpartition("/")[2]
    same = [path for path in paths if path.rpartition("/")[2].lower() == last.lower()]
    paths = paths[:MAX_ALIKE]
    by_name = {path.rpartition("/")[2]: path for path in reversed(paths)}
    alike = difflib.get_close_matches(name, paths, n=3, cutoff=0.7)
    alike += [by_name[near] for near in difflib.get_close_matches(last, list(by_name), n=3, cutoff=0.6)]
    return list(dict.fromkeys(same + alike))[:3]
