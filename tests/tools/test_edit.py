"""files.write and files.edit: what they change, and that it is nothing else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.policy import Effect, Role
from ringfence.tools.difference import difference
from ringfence.tools.edit import EditArgs, edited
from ringfence.tools.folders import Folders
from ringfence.tools.tool import Use
from ringfence.tools.undo import tools

from .writing import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    (box.conf / "app.ini").write_text("[app]\nport = 80\nhost = a\n\n[log]\nlevel = info\n")
    return box


async def test_a_new_file_is_written_and_said_so_in_full(box: Box) -> None:
    sha = hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert await box.call("write", path="conf/new.txt", text="one\ntwo\n") == {
        "path": "conf/new.txt", "bytes": 8, "lines": "+2 -0", "sha256_before": "", "sha256": sha, "undo": "c1",
    }  # fmt: skip
    assert (box.conf / "new.txt").read_text() == "one\ntwo\n"


async def test_create_refuses_a_file_that_is_there_and_overwrite_replaces_it(box: Box) -> None:
    with pytest.raises(ToolError, match=r"conf/app\.ini is there already"):
        await box.call("write", path="conf/app.ini", text="x\n")
    await box.call("write", path="conf/app.ini", text="x\n", mode="overwrite")
    assert (box.conf / "app.ini").read_text() == "x\n"


async def test_append_begins_on_a_line_of_its_own(box: Box) -> None:
    (box.conf / "notes").write_text("one")
    await box.call("write", path="conf/notes", text="two\n", mode="append")
    await box.call("write", path="conf/notes", text="three\n", mode="append")
    assert (box.conf / "notes").read_text() == "one\ntwo\nthree\n"


async def test_the_same_text_again_changes_nothing_and_says_so(box: Box) -> None:
    before = (box.conf / "app.ini").stat()
    for mode in ("overwrite", "create"):
        said = await box.call("write", path="conf/app.ini", text=(box.conf / "app.ini").read_text(), mode=mode)
        assert said["note"] == "it was so already; nothing was changed"
        assert "undo" not in said
    assert (box.conf / "app.ini").stat().st_ino == before.st_ino


async def test_an_edit_replaces_the_one_place(box: Box) -> None:
    said = await box.call("edit", path="conf/app.ini", old="port = 80", new="port = 8080")
    assert (box.conf / "app.ini").read_text() == "[app]\nport = 8080\nhost = a\n\n[log]\nlevel = info\n"
    assert said["lines"] == "+1 -1"


async def test_old_that_occurs_twice_is_refused_with_its_lines_unless_all_is_said(box: Box) -> None:
    with pytest.raises(ToolError, match=r"old occurs 2 times in conf/app\.ini: on lines 1, 5") as caught:
        await box.call("edit", path="conf/app.ini", old="[", new="<")
    assert "all=true" in caught.value.todo
    await box.call("edit", path="conf/app.ini", old="[", new="<", all=True)
    assert (box.conf / "app.ini").read_text().count("<") == 2


async def test_old_that_does_not_occur_is_answered_with_the_nearest_lines(box: Box) -> None:
    with pytest.raises(ToolError, match=r"old does not occur in conf/app\.ini") as caught:
        await box.call("edit", path="conf/app.ini", old="port=80", new="port=81")
    assert "line 2: 'port = 80'" in caught.value.todo
    with pytest.raises(ToolError, match="does not occur") as caught:
        await box.call("edit", path="conf/app.ini", old="qqqqqqqqqq", new="")
    assert "files.read" in caught.value.todo


async def test_an_edit_of_one_line_leaves_every_other_byte_as_it_was(box: Box) -> None:
    (box.conf / "dos.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\nfour\nfive")
    await box.call("edit", path="conf/dos.txt", old="two\nthree", new="two\n2.5\n3")
    assert (box.conf / "dos.txt").read_bytes() == b"\xef\xbb\xbfone\r\ntwo\r\n2.5\r\n3\r\nfour\nfive"
    await box.call("edit", path="conf/dos.txt", old="four\n", new="four\n4.5\n")
    assert (box.conf / "dos.txt").read_bytes() == b"\xef\xbb\xbfone\r\ntwo\r\n2.5\r\n3\r\nfour\n4.5\nfive"
    await box.call("edit", path="conf/dos.txt", old="one", new="zero\none")
    assert (box.conf / "dos.txt").read_bytes().startswith(b"\xef\xbb\xbfzero\r\none\r\ntwo")


async def test_a_file_written_anew_keeps_its_line_ends_and_its_byte_order_mark(box: Box) -> None:
    (box.conf / "dos.txt").write_bytes(b"\xef\xbb\xbfone\r\n")
    await box.call("write", path="conf/dos.txt", text="a\nb\n", mode="overwrite")
    assert (box.conf / "dos.txt").read_bytes() == b"\xef\xbb\xbfa\r\nb\r\n"


LINES = st.lists(st.sampled_from(["a", "b", "", " x", "é"]), min_size=1, max_size=6)
ENDS = st.lists(st.sampled_from(["\n", "\r\n"]), min_size=6, max_size=6)


@settings(max_examples=200)
@given(lines=LINES, ends=ENDS, target=st.integers(0, 5), new=st.sampled_from(["NEW", "N\nM", "", "UNIQUE\nmore"]))
def test_bytes_outside_of_the_edit_never_change(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ends: list[str], target: int, new: str
) -> None:
    box = Box(tmp_path_factory.mktemp("p"))
    target %= len(lines)
    pieces = [line + end for line, end in zip(lines, ends, strict=False)]
    pieces[target] = "UNIQUE" + ends[target]
    before = "".join(pieces)
    (box.conf / "f").write_bytes(before.encode())
    changes = box.tool("edit").sink._changes  # type: ignore[attr-defined]
    (edit,) = edited(changes, EditArgs(path="conf/f", old="UNIQUE", new=new))
    after, at = edit.after.decode(), before.index("UNIQUE")
    assert after.startswith(before[:at])
    assert after.endswith(before[at + len("UNIQUE") :])
    assert after[at : len(after) - len(before) + at + len("UNIQUE")].replace("\r\n", "\n") == new


async def test_the_same_edit_of_the_same_run_is_made_once(box: Box) -> None:
    args = {"path": "conf/app.ini", "old": "port = 80\n", "new": "port = 80\nport = 81\n"}
    first = await box.call("edit", run="r", **args)
    again = await box.call("edit", run="r", **args)
    assert again == {**first, "note": "this very call was made before; nothing was changed again"}
    assert (box.conf / "app.ini").read_text().count("port = 81") == 1
    await box.call("edit", run="another", **args)
    assert (box.conf / "app.ini").read_text().count("port = 81") == 2


async def test_the_same_edit_again_after_somebody_changed_the_file_is_refused(box: Box) -> None:
    args = {"path": "conf/app.ini", "old": "port = 80\n", "new": "port = 80\nport = 81\n"}
    await box.call("edit", run="r", **args)
    await box.call("edit", path="conf/app.ini", old="info", new="debug")
    with pytest.raises(ToolError, match=r"conf/app\.ini was changed since c1"):
        await box.call("edit", run="r", **args)
    await box.call("undo", path="conf/app.ini")
    await box.call("undo", path="conf/app.ini", change="c1")
    assert "note" not in await box.call("edit", run="r", **args)


async def test_mode_is_kept_and_that_of_a_new_file_is_no_wider_than_its_folder(box: Box) -> None:
    (box.conf / "app.ini").chmod(0o640)
    await box.call("edit", path="conf/app.ini", old="80", new="81")
    assert (box.conf / "app.ini").stat().st_mode & 0o7777 == 0o640
    for folder, wanted in ((0o700, 0o600), (0o755, 0o644), (0o777, 0o644)):
        (box.conf / "sub").chmod(folder)
        await box.call("write", path=f"conf/sub/{folder}", text="x")
        assert (box.conf / f"sub/{folder}").stat().st_mode & 0o7777 == wanted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_as_root_a_file_keeps_its_owner(box: Box) -> None:
    os.chown(box.conf / "app.ini", 1234, 2345)
    await box.call("edit", path="conf/app.ini", old="80", new="81")
    info = (box.conf / "app.ini").stat()
    assert (info.st_uid, info.st_gid) == (1234, 2345)


async def test_size_is_bounded_before_and_after(tmp_path: Path) -> None:
    box = Box(tmp_path, limit=100)
    with pytest.raises(ToolError, match=r"conf/x would have 101 B, more than the limit of 100 B"):
        await box.call("write", path="conf/x", text="x" * 101)
    (box.conf / "large").write_text("x" * 101)
    with pytest.raises(ToolError, match=r"conf/large is larger than the limit of 100 B"):
        await box.call("edit", path="conf/large", old="x", new="y", all=True)
    assert box.files() == {"large": b"x" * 101}


@pytest.mark.parametrize(
    ("data", "why"), [(b"a\0b", "is a binary file"), (b"caf\xe9", r"is not UTF-8 text \(byte 3\)")]
)
async def test_what_is_no_text_is_not_touched(box: Box, data: bytes, why: str) -> None:
    (box.conf / "b").write_bytes(data)
    for verb, args in (("edit", {"old": "a", "new": "b"}), ("write", {"text": "x", "mode": "overwrite"})):
        with pytest.raises(ToolError, match=f"conf/b {why}"):
            await box.call(verb, path="conf/b", **args)
    assert (box.conf / "b").read_bytes() == data


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_text_that_no_file_holds_is_refused(box: Box, text: str) -> None:
    with pytest.raises(ToolError, match="the text holds"):
        await box.call("write", path="conf/x", text=text)
    assert not (box.conf / "x").exists()


async def test_a_folder_is_neither_written_nor_made(box: Box) -> None:
    with pytest.raises(ToolError, match="conf/none is no folder"):
        await box.call("write", path="conf/none/x", text="x")
    for path in ("conf", "conf/sub", "."):
        with pytest.raises(ToolError, match=r"is a folder|is not clear"):
            await box.call("write", path=path, text="x")


async def test_a_new_file_without_the_name_of_the_only_folder_is_made_there(box: Box) -> None:
    assert (await box.call("write", path="other.txt", text="x"))["path"] == "conf/other.txt"


async def test_the_preview_is_the_diff_of_what_would_change_and_changes_nothing(box: Box) -> None:
    before = box.files()
    assert await box.preview("edit", path="conf/app.ini", old="level = info", new="level = debug") == (
        "--- conf/app.ini\n+++ conf/app.ini\n@@ -3,4 +3,4 @@\n host = a\n \n [log]\n-level = info\n+level = debug\n"
    )
    assert (await box.preview("write", path="conf/new", text="x")).splitlines()[0] == "--- /dev/null"
    assert box.files() == before
    assert not box.state.exists()


async def test_a_preview_is_bounded_and_says_what_it_leaves_out(box: Box) -> None:
    text = "".join(f"line {n}\n" for n in range(20_000))
    shown = await box.preview("write", path="conf/long", text=text)
    assert len(shown) < 21_000
    left = int(shown.splitlines()[-1].removeprefix("[cut here: ").split()[0].replace(",", ""))
    assert left + shown.count("\n+") == 20_000 + 1  # and the +++ line


@settings(max_examples=100)
@given(before=st.text(alphabet="ab\n", max_size=40), after=st.text(alphabet="ab\n", max_size=40))
def test_a_difference_can_be_applied_to_get_the_other_text(before: str, after: str) -> None:
    from ringfence.tools.patch import apply, parse_patch

    diff = difference("f", before, after).text
    assert (apply(parse_patch(diff)[0], "f", before) if diff else before) == after


def test_the_catalogue_says_what_these_tools_do(box: Box) -> None:
    for tool in box.tools.values():
        spec = tool.spec
        assert (spec.effect, spec.confined, spec.idempotent, spec.reversible) == (Effect.WRITE, True, True, True)
        assert spec.audience is None
        assert spec.roles["path"] is Role.CONTROL
        assert spec.types["path"] == "path"
        assert set(spec.types) <= set(spec.roles) == set(spec.schema["properties"])
        assert set(spec.leaves) == {"/undo"}  # a path that a yes was given for is vouched for in no other call
    assert {box.tool("write").spec.roles["text"], box.tool("edit").spec.roles["new"]} == {Role.TEXT}
    assert box.tool("patch").spec.roles["patch"] is Role.TEXT


@pytest.mark.parametrize("state", ["conf", "conf/state", "."])
def test_a_state_folder_that_the_tools_could_reach_is_refused(tmp_path: Path, state: str) -> None:
    (tmp_path / "conf").mkdir()
    folders = Folders([Path("conf")], base=tmp_path)
    with pytest.raises(ManifestError, match="lie in each other"):
        tools(folders, tmp_path / state, Use())


async def test_a_hidden_state_folder_beneath_a_target_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    made = {t.spec.name: t for t in tools(Folders([Path()], base=tmp_path), tmp_path / ".ringfence/files", Use())}
    preview = made["tool:files.write"].preview
    assert preview is not None
    with pytest.raises(ToolError, match="hidden"):
        await preview({"path": ".ringfence/files/changes.db", "text": "x", "mode": "overwrite"})
