"""P1, P6: a hostile tool stays inside. Every attempt of `escapes/inside` on every launcher, as root and as a user.

The same attempts without a sandbox show that they can succeed, so that these tests can fail.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from .escapes import battery

REPOSITORY = Path(__file__).parents[2]
USER = 54321  # an id that nobody has
USERS = ("root", "user") if os.geteuid() == 0 else ("user",)
# an attempt that landlock does not stop everywhere, and the line of its `holds` that has to say so
EXCLUDED = {
    "stat_a_file": "names and attributes of files elsewhere",
    "kill_a_process": "processes of the host are not signalled",  # of the same user, before Linux 6.12
    "kill_a_process_by_a_descriptor": "processes of the host are not signalled",
}

pytestmark = pytest.mark.skipif(not os.access(battery.PYTHON, os.X_OK), reason=f"attempts run in {battery.PYTHON}")


@functools.cache
def tried(launcher: str, user: str) -> dict[str, dict[str, bool | str]]:
    """What `user` did in `launcher`, and what that says it holds. Skips where the launcher does not start."""
    home = tempfile.mkdtemp(prefix="ringfence-home-")
    command = [sys.executable, "-m", "tests.attacks.escapes.battery", launcher]
    if user == "user" and os.geteuid() == 0:
        os.chown(home, USER, USER)
        command = [sys.executable, "-m", "tests.attacks.escapes.as_user", str(USER), *command]
    environment = {**os.environ, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if done.returncode == battery.CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    told: dict[str, dict[str, bool | str]] = json.loads(done.stdout)[launcher]
    assert sorted(told["escaped"]) == sorted(battery.NAMES)
    return told


def free(told: dict[str, dict[str, bool | str]]) -> set[str]:
    """The attempts that got anywhere."""
    return {name for name, out in told["escaped"].items() if out}


def test_there_are_many_different_attempts() -> None:
    assert len(battery.NAMES) == len(set(battery.NAMES)) >= 40


@pytest.mark.parametrize("user", USERS)
def test_nothing_escapes_from_bubblewrap(user: str) -> None:
    assert free(tried("bubblewrap", user)) == set()


@pytest.mark.parametrize("user", USERS)
def test_nothing_escapes_from_landlock_but_what_it_says_it_cannot_hold(user: str) -> None:
    told = tried("landlock", user)
    assert {name for name in free(told) if told["holds"].get(EXCLUDED.get(name, ""), True) is True} == set()


@pytest.mark.parametrize("user", USERS)
def test_most_attempts_succeed_without_a_sandbox(user: str) -> None:
    assert len(free(tried("unsafe-none", user))) >= 30
