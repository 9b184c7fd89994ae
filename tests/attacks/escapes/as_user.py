"""Run a command as a normal user, started by root: `python -m tests.attacks.escapes.as_user UID COMMAND...`.

An interpreter that lies in a folder of root's (0700) is shown to the user in a mount namespace of its own.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from ringfence.sandboxes.warm import kernel


def closed(path: Path) -> Path | None:
    """The first folder above `path` that others may not pass."""
    return next((at for at in reversed(path.parents) if not at.stat().st_mode & stat.S_IXOTH), None)


def show(path: Path) -> None:
    """Cover the closed folder above `path`, if there is one, by an empty one that holds `path` alone."""
    if (above := closed(path)) is None:
        return
    tree = kernel.clone_tree(kernel.open_exact(str(path)))
    kernel.mount("none", str(above), "tmpfs", 0, "mode=0755")
    path.mkdir(parents=True)
    kernel.attach_tree(tree, str(path))


def main() -> None:
    uid = int(sys.argv[1])
    os.umask(0o022)
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    for path in {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), Path(__file__).resolve().parents[3]}:
        show(path)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execve(sys.argv[2], sys.argv[2:], os.environ)


if __name__ == "__main__":
    main()
