"""What every launcher does alike, and what bubblewrap alone can."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.jobs import Job, Limits
from ringfence.sandboxes import AnyLauncher, Bubblewrap, UnsafeNoSandbox
from ringfence.sandboxes.warm import bubblewrap as profile
from ringfence.sandboxes.warm.spec import Refused, Spec

from .conftest import PYTHON, needs_python, python, run

pytestmark = needs_python
ROOT = os.geteuid() == 0
ECHO = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
ORPHAN = (
    "import os, time\nif os.fork() == 0:\n  os.fork()\n  time.sleep(60)\nprint('there', flush=True)\ntime.sleep(60)"
)


def alive(token: str) -> list[str]:
    """Processes with the token on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if token.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


async def test_a_job_reads_and_writes_what_was_declared_and_its_own_temporary_files(
    launcher: AnyLauncher, folder: Path
) -> None:
    for name in ("given", "work"):
        (folder / name).mkdir()
    (folder / "given" / "text").write_text("what was given")
    code = """
import pathlib, sys, tempfile
given, work = map(pathlib.Path, sys.argv[1:])
with tempfile.TemporaryFile("w+") as file:
    file.write((given / "text").read_text())
    file.seek(0)
    (work / "copy").write_text(file.read())
"""
    given, work = str(folder / "given"), str(folder / "work")
    ended = await python(launcher, code, given, work, reads=(given,), writes=(work,))
    assert (ended.how, ended.stderr) == ("exit 0", b"")
    copy = folder / "work" / "copy"
    assert copy.read_text() == "what was given"
    assert copy.stat().st_uid == (folder / "work").stat().st_uid, "it belongs to the owner of the folder"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("pass", "exit 0"),
        ("import sys; sys.exit(3)", "exit 3"),
        ("import os; os.kill(os.getpid(), 15)", "signal 15"),
        ("while True: pass", "cpu"),
        ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); signal.pause()", "wall"),
    ],
)
async def test_an_end_is_told_in_words(launcher: AnyLauncher, code: str, how: str) -> None:
    wall_s = 0.5 if how == "wall" else 20
    assert (await python(launcher, code, limits=Limits(cpu_s=1, wall_s=wall_s))).how == how


async def test_memory_that_no_limit_of_one_process_sees_ends_a_job(confining: AnyLauncher) -> None:
    code = "import mmap\nm = mmap.mmap(-1, 1 << 28)\nfor at in range(0, 1 << 28, 4096): m[at] = 1\ninput()"
    process = await confining.start(Job((PYTHON, "-I", "-S", "-c", code), limits=Limits(memory_mb=64, wall_s=20)))
    assert await process.wait() == "memory"


async def test_a_command_that_is_not_there_ends_with_127_and_says_so(launcher: AnyLauncher) -> None:
    ended = await run(launcher, "no-such-command")
    assert ended.how == "exit 127"
    assert b"no-such-command" in ended.stderr


async def test_a_long_lived_job_talks_in_lines_until_its_input_ends(launcher: AnyLauncher) -> None:
    process = await launcher.start(Job((PYTHON, "-I", "-S", "-c", ECHO), limits=Limits(wall_s=None)))
    for number in range(50):
        process.stdin.write(f"line {number}\n".encode())
        assert await process.stdout.readline() == f"LINE {number}\n".encode()
    process.stdin.close()
    assert await process.wait() == "exit 0"
    assert await process.stdout.read() == b""
    assert await process.stderr.read() == b""


async def test_output_waits_for_its_reader_and_none_of_it_is_lost(launcher: AnyLauncher) -> None:
    ended = await python(launcher, "import sys; sys.stdout.write('x' * 3_000_000)")
    assert (ended.how, len(ended.stdout)) == ("exit 0", 3_000_000)


async def test_a_killed_job_leaves_no_child(launcher: AnyLauncher) -> None:
    token = secrets.token_hex(12)
    process = await launcher.start(Job((PYTHON, "-I", "-S", "-c", ORPHAN, token), limits=Limits(wall_s=None)))
    assert await process.stdout.readline() == b"there\n"
    assert alive(token)
    process.kill()
    assert await process.wait() == "signal 9"
    assert alive(token) == []


async def test_a_closed_launcher_ends_its_jobs_and_starts_others(launcher: AnyLauncher) -> None:
    token = secrets.token_hex(12)
    process = await launcher.start(Job((PYTHON, "-I", "-S", "-c", ORPHAN, token), limits=Limits(wall_s=None)))
    assert await process.stdout.readline() == b"there\n"
    launcher.close()
    assert await process.wait() == "signal 9"
    assert alive(token) == []
    assert (await run(launcher, "/bin/true")).how == "exit 0"


