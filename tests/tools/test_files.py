"""files.list, files.read and files.stat, and every kind of bad file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.tools import Tool

Call = Callable[..., Any]
Make = Callable[..., list[Tool]]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; a test of an unreadable file has to be somebody else for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_list_names_every_file_with_its_size(call: Call) -> None:
    assert (await call("files.list"))["files"] == [
        "logs/app.log (1.2 KB)", "runbooks/db.md (33 B)", "runbooks/disk.md (68 B)",
    ]  # fmt: skip


async def test_list_takes_a_folder_and_part_of_a_name(call: Call) -> None:
    assert (await call("files.list", path="runbooks", name="DB"))["files"] == ["runbooks/db.md (33 B)"]
    assert (await call("files.list", name="*.log"))["files"] == ["logs/app.log (1.2 KB)"]
    assert (await call("files.list"))["matched"] == f"{len((await call('files.list'))['files'])} files"
    assert "matched" not in await call("files.list", name="*.log")
    assert (await call("files.list", name="*.pdf"))["note"] == "no file's name matches *.pdf"


async def test_list_of_many_files_says_how_many_it_shows(call: Call, box: Path) -> None:
    for n in range(500):
        (box / f"logs/{n:04}.log").touch()
    result = await call("files.list")
    assert result["note"].startswith(f"showing {len(result['files'])} of 503 files; give one of the folders")


async def test_read_gives_the_text_and_the_line_numbers(call: Call) -> None:
    result = await call("files.read", path="runbooks/disk.md", first=3, last=4)
    assert result["lines"] == "3-4 of 8"
    assert result["text"] == "1. run df\n2. rotate the logs"


async def test_read_of_the_last_lines(call: Call) -> None:
    result = await call("files.read", path="logs/app.log", first=-2)
    assert result == {
        "path": "logs/app.log", "lines": "59-60 of 60", "text": "INFO user=u2 code=58\nINFO user=u3 code=59",
    }  # fmt: skip


async def test_who_names_an_end_is_shown_that_of_the_file_as_well(call: Call) -> None:
    """A model that is asked for the last line asks for last=1."""
    result = await call("files.read", path="logs/app.log", first=1, last=1)
    assert (result["lines"], result["last line of the file"]) == ("1-1 of 60", "60: INFO user=u3 code=59")
    assert "last line of the file" not in await call("files.read", path="logs/app.log", first=59, last=60)
    assert "last line of the file" not in await call("files.read", path="logs/app.log")


async def test_read_of_more_than_fits_says_how_to_go_on(call: Call, box: Path) -> None:
    (box / "logs/long.log").write_text("".join(f"line {n:05} of a long log\n" for n in range(1, 1001)))
    first = await call("files.read", path="logs/long.log")
    last = int(first["lines"].split()[0].partition("-")[2])
    assert len(first["text"]) <= 4_000
    assert first["note"] == f"for more, use first={last + 1}"
    second = await call("files.read", path="logs/long.log", first=last + 1)
    assert second["text"].startswith(f"line {last + 1:05}")


async def test_read_beyond_the_end_says_how_many_lines_there_are(call: Call) -> None:
    with pytest.raises(ToolError, match="has 3 lines, and you asked for line 9"):
        await call("files.read", path="runbooks/db.md", first=9)


async def test_read_with_crlf_and_a_byte_order_mark(call: Call, box: Path) -> None:
    (box / "logs/dos.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\nth\xffree")
    result = await call("files.read", path="logs/dos.txt")
    assert result["text"] == "one\ntwo\nthÿree"
    assert result["lines"] == "1-3 of 3"


async def test_a_line_too_long_to_show_is_cut_and_says_so(call: Call, box: Path) -> None:
    (box / "logs/wide.txt").write_text("x" * 200_000 + "\nnext\n")
    result = await call("files.read", path="logs/wide.txt")
    assert result["text"].endswith("[198001 more characters]\nnext")


async def test_a_missing_file_is_answered_with_the_nearest_name(call: Call) -> None:
    with pytest.raises(ToolError, match=r"there is no file runbooks/dsk\.md") as caught:
        await call("files.read", path="runbooks/dsk.md")
    assert caught.value.todo.startswith("did you mean runbooks/disk.md")


async def test_a_missing_file_like_no_other_points_to_the_list(call: Call) -> None:
    with pytest.raises(ToolError, match="there is no file") as caught:
        await call("files.read", path="runbooks/zzzzzz.bin")
    assert "files.list" in caught.value.todo


async def test_reading_a_folder_points_to_the_list(call: Call) -> None:
    with pytest.raises(ToolError, match="runbooks is a folder") as caught:
        await call("files.read", path="runbooks")
    assert caught.value.todo == "use files.list with path runbooks to see its files"


async def test_an_empty_file_is_called_empty(call: Call, box: Path) -> None:
    (box / "logs/empty.log").touch()
    result = await call("files.read", path="logs/empty.log")
    assert result == {"path": "logs/empty.log", "lines": "0 of 0", "text": "", "note": "the file is empty"}
    assert (await call("text.count", path="logs/empty.log"))["lines"] == 0
    assert (await call("files.stat", path="logs/empty.log"))["lines"] == 0


async def test_a_binary_file_is_called_binary_everywhere(call: Call, box: Path) -> None:
    (box / "logs/app.bin").write_bytes(b"ERROR\0\1\2")
    for name, args in (
        ("files.read", {}),
        ("files.search", {"pattern": "ERROR"}),
        ("text.count", {}),
        ("csv.sql", {"sql": "SELECT 1"}),
    ):
        with pytest.raises(ToolError, match=r"logs/app\.bin is a binary file, not text"):
            await call(name, path="logs/app.bin", **args)
    assert (await call("files.stat", path="logs/app.bin"))["type"] == "binary file"
    for name, args in (
        ("files.search", {"pattern": "ERROR"}),
        ("files.find", {"question": "error"}),
        ("text.count", {}),
    ):
        assert "not read: logs/app.bin (binary file, not text)" in (await call(name, **args))["note"]


async def test_an_unreadable_file_is_called_so(call: Call, box: Path) -> None:
    (box / "logs/secret.log").write_text("ERROR\n")
    (box / "logs/secret.log").chmod(0)
    with as_nobody():
        with pytest.raises(ToolError, match=r"logs/secret\.log may not be read by this program"):
            await call("files.read", path="logs/secret.log")
        assert "logs/secret.log (cannot be read)" in (await call("files.search", pattern="ERROR"))["note"]


@pytest.fixture
def huge(box: Path) -> Path:
    """1 GB, sparse, with text at its beginning."""
    path = box / "logs/huge.log"
    with path.open("wb") as file:
        file.write(b"".join(b"ERROR line %d\n" % n for n in range(1, 2_001)))
        file.truncate(2**30)
    return path


@pytest.mark.usefixtures("huge")
async def test_a_huge_file_is_read_by_lines_and_searched_in_pieces(call: Call) -> None:
    result = await call("files.read", path="logs/huge.log", first=1_000, last=1_001)
    assert result["lines"] == "1000-1001 of a file of 1.0 GB"
    assert result["text"] == "ERROR line 1000\nERROR line 1001"
    assert "lines" not in await call("files.stat", path="logs/huge.log")
    with pytest.raises(ToolError, match=r"logs/huge\.log is 1\.0 GB, more than the limit of 5 MB") as caught:
        await call("csv.sql", path="logs/huge.log", sql="SELECT 1")
    assert "files.read" in caught.value.todo
    result = await call("files.search", path="logs/huge.log", pattern="line 1999")
    assert result["matches"] == ["logs/huge.log:1999: ERROR line 1999"]
    assert result["note"] == "of lines longer than 8 MB (1) only the first 8 MB were read"  # what follows is one line
    counted = await call("text.count", path="logs/huge.log", pattern="ERROR")
    assert (counted["matching_lines"], counted["of_lines"]) == (2_000, 2_001)


@pytest.mark.usefixtures("huge")
async def test_what_is_larger_than_the_manifest_allows_is_left_out_of_everything(
    box: Path, make: Make, act: Call
) -> None:
    tools = [*make("files", box, "./logs", max_file_size_mb=5), *make("text", box, "./logs", max_file_size_mb=5)]
    for name, args in (("files.search", {"pattern": "ERROR"}), ("text.count", {})):
        assert "logs/huge.log (1.0 GB" in (await act(tools, name, **args))["note"]
        with pytest.raises(ToolError, match=r"logs/huge\.log is 1\.0 GB, more than the limit of 5 MB") as caught:
            await act(tools, name, path="logs/huge.log", **args)
        assert "files.read" in caught.value.todo
    assert "logs/huge.log (1.0 GB" in (await act(tools, "files.find", question="error"))["note"]


async def test_a_huge_file_of_nothing_is_binary(call: Call, box: Path) -> None:
    with (box / "logs/zero.log").open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(ToolError, match="binary"):
        await call("files.read", path="logs/zero.log")


async def test_the_limit_is_the_manifests(box: Path, make: Make, act: Call) -> None:
    tools = make("files", box, "./logs", max_file_size_mb=0.001)
    with pytest.raises(ToolError, match=r"1\.2 KB, more than the limit of 1\.0 KB"):
        await act(tools, "files.search", pattern="x", path="logs/app.log")
    assert (await act(tools, "files.read", path="logs/app.log", last=1))["text"] == "ERROR user=u0 code=0"


async def test_stat_of_a_file_and_of_a_folder(call: Call, box: Path) -> None:
    os.utime(box / "runbooks/db.md", (1_732_104_000, 1_732_104_000))
    assert await call("files.stat", path="db.md") == {
        "path": "runbooks/db.md", "type": "text file", "size": "33 bytes", "lines": 3,
        "modified": "2024-11-20T12:00:00Z",
    }  # fmt: skip
    folder = await call("files.stat", path="runbooks")
    assert (folder["files"], folder["oldest"]) == (2, "runbooks/db.md, modified 2024-11-20T12:00:00Z")
    assert folder["newest"].startswith("runbooks/disk.md, modified 20")
    assert (folder["largest"], folder["smallest"]) == ("runbooks/disk.md, 68 bytes", "runbooks/db.md, 33 bytes")
    assert folder.keys().isdisjoint(("endings", "beginnings"))  # all of one, each of its own
    for name in ("disk-2.md", "disks.txt"):
        (box / "runbooks" / name).write_text("x")
    assert (await call("files.stat", path="runbooks"))["beginnings"] == "disk 2"
    for name in ("disk-2.md", "disks.txt"):
        (box / "runbooks" / name).unlink()
    everything = await call("files.stat")
    assert (everything["files"], everything["endings"]) == (3, ".md 2, .log 1")


async def test_a_size_is_exact_before_it_is_about(call: Call, box: Path) -> None:
    (box / "logs/large.bin").write_bytes(b"\0" * 6538)
    assert (await call("files.stat", path="logs/large.bin"))["size"] == "6538 bytes, about 6.4 KB"


async def test_an_overview_says_what_columns_hold_and_nothing_of_a_single_row(call: Call, box: Path) -> None:
    rows = "2025-05-02;Walrus;1;30.40;yes\n2025-05-03;Otter;2;;no\n"
    (box / "logs/hires.csv").write_text(f"date;boat;hours;eur;skipper;none\n{rows}")
    (box / "logs/bare.csv").write_text("a;b\n")
    about = {one["path"]: one for one in (await call("files.overview"))["files"]}
    assert about["logs/hires.csv"]["of"] == "date, text, number, number, yes/no, text"
    assert "of" not in about["logs/bare.csv"]
    assert not any(word in str(about) for word in ("Walrus", "Otter", "30.40"))
    rows = "".join(f"b{n},{state},{odd}\n" for n in range(9) for state in ("in 'repair'", "sold") for odd in (n, "x"))
    (box / "logs/boats.csv").write_text(f"hull no,state now,odd\n{rows}z,,3\n")
    about = {one["path"]: one for one in (await call("files.overview"))["files"]}
    assert about["logs/boats.csv"]["columns"] == ["hull_no", "state_now", "odd"]
    assert about["logs/boats.csv"]["table"] == "boats"
    assert about["logs/boats.csv"]["of"] == "text, text ('in ''repair''', 'sold', or empty), text"


WINDOWS = "Zeit;Gerät\r\n10:00;Café Größe 12\r\n11:00;Straße\r\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-8-sig"])
async def test_a_text_of_windows_is_read_as_such(call: Call, box: Path, encoding: str) -> None:
    data = WINDOWS.encode(encoding)
    (box / "logs/w.txt").write_bytes(data)
    read = await call("files.read", path="logs/w.txt")
    assert read["text"] == WINDOWS.replace("\r", "").rstrip()
    assert ("Windows-1252" in read.get("note", "")) is (encoding == "cp1252")
    counted = await call("text.count", path="logs/w.txt", pattern="Größe")
    assert (counted["matching_lines"], counted["first"]) == (1, "line 2: 10:00;Café Größe 12")
    assert ("Windows-1252" in counted.get("note", "")) is (encoding == "cp1252")
    assert (await call("files.search", pattern="straße"))["matches"] == ["logs/w.txt:3: 11:00;Straße"]
    assert "Café Größe 12" in (await call("files.find", question="Größe im Café"))["passages"][0]["text"]
    about = await call("files.stat", path="logs/w.txt")
    assert (about["type"], about["lines"], about["size"]) == ("text file", 3, f"{len(data)} bytes")


async def test_of_a_broken_line_the_others_stay_as_they_are(call: Call, box: Path) -> None:
    (box / "logs/w.txt").write_bytes("Größe\n".encode() + "Café\n".encode("cp1252") + "日本\n".encode())
    assert (await call("files.read", path="logs/w.txt"))["text"] == "Größe\nCafé\n日本"


async def test_a_compressed_log_is_counted_and_searched(call: Call, box: Path) -> None:
    lines = "".join(f"2026-07-01 ERROR {n}\n" for n in range(1_000))
    (box / "logs/app.log.2.gz").write_bytes(gzip.compress(lines.encode()))
    assert (await call("text.count", path="logs/app.log.2.gz", pattern="ERROR"))["matching_lines"] == 1_000
    assert (await call("text.count", path="logs", pattern="ERROR"))["matching_lines"] == 1_020
    assert (await call("files.search", pattern="ERROR 777"))["matches"] == [
        "logs/app.log.2.gz:778: 2026-07-01 ERROR 777"
    ]
    with pytest.raises(ToolError, match="compressed by gzip") as caught:
        await call("files.read", path="logs/app.log.2.gz")
    assert "text.count" in caught.value.todo
    (box / "logs/bad.gz").write_bytes(gzip.compress(lines.encode())[:-40])
    with pytest.raises(ToolError, match="cannot be unpacked to its end"):
        await call("text.count", path="logs/bad.gz", pattern="ERROR")
    assert "logs/bad.gz (broken" in (await call("text.count", path="logs", pattern="absent"))["note"]
    (box / "logs/tar.gz").write_bytes(gzip.compress(b"\0" * 100))
    with pytest.raises(ToolError, match="binary file"):
        await call("text.count", path="logs/tar.gz", pattern="ERROR")
