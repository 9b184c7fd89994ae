"""files.patch: applied wholly or not at all, without fuzz."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ringfence.core.errors import ToolError

from .writing import Box

ONE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    (box.conf / "a.txt").write_text(ONE)
    (box.conf / "sub" / "b.txt").write_text("alpha\nbeta\ngamma\n")
    return box


A = "--- a/conf/a.txt\n+++ b/conf/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
B = "--- a/conf/sub/b.txt\n+++ b/conf/sub/b.txt\n@@ -2,2 +2,3 @@\n beta\n-gamma\n+GAMMA\n+delta\n"


async def test_a_patch_of_one_file(box: Box) -> None:
    said = await box.call("patch", path="conf/a.txt", patch=A)
    assert (box.conf / "a.txt").read_text() == ONE.replace("two", "TWO")
    assert (said["path"], said["lines"], said["undo"]) == ("conf/a.txt", "+1 -1", "c1")


async def test_a_patch_of_several_files_and_a_new_one(box: Box) -> None:
    new = "--- /dev/null\n+++ b/sub/c.txt\n@@ -0,0 +1,2 @@\n+x\n+y\n\\ No newline at end of file\n"
    said = await box.call("patch", path="conf", patch=f"diff --git a/x b/x\nindex 1..2 100644\n{A}{B}{new}-- \n2.40\n")
    assert [file["path"] for file in said["files"]] == ["conf/a.txt", "conf/sub/b.txt", "conf/sub/c.txt"]
    assert box.files() == {
        "a.txt": ONE.replace("two", "TWO").encode(), "sub/b.txt": b"alpha\nbeta\nGAMMA\ndelta\n", "sub/c.txt": b"x\ny",
    }  # fmt: skip


async def test_one_hunk_that_does_not_match_and_nothing_is_changed(box: Box) -> None:
    before = box.files()
    with pytest.raises(ToolError, match=r"hunk 1 of conf/sub/b.txt does not match: line 2 is 'beta', and .* 'BETA'"):
        await box.call("patch", path="conf", patch=A + B.replace(" beta", " BETA"))
    assert box.files() == before


async def test_the_second_hunk_is_named(box: Box) -> None:
    more = "@@ -4,2 +4,2 @@\n four\n-FIVE\n+5\n"
    with pytest.raises(ToolError, match=r"hunk 2 of conf/a.txt does not match: line 5 is 'five'"):
        await box.call("patch", path="conf/a.txt", patch=A + more)


async def test_a_hunk_may_stand_elsewhere_if_that_is_the_only_place(box: Box) -> None:
    (box.conf / "a.txt").write_text("zero\n" * 7 + ONE)
    await box.call("patch", path="conf/a.txt", patch=A)
    assert (box.conf / "a.txt").read_text() == "zero\n" * 7 + ONE.replace("two", "TWO")
    (box.conf / "a.txt").write_text("zero\n" + ONE + ONE)
    with pytest.raises(ToolError, match=r"hunk 1 of conf/a.txt matches in 2 places \(lines 2, 7\)"):
        await box.call("patch", path="conf/a.txt", patch=A)


async def test_context_with_other_spaces_is_no_match(box: Box) -> None:
    with pytest.raises(ToolError, match="does not match"):
        await box.call("patch", path="conf/a.txt", patch=A.replace(" one\n", " one \n"))


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("just text", "this is no unified diff"),
        ("--- a/conf/a.txt\n+++ b/conf/a.txt\n", "the patch has no hunk for conf/a.txt"),
        (A.replace("-1,3", "-1,4"), "hunk 1 of conf/a.txt is not as long as its header says"),
        (A.replace("-1,3", "-1,2"), "hunk 1 of conf/a.txt is not as long as its header says"),
        (A[: A.index(" three")], "hunk 1 of conf/a.txt is not as long as its header says, at 'the end'"),
        (A + "+more\n", "is not as long as its header says, at '\\+more'"),
        (A.replace("@@ -1,3 +1,3 @@", "@@ somewhere @@"), "is no header of a hunk"),
        ("@@ -1 +1 @@\n-one\n+1\n", "has a hunk before it names a file"),
        (A.replace("+++ b/conf/a.txt", "+++ /dev/null"), "the patch deletes a/conf/a.txt"),
        (A.replace("+++ b/conf/a.txt", "+++ b/conf/c.txt"), "the patch renames conf/a.txt to conf/c.txt"),
        ("diff --git a/x b/y\nrename from x\nrename to y\n" + A, "renames a file"),
        ("old mode 100644\nnew mode 100755\n" + A, "changes a mode"),
        ("diff --git a/x b/x\nGIT binary patch\n" + A, "holds binary data"),
        (A + A, "the patch changes conf/a.txt twice"),
        (A.replace("--- a/conf/a.txt", "--- /dev/null"), "the patch makes conf/a.txt, which is there already"),
        (A.replace("a.txt", "none.txt"), "there is no file conf/none.txt to patch"),
        ("--- a/conf/a.txt\n+++ b/conf/a.txt\n@@ -2,0 +3,1 @@\n+x\n", "hunk 1 of conf/a.txt has no context"),
        ("".join(A.replace("a.txt", f"{n}.txt") for n in range(21)), "more than 20 files"),
    ],
)
async def test_what_is_no_good_patch_is_refused_in_words_and_changes_nothing(box: Box, patch: str, why: str) -> None:
    before = box.files()
    with pytest.raises(ToolError, match=why):
        await box.call("patch", path="conf", patch=patch)
    assert box.files() == before


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("conf/a.txt", B), ("conf/a.txt", A + B), ("conf/sub", A), ("conf/sub", A + B),
        ("conf/sub", A.replace("conf/a.txt", "../a.txt")),
        ("conf", A.replace("conf/a.txt", "../secret.txt")), ("conf", A.replace("conf/a.txt", "/etc/passwd")),
        ("conf/sub", A.replace("a/conf", "a/../conf").replace("b/conf", "b/../conf")),
        ("conf", A.replace("conf/a.txt", ".hidden")),
    ],
)  # fmt: skip
async def test_a_patch_changes_nothing_that_is_not_at_or_beneath_its_path(box: Box, path: str, patch: str) -> None:
    before, secret = box.files(), (box.place / "secret.txt").read_bytes()
    with pytest.raises(ToolError):
        await box.call("patch", path=path, patch=patch)
    assert box.files() == before
    assert (box.place / "secret.txt").read_bytes() == secret


async def test_line_ends_are_the_files_own(box: Box) -> None:
    (box.conf / "a.txt").write_bytes(b"\xef\xbb\xbfzero\r\none\r\ntwo\r\nthree\r\n")
    await box.call("patch", path="conf/a.txt", patch=A)
    assert (box.conf / "a.txt").read_bytes() == b"\xef\xbb\xbfzero\r\none\r\nTWO\r\nthree\r\n"


async def test_a_removed_line_that_looks_like_a_header_is_a_line(box: Box) -> None:
    (box.conf / "a.txt").write_text("-- x\n++ y\n")
    await box.call("patch", path="conf/a.txt", patch="--- a.txt\n+++ a.txt\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n ++ y\n")
    assert (box.conf / "a.txt").read_text() == "++ y\n++ y\n"


@pytest.fixture
def made_by_diff(box: Box) -> tuple[str, str]:
    """A unified diff that the system's own `diff` made of `conf/old`, and the text that it leads to."""
    old, new = [f"{n % 7} {n}\n" for n in range(300)], [f"{n % 7} {n}\n" for n in range(300) if n % 41] + ["end"]
    new[50] = "changed\n"
    (box.conf / "old").write_text("".join(old))
    (box.place / "new").write_text("".join(new))
    try:
        done = subprocess.run(
            ["diff", "-u", "--label", "old", "--label", "old", box.conf / "old", box.place / "new"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("there is no diff on this machine")
    return done.stdout, "".join(new)


async def test_what_diff_makes_is_what_is_applied(box: Box, made_by_diff: tuple[str, str]) -> None:
    diff, new = made_by_diff
    await box.call("patch", path="conf/old", patch=diff)
    assert (box.conf / "old").read_text() == new


async def test_the_preview_shows_every_file(box: Box) -> None:
    shown = await box.preview("patch", path="conf", patch=A + B)
    assert [line for line in shown.splitlines() if line.startswith("+++")] == ["+++ conf/a.txt", "+++ conf/sub/b.txt"]


async def test_the_same_patch_of_the_same_run_is_applied_once(box: Box) -> None:
    patch = "--- a.txt\n+++ a.txt\n@@ -5,1 +5,2 @@\n five\n+five\n"
    await box.call("patch", run="r", path="conf/a.txt", patch=patch)
    assert "made before" in (await box.call("patch", run="r", path="conf/a.txt", patch=patch))["note"]
    assert (box.conf / "a.txt").read_text() == ONE + "five\n"
