"""One contract for both ways of opening a file beneath a folder."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError, ToolError
from ringfence.tools.confine import Opener, best_opener, open_beneath, open_stepwise
from ringfence.tools.folders import Folders

INSIDE, SECRET = b"inside", b"SECRET"


def openers() -> list[Opener]:
    return [open_stepwise] if best_opener() is open_stepwise else [open_beneath, open_stepwise]


@pytest.fixture(params=openers(), ids=lambda opener: opener.__name__)
def opener(request: pytest.FixtureRequest) -> Opener:
    chosen: Opener = request.param
    return chosen


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder `box` with files and traps, and a secret beside it."""
    box = tmp_path / "box"
    (box / "dir" / "deep").mkdir(parents=True)
    for path in ("a.txt", "dir/b.txt", "dir/deep/c.txt"):
        (box / path).write_bytes(INSIDE)
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.txt").write_bytes(SECRET)
    (box / "out-file").symlink_to("../secret.txt")
    (box / "out-dir").symlink_to("../outside")
    (box / "out-abs").symlink_to(tmp_path / "secret.txt")
    (box / "loop").symlink_to("loop")
    (box / "proc").symlink_to("/proc/self/root")
    (box / ".env").write_bytes(SECRET)
    return tmp_path


@pytest.fixture
def folders(place: Path, opener: Opener) -> Folders:
    return Folders([Path("box")], base=place, opener=opener)


def read(folders: Folders, path: str) -> bytes:
    with folders.open(path) as source:
        return source.stream.read()


@pytest.mark.parametrize("path", ["box/a.txt", "./box/a.txt", "/box/a.txt", "a.txt", "box//a.txt", " 'box/a.txt' "])
def test_a_path_may_be_written_in_slightly_different_ways(folders: Folders, path: str) -> None:
    assert read(folders, path) == INSIDE


def test_the_absolute_path_of_a_file_inside_is_understood(folders: Folders, place: Path) -> None:
    assert read(folders, str(place / "box" / "dir" / "b.txt")) == INSIDE


@pytest.mark.parametrize(
    "path",
    [
        "box/../secret.txt", "../secret.txt", "/etc/passwd", "box/out-file", "box/out-dir/b.txt", "box/out-abs",
        "box/dir/../../secret.txt", "box/proc/etc/passwd", "..", "/", "box/..", "secret.txt", "//etc/passwd",
        "box/loop", "box/.env", ".env", "box/a.txt\0.md", "\ud800", "box/" + "x" * 5_000, "box/a.txt/x", "", ".",
    ],
)  # fmt: skip
def test_no_path_leads_outside(folders: Folders, path: str) -> None:
    with pytest.raises(ToolError):
        read(folders, path)


def test_an_escape_is_called_one(folders: Folders) -> None:
    with pytest.raises(ToolError, match="outside the folders you may read") as caught:
        read(folders, "../secret.txt")
    assert caught.value.todo == "use a path beneath box"


def test_links_beneath_are_followed_by_the_kernel_and_refused_by_the_fallback(place: Path, opener: Opener) -> None:
    (place / "box" / "near").symlink_to("dir/b.txt")
    folders = Folders([Path("box")], base=place, opener=opener)
    if opener is open_beneath:
        assert read(folders, "box/near") == INSIDE
    else:
        with pytest.raises(ToolError, match="link"):
            read(folders, "box/near")


