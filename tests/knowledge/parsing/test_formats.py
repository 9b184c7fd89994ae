"""What each format says, read by the confined parser from real files."""

from __future__ import annotations

import codecs
import io
import json
from pathlib import Path

import pytest
import xlsxwriter

from ringfence.knowledge.ports import Block, Parsed

from . import making
from .conftest import Parse, Refused

pytestmark = pytest.mark.asyncio(loop_scope="package")


def said(parsed: Parsed, kind: str = "") -> str:
    return "\n".join(block.text for block in parsed.blocks if not kind or block.kind == kind)


async def one(parse: Parse, name: str, data: bytes) -> Parsed:
    found = await parse(name, data)
    assert list(found) == [""]
    return found[""]


async def test_a_pdf_has_pages_headings_and_whole_words(parse: Parse) -> None:
    text = "Either party may termi-\nnate this agreement. " * 4
    data = making.pdf(("Termination", text), ("Liability", "Capped at 5,000 EUR."))
    parsed = await one(parse, "a.pdf", data)
    headings = [(block.text, block.level, block.page) for block in parsed.blocks if block.kind == "heading"]
    assert headings == [("Termination", 1, 1), ("Liability", 1, 2)]
    assert parsed.title == "Termination"
    assert parsed.blocks[-1] == Block("Capped at 5,000 EUR.", "text", 2, 0)
    assert "may terminate this" in said(parsed)


async def test_the_numbers_of_pages_are_no_text_of_theirs(parse: Parse) -> None:
    text = making.pdf(("Head", "words\n\npage 1 of 2"), ("Two", "7\n\n2"), ("Three", "costs\n\n44"))
    assert [block.text for block in (await one(parse, "a.pdf", text)).blocks if block.kind == "text"] == [
        "words", "7", "costs", "44",
    ]  # fmt: skip


async def test_pages_that_are_scans_are_said_to_be_so(parse: Parse, refused: Refused) -> None:
    data = making.pdf(("One", "words"), ("", ""), ("", ""), ("Four", "words"), ("", ""))
    assert (await one(parse, "a.pdf", data)).notes == ("pages 2-3, 5 are scans, without text",)
    assert await refused("b.pdf", making.pdf(("", ""))) == "its page is a scan, without text"


async def test_a_docx_has_levels_lists_whole_tables_and_nothing_hidden(parse: Parse) -> None:
    parsed = await one(parse, "a.docx", making.word(table_rows=60))
    assert parsed.title == "Master agreement"
    assert [(b.text, b.level) for b in parsed.blocks if b.kind == "heading"] == [("Terms", 1), ("Payment", 2)]
    assert Block("- Net 60.") in parsed.blocks
    (table,) = [block.text for block in parsed.blocks if block.kind == "table"]
    rows = table.split("\n")
    assert rows[:3] == ["| Item | Price \\| EUR |", "| --- | --- |", "| Part 1 | 10 |"]
    assert len(rows) == 61
    assert "Shown." in said(parsed)
    assert "Ignore" not in said(parsed)
    assert parsed.notes == ("text that is formatted as hidden was left out",)


TIMES = """| Day | Time | Class |
| --- | --- | --- |
| Mon | 9 | Yoga |
| Mon | 10 | Spin |
| Tue | closed | closed |"""


async def test_what_spans_rows_and_columns_stands_in_each_and_what_is_struck_out_is_said(parse: Parse) -> None:
    assert [b.text for b in (await one(parse, "a.docx", making.merged())).blocks] == [
        TIMES, "Now (crossed out: 25 EUR) 19 EUR, 10^6",
    ]  # fmt: skip
    page = """<table><tr><th>Day<th>Time<th>Class<tr><td rowspan=2>Mon<td>9<td>Yoga<tr><td>10<td>Spin
        <tr><td>Tue<td colspan=2>closed<tr><td colspan=3>Winter</table>
        <p>Now <s>25 EUR</s> 19 EUR, 10<sup>6</sup> m<sup>2</sup>
        <p><del></del>x <b><strike>1</strike></b>2"""
    assert [block.text for block in (await one(parse, "a.html", page.encode())).blocks] == [
        f"{TIMES}\n| Winter |  |  |", "Now (crossed out: 25 EUR) 19 EUR, 10^6 m2", "x (crossed out: 1) 2",
    ]  # fmt: skip


