"""Tools that write files: no path, link, race or odd file makes them write anywhere else, or lose what others wrote."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.tools import atomic
from ringfence.tools.changes import Changes

from ..tools.writing import Box

OUTSIDE = "outside, never to be changed\n"
PATCH = "--- {0}\n+++ {0}\n@@ -1 +1 @@\n-outside, never to be changed\n+CHANGED\n"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    (box.conf / "a").write_text("inside\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text(OUTSIDE)
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    return box


def untouched(box: Box) -> bool:
    files = {p.name: p.read_text() for p in (box.place / "out").iterdir()}
    return files == {"x": OUTSIDE} and (box.place / "secret.txt").read_text() == OUTSIDE


async def try_all(box: Box, path: str) -> None:
    """Every tool that writes, at one path; each has to refuse."""
    for verb, args in (
        ("write", {"text": "CHANGED"}), ("write", {"text": "CHANGED", "mode": "overwrite"}),
        ("write", {"text": "CHANGED", "mode": "append"}), ("edit", {"old": "outside", "new": "CHANGED"}),
        ("patch", {"patch": PATCH.format(path)}), ("patch", {"patch": PATCH.format(path.rpartition("/")[2])}),
        ("undo", {}),
    ):  # fmt: skip
        with pytest.raises((ToolError, ValueError)):
            await box.call(verb, path=path, **args)
        with pytest.raises(ToolError):
            await box.preview(verb, path=path, **args)


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt", "conf/../secret.txt", "conf/sub/../../secret.txt", "/etc/passwd", "conf//../secret.txt", "..",
        "conf/..", "conf/.hidden", ".ssh/authorized_keys", "conf/.git/hooks/pre-commit", "conf/a\0b", "conf/a\nb",
        "conf/" + "x" * 300, "conf/" + "d/" * 600 + "x", "conf/\u202eexe", "~/x", "//etc/passwd", "\ud800",
    ],
)  # fmt: skip
async def test_no_path_writes_outside(box: Box, path: str) -> None:
    before = box.files()
    await try_all(box, path)
    assert box.files() == before
    assert untouched(box)


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [
        ("file", "../secret.txt", "conf/file"), ("folder", "../out", "conf/folder/x"),
        ("folder", "../out", "conf/folder/new"), ("near", "a", "conf/near"), ("in", "sub", "conf/in/new"),
        ("loop", "loop", "conf/loop"), ("dangling", "../out/new", "conf/dangling"),
        ("proc", "/proc/self/cwd", "conf/proc/new"),
    ],
)  # fmt: skip
async def test_no_link_is_followed_to_write(box: Box, link: str, target: str, path: str) -> None:
    (box.conf / link).symlink_to(target)
    await try_all(box, path)
    assert (box.conf / link).is_symlink()
    assert untouched(box)
    assert (box.conf / "a").read_text() == "inside\n"
    assert not list((box.conf / "sub").iterdir())


async def test_a_file_with_another_name_elsewhere_is_refused(box: Box) -> None:
    os.link(box.place / "secret.txt", box.conf / "hard")
    await try_all(box, "conf/hard")
    with pytest.raises(ToolError, match="has 2 names"):
        await box.call("write", path="conf/hard", text="x", mode="overwrite")
    assert untouched(box)


async def test_what_is_no_regular_file_is_refused_without_waiting(box: Box) -> None:
    os.mkfifo(box.conf / "pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(box.conf)  # the name of a socket is short
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
    for name, why in (("pipe", "is a pipe"), ("sock", "is a socket"), ("sub", "is a folder")):
        await try_all(box, f"conf/{name}")
        with pytest.raises(ToolError, match=why):
            await box.call("write", path=f"conf/{name}", text="x", mode="overwrite")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make devices")
async def test_a_device_is_refused(box: Box) -> None:
    try:
        os.mknod(box.conf / "null", 0o666 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this root may make no devices")
    with pytest.raises(ToolError, match=r"is a device|cannot be opened"):
        await box.call("write", path="conf/null", text="x", mode="overwrite")


Meanwhile = Callable[[Box], Any]


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda box: (box.conf / "a").write_text("theirs\n"),
        lambda box: ((box.conf / "a").unlink(), (box.conf / "a").symlink_to("../secret.txt")),
        lambda box: (box.conf / "a").unlink(),
        lambda box: (box.place / "out" / "x").rename(box.conf / "a"),
    ],
    ids=["written", "a link", "gone", "another file"],
)
async def test_what_changed_between_the_look_and_the_swap_is_not_overwritten(
    box: Box, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = atomic.stage

    def late(*args: Any) -> None:
        stage(*args)
        meanwhile(box)

    monkeypatch.setattr(atomic, "stage", late)
    with pytest.raises(ToolError, match="was changed by something else meanwhile"):
        await box.call("edit", path="conf/a", old="inside", new="CHANGED")
    assert "CHANGED" not in "".join(
        p.read_text() for p in box.place.rglob("*") if p.is_file() and p.parent != box.state
    )
    assert not [name for name in box.files() if ".ringfence-" in name]


async def test_a_file_that_comes_into_being_at_the_last_moment_is_not_replaced(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = atomic.unchanged
    calls = []

    def late(at: Any, found: Any) -> None:
        unchanged(at, found)
        calls.append(at)
        if len(calls) == 2:  # the last check before the swap
            (box.conf / "new").write_text("theirs\n")

    monkeypatch.setattr(atomic, "unchanged", late)
    with pytest.raises(ToolError, match="came into being meanwhile"):
        await box.call("write", path="conf/new", text="ours\n")
    assert (box.conf / "new").read_text() == "theirs\n"


@pytest.fixture
def swapping(box: Box) -> Iterator[None]:
    """Someone who turns the folder `conf/sub` into a link to the outside and back, as fast as it goes."""
    stop, spare = threading.Event(), box.place / "spare"

    def swap() -> None:
        while not stop.is_set():
            (box.conf / "sub").rename(spare)
            (box.conf / "sub").symlink_to("../out")
            (box.conf / "sub").unlink()
            spare.rename(box.conf / "sub")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.usefixtures("swapping")
async def test_a_folder_swapped_in_a_race_never_leads_outside(box: Box) -> None:
    until, seen = time.monotonic() + 1.0, {"written": 0, "refused": 0}
    count = 0
    while time.monotonic() < until or not all(seen.values()):
        count += 1
        try:
            await box.call("write", path="conf/sub/x", text=f"{count}", mode="overwrite")
        except ToolError:
            seen["refused"] += 1
        else:
            seen["written"] += 1
        assert untouched(box)


async def test_of_many_at_once_nothing_is_lost(box: Box) -> None:
    others = [Box(box.place) for _ in range(4)]
    await asyncio.gather(
        *(
            other.call("write", path="conf/log", text=f"{n}.{k}\n", mode="append", run=f"{n}.{k}")
            for n, other in enumerate(others)
            for k in range(10)
        )
    )
    assert sorted((box.conf / "log").read_text().split()) == sorted(f"{n}.{k}" for n in range(4) for k in range(10))


async def test_a_state_folder_that_is_full_of_nonsense_stops_every_change(box: Box) -> None:
    box.state.mkdir()
    (box.state / "changes.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(ToolError, match="earlier contents cannot be kept"):
        await box.call("write", path="conf/a", text="x", mode="overwrite")
    assert (box.conf / "a").read_text() == "inside\n"


async def test_what_cannot_be_kept_is_not_changed(box: Box) -> None:
    box.state.write_text("a file where the folder should be")
    with pytest.raises(ToolError, match="earlier contents cannot be kept"):
        await box.call("edit", path="conf/a", old="inside", new="x")
    assert (box.conf / "a").read_text() == "inside\n"


async def test_a_full_disk_leaves_everything_as_it_was(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def full(fd: int) -> None:
        if Path(f"/proc/self/fd/{fd}").readlink().suffix == ".tmp":
            raise OSError(28, "No space left on device")
        fsync(fd)

    before = box.files()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError, match="the change was not made: No space left on device"):
        await box.call("write", path="conf/a", text="x", mode="overwrite")
    assert box.files() == before


async def test_a_half_made_change_that_cannot_be_taken_back_is_said_once_and_stops_nothing_else(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap = atomic.swap

    def cut_off(at: Any, found: Any, temp: str) -> None:
        if at.name == "b":
            os.link(box.conf / "a", box.conf / "another")
            raise OSError(5, "Input/output error")
        swap(at, found, temp)

    patch = "--- a\n+++ a\n@@ -1 +1 @@\n-inside\n+2\n--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+new\n"
    with monkeypatch.context() as patched:
        patched.setattr(atomic, "swap", cut_off)
        with pytest.raises(ToolError, match="c1 was cut off, and conf/a could not be put back as before"):
            await box.call("patch", path="conf", patch=patch)
    assert (await box.call("write", path="conf/c", text="x"))["undo"] == "c2"


def test_nothing_is_opened_before_the_first_change(box: Box) -> None:
    Changes(box.folders, box.state)
    assert not box.state.exists()
