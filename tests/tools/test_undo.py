"""files.undo: the bytes before, or a refusal."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ringfence.core.errors import ToolError
from ringfence.tools.changes import Changes, Edit

from .writing import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    (box.conf / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
    return box


async def test_undo_gives_back_the_very_bytes_and_the_mode(box: Box) -> None:
    before = box.files()
    (box.conf / "a").chmod(0o600)
    await box.call("write", path="conf/a", text="other", mode="overwrite")
    (box.conf / "a").chmod(0o644)
    assert (await box.call("undo", path="conf/a"))["undone"] == "c1"
    assert box.files() == before
    assert (box.conf / "a").stat().st_mode & 0o777 == 0o600


async def test_undo_of_a_new_file_takes_it_away(box: Box) -> None:
    before = box.files()
    await box.call("write", path="conf/new", text="x")
    await box.call("undo", path="conf/new")
    assert box.files() == before


async def test_undo_of_a_patch_undoes_all_of_its_files_or_none(box: Box) -> None:
    before = box.files()
    patch = "--- a\n+++ a\n@@ -2 +2 @@\n-two\n+2\n--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+new\n"
    await box.call("patch", path="conf", patch=patch)
    made = box.files()
    (box.conf / "b").write_text("changed by somebody\n")
    with pytest.raises(ToolError, match="conf/b was changed since c1"):
        await box.call("undo", path="conf/a")
    assert (box.conf / "a").read_bytes() == made["a"]
    (box.conf / "b").write_bytes(made["b"])
    assert [file["path"] for file in (await box.call("undo", path="conf/b"))["files"]] == ["conf/a", "conf/b"]
    assert box.files() == before


async def test_undo_refuses_a_file_that_was_changed_since_and_says_so(box: Box) -> None:
    await box.call("write", path="conf/a", text="mine\n", mode="overwrite")
    (box.conf / "a").write_text("theirs\n")
    with pytest.raises(ToolError, match=r"conf/a was changed since c1: its SHA-256 is another"):
        await box.call("undo", path="conf/a")
    (box.conf / "a").unlink()
    with pytest.raises(ToolError, match=r"conf/a was changed since c1"):
        await box.call("undo", path="conf/a")
    assert not (box.conf / "a").exists()


async def test_undo_goes_back_one_step_and_further_only_when_told(box: Box) -> None:
    for text in ("1\n", "2\n", "3\n"):
        await box.call("write", path="conf/a", text=text, mode="overwrite")
    with pytest.raises(ToolError, match="conf/a was changed since c2") as caught:
        await box.call("undo", path="conf/a", change="c2")
    assert caught.value.todo == "undo c3 first"
    await box.call("undo", path="conf/a")
    with pytest.raises(ToolError, match="c3, the last change of conf/a, is undone already") as caught:
        await box.call("undo", path="conf/a")
    assert "c2, c1" in caught.value.todo
    assert (box.conf / "a").read_bytes() == b"\xef\xbb\xbf2\n"
    await box.call("undo", path="conf/a", change="c2")
    assert (box.conf / "a").read_bytes() == b"\xef\xbb\xbf1\n"


async def test_what_is_not_on_record_is_not_undone(box: Box) -> None:
    with pytest.raises(ToolError, match="no change of conf/a is on record"):
        await box.call("undo", path="conf/a")
    await box.call("write", path="conf/a", text="1", mode="overwrite")
    with pytest.raises(ToolError, match=r"c7 is no change of conf/a"):
        await box.call("undo", path="conf/a", change="c7")


async def test_the_preview_of_an_undo_shows_the_way_back(box: Box) -> None:
    await box.call("edit", path="conf/a", old="two", new="2")
    assert re.search(r"^-2\n\+two$", await box.preview("undo", path="conf/a"), re.M)
    assert b"2\n" in (box.conf / "a").read_bytes()


async def test_the_state_folder_is_ours_alone(box: Box) -> None:
    umask = os.umask(0)
    try:
        await box.call("write", path="conf/a", text="1", mode="overwrite")
    finally:
        os.umask(umask)
    assert box.state.stat().st_mode & 0o777 == 0o700


def kept(box: Box, changes: Changes, text: str) -> None:
    name, found = changes.look("conf/a")
    changes.make([text], lambda: [Edit(name, found, text.encode())], lambda handle: {"undo": handle}, once=False)


def test_what_is_kept_is_bounded_in_number_and_size(box: Box) -> None:
    changes = Changes(box.folders, box.state, keep=3)
    for n in range(6):
        kept(box, changes, f"{n}\n")
    for change in ("c6", "c5", "c4"):
        changes.undo("conf/a", change)
    with pytest.raises(ToolError, match="c3 is no change"):
        changes.undo("conf/a", "c3")
    small = Changes(box.folders, box.state, keep_bytes=2_500)
    for n in range(40):
        kept(box, small, str(n % 10) * 1_000)
    assert (box.state / "changes.db").stat().st_size < 40_000
    small.undo("conf/a", "")
    with pytest.raises(ToolError, match="is no change"):
        small.undo("conf/a", "c40")


def test_an_earlier_content_that_is_thrown_away_is_not_left_in_the_file(box: Box) -> None:
    changes = Changes(box.folders, box.state, keep=1)
    (box.conf / "a").write_text("OLD-SECRET")
    for n in range(3):
        kept(box, changes, f"{n}\n")
    assert b"OLD-SECRET" not in b"".join(p.read_bytes() for p in box.state.iterdir())
