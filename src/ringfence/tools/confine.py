"""The only door to files: everything is opened beneath a folder that the operator named, and is a regular file.

On Linux the kernel resolves a path in one step, `openat2(2)` with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, so that no
`..`, absolute path or swapped link leads outside. Elsewhere each component is opened by itself without following links.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable
from functools import lru_cache

OPENAT2 = 437  # the same number on every architecture but alpha
RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH = 0x02, 0x08  # linux/openat2.h
RETRIES = 16  # the kernel answers EAGAIN when something was renamed while it resolved `..`

Opener = Callable[[int, str, int], int]  # (folder fd, relative path, flags) -> fd; raises OSError


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def open_beneath(folder: int, path: str, flags: int) -> int:
    """openat2(2). EXDEV: the path leads outside; ELOOP: a link loop or a magic link; ENOSYS: an old kernel."""
    how = _OpenHow(flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    raw = os.fsencode(path or ".")
    code = errno.EAGAIN
    for _ in range(RETRIES):
        fd = int(_libc().syscall(OPENAT2, folder, raw, ctypes.byref(how), ctypes.sizeof(how)))
        if fd >= 0:
            return fd
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(code, os.strerror(code), path)


def open_stepwise(folder: int, path: str, flags: int) -> int:
    """One component at a time, never through a link. ELOOP: a link; EXDEV: a `..` or an absolute path."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or path.startswith("/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    flags |= os.O_NOFOLLOW
    if not parts:
        return os.open(".", flags, dir_fd=folder)
    here = os.dup(folder)
    try:
        for part in parts[:-1]:
            below = _open_folder(part, here)
            os.close(here)
            here = below
        return os.open(parts[-1], flags, dir_fd=here)
    finally:
        os.close(here)


def _open_folder(name: str, folder: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except NotADirectoryError:  # what O_DIRECTORY says of a link
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from None
        raise


def best_opener() -> Opener:
    """`open_beneath` where the kernel has it and lets us use it, else `open_stepwise`."""
    if not sys.platform.startswith("linux"):
        return open_stepwise
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC  # a sandbox may forbid to read `/`
    root = os.open("/", flags)
    try:
        os.close(open_beneath(root, ".", flags))
    except OSError:  # ENOSYS, or EPERM from a container's seccomp profile
        return open_stepwise
    finally:
        os.close(root)
    return open_beneath
