"""PDF by pdfium: lines in the order of the page's content, headings by their size and weight, scans said to be so."""

from __future__ import annotations

import ctypes
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ringfence.knowledge.errors import Unreadable

from ..draft import Draft, Reading

TESSERACT = "/usr/bin/tesseract"
OCR_S = 30.0  # a page
_OCR_DPI = 300
_OCR_PIXELS = 40_000_000  # of a page, whatever size it claims
_BIGGER = 1.15  # times the size of most text, from which on a line is a heading
_HEADING_CHARS = 160
_GAP = 1.7  # times its size, that a line is below the one before where a paragraph begins
_HYPHEN = 0x02  # what pdfium makes of a hyphen that parts a word at the end of a line
_LEVELS = 4
_LEADER = re.compile(r"(?:\. ?){4}|…{2}")  # of a line of a table of contents
_NUMBER = re.compile(r"\W*(?:(?:page|seite|p\.)\s*)?(\d{1,6})(?:\s*(?:of|von|/)\s*\d{1,6})?\W*", re.I)


@dataclass(slots=True)
class _Line:
    """A line: its size in points, whether it is bold, and where its baseline is."""

    text: str
    page: int
    size: float
    bold: bool
    base: float


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """Each page's lines, as paragraphs and headings."""
    document = _opened(data)
    draft.title = str(document.get_metadata_value("Title") or "")
    count = len(document)
    if count > reading.bounds.pages:
        draft.note(f"it has {count:,} pages: those after the first {reading.bounds.pages:,} are left out")
    lines: list[_Line] = []
    chars = 0
    scans: list[int] = []
    seen: list[int] = []
    broken: list[int] = []
    for number in range(1, min(count, reading.bounds.pages) + 1):
        try:
            page = document[number - 1]
            found = _unnumbered(list(_lines(page, number)), number)
            if not found and _has_picture(page):
                found = list(_seen(page, number, reading.ocr)) if _may_see(reading, draft) else []
                (seen if found else scans).append(number)
            page.close()
        except pypdfium2.PdfiumError:
            broken.append(number)
            continue
        lines += found
        chars += sum(len(one.text) for one in found)
        if chars > draft.bounds.chars and number < count:
            draft.note(f"it is longer than one document may be: pages after {number} are left out")
            break
    _note(draft, scans, "a scan, without text", "scans, without text", min(count, reading.bounds.pages))
    by = "its text was read by tesseract, and may be wrong"
    _note(draft, seen, f"a scan: {by}", f"scans: {by}", count)
    _note(draft, broken, "broken", "broken", count)
    _written(draft, lines)


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as fault:
        if getattr(fault, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(fault).lower():
            raise Unreadable("encrypted", todo="save it without a password") from None
        raise Unreadable(f"a broken PDF: {fault}"[:200]) from None


def _note(draft: Draft, pages: list[int], one: str, many: str, count: int) -> None:
    if not pages:
        return
    if len(pages) == count:
        draft.note(f"all of its pages are {many}" if count > 1 else f"its page is {one}")
    elif len(pages) == 1:
        draft.note(f"page {pages[0]} is {one}")
    else:
        draft.note(f"pages {_ranges(pages)} are {many}")


def _ranges(pages: list[int]) -> str:
    """As in `1-3, 7`."""
    parts: list[list[int]] = []
    for page in pages:
        if parts and page == parts[-1][1] + 1:
            parts[-1][1] = page
        else:
            parts.append([page, page])
    said = [f"{first}-{last}" if last > first else str(first) for first, last in parts[:40]]
    return ", ".join(said) + (", ..." if len(parts) > 40 else "")


def _lines(page: pypdfium2.PdfPage, number: int) -> Iterator[_Line]:
    """The lines of a page. A hyphen that parts a word at the end of a line is undone, as pdfium finds it."""
    text = page.get_textpage()
    held: list[int] = []
    first = -1
    for at in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, at)
        if code in (0x0A, 0x0D):
            if held:
                yield _line(text, number, held, first)
            held, first = [], -1
        elif code not in (0, _HYPHEN):
            if first < 0 and code > 0x20:
                first = at
            held.append(code)
    if held:
        yield _line(text, number, held, first)
    text.close()


def _unnumbered(lines: list[_Line], number: int) -> list[_Line]:
    """Without a first or last line that is the page's own number, which each block has beside it."""
    full = [one for one in lines if one.text.strip()]
    for at in (-1, 0):
        if len(full) > 1 and (found := _NUMBER.fullmatch(full[at].text)) and int(found.group(1)) == number:
            full.pop(at)
    return full


