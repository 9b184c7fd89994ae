"""One process drives a run, one answers it; the kernel lets go of what a dead one held; looking turns nobody away."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context
from pathlib import Path

import pytest

from ringfence.core.errors import JournalError
from ringfence.stores.hold import Held, answering, holding, left

Hold = Callable[[Path, str], AbstractContextManager[None]]
both = pytest.mark.parametrize("hold", [holding, answering])
by_name = pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this system has no locks of an open file")
START = """\
import fcntl, os, sys
from pathlib import Path
if sys.argv[1] == "files":
    del fcntl.F_OFD_SETLK, fcntl.F_OFD_GETLK
from ringfence.stores.hold import Held, answering, holding, left
folder = Path(sys.argv[2])
"""
HOLDER = """\
with {hold}(folder, "run1"):
    print("held", flush=True)
    sys.stdin.read()
"""
FORKS = """\
with holding(folder, "run1"):
    if not os.fork():
        print("held", flush=True)
        sys.stdin.read()
        os._exit(0)
    sys.stdin.read()
"""
RACER = """\
inside, got = Path(sys.argv[3]), 0
while got < 200:
    try:
        with holding(folder, "run1"):
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if somebody else is in
            inside.unlink()
            got += 1
    except Held:
        pass
"""


@pytest.fixture(params=[pytest.param("names", marks=by_name), "files"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Locks by name, or a file for each where the system has no such locks."""
    if request.param == "files":
        for name in ("F_OFD_SETLK", "F_OFD_GETLK"):
            monkeypatch.delattr(fcntl, name, raising=False)
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "held"


