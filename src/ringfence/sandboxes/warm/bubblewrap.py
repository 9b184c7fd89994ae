"""A job in bubblewrap: its arguments, and the instant at which its world is built and nothing of it runs yet.

bubblewrap builds the mounts in order. The last file that it copies in comes from a pipe that we filled to the brim:
once we can write again, it has read from it, so everything before is in place; it goes on when we close the pipe.
In between we check what was mounted, set the limits that count within the job's own user namespace, and open the
listener of the egress proxy inside the job's network.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
from collections.abc import Iterator

from . import identity, kernel, limits, seccomp
from .spec import EGRESS_PORT, PROXIES, Refused, Spec

PROGRAM = "/usr/bin/bwrap"
INSIDE = 1000  # the tool's uid and gid within its own user namespace
SETUP_S = 10.0
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
# each mount costs a quarter of a millisecond per call, so there is nothing here that a command rarely asks for
ETC = ("alternatives", "ld.so.cache", "localtime", "pki/ca-trust", "pki/tls/certs", "ssl/certs", "ssl/openssl.cnf")
DEVICES = ("null", "zero", "random", "urandom")
KEYS = "/proc/keys"  # names what is in the keyrings of the user
FILES = {
    "/etc/passwd": f"root:x:0:0::/:/bin/false\ntool:x:{INSIDE}:{INSIDE}::/tmp:/bin/false\n",
    "/etc/group": f"root:x:0:\ntool:x:{INSIDE}:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",  # the last one is the barrier
}


def program() -> str | None:
    """The path of bubblewrap that is run; never one that a tool could have put on a PATH."""
    return PROGRAM if os.access(PROGRAM, os.X_OK) else None


def _system() -> Iterator[str]:
    for path in SYSTEM:
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    for path in (f"/etc/{name}" for name in ETC):
        if os.path.exists(path):
            yield from ("--ro-bind", path, path)


def arguments(spec: Spec, places: dict[str, str], files: dict[str, int]) -> list[str]:
    """bubblewrap's arguments. `places`: where each declared path is found; `files`: descriptors of content to copy."""
    size = str(spec.limits.file_mb << 20)
    args = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    args += ["--unshare-cgroup-try", "--hostname", "tool", "--uid", str(INSIDE), "--gid", str(INSIDE)]
    args += ["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv"]
    args += [*_system(), "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
    args += ["--ro-bind", "/dev/null", KEYS] if os.path.exists(KEYS) else []
    args += ["--size", "65536", "--tmpfs", "/dev"]
    for name in DEVICES:
        args += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for at, name in enumerate(("stdin", "stdout", "stderr")):
        args += ["--symlink", f"/proc/self/fd/{at}", f"/dev/{name}"]
    args += ["--symlink", "/proc/self/fd", "/dev/fd", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
    args += ["--remount-ro", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/tmp"]
    for path in sorted(places):  # a folder before what lies in it, and what is named twice is read-only
        args += ["--bind" if path in spec.writes and path not in spec.reads else "--ro-bind", places[path], path]
    for name, fd in files.items():
        args += ["--perms", "0444", "--file", str(fd), name]
    env = {**spec.env, **(PROXIES if spec.egress else {})}
    for name, value in env.items():
        args += ["--setenv", name, value]
    return [*args, "--remount-ro", "/", "--chdir", spec.cwd]


def _held(content: bytes) -> int:
    """An inheritable descriptor to read `content` from."""
    fd = os.memfd_create("ringfence", 0)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Barrier:
    """A pipe that holds bubblewrap back at its last file until `lift`."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)
        text = FILES["/etc/hosts"].encode()
        os.write(self.write, text + b"\n" * (fcntl.fcntl(self.write, fcntl.F_GETPIPE_SZ) - len(text)))

    def reached(self, monitor: int) -> bool:
        """Wait until everything is mounted; False if bubblewrap ended instead."""
        poll = select.poll()
        poll.register(self.write, select.POLLOUT)
        poll.register(monitor, select.POLLIN)
        ready = dict(poll.poll(SETUP_S * 1000))
        return bool(ready) and monitor not in ready and not ready[self.write] & select.POLLERR

    def lift(self) -> None:
        """Let it go on."""
        os.close(self.write)


def execute(spec: Spec, uid: int, status: int, barrier: Barrier, machine: str) -> None:
    """In the forked child: become `uid` and turn into bubblewrap, with no environment and no option in sight."""
    places = {path: path for path in (*spec.reads, *spec.writes)}
    if places and os.geteuid() == 0:
        places = identity.staged(list(places), uid)
    files = {name: _held(text.encode()) for name, text in FILES.items()}
    os.close(files["/etc/hosts"])
    files["/etc/hosts"] = barrier.read
    rules = _held(seccomp.program(machine, shared=False))
    options = ["--seccomp", str(rules), "--json-status-fd", str(status)]
    args = _held(b"".join(os.fsencode(arg) + b"\0" for arg in [*options, *arguments(spec, places, files)]))
    for fd in (barrier.read, status):
        os.set_inheritable(fd, True)
    if os.geteuid() == 0:  # this uid is the job's alone: its monitor, its init and its processes count
        identity.become(uid)
        limits.apply_processes(spec.limits.processes + 2)
    os.execve(PROGRAM, ["bwrap", "--args", str(args), "--", *spec.argv], {})


def child_pid(status: int) -> int:
    """The job's pid 1 as bubblewrap reports it."""
    line = b""
    while b"}" not in line:
        more = os.read(status, 4096)
        if not more:
            raise Refused("bubblewrap did not start")
        line += more
    return int(json.loads(line[: line.index(b"}") + 1])["child-pid"])


def check(spec: Spec, pid: int) -> None:
    """What is mounted is what lies at the declared paths, reached without links: nobody swapped anything meanwhile."""
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_CLOEXEC)
    for path in (*spec.reads, *spec.writes):
        outside, inside = kernel.open_exact(path), kernel.open_exact(f"newroot{path}", root)
        if not os.path.samestat(os.fstat(outside), os.fstat(inside)):
            raise Refused(f"{path} was replaced while the sandbox was built", "look who else writes there")
        os.close(outside)
        os.close(inside)
    os.close(root)


def listener(pid: int, control: socket.socket) -> None:
    """Open the egress listener inside the network of `pid` and send it over `control`. Forks: setns stays behind."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() != 0:
                kernel.setns(os.open(f"/proc/{pid}/ns/user", os.O_RDONLY), kernel.CLONE_NEWUSER)
            kernel.setns(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY), kernel.CLONE_NEWNET)
            with socket.create_server(("127.0.0.1", EGRESS_PORT), backlog=128) as server:
                socket.send_fds(control, [b'{"listener": true}\n'], [server.fileno()])
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise Refused("the listener of the egress proxy could not be opened inside the sandbox")