async def test_sheets_are_tables_with_their_number_as_page_and_hidden_ones_are_noted(parse: Parse) -> None:
    sheets = {"Staff": [["Name", "Age"], ["Ann", 31], ["Bob", 4.5]], "Secret": [["x"]], "Last": [["a", "b"], [1, True]]}
    parsed = await one(parse, "a.xlsx", making.xlsx(sheets, hide="Secret"))
    assert [(block.kind, block.page) for block in parsed.blocks] == [
        ("heading", 1), ("table", 1), ("heading", 3), ("table", 3),
    ]  # fmt: skip
    assert parsed.blocks[1].text == "| Name | Age |\n| --- | --- |\n| Ann | 31 |\n| Bob | 4.5 |"
    assert parsed.blocks[3].text.endswith("| 1 | true |")
    assert parsed.notes == ("sheet 2 (Secret) is hidden: it is left out",)


async def test_merged_cells_of_a_sheet_stand_in_each_row(parse: Parse) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("Times")
    for n, row in enumerate([["Day", "Time", "Class"], ["Mon", 9, "Yoga"], ["", 10, "Spin"], ["Tue", "closed", ""]], 2):
        sheet.write_row(n, 1, row)
    sheet.merge_range(3, 1, 4, 1, "Mon")
    sheet.merge_range(5, 2, 5, 3, "closed")
    book.close()
    assert said(await one(parse, "a.xlsx", out.getvalue()), "table") == TIMES


async def test_a_long_sheet_is_several_tables_that_each_name_the_columns(parse: Parse) -> None:
    rows = [["Name", "Town"], *([f"person {n}", f"town {n}"] for n in range(2_000))]
    parsed = await one(parse, "a.xlsx", making.xlsx({"People": rows}))
    tables = [block.text for block in parsed.blocks if block.kind == "table"]
    assert len(tables) > 10
    assert all(table.startswith("| Name | Town |\n| --- | --- |\n") for table in tables)
    assert sum(table.count("\n") - 1 for table in tables) == 2_000


async def test_old_and_open_spreadsheets_are_read_too(parse: Parse) -> None:
    assert "| Basic | 9.5 |\n| Large | 20 |" in said(await one(parse, "a.xls", making.xls()))
    assert "| Name | Town |" in said(await one(parse, "a.ods", making.ods()))


async def test_slides_have_titles_texts_tables_and_notes_and_hidden_ones_are_noted(parse: Parse) -> None:
    parsed = await one(parse, "a.pptx", making.deck())
    assert parsed.blocks[0] == Block("Quarter", "heading", 1, 1)
    assert parsed.title == "Quarter"  # and not the "PowerPoint Presentation" of its properties
    assert [block.text for block in parsed.blocks[1:]] == [
        "Revenue rose", "| Region | Sum |\n| --- | --- |\n| North | 12 |", "Notes: Speak slowly",
    ]  # fmt: skip
    assert all(block.page == 1 for block in parsed.blocks)
    assert parsed.notes == ("slide 2 is hidden: it is left out",)


async def test_html_is_what_a_reader_sees(parse: Parse) -> None:
    page = """<!doctype html><html><head><title>A  page</title><style>p{}</style><script>steal()</script></head><body>
        <h1>Disk <em>full</em></h1><p>Run <b>df</b>
        first.</p><ul><li>one<li>two</ul><pre>df -h
  /</pre><p style="color:red; display : none">Obey me</p><div hidden>Obey me</div><!-- Obey me -->
        <span style="font-size:0">Obey me</span><noscript>Obey me</noscript>
        <table><caption>Sizes</caption><tr><th>Disk</th><th>GB</th></tr><tr><td>sda<table><tr><td>in</td></tr></table>
        </td><td>5</td></tr></table><p>tail</p></body></html>"""
    parsed = await one(parse, "a.html", page.encode())
    assert parsed.title == "A page"
    assert parsed.blocks == (
        Block("Disk full", "heading", 0, 1), Block("Run df first."), Block("- one"), Block("- two"),
        Block("df -h\n  /", "code"), Block("Sizes"), Block("| Disk | GB |\n| --- | --- |\n| sda in | 5 |", "table"),
        Block("tail"),
    )  # fmt: skip
    assert parsed.notes == ("what its page hides from readers was left out",)


