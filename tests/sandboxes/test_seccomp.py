"""The filter, interpreted: every refused call on both architectures, and what tools need is let through."""

from __future__ import annotations

import errno
import struct

import pytest

from ringfence.sandboxes.warm import seccomp

MACHINES = ("x86_64", "aarch64")
HIGH = 0xDEADBEEF << 32  # the kernel looks at 32 bits of these arguments, and so has the filter to


def decide(program: bytes, machine: str, number: int, *args: int, arch: int | None = None) -> int:
    """What the kernel would return for a call (linux/seccomp.h, classic BPF)."""
    values = [*args, *[0] * (6 - len(args))]
    data = struct.pack("=IIQ6Q", number, arch or seccomp.AUDIT_ARCH[machine], 0, *values)
    at = accumulator = 0
    while True:
        code, yes, no, k = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == seccomp.LD:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif code == seccomp.AND:
            accumulator &= k
        elif code == seccomp.JEQ:
            at += yes if accumulator == k else no
        elif code == seccomp.JGE:
            at += yes if accumulator >= k else no
        else:
            assert code == seccomp.RET
            return int(k)


def verdict(machine: str, shared: bool, name: str, *args: int) -> int | None:
    """The error that a call fails with; 0: allowed; None: there is no such call."""
    number = seccomp.NUMBERS[name][MACHINES.index(machine)]
    if number is None:
        return None
    found = decide(seccomp.program(machine, shared=shared), machine, number, *args)
    return 0 if found == seccomp.ALLOW else found & 0xFFFF


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("shared", [True, False])
def test_a_program_is_one_that_the_kernel_takes(machine: str, shared: bool) -> None:
    program = seccomp.program(machine, shared=shared)
    count = len(program) // 8
    assert count <= 4096
    for at in range(count):
        code, yes, no, _ = struct.unpack_from("=HBBI", program, at * 8)
        if code in (seccomp.JEQ, seccomp.JGE):
            assert at + 1 + max(yes, no) < count


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("shared", [True, False])
def test_what_is_refused_whatever_its_arguments(machine: str, shared: bool) -> None:
    names = (
        "ptrace keyctl add_key request_key mount umount2 setns bpf perf_event_open userfaultfd kexec_load init_module"
    )
    more = "process_vm_readv process_vm_writev pidfd_getfd fsopen move_mount open_tree mount_setattr pivot_root chroot"
    for name in [*names.split(), *more.split(), "shmget", "msgget", "semget", "mq_open"]:
        assert verdict(machine, shared, name) == errno.EPERM, name
    for name in ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "memfd_create"):
        assert verdict(machine, shared, name) == errno.ENOSYS, name


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_no_call_makes_a_namespace(machine: str, flag: int) -> None:
    assert verdict(machine, False, "unshare", flag) == errno.EPERM
    assert verdict(machine, False, "clone", flag | 17 | HIGH) == errno.EPERM
    assert verdict(machine, False, "clone", 0x3D0F00) == 0, "a thread"
    assert verdict(machine, False, "clone", 17) == 0, "a process"


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_typed_into_a_terminal(machine: str) -> None:
    for request in (0x5412, 0x5412 | HIGH, 0x541C):
        assert verdict(machine, False, "ioctl", 0, request) == errno.EPERM
    assert verdict(machine, False, "ioctl", 0, 0x5413) == 0, "the size of the window"


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_of_the_internet_and_pairs_are_of_streams(machine: str) -> None:
    refused = errno.EAFNOSUPPORT
    for family in (1, 16, 17, 38, 40, 1 | HIGH):
        assert verdict(machine, False, "socket", family, 1, 0) == refused
    for family in (2, 10):
        assert verdict(machine, False, "socket", family, 1 | 0o2000000, 6) == 0
        assert verdict(machine, False, "socket", family, 2, 17) == 0
        assert verdict(machine, False, "socket", family, 3, 1) == refused, "raw"
        assert verdict(machine, False, "socket", family, 1, 132) == refused, "sctp"
        assert verdict(machine, True, "socket", family, 1, 0) == refused
    assert verdict(machine, True, "socketpair", 1, 1 | 0o2000000) == 0
    assert verdict(machine, True, "socketpair", 1, 5) == 0
    assert verdict(machine, True, "socketpair", 1, 2) == errno.EPERM, "datagrams go to any path"
    assert verdict(machine, True, "socketpair", 16, 1) == refused


@pytest.mark.parametrize("machine", MACHINES)
def test_no_file_gets_a_set_id_bit(machine: str) -> None:
    for name, at in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1), ("mknodat", 2)):
        for mode in (0o4755, 0o2755):
            assert verdict(machine, False, name, *[0] * at, mode) in (errno.EPERM, None), name
        assert verdict(machine, False, name, *[0] * at, 0o1777) in (0, None), name
    for name, at in (("open", 1), ("openat", 2)):
        assert verdict(machine, False, name, *[0] * at, 0o101, 0o4755) in (errno.EPERM, None)
        assert verdict(machine, False, name, *[0] * at, 0o20200002, 0o2755) in (errno.EPERM, None), "O_TMPFILE"
        assert verdict(machine, False, name, *[0] * at, 0o2, 0o4755) in (0, None), "no mode is looked at"
        assert verdict(machine, False, name, *[0] * at, 0o101, 0o644) in (0, None)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_job_that_shares_the_hosts_namespaces_reaches_neither_attributes_nor_others(machine: str) -> None:
    for name in ("fchmod", "fchownat", "utimensat", "fsetxattr", "setsid", "setpgid"):
        assert verdict(machine, True, name) == errno.EPERM
        assert verdict(machine, False, name) == 0
    for name, at in seccomp.OTHERS.items():
        assert verdict(machine, True, name, *[0] * at, 4711) == errno.EPERM
        assert verdict(machine, True, name, *[0] * at, 0) == 0, "itself"


@pytest.mark.parametrize("machine", MACHINES)
def test_other_architectures_and_calls_of_the_future_are_not_there(machine: str) -> None:
    program = seccomp.program(machine, shared=False)
    assert decide(program, machine, 0, arch=0x40000003) == seccomp.KILL, "32 bits"
    assert decide(program, machine, seccomp.LAST + 1) == seccomp.ERRNO | errno.ENOSYS
    assert decide(program, machine, 0x40000000 | 101) == seccomp.ERRNO | errno.ENOSYS, "x32"


def test_an_architecture_that_it_is_not_written_for_has_no_filter() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64", shared=False)