async def test_an_orphan_dies_with_the_job_that_left_it(launcher: AnyLauncher) -> None:
    token = secrets.token_hex(12)
    code = "import os, time\nif os.fork() == 0:\n  os.close(1); os.close(2); time.sleep(60)"
    ended = await python(launcher, code, token, limits=Limits(wall_s=20))
    assert ended.how == "exit 0"
    assert alive(token) == []


async def test_twenty_jobs_at_once_are_kept_apart(launcher: AnyLauncher) -> None:
    async def one(number: int) -> bytes:
        return (await run(launcher, "/bin/echo", str(number))).stdout

    assert await asyncio.gather(*map(one, range(20))) == [f"{number}\n".encode() for number in range(20)]


async def test_its_environment_is_the_jobs_alone_and_in_no_list_of_processes(
    launcher: AnyLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_OPERATOR", "x")
    secret = secrets.token_hex(12)
    code = "import os, sys; print(sorted(os.environ.items()), flush=True); sys.stdin.read()"
    process = await launcher.start(Job((PYTHON, "-I", "-S", "-c", code), env={"KEY": secret}))
    told = (await process.stdout.readline()).decode()
    assert secret in told
    assert "OF_THE_OPERATOR" not in told
    assert alive(secret) == []
    assert secret not in repr(Job(("x",), env={"KEY": secret}))
    process.stdin.close()
    assert await process.wait() == "exit 0"
    await asyncio.gather(process.stdout.read(), process.stderr.read())


@pytest.mark.parametrize(
    "job",
    [
        Job(()),
        Job(("/bin/true", "a\0b")),
        Job(("/bin/true",), env={"A=B": "c"}),
        Job(("/bin/true",), reads=("relative",)),
        Job(("/bin/true",), reads=("/usr/../usr",)),
        Job(("/bin/true",), reads=("/",)),
        Job(("/bin/true",), writes=("/proc/sys",)),
        Job(("/bin/true",), writes=("/no/such/folder",)),
    ],
)
async def test_a_job_that_no_sandbox_can_mean_is_refused(launcher: AnyLauncher, job: Job) -> None:
    with pytest.raises(ToolError):
        await launcher.start(job)


async def test_a_declared_path_that_is_a_link_is_refused(launcher: AnyLauncher, folder: Path) -> None:
    (folder / "link").symlink_to("/etc")
    with pytest.raises(ToolError, match="link cannot be shown") as caught:
        await launcher.start(Job(("/bin/true",), reads=(str(folder / "link"),)))
    assert "without links" in caught.value.todo


async def test_a_worker_that_was_killed_is_replaced(launcher: AnyLauncher) -> None:
    assert (await run(launcher, "/bin/true")).how == "exit 0"
    worker = launcher._worker._process
    assert worker is not None
    worker.kill()
    worker.wait()
    assert (await run(launcher, "/bin/true")).how == "exit 0"


async def test_jobs_die_with_us(launcher: AnyLauncher) -> None:
    token = secrets.token_hex(12)
    script = f"""
import asyncio
from ringfence.jobs import Job, Limits
from ringfence.sandboxes.choice import LAUNCHERS
async def main():
    launcher = LAUNCHERS[{launcher.name!r}]()
    process = await launcher.start(Job(({PYTHON!r}, "-c", {ORPHAN!r}, {token!r}), limits=Limits(wall_s=None)))
    print((await process.stdout.readline()).decode(), flush=True)
    await process.wait()
asyncio.run(main())
"""
    ours = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert ours.stdout is not None
    assert await asyncio.to_thread(ours.stdout.readline) == "there\n"
    assert alive(token)
    ours.send_signal(signal.SIGKILL)
    ours.communicate()
    until = time.monotonic() + 60
    while alive(token) and time.monotonic() < until:  # noqa: ASYNC110  nobody tells us
        await asyncio.sleep(0.01)
    assert alive(token) == []


async def test_a_read_only_path_within_a_writable_one_stays_read_only(bubblewrap: AnyLauncher, folder: Path) -> None:
    (folder / "config").write_text("as it was")
    code = "import pathlib, sys\npathlib.Path(sys.argv[1], 'new').touch()\npathlib.Path(sys.argv[2]).write_text('x')"
    config = str(folder / "config")
    ended = await python(bubblewrap, code, str(folder), config, reads=(config,), writes=(str(folder),))
    assert b"Read-only file system" in ended.stderr
    assert (folder / "new").exists()
    assert (folder / "config").read_text() == "as it was"


async def test_landlock_refuses_what_it_cannot_hold(landlock: AnyLauncher, folder: Path) -> None:
    (folder / "config").write_text("")
    with pytest.raises(ToolError, match="read-only within"):
        await landlock.start(Job(("/bin/true",), reads=(str(folder / "config"),), writes=(str(folder),)))
    with pytest.raises(ToolError, match="egress proxy"):
        await landlock.start(Job(("/bin/true",), egress=lambda listener: listener.close()))


async def test_the_only_way_out_is_the_listener_that_we_were_handed(bubblewrap: AnyLauncher) -> None:
    handed: list[socket.socket] = []
    code = """
import os, socket, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
with socket.create_connection((proxy.hostname, proxy.port)) as way:
    way.sendall(b"out, please")
    print(way.recv(100).decode(), flush=True)
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError as fault:
    print(fault.strerror)
"""
    process = await bubblewrap.start(Job((PYTHON, "-I", "-S", "-c", code), egress=handed.append))
    (listener,) = handed
    assert listener.getsockname() == ("127.0.0.1", 3128)
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    with listener:
        accepted, _ = await asyncio.wait_for(loop.sock_accept(listener), 60)
        with accepted:
            assert await loop.sock_recv(accepted, 100) == b"out, please"
            await loop.sock_sendall(accepted, b"you may")
    out, _ = await asyncio.gather(process.stdout.read(), process.stderr.read())
    assert out == b"you may\nNetwork is unreachable\n"
    assert await process.wait() == "exit 0"


async def test_a_listener_that_cannot_be_taken_stops_the_job(bubblewrap: AnyLauncher, folder: Path) -> None:
    def refuse(listener: Any) -> None:
        listener.close()
        raise OSError("the proxy is full")

    with pytest.raises(ToolError, match="the proxy is full"):
        await bubblewrap.start(Job(("/bin/touch", str(folder / "ran")), writes=(str(folder),), egress=refuse))
    assert not (folder / "ran").exists()


@pytest.mark.skipif(not ROOT, reason="only root has folders that others may not pass")
async def test_what_lies_in_a_folder_of_roots_is_worked_on_by_another_user(
    bubblewrap: AnyLauncher, folder: Path
) -> None:
    os.chmod(folder, 0o700)  # noqa: PTH101
    work = folder / "work"
    work.mkdir(mode=0o700)
    (work / "text").write_text("of root")
    (work / "text").chmod(0o600)
    code = """
import json, os, pathlib, sys
work = pathlib.Path(sys.argv[1])
(work / "copy").write_text((work / "text").read_text())
outside = [line.split() for line in open("/proc/self/uid_map")]
print(json.dumps([os.getuid(), int(outside[0][1])]))
"""
    first = await python(bubblewrap, code, str(work), writes=(str(work),))
    second = await python(bubblewrap, code, str(work), writes=(str(work),))
    assert (work / "copy").read_text() == "of root"
    assert (work / "copy").stat().st_uid == 0
    inside, outside = json.loads(first.stdout)
    assert inside != 0
    assert outside != json.loads(second.stdout)[1], "no two jobs share a uid"


@pytest.mark.skipif(not ROOT, reason="only root can show a process another root")
def test_a_path_that_was_swapped_while_the_sandbox_was_built_is_refused(folder: Path) -> None:
    work = folder / "work"
    for path in (work, Path(f"{folder}/root/newroot{work}")):
        path.mkdir(parents=True)
    spec = Spec.parse(
        json.dumps({"argv": [], "reads": [], "launcher": "bubblewrap", "cwd": "/", "env": {},
                    "writes": [str(work)], "egress": False, "limits": dict.fromkeys(Limits.__slots__, 1)})
    )  # fmt: skip
    code = "import os, sys; os.chroot(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"
    command = [PYTHON, "-c", code, str(folder / "root")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(Refused, match="was replaced"):
            profile.check(spec, other.pid)
        other.kill()


def test_every_launcher_says_what_it_holds_and_what_it_cannot() -> None:
    for kind in (Bubblewrap, UnsafeNoSandbox):
        holds = kind().holds
        assert all(value is True or (isinstance(value, str) and value) for value in holds.values())
    assert "no sandbox" in UnsafeNoSandbox().holds["files, network, processes, everything else"]  # type: ignore[operator]


def descriptors() -> dict[str, str]:
    """What this process has open, by number."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found[entry.name] = str(entry.readlink())
    return found


async def test_a_start_that_is_cancelled_at_any_moment_leaves_nothing_open(launcher: AnyLauncher) -> None:

    async def closed() -> None:
        for _ in range(10):  # a stream is closed a turn of the loop later
            await asyncio.sleep(0)
        gc.collect()

    await python(launcher, "pass")  # the worker and its line stay
    await closed()
    before = descriptors()
    for moments in range(12):
        start = asyncio.create_task(launcher.start(Job((PYTHON, "-I", "-S", "-c", "import time; time.sleep(60)"))))
        for _ in range(moments):
            await asyncio.sleep(0)
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            process = await start  # it was quicker
            process.kill()
            await process.wait()
        await closed()
        assert descriptors() == before, f"cancelled after {moments} turns of the loop"
