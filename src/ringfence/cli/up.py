"""`ringfence up | down | restart | reload | status | logs`: the server in the background, and what it is asked."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from .. import stores
from ..app import record
from ..app.ids import now_ms
from ..app.serving import whereabouts
from ..app.serving.whereabouts import Answer, Whereabouts
from ..core.errors import InternalError, ManifestError
from ..manifest.loader import load
from ..manifest.types import Manifest
from .exits import Exit
from .serve import Wanted, manifest_of, say
from .text import duration, plain

_EXTRA_S = 15.0  # beyond `drain_s`: for the last answers, and for the journal to be closed
_LOOK_S = 0.2  # between two looks at a log that is followed
_TAIL_BYTES = 1 << 20
_WIPED = ("accounts.db*", f"{whereabouts.LOG}*", whereabouts.FILE, whereabouts.SOCKET)


def up(wanted: Wanted) -> Exit:
    """Start the server in the background, and return when it takes requests; what it says meanwhile is shown."""
    manifest = manifest_of(wanted)  # what is wrong with it is said here
    folder = whereabouts.folder_of(manifest)
    if (running := whereabouts.ask(folder, "status")) is not None:
        print(f"running already: {running.said['url']} (process {running.pid})")
        return Exit.DONE
    return _start(wanted, folder, "up")


def restart(wanted: Wanted) -> Exit:
    """Put a new server in the place of the one that runs: no request is refused between the two."""
    folder = whereabouts.folder_of(load(wanted.manifest))
    if whereabouts.ask(folder, "status") is None:
        say("no server runs; starting one")
    return _start(wanted, folder, "restarted")


def _start(wanted: Wanted, folder: Path, done: str) -> Exit:
    before, began = whereabouts.left(folder), time.monotonic()
    options = list(wanted.options())
    if done == "restarted" and before is not None:
        options = [*before.options, *options]  # the last of each counts
    command = [
        sys.executable,
        "-m",
        "ringfence.cli",
        "serve",
        "--detached",
        "-m",
        str(wanted.manifest.absolute()),
        *options,
    ]
    if done == "restarted":
        command.append("--takeover")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        where = _relay(process, folder)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if where is None:
        return Exit(process.returncode) if process.returncode in set(Exit) else Exit.INTERNAL
    took = duration(int((time.monotonic() - began) * 1000))
    print(f"{done} on {where.url} in {took} (process {where.pid}, log {folder / whereabouts.LOG})")
    return Exit.DONE


def _relay(process: subprocess.Popen[bytes], folder: Path) -> Whereabouts | None:
    """Show what the server says until it takes requests; where it is, or None if it ended instead.

    The end of what it says is no sign: processes that it has started may hold its stderr, too.
    """
    said: IO[bytes] | None = process.stderr
    assert said is not None
    while True:
        ended, where = process.poll() is not None, whereabouts.left(folder)
        while select.select([said], [], [], 0 if ended else _LOOK_S)[0]:
            if not (data := os.read(said.fileno(), 1 << 16)):
                break
            sys.stderr.write(plain(data.decode("utf-8", "replace")))
            sys.stderr.flush()
        if where is not None and where.pid == process.pid:
            return where
        if ended:
            return None
        time.sleep(_LOOK_S / 4)


def down(path: Path, *, now: bool) -> Exit:
    """Let the server end its runs, and stop it; `now` does not wait for them. Says what is left to resume."""
    manifest = load(path)
    folder = whereabouts.folder_of(manifest)
    running = whereabouts.ask(folder, "status")
    if running is None:
        _forget(folder)
        print("no server runs")
        return Exit.DONE
    wait_s = (0.0 if now else manifest.server.limits.drain_s) + _EXTRA_S
    _end(running, now=now, wait_s=wait_s)
    print("down")
    if left := _left_over(manifest):
        print(f"{left} {'run is' if left == 1 else 'runs are'} left to go on with: the next `ringfence up` does that")
    return Exit.DONE


def _end(running: Answer, *, now: bool, wait_s: float) -> None:
    busy = running.said["runs"]["running"]
    if busy and not now:
        say(f"waiting for {busy} {'run' if busy == 1 else 'runs'} to end; --now does not wait")
    for _ in range(2 if now else 1):  # the second one does not wait for anything
        _signal(running.pid, signal.SIGTERM)
        if not whereabouts.gone(running.pid, 0.3 if now else 0):
            continue
        return
    if not whereabouts.gone(running.pid, wait_s):
        say(
            f"process {running.pid} has not ended in {wait_s:g} s; it is killed, and its runs go on with the next start"
        )
        _signal(running.pid, signal.SIGKILL)
        if not whereabouts.gone(running.pid, _EXTRA_S):
            raise InternalError(f"process {running.pid} cannot be ended", todo="see what it waits for: ps, and dmesg")


def _signal(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return
    except PermissionError:
        raise ManifestError(
            f"process {pid} is another user's", todo="stop it as the user who started it, or as root"
        ) from None


def _left_over(manifest: Manifest) -> int:
    """Runs that were cut off and go on with the next start."""
    path = record.journal_path(manifest)
    if not path.exists():
        return 0
    with stores.open_log(path) as log:
        return sum(run.state == "open" for run in log.runs(1000))


def _forget(folder: Path) -> None:
    """Take away what a server that was killed has left."""
    if (old := whereabouts.left(folder)) is not None:
        say(f"process {old.pid} has ended without a word, perhaps killed: its runs go on with the next `ringfence up`")
        old.forget(folder)


def wipe(path: Path, *, yes: bool) -> Exit:
    """Destroy what the server keeps beside the journal, when it is down: accounts, sessions, keys, its log.

    The journal, its keys, documents and memory stay: `ringfence privacy` is for what is in those.
    """
    manifest = load(path)
    folder = whereabouts.folder_of(manifest)
    found = sorted(one for pattern in _WIPED for one in folder.glob(pattern))
    if not found:
        print("there is nothing to destroy")
        return Exit.DONE
    say("this destroys accounts, passwords, sessions, API keys and the log of the server:")
    for one in found:
        say(f"  {one}")
    name = manifest.runtime.name
    if not yes and not _typed(name):
        raise ManifestError(f"expected the agent's name, {name}, and nothing else; nothing was destroyed",
                            todo="type it, or give --yes")  # fmt: skip
    down(path, now=False)
    for one in found:
        one.unlink(missing_ok=True)
    print(f"destroyed {len(found)} files; the journal and its keys are as they were")
    return Exit.DONE


def _typed(name: str) -> bool:
    print(f"type the agent's name ({plain(name)}) to go on: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == name


def reload(path: Path) -> Exit:
    """Have the server read its manifest anew."""
    folder = whereabouts.folder_of(load(path))
    answer = whereabouts.ask(folder, "reload", timeout_s=120.0)
    if answer is None:
        raise ManifestError("no server runs", todo="`ringfence up` starts one")
    print(plain(str(answer.said["what"])))
    return Exit.DONE


def status(path: Path, *, as_json: bool) -> Exit:
    """How the server is; exit 1 if none runs."""
    folder = whereabouts.folder_of(load(path))
    running = whereabouts.ask(folder, "status")
    if running is None:
        return _not_running(folder, as_json=as_json)
    if as_json:
        print(json.dumps({"running": True, **running.said}, indent=2 if sys.stdout.isatty() else None))
        return Exit.DONE
    for name, text in _lines(running.said):
        print(f"{name:<12}  {plain(text)}")
    return Exit.DONE


def _not_running(folder: Path, *, as_json: bool) -> Exit:
    old = whereabouts.left(folder)
    if as_json:
        print(json.dumps({"running": False, "left": None if old is None else whereabouts.as_dict(old)}))
    elif old is None:
        print("no server runs; `ringfence up` starts one")
    elif old.alive:
        print(
            f"no server answers; process {old.pid}, which has its number, may be another's. `ringfence up` starts one"
        )
    else:
        print(f"no server runs: process {old.pid} has ended without a word, perhaps killed. `ringfence up` starts one")
    return Exit.UNANSWERED


def _lines(said: Any) -> Iterator[tuple[str, str]]:
    since = duration(max(0, now_ms() - said["started"]))
    begun = datetime.fromtimestamp(said["started"] / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    yield "state", said["state"]
    yield "address", said["url"]
    yield "process", f"{said['pid']}, since {begun} ({since}), ringfence {said['version']}"
    yield "agent", said["agent"]
    for model in said["models"]:
        yield "model", f"{model['tier']}: {model['model']} ({model['provider']})"
    yield "runs", ", ".join(f"{count} {name}" for name, count in said["runs"].items())
    yield "connections", str(said["connections"])
    yield "memory", f"{said['memory_mb']} MB at most so far"
    for trouble in said.get("troubles", ()):
        yield "trouble", trouble


def show_logs(path: Path, *, follow: bool, lines: int) -> Exit:
    """The end of the server's log, and with `follow` what comes, until Ctrl-C."""
    manifest = load(path)
    named = manifest.runtime.log_file
    file = manifest.root / named if named else whereabouts.folder_of(manifest) / whereabouts.LOG
    if not file.exists() and not follow:
        raise ManifestError(f"there is no log at {file}", todo="it is begun by `ringfence up`")
    place, inode = _tail(file, lines)
    while follow:
        time.sleep(_LOOK_S)
        place, inode = _more(file, place, inode)
    return Exit.DONE


def _tail(file: Path, lines: int) -> tuple[int, int]:
    """Print the last lines; where the file ends, and which one it is."""
    if not file.exists():
        return 0, 0
    with file.open("rb") as log:
        end = log.seek(0, os.SEEK_END)
        log.seek(max(0, end - _TAIL_BYTES))
        text = log.read(end - log.tell()).decode("utf-8", "replace").splitlines()
        for line in text[-lines:] if lines else ():
            print(plain(line))
        sys.stdout.flush()
        return end, os.fstat(log.fileno()).st_ino


def _more(file: Path, place: int, inode: int) -> tuple[int, int]:
    """Print what has come since; a file that was moved away or cut is read from its beginning."""
    try:
        with file.open("rb") as log:
            at = os.fstat(log.fileno())
            if at.st_ino != inode or at.st_size < place:
                place = 0
            log.seek(place)
            text = log.read().decode("utf-8", "replace")
            sys.stdout.write(plain(text))
            sys.stdout.flush()
            return log.tell(), at.st_ino
    except FileNotFoundError:  # moved away, and not begun anew yet
        return 0, 0
