"""Files that are broken, or made to break what reads them: each is refused alone, in time, and the next one is read."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.knowledge.errors import Unreadable
from ringfence.knowledge.parsing import Bounds, ConfinedParser
from ringfence.sandboxes import AnyLauncher

from . import making
from .breaking import ENTITIES, ZEROS, encrypted, lying_zip, nested_bomb, object_stream_bomb, pdf_bomb
from .conftest import Parse, Refused

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_zip_bombs_are_refused_before_they_are_unpacked(refused: Refused) -> None:
    flat = making.zipped({"ok.md": b"# fine", "a.txt": ZEROS}, packed=True)
    assert (await refused("a.zip", flat)).startswith("a bomb: a.txt unpacks to more than 300 times")
    many = making.zipped({f"{n}.txt": b"" for n in range(2_001)})
    assert await refused("a.zip", many) == "holds more than 2000 files"


async def test_a_nested_bomb_in_the_style_of_42_is_refused(refused: Refused, parse: Parse) -> None:
    assert "more than 2 deep" in await refused("42.zip", nested_bomb())
    shallow = making.zipped({"in.zip": making.zipped({"x.txt": ZEROS}, packed=True), "ok.md": b"# x"})
    assert "a bomb" in await refused("a.zip", shallow)
    half = b"".join(os.urandom(64) * 100 for _ in range(500))
    inner = making.zipped({f"{n}.txt": half for n in range(50)}, packed=True)
    outer = making.zipped({f"{n}.zip": inner for n in range(9)}, packed=True)
    assert "a bomb: more than 256 MB" in await refused("a.zip", outer)


async def test_a_directory_that_lies_about_a_size_gives_no_more_than_it_says(parse: Parse, refused: Refused) -> None:
    assert "broken member" in await refused("a.zip", lying_zip(100))


async def test_names_and_links_that_lead_out_of_an_archive_are_refused(parse: Parse) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        for name in ("../up.txt", "/abs.txt", "a/../../b.txt", "C:/x.txt", "ok.txt"):
            made.writestr(name, "words")
    found = await parse("a.zip", out.getvalue())
    assert [name for name, parsed in found.items() if parsed.blocks] == ["ok.txt"]
    assert found["link.txt"].notes == ("a link, and no file",)
    assert len(found) == 6
    assert not any(".." in name or name.startswith("/") for name in found)


async def test_a_name_that_is_there_twice_counts_once(parse: Parse) -> None:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as made:
        warnings.simplefilter("ignore")
        for words in ("public", "secret"):
            made.writestr("a.md", words)
    found = await parse("a.zip", out.getvalue())
    assert {name: [block.text for block in parsed.blocks] for name, parsed in found.items()} == {
        "a.md": ["public"], "a.md (again)": [],
    }  # fmt: skip
    assert found["a.md (again)"].notes == ("its name is there already",)


async def test_what_is_encrypted_says_so(refused: Refused, parse: Parse) -> None:
    assert await refused("a.pdf", making.pdf(("Head", "text"), password="pw")) == "encrypted"
    assert await refused("a.zip", encrypted(making.zipped({"a.txt": b"hello"}))) == "encrypted"
    assert await refused("a.docx", encrypted(making.word())) == "encrypted"
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000 + "EncryptedPackage".encode("utf-16-le")
    assert await refused("a.xlsx", office) == "encrypted"


@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml"])
async def test_entities_in_a_docx_are_refused(refused: Refused, part: str) -> None:
    data = making.replaced(making.word(), part, ENTITIES + b"<w:document>&a11;</w:document>")
    assert "entities" in await refused("a.docx", data)


async def test_entities_in_sheets_and_slides_are_refused_wherever_they_hide(refused: Refused) -> None:
    sheet = ENTITIES + b"<worksheet><sheetData><row><c><v>&a11;</v></c></row></sheetData></worksheet>"
    data = making.replaced(making.xlsx({"S": [["a"]]}), "xl/worksheets/sheet1.xml", sheet)
    assert "entities" in await refused("a.xlsx", data)
    late = ENTITIES.replace(b"<!DOCTYPE", b" " * 100_000 + b"<!DOCTYPE") + b"<p:sld>&a11;</p:sld>"
    for encoding in ("utf-8", "utf-16"):
        text = late.replace(b"?>", b' encoding="%s"?>' % encoding.encode(), 1).decode().encode(encoding)
        data = making.replaced(making.deck(), "ppt/slides/slide1.xml", text)
        assert await refused("a.pptx", data)


async def test_bombs_in_a_pdf_end_with_their_fork(refused: Refused, parser: ConfinedParser, parse: Parse) -> None:
    starts = parser.starts
    for data in (pdf_bomb(), object_stream_bomb()):
        await refused("bomb.pdf", data)
    assert (await parse("a.md", b"# fine"))[""].blocks
    assert parser.starts == starts


async def test_a_sheet_with_corners_far_apart_is_not_spread_out(refused: Refused) -> None:
    out = making.xlsx({"S": [["a"]]})
    sheet = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
        b"</sheetData></worksheet>"
    )
    assert await refused("a.xlsx", making.replaced(out, "xl/worksheets/sheet1.xml", sheet))


async def test_what_is_nested_without_end_is_refused_or_read_as_text(refused: Refused, parse: Parse) -> None:
    parsed = (await parse("a.json", b"[" * 1_000_000))[""]
    assert parsed.notes[0].startswith("it is no JSON")
    assert "10,000 deep" in await refused("a.html", b"<div>" * 200_000 + b"deep")
    parsed = (await parse("a.html", b"<div>" * 9_000 + b"deep"))[""]
    assert parsed.blocks[0].text == "deep"
    boundary = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000))
    assert "nested too deep" in await refused("a.eml", b"From: a@b.c\nTo: x@y.z\nSubject: s\n" + boundary)


async def test_one_line_of_a_gigabyte_is_refused_unread_and_one_of_many_megabytes_is_cut(
    parser: ConfinedParser, parse: Parse, tmp_path: Path
) -> None:
    place = tmp_path / "line.txt"
    with place.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Unreadable, match=r"larger than 64 MB \(1,024 MB\)"):
        await parser.parse("line.txt", str(place))
    for name in ("a.txt", "a.log", "a.csv", "a.md", "a.py", "a.html", "a.jsonl"):
        parsed = (await parse(name, b"word " * (2 << 20)))[""]
        assert any("longer than one document may be" in note for note in parsed.notes), name
        assert sum(len(block.text) for block in parsed.blocks) <= 5_000_000


@pytest.mark.parametrize(
    "made", [making.word, making.deck, making.xls, making.ods, lambda: making.pdf(("H", "t" * 99))]
)
async def test_truncated_files_are_refused_or_read_as_far_as_they_go(
    parser: ConfinedParser, made: Callable[[], bytes], tmp_path: Path
) -> None:
    data = made()
    place = tmp_path / "cut"
    for share in (0.01, 0.3, 0.6, 0.9, 0.99):
        place.write_bytes(data[: max(1, int(len(data) * share))])
        with contextlib.suppress(Unreadable):
            await parser.parse("cut", str(place))
    assert parser.starts == 1  # none of them took the process down


async def test_links_pipes_and_devices_are_no_files(parser: ConfinedParser, tmp_path: Path) -> None:
    loop = tmp_path / "loop.txt"
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "pipe.txt")
    for place in (loop, tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path):
        with pytest.raises(Unreadable):
            await parser.parse("x.txt", str(place))
    with pytest.raises(FileNotFoundError):
        await parser.parse("x.txt", str(tmp_path / "gone.txt"))


async def test_names_of_files_may_hold_anything(parse: Parse) -> None:
    for name in ("a\nb\u202e.md", "x" * 5_000 + ".md", "\udcff.md", "..", ""):
        assert (await parse(name, b"# Head"))[""].blocks


async def test_too_many_pages_and_blocks_are_noted(sandbox: AnyLauncher, tmp_path: Path) -> None:
    parser = ConfinedParser(sandbox, bounds=Bounds(pages=2, blocks=3, all_chars=2_000, chars=1_000))
    place = tmp_path / "x"
    try:
        place.write_bytes(making.pdf(*((f"Page {n}", "") for n in range(1, 5))))
        ((_, parsed),) = await parser.parse("a.pdf", str(place))
        assert [block.page for block in parsed.blocks] == [1, 2]
        assert parsed.notes == ("it has 4 pages: those after the first 2 are left out",)
        place.write_bytes(b"a\n\nb\n\nc\n\nd")
        ((_, parsed),) = await parser.parse("a.txt", str(place))
        assert len(parsed.blocks) == 3
        assert "is left out" in parsed.notes[0]
        place.write_bytes(making.zipped({f"{n}.txt": b"x" * 900 for n in range(3)}))
        with pytest.raises(Unreadable, match="2,000 characters in all"):
            await parser.parse("a.zip", str(place))
    finally:
        await parser.aclose()
