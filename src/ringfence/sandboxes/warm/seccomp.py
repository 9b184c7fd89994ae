"""The system calls that no tool gets, as a classic BPF program (seccomp(2), linux/filter.h) for x86_64 and aarch64.

A deny list, closed at its upper end: a call newer than this list is answered as if the kernel did not know it.
Capabilities, namespaces or landlock hold most of these too; the filter is the second wall, and the first one for:
- any AF_UNIX socket: a socket that lies in a declared folder can be neither connected nor written to;
- memory that no limit sees: memfd_create, System V and POSIX message queues and shared memory;
- set-uid bits: a tool of the operator's own uid (or mapped to it) may not leave a set-uid program behind;
- openat2, clone3, io_uring: what they do hides from a filter, so they are not there and callers fall back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from functools import lru_cache
from typing import NamedTuple

LD, JEQ, JGE, JSET, AND, RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06  # BPF_LD|W|ABS, BPF_JMP|*|K, BPF_ALU|AND|K, BPF_RET|K
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_*
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LAST = 461  # lsm_list_modules, Linux 6.8; x32 calls (bit 30) are above it as well

NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
SET_ID = 0o6000
CREATES = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

# name -> (x86_64, aarch64); None: the architecture has no such call
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "setns": (308, 268), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "iopl": (172, None),
    "ioperm": (173, None), "syslog": (103, 116), "lookup_dcookie": (212, 18), "vhangup": (153, 58),
    "modify_ldt": (154, None), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "personality": (135, 92), "nfsservctl": (180, 42),
    "uselib": (134, None), "clone3": (435, 435), "openat2": (437, 437), "unshare": (272, 97), "clone": (56, 220),
    "ioctl": (16, 29), "socket": (41, 198), "socketpair": (53, 199), "chmod": (90, None), "fchmod": (91, 52),
    "fchmodat": (268, 53), "fchmodat2": (452, 452), "open": (2, None), "openat": (257, 56), "creat": (85, None),
    "mknod": (133, None), "mknodat": (259, 33), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setsid": (112, 157),
    "setpgid": (109, 154), "prlimit64": (302, 261), "setpriority": (141, 140), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    "ioprio_set": (251, 30), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip

UNKNOWN = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_create", "memfd_secret")
SOMETIMES = ("unshare", "clone", "ioctl", "socket", "socketpair", "open", "openat", "creat", "mknod", "mknodat")
MODES = ("chmod", "fchmod", "fchmodat", "fchmodat2")
METADATA = (
    *MODES, "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat",
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
)  # fmt: skip


# of a process that is named by its id, at this argument
OTHERS = {
    "prlimit64": 0, "setpriority": 1, "sched_setparam": 0, "sched_setscheduler": 0, "sched_setaffinity": 0,
    "sched_setattr": 0, "ioprio_set": 1,
}  # fmt: skip
GROUPS = ("setsid", "setpgid")


class Test(NamedTuple):
    """What a 32-bit argument has to be: masked with `mask`, one of `values` (or, with `flip`, none of them)."""

    argument: int
    mask: int
    values: tuple[int, ...]
    flip: bool = False


class Rule(NamedTuple):
    """A call that fails with `error` when every test holds."""

    call: str
    error: int
    tests: tuple[Test, ...] = ()


def bits(argument: int, mask: int) -> Test:
    """Any bit of `mask` is set."""
    return Test(argument, mask, (0,), flip=True)


def rules(*, shared: bool) -> list[Rule]:
    """What is refused. `shared`: the job shares the host's namespaces, and the filter has to do what they would.

    Then there are no sockets but pairs, no change of a file's mode, owner or times (landlock does not see them), no way
    out of the process group that is killed at the end, and no reach to other processes by their id.
    """
    kept = {*SOMETIMES, *METADATA, *UNKNOWN, *OTHERS, *GROUPS}
    refused = [Rule(name, EPERM) for name in NUMBERS if name not in kept]
    refused += [Rule(name, ENOSYS) for name in UNKNOWN]
    refused += [Rule("unshare", EPERM, (bits(0, NAMESPACES),)), Rule("clone", EPERM, (bits(0, NAMESPACES),))]
    refused += [Rule("ioctl", EPERM, (Test(1, 0xFFFFFFFF, (TIOCSTI, TIOCLINUX)),))]
    refused += [Rule(name, EPERM, (bits(at, SET_ID),)) for name, at in (("creat", 1), ("mknod", 1), ("mknodat", 2))]
    for name, flags in (("open", 1), ("openat", 2)):
        refused.append(Rule(name, EPERM, (bits(flags, CREATES), bits(flags + 1, SET_ID))))
    # AF_UNIX pairs of streams (1) and packets (5): a pair of datagram sockets could still be sent to any path
    refused.append(Rule("socketpair", EAFNOSUPPORT, (Test(0, 0xFFFFFFFF, (1,), flip=True),)))
    refused.append(Rule("socketpair", EPERM, (Test(1, 0xF, (1, 5), flip=True),)))
    families, kinds, protocols = ((2, 10), (1, 2), (0, 6, 17)) if not shared else ((), (), ())
    for at, (mask, values) in enumerate(((0xFFFFFFFF, families), (0xF, kinds), (0xFFFFFFFF, protocols))):
        refused.append(Rule("socket", EAFNOSUPPORT, (Test(at, mask, values, flip=True),)))
    if not shared:
        places = (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2))
        return refused + [Rule(name, EPERM, (bits(at, SET_ID),)) for name, at in places]
    refused += [Rule(name, EPERM) for name in (*METADATA, *GROUPS)]
    return refused + [Rule(name, EPERM, (bits(at, 0xFFFFFFFF),)) for name, at in OTHERS.items()]


def _statement(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, k)


def _test(test: Test, away: int) -> list[bytes]:
    """Statements that fall through when the test holds and otherwise jump over the `away` statements after them."""
    load = [_statement(LD, 16 + 8 * test.argument), _statement(AND, test.mask)]  # seccomp_data.args, low half
    count = len(test.values)
    hits = [
        _statement(
            JEQ, value, yes=(count - 1 - at) + (away if test.flip else 0), no=0 if test.flip or at < count - 1 else away
        )
        for at, value in enumerate(test.values)
    ]
    return load + hits


def _rule(rule: Rule, number: int) -> list[bytes]:
    """Load the call's number, and refuse it if the tests hold."""
    body = [_statement(RET, ERRNO | rule.error)]
    for test in reversed(rule.tests):
        body = [*_test(test, len(body)), *body]
    return [_statement(LD, 0), _statement(JEQ, number, no=len(body)), *body]


def assemble(refused: Iterable[Rule], machine: str) -> bytes:
    """The program for `machine` ("x86_64", "aarch64"). KeyError: an architecture that it is not written for."""
    column: Sequence[str] = ("x86_64", "aarch64")
    program = [_statement(LD, 4), _statement(JEQ, AUDIT_ARCH[machine], yes=1), _statement(RET, KILL)]
    program += [_statement(LD, 0), _statement(JGE, LAST + 1, no=1), _statement(RET, ERRNO | ENOSYS)]
    for rule in refused:
        number = NUMBERS[rule.call][column.index(machine)]
        if number is not None:
            program += _rule(rule, number)
    program.append(_statement(RET, ALLOW))
    return b"".join(program)


@lru_cache
def program(machine: str, *, shared: bool) -> bytes:
    """The filter of a launcher, as bytes of struct sock_filter[]."""
    return assemble(rules(shared=shared), machine)
