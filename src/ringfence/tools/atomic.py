"""One file replaced as a whole: whoever looks sees the old bytes or the new ones, never something between.

The folder is opened component by component and never through a link (`confine.open_stepwise`); from then on everything
is relative to that open folder, so that a swapped link leads nowhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ringfence.core.errors import ToolError

from .folders import Folders, is_binary, size_text

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_SHARED = 0o644  # what a new file may get of its folder's mode


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file is or will be: its name for the model, its folder's fd, its own name in it."""

    path: str
    folder: int
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file as it was read. `mark` changes with it: device, inode, size, times of change."""

    data: bytes
    mode: int
    owner: tuple[int, int]
    mark: tuple[int, ...]

    @property
    def text(self) -> str:
        """The content as it is: byte order mark and line ends stay."""
        return self.data.decode()


def sha256(data: bytes | None) -> str:
    """In hex; `""` for a file that is not there."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


@contextmanager
def spot(folders: Folders, path: str) -> Iterator[Spot]:
    """The place that a path names beneath the folders; raises ToolError if its folder is not there or a link."""
    name, folder, last = folders.open_folder(path)
    try:
        yield Spot(name, folder, last)
    finally:
        os.close(folder)


def look(at: Spot, max_bytes: int) -> Found | None:
    """The file that is there, or None. Raises ToolError for whatever is not a text file with one name."""
    try:
        fd = os.open(at.name, _READ, dir_fd=at.folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        kind = _kind(at)
        raise ToolError(f"{at.path} {f'is {kind}' if kind else f'cannot be opened: {error.strerror}'}") from None
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise ToolError(f"{at.path} is {_KINDS.get(stat.S_IFMT(info.st_mode), 'no regular file')}")
    with os.fdopen(fd, "rb") as file:
        if info.st_nlink > 1:
            raise ToolError(f"{at.path} has {info.st_nlink} names (hard links), and only one would be changed")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ToolError(f"{at.path} is larger than the limit of {size_text(max_bytes)}")
    return Found(data, stat.S_IMODE(info.st_mode) & 0o777, (info.st_uid, info.st_gid), _mark(info))


def is_regular(at: Spot) -> bool:
    """Whether a regular file is there, and no link."""
    try:
        return stat.S_ISREG(os.stat(at.name, dir_fd=at.folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def check_text(at: Spot, found: Found) -> None:
    """Raises ToolError if the content is binary or not UTF-8: what cannot be read cannot be edited."""
    if is_binary(found.data):
        raise ToolError(f"{at.path} is a binary file, not text")
    try:
        found.data.decode()
    except UnicodeDecodeError as error:
        raise ToolError(f"{at.path} is not UTF-8 text (byte {error.start})") from None


def stage(at: Spot, found: Found | None, data: bytes, temp: str, mode: int | None = None) -> None:
    """Write the new bytes beside the file, durable, with its mode and, as far as we may, its owner."""
    discard(at, temp)
    folder = os.fstat(at.folder)
    fd = os.open(temp, _FRESH, 0o600, dir_fd=at.folder)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        uid, gid = found.owner if found else (folder.st_uid, folder.st_gid)
        if (uid, gid) != (os.geteuid(), os.getegid()):
            with contextlib.suppress(OSError):  # only root may give files away
                os.fchown(fd, uid, gid)
        os.fchmod(fd, (found.mode if found else folder.st_mode & _SHARED) if mode is None else mode)
        os.fsync(fd)


def swap(at: Spot, found: Found | None, temp: str) -> None:
    """Put the staged bytes in the file's place, unless it is not as it was found: then ToolError."""
    unchanged(at, found)
    if found is None:
        try:  # a link fails where a rename would replace: nothing that came in between is lost
            os.link(temp, at.name, src_dir_fd=at.folder, dst_dir_fd=at.folder, follow_symlinks=False)
        except FileExistsError:
            raise ToolError(f"{at.path} came into being meanwhile", todo="read it first") from None
        discard(at, temp)
    else:
        os.rename(temp, at.name, src_dir_fd=at.folder, dst_dir_fd=at.folder)
    os.fsync(at.folder)


def remove(at: Spot, found: Found) -> None:
    """Take the file away, unless it is not as it was found: then ToolError."""
    unchanged(at, found)
    os.unlink(at.name, dir_fd=at.folder)
    os.fsync(at.folder)


def unchanged(at: Spot, found: Found | None) -> None:
    """Raises ToolError if the file is not the one that was found."""
    try:
        now = _mark(os.stat(at.name, dir_fd=at.folder, follow_symlinks=False))
    except FileNotFoundError:
        now = None
    if now != (found.mark if found else None):
        raise ToolError(f"{at.path} was changed by something else meanwhile", todo="read it again")


def discard(at: Spot, temp: str) -> None:
    """Remove a staged file, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temp, dir_fd=at.folder)


def _mark(info: os.stat_result) -> tuple[int, ...]:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


_KINDS = {
    stat.S_IFLNK: "a link, and links are not followed to write", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def _kind(at: Spot) -> str:
    with contextlib.suppress(OSError):
        return _KINDS.get(stat.S_IFMT(os.stat(at.name, dir_fd=at.folder, follow_symlinks=False).st_mode), "")
    return ""
