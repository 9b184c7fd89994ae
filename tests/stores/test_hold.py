"""One process drives a run, one answers it; the kernel lets go of what a dead one held."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context
from pathlib import Path

import pytest

from ringfence.core.errors import JournalError
from ringfence.stores.hold import Held, answering, holding

Hold = Callable[[Path, str], AbstractContextManager[None]]
both = pytest.mark.parametrize("hold", [holding, answering])
HOLDER = """\
import sys
from pathlib import Path
from ringfence.stores import hold
with getattr(hold, sys.argv[1])(Path(sys.argv[2]), "run1"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "held"


def holder(hold: Hold, folder: Path) -> subprocess.Popen[str]:
    """Another process that holds `run1` until its stdin ends."""
    command = [sys.executable, "-c", HOLDER, hold.__name__, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@both
def test_a_second_holder_is_refused_with_the_next_step(hold: Hold, folder: Path) -> None:
    with holder(hold, folder) as other:
        with pytest.raises(Held, match="run1") as refused, hold(folder, "run1"):
            pass
        assert isinstance(refused.value, JournalError)
        assert refused.value.todo
        other.communicate("")
    with hold(folder, "run1"):
        pass


@both
def test_what_a_killed_process_held_is_free(hold: Hold, folder: Path) -> None:
    with holder(hold, folder) as other:
        other.kill()
    assert other.returncode == -signal.SIGKILL
    with hold(folder, "run1"):
        pass


@both
def test_within_a_process_too_one_holds(hold: Hold, folder: Path) -> None:
    def another() -> None:
        with pytest.raises(Held), hold(folder, "run1"):
            pass

    with hold(folder, "run1"):
        Context().run(another)


async def test_who_drives_a_run_may_drive_it_again_and_lets_go_once(folder: Path) -> None:
    async def again() -> None:
        with holding(folder, "run1"):
            assert (folder / "run1.lock").exists()

    with holding(folder, "run1"):
        await asyncio.create_task(again())
        with holding(folder, "run1"):
            pass
        assert (folder / "run1.lock").exists()
        with pytest.raises(Held):
            await asyncio.create_task(again(), context=Context())
    assert not (folder / "run1.lock").exists()


def test_runs_do_not_hold_each_other_and_driving_holds_no_answer(folder: Path) -> None:
    with holding(folder, "run1"), holding(folder, "run2"), answering(folder, "run1"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {path.name for path in folder.iterdir()} == {"run1.lock", "run2.lock", "run1.answer"}
    assert list(folder.iterdir()) == []


@both
def test_an_error_lets_go(hold: Hold, folder: Path) -> None:
    with pytest.raises(ValueError, match="x"), hold(folder, "run1"):
        raise ValueError("x")
    with hold(folder, "run1"):
        pass


def test_a_link_in_the_place_of_a_lock_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "run1.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), holding(folder, "run1"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_many_who_come_and_go_never_hold_at_once(folder: Path, tmp_path: Path) -> None:
    """The file is removed by its holder while others try: none of them may take a file that is gone for the lock."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from ringfence.stores.hold import Held, holding\n"
        "folder, inside, got = Path(sys.argv[1]), Path(sys.argv[2]), 0\n"
        "while got < 200:\n"
        "    try:\n"
        "        with holding(folder, 'run1'):\n"
        "            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if somebody else is in\n"
        "            inside.unlink()\n"
        "            got += 1\n"
        "    except Held:\n"
        "        pass\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(tmp_path / "inside")]
    racers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for racer in racers:
        _, err = racer.communicate(timeout=60)
        assert racer.returncode == 0, err
