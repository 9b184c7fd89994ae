"""Pages that are scans, read by tesseract where that is asked for and there."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest

from ringfence.jobs import Job, Process
from ringfence.knowledge.parsing import Bounds, ConfinedParser
from ringfence.knowledge.parsing.formats.pdf import TESSERACT
from ringfence.sandboxes import AnyLauncher

from . import making

pytestmark = pytest.mark.asyncio(loop_scope="package")
ECHO = "/bin/echo"  # says what it was asked, as tesseract would say what it read


def scanned(data: bytes) -> bytes:
    """The first page of a PDF as a picture on a page."""
    picture = pypdfium2.PdfImage.new(made := pypdfium2.PdfDocument.new())
    picture.set_bitmap(pypdfium2.PdfDocument(data)[0].render(scale=3))
    picture.set_matrix(pypdfium2.PdfMatrix().scale(595, 842))
    page = made.new_page(595, 842)
    page.insert_obj(picture)
    page.gen_content()
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


class WithEcho:
    """A launcher of the parser's job in which `echo` stands where tesseract would."""

    def __init__(self, launcher: AnyLauncher) -> None:
        self._launcher = launcher

    async def start(self, job: Job) -> Process:
        *argv, program = job.argv
        first, main = program.split(" from ringfence.knowledge.parsing.process")
        patched = f"{first} from ringfence.knowledge.parsing.formats import pdf; pdf.TESSERACT = {ECHO!r};"
        line = f"{patched} from ringfence.knowledge.parsing.process{main}"
        return await self._launcher.start(replace(job, argv=(*argv, line)))


async def test_a_scan_goes_through_the_program_that_reads_it(sandbox: AnyLauncher, tmp_path: Path) -> None:
    parser = ConfinedParser(WithEcho(sandbox), bounds=Bounds(), ocr="deu+eng")
    place = tmp_path / "scan.pdf"
    place.write_bytes(making.pdf(("One", "words"), ("", "")))
    try:
        ((_, parsed),) = await parser.parse("scan.pdf", str(place))
    finally:
        await parser.aclose()
    assert parsed.notes == ("page 2 is a scan: its text was read by tesseract, and may be wrong",)
    assert (parsed.blocks[-1].text, parsed.blocks[-1].page) == ("stdin stdout -l deu+eng --dpi 300", 2)


async def test_scans_stay_scans_where_time_is_up(sandbox: AnyLauncher, tmp_path: Path) -> None:
    place = tmp_path / "scan.pdf"
    place.write_bytes(making.pdf(("One", "words"), ("", "")))
    parser = ConfinedParser(WithEcho(sandbox), bounds=Bounds(ocr_share=0.0), ocr="eng")
    try:
        ((_, parsed),) = await parser.parse("scan.pdf", str(place))
    finally:
        await parser.aclose()
    late = "it has more scans than tesseract could read in time"
    assert parsed.notes == (late, "page 2 is a scan, without text")


@pytest.mark.skipif(not Path(TESSERACT).exists(), reason="tesseract is not here")
async def test_tesseract_reads_a_scan(sandbox: AnyLauncher, tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(scanned(making.pdf(("INVOICE", "Total 4711 EUR"))))
    parser = ConfinedParser(sandbox, ocr="eng")
    try:
        ((_, parsed),) = await parser.parse("scan.pdf", str(tmp_path / "scan.pdf"))
    finally:
        await parser.aclose()
    assert "4711" in "".join(block.text for block in parsed.blocks)