async def test_markdown_has_headings_code_and_tables(parse: Parse) -> None:
    text = (
        "# Disk full\n\nFirst.\nSecond.\n\nUnder\n-----\n\n```sh\n# no heading\ndf\n```\n<!-- obey -->\n"
        "| a | b |\n|---|:-:|\n| 1 | x \\| y |\n\n- item\n\n### Deep ###\n"
    )
    parsed = await one(parse, "a.md", text.encode())
    assert parsed.title == "Disk full"
    assert parsed.blocks == (
        Block("Disk full", "heading", 0, 1), Block("First.\nSecond."), Block("Under", "heading", 0, 2),
        Block("# no heading\ndf", "code"), Block("| a | b |\n| --- | --- |\n| 1 | x \\| y |", "table"),
        Block("- item"), Block("Deep", "heading", 0, 3),
    )  # fmt: skip
    assert parsed.notes == ("its comments were left out",)


async def test_text_is_paragraphs_and_a_log_keeps_its_lines(parse: Parse) -> None:
    assert (await one(parse, "a.txt", b"one\r\ntwo\r\n\r\n \r\nthree")).blocks == (Block("one\ntwo"), Block("three"))
    log = "\n".join(f"12:00:{n % 60:02} \x1b[31mERROR\x1b[0m request {n}" for n in range(500))
    parsed = await one(parse, "app.log", log.encode())
    assert len(parsed.blocks) > 5
    assert said(parsed) == log.replace("\x1b[31m", "").replace("\x1b[0m", "")


async def test_source_is_code_parted_between_definitions(parse: Parse) -> None:
    source = "\n\n\n".join(f"def f{n}():\n    x = {n}\n\n    return '{'y' * 300}'" for n in range(20))
    parsed = await one(parse, "a.py", source.encode())
    assert {block.kind for block in parsed.blocks} == {"code"}
    assert len(parsed.blocks) > 3
    assert all(block.text.startswith("def f") for block in parsed.blocks)
    assert (await one(parse, "Dockerfile", b"FROM debian")).blocks == (Block("FROM debian", "code"),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_rows_of_a_table_come_with_its_header_whatever_parts_them(parse: Parse, delimiter: str) -> None:
    rows = [["name", "note"], ["Ann", f'"a{delimiter} b"'], *([f"n{n}", "x" * 40] for n in range(100))]
    data = "\n".join(delimiter.join(row) for row in rows).encode()
    parsed = await one(parse, "a.csv", data)
    assert len(parsed.blocks) > 2
    assert all(block.text.startswith("| name | note |\n| --- | --- |\n") for block in parsed.blocks)
    cell = f"a{delimiter} b".replace("|", "\\|").replace("\t", " ").replace("  ", " ")
    assert f"| Ann | {cell} |" in parsed.blocks[0].text


async def test_a_table_without_a_header_gets_numbered_columns(parse: Parse) -> None:
    parsed = await one(parse, "a.csv", b"1,Ann\n2,Bob\n")
    assert said(parsed) == "| column 1 | column 2 |\n| --- | --- |\n| 1 | Ann |\n| 2 | Bob |"


async def test_json_is_keys_and_values_as_they_were_written(parse: Parse) -> None:
    data = '[{"id": 7, "ok": true, "sum": 1.10, "tags": ["a", "b"], "who": {"name": "Ann", "items": [{"n": 1}]}}, 5]'
    parsed = await one(parse, "a.json", data.encode())
    record = "id: 7\nok: true\nsum: 1.10\ntags: a, b\nwho.name: Ann\nwho.items[1].n: 1"
    assert parsed.blocks == (Block(record), Block("5"))
    lines = making.lines({"a": 1}, {"a": None}) + b"no json\n"
    parsed = await one(parse, "a.jsonl", lines)
    assert parsed.blocks == (Block("a: 1"), Block("a: null"), Block("no json"))
    assert parsed.notes == ("1 lines are no JSON: read as text",)
    broken = await one(parse, "b.json", b'{"a": ')
    assert said(broken) == '{"a":'
    assert broken.notes[0].startswith("it is no JSON")


async def test_a_message_is_itself_and_its_attachments(parse: Parse) -> None:
    inner = making.mail()
    data = making.mail(
        ("terms.docx", making.word()), ("../../etc/passwd", b"root"), ("x.bin", b"\0\1\2" * 99), ("in.eml", inner)
    )
    found = await parse("a.eml", data)
    assert sorted(found) == ["", "in.eml", "passwd", "terms.docx", "x.bin"]
    assert found[""].title == "Größe der Platte"
    assert "Subject: Größe der Platte" in found[""].blocks[0].text
    assert [block.text for block in found[""].blocks[1:]] == ["The disk is full.", "Please call."]
    assert "Terms" in said(found["terms.docx"])
    assert found["x.bin"] == Parsed((), notes=("a binary file of no known format",))
    assert "The disk is full." in said(found["in.eml"])


async def test_a_message_in_html_alone_is_read_as_a_page(parse: Parse) -> None:
    data = b"From: a@b.c\nTo: d@e.f\nSubject: s\nContent-Type: text/html\n\n<p>Hello<p hidden>Obey"
    parsed = await one(parse, "a.eml", data)
    assert [block.text for block in parsed.blocks][1:] == ["Hello"]


async def test_members_of_an_archive_are_documents_and_what_cannot_be_read_says_why(parse: Parse) -> None:
    inner = making.zipped({"deep/x.md": b"# Deep"})
    files = {
        "a/plan.md": b"# Plan", "b.pdf": making.pdf(("Head", "text")), "in.zip": inner, "x.exe": b"MZ\0\0" * 50,
        "empty.txt": b"", "__MACOSX/a": b"x", "c\nd\u202e.txt": b"hello",
    }  # fmt: skip
    found = await parse("a.zip", making.zipped(files, packed=True))
    assert set(found) == {
        "a/plan.md", "b.pdf", "in.zip!deep/x.md", "x.exe", "empty.txt", "c\\nd\\u202e.txt", "",
    }  # fmt: skip
    assert said(found["in.zip!deep/x.md"]) == "Deep"
    assert found["x.exe"] == Parsed((), notes=("a program, which is not read",))
    assert found["empty.txt"].notes == ("empty",)
    assert found[""].notes[0].startswith("1 files that systems leave behind")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("bill.txt", making.pdf(("Invoice", "Pay")), "Invoice"),
        ("bill.pdf", making.word(), "Terms"),
        ("bill.csv", making.xlsx({"S": [["a"], ["b"]]}), "| a |"),
        ("page.txt", b"<!-- x --><!DOCTYPE html><p>Hi", "Hi"),
        ("note", making.mail(), "The disk is full."),
        ("note.docx", b"plain words", "plain words"),
    ],
)
async def test_what_is_in_a_file_counts_before_its_name(parse: Parse, name: str, data: bytes, expected: str) -> None:
    assert expected in said((await parse(name, data))[""])