def started(code: str, way: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    """Another process."""
    command = [sys.executable, "-c", START + code, way, str(folder), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def holder(hold: Hold, way: str, folder: Path, code: str = HOLDER) -> subprocess.Popen[str]:
    """Another process that holds `run1` until its stdin ends."""
    process = started(code.format(hold=hold.__name__), way, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@both
def test_a_second_holder_is_refused_with_the_next_step(hold: Hold, way: str, folder: Path) -> None:
    with holder(hold, way, folder) as other:
        with pytest.raises(Held, match="run1") as refused, hold(folder, "run1"):
            pass
        assert isinstance(refused.value, JournalError)
        assert refused.value.todo
        other.communicate("")
    with hold(folder, "run1"):
        pass


@both
def test_what_a_killed_process_held_is_free(hold: Hold, way: str, folder: Path) -> None:
    with holder(hold, way, folder) as other:
        other.kill()
    assert other.returncode == -signal.SIGKILL
    with hold(folder, "run1"):
        pass


@both
def test_within_a_process_too_one_holds(hold: Hold, way: str, folder: Path) -> None:
    def another() -> None:
        with pytest.raises(Held), hold(folder, "run1"):
            pass

    with hold(folder, "run1"):
        Context().run(another)


def test_it_can_be_told_whether_a_holder_died_until_the_next_one_lets_go(way: str, folder: Path) -> None:
    assert left(folder, "run1") is False
    with holder(holding, way, folder) as other:
        assert left(folder, "run1") is None
        assert left(folder, "run2") is False
        other.kill()
    assert left(folder, "run1") is True
    assert left(folder, "run1") is True
    with holding(folder, "run1"):
        assert left(folder, "run1") is None
    assert left(folder, "run1") is False


def test_who_ends_in_order_leaves_no_sign_of_a_death(way: str, folder: Path) -> None:
    with holder(holding, way, folder) as other:
        other.communicate("")
    assert left(folder, "run1") is False
    assert {path.name for path in folder.iterdir()} <= {"locks"}


def test_of_two_that_died_with_runs_each_is_told_apart(way: str, folder: Path) -> None:
    code = "held = [holding(folder, run) for run in sys.argv[3:]]\n"
    code += "[one.__enter__() for one in held]\nos.kill(os.getpid(), 9)"
    for runs in (("run1", "run2"), ("run3",)):
        with started(code, way, folder, *runs) as other:
            assert other.communicate() == ("", "")
        assert other.returncode == -signal.SIGKILL
    with holding(folder, "run1"), holding(folder, "run3"):
        assert [left(folder, f"run{n}") for n in range(1, 5)] == [None, True, None, False]
    assert [left(folder, f"run{n}") for n in range(1, 5)] == [False, True, False, False]


@both
def test_a_fork_that_lives_on_holds_nothing(hold: Hold, way: str, folder: Path) -> None:
    if way == "files":
        pytest.skip("a flock is held by every process that has inherited it")
    with holder(hold, way, folder, FORKS.replace("holding", hold.__name__)) as parent:
        assert left(folder, "run1") is (None if hold is holding else False)
        parent.kill()
        parent.wait(30)
        assert left(folder, "run1") is (hold is holding)
        with hold(folder, "run1"):
            pass
        assert parent.stdin is not None
        parent.stdin.close()


@by_name
def test_a_fork_lets_go_of_nothing_and_may_not_take_what_its_parent_holds(folder: Path) -> None:
    code = """\
def child():
    try:
        with holding(folder, "run1"):
            return 1
    except Held:
        pass
    with holding(folder, "run2"):
        return 0
with holding(folder, "run1"):
    if not os.fork():
        os._exit(child())
    assert os.wait()[1] == 0
    if not os.fork():
        sys.exit()  # out of the block, as an error would go
    assert os.wait()[1] == 0
    print("held", flush=True)
    sys.stdin.read()
"""
    with holder(holding, "names", folder, code) as parent:
        assert left(folder, "run1") is None
        with pytest.raises(Held), holding(folder, "run1"):
            pass
        parent.communicate("")


async def test_who_drives_a_run_may_drive_it_again_and_lets_go_once(way: str, folder: Path) -> None:
    async def again() -> None:
        with holding(folder, "run1"):
            assert left(folder, "run1") is None

    with holding(folder, "run1"):
        await asyncio.create_task(again())
        with holding(folder, "run1"):
            pass
        assert left(folder, "run1") is None
        with pytest.raises(Held):
            await asyncio.create_task(again(), context=Context())
    assert left(folder, "run1") is False


def test_runs_do_not_hold_each_other_and_driving_holds_no_answer(way: str, folder: Path) -> None:
    with holding(folder, "run1"), holding(folder, "run2"), answering(folder, "run1"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert [left(folder, run) for run in ("run1", "run2")] == [False, False]


@both
def test_an_error_lets_go(hold: Hold, way: str, folder: Path) -> None:
    with pytest.raises(ValueError, match="x"), hold(folder, "run1"):
        raise ValueError("x")
    with hold(folder, "run1"):
        pass


@pytest.mark.parametrize("name", ["locks", "run1.lock"])
def test_a_link_in_the_place_of_a_lock_is_not_followed(way: str, folder: Path, tmp_path: Path, name: str) -> None:
    if (way == "names") != (name == "locks"):
        pytest.skip("this file is not used here")
    folder.mkdir()
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), holding(folder, "run1"):
        pass
    assert not (tmp_path / "elsewhere").exists()


@by_name
def test_locks_that_were_removed_are_made_anew(folder: Path) -> None:
    with holding(folder, "run1"):
        for path in folder.iterdir():
            path.unlink()
        with pytest.raises(Held):
            Context().run(holding(folder, "run1").__enter__)
        with holding(folder, "run2"):
            assert left(folder, "run2") is None
    with holder(holding, "names", folder), pytest.raises(Held), holding(folder, "run1"):
        pass


@by_name
def test_a_thousand_runs_make_two_files(folder: Path) -> None:
    """One file a run costs a server more than all else that it does to hold one."""
    held = [holding(folder, f"run{n}") for n in range(1000)]
    for one in held:
        one.__enter__()
    assert len(list(folder.iterdir())) == 2
    assert sum(path.stat().st_size for path in folder.iterdir()) == 16_000
    for one in held[1:]:
        one.__exit__(None, None, None)
    for n in range(1000):
        with holding(folder, f"more{n}"):
            pass
    assert sum(path.stat().st_size for path in folder.iterdir()) == 16_000
    held[0].__exit__(None, None, None)
    assert [path.name for path in folder.iterdir()] == ["locks"]  # and none of it is open any more
    opened = [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if os.path.lexists(fd)]
    assert not [path for path in opened if path.is_relative_to(folder)]


@by_name
def test_a_full_disk_keeps_nobody_from_holding_and_letting_go(folder: Path) -> None:
    child = f"""
import resource, signal, sys
from pathlib import Path
from ringfence.stores.hold import holding, left
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
folder = Path({str(folder)!r})
with holding(folder, "r"):
    assert left(folder, "r") is None
assert left(folder, "r") is False
"""
    subprocess.run([sys.executable, "-c", child], check=True, timeout=60)


def test_a_full_disk_keeps_nobody_from_taking_what_a_dead_process_held(folder: Path) -> None:
    dies = f"""
import os
from pathlib import Path
from ringfence.stores.hold import holding
with holding(Path({str(folder)!r}), "r"):
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", dies], check=True, timeout=60)
    child = f"""
import resource, signal
from pathlib import Path
from ringfence.stores.hold import holding, left
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path({str(folder)!r})
assert left(folder, "r") is True
with holding(folder, "other"):  # the notes are open already
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with holding(folder, "r"):
        assert left(folder, "r") is None
"""
    subprocess.run([sys.executable, "-c", child], check=True, timeout=60)


def test_whoever_looks_turns_nobody_away(way: str, folder: Path) -> None:
    """Many look without a pause while one takes and lets go: none of its tries may be refused."""
    done, looked = threading.Event(), [0] * 4

    def look(number: int) -> None:
        while not done.is_set():
            left(folder, "run1")
            looked[number] += 1

    threads = [threading.Thread(target=look, args=(number,)) for number in range(len(looked))]
    watcher = started("print('held', flush=True)\nwhile True:\n    left(folder, 'run1')\n", way, folder)
    for thread in threads:
        thread.start()
    try:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "held\n"
        for _ in range(2000):
            with holding(folder, "run1"):
                pass
    finally:
        done.set()
        watcher.kill()
        watcher.communicate()
        for thread in threads:
            thread.join()
    assert all(looked)


def test_many_who_come_and_go_never_hold_at_once(way: str, folder: Path, tmp_path: Path) -> None:
    """Each lets go while others try: none of them may take what is gone for the lock."""
    racers = [started(RACER, way, folder, str(tmp_path / "inside")) for _ in range(3)]
    for racer in racers:
        _, err = racer.communicate(timeout=120)
        assert racer.returncode == 0, err


def test_many_threads_take_what_is_free_and_never_the_same(way: str, folder: Path) -> None:
    inside, most, lock, got = [0], [0], threading.Lock(), [0]

    def race() -> None:
        mine = 0
        while mine < 100:
            try:
                with holding(folder, "run1"):
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with lock:
                        inside[0] -= 1
                    mine += 1
            except Held:
                os.sched_yield() if hasattr(os, "sched_yield") else None
        with lock:
            got[0] += mine

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert (most[0], got[0]) == (1, 400)
