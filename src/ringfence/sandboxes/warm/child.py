"""The process that becomes the job: forked before there is one, so that a call does not wait for a fork."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import NoReturn

from . import bubblewrap, cgroups, identity, kernel, landlock, limits
from .spec import Refused, Spec


class Child:
    """Our end of it. It waits for its orders, and ends if they never come."""

    def __init__(self, group: cgroups.Group, machine: str) -> None:
        self.uid = identity.stranger()
        self.barrier = bubblewrap.Barrier()
        self._orders, theirs = socket.socketpair()
        self._failed, failure = os.pipe()
        self.status, report = os.pipe()
        self.pid = group.fork()
        if self.pid == 0:
            self._orders.close()
            self._become(theirs, report, failure, machine)
        theirs.close()
        for fd in (failure, report, self.barrier.read):
            os.close(fd)

    def order(self, line: bytes, folder: str, stdio: list[int]) -> None:
        """Have it become the job of `line`; return when it has executed its program. Raises Refused."""
        socket.send_fds(self._orders, [folder.encode() + b"\n"], stdio)
        self._orders.sendall(line)
        self._orders.close()
        for fd in stdio:
            os.close(fd)
        with open(self._failed, "rb") as pipe:
            if said := pipe.read():
                raise Refused(*json.loads(said))

    def _become(self, orders: socket.socket, report: int, failure: int, machine: str) -> NoReturn:
        """In the fork: wait, give everything up, and execute."""
        try:
            data, stdio, _, _ = socket.recv_fds(orders, 1 << 20, 3, socket.MSG_CMSG_CLOEXEC)
            while data.count(b"\n") < 2:
                more = orders.recv(1 << 20)
                if not more:
                    os._exit(0)
                data += more
            folder, line = data.decode().split("\n", 1)
            spec = Spec.parse(line)
            _enter(spec, stdio)
            if spec.launcher == "bubblewrap":
                bubblewrap.execute(spec, self.uid, report, self.barrier, machine)
            elif spec.launcher == "landlock":
                landlock.become(spec, self.uid, folder, machine)
            _execute(spec, folder)
        except BaseException as fault:
            what = (fault.what, fault.todo) if isinstance(fault, Refused) else (f"{type(fault).__name__}: {fault}", "")
            os.write(failure, json.dumps(what).encode())
        finally:
            os._exit(127)


def _enter(spec: Spec, stdio: list[int]) -> None:
    """The job's own descriptors, session and limits."""
    for at, fd in enumerate(stdio):
        os.dup2(fd, at)
    kernel.keep_to_ourselves(3)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # what the interpreter ignores
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    os.umask(0o022)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limits.apply(spec.limits)


def _execute(spec: Spec, folder: str) -> None:
    """Turn into the job's command; as in a shell, one that cannot be executed ends with 127 and says so on stderr."""
    os.chdir(folder if folder and spec.cwd == "/tmp" else spec.cwd)
    private = {"HOME": folder, "TMPDIR": folder} if folder else {}
    try:
        os.execvpe(spec.argv[0], spec.argv, {**private, **spec.env})
    except OSError as fault:
        os.write(2, f"{spec.argv[0]}: {fault.strerror}\n".encode())
        os._exit(127)
