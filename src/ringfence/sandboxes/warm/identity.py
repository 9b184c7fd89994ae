"""Who a tool is: never the real root, and where the operator is root, a uid that nothing else on the machine has.

A tool of uid 0 is dangerous without any capability: it owns /proc/sys, /sys and most of the disk, and bubblewrap
leaves /proc/sys as it is. So a tool of root gets another real uid (outside and inside), and the files that it was
given are shown to it through an idmapped mount: it may use what belongs to the owner of the declared path, and what it
makes belongs to that owner. Where a file system has no idmapped mounts, the tool has the rights of a stranger.
"""

from __future__ import annotations

import os
import stat

from . import kernel

BASE = 0x70000000  # ids above those of containers (systemd: Users, Groups, UIDs and GIDs), below the signed limit
SMALL = 30000


def stranger() -> int:
    """The id of this process's job where we are root, else our own. Unlike any other that lives: pids differ."""
    if os.geteuid() != 0:
        return os.geteuid()
    with open("/proc/self/uid_map") as file:
        extents = [line.split() for line in file]
    wanted = BASE + os.getpid()
    if any(int(first) <= wanted < int(first) + int(count) for first, _, count in extents):
        return wanted
    return SMALL + os.getpid() % SMALL  # a container's user namespace holds 65,536 ids


def become(uid: int) -> None:
    """Give up every capability and group for `uid`; a no-op for a normal user."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def mapping(owner: int, group: int, uid: int) -> int:
    """A user namespace in which files of `owner` and `group` appear as those of `uid`; its descriptor."""
    here, there = os.pipe()
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(there)
            os.close(ready)
            kernel.unshare(kernel.CLONE_NEWUSER)
            os.write(done, b"x")
            os.read(here, 1)
        finally:
            os._exit(0)
    os.close(done)
    try:
        if not os.read(ready, 1):
            raise PermissionError("user namespaces cannot be made here")
        for kind, inside in (("uid", owner), ("gid", group)):
            with open(f"/proc/{child}/{kind}_map", "w") as file:
                file.write(f"{inside} {uid} 1")
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for fd in (here, there, ready):
            os.close(fd)
        os.waitpid(child, 0)


def _trees(paths: list[str], uid: int) -> dict[str, tuple[int, bool]]:
    """Each path, opened without links, as a detached tree of `uid`, and whether it is a folder.

    From here on we are in a mount namespace of our own.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    trees = {}
    for path in paths:
        fd = kernel.open_exact(path)
        status = os.fstat(fd)
        trees[path] = (kernel.clone_tree(fd), stat.S_ISDIR(status.st_mode))
        try:
            kernel.map_owners(trees[path][0], mapping(status.st_uid, status.st_gid, uid))
        except OSError:
            continue  # no idmapped mounts here: the tool sees what a stranger may see
    return trees


def _attach(tree: int, folder: bool, place: str) -> None:
    if not os.path.lexists(place):
        if folder:
            os.makedirs(place)
        else:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    kernel.attach_tree(tree, place)


def _cover(folder: str) -> None:
    kernel.mount("ringfence", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")


def staged(paths: list[str], uid: int) -> dict[str, str]:
    """As root: each path is mounted below /tmp for `uid`, whatever stands above it; where."""
    trees = _trees(paths, uid)
    _cover("/tmp")
    places = {path: f"/tmp/{at}" for at, path in enumerate(trees)}
    for path, (tree, folder) in trees.items():
        _attach(tree, folder, places[path])
    return places


def in_place(paths: list[str], uid: int) -> None:
    """As root: each path is mounted over itself for `uid`, and folders above that others may not pass show it alone.

    OSError: no mounts can be made here.
    """
    trees = _trees(paths, uid)
    for path in paths:
        above = ""
        for part in path.split("/")[1:-1]:
            above += f"/{part}"
            if os.path.isdir(above) and not os.stat(above).st_mode & stat.S_IXOTH:
                _cover(above)
    for path in sorted(paths):  # a folder before what lies in it
        _attach(*trees[path], path)