def _line(text: pypdfium2.PdfTextPage, number: int, codes: list[int], first: int) -> _Line:
    words = "".join(map(chr, codes))
    if any(0xD800 <= code < 0xE000 for code in codes):
        words = words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if first < 0:
        return _Line("", number, 0.0, False, 0.0)
    matrix = raw.FS_MATRIX()
    x, y, flags = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    font = ctypes.create_string_buffer(128)
    raw.FPDFText_GetMatrix(text, first, matrix)
    raw.FPDFText_GetCharOrigin(text, first, x, y)
    raw.FPDFText_GetFontInfo(text, first, font, 128, flags)
    scale = (matrix.c**2 + matrix.d**2) ** 0.5
    size = raw.FPDFText_GetFontSize(text, first) * (scale or 1.0)
    bold = b"bold" in font.value.lower() or raw.FPDFText_GetFontWeight(text, first) >= 600
    return _Line(words, number, round(size * 2) / 2, bold, y.value)


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    """Whether there is anything on it at all: an empty page is no scan."""
    return any(True for _ in page.get_objects(max_depth=3))


def _written(draft: Draft, lines: list[_Line]) -> None:
    """Headings and paragraphs, told apart by what most of the text looks like."""
    looks = Counter[tuple[float, bool]]()
    for one in lines:
        looks[one.size, one.bold] += len(one.text)
    body, body_bold = looks.most_common(1)[0][0] if looks else (0.0, False)
    big = sorted({size for size, _ in looks if size >= body * _BIGGER and body}, reverse=True)[:_LEVELS]
    held: list[_Line] = []
    for n, one in enumerate(lines):
        if not one.text.strip():
            continue
        follows = bool(held) and _continues(held[-1], one)
        if not follows:
            _flush(draft, held)
        level = _level(one, big, body, body_bold, alone=not follows and _alone(one, lines, n))
        if level and not follows:
            draft.heading(one.text, level, one.page)
        else:
            held.append(one)
    _flush(draft, held)


def _alone(one: _Line, lines: list[_Line], n: int) -> bool:
    """Whether the next line looks otherwise, or is of another paragraph."""
    return n + 1 >= len(lines) or not _continues(one, lines[n + 1])


def _continues(before: _Line, one: _Line) -> bool:
    """Whether a line goes on with the paragraph of the one before."""
    if one.page != before.page or one.size != before.size or one.bold != before.bold:
        return False
    return 0 <= before.base - one.base <= _GAP * max(one.size, 4.0)


def _level(one: _Line, big: list[float], body: float, body_bold: bool, *, alone: bool) -> int:
    """Of a heading; 0: it is none."""
    words = one.text.strip()
    if not body or len(words) > _HEADING_CHARS or not any(map(str.isalpha, words)) or _LEADER.search(words):
        return 0
    if one.size in big:
        return big.index(one.size) + 1
    if one.size >= body and one.bold and not body_bold and alone and not words.endswith((".", ",", ";")):
        return len(big) + 1
    return 0


def _flush(draft: Draft, held: list[_Line]) -> None:
    if held:
        draft.text("\n".join(one.text.strip() for one in held), held[0].page)
        held.clear()


def _may_see(reading: Reading, draft: Draft) -> bool:
    """Whether pages are to be read by tesseract, it is there, and there is time left for it."""
    if not reading.ocr:
        return False
    if not Path(TESSERACT).exists():
        draft.note(f"scans are to be read by tesseract, and there is no {TESSERACT}")
        return False
    if time.monotonic() - reading.began > reading.bounds.ocr_share * reading.bounds.wall_s:
        draft.note("it has more scans than tesseract could read in time")
        return False
    return True


def _seen(page: pypdfium2.PdfPage, number: int, languages: str) -> Iterator[_Line]:
    """What tesseract reads on a page: the page goes in as a grey picture (PGM), text comes out."""
    width, height = page.get_size()
    scale = min(_OCR_DPI / 72, (_OCR_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    rows = bytes(bitmap.buffer)
    pixels = b"".join(rows[n * bitmap.stride : n * bitmap.stride + bitmap.width] for n in range(bitmap.height))
    picture = b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + pixels
    try:
        done = subprocess.run(
            [TESSERACT, "stdin", "stdout", "-l", languages, "--dpi", str(_OCR_DPI)],
            input=picture, capture_output=True, timeout=OCR_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return
    for at, words in enumerate(done.stdout.decode("utf-8", "replace").splitlines()):
        if words.strip():
            yield _Line(words, number, 0.0, False, -10.0 * at)
