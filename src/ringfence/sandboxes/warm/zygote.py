"""The warm worker: it keeps one forked supervisor waiting for a job on its stdin, a socket. Ends with its socket."""

from __future__ import annotations

import gc
import os
import signal
import socket

from . import cgroups, kernel, seccomp, supervisor

DESCRIPTORS = 4  # the job's control socket, stdin, stdout, stderr
TAKEN, OVER = b"t", b"o"


def main() -> None:
    """Serve until the other side is gone."""
    wire = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    machine = os.uname().machine
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are not waited for
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    for shared in (True, False) if machine in seccomp.AUDIT_ARCH else ():
        seccomp.program(machine, shared=shared)
    cgroups.parent()
    gc.disable()
    gc.freeze()  # what was worked out is shared by the forks
    said = TAKEN
    while said != OVER:  # nothing said: it was killed, and another one takes its place
        heard, tell = os.pipe()
        if os.fork() == 0:
            os.close(heard)
            _wait_for_job(wire, tell, machine)
        os.close(tell)
        said = os.read(heard, 1)
        os.close(heard)


def _wait_for_job(wire: socket.socket, tell: int, machine: str) -> None:
    """In the fork: get ready, take one job, say so, serve it, and end."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ready = supervisor.Supervisor(machine)
        message, fds, _, _ = socket.recv_fds(wire, 16, DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        os.write(tell, TAKEN if message else OVER)
        os.close(tell)
        wire.close()
        try:
            if message:
                ready.serve(socket.socket(fileno=fds[0]), fds[1:])
        finally:
            ready.close()
    finally:
        os._exit(0)
