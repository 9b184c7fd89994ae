"""Files that come from outside: kept apart until they are whole, and put below a folder whatever their name says."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import JournalError, ManifestError

__all__ = ["Path", "Placed", "Temporary", "parts_of", "remove"]

SIDECAR = ".readers"  # of a file: who may read it
_DEPTH, _NAME_BYTES = 16, 200
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class There(JournalError):
    """A file of that name is there already."""


class Absent(JournalError):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that is where it belongs."""

    path: str
    size: int
    sha256: str


def parts_of(path: str) -> list[str]:
    """The folders and the name of a path below a folder. Raises ManifestError for one that could mean anything else."""
    parts = path.split("/")
    wrong = next((part for part in parts if not _plain(part)), None)
    if wrong is not None or len(parts) > _DEPTH or path.endswith(SIDECAR):
        raise ManifestError(
            f"expected names with / between, none hidden or ending in {SIDECAR}, got {path[:200]!r}",
            todo="give the file another name",
        )
    return parts


def _plain(part: str) -> bool:
    odd = not part or part.startswith((".", " ")) or part.endswith((" ", ".")) or not part.isprintable()
    return not odd and not set(part) & set('\\:*?"<>|') and len(part.encode(errors="replace")) <= _NAME_BYTES


class Temporary:
    """A file in a collection's folder, hidden for as long as it arrives. `with` removes it unless it was placed."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._name = f".upload-{secrets.token_hex(8)}"
        self._digest = hashlib.sha256()
        self._file = -1
        self.size = 0

    def __enter__(self) -> Temporary:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(self._folder / self._name, _NEW, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)
        (self._folder / self._name).unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Of what has arrived, in hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> bool:
        """Take some more; False for what would be more than is allowed."""
        self.size += len(data)
        if self.size > self._limit:
            return False
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        return True

    def place(self, folder: Path, path: str, *, replace: bool, readers: Sequence[str] = ()) -> Placed:
        """Put it below `folder` as `path`, whole or not at all; no link on the way is followed. Raises There.

        `readers`, where some are named, are written down beside it, and before it: nobody else ever finds it.
        """
        *folders, name = parts_of(path)
        os.fsync(self._file)
        with _opened(folder, folders, make=True) as inside:
            source = os.open(self._folder, _FOLDER & ~os.O_NOFOLLOW)
            try:
                if readers and (replace or not _there(name, inside)):
                    _beside(name, inside, readers)
                if replace:
                    os.rename(self._name, name, src_dir_fd=source, dst_dir_fd=inside)
                else:
                    os.link(self._name, name, src_dir_fd=source, dst_dir_fd=inside, follow_symlinks=False)
            except FileExistsError:
                raise There(f"{path} is there already", todo="replace it, or give another name") from None
            except IsADirectoryError:
                raise There(f"{path} is a folder", todo="give another name") from None
            finally:
                os.close(source)
            os.fsync(inside)
        return Placed(path, self.size, self.sha256)


def _there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _beside(name: str, folder: int, readers: Sequence[str]) -> None:
    """Write down who may read a file."""
    new = f".readers-{secrets.token_hex(8)}"
    with os.fdopen(os.open(new, _NEW, 0o600, dir_fd=folder), "w") as file:
        json.dump(list(readers), file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, name + SIDECAR, src_dir_fd=folder, dst_dir_fd=folder)


def remove(folder: Path, path: str) -> None:
    """Remove a file below a folder, with what says who may read it. Raises Absent."""
    *folders, name = parts_of(path)
    try:
        with _opened(folder, folders, make=False) as inside:
            os.unlink(name, dir_fd=inside)
            with suppress(FileNotFoundError):
                os.unlink(name + SIDECAR, dir_fd=inside)
            os.fsync(inside)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        what = f"there is no file {path} in the collection's folder"
        raise Absent(what, todo="its documents say which are") from None


@contextmanager
def _opened(folder: Path, folders: list[str], *, make: bool) -> Iterator[int]:
    """A folder below another one, by steps that follow no link."""
    at = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)  # the operator may have linked the collection's own folder
    try:
        for name in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=at)
            try:
                below = os.open(name, _FOLDER, dir_fd=at)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise There(f"{name} is no folder", todo="give another path") from None
                raise
            os.close(at)
            at = below
        yield at
    finally:
        os.close(at)
