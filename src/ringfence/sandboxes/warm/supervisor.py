"""One process per job: it starts the job, waits, watches, and leaves nothing of it alive."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time

from . import bubblewrap, cgroups, kernel, landlock, limits
from .child import Child
from .spec import Refused, Spec

FIRST_LOOK_S, LOOK_S = 0.1, 0.25


class Supervisor:
    """Drives one job from its spec to its end, and reports over `control`, a line of JSON each.

    It is made, and has forked the process that becomes the job, before there is one.
    """

    def __init__(self, machine: str) -> None:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        self._group = cgroups.Group(cgroups.parent())
        self._child = Child(self._group, machine)
        self._init: int | None = None  # pid 1 of the job's pid namespace, as a descriptor
        self._init_pid = 0
        self._folder = ""
        self._stopped = False

    def serve(self, control: socket.socket, stdio: list[int]) -> None:
        """One job, told over `control`. What goes wrong is said there."""
        self._control = control
        try:
            line = b""
            while not line.endswith(b"\n"):
                more = control.recv(1 << 20)
                if not more:
                    return
                line += more
            self._run(line, stdio)
        except Exception as fault:
            what = (fault.what, fault.todo) if isinstance(fault, Refused) else (f"{type(fault).__name__}: {fault}", "")
            self._say({"refused": what[0], "todo": what[1]})

    def close(self) -> None:
        """Leave nothing behind."""
        if not self._stopped:
            self._stop()
        self._group.remove()
        if self._folder:
            landlock.remove_folder(self._folder)

    def _say(self, message: dict[str, object]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more: the end comes all the same
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _run(self, line: bytes, stdio: list[int]) -> None:
        """Start, wait for the end, and say it when nothing is alive any more. Raises Refused."""
        began = time.monotonic()
        self._spec = spec = Spec.parse(line)
        if spec.launcher == "landlock":
            landlock.refuse(spec)
            self._folder = landlock.private_folder(self._child.uid)
        if spec.launcher != "unsafe-none":
            self._group.limit(spec.limits, extra=2)
        self._child.order(line, self._folder, stdio)
        if spec.launcher == "bubblewrap":
            self._release(self._child.barrier)
        self._say({"started": self._child.pid})
        verdict = self._wait(began)
        if verdict is None and self._init is not None:
            verdict = self._verdict(self._told_code())
            if limits.childless(self._init_pid):  # an init that starts nothing: the rest is the kernel's housework
                return self._say({"ended": verdict})
        code = self._stop()
        return self._say({"ended": verdict or self._verdict(code)})

    def _release(self, barrier: bubblewrap.Barrier) -> None:
        """When the job's world stands: look at it, limit it, open its way out, and let the command start."""
        monitor = os.pidfd_open(self._child.pid)
        if not barrier.reached(monitor):
            raise Refused("bubblewrap could not build the sandbox", "ringfence doctor")
        os.close(monitor)
        self._init_pid = bubblewrap.child_pid(self._child.status)
        self._init = os.pidfd_open(self._init_pid)
        bubblewrap.check(self._spec, self._init_pid)
        if os.geteuid() != 0:  # counted in the job's own user namespace since Linux 5.14, bubblewrap's init with it
            limits.apply_processes(self._spec.limits.processes + 1, self._init_pid)
        if self._spec.egress:
            bubblewrap.listener(self._init_pid, self._control)
            if not self._control.recv(1):
                raise Refused("nobody took the listener of the egress proxy")
        barrier.lift()

    def _wait(self, began: float) -> str | None:
        """Until the job ends (None), is to be killed, or is over a limit (its name)."""
        bounds = self._spec.limits
        wall = None if bounds.wall_s is None else began + bounds.wall_s
        ending = self._child.status if self._init is not None else os.pidfd_open(self._child.pid)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(ending, select.POLLIN)
        usage, look = limits.Usage(), began + FIRST_LOOK_S
        while True:
            now = time.monotonic()
            if wall is not None and now >= wall:
                return "wall"
            if now >= look and self._spec.launcher != "unsafe-none":
                if over := usage.over(bounds, self._members()):
                    return over
                if self._folder and landlock.size(self._folder) > bounds.file_mb << 20:
                    return "disk"
            if now >= look:
                look = now + LOOK_S
            until = look if wall is None else min(look, wall)
            ready = dict(poll.poll(max(0.0, until - now) * 1000 + 1))
            if ending in ready:
                return None
            if self._control.fileno() in ready:
                return "signal 9"

    def _members(self) -> list[int]:
        return limits.tree(self._init_pid if self._init is not None else os.getpid())

    def _stop(self) -> int:
        """Kill what is left and wait until it is gone; the exit status of the child that we started."""
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            select.select([self._init], [], [])  # its pid 1 ends after everything else in a pid namespace
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)  # under landlock nothing can leave this group
        code = 0
        while True:
            for pid in limits.tree(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    code = os.waitstatus_to_exitcode(ended[1]) if ended[0] == self._child.pid else code
            except ChildProcessError:
                self._stopped = True
                return code
            time.sleep(0.001)

    def _told_code(self) -> int:
        """The exit status as bubblewrap's monitor reports it; 127 if the command could not be executed."""
        with open(self._child.status, "rb", closefd=False) as pipe:
            lines = pipe.read1().split(b"\n")
        codes = [json.loads(line)["exit-code"] for line in lines if b"exit-code" in line]
        code = int(codes[0]) if codes else 127
        return 128 - code if code > 128 else code

    def _verdict(self, code: int) -> str:
        """The end in words."""
        if code == -signal.SIGXCPU:
            return "cpu"
        if code == -signal.SIGKILL and self._group.out_of_memory():
            return "memory"
        return f"signal {-code}" if code < 0 else f"exit {code}"
