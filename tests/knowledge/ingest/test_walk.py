from __future__ import annotations

import os
from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.knowledge.ingest.seen import Seen
from ringfence.knowledge.ingest.walk import Found, Place, Source, walk


def source(*places: Path, **more: object) -> Source:
    return Source("c", tuple(Place(place) for place in places), **more)  # type: ignore[arg-type]


def names(found: object) -> list[str]:
    return [one.name for one in found.files]  # type: ignore[attr-defined]


def test_every_regular_file_below_a_folder_is_found_by_its_name_from_there(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for name in ("z.md", "a/b/deep.txt", "a/one.pdf"):
        (tmp_path / name).write_text(name)
    assert names(walk(source(tmp_path))) == ["a/b/deep.txt", "a/one.pdf", "z.md"]


def test_hidden_files_and_what_says_who_may_read_are_no_documents(tmp_path: Path) -> None:
    for name in (".env", "x.md", "x.md.readers"):
        (tmp_path / name).write_text("secret")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("x")
    assert names(walk(source(tmp_path))) == ["x.md"]


def test_links_are_left_out_and_said_to_be_so_that_no_loop_is_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/passwd.txt").symlink_to("/etc/passwd")
    found = walk(source(tmp_path / "in"))
    assert names(found) == []
    assert sorted(found.skipped) == [
        ("loop", "is a link; add what it points to"),
        ("passwd.txt", "is a link; add what it points to"),
    ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert walk(source(tmp_path)).skipped == [("pipe.txt", "is no regular file")]


def test_include_and_exclude_are_globs_over_names(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("a.pdf", "b.md", "old/c.pdf"):
        (tmp_path / name).write_text("x")
    assert names(walk(source(tmp_path, include=("*.pdf",)))) == ["a.pdf", "old/c.pdf"]
    assert names(walk(source(tmp_path, include=("*.pdf",), exclude=("old/",)))) == ["a.pdf"]


def test_a_large_file_is_said_to_be_too_large(tmp_path: Path) -> None:
    with (tmp_path / "big.log").open("wb") as file:
        file.truncate(3 << 20)
    [(name, why)] = walk(source(tmp_path, max_file_bytes=1 << 20)).skipped
    assert (name, why) == ("big.log", "3 MB, more than max_file_mb (1)")


def test_a_name_that_nobody_could_see_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "evil\u202etxt.exe.md").write_text("x")
    (tmp_path / "two\nlines.md").write_text("x")
    found = walk(source(tmp_path))
    assert names(found) == []
    assert len(found.skipped) == 2
    assert all(name.isascii() and "\n" not in name for name, _ in found.skipped)


def test_a_folder_that_is_not_there_is_said_and_nothing_counts_as_gone(tmp_path: Path) -> None:
    found = walk(source(tmp_path / "unmounted"))
    assert not found.whole
    assert "what was indexed of it is kept" in found.skipped[0][1]


def test_a_place_of_its_own_has_its_own_names(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/x.md").write_text("x")
    (tmp_path / "one.md").write_text("x")
    found = walk(Source("c", (Place(tmp_path / "notes", "notes/"), Place(tmp_path / "one.md"))))
    assert names(found) == ["notes/x.md", "one.md"]


def test_a_glob_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"expected globs such as \*\.pdf"):
        walk(source(tmp_path, include=("!",)))


def look(path: Path) -> Found:
    return Found(path.name, path, path.stat())


def test_what_was_read_is_known_by_its_looks_until_it_changes(tmp_path: Path) -> None:
    file, seen = tmp_path / "a.md", Seen(tmp_path / "home/seen.db")
    file.write_text("one")
    os.utime(file, ns=(10**18, 10**18))
    seen.keep("c", look(file), "digest", now_ns=look(file).status.st_ctime_ns + 3 * 10**9)
    assert seen.digest("c", look(file)) == "digest"
    assert seen.digest("other", look(file)) == ""
    file.write_text("two")
    assert seen.digest("c", look(file)) == ""
    seen.close()


def test_a_file_that_changed_as_it_was_read_is_not_known(tmp_path: Path) -> None:
    file, seen = tmp_path / "a.md", Seen(tmp_path / "home/seen.db")
    file.write_text("one")
    seen.keep("c", look(file), "digest", now_ns=look(file).status.st_ctime_ns + 10**9)
    assert seen.digest("c", look(file)) == ""
    seen.close()


def test_a_cache_that_is_broken_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "seen.db").write_bytes(b"no database at all, but long enough to look like a file of one" * 20)
    seen = Seen(tmp_path / "seen.db")
    (tmp_path / "a.md").write_text("x")
    assert seen.digest("c", look(tmp_path / "a.md")) == ""
    seen.close()
    assert (tmp_path / "seen.db").stat().st_mode & 0o777 == 0o600
