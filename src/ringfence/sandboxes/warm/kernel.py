"""System calls that Python's standard library lacks; each raises OSError."""

from __future__ import annotations

import ctypes
import os
import signal

# linux/unistd.h: calls since 5.1 have one number on every architecture
OPEN_TREE, MOVE_MOUNT, CLONE3, CLOSE_RANGE, OPENAT2, MOUNT_SETATTR = 428, 429, 435, 436, 437, 442
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

CLONE_INTO_CGROUP = 0x200000000  # linux/sched.h
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
SECCOMP_MODE_FILTER = 2
AT_EMPTY_PATH, AT_RECURSIVE, AT_FDCWD = 0x1000, 0x8000, -100
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = 1, 4
CLOSE_RANGE_CLOEXEC = 4
MOUNT_ATTR_IDMAP = 0x00100000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
MS_NOSUID, MS_NODEV = 2, 4
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS = 0x02, 0x04

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(number: int, *args: object, what: str = "syscall") -> int:
    """Call the kernel; integers go as longs, bytes and structures as pointers."""
    return _checked(int(_libc.syscall(ctypes.c_long(number), *map(_argument, args))), what)


def _argument(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def prctl(option: int, value: object = 0, third: object = 0) -> None:
    """prctl(2)."""
    rest = (_argument(value), _argument(third), ctypes.c_long(0), ctypes.c_long(0))
    _checked(int(_libc.prctl(option, *rest)), f"prctl {option}")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _checked(int(_libc.unshare(flags)), "unshare")


def setns(fd: int, kind: int) -> None:
    """setns(2)."""
    _checked(int(_libc.setns(fd, kind)), "setns")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(int(result), f"mount {target}")


class _CloneArgs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls", "set_tid",
        "set_tid_size", "cgroup",
    )]  # fmt: skip


def fork_into(group: int) -> int:
    """fork(2) of a process with one thread, its child born in the cgroup that `group` is open on."""
    arguments = _CloneArgs(flags=CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=group)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_libc.syscall(ctypes.c_long(CLONE3), ctypes.byref(arguments), ctypes.sizeof(arguments)))
    code = ctypes.get_errno()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    ctypes.set_errno(code)
    return _checked(pid, "clone3")


def keep_to_ourselves(first: int) -> None:
    """No descriptor from `first` on is inherited by a program that we execute, whoever opened it."""
    syscall(CLOSE_RANGE, first, 0xFFFFFFFF, CLOSE_RANGE_CLOEXEC, what="close_range")


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_exact(path: str, folder: int = AT_FDCWD) -> int:
    """An O_PATH descriptor of `path`, reached without any symbolic link. ELOOP: there is one on the way."""
    how = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    raw = os.fsencode(path)
    return syscall(OPENAT2, folder, raw, ctypes.byref(how), ctypes.sizeof(how), what=path)


def clone_tree(fd: int) -> int:
    """A detached copy of the mount that `fd` is in, with `fd` as its root and what is mounted beneath."""
    flags = OPEN_TREE_CLONE | os.O_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE
    return syscall(OPEN_TREE, fd, b"", flags, what="open_tree")


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def map_owners(tree: int, userns: int) -> None:
    """Show the detached tree's files under the ids that `userns` maps them to: idmapped mounts, Linux 5.12."""
    attributes = _MountAttr(MOUNT_ATTR_IDMAP, 0, 0, userns)
    size = ctypes.sizeof(attributes)
    flags = AT_EMPTY_PATH | AT_RECURSIVE
    syscall(MOUNT_SETATTR, tree, b"", flags, ctypes.byref(attributes), size, what="mount_setattr")


def attach_tree(tree: int, target: str) -> None:
    """Mount the detached tree at `target`."""
    syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, target.encode(), MOVE_MOUNT_F_EMPTY_PATH, what="move_mount")


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install_filter(program: bytes) -> None:
    """Install a seccomp filter (struct sock_filter[]) in the calling thread; it and its children keep it."""
    block = _Program(len(program) // 8, program)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(block))
