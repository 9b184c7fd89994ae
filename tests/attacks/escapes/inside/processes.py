"""Processes that are not the tool's."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct

from kit import (
    ARGS,
    HOME,
    LIBC,
    VICTIM,
    call,
    say,
    show,
)


def read_the_environment_of_a_process():
    show(f"/proc/{VICTIM}/environ")


def read_the_command_line_of_a_process():
    show(f"/proc/{VICTIM}/cmdline")


def read_by_the_root_of_a_process():
    show(f"/proc/{VICTIM}/root{HOME}/secret")


def read_by_the_folder_of_a_process():
    show(f"/proc/{VICTIM}/cwd/secret")


def read_by_a_descriptor_of_a_process():
    show(f"/proc/{VICTIM}/fd/{ARGS['fd']}")


def read_the_memory_of_a_process():
    with open(f"/proc/{VICTIM}/mem", "rb", 0) as file:
        file.seek(ARGS["address"])
        say(file.read(64).decode(errors="replace"))


def read_the_memory_of_a_process_by_a_call():
    buffer = ctypes.create_string_buffer(64)
    local = struct.pack("PN", ctypes.addressof(buffer), 64)
    remote = struct.pack("PN", ARGS["address"], 64)
    call(310, 270, VICTIM, local, 1, remote, 1, 0)
    say(buffer.raw.decode(errors="replace"))


def trace_a_process():
    call(101, 117, 0x4206, VICTIM, None, None)  # PTRACE_SEIZE
    say()


def take_a_descriptor_of_a_process():
    fd = call(438, 438, os.pidfd_open(VICTIM), ARGS["fd"], 0)
    say(os.pread(fd, 4096, 0).decode())


def kill_a_process():
    os.kill(VICTIM, signal.SIGKILL)


def kill_a_process_by_a_descriptor():
    signal.pidfd_send_signal(os.pidfd_open(VICTIM), signal.SIGKILL)


def limit_a_process():
    resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (ARGS["files"], ARGS["files"]))


def slow_a_process():
    os.setpriority(os.PRIO_PROCESS, VICTIM, 19)


def enter_the_namespaces_of_a_process():
    LIBC.setns(os.open(f"/proc/{VICTIM}/ns/net", os.O_RDONLY), 0) == 0 and say()


def read_an_inherited_descriptor():
    for fd in range(3, 256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        say()


def read_an_inherited_environment():
    say(os.environ)
