"""Documents of the examples in other formats, from a little Markdown: the same text gives the same bytes.

The Markdown is what the examples use: `#` headings, paragraphs, `-` items, and tables with a `|` in front.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from docx import Document
from fpdf import FPDF

MADE = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
Piece = tuple[str, str | list[list[str]]]  # ("h1" | "h2" | "p" | "li", text), or ("table", rows)


def pieces(markdown: str) -> Iterator[Piece]:
    """Headings, paragraphs, items and tables, in order. A paragraph may go over several lines."""
    for block in re.split(r"\n\s*\n", markdown.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if lines[0].startswith("#"):
            yield f"h{len(lines[0]) - len(lines[0].lstrip('#'))}", lines[0].lstrip("# ")
            lines = lines[1:]
        if lines and lines[0].startswith("|"):
            rows = [line for line in lines if "---" not in line]
            yield "table", [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        elif lines and lines[0].startswith("- "):
            yield from (("li", item) for item in re.sub(r"\n(?!- )", " ", "\n".join(lines))[2:].split("\n- "))
        elif lines:
            yield "p", " ".join(lines)


def pdf(markdown: str) -> bytes:
    """A4 pages with page numbers. A form feed in the text begins a new page."""
    sheet = _Sheet(format="A4")
    sheet.set_creation_date(MADE)
    sheet.set_producer("examples")
    sheet.set_margin(22)
    sheet.set_auto_page_break(True, 22)
    for part in markdown.split("\f"):
        sheet.add_page()
        for kind, what in pieces(part):
            sheet.put(kind, what)
    return bytes(sheet.output())


class _Sheet(FPDF):
    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        self.cell(0, 8, f"page {self.page_no()}", align="C")

    def put(self, kind: str, what: str | list[list[str]]) -> None:
        if isinstance(what, list):
            self.set_font("Helvetica", size=9)
            with self.table(line_height=5.5, text_align="LEFT") as table:
                for row in what:
                    table.row(row)
            self.ln(3)
            return
        size = {"h1": 15, "h2": 12}.get(kind, 10)
        self.set_font("Helvetica", "B" if kind.startswith("h") else "", size)
        self.multi_cell(0, size * 0.52, f"- {what}" if kind == "li" else what, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(2)


def docx(markdown: str) -> bytes:
    """A Word file with heading styles and real tables; its times are fixed, so that the bytes are."""
    document = Document()
    properties = document.core_properties
    properties.created = properties.modified = MADE.replace(tzinfo=None)
    properties.author = properties.last_modified_by = "examples"
    for kind, what in pieces(markdown):
        if isinstance(what, list):
            table = document.add_table(len(what), len(what[0]), "Table Grid")
            for row, cells in zip(table.rows, what, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        elif kind.startswith("h"):
            document.add_heading(what, int(kind[1]))
        else:
            document.add_paragraph(what, "List Bullet" if kind == "li" else None)
    written = io.BytesIO()
    document.save(written)
    return _timeless(written.getvalue())


def _timeless(archive: bytes) -> bytes:
    """The same ZIP with every member dated alike."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(set(source.namelist()) - {"docProps/thumbnail.jpeg"}):
            info = zipfile.ZipInfo(name, (2026, 1, 5, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            data = source.read(name)
            if name == "_rels/.rels":  # of the template, a picture that shows another text
                data = re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", data)
            target.writestr(info, data)
    return kept.getvalue()


def page(markdown: str) -> bytes:
    """An HTML page with a menu and a footer around the text, as intranets have."""
    title, body = "", []
    for kind, what in pieces(markdown):
        if isinstance(what, list):
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in what[1:])
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in what[0])
            body.append(f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
        else:
            title = title or what
            body.append(f"<{kind}>{html.escape(what)}</{kind}>")
    return "\n".join((
        "<!doctype html>", f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>',
        "<style>body{max-width:50em}</style></head><body>", '<nav><a href="/">Home</a> <a href="/az">A to Z</a></nav>',
        "<main>", *body, "</main>", "<footer>Intranet, for internal use</footer></body></html>", "",
    )).encode()  # fmt: skip
