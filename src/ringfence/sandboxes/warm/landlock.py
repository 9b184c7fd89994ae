"""A job held by landlock(7), a seccomp filter, rlimits and, where the operator is root, a uid of its own.

For hosts that let nobody make namespaces. landlock adds rights up and never takes any away below, so a read-only path
within a writable one is refused; it has no network of its own, so a job that needs the egress proxy is refused too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat

from . import bubblewrap, identity, kernel, limits, seccomp
from .spec import Refused, Spec

LEAST_ABI = 3  # truncate(2); Linux 6.2
FILE_READ = 1 << 0 | 1 << 2  # execute, read
FILE_WRITE = 1 << 1 | 1 << 14  # write, truncate
READ = FILE_READ | 1 << 3  # and list a folder
WRITE = READ | FILE_WRITE | 0b11_0000 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 13  # remove, make, link, rename
IOCTL_DEV = 1 << 15
TCP, SCOPES = 0b11, 0b11  # bind, connect; abstract sockets, signals
PROC = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version", "sys/kernel/osrelease")


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scopes")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """The version of landlock that the kernel offers; 0: none."""
    try:
        return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, None, 0, 1, what="landlock")
    except OSError:
        return 0


def _allow(ruleset: int, fd: int, rights: int) -> None:
    if not stat.S_ISDIR(os.fstat(fd).st_mode):
        rights &= FILE_READ | FILE_WRITE | IOCTL_DEV
    rule = _Beneath(rights, fd)
    kernel.syscall(kernel.LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0, what="landlock_add_rule")


def restrict(spec: Spec, folder: str) -> None:
    """Take every right from the calling process but those of the job; `folder` is its private one."""
    version = abi()
    handled = (1 << 15) - 1 | (IOCTL_DEV if version >= 5 else 0)
    attributes = _Ruleset(handled, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), size, 0, what="landlock")
    system = [*bubblewrap.SYSTEM, *(f"/etc/{name}" for name in bubblewrap.ETC), *(f"/proc/{name}" for name in PROC)]
    for path in (*system, f"/proc/{os.getpid()}"):
        if os.path.exists(path):
            _allow(ruleset, os.open(path, os.O_PATH | os.O_CLOEXEC), READ)
    for name in bubblewrap.DEVICES:
        _allow(ruleset, os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC), FILE_READ | FILE_WRITE)
    for path in spec.reads:
        _allow(ruleset, kernel.open_exact(path), READ)
    for path in (*spec.writes, folder):
        _allow(ruleset, kernel.open_exact(path), WRITE)
    kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")


def refuse(spec: Spec) -> None:
    """Raise Refused for what this launcher cannot hold."""
    if spec.egress:
        raise Refused("without network namespaces no tool can be kept to the egress proxy", "install bubblewrap")
    for path in spec.reads:
        for outer in spec.writes:
            if f"{path}/".startswith(f"{outer}/"):
                todo = "declare them side by side, or install bubblewrap"
                raise Refused(f"{path} is read-only within the writable {outer}: landlock cannot hold that", todo)


def private_folder(uid: int) -> str:
    """A folder for the job's temporary files, reached without links; whoever made it removes it."""
    folder = f"{os.path.realpath('/tmp')}/ringfence-job-{os.urandom(8).hex()}"
    os.mkdir(folder, 0o700)
    if os.geteuid() == 0:
        os.chown(folder, uid, uid)
    return folder


def remove_folder(folder: str) -> None:
    """Remove a private folder and what the job left in it; links are removed, never followed."""
    for at, folders, _ in os.walk(folder):
        for path in (os.path.join(at, name) for name in folders):
            if not os.path.islink(path):
                os.chmod(path, 0o700)  # or a folder that its maker locked would stay
    for at, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(at, name))
        for path in (os.path.join(at, name) for name in folders):
            os.unlink(path) if os.path.islink(path) else os.rmdir(path)
    os.rmdir(folder)


def size(folder: str) -> int:
    """Bytes of the files in `folder`; sparse files count what they hold."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(at, name)).st_blocks * 512
            except OSError:
                continue
    return total


def become(spec: Spec, uid: int, folder: str, machine: str) -> None:
    """In the forked child, the leader of its session: give everything up that the job does not get."""
    processes = spec.limits.processes
    if os.geteuid() != 0:  # the kernel counts all of the user's
        processes += limits.of_user(uid)
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a restricted pod: what the tool may use then has to be another user's
            identity.in_place(sorted({*spec.reads, *spec.writes}), uid)
        identity.become(uid)
    for path in spec.writes:
        if not os.access(path, os.W_OK):
            todo = (
                f"as root, tools run as another user: give it to a user of its own and run ringfence as them ({path})"
            )
            raise Refused(f"{path} cannot be written by a tool", todo)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    limits.apply_processes(processes)
    restrict(spec, folder)
    kernel.install_filter(seccomp.program(machine, shared=True))