def test_what_is_no_regular_file_is_refused_without_waiting(folders: Folders, place: Path) -> None:
    os.mkfifo(place / "box" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(place / "box")  # the name of a socket is short
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
    with pytest.raises(ToolError, match="is a pipe, not a regular file"):
        read(folders, "box/pipe")
    with pytest.raises(ToolError, match="a socket or a device, not a regular file"):
        read(folders, "box/sock")
    with pytest.raises(ToolError, match="is a folder"):
        read(folders, "box/dir")


def test_a_device_is_refused(opener: Opener) -> None:
    with pytest.raises(ToolError, match="is a device, not a regular file"):
        read(Folders([Path("/dev")], base=Path("/"), opener=opener), "/dev/null")


def test_a_walk_stays_inside_and_says_what_it_left_out(folders: Folders, place: Path) -> None:
    os.mkfifo(place / "box" / "pipe")
    walk = folders.walk()
    assert [entry.path for entry in walk.files] == ["box/a.txt", "box/dir/b.txt", "box/dir/deep/c.txt"]
    assert walk.folders == ["box", "box/dir", "box/dir/deep"]
    assert "box/pipe (not a regular file)" in walk.skipped
    assert not any(".env" in text for text in walk.skipped)


def test_a_walk_is_bounded_in_files(place: Path, opener: Opener) -> None:
    walk = Folders([Path("box")], base=place, opener=opener, max_files=2).walk()
    assert len(walk.files) == 2
    assert any("more than 2 files" in text for text in walk.skipped)


def test_a_walk_is_bounded_in_depth(place: Path, opener: Opener) -> None:
    (place / "box" / "/".join(["d"] * 40)).mkdir(parents=True)
    assert any("folders deep" in text for text in Folders([Path("box")], base=place, opener=opener).walk().skipped)


def test_a_name_that_cannot_be_shown_is_left_out(place: Path, opener: Opener) -> None:
    with open(os.fsencode(place / "box") + b"/bad\xff.txt", "wb") as file:  # noqa: PTH123  # a name of bytes
        file.write(SECRET)
    walk = Folders([Path("box")], base=place, opener=opener).walk()
    assert not any("bad" in entry.path for entry in walk.files)
    assert any("bad" in text and "(name)" in text for text in walk.skipped)


def test_a_single_file_may_be_a_target_and_its_neighbours_stay_hidden(place: Path, opener: Opener) -> None:
    folders = Folders([Path("box/a.txt")], base=place, opener=opener)
    assert read(folders, "box/a.txt") == read(folders, "a.txt") == INSIDE
    assert [entry.path for entry in folders.walk().files] == ["box/a.txt"]
    for path in ("box/dir/b.txt", "b.txt", "box/a.txt/../dir/b.txt", "box"):
        with pytest.raises(ToolError):
            read(folders, path)


def test_a_target_file_that_went_away_is_missing_and_not_a_loop(place: Path, opener: Opener) -> None:
    folders = Folders([Path("box/a.txt")], base=place, opener=opener)
    (place / "box" / "a.txt").unlink()
    with pytest.raises(ToolError, match="no file"):
        read(folders, "box/a.txt")
    assert folders.walk().files == []


def test_a_path_that_fits_two_roots_is_asked_about(place: Path, opener: Opener) -> None:
    (place / "other").mkdir()
    (place / "other" / "a.txt").write_bytes(INSIDE)
    with pytest.raises(ToolError, match=r"may be box/a\.txt or other/a\.txt"):
        read(Folders([Path("box"), Path("other")], base=place, opener=opener), "a.txt")


def test_a_target_that_is_not_there_is_the_operators_error(place: Path, opener: Opener) -> None:
    with pytest.raises(ManifestError, match="target_paths: nowhere cannot be opened"):
        Folders([Path("nowhere")], base=place, opener=opener)


PIECES = st.sampled_from(
    ["..", ".", "", "box", "dir", "deep", "a.txt", "b.txt", "c.txt", "out-file", "out-dir", "out-abs", "loop", "proc",
     "etc", "passwd", "secret.txt", "outside", ".env", "self", "root", "~", "\\", "%2e%2e", "\0", "…", "tmp"]
)  # fmt: skip
PATHS = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda lead, parts: lead + "/".join(parts), st.sampled_from(["", "/", "./", "//"]), st.lists(PIECES, max_size=8)
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS)
def test_random_paths_never_escape(folders: Folders, path: str) -> None:
    try:
        content = read(folders, path)
    except ToolError:
        return
    assert content == INSIDE


@pytest.fixture
def swapping(place: Path) -> Iterator[None]:
    """Someone who turns a file and a folder into links to the outside and back, as fast as it goes."""
    box, stop = place / "box", threading.Event()
    (place / "spare").mkdir()
    (place / "spare" / "b.txt").write_bytes(INSIDE)
    (place / "good").write_bytes(INSIDE)

    def swap() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            for name, target in (("x", place / "secret.txt"), ("y", place / "outside")):
                fresh = place / f"fresh-{name}"
                if n % 2:
                    fresh.symlink_to(target)
                    if (box / name).is_dir() and not (box / name).is_symlink():
                        (box / name).rename(place / "spare")
                    fresh.replace(box / name)
                elif name == "x":
                    os.link(place / "good", fresh)
                    fresh.replace(box / name)
                else:
                    (box / name).unlink()
                    (place / "spare").rename(box / name)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.usefixtures("swapping")
def test_a_link_swapped_in_a_race_never_shows_the_secret(folders: Folders) -> None:
    until, seen = time.monotonic() + 0.7, {"read": 0, "refused": 0}
    while time.monotonic() < until or not all(seen.values()):  # on a loaded machine the race takes longer to be met
        for path in ("x", "y/b.txt"):
            try:
                fd = folders._open_fd(folders.roots[0].fd, path, os.O_RDONLY)  # the bare opener, as fast as it goes
            except OSError:
                seen["refused"] += 1
                continue
            with os.fdopen(fd, "rb") as file:
                assert file.read() == INSIDE
            seen["read"] += 1
    assert seen["read"]
    assert seen["refused"]