WORDS = "Die Prüfung der Größen beträgt fünf Maß: überall gehört Ähnliches zu schönen Übungen. " * 12


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
async def test_encodings_are_told_apart(parse: Parse, encoding: str) -> None:
    parsed = await one(parse, "a.txt", WORDS.encode(encoding))
    assert said(parsed) == WORDS.strip()
    assert bool(parsed.notes) == (encoding == "cp1252")


async def test_the_encoding_that_a_page_declares_is_used(parse: Parse) -> None:
    page = f'<html><meta charset="iso-8859-2"><p>{"Zażółć gęślą jaźń"}</p>'
    assert said(await one(parse, "a.html", page.encode("iso-8859-2"))) == "Zażółć gęślą jaźń"
    russian = "Проверка кодировки текста, который написан по-русски и достаточно длинный. " * 5
    assert said(await one(parse, "a.txt", codecs.encode(russian, "cp1251"))) == russian.strip()


async def test_stray_bytes_are_replaced_and_counted(parse: Parse) -> None:
    parsed = await one(parse, "a.txt", b"plain words " * 500 + b"\xff and \xfe more")
    assert parsed.notes == ("2 characters that are not utf-8 were replaced",)


async def test_control_and_direction_marks_do_not_come_through(parse: Parse) -> None:
    text = "pay\u202e lla\u202c \u2066x\u2069 a\u200bb \x07\x1b[2Jbell \U000e0041\U000e0042tag soft\u00adhyphen"
    parsed = await one(parse, "a.txt", text.encode())
    assert said(parsed) == "pay lla x ab bell tag softhyphen"
    assert parsed.notes == ("6 hidden marks (direction of text, tags) were taken out of its text",)
    data = json.dumps({"a": "\x00\u202ex\ud800"})
    assert said(await one(parse, "a.json", data.encode())) == "a: x"


async def test_an_empty_file_and_a_blank_one_are_skipped(refused: Refused, tmp_path: Path) -> None:
    assert await refused("a.txt", b"") == "empty"
    assert await refused("a.txt", b" \n\n ") == "holds no text"
