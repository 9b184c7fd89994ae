"""A job is born in its control group; on hosts that hand down the controllers, the launchers' tests run in one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.sandboxes.warm import cgroups, kernel


@pytest.fixture
def group() -> Iterator[Path]:
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for at in (Path(fields[4]) for fields in mounts if "cgroup2" in fields):
        if os.access(at / "cgroup.procs", os.W_OK):
            folder = at / f"ringfence-test-{secrets.token_hex(4)}"
            folder.mkdir()
            yield folder
            folder.rmdir()
            return
    pytest.skip("no control group (version 2) may be made here")


def test_a_child_is_born_in_the_group_that_was_named(group: Path) -> None:
    heard, tell = os.pipe()
    fd = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    pid = kernel.fork_into(fd)
    if pid == 0:
        os.write(tell, Path("/proc/self/cgroup").read_bytes())
        os._exit(0)
    os.close(tell)
    with os.fdopen(heard) as pipe:
        told = pipe.read()
    os.close(fd)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert f"0::/{group.name}\n" in told or f"/{group.name}\n" in told


def test_a_descriptor_that_is_no_group_is_refused() -> None:
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="clone3"):
            kernel.fork_into(fd)
    finally:
        os.close(fd)


def test_without_a_parent_a_group_is_nothing_and_forks_as_usual() -> None:
    group = cgroups.Group(None)
    if (pid := group.fork()) == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert not group.out_of_memory()
    group.remove()
